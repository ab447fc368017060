"""Orders, partitioned by the month inside their UUIDv7 key; items, payments and histories beside them.

What must be unique across months stands in tables without partitions: order numbers, payment intents.
"""

from adapters.postgres.migrations.script import run

revision = "0006"
down_revision = "0005"

STATES = "('pending', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')"


def upgrade() -> None:
    run(
        f"""
        CREATE SCHEMA orders;
        GRANT USAGE ON SCHEMA orders TO torii_app, torii_worker;

        CREATE TABLE orders.orders (
            id uuid NOT NULL DEFAULT uuidv7(),
            order_number text NOT NULL,
            user_id uuid REFERENCES accounts.users,
            shipping_address_id uuid REFERENCES accounts.addresses ON DELETE SET NULL,
            currency char(3) NOT NULL DEFAULT 'JPY' CHECK (currency ~ '^[A-Z]{{3}}$'),
            subtotal bigint NOT NULL CHECK (subtotal >= 0),
            tax_amount bigint NOT NULL DEFAULT 0 CHECK (tax_amount >= 0),
            shipping_fee bigint NOT NULL DEFAULT 0 CHECK (shipping_fee >= 0),
            total_amount bigint NOT NULL,
            status text NOT NULL DEFAULT 'pending' CHECK (status IN {STATES}),
            metadata jsonb NOT NULL DEFAULT '{{}}',
            ordered_at timestamptz NOT NULL DEFAULT now(),
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (id),
            -- Prices include tax, so tax is a part of the total and adds nothing to it.
            CONSTRAINT total_adds_up CHECK (total_amount = subtotal + shipping_fee),
            CONSTRAINT tax_within_total CHECK (tax_amount <= total_amount)
        ) PARTITION BY RANGE (id);
        CREATE TABLE orders.orders_default PARTITION OF orders.orders DEFAULT;
        CREATE INDEX idx_orders_user_id ON orders.orders (user_id, id);
        CREATE INDEX idx_orders_status ON orders.orders (status);
        CREATE INDEX idx_orders_created_at ON orders.orders (created_at);
        CREATE INDEX idx_orders_shipping_address_id ON orders.orders (shipping_address_id);

        CREATE TABLE orders.order_numbers (
            order_number text PRIMARY KEY,
            order_id uuid NOT NULL UNIQUE
        );

        CREATE TABLE orders.order_items (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            order_id uuid NOT NULL REFERENCES orders.orders,
            product_id uuid NOT NULL REFERENCES catalog.products,
            product_variation_id uuid REFERENCES catalog.product_variations,
            seller_id uuid NOT NULL REFERENCES sellers.sellers,
            product_name text NOT NULL,
            currency char(3) NOT NULL DEFAULT 'JPY' CHECK (currency ~ '^[A-Z]{{3}}$'),
            quantity integer NOT NULL CHECK (quantity > 0),
            unit_price bigint NOT NULL CHECK (unit_price >= 0),
            total_price bigint NOT NULL,
            fulfillment_status text NOT NULL DEFAULT 'pending' CHECK (fulfillment_status IN {STATES}),
            metadata jsonb NOT NULL DEFAULT '{{}}',
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT total_is_price_times_quantity CHECK (total_price = unit_price * quantity)
        );
        CREATE INDEX idx_order_items_order_id ON orders.order_items (order_id, id);
        CREATE INDEX idx_order_items_seller_id ON orders.order_items (seller_id);
        CREATE INDEX idx_order_items_product_id ON orders.order_items (product_id);
        CREATE INDEX idx_order_items_product_variation_id ON orders.order_items (product_variation_id)
            WHERE product_variation_id IS NOT NULL;

        CREATE TABLE orders.order_payments (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            order_id uuid NOT NULL UNIQUE REFERENCES orders.orders,
            stripe_payment_intent_id text UNIQUE,
            amount bigint NOT NULL CHECK (amount >= 0),
            currency char(3) NOT NULL DEFAULT 'JPY' CHECK (currency ~ '^[A-Z]{{3}}$'),
            status text NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending', 'processing', 'succeeded', 'failed', 'cancelled', 'refunded')),
            payment_method_details jsonb NOT NULL DEFAULT '{{}}',
            paid_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE orders.order_status_histories (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            order_id uuid NOT NULL REFERENCES orders.orders,
            status text NOT NULL CHECK (status IN {STATES}),
            note text,
            changed_by uuid,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_order_status_histories_order_id ON orders.order_status_histories (order_id, id);

        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON orders.orders
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON orders.order_items
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON orders.order_payments
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        """
    )
    run(
        """
        CREATE FUNCTION orders.claim_numbers() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            INSERT INTO orders.order_numbers (order_number, order_id) SELECT order_number, id FROM added;
            RETURN NULL;
        END $$;
        CREATE TRIGGER claim_numbers AFTER INSERT ON orders.orders
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orders.claim_numbers();

        CREATE FUNCTION orders.free_numbers() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            DELETE FROM orders.order_numbers WHERE order_id IN (SELECT id FROM gone);
            RETURN NULL;
        END $$;
        CREATE TRIGGER free_numbers AFTER DELETE ON orders.orders
            REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION orders.free_numbers();
        REVOKE ALL ON FUNCTION orders.claim_numbers(), orders.free_numbers() FROM PUBLIC;

        -- Only new orders claim a number: one that changed would be unique no more.
        CREATE FUNCTION orders.refuse_another_number() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE restrict_violation USING MESSAGE = 'an order keeps its id and its number';
        END $$;
        CREATE TRIGGER keep_number BEFORE UPDATE ON orders.orders FOR EACH ROW
            WHEN (NEW.id <> OLD.id OR NEW.order_number <> OLD.order_number)
            EXECUTE FUNCTION orders.refuse_another_number();

        ALTER TABLE orders.orders ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.orders FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.orders_default ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.orders_default FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_numbers ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_numbers FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_items ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_items FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_payments ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_payments FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_status_histories ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_status_histories FORCE ROW LEVEL SECURITY;

        CREATE POLICY own ON orders.orders TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        -- An item is its seller's and its buyer's (who sees the order). OFFSET 0 keeps the planner to one look-up a row,
        -- in the order's own partition; without it, it may read all orders into a hash table first.
        CREATE POLICY own ON orders.order_items TO torii_app USING (
            seller_id = ANY ((SELECT sellers.of_viewer())::uuid[])
            OR EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0)
        );
        CREATE POLICY with_order ON orders.order_payments TO torii_app
            USING (EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0));
        CREATE POLICY with_order ON orders.order_status_histories TO torii_app
            USING (EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0));

        CREATE POLICY worker ON orders.orders TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.order_numbers TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.order_items TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.order_payments TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.order_status_histories TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY definer ON orders.order_numbers TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY definer ON orders.orders_default TO CURRENT_USER USING (true) WITH CHECK (true);

        GRANT SELECT ON orders.orders, orders.order_items, orders.order_payments, orders.order_status_histories
            TO torii_app;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN
            ON orders.orders, orders.order_items, orders.order_payments, orders.order_status_histories TO torii_worker;
        GRANT SELECT ON orders.order_numbers TO torii_worker;
        """
    )
    run(
        """
        -- The lowest UUIDv7 of a month.
        CREATE FUNCTION orders.month_key(month date) RETURNS uuid LANGUAGE sql IMMUTABLE
            RETURN (lpad(to_hex((extract(epoch FROM month::timestamp) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

        -- Takes all the locks that a new partition needs, in the order in which shops write: what orders refer to, orders,
        -- what refers to orders. Who comes another way must not deadlock with us: all locks or none, in tries that grow
        -- from 0.1 s to 2 s. The first are shorter than it takes to call it a deadlock (1 s), the last are long enough to
        -- make an autovacuum give way.
        CREATE FUNCTION orders.lock_for_new_partition() RETURNS void
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '0' AS $$
        DECLARE
            referred_to CONSTANT text := (
                SELECT string_agg(DISTINCT confrelid::regclass::text, ', ') FROM pg_constraint
                WHERE contype = 'f' AND conrelid = 'orders.orders'::regclass
            );
            referring CONSTANT text := (
                SELECT string_agg(DISTINCT conrelid::regclass::text, ', ') FROM pg_constraint
                WHERE contype = 'f' AND confrelid = 'orders.orders'::regclass
            );
            tries CONSTANT integer := 20;
        BEGIN
            FOR try IN 1 .. tries LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', (try * 100)::text, true);
                    EXECUTE 'LOCK TABLE ' || referred_to || ' IN SHARE ROW EXCLUSIVE MODE';
                    -- The parent too, so that nobody works with the old list of partitions while rows change theirs.
                    LOCK TABLE ONLY orders.orders, ONLY orders.orders_default IN ACCESS EXCLUSIVE MODE;
                    EXECUTE 'LOCK TABLE ' || referring || ' IN SHARE ROW EXCLUSIVE MODE';
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    IF try = tries THEN
                        RAISE;
                    END IF;
                END;
            END LOOP;
        END $$;
        REVOKE ALL ON FUNCTION orders.lock_for_new_partition() FROM PUBLIC;

        -- Makes the partition of a month, if it is missing, from whatever the default partition holds of that month.
        CREATE FUNCTION orders.ensure_month(month date) RETURNS boolean
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            first_day CONSTANT date := date_trunc('month', month)::date;
            lower CONSTANT uuid := orders.month_key(first_day);
            upper CONSTANT uuid := orders.month_key((first_day + interval '1 month')::date);
            name CONSTANT text := 'orders_' || to_char(first_day, 'YYYY_MM');
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('orders.ensure_month'));
            IF to_regclass('orders.' || name) IS NOT NULL THEN
                RETURN false;
            END IF;
            PERFORM orders.lock_for_new_partition();
            EXECUTE format('CREATE TABLE orders.%I (LIKE orders.orders INCLUDING ALL)', name);
            IF EXISTS (SELECT FROM orders.orders_default WHERE id >= lower AND id < upper) THEN
                -- The rows change partition, not existence: foreign keys to them must not object half-way.
                PERFORM set_config('session_replication_role', 'replica', true);
                EXECUTE format(
                    'WITH moved AS (DELETE FROM orders.orders_default WHERE id >= %L AND id < %L RETURNING *)
                     INSERT INTO orders.%I SELECT * FROM moved', lower, upper, name);
                PERFORM set_config('session_replication_role', 'origin', true);
            END IF;
            EXECUTE format('ALTER TABLE orders.%I ENABLE ROW LEVEL SECURITY', name);
            EXECUTE format('ALTER TABLE orders.%I FORCE ROW LEVEL SECURITY', name);
            EXECUTE format(
                'ALTER TABLE orders.orders ATTACH PARTITION orders.%I FOR VALUES FROM (%L) TO (%L)', name, lower, upper);
            RETURN true;
        END $$;
        REVOKE ALL ON FUNCTION orders.ensure_month(date) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION orders.ensure_month(date) TO torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP SCHEMA orders CASCADE")
