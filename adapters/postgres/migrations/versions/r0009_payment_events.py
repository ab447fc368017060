"""What the payment provider tells, kept until somebody handles it."""

from adapters.postgres.migrations.script import run

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA payments;
        GRANT USAGE ON SCHEMA payments TO torii_app, torii_worker;

        CREATE TABLE payments.webhook_events (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            event_id text NOT NULL UNIQUE CHECK (length(event_id) BETWEEN 1 AND 255),
            type text NOT NULL CHECK (length(type) BETWEEN 1 AND 255),
            -- json and not jsonb: word for word as it was signed, whatever it escapes
            payload json NOT NULL,
            received_at timestamptz NOT NULL DEFAULT now(),
            handled_at timestamptz
        );
        CREATE INDEX idx_webhook_events_unhandled ON payments.webhook_events (id) WHERE handled_at IS NULL;

        ALTER TABLE payments.webhook_events ENABLE ROW LEVEL SECURITY;
        ALTER TABLE payments.webhook_events FORCE ROW LEVEL SECURITY;

        -- Whoever comes with the provider's signature may put an event in. Nobody of the gateway's reads one.
        CREATE POLICY told ON payments.webhook_events FOR INSERT TO torii_app
            WITH CHECK (handled_at IS NULL AND (SELECT access.is_set()));
        CREATE POLICY worker ON payments.webhook_events TO torii_worker USING (true) WITH CHECK (true);

        GRANT INSERT ON payments.webhook_events TO torii_app;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON payments.webhook_events TO torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP SCHEMA payments CASCADE")
