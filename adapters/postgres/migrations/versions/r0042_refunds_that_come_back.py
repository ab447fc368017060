"""Refunds that come back from the bank after they went, and which of ours was paid by which that people made by hand."""

from adapters.postgres.migrations.script import run

revision = "0042"
down_revision = "0041"

MOVES = "('refund', 'succeeded', 'failed'), ('payment', 'refunded', 'succeeded'), ('return', 'refunded', 'received')"
KINDS = "'sale', 'commission', 'shipping', 'refund', 'clawback'"


def upgrade() -> None:
    run(
        f"""
        INSERT INTO orders.moves (machine, source, target) VALUES {MOVES};

        ALTER TABLE orders.refunds
            -- The refund by hand, by the provider's key, with which it went back.
            ADD made_there text REFERENCES payments.refunds_made_there,
            -- The provider's keys of its tries that came to nothing: what is said of one later is old.
            ADD lost_ids text[] NOT NULL DEFAULT '{{}}';
        CREATE INDEX idx_refunds_made_there ON orders.refunds (made_there) WHERE made_there IS NOT NULL;
        GRANT UPDATE (made_there, lost_ids) ON orders.refunds TO torii_till;

        -- When it was found to have come back.
        ALTER TABLE payments.refunds_made_there ADD failed_at timestamptz;
        GRANT UPDATE (unbooked, failed_at) ON payments.refunds_made_there TO torii_till;

        ALTER TABLE payments.ledger_transactions DROP CONSTRAINT ledger_transactions_kind_check,
            ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN ({KINDS}, 'returned'));
        """
    )


def downgrade() -> None:
    run(
        f"""
        ALTER TABLE payments.ledger_transactions DROP CONSTRAINT ledger_transactions_kind_check,
            ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN ({KINDS})) NOT VALID;
        REVOKE UPDATE (unbooked) ON payments.refunds_made_there FROM torii_till;
        ALTER TABLE payments.refunds_made_there DROP failed_at;
        ALTER TABLE orders.refunds DROP made_there, DROP lost_ids;
        DELETE FROM orders.moves WHERE (machine, source, target) IN ({MOVES});
        """
    )
