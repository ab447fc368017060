"""Who is an admin stands here too: the group in a token says it for an hour, a row can be changed for the next request."""

from adapters.postgres.migrations.script import run

revision = "0017"
down_revision = "0016"

STANDINGS = """
    DROP FUNCTION accounts.standings(text[]);
    CREATE FUNCTION accounts.standings(subjects text[])
        RETURNS TABLE (subject text, user_id uuid, status text, seller_ids uuid[], signed_out_at timestamptz,
            signed_out_except uuid{column})
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        BEGIN ATOMIC
            SELECT u.cognito_sub, u.id, u.status,
                ARRAY(SELECT m.seller_id FROM sellers.members m WHERE m.user_id = u.id ORDER BY m.seller_id), u.signed_out_at,
                u.signed_out_except{value}
            FROM accounts.users u WHERE u.cognito_sub = ANY (subjects);
        END;
    REVOKE ALL ON FUNCTION accounts.standings(text[]) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION accounts.standings(text[]) TO torii_app, torii_worker;
"""


def upgrade() -> None:
    run(
        """
        -- A constant default: no row is rewritten. The gateway's role cannot write it, so nobody makes himself an admin.
        ALTER TABLE accounts.users ADD COLUMN is_admin boolean NOT NULL DEFAULT false;
        -- A handful of rows, looked through every minute.
        CREATE INDEX idx_users_admins ON accounts.users (id) WHERE is_admin;
        """
    )
    # The previous release asks for columns by name, and finds them all.
    run(STANDINGS.format(column=", is_admin boolean", value=", u.is_admin"))


def downgrade() -> None:
    run(STANDINGS.format(column="", value=""))
    run("ALTER TABLE accounts.users DROP COLUMN is_admin;")
