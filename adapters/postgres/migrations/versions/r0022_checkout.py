"""What buying writes: units set aside, what was agreed with each seller, where it goes; and the role that writes it.

`torii_till` is nobody's login: the gateway and the workers take it on for a transaction that moves money or stock
(`SET LOCAL ROLE`), and have none of its rights otherwise. It is made where they are: infra/embedded/bootstrap.sql.
"""

from alembic import op
from sqlalchemy import text

from adapters.postgres.migrations.script import MigrationRefused, run

revision = "0022"
down_revision = "0021"

HAS_TILL = """
    SELECT count(*) = 2 FROM pg_roles r WHERE r.rolname IN ('torii_app', 'torii_worker')
        AND EXISTS (SELECT FROM pg_roles t WHERE t.rolname = 'torii_till' AND pg_has_role(r.oid, t.oid, 'SET'))
"""
KEEP_PRODUCT = """
    CREATE OR REPLACE FUNCTION catalog.keep_product() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        of_variations integer;{declared}
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            -- Stock belongs to the variations where there are any.
            SELECT sum(stock_quantity) FILTER (WHERE is_active){summed} INTO of_variations{into}
                FROM catalog.product_variations WHERE product_id = NEW.id HAVING count(*) > 0;
            IF FOUND THEN
                NEW.stock_quantity := coalesce(of_variations, 0);{kept}
            END IF;
            IF coalesce(NEW.sale_price, NEW.base_price) < coalesce(OLD.sale_price, OLD.base_price) AND EXISTS (
                SELECT FROM catalog.product_variations
                WHERE product_id = NEW.id AND coalesce(NEW.sale_price, NEW.base_price) + price_adjustment < 0
            ) THEN
                RAISE check_violation USING MESSAGE = 'a variation of this product would cost less than nothing';
            END IF;
            NEW.version := OLD.version + 1;
            NEW.updated_at := clock_timestamp();
        END IF;
        IF NEW.status = 'active' AND NEW.stock_quantity {none_left} THEN
            NEW.status := 'out_of_stock';
        ELSIF NEW.status = 'out_of_stock' AND NEW.stock_quantity {some_left} THEN
            NEW.status := 'active';
        END IF;
        RETURN NEW;
    END $$;
"""
BEFORE = {"declared": "", "summed": "", "into": "", "kept": "", "none_left": "= 0", "some_left": "> 0"}
AFTER = {
    "declared": "\n        reserved_of_them integer;",
    "summed": ", sum(reserved_quantity) FILTER (WHERE is_active)",
    "into": ", reserved_of_them",
    "kept": "\n                NEW.reserved_quantity := coalesce(reserved_of_them, 0);",
    "none_left": "<= NEW.reserved_quantity",
    "some_left": "> NEW.reserved_quantity",
}
FORGET_BUYER = """
    CREATE OR REPLACE FUNCTION orders.forget_buyer(leaver uuid) RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        BEGIN ATOMIC
            UPDATE orders.order_payments p SET payment_method_details = '{{}}'
                FROM orders.orders o WHERE o.id = p.order_id AND o.user_id = leaver AND accounts.is_leaving(leaver)
                AND p.payment_method_details <> '{{}}';
            UPDATE orders.orders SET metadata = metadata - 'shipping_address', shipping_address_id = NULL
                WHERE user_id = leaver AND accounts.is_leaving(leaver)
                AND (metadata ? 'shipping_address' OR shipping_address_id IS NOT NULL);
            {addresses}
        END;
"""
ADDRESSES = """
            DELETE FROM orders.order_addresses a
                USING orders.orders o WHERE o.id = a.order_id AND o.user_id = leaver AND accounts.is_leaving(leaver);
"""


