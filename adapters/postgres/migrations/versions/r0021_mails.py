"""Mails that were sent, none of them twice; and when people gave a consumer an event once more."""

from adapters.postgres.migrations.script import run

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run(
        """
        ALTER TABLE events.deliveries ADD COLUMN reopened_at timestamptz;

        CREATE SCHEMA notifications;
        GRANT USAGE ON SCHEMA notifications TO torii_worker;

        -- A row is there before the mail goes out, and never says to whom in words: an address is looked up when it is needed.
        CREATE TABLE notifications.mails (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            -- What it is sent once for.
            key text NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),
            template text NOT NULL,
            language text NOT NULL CHECK (language IN ('ja', 'en')),
            user_id uuid NOT NULL,
            begun_at timestamptz NOT NULL,
            -- Null while it goes out, and for good when nobody knows whether it did.
            sent_at timestamptz,
            message_id text,
            CHECK ((sent_at IS NULL) = (message_id IS NULL))
        );
        CREATE INDEX idx_mails_begun_at ON notifications.mails (begun_at);
        ALTER TABLE notifications.mails ENABLE ROW LEVEL SECURITY;
        ALTER TABLE notifications.mails FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON notifications.mails TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON notifications.mails TO torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP SCHEMA notifications CASCADE;
        ALTER TABLE events.deliveries DROP COLUMN reopened_at;
        """
    )
