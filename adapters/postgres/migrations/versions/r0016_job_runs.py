"""When each job of the workers ran last, and how that ended. What was handled long ago is found by its time."""

from adapters.postgres.migrations.script import run

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA jobs;
        GRANT USAGE ON SCHEMA jobs TO torii_app, torii_worker;

        -- A row a job, written by whoever holds its advisory lock.
        CREATE TABLE jobs.runs (
            job text PRIMARY KEY CHECK (length(job) BETWEEN 1 AND 100),
            started_at timestamptz NOT NULL,
            -- Null while it runs, and for good when it was killed.
            ended_at timestamptz,
            outcome text CHECK (outcome IN ('DONE', 'FAILED', 'STOPPED')),
            count bigint NOT NULL DEFAULT 0,
            -- The type of an exception, never its text.
            error text,
            CHECK ((ended_at IS NULL) = (outcome IS NULL))
        );
        ALTER TABLE jobs.runs ENABLE ROW LEVEL SECURITY;
        ALTER TABLE jobs.runs FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON jobs.runs TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON jobs.runs TO torii_worker;

        -- All that the gateway may know of it. What it runs as has to see the rows.
        CREATE POLICY definer ON jobs.runs FOR SELECT TO CURRENT_USER USING (true);
        CREATE FUNCTION jobs.last_sign_of_life() RETURNS timestamptz
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            RETURN (SELECT max(greatest(started_at, ended_at)) FROM jobs.runs);
        REVOKE ALL ON FUNCTION jobs.last_sign_of_life() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION jobs.last_sign_of_life() TO torii_app, torii_worker;

        -- What can be removed.
        CREATE INDEX idx_webhook_events_handled_at ON payments.webhook_events (handled_at) WHERE handled_at IS NOT NULL;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP INDEX payments.idx_webhook_events_handled_at;
        DROP SCHEMA jobs CASCADE;
        """
    )