def upgrade() -> None:
    if not op.get_bind().execute(text(HAS_TILL)).scalar_one():
        raise MigrationRefused(
            "the role torii_till, which this version writes orders as, is missing, or torii_app and torii_worker may not"
            " take it on. Nothing was changed. Let a superuser run infra/embedded/bootstrap.sql once more (it changes"
            " nothing else but the passwords), and migrate again."
        )
    run(
        """
        GRANT USAGE ON SCHEMA access, catalog, sellers, orders, payments, idempotency, events TO torii_till;

        CREATE FUNCTION access.guest_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
            RETURN nullif(current_setting('torii.guest_id', true), '')::uuid;
        -- Orders that a viewer was shown a signed link to.
        CREATE FUNCTION access.order_ids() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
            RETURN string_to_array(nullif(current_setting('torii.order_ids', true), ''), ',')::uuid[];

        CREATE OR REPLACE FUNCTION idempotency.principal() RETURNS text LANGUAGE sql STABLE
            RETURN coalesce('user:' || access.user_id()::text, 'guest:' || access.guest_id()::text);

        ALTER TABLE catalog.products ADD reserved_quantity integer NOT NULL DEFAULT 0 CHECK (reserved_quantity >= 0),
            -- What can still be sold. A stocktake may find less than was promised.
            ADD sellable_quantity integer GENERATED ALWAYS AS (greatest(stock_quantity - reserved_quantity, 0)) VIRTUAL;
        ALTER TABLE catalog.product_variations
            ADD reserved_quantity integer NOT NULL DEFAULT 0 CHECK (reserved_quantity >= 0),
            ADD sellable_quantity integer GENERATED ALWAYS AS (greatest(stock_quantity - reserved_quantity, 0)) VIRTUAL;

        -- Of a registered issuer of qualified invoices.
        ALTER TABLE sellers.sellers ADD registration_number text CHECK (registration_number ~ '^T[0-9]{13}$');
        CREATE FUNCTION sellers.selling_terms(wanted uuid[])
            RETURNS TABLE (id uuid, name text, registration_number text, commission_rate numeric, shipping_policies jsonb)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            BEGIN ATOMIC
                SELECT s.id, s.company_name, s.registration_number, s.commission_rate,
                    coalesce(p.shipping_policies, '{}')
                FROM sellers.sellers s LEFT JOIN sellers.seller_profiles p ON p.seller_id = s.id
                WHERE s.id = ANY (wanted) AND s.status = 'active';
            END;
        REVOKE ALL ON FUNCTION sellers.selling_terms(uuid[]) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION sellers.selling_terms(uuid[]) TO torii_till;
        """
    )
    run(KEEP_PRODUCT.format(**AFTER))
    run(
        """
        ALTER TABLE orders.orders ADD guest_id uuid, ADD cart_owner text, ADD expires_at timestamptz,
            ADD version integer NOT NULL DEFAULT 1;
        ALTER TABLE orders.order_items ADD variation_name text, ADD sku text,
            ADD tax_percent integer CHECK (tax_percent BETWEEN 0 AND 100), ADD version integer NOT NULL DEFAULT 1;
        -- What nobody has paid, by when it must be.
        CREATE INDEX idx_orders_unpaid ON orders.orders (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;

        CREATE FUNCTION orders.keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.version := OLD.version + 1;
            RETURN NEW;
        END $$;
        CREATE TRIGGER keep_version BEFORE UPDATE ON orders.orders FOR EACH ROW EXECUTE FUNCTION orders.keep_version();
        CREATE TRIGGER keep_version BEFORE UPDATE ON orders.order_items
            FOR EACH ROW EXECUTE FUNCTION orders.keep_version();

        -- One version of a cart makes at most one order: another only once that one is cancelled.
        CREATE TABLE orders.checkouts (
            cart_owner text NOT NULL,
            cart_id uuid NOT NULL,
            cart_version bigint NOT NULL,
            order_id uuid NOT NULL UNIQUE REFERENCES orders.orders,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (cart_owner, cart_id, cart_version)
        );

        -- Units set aside for an order: counted in reserved_quantity of the variation, else of the product, while held.
        CREATE TABLE orders.reservations (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            order_id uuid NOT NULL REFERENCES orders.orders,
            product_id uuid NOT NULL REFERENCES catalog.products,
            product_variation_id uuid REFERENCES catalog.product_variations,
            quantity integer NOT NULL CHECK (quantity > 0),
            expires_at timestamptz NOT NULL,
            state text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'consumed', 'released')),
            created_at timestamptz NOT NULL DEFAULT now(),
            settled_at timestamptz,
            CONSTRAINT settled_when_not_held CHECK ((state = 'held') = (settled_at IS NULL))
        );
        CREATE INDEX idx_reservations_order_id ON orders.reservations (order_id);
        CREATE INDEX idx_reservations_product_id ON orders.reservations (product_id);
        CREATE INDEX idx_reservations_product_variation_id ON orders.reservations (product_variation_id)
            WHERE product_variation_id IS NOT NULL;
        CREATE INDEX idx_reservations_held ON orders.reservations (expires_at) WHERE state = 'held';

        -- A seller's part as agreed on: later edits of the seller change nothing of it. Rates in hundredths of a percent.
        CREATE TABLE orders.order_sellers (
            order_id uuid NOT NULL REFERENCES orders.orders,
            seller_id uuid NOT NULL REFERENCES sellers.sellers,
            seller_name text NOT NULL,
            registration_number text,
            currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
            subtotal bigint NOT NULL CHECK (subtotal >= 0),
            shipping_fee bigint NOT NULL CHECK (shipping_fee >= 0),
            total bigint NOT NULL,
            commission_rate_bp integer NOT NULL CHECK (commission_rate_bp BETWEEN 0 AND 10000),
            commission bigint NOT NULL CHECK (commission >= 0),
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (order_id, seller_id),
            CONSTRAINT seller_total_adds_up CHECK (total = subtotal + shipping_fee),
            CONSTRAINT commission_within_subtotal CHECK (commission <= subtotal)
        );
        -- A seller's orders, newest first.
        CREATE INDEX idx_order_sellers_seller_id ON orders.order_sellers (seller_id, order_id);

        -- The tax inside a seller's amounts of one rate, rounded down once.
        CREATE TABLE orders.order_taxes (
            order_id uuid NOT NULL,
            seller_id uuid NOT NULL,
            percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
            taxable bigint NOT NULL CHECK (taxable >= 0),
            tax bigint NOT NULL CHECK (tax BETWEEN 0 AND taxable),
            PRIMARY KEY (order_id, seller_id, percent),
            FOREIGN KEY (order_id, seller_id) REFERENCES orders.order_sellers
        );

        -- Whom it goes to and who is told: what a person may ask us to forget, apart from what was bought.
        CREATE TABLE orders.order_addresses (
            order_id uuid PRIMARY KEY REFERENCES orders.orders,
            recipient_name text NOT NULL,
            postal_code text NOT NULL,
            prefecture text NOT NULL,
            city text NOT NULL,
            address_line1 text NOT NULL,
            address_line2 text,
            phone_number text,
            email text NOT NULL,
            language text NOT NULL DEFAULT 'ja',
            created_at timestamptz NOT NULL DEFAULT now()
        );
        """
    )
    run(POLICIES)
    run(GRANTS)
    run(FORGET_BUYER.format(addresses=ADDRESSES))


