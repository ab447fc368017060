"""Payments that are followed up: when the provider is asked next, and what became of what it told."""

from adapters.postgres.migrations.script import run

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run(
        """
        ALTER TABLE orders.order_payments
            -- Of which key the provider's intent is asked for under.
            ADD intent_attempt integer NOT NULL DEFAULT 1 CHECK (intent_attempt BETWEEN 1 AND 1000),
            -- When the provider is asked again; null: nothing it could say would change anything, or nobody has asked yet.
            ADD check_at timestamptz;
        CREATE INDEX idx_order_payments_check_at ON orders.order_payments (check_at) WHERE check_at IS NOT NULL;
        GRANT UPDATE (intent_attempt, check_at) ON orders.order_payments TO torii_till;

        ALTER TABLE payments.webhook_events
            ADD attempts integer NOT NULL DEFAULT 0,
            -- Before then nobody takes it: somebody is at it, or it failed and rests.
            ADD try_at timestamptz,
            -- What became of it, in a word, once it is handled.
            ADD outcome text,
            -- The type of what the last attempt failed with, and where; never what the event holds.
            ADD problem text;
        DROP INDEX payments.idx_webhook_events_unhandled;
        CREATE INDEX idx_webhook_events_unhandled ON payments.webhook_events (try_at NULLS FIRST, id)
            WHERE handled_at IS NULL;
        ALTER POLICY told ON payments.webhook_events
            WITH CHECK (handled_at IS NULL AND attempts = 0 AND try_at IS NULL AND outcome IS NULL AND problem IS NULL
                AND (SELECT access.is_set()));

        -- The same of what goes back: of which key it is asked for under, when it is tried next, and why it failed last.
        ALTER TABLE orders.refunds
            ADD attempt integer NOT NULL DEFAULT 1 CHECK (attempt BETWEEN 1 AND 1000),
            ADD try_at timestamptz,
            ADD problem text;
        GRANT UPDATE (attempt, try_at, problem) ON orders.refunds TO torii_till;

        CREATE FUNCTION payments.announce() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('payments', TG_TABLE_NAME);
            RETURN NULL;
        END $$;
        CREATE TRIGGER announce AFTER INSERT ON payments.webhook_events
            FOR EACH STATEMENT EXECUTE FUNCTION payments.announce();
        CREATE TRIGGER announce AFTER INSERT ON orders.refunds
            FOR EACH STATEMENT EXECUTE FUNCTION payments.announce();
        """
    )


def downgrade() -> None:
    run(
        """
        DROP FUNCTION payments.announce CASCADE;
        ALTER POLICY told ON payments.webhook_events WITH CHECK (handled_at IS NULL AND (SELECT access.is_set()));
        DROP INDEX payments.idx_webhook_events_unhandled;
        ALTER TABLE payments.webhook_events DROP attempts, DROP try_at, DROP outcome, DROP problem;
        CREATE INDEX idx_webhook_events_unhandled ON payments.webhook_events (id) WHERE handled_at IS NULL;
        ALTER TABLE orders.refunds DROP attempt, DROP try_at, DROP problem;
        DROP INDEX orders.idx_order_payments_check_at;
        ALTER TABLE orders.order_payments DROP intent_attempt, DROP check_at;
        """
    )
