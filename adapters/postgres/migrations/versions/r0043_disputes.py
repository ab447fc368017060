"""Disputes: payments that a buyer has the bank take back."""

from adapters.postgres.migrations.script import run

revision = "0043"
down_revision = "0042"

KINDS = "'sale', 'commission', 'shipping', 'refund', 'clawback', 'returned'"


def upgrade() -> None:
    run(
        f"""
        CREATE TABLE orders.disputes (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            provider_id text NOT NULL UNIQUE,
            order_id uuid NOT NULL REFERENCES orders.orders,
            amount bigint NOT NULL CHECK (amount > 0),
            currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{{3}}$'),
            -- The provider's words.
            reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 100),
            status text NOT NULL CHECK (status IN ('warning_needs_response', 'warning_under_review', 'warning_closed',
                'needs_response', 'under_review', 'won', 'lost', 'prevented')),
            -- Whether its amount is gone, and how often it went or came.
            is_withdrawn boolean NOT NULL,
            moves integer NOT NULL CHECK (moves >= 0),
            opened_at timestamptz NOT NULL,
            -- Until when the provider takes an answer.
            due_by timestamptz,
            -- When it was found to be closed.
            closed_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_disputes_order_id ON orders.disputes (order_id);
        CREATE INDEX idx_disputes_open ON orders.disputes (opened_at) WHERE closed_at IS NULL;
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON orders.disputes
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        ALTER TABLE orders.disputes ENABLE ROW LEVEL SECURITY;
        ALTER TABLE orders.disputes FORCE ROW LEVEL SECURITY;
        CREATE POLICY of_admins ON orders.disputes FOR SELECT TO torii_app USING ((SELECT access.is_admin()));
        CREATE POLICY till ON orders.disputes TO torii_till USING (true) WITH CHECK (true);
        CREATE POLICY worker ON orders.disputes TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT ON orders.disputes TO torii_app;
        GRANT SELECT, INSERT ON orders.disputes TO torii_till;
        GRANT UPDATE (status, is_withdrawn, moves, due_by, closed_at, updated_at) ON orders.disputes TO torii_till;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON orders.disputes TO torii_worker;

        ALTER TABLE payments.ledger_transactions ADD dispute_id uuid REFERENCES orders.disputes,
            DROP CONSTRAINT ledger_transactions_kind_check,
            ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN ({KINDS}, 'dispute'));
        CREATE INDEX idx_ledger_transactions_dispute_id ON payments.ledger_transactions (dispute_id)
            WHERE dispute_id IS NOT NULL;
        """
    )


def downgrade() -> None:
    run(
        f"""
        ALTER TABLE payments.ledger_transactions DROP dispute_id,
            DROP CONSTRAINT ledger_transactions_kind_check,
            ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN ({KINDS})) NOT VALID;
        DROP TABLE orders.disputes;
        """
    )
