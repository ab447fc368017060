"""What guests of one address hold unpaid; what a shelf lacked when it was sold; and payments that people have to look at."""

from adapters.postgres.migrations.script import run

revision = "0034"
down_revision = "0030"


def upgrade() -> None:
    run(
        """
        -- In the order in which orders are placed and paid, so that neither waits for the other for ever; and not for long.
        SET LOCAL lock_timeout = '10s';
        LOCK TABLE orders.orders, orders.order_payments, orders.reservations IN ACCESS EXCLUSIVE MODE;
        ALTER TABLE orders.reservations
            -- A guest's address under a key of the program's, for as long as units are set aside.
            ADD placed_from text CHECK (length(placed_from) <= 64),
            -- Units that were sold and that the shelf did not have: a stocktake had found less. They never left the stock.
            ADD short integer NOT NULL DEFAULT 0,
            ADD CONSTRAINT short_of_what_was_sold CHECK (short BETWEEN 0 AND quantity AND (short = 0 OR state = 'consumed'));
        CREATE INDEX idx_reservations_placed_from ON orders.reservations (placed_from) WHERE placed_from IS NOT NULL;
        GRANT UPDATE (placed_from, short) ON orders.reservations TO torii_till;

        -- What a cart's owner has ordered and not paid.
        CREATE INDEX idx_orders_unpaid_of_cart ON orders.orders (cart_owner)
            WHERE status = 'pending' AND expires_at IS NOT NULL;

        ALTER TABLE orders.order_payments
            -- Why people have to look at it, and since when: the provider's payment is over something else than the order.
            ADD problem text CHECK (length(problem) <= 500),
            ADD problem_at timestamptz,
            ADD CONSTRAINT problem_has_a_time CHECK ((problem IS NULL) = (problem_at IS NULL));
        CREATE INDEX idx_order_payments_problem_at ON orders.order_payments (problem_at) WHERE problem_at IS NOT NULL;
        GRANT UPDATE (problem, problem_at) ON orders.order_payments TO torii_till;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP INDEX orders.idx_order_payments_problem_at;
        ALTER TABLE orders.order_payments DROP CONSTRAINT problem_has_a_time, DROP problem, DROP problem_at;
        DROP INDEX orders.idx_orders_unpaid_of_cart;
        DROP INDEX orders.idx_reservations_placed_from;
        ALTER TABLE orders.reservations DROP CONSTRAINT short_of_what_was_sold,
            DROP placed_from, DROP short;
        """
    )
