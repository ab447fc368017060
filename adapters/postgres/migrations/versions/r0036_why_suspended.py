"""Why an operator shut a user out, in the operator's own words: beside the user, and no longer in an event that goes out."""

from adapters.postgres.migrations.script import run

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    # What was written before moves over, and is no more in what may be sent again. Events first: users are locked after that alone.
    run(
        """
        CREATE POLICY moving ON events.outbox TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE TEMPORARY TABLE reasons ON COMMIT DROP AS
            SELECT DISTINCT ON (aggregate_id) aggregate_id, payload ->> 'reason' AS reason FROM events.outbox
            WHERE type = 'UserSuspended' ORDER BY aggregate_id, id DESC;
        UPDATE events.outbox SET payload = payload - 'reason' WHERE type = 'UserSuspended' AND payload ? 'reason';
        DROP POLICY moving ON events.outbox;
        """
    )
    # A release of before reinstates without emptying it: it counts for nothing where nobody is suspended.
    run(
        """
        SET LOCAL lock_timeout = '10s';
        ALTER TABLE accounts.users ADD suspension_reason text CHECK (length(suspension_reason) <= 500);
        UPDATE accounts.users u SET suspension_reason = left(reasons.reason, 500)
            FROM reasons WHERE reasons.aggregate_id = u.id AND u.status = 'suspended';
        """
    )


def downgrade() -> None:
    run("ALTER TABLE accounts.users DROP COLUMN suspension_reason;")