TABLES = ("checkouts", "reservations", "order_sellers", "order_taxes", "order_addresses")
POLICIES = (
    "\n".join(
        f"""
        ALTER TABLE orders.{table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.{table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON orders.{table} TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON orders.{table} TO torii_worker;
        """
        for table in TABLES
    )
    + "\n".join(
        f"CREATE POLICY till ON {table} TO torii_till USING (true) WITH CHECK (true);"
        for table in (
            "catalog.products",
            "catalog.product_variations",
            "catalog.categories",
            "orders.orders",
            "orders.order_numbers",
            "orders.order_items",
            "orders.order_payments",
            "orders.order_status_histories",
            *(f"orders.{table}" for table in TABLES),
        )
    )
    + """
        ALTER POLICY own ON orders.orders USING (
            user_id = (SELECT access.user_id())
            OR user_id IS NULL AND guest_id = (SELECT access.guest_id())
            OR id = ANY ((SELECT access.order_ids())::uuid[])
            OR (SELECT access.is_admin())
        );
        CREATE POLICY own ON orders.order_sellers TO torii_app USING (
            seller_id = ANY ((SELECT sellers.of_viewer())::uuid[])
            OR EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0)
        );
        CREATE POLICY own ON orders.order_taxes TO torii_app USING (
            seller_id = ANY ((SELECT sellers.of_viewer())::uuid[])
            OR EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0)
        );
        -- The buyer's; and a seller's while there is something of its own to send. Nobody reads the mail address by this.
        CREATE POLICY own ON orders.order_addresses TO torii_app USING (
            EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0)
            OR EXISTS (
                SELECT FROM orders.order_items i WHERE i.order_id = order_addresses.order_id
                    AND i.seller_id = ANY ((SELECT sellers.of_viewer())::uuid[])
                    AND i.fulfillment_status IN ('processing', 'shipped')
                OFFSET 0
            )
        );
        CREATE POLICY leaving ON orders.order_addresses TO CURRENT_USER USING (true) WITH CHECK (true);

        CREATE POLICY till_seen ON idempotency.keys FOR SELECT TO torii_till
            USING (principal = (SELECT idempotency.principal()));
        CREATE POLICY till_added ON idempotency.keys FOR INSERT TO torii_till
            WITH CHECK (principal = (SELECT idempotency.principal()));
        CREATE POLICY till_put_in ON events.outbox FOR INSERT TO torii_till
            WITH CHECK (sent_at IS NULL AND done_at IS NULL AND attempts = 0 AND try_at IS NULL);
    """
)
GRANTS = """
        GRANT SELECT ON orders.order_sellers, orders.order_taxes TO torii_app;
        GRANT SELECT (order_id, recipient_name, postal_code, prefecture, city, address_line1, address_line2,
            phone_number, created_at) ON orders.order_addresses TO torii_app;

        GRANT SELECT ON catalog.products, catalog.product_variations, catalog.categories,
            orders.orders, orders.order_numbers, orders.order_items, orders.order_payments, orders.order_status_histories,
            orders.checkouts, orders.reservations, orders.order_sellers, orders.order_taxes, orders.order_addresses,
            idempotency.keys TO torii_till;
        GRANT INSERT ON orders.orders, orders.order_items, orders.order_payments, orders.order_status_histories,
            orders.checkouts, orders.reservations, orders.order_sellers, orders.order_taxes, orders.order_addresses,
            events.outbox TO torii_till;
        GRANT INSERT (principal, mutation, key, fingerprint, result) ON idempotency.keys TO torii_till;
        GRANT UPDATE (stock_quantity, reserved_quantity) ON catalog.products, catalog.product_variations TO torii_till;
        GRANT UPDATE (status, expires_at, metadata) ON orders.orders TO torii_till;
        GRANT UPDATE (fulfillment_status, metadata) ON orders.order_items TO torii_till;
        GRANT UPDATE (stripe_payment_intent_id, status, payment_method_details, paid_at) ON orders.order_payments
            TO torii_till;
        GRANT UPDATE (state, settled_at) ON orders.reservations TO torii_till;
        GRANT UPDATE (order_id) ON orders.checkouts TO torii_till;
        GRANT EXECUTE ON FUNCTION events.next_in_stream(text, integer) TO torii_till;
"""


