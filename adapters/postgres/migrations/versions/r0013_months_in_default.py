"""Which months of orders have no partition yet, told from the default partition alone: it grants nothing to anybody."""

from adapters.postgres.migrations.script import run

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run(
        """
        -- As long as partitions are made in time there is nothing in it to read. A key that is no UUIDv7 has no month.
        CREATE FUNCTION orders.months_in_default() RETURNS SETOF date
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            BEGIN ATOMIC
                SELECT DISTINCT date_trunc('month', uuid_extract_timestamp(id) AT TIME ZONE 'UTC')::date
                FROM orders.orders_default WHERE uuid_extract_timestamp(id) IS NOT NULL;
            END;
        REVOKE ALL ON FUNCTION orders.months_in_default() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION orders.months_in_default() TO torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP FUNCTION orders.months_in_default")
