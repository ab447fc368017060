"""Users can be suspended and sign out everywhere; one look says whether they are, and for which sellers they act."""

from adapters.postgres.migrations.script import run

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run(
        """
        -- A constant default: no row is rewritten. The gateway's role cannot write users, so nobody lifts his own suspension.
        ALTER TABLE accounts.users ADD COLUMN status text NOT NULL DEFAULT 'active'
            CHECK (status IN ('active', 'suspended')),
            -- What was signed in before is signed out, wherever it is.
            ADD COLUMN signed_out_at timestamptz;
        GRANT UPDATE (signed_out_at) ON accounts.users TO torii_app;

        -- What the function below reads as.
        CREATE POLICY definer ON sellers.members FOR SELECT TO CURRENT_USER USING (true);

        -- Asked on every request of somebody who is signed in, before a viewer is known: so it is one function for many.
        CREATE FUNCTION accounts.standings(subjects text[])
            RETURNS TABLE (subject text, user_id uuid, status text, seller_ids uuid[], signed_out_at timestamptz)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            BEGIN ATOMIC
                SELECT u.cognito_sub, u.id, u.status,
                    ARRAY(SELECT m.seller_id FROM sellers.members m WHERE m.user_id = u.id ORDER BY m.seller_id), u.signed_out_at
                FROM accounts.users u WHERE u.cognito_sub = ANY (subjects);
            END;
        REVOKE ALL ON FUNCTION accounts.standings(text[]) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION accounts.standings(text[]) TO torii_app, torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP FUNCTION accounts.standings(text[]);
        DROP POLICY definer ON sellers.members;
        ALTER TABLE accounts.users DROP COLUMN status, DROP COLUMN signed_out_at;
        """
    )
