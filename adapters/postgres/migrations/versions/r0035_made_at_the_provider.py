"""Refunds that were made at the payment provider by hand, each booked once."""

from adapters.postgres.migrations.script import run

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    run(
        """
        ALTER TABLE orders.refunds DROP CONSTRAINT refunds_reason_check, ADD CONSTRAINT refunds_reason_check
            CHECK (reason IN ('cancelled', 'returned', 'lost', 'goodwill', 'late_payment', 'imported', 'manual'));

        CREATE TABLE payments.refunds_made_there (
            -- The provider's key.
            provider_id text PRIMARY KEY,
            order_id uuid NOT NULL REFERENCES orders.orders,
            amount bigint NOT NULL CHECK (amount > 0),
            currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
            -- What there was no place for in the order's books: more went back than they have as paid.
            unbooked bigint NOT NULL DEFAULT 0 CHECK (unbooked BETWEEN 0 AND amount),
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_refunds_made_there_order_id ON payments.refunds_made_there (order_id);
        CREATE INDEX idx_refunds_made_there_unbooked ON payments.refunds_made_there (created_at) WHERE unbooked > 0;
        ALTER TABLE payments.refunds_made_there ENABLE ROW LEVEL SECURITY;
        ALTER TABLE payments.refunds_made_there FORCE ROW LEVEL SECURITY;
        CREATE POLICY till ON payments.refunds_made_there TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY worker ON payments.refunds_made_there TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT ON payments.refunds_made_there TO torii_till;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON payments.refunds_made_there TO torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP TABLE payments.refunds_made_there;
        ALTER TABLE orders.refunds DROP CONSTRAINT refunds_reason_check, ADD CONSTRAINT refunds_reason_check
            CHECK (reason IN ('cancelled', 'returned', 'lost', 'goodwill', 'late_payment', 'imported')) NOT VALID;
        """
    )
