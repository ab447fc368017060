"""What happens to an order after it is placed: moves, shipping, returns, refunds, and the ledger of each seller.

The moves that are allowed stand in a table, the same as in domain/orders/states.py; triggers hold them whoever writes.
"""

from adapters.postgres.migrations.script import run

revision = "0023"
down_revision = "0022"

MOVES = {
    "item": (
        "pending processing",
        "pending cancelled",
        "processing shipped",
        "processing cancelled",
        "shipped delivered",
        "shipped refunded",
        "delivered refunded",
    ),
    "payment": (
        "pending processing",
        "pending cancelled",
        "processing succeeded",
        "processing failed",
        "processing cancelled",
        "failed processing",
        "failed cancelled",
        "succeeded refunded",
    ),
    "return": ("requested accepted", "requested refused", "accepted received", "received refunded"),
    "refund": ("pending succeeded", "pending failed", "failed pending"),
}
ROWS = ", ".join(
    "('{}', '{}', '{}')".format(machine, *move.split()) for machine, moves in MOVES.items() for move in moves
)
ITEM_STATES = "('pending', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')"
ACTORS = "('buyer', 'seller', 'admin', 'system')"


def upgrade() -> None:
    run(
        f"""
        CREATE TABLE orders.moves (
            machine text NOT NULL,
            source text NOT NULL,
            target text NOT NULL,
            PRIMARY KEY (machine, source, target)
        );
        INSERT INTO orders.moves (machine, source, target) VALUES {ROWS};

        ALTER TABLE orders.order_items
            ADD COLUMN carrier text CHECK (length(carrier) BETWEEN 1 AND 100),
            ADD COLUMN tracking_number text CHECK (length(tracking_number) BETWEEN 1 AND 100),
            ADD COLUMN shipped_at timestamptz,
            ADD COLUMN delivered_at timestamptz;
        ALTER TABLE orders.order_status_histories ADD COLUMN changed_as text CHECK (changed_as IN {ACTORS});

        -- A seller's items, newest first.
        CREATE INDEX idx_order_items_of_seller ON orders.order_items (seller_id, id);

        CREATE TABLE orders.order_item_status_histories (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            order_item_id uuid NOT NULL REFERENCES orders.order_items,
            status text NOT NULL CHECK (status IN {ITEM_STATES}),
            note text,
            changed_by uuid,
            changed_as text CHECK (changed_as IN {ACTORS}),
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_order_item_status_histories_order_item_id
            ON orders.order_item_status_histories (order_item_id, id);

        CREATE TABLE orders.returns (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            order_item_id uuid NOT NULL REFERENCES orders.order_items,
            order_id uuid NOT NULL REFERENCES orders.orders,
            seller_id uuid NOT NULL REFERENCES sellers.sellers,
            quantity integer NOT NULL CHECK (quantity > 0),
            reason text NOT NULL CHECK (reason IN ('defective', 'wrong_item', 'not_as_described', 'unwanted', 'other')),
            comment text CHECK (length(comment) <= 1000),
            status text NOT NULL DEFAULT 'requested'
                CHECK (status IN ('requested', 'accepted', 'refused', 'received', 'refunded')),
            -- What the seller says to it.
            note text CHECK (length(note) <= 1000),
            -- Whether it went back on the shelf; known when it was received.
            is_restocked boolean,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_returns_order_item_id ON orders.returns (order_item_id, id);
        CREATE INDEX idx_returns_order_id ON orders.returns (order_id);
        CREATE INDEX idx_returns_seller_id ON orders.returns (seller_id, id);

        -- What goes back of a payment: one row for each cause and seller, carried out at the provider afterwards.
        CREATE TABLE orders.refunds (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            order_id uuid NOT NULL REFERENCES orders.orders,
            payment_id uuid NOT NULL REFERENCES orders.order_payments,
            -- Null: of a payment that never became a sale.
            seller_id uuid REFERENCES sellers.sellers,
            return_id uuid UNIQUE REFERENCES orders.returns,
            amount bigint NOT NULL CHECK (amount > 0),
            currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{{3}}$'),
            reason text NOT NULL
                CHECK (reason IN ('cancelled', 'returned', 'lost', 'goodwill', 'late_payment', 'imported')),
            borne_by text NOT NULL DEFAULT 'seller' CHECK (borne_by IN ('seller', 'marketplace')),
            note text CHECK (length(note) <= 1000),
            status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'succeeded', 'failed')),
            provider_id text UNIQUE,
            requested_by uuid,
            requested_as text CHECK (requested_as IN {ACTORS}),
            created_at timestamptz NOT NULL DEFAULT now(),
            settled_at timestamptz,
            UNIQUE (id, seller_id)
        );
        CREATE INDEX idx_refunds_order_id ON orders.refunds (order_id, id);
        CREATE INDEX idx_refunds_payment_id ON orders.refunds (payment_id);
        CREATE INDEX idx_refunds_seller_id ON orders.refunds (seller_id, id) WHERE seller_id IS NOT NULL;
        CREATE INDEX idx_refunds_pending ON orders.refunds (id) WHERE status = 'pending';

        -- What a refund is made of, so that each rate of tax gets its part back. Without an item: shipping.
        CREATE TABLE orders.refund_parts (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            refund_id uuid NOT NULL REFERENCES orders.refunds ON DELETE CASCADE,
            order_item_id uuid REFERENCES orders.order_items,
            -- How many of the item it is for; null where it is only money.
            quantity integer CHECK (quantity > 0),
            amount bigint NOT NULL CHECK (amount > 0),
            tax_percent integer CHECK (tax_percent BETWEEN 0 AND 100),
            CHECK (quantity IS NULL OR order_item_id IS NOT NULL)
        );
        CREATE INDEX idx_refund_parts_refund_id ON orders.refund_parts (refund_id);
        CREATE INDEX idx_refund_parts_order_item_id ON orders.refund_parts (order_item_id) WHERE order_item_id IS NOT NULL;

        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON orders.returns
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_version BEFORE UPDATE ON orders.returns FOR EACH ROW EXECUTE FUNCTION orders.keep_version();
        """
    )
    run(
        """
        CREATE FUNCTION orders.refuse_move(machine text, source text, target text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM orders.moves m
                    WHERE (m.machine, m.source, m.target) = (refuse_move.machine, refuse_move.source, refuse_move.target)) THEN
                RAISE check_violation USING CONSTRAINT = 'allowed_moves',
                    MESSAGE = format('no %s goes from %s to %s', machine, source, target);
            END IF;
        END $$;

        CREATE FUNCTION orders.check_item_move() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM orders.refuse_move('item', OLD.fulfillment_status, NEW.fulfillment_status);
            RETURN NEW;
        END $$;
        CREATE FUNCTION orders.check_move() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM orders.refuse_move(TG_ARGV[0], OLD.status, NEW.status);
            RETURN NEW;
        END $$;
        CREATE TRIGGER check_move BEFORE UPDATE OF fulfillment_status ON orders.order_items FOR EACH ROW
            WHEN (NEW.fulfillment_status <> OLD.fulfillment_status) EXECUTE FUNCTION orders.check_item_move();
        CREATE TRIGGER check_move BEFORE UPDATE OF status ON orders.order_payments FOR EACH ROW
            WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION orders.check_move('payment');
        CREATE TRIGGER check_move BEFORE UPDATE OF status ON orders.returns FOR EACH ROW
            WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION orders.check_move('return');
        CREATE TRIGGER check_move BEFORE UPDATE OF status ON orders.refunds FOR EACH ROW
            WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION orders.check_move('refund');

        -- The shop's own writer begins at the beginning; imports bring what ended elsewhere.
        CREATE FUNCTION orders.refuse_beginning() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE check_violation USING CONSTRAINT = 'allowed_moves',
                MESSAGE = format('nothing is put into %s in the middle of its way', TG_TABLE_NAME);
        END $$;
        CREATE TRIGGER check_beginning BEFORE INSERT ON orders.order_items FOR EACH ROW
            WHEN (current_user = 'torii_till' AND NEW.fulfillment_status <> 'pending')
            EXECUTE FUNCTION orders.refuse_beginning();
        CREATE TRIGGER check_beginning BEFORE INSERT ON orders.order_payments FOR EACH ROW
            WHEN (current_user = 'torii_till' AND NEW.status <> 'pending') EXECUTE FUNCTION orders.refuse_beginning();
        CREATE TRIGGER check_beginning BEFORE INSERT ON orders.returns FOR EACH ROW
            WHEN (current_user = 'torii_till' AND NEW.status <> 'requested') EXECUTE FUNCTION orders.refuse_beginning();
        CREATE TRIGGER check_beginning BEFORE INSERT ON orders.refunds FOR EACH ROW
            WHEN (current_user = 'torii_till' AND NEW.status <> 'pending') EXECUTE FUNCTION orders.refuse_beginning();

        -- The least advanced of those alive; when none is, refunded if any was after it had been shipped.
        CREATE FUNCTION orders.derived_status(of_order uuid) RETURNS text LANGUAGE sql STABLE
            RETURN (SELECT CASE
                WHEN bool_or(fulfillment_status = 'pending') THEN 'pending'
                WHEN bool_or(fulfillment_status = 'processing') THEN 'processing'
                WHEN bool_or(fulfillment_status = 'shipped') THEN 'shipped'
                WHEN bool_or(fulfillment_status = 'delivered') THEN 'delivered'
                WHEN bool_or(fulfillment_status = 'refunded') THEN 'refunded'
                ELSE 'cancelled' END
                FROM orders.order_items WHERE order_id = of_order);

        -- Looked at when the transaction commits: whoever changes a state says so in the history, and keeps the order's own.
        -- What an import tells bears the day on which it happened elsewhere, and is known by the transaction that wrote it.
        CREATE FUNCTION orders.check_item_told() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM orders.order_item_status_histories h WHERE h.order_item_id = NEW.id
                    AND h.status = NEW.fulfillment_status
                    AND (h.created_at >= transaction_timestamp() OR h.xmin = pg_current_xact_id()::xid)) THEN
                RAISE check_violation USING CONSTRAINT = 'told_in_history',
                    MESSAGE = format('that item %s became %s is not in its history', NEW.id, NEW.fulfillment_status);
            END IF;
            IF (SELECT status FROM orders.orders WHERE id = NEW.order_id) <> orders.derived_status(NEW.order_id) THEN
                RAISE check_violation USING CONSTRAINT = 'derived_status',
                    MESSAGE = format('order %s is not where its items are', NEW.order_id);
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER check_told AFTER UPDATE OF fulfillment_status ON orders.order_items
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.fulfillment_status <> OLD.fulfillment_status) EXECUTE FUNCTION orders.check_item_told();

        CREATE FUNCTION orders.check_order_told() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM orders.order_status_histories h WHERE h.order_id = NEW.id
                    AND h.status = NEW.status
                    AND (h.created_at >= transaction_timestamp() OR h.xmin = pg_current_xact_id()::xid)) THEN
                RAISE check_violation USING CONSTRAINT = 'told_in_history',
                    MESSAGE = format('that order %s became %s is not in its history', NEW.id, NEW.status);
            END IF;
            IF (SELECT status FROM orders.orders WHERE id = NEW.id) <> orders.derived_status(NEW.id) THEN
                RAISE check_violation USING CONSTRAINT = 'derived_status',
                    MESSAGE = format('order %s is not where its items are', NEW.id);
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER check_told AFTER UPDATE OF status ON orders.orders
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION orders.check_order_told();

        -- Never more back than was asked, of an order or of an item. The lock of the payment makes one refund wait for another.
        CREATE FUNCTION orders.check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            paid record;
        BEGIN
            SELECT order_id, amount, currency, status INTO paid
                FROM orders.order_payments WHERE id = NEW.payment_id FOR NO KEY UPDATE;
            IF paid.order_id <> NEW.order_id OR paid.currency <> NEW.currency OR paid.status <> 'succeeded' THEN
                RAISE check_violation USING CONSTRAINT = 'refund_of_paid',
                    MESSAGE = 'only what was paid for the order can go back';
            END IF;
            IF NEW.amount + coalesce((SELECT sum(r.amount) FROM orders.refunds r WHERE r.payment_id = NEW.payment_id
                    AND r.status <> 'failed' AND r.id <> NEW.id), 0) > paid.amount THEN
                RAISE check_violation USING CONSTRAINT = 'refund_within_paid',
                    MESSAGE = 'more would go back than was paid';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER check_refund BEFORE INSERT ON orders.refunds FOR EACH ROW EXECUTE FUNCTION orders.check_refund();
        CREATE TRIGGER check_refund_again BEFORE UPDATE OF status ON orders.refunds FOR EACH ROW
            WHEN (OLD.status = 'failed' AND NEW.status = 'pending') EXECUTE FUNCTION orders.check_refund();
        CREATE FUNCTION orders.refuse_other_refund() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE restrict_violation USING MESSAGE = 'a refund stays what it is: only its state changes';
        END $$;
        CREATE TRIGGER keep_refund BEFORE UPDATE ON orders.refunds FOR EACH ROW
            WHEN ((NEW.id, NEW.order_id, NEW.payment_id, NEW.amount, NEW.currency)
                <> (OLD.id, OLD.order_id, OLD.payment_id, OLD.amount, OLD.currency) OR NEW.seller_id IS DISTINCT FROM OLD.seller_id)
            EXECUTE FUNCTION orders.refuse_other_refund();

        CREATE FUNCTION orders.check_refund_part() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            item record;
            back record;
        BEGIN
            SELECT i.quantity, i.total_price, i.order_id = r.order_id AND i.seller_id = r.seller_id AS is_its INTO item
                FROM orders.order_items i, orders.refunds r WHERE i.id = NEW.order_item_id AND r.id = NEW.refund_id;
            SELECT coalesce(sum(p.amount), 0) AS amount, coalesce(sum(p.quantity), 0) AS quantity INTO back
                FROM orders.refund_parts p JOIN orders.refunds r ON r.id = p.refund_id
                WHERE p.order_item_id = NEW.order_item_id AND r.status <> 'failed';
            IF item.is_its IS NOT TRUE OR back.amount + NEW.amount > item.total_price
                    OR back.quantity + coalesce(NEW.quantity, 0) > item.quantity THEN
                RAISE check_violation USING CONSTRAINT = 'refund_within_item',
                    MESSAGE = 'more of an item would go back than was bought';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER check_refund_part BEFORE INSERT ON orders.refund_parts FOR EACH ROW
            WHEN (NEW.order_item_id IS NOT NULL) EXECUTE FUNCTION orders.check_refund_part();
        CREATE FUNCTION orders.check_refund_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.amount <> (SELECT sum(amount) FROM orders.refund_parts WHERE refund_id = NEW.id) THEN
                RAISE check_violation USING CONSTRAINT = 'refund_adds_up',
                    MESSAGE = 'the parts of a refund are not its amount';
            END IF;
            IF NEW.seller_id IS NOT NULL AND NOT EXISTS (SELECT FROM orders.refund_parts WHERE refund_id = NEW.id) THEN
                RAISE check_violation USING CONSTRAINT = 'refund_adds_up',
                    MESSAGE = 'a refund of a sale says what it is for';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER check_adds_up AFTER INSERT ON orders.refunds
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION orders.check_refund_adds_up();

        CREATE FUNCTION orders.check_return() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            item record;
        BEGIN
            SELECT order_id, seller_id, quantity, fulfillment_status INTO item
                FROM orders.order_items WHERE id = NEW.order_item_id FOR NO KEY UPDATE;
            IF (item.order_id, item.seller_id) IS DISTINCT FROM (NEW.order_id, NEW.seller_id)
                    OR NEW.status = 'requested' AND item.fulfillment_status <> 'delivered' THEN
                RAISE check_violation USING CONSTRAINT = 'return_of_delivered',
                    MESSAGE = 'only what was delivered can be returned';
            END IF;
            IF NEW.quantity + coalesce((SELECT sum(r.quantity) FROM orders.returns r
                    WHERE r.order_item_id = NEW.order_item_id AND r.status <> 'refused'), 0) > item.quantity THEN
                RAISE check_violation USING CONSTRAINT = 'return_within_item',
                    MESSAGE = 'more of an item would be returned than was bought';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER check_return BEFORE INSERT ON orders.returns FOR EACH ROW EXECUTE FUNCTION orders.check_return();
        """
    )
    run(
        """
        -- Double entry, in minor units. An entry above zero is in favour of the account; what buyers paid stands below zero
        -- in `buyer_receipts`, so that each transaction sums to zero.
        CREATE TABLE payments.ledger_transactions (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            kind text NOT NULL CHECK (kind IN ('sale', 'commission', 'shipping', 'refund', 'clawback')),
            -- What it is written once for, such as `sale:{order}:{seller}`.
            key text NOT NULL UNIQUE,
            order_id uuid NOT NULL REFERENCES orders.orders,
            seller_id uuid NOT NULL REFERENCES sellers.sellers,
            refund_id uuid REFERENCES orders.refunds,
            currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_ledger_transactions_order_id ON payments.ledger_transactions (order_id);
        CREATE INDEX idx_ledger_transactions_seller_id ON payments.ledger_transactions (seller_id, id);
        CREATE INDEX idx_ledger_transactions_refund_id ON payments.ledger_transactions (refund_id)
            WHERE refund_id IS NOT NULL;
        CREATE TABLE payments.ledger_entries (
            transaction_id uuid NOT NULL REFERENCES payments.ledger_transactions,
            account text NOT NULL CHECK (length(account) BETWEEN 1 AND 100),
            amount bigint NOT NULL CHECK (amount <> 0),
            PRIMARY KEY (transaction_id, account)
        );
        CREATE INDEX idx_ledger_entries_account ON payments.ledger_entries (account);

        CREATE FUNCTION payments.check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            checked CONSTANT uuid := coalesce(to_jsonb(NEW) ->> 'transaction_id', to_jsonb(NEW) ->> 'id')::uuid;
        BEGIN
            IF coalesce((SELECT sum(amount) FROM payments.ledger_entries WHERE transaction_id = checked), 1) <> 0 THEN
                RAISE check_violation USING CONSTRAINT = 'sums_to_zero',
                    MESSAGE = format('the entries of ledger transaction %s do not sum to zero', checked);
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER check_balanced AFTER INSERT ON payments.ledger_transactions
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments.check_balanced();
        CREATE CONSTRAINT TRIGGER check_balanced AFTER INSERT ON payments.ledger_entries
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments.check_balanced();
        CREATE FUNCTION payments.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE restrict_violation USING MESSAGE = 'a ledger is only added to: what was wrong is put right by another entry';
        END $$;
        CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.ledger_transactions
            FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();
        CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.ledger_entries
            FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();

        ALTER TABLE orders.moves ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.moves FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_item_status_histories ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.order_item_status_histories FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.returns ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.returns FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.refunds ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.refunds FORCE ROW LEVEL SECURITY;
        ALTER TABLE orders.refund_parts ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.refund_parts FORCE ROW LEVEL SECURITY;
        ALTER TABLE payments.ledger_transactions ENABLE ROW LEVEL SECURITY;
        ALTER TABLE payments.ledger_transactions FORCE ROW LEVEL SECURITY;
        ALTER TABLE payments.ledger_entries ENABLE ROW LEVEL SECURITY;
        ALTER TABLE payments.ledger_entries FORCE ROW LEVEL SECURITY;

        -- What is seen of an order is seen of its parts; a seller sees what is about its own items.
        CREATE POLICY of_program ON orders.moves FOR SELECT TO torii_till, torii_worker USING (true);
        CREATE POLICY definer ON orders.moves TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY with_item ON orders.order_item_status_histories FOR SELECT TO torii_app
            USING (EXISTS (SELECT FROM orders.order_items i WHERE i.id = order_item_id OFFSET 0));
        CREATE POLICY own ON orders.returns FOR SELECT TO torii_app USING (
            seller_id = ANY ((SELECT sellers.of_viewer())::uuid[])
            OR EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0));
        CREATE POLICY own ON orders.refunds FOR SELECT TO torii_app USING (
            seller_id = ANY ((SELECT sellers.of_viewer())::uuid[])
            OR EXISTS (SELECT FROM orders.orders o WHERE o.id = order_id OFFSET 0));
        CREATE POLICY with_refund ON orders.refund_parts FOR SELECT TO torii_app
            USING (EXISTS (SELECT FROM orders.refunds r WHERE r.id = refund_id OFFSET 0));
        CREATE POLICY own ON payments.ledger_transactions FOR SELECT TO torii_app
            USING (seller_id = ANY ((SELECT sellers.of_viewer())::uuid[]) OR (SELECT access.is_admin()));
        CREATE POLICY with_transaction ON payments.ledger_entries FOR SELECT TO torii_app
            USING (EXISTS (SELECT FROM payments.ledger_transactions t WHERE t.id = transaction_id OFFSET 0));

        CREATE POLICY till ON orders.order_item_status_histories TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY till ON orders.returns TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY till ON orders.refunds TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY till ON orders.refund_parts TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY till ON payments.ledger_transactions TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY till ON payments.ledger_entries TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.order_item_status_histories TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.returns TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.refunds TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.refund_parts TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON payments.ledger_transactions TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON payments.ledger_entries TO torii_worker USING (true) WITH CHECK (true);

        GRANT SELECT ON orders.order_item_status_histories, orders.returns, orders.refunds, orders.refund_parts,
            payments.ledger_transactions, payments.ledger_entries TO torii_app;
        GRANT SELECT ON orders.moves TO torii_till, torii_worker;
        GRANT SELECT, INSERT ON orders.order_item_status_histories, orders.returns, orders.refunds, orders.refund_parts,
            payments.ledger_transactions, payments.ledger_entries TO torii_till;
        GRANT UPDATE (fulfillment_status, carrier, tracking_number, shipped_at, delivered_at)
            ON orders.order_items TO torii_till;
        GRANT UPDATE (status, note, is_restocked) ON orders.returns TO torii_till;
        GRANT UPDATE (status, provider_id, settled_at) ON orders.refunds TO torii_till;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN
            ON orders.order_item_status_histories, orders.returns, orders.refunds, orders.refund_parts TO torii_worker;
        GRANT SELECT, INSERT, MAINTAIN ON payments.ledger_transactions, payments.ledger_entries TO torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP TABLE payments.ledger_entries, payments.ledger_transactions;
        DROP FUNCTION payments.check_balanced, payments.refuse_change;
        DROP TABLE orders.refund_parts, orders.refunds, orders.returns, orders.order_item_status_histories;
        DROP FUNCTION orders.check_item_move, orders.check_move, orders.refuse_beginning, orders.check_item_told,
            orders.check_order_told, orders.check_refund, orders.refuse_other_refund, orders.check_refund_part,
            orders.check_refund_adds_up, orders.check_return CASCADE;
        DROP FUNCTION orders.derived_status, orders.refuse_move;
        DROP TABLE orders.moves;
        ALTER TABLE orders.order_status_histories DROP COLUMN changed_as;
        DROP INDEX orders.idx_order_items_of_seller;
        REVOKE UPDATE (carrier, tracking_number, shipped_at, delivered_at) ON orders.order_items FROM torii_till;
        ALTER TABLE orders.order_items
            DROP COLUMN carrier, DROP COLUMN tracking_number, DROP COLUMN shipped_at, DROP COLUMN delivered_at;
        """
    )
