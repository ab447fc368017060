"""Users, their profiles and addresses: each is seen by its own user, and by admins."""

from adapters.postgres.migrations.script import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA accounts;
        GRANT USAGE ON SCHEMA accounts TO torii_app, torii_worker;

        CREATE TABLE accounts.users (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            cognito_sub text UNIQUE,
            email text NOT NULL,
            phone_number text,
            email_verified_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE UNIQUE INDEX idx_users_email ON accounts.users (email);
        CREATE INDEX idx_users_created_at ON accounts.users (created_at);

        CREATE TABLE accounts.user_profiles (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            user_id uuid NOT NULL UNIQUE REFERENCES accounts.users ON DELETE CASCADE,
            display_name text,
            avatar_url text,
            birth_date date,
            gender text,
            preferences jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE accounts.addresses (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            user_id uuid NOT NULL REFERENCES accounts.users ON DELETE CASCADE,
            postal_code text NOT NULL,
            prefecture text NOT NULL,
            city text NOT NULL,
            address_line1 text NOT NULL,
            address_line2 text,
            phone_number text,
            is_default boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_addresses_user_id ON accounts.addresses (user_id);
        CREATE UNIQUE INDEX idx_addresses_one_default ON accounts.addresses (user_id) WHERE is_default;

        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON accounts.users
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON accounts.user_profiles
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON accounts.addresses
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        """
    )
    run(
        """
        ALTER TABLE accounts.users ENABLE ROW LEVEL SECURITY;
        ALTER TABLE accounts.users FORCE ROW LEVEL SECURITY;
        ALTER TABLE accounts.user_profiles ENABLE ROW LEVEL SECURITY;
        ALTER TABLE accounts.user_profiles FORCE ROW LEVEL SECURITY;
        ALTER TABLE accounts.addresses ENABLE ROW LEVEL SECURITY;
        ALTER TABLE accounts.addresses FORCE ROW LEVEL SECURITY;

        CREATE POLICY own ON accounts.users TO torii_app
            USING (id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY own ON accounts.user_profiles TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY own ON accounts.addresses TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY worker ON accounts.users TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON accounts.user_profiles TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON accounts.addresses TO torii_worker USING (true) WITH CHECK (true);

        -- What the functions and the view below run as: they are the only way past the policies above.
        CREATE POLICY definer ON accounts.users TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY definer ON accounts.user_profiles FOR SELECT TO CURRENT_USER USING (true);

        -- In every function that runs as its definer pg_temp comes last: else it is searched first, and whoever may make
        -- temporary objects could slip the function a table or type of his own.

        -- Before a viewer is known there is only the subject of a verified token.
        CREATE FUNCTION accounts.user_of(subject text) RETURNS uuid
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            RETURN (SELECT id FROM accounts.users WHERE cognito_sub = subject);

        CREATE FUNCTION accounts.first_seen(subject text, address text) RETURNS uuid
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            INSERT INTO accounts.users (cognito_sub, email) VALUES (subject, address)
                ON CONFLICT DO NOTHING;
            -- Null when another user has this address.
            RETURN (SELECT id FROM accounts.users WHERE cognito_sub = subject);
        END $$;

        REVOKE ALL ON FUNCTION accounts.user_of(text), accounts.first_seen(text, text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION accounts.user_of(text), accounts.first_seen(text, text) TO torii_app, torii_worker;

        -- What the public sees of users who chose to show a name, whether they wrote something or not.
        CREATE VIEW accounts.authors WITH (security_barrier) AS
            SELECT user_id AS id, display_name, avatar_url FROM accounts.user_profiles
            WHERE display_name IS NOT NULL AND access.is_set();

        GRANT SELECT ON accounts.users, accounts.user_profiles, accounts.addresses, accounts.authors TO torii_app;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON accounts.users, accounts.user_profiles, accounts.addresses TO torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP SCHEMA accounts CASCADE")
