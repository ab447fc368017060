"""What keeps the search index in step: moments that order what was read, and events of what is shown of products beside
their own rows: their sellers, brands, categories and ratings."""

from adapters.postgres.migrations.script import run

revision = "0029"
down_revision = "0028"

TOLD = (
    ("sellers.sellers", ("UPDATE",), "SellerChanged", "seller", "id", ("status", "company_name", "company_name_kana")),
    ("catalog.brands", ("UPDATE",), "BrandChanged", "brand", "id", ("name", "name_kana", "is_active")),
    (
        "catalog.categories",
        ("UPDATE",),
        "CategoryChanged",
        "category",
        "id",
        ("name", "slug", "parent_id", "is_active"),
    ),
    (
        "reviews.product_ratings",
        ("INSERT", "UPDATE"),
        "ProductRated",
        "product",
        "product_id",
        ("rating_count", "rating_total"),
    ),
)
"""Table, when, the event's type, what it is of, the column with that one's id, and the columns that count."""


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA IF NOT EXISTS search;
        GRANT USAGE ON SCHEMA search TO torii_worker;

        -- One row: the last moment that was given. Who reads products for the index takes one first, so that of two who read
        -- the later one has the higher number. Microseconds since 1970, and never one twice or an earlier one, whatever the
        -- clock does; a database that was restored goes on above all that it gave before.
        CREATE TABLE search.moments (
            single boolean PRIMARY KEY DEFAULT true CHECK (single),
            last bigint NOT NULL
        );
        ALTER TABLE search.moments ENABLE ROW LEVEL SECURITY;
        ALTER TABLE search.moments FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON search.moments TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY definer ON search.moments TO CURRENT_USER USING (true) WITH CHECK (true);
        GRANT SELECT, UPDATE ON search.moments TO torii_worker;
        INSERT INTO search.moments (last) VALUES (0);

        -- Once a row and transaction, and above a hundred rows in one transaction once for all. Arguments: the event's type,
        -- what it is of, the column with its id, and the columns whose change is told.
        CREATE FUNCTION events.tell_of_rows() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            told integer := coalesce(nullif(current_setting('torii.rows_told', true), ''), '0')::integer;
            rows text := format('SELECT now_is.%1$I AS id FROM changed now_is', TG_ARGV[2]);
            transaction text := pg_current_xact_id() || ' ' || now();
            ids uuid[];
        BEGIN
            IF told > 100 THEN
                RETURN NULL;
            END IF;
            IF TG_OP = 'UPDATE' THEN
                rows := rows || format(' JOIN before was ON was.%1$I = now_is.%1$I WHERE false', TG_ARGV[2]);
                FOR i IN 3 .. TG_NARGS - 1 LOOP
                    rows := rows || format(' OR was.%1$I IS DISTINCT FROM now_is.%1$I', TG_ARGV[i]);
                END LOOP;
            END IF;
            EXECUTE format('SELECT array_agg(id) FROM (%s LIMIT 101) touched', rows) INTO ids;
            IF ids IS NULL THEN
                RETURN NULL;
            ELSIF told + cardinality(ids) > 100 THEN
                INSERT INTO events.outbox (type, aggregate_type, aggregate_id, once)
                    VALUES ('ListingsChanged', 'catalog', '00000000-0000-0000-0000-000000000000',
                        'ListingsChanged ' || transaction)
                    ON CONFLICT DO NOTHING;
            ELSE
                INSERT INTO events.outbox (type, aggregate_type, aggregate_id, payload, once)
                    SELECT TG_ARGV[0], TG_ARGV[1], id, jsonb_build_object(TG_ARGV[1] || 'Id', id),
                        concat_ws(' ', TG_ARGV[0], id, transaction)
                    FROM unnest(ids) AS id
                    ON CONFLICT DO NOTHING;
            END IF;
            PERFORM set_config('torii.rows_told', (told + cardinality(ids))::text, true);
            RETURN NULL;
        END $$;
        REVOKE ALL ON FUNCTION events.tell_of_rows() FROM PUBLIC;
        """
    )
    for table, moments, kind, of, key, columns in TOLD:
        arguments = ", ".join(f"'{each}'" for each in (kind, of, key, *columns))
        for when in moments:
            before = "OLD TABLE AS before " if when == "UPDATE" else ""
            run(
                f"""
                CREATE TRIGGER tell_of_rows_{when.lower()} AFTER {when} ON {table}
                    REFERENCING {before}NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION events.tell_of_rows({arguments});
                """
            )


def downgrade() -> None:
    run(
        """
        DROP FUNCTION events.tell_of_rows() CASCADE;
        DROP TABLE search.moments;
        DROP SCHEMA search;
        """
    )
