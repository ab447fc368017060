"""A user can sign out everywhere but in one session: after a new password the others are over, also those never seen here."""

from adapters.postgres.migrations.script import run

revision = "0015"
down_revision = "0014"

STANDINGS = """
    DROP FUNCTION accounts.standings(text[]);
    CREATE FUNCTION accounts.standings(subjects text[])
        RETURNS TABLE (subject text, user_id uuid, status text, seller_ids uuid[], signed_out_at timestamptz{column})
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        BEGIN ATOMIC
            SELECT u.cognito_sub, u.id, u.status,
                ARRAY(SELECT m.seller_id FROM sellers.members m WHERE m.user_id = u.id ORDER BY m.seller_id), u.signed_out_at{value}
            FROM accounts.users u WHERE u.cognito_sub = ANY (subjects);
        END;
    REVOKE ALL ON FUNCTION accounts.standings(text[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION accounts.standings(text[]) TO torii_app, torii_worker;
"""


def upgrade() -> None:
    run(
        """
        -- The session that goes on though it began before signed_out_at: the one that gave the new password.
        ALTER TABLE accounts.users ADD COLUMN signed_out_except uuid;
        GRANT UPDATE (signed_out_except) ON accounts.users TO torii_app;
        """
    )
    # The previous release asks for columns by name, and finds them all.
    run(STANDINGS.format(column=", signed_out_except uuid", value=", u.signed_out_except"))


def downgrade() -> None:
    run(STANDINGS.format(column="", value=""))
    run("ALTER TABLE accounts.users DROP COLUMN signed_out_except;")
