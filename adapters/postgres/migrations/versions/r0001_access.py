"""Who is looking, as the database knows it.

A transaction sets `torii.kind` (anonymous, user or admin) and `torii.user_id`; where nothing is set, no policy lets a
row through. The roles are made before any migration runs: infra/embedded/bootstrap.sql has their statements.
"""

from adapters.postgres.migrations.script import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA access;
        GRANT USAGE ON SCHEMA access TO torii_app, torii_worker;

        CREATE FUNCTION access.kind() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
            RETURN coalesce(current_setting('torii.kind', true), '');

        CREATE FUNCTION access.user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
            RETURN nullif(current_setting('torii.user_id', true), '')::uuid;

        CREATE FUNCTION access.is_set() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
            RETURN access.kind() IN ('anonymous', 'user', 'admin');

        CREATE FUNCTION access.is_admin() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
            RETURN access.kind() = 'admin';

        CREATE FUNCTION access.keep_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.updated_at := clock_timestamp();
            RETURN NEW;
        END $$;
        """
    )


def downgrade() -> None:
    run("DROP SCHEMA access CASCADE")
