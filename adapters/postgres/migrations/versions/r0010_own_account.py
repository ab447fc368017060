"""What users may write of their own account, its one default address, and keys that make a mutation happen once."""

from adapters.postgres.migrations.script import run

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run(
        """
        ALTER TABLE accounts.addresses ADD recipient_name text, ADD version integer NOT NULL DEFAULT 1;
        ALTER TABLE accounts.user_profiles ADD version integer NOT NULL DEFAULT 1;
        -- A user's favourites, newest first, read from the cursor on.
        CREATE INDEX idx_favorites_newest ON accounts.favorites (user_id, created_at DESC, id DESC);

        CREATE FUNCTION accounts.keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.version := OLD.version + 1;
            RETURN NEW;
        END $$;
        -- Which address is the default is not part of its version: choosing another changes nothing that a form shows.
        CREATE TRIGGER keep_version BEFORE UPDATE OF
            recipient_name, postal_code, prefecture, city, address_line1, address_line2, phone_number
            ON accounts.addresses FOR EACH ROW EXECUTE FUNCTION accounts.keep_version();
        CREATE TRIGGER keep_version BEFORE UPDATE ON accounts.user_profiles
            FOR EACH ROW EXECUTE FUNCTION accounts.keep_version();

        -- Whoever has addresses has one default, whatever writes: the first becomes it, choosing another ends the former,
        -- and where it is deleted the newest other follows. The lock on the user lets one at a time decide.
        CREATE FUNCTION accounts.keep_one_default() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            PERFORM FROM accounts.users WHERE id = NEW.user_id FOR NO KEY UPDATE;
            IF TG_OP = 'INSERT' AND NOT NEW.is_default THEN
                NEW.is_default := NOT EXISTS (SELECT FROM accounts.addresses WHERE user_id = NEW.user_id AND is_default);
            ELSIF NEW.is_default THEN
                UPDATE accounts.addresses SET is_default = false
                    WHERE user_id = NEW.user_id AND is_default AND id <> NEW.id;
            ELSIF pg_trigger_depth() = 1 THEN
                RAISE restrict_violation USING MESSAGE = 'another address becomes the default: none just ceases to be it';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER keep_one_default_on_insert BEFORE INSERT ON accounts.addresses
            FOR EACH ROW EXECUTE FUNCTION accounts.keep_one_default();
        CREATE TRIGGER keep_one_default_on_update BEFORE UPDATE OF is_default ON accounts.addresses
            FOR EACH ROW WHEN (NEW.is_default IS DISTINCT FROM OLD.is_default)
            EXECUTE FUNCTION accounts.keep_one_default();

        CREATE FUNCTION accounts.promote_address() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            PERFORM FROM accounts.users WHERE id = OLD.user_id FOR NO KEY UPDATE;
            UPDATE accounts.addresses SET is_default = true WHERE id = (
                SELECT id FROM accounts.addresses WHERE user_id = OLD.user_id
                    AND NOT EXISTS (SELECT FROM accounts.addresses WHERE user_id = OLD.user_id AND is_default)
                    ORDER BY created_at DESC, id DESC LIMIT 1
            );
            RETURN NULL;
        END $$;
        CREATE TRIGGER promote_address AFTER DELETE ON accounts.addresses
            FOR EACH ROW WHEN (OLD.is_default) EXECUTE FUNCTION accounts.promote_address();
        REVOKE ALL ON FUNCTION accounts.keep_one_default(), accounts.promote_address() FROM PUBLIC;

        -- The first lock of every write of a viewer's own account: who takes it waits for nobody who waits for him.
        CREATE FUNCTION accounts.lock_own() RETURNS boolean
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            PERFORM FROM accounts.users WHERE id = access.user_id() FOR NO KEY UPDATE;
            RETURN FOUND;
        END $$;
        REVOKE ALL ON FUNCTION accounts.lock_own() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION accounts.lock_own() TO torii_app;
        """
    )
    run(
        """
        -- Admins see every account and write none.
        DROP POLICY own ON accounts.users;
        DROP POLICY own ON accounts.user_profiles;
        DROP POLICY own ON accounts.addresses;
        DROP POLICY own ON accounts.favorites;
        CREATE POLICY seen ON accounts.users FOR SELECT TO torii_app
            USING (id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY seen ON accounts.user_profiles FOR SELECT TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY seen ON accounts.addresses FOR SELECT TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY seen ON accounts.favorites FOR SELECT TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));

        CREATE POLICY changed ON accounts.users FOR UPDATE TO torii_app
            USING (id = (SELECT access.user_id())) WITH CHECK (id = (SELECT access.user_id()));
        CREATE POLICY added ON accounts.user_profiles FOR INSERT TO torii_app
            WITH CHECK (user_id = (SELECT access.user_id()));
        CREATE POLICY changed ON accounts.user_profiles FOR UPDATE TO torii_app
            USING (user_id = (SELECT access.user_id())) WITH CHECK (user_id = (SELECT access.user_id()));
        CREATE POLICY added ON accounts.addresses FOR INSERT TO torii_app
            WITH CHECK (user_id = (SELECT access.user_id()));
        CREATE POLICY changed ON accounts.addresses FOR UPDATE TO torii_app
            USING (user_id = (SELECT access.user_id())) WITH CHECK (user_id = (SELECT access.user_id()));
        CREATE POLICY removed ON accounts.addresses FOR DELETE TO torii_app
            USING (user_id = (SELECT access.user_id()));
        CREATE POLICY added ON accounts.favorites FOR INSERT TO torii_app
            WITH CHECK (user_id = (SELECT access.user_id()));
        CREATE POLICY removed ON accounts.favorites FOR DELETE TO torii_app
            USING (user_id = (SELECT access.user_id()));
        -- What the triggers run as.
        CREATE POLICY definer ON accounts.addresses TO CURRENT_USER USING (true) WITH CHECK (true);

        GRANT UPDATE (phone_number) ON accounts.users TO torii_app;
        GRANT INSERT (id, user_id, display_name, avatar_url, birth_date, gender) ON accounts.user_profiles TO torii_app;
        GRANT UPDATE (display_name, avatar_url, birth_date, gender) ON accounts.user_profiles TO torii_app;
        GRANT INSERT (id, user_id, recipient_name, postal_code, prefecture, city, address_line1, address_line2,
            phone_number, is_default) ON accounts.addresses TO torii_app;
        GRANT UPDATE (recipient_name, postal_code, prefecture, city, address_line1, address_line2, phone_number,
            is_default) ON accounts.addresses TO torii_app;
        GRANT DELETE ON accounts.addresses TO torii_app;
        GRANT INSERT (id, user_id, product_id) ON accounts.favorites TO torii_app;
        GRANT DELETE ON accounts.favorites TO torii_app;
        """
    )
    run(
        """
        CREATE SCHEMA idempotency;
        GRANT USAGE ON SCHEMA idempotency TO torii_app, torii_worker;

        -- Who is looking, as keys of this schema name them.
        CREATE FUNCTION idempotency.principal() RETURNS text LANGUAGE sql STABLE
            RETURN 'user:' || access.user_id()::text;

        CREATE TABLE idempotency.keys (
            principal text NOT NULL,
            mutation text NOT NULL,
            key text NOT NULL,
            fingerprint bytea NOT NULL,
            result uuid NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (principal, mutation, key)
        );
        -- What has had its time is deleted by it.
        CREATE INDEX idx_keys_created_at ON idempotency.keys (created_at);

        ALTER TABLE idempotency.keys ENABLE ROW LEVEL SECURITY;
        ALTER TABLE idempotency.keys FORCE ROW LEVEL SECURITY;
        CREATE POLICY seen ON idempotency.keys FOR SELECT TO torii_app
            USING (principal = (SELECT idempotency.principal()));
        CREATE POLICY added ON idempotency.keys FOR INSERT TO torii_app
            WITH CHECK (principal = (SELECT idempotency.principal()));
        CREATE POLICY worker ON idempotency.keys TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT ON idempotency.keys TO torii_app;
        GRANT INSERT (principal, mutation, key, fingerprint, result) ON idempotency.keys TO torii_app;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON idempotency.keys TO torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP SCHEMA idempotency CASCADE;

        REVOKE UPDATE (phone_number) ON accounts.users FROM torii_app;
        REVOKE ALL ON accounts.user_profiles, accounts.addresses, accounts.favorites FROM torii_app;
        GRANT SELECT ON accounts.user_profiles, accounts.addresses, accounts.favorites TO torii_app;
        DROP POLICY definer ON accounts.addresses;
        DROP POLICY changed ON accounts.users;
        DROP POLICY added ON accounts.user_profiles;
        DROP POLICY changed ON accounts.user_profiles;
        DROP POLICY added ON accounts.addresses;
        DROP POLICY changed ON accounts.addresses;
        DROP POLICY removed ON accounts.addresses;
        DROP POLICY added ON accounts.favorites;
        DROP POLICY removed ON accounts.favorites;
        DROP POLICY seen ON accounts.users;
        DROP POLICY seen ON accounts.user_profiles;
        DROP POLICY seen ON accounts.addresses;
        DROP POLICY seen ON accounts.favorites;
        CREATE POLICY own ON accounts.users TO torii_app
            USING (id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY own ON accounts.user_profiles TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY own ON accounts.addresses TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));
        CREATE POLICY own ON accounts.favorites TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));

        DROP FUNCTION accounts.lock_own;
        DROP FUNCTION accounts.keep_one_default, accounts.promote_address, accounts.keep_version CASCADE;
        DROP INDEX accounts.idx_favorites_newest;
        ALTER TABLE accounts.user_profiles DROP version;
        ALTER TABLE accounts.addresses DROP version, DROP recipient_name;
        """
    )
