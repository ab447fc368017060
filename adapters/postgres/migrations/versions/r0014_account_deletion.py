"""Accounts that are deleted: at once without the person, then without what other stores hold; orders and reviews stay."""

from adapters.postgres.migrations.script import run

revision = "0014"
down_revision = "0013"

LOCK_OWN = """
    CREATE OR REPLACE FUNCTION accounts.lock_own() RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM FROM accounts.users WHERE id = access.user_id() {alive} FOR NO KEY UPDATE;
        RETURN FOUND;
    END $$;
"""
FIRST_SEEN = """
    CREATE OR REPLACE FUNCTION accounts.first_seen(subject text, address text, verified boolean, OUT user_id uuid, OUT is_new boolean)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN{leaving}
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
"""
LEAVING = """
        -- Both null: a token of a user who is leaving makes no new one.
        IF EXISTS (SELECT FROM accounts.users WHERE leaving_sub = subject) THEN
            RETURN;
        END IF;"""


def upgrade() -> None:
    run(
        """
        ALTER TABLE accounts.users ADD deletion_requested_at timestamptz, ADD deleted_at timestamptz,
            -- The user of the pool that has still to be deleted.
            ADD leaving_sub text UNIQUE;
        -- Deletions that were interrupted.
        CREATE INDEX idx_users_leaving ON accounts.users (deletion_requested_at)
            WHERE deletion_requested_at IS NOT NULL AND deleted_at IS NULL;

        CREATE POLICY leaving ON accounts.user_profiles TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY leaving ON accounts.favorites TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY leaving ON sellers.members TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY leaving ON orders.orders TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY leaving ON orders.order_payments TO CURRENT_USER USING (true) WITH CHECK (true);

        CREATE FUNCTION accounts.is_leaving(leaver uuid) RETURNS boolean
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            RETURN EXISTS (SELECT FROM accounts.users WHERE id = leaver AND deletion_requested_at IS NOT NULL);

        -- The point of no return: the viewer's person is gone from this module, and no token finds the user any more.
        CREATE FUNCTION accounts.request_deletion() RETURNS boolean
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            leaver CONSTANT uuid := access.user_id();
        BEGIN
            UPDATE accounts.users SET deletion_requested_at = now(), leaving_sub = cognito_sub, cognito_sub = NULL,
                email = 'deleted-' || id::text || '@deleted.invalid', phone_number = NULL, email_verified_at = NULL
                WHERE id = leaver AND deletion_requested_at IS NULL;
            IF NOT FOUND THEN
                RETURN false;
            END IF;
            DELETE FROM accounts.user_profiles WHERE user_id = leaver;
            DELETE FROM accounts.addresses WHERE user_id = leaver;
            DELETE FROM accounts.favorites WHERE user_id = leaver;
            RETURN true;
        END $$;

        CREATE FUNCTION accounts.finish_deletion(leaver uuid) RETURNS void
            LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            BEGIN ATOMIC
                UPDATE accounts.users SET deleted_at = coalesce(deleted_at, now()), leaving_sub = NULL
                    WHERE id = leaver AND deletion_requested_at IS NOT NULL;
            END;

        CREATE FUNCTION sellers.forget_member(leaver uuid) RETURNS void
            LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            BEGIN ATOMIC
                DELETE FROM sellers.members WHERE user_id = leaver AND accounts.is_leaving(leaver);
            END;

        -- Orders stay, with what was bought and paid; where they were sent and with which card goes.
        CREATE FUNCTION orders.forget_buyer(leaver uuid) RETURNS void
            LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            BEGIN ATOMIC
                UPDATE orders.order_payments p SET payment_method_details = '{}'
                    FROM orders.orders o WHERE o.id = p.order_id AND o.user_id = leaver AND accounts.is_leaving(leaver)
                    AND p.payment_method_details <> '{}';
                UPDATE orders.orders SET metadata = metadata - 'shipping_address', shipping_address_id = NULL
                    WHERE user_id = leaver AND accounts.is_leaving(leaver)
                    AND (metadata ? 'shipping_address' OR shipping_address_id IS NOT NULL);
            END;

        REVOKE ALL ON FUNCTION accounts.is_leaving(uuid), accounts.request_deletion(), accounts.finish_deletion(uuid),
            sellers.forget_member(uuid), orders.forget_buyer(uuid) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION accounts.request_deletion() TO torii_app;
        GRANT EXECUTE ON FUNCTION accounts.finish_deletion(uuid), sellers.forget_member(uuid), orders.forget_buyer(uuid)
            TO torii_app, torii_worker;
        """
    )
    run(LOCK_OWN.format(alive="AND deletion_requested_at IS NULL"))
    run(FIRST_SEEN.format(leaving=LEAVING))


def downgrade() -> None:
    run(FIRST_SEEN.format(leaving=""))
    run(LOCK_OWN.format(alive=""))
    run(
        """
        DROP FUNCTION orders.forget_buyer, sellers.forget_member, accounts.finish_deletion, accounts.request_deletion,
            accounts.is_leaving;
        DROP POLICY leaving ON orders.order_payments;
        DROP POLICY leaving ON orders.orders;
        DROP POLICY leaving ON sellers.members;
        DROP POLICY leaving ON accounts.favorites;
        DROP POLICY leaving ON accounts.user_profiles;
        ALTER TABLE accounts.users DROP leaving_sub, DROP deleted_at, DROP deletion_requested_at;
        """
    )
