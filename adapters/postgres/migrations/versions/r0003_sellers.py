"""Sellers, their profiles and who works for them. Shoppers see the public profile of an active seller, no more."""

from adapters.postgres.migrations.script import run

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA sellers;
        GRANT USAGE ON SCHEMA sellers TO torii_app, torii_worker;

        CREATE TABLE sellers.sellers (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            company_name text NOT NULL,
            company_name_kana text,
            email text NOT NULL UNIQUE,
            phone_number text,
            postal_code text,
            address text,
            business_license_number text UNIQUE,
            status text NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending', 'active', 'suspended', 'banned')),
            commission_rate numeric(5, 4) NOT NULL DEFAULT 0.1 CHECK (commission_rate BETWEEN 0 AND 1),
            approved_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE sellers.seller_profiles (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            seller_id uuid NOT NULL UNIQUE REFERENCES sellers.sellers ON DELETE CASCADE,
            description text,
            logo_url text,
            banner_url text,
            business_hours jsonb NOT NULL DEFAULT '{}',
            shipping_policies jsonb NOT NULL DEFAULT '{}',
            return_policies jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE sellers.members (
            seller_id uuid NOT NULL REFERENCES sellers.sellers ON DELETE CASCADE,
            user_id uuid NOT NULL REFERENCES accounts.users ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (user_id, seller_id)
        );
        -- Foreign keys have an index each, here and below: without it a delete of what they point at reads the whole table.
        CREATE INDEX idx_members_seller_id ON sellers.members (seller_id);

        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON sellers.sellers
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON sellers.seller_profiles
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        """
    )
    run(
        """
        ALTER TABLE sellers.sellers ENABLE ROW LEVEL SECURITY;
        ALTER TABLE sellers.sellers FORCE ROW LEVEL SECURITY;
        ALTER TABLE sellers.seller_profiles ENABLE ROW LEVEL SECURITY;
        ALTER TABLE sellers.seller_profiles FORCE ROW LEVEL SECURITY;
        ALTER TABLE sellers.members ENABLE ROW LEVEL SECURITY;
        ALTER TABLE sellers.members FORCE ROW LEVEL SECURITY;

        CREATE POLICY own ON sellers.members TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        GRANT SELECT ON sellers.members TO torii_app;

        -- The sellers that the viewer works for; runs as the viewer, so the policy above holds in it.
        CREATE FUNCTION sellers.of_viewer() RETURNS uuid[] LANGUAGE sql STABLE
            RETURN ARRAY(SELECT seller_id FROM sellers.members WHERE user_id = access.user_id());

        CREATE POLICY own ON sellers.sellers TO torii_app
            USING (id = ANY ((SELECT sellers.of_viewer())::uuid[]) OR (SELECT access.is_admin()));
        CREATE POLICY own ON sellers.seller_profiles TO torii_app
            USING (seller_id = ANY ((SELECT sellers.of_viewer())::uuid[]) OR (SELECT access.is_admin()));
        CREATE POLICY worker ON sellers.sellers TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON sellers.seller_profiles TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON sellers.members TO torii_worker USING (true) WITH CHECK (true);

        -- What the view below runs as.
        CREATE POLICY definer ON sellers.sellers FOR SELECT TO CURRENT_USER USING (true);
        CREATE POLICY definer ON sellers.seller_profiles FOR SELECT TO CURRENT_USER USING (true);

        -- Whose products nobody is shown: few, so that a policy can look through them once a statement.
        CREATE INDEX idx_sellers_not_active ON sellers.sellers (id) WHERE status <> 'active';
        CREATE FUNCTION sellers.not_active() RETURNS uuid[]
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            RETURN ARRAY(SELECT id FROM sellers.sellers WHERE status <> 'active');
        REVOKE ALL ON FUNCTION sellers.not_active() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION sellers.not_active() TO torii_app;

        CREATE VIEW sellers.public_profiles WITH (security_barrier) AS
            SELECT s.id, s.company_name, s.company_name_kana, p.description, p.logo_url, p.banner_url, s.approved_at
            FROM sellers.sellers s LEFT JOIN sellers.seller_profiles p ON p.seller_id = s.id
            WHERE s.status = 'active' AND access.is_set();

        GRANT SELECT ON sellers.sellers, sellers.seller_profiles, sellers.public_profiles TO torii_app;
        GRANT SELECT ON sellers.public_profiles TO torii_worker;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON sellers.sellers, sellers.seller_profiles, sellers.members TO torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP SCHEMA sellers CASCADE")
