"""A product that moved is told to the pages that it left, too; and an event that is written once for a transaction stays one
for it when the database is restored into a server that counts its transactions anew."""

from adapters.postgres.migrations.script import run

revision = "0026"
down_revision = "0025"


# Once a product, place and transaction: what is told first does not say where the product will be.
KEY = "concat_ws(' ', 'ProductChanged', id, seller_id, category_id, pg_current_xact_id(), now())"
PLACES = """(
                        SELECT id, seller_id, category_id FROM changed
                        UNION ALL SELECT was.id, was.seller_id, was.category_id
                        FROM before was JOIN changed now_is USING (id)
                        WHERE (was.seller_id, was.category_id) IS DISTINCT FROM (now_is.seller_id, now_is.category_id)
                    ) place"""
KEY_BEFORE = "'ProductChanged ' || id || ' ' || pg_current_xact_id()"


def upgrade() -> None:
    run(_tell("tell_of_products", "changed", KEY, "pg_current_xact_id() || ' ' || now()"))
    run(_tell("tell_of_moved_products", PLACES, KEY, "pg_current_xact_id() || ' ' || now()"))
    run(
        """
        REVOKE ALL ON FUNCTION catalog.tell_of_moved_products() FROM PUBLIC;
        CREATE OR REPLACE TRIGGER tell_of_update AFTER UPDATE ON catalog.products
            REFERENCING OLD TABLE AS before NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION catalog.tell_of_moved_products();
        """
    )


def downgrade() -> None:
    run(_tell("tell_of_products", "changed", KEY_BEFORE, "pg_current_xact_id()"))
    run(
        """
        CREATE OR REPLACE TRIGGER tell_of_update AFTER UPDATE ON catalog.products
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.tell_of_products();
        DROP FUNCTION catalog.tell_of_moved_products();
        """
    )


def _tell(name: str, places: str, key: str, transaction: str) -> str:
    """The trigger's function as r0018 made it, over where products are, or also were, with the key that each is told under."""
    return f"""
        CREATE OR REPLACE FUNCTION catalog.{name}() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            told integer := coalesce(nullif(current_setting('torii.products_told', true), ''), '0')::integer;
            many bigint := (SELECT count(*) FROM changed);
            added integer;
        BEGIN
            IF many = 0 OR told > 100 THEN
                RETURN NULL;
            ELSIF told + many > 100 THEN
                INSERT INTO events.outbox (type, aggregate_type, aggregate_id, once)
                    VALUES ('CatalogChanged', 'catalog', '00000000-0000-0000-0000-000000000000',
                        'CatalogChanged ' || {transaction})
                    ON CONFLICT DO NOTHING;
                added := 101;
            ELSE
                INSERT INTO events.outbox (type, aggregate_type, aggregate_id, payload, once)
                    SELECT 'ProductChanged', 'product', id,
                        jsonb_build_object('productId', id, 'sellerId', seller_id, 'categoryId', category_id),
                        {key}
                    FROM {places}
                    ON CONFLICT DO NOTHING;
                GET DIAGNOSTICS added = ROW_COUNT;
            END IF;
            PERFORM set_config('torii.products_told', (told + added)::text, true);
            RETURN NULL;
        END $$;
        """
