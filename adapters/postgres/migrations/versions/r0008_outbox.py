"""The outbox: what happened, written in the transaction in which it happened. Users come into it at first sight.

A relay that sends what is unsent, and a job that removes what was sent long ago, are still to come: until then rows stay.
"""

from adapters.postgres.migrations.script import run

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA events;
        GRANT USAGE ON SCHEMA events TO torii_app, torii_worker;

        -- The payload has ids and figures, never a name, an address or anything else that a person could ask us to forget.
        CREATE TABLE events.outbox (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            type text NOT NULL,
            aggregate_type text NOT NULL,
            aggregate_id uuid NOT NULL,
            payload jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now(),
            sent_at timestamptz
        );
        -- What a relay has still to send, in about the order in which it happened.
        CREATE INDEX idx_outbox_unsent ON events.outbox (id) WHERE sent_at IS NULL;
        -- What can be removed.
        CREATE INDEX idx_outbox_sent_at ON events.outbox (sent_at) WHERE sent_at IS NOT NULL;

        ALTER TABLE events.outbox ENABLE ROW LEVEL SECURITY;
        ALTER TABLE events.outbox FORCE ROW LEVEL SECURITY;
        -- The gateway puts in and never looks: what is in there is about everybody.
        CREATE POLICY put_in ON events.outbox FOR INSERT TO torii_app WITH CHECK ((SELECT access.is_set()) AND sent_at IS NULL);
        CREATE POLICY worker ON events.outbox TO torii_worker USING (true) WITH CHECK (true);
        GRANT INSERT ON events.outbox TO torii_app;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON events.outbox TO torii_worker;

        -- Tells whoever made the row that it is new: to that one it falls to say so in the outbox.
        CREATE FUNCTION accounts.first_seen(subject text, address text, verified boolean, OUT user_id uuid, OUT is_new boolean)
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            INSERT INTO accounts.users (cognito_sub, email, email_verified_at)
                VALUES (subject, address, CASE WHEN verified THEN now() END)
                ON CONFLICT DO NOTHING
                RETURNING id INTO user_id;
            is_new := user_id IS NOT NULL;
            IF NOT is_new THEN
                -- Null when another user has this address.
                SELECT id INTO user_id FROM accounts.users WHERE cognito_sub = subject;
            END IF;
        END $$;
        REVOKE ALL ON FUNCTION accounts.first_seen(text, text, boolean) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION accounts.first_seen(text, text, boolean) TO torii_app, torii_worker;

        -- The address follows the pool's. The policy of the table lets a viewer change nothing but the own row.
        GRANT UPDATE (email, email_verified_at) ON accounts.users TO torii_app;
        """
    )


def downgrade() -> None:
    run(
        """
        REVOKE UPDATE (email, email_verified_at) ON accounts.users FROM torii_app;
        DROP FUNCTION accounts.first_seen(text, text, boolean);
        DROP SCHEMA events CASCADE;
        """
    )
