"""Why an operator shut a user out, in the operator's own words: beside the user, and no longer in an event that goes out."""

from adapters.postgres.migrations.script import run

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    run(
        """
        ALTER TABLE accounts.users
            ADD suspension_reason text CHECK (length(suspension_reason) <= 500),
            ADD CONSTRAINT reason_of_a_suspension CHECK (suspension_reason IS NULL OR status = 'suspended');
        """
    )
    # What was written before moves over, and is no more in what may be sent again.
    run(
        """
        CREATE POLICY moving ON events.outbox TO CURRENT_USER USING (true) WITH CHECK (true);
        UPDATE accounts.users u SET suspension_reason = left(last.payload ->> 'reason', 500)
            FROM (
                SELECT DISTINCT ON (aggregate_id) aggregate_id, payload FROM events.outbox
                WHERE type = 'UserSuspended' ORDER BY aggregate_id, id DESC
            ) AS last
            WHERE last.aggregate_id = u.id AND u.status = 'suspended';
        UPDATE events.outbox SET payload = payload - 'reason' WHERE type = 'UserSuspended' AND payload ? 'reason';
        DROP POLICY moving ON events.outbox;
        """
    )


def downgrade() -> None:
    run("ALTER TABLE accounts.users DROP COLUMN suspension_reason;")