def downgrade() -> None:
    run(FORGET_BUYER.format(addresses=""))
    run(
        """
        ALTER POLICY own ON orders.orders USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        DROP POLICY till_put_in ON events.outbox;
        DROP POLICY till_added ON idempotency.keys;
        DROP POLICY till_seen ON idempotency.keys;
        DROP TABLE orders.order_addresses, orders.order_taxes, orders.order_sellers, orders.reservations, orders.checkouts;
        DROP POLICY till ON orders.order_status_histories;
        DROP POLICY till ON orders.order_payments;
        DROP POLICY till ON orders.order_items;
        DROP POLICY till ON orders.order_numbers;
        DROP POLICY till ON orders.orders;
        DROP POLICY till ON catalog.categories;
        DROP POLICY till ON catalog.product_variations;
        DROP POLICY till ON catalog.products;
        REVOKE ALL ON ALL TABLES IN SCHEMA catalog, orders, idempotency, events FROM torii_till;
        REVOKE UPDATE (stock_quantity, reserved_quantity) ON catalog.products, catalog.product_variations FROM torii_till;
        REVOKE EXECUTE ON FUNCTION events.next_in_stream(text, integer) FROM torii_till;

        DROP FUNCTION orders.keep_version CASCADE;
        DROP INDEX orders.idx_orders_unpaid;
        ALTER TABLE orders.order_items DROP variation_name, DROP sku, DROP tax_percent, DROP version;
        ALTER TABLE orders.orders DROP guest_id, DROP cart_owner, DROP expires_at, DROP version;
        DROP FUNCTION sellers.selling_terms(uuid[]);
        ALTER TABLE sellers.sellers DROP registration_number;
        """
    )
    run(KEEP_PRODUCT.format(**BEFORE))
    run(
        """
        ALTER TABLE catalog.product_variations DROP sellable_quantity, DROP reserved_quantity;
        ALTER TABLE catalog.products DROP sellable_quantity, DROP reserved_quantity;
        CREATE OR REPLACE FUNCTION idempotency.principal() RETURNS text LANGUAGE sql STABLE
            RETURN 'user:' || access.user_id()::text;
        DROP FUNCTION access.order_ids();
        DROP FUNCTION access.guest_id();
        REVOKE USAGE ON SCHEMA access, catalog, sellers, orders, payments, idempotency, events FROM torii_till;
        """
    )
