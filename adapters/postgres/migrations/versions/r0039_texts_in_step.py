"""Texts that two renamings cannot leave behind: whoever writes one holds still what it is made of, and reads it after that.

Two transactions that rename the brand and the category of a product each saw the other's old name, and the later one wrote it. Now
those who rename follow one after another; who writes a product holds its brand and its categories in share, so that they are renamed
before or after, never meanwhile; and a text is made from what is committed once its own row is held. `check_texts` finds what is
stale all the same: of products that were loaded with triggers off, or written in another way than by us.
"""

from adapters.postgres.migrations.script import run

revision = "0039"
down_revision = "0038"

BEFORE = """
    CREATE OR REPLACE FUNCTION catalog.write_texts(which uuid[]) RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        DELETE FROM catalog.product_texts WHERE product_id = ANY (which) AND NOT EXISTS (
            SELECT FROM catalog.products WHERE id = product_id AND status IN ('active', 'out_of_stock')
        );
        WITH RECURSIVE told AS (
            SELECT id, category_id, catalog.folded(left(name, 500)) AS name,
                concat_ws(' ', left(sku, 200), (
                    SELECT concat_ws(' ', b.name, b.name_kana) FROM catalog.brands b WHERE b.id = brand_id AND b.is_active
                )) AS labels
            FROM catalog.products WHERE id = ANY (which) AND status IN ('active', 'out_of_stock')
        ), up AS (
            SELECT id AS category_id, id, parent_id, name FROM catalog.categories
            WHERE id IN (SELECT category_id FROM told)
            UNION
            SELECT up.category_id, c.id, c.parent_id, c.name FROM catalog.categories c JOIN up ON c.id = up.parent_id
        ), paths AS (
            SELECT category_id, string_agg(name, ' ') AS names FROM up GROUP BY category_id
        ), texts AS (
            SELECT id, told.name, catalog.folded(concat_ws(' ', labels, names)) AS labels
            FROM told JOIN paths USING (category_id)
        )
        INSERT INTO catalog.product_texts AS t (product_id, name, labels, grams)
            SELECT id, name, labels, catalog.grams(name || ' ' || labels) FROM texts
            -- two writers of one text must not wait for each other crosswise
            ORDER BY id
            ON CONFLICT (product_id) DO UPDATE
                SET name = excluded.name, labels = excluded.labels, grams = excluded.grams
                WHERE (t.name, t.labels) IS DISTINCT FROM (excluded.name, excluded.labels);
    END;

    CREATE OR REPLACE FUNCTION catalog.keep_texts() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF TG_TABLE_NAME = 'products' AND TG_OP = 'INSERT' THEN
            PERFORM catalog.write_texts(ARRAY(SELECT id FROM changed));
        ELSIF TG_TABLE_NAME = 'products' THEN
            PERFORM catalog.write_texts(ARRAY[NEW.id]);
        ELSIF TG_TABLE_NAME = 'brands' THEN
            PERFORM catalog.write_texts(ARRAY(SELECT id FROM catalog.products WHERE brand_id = NEW.id));
        ELSE
            PERFORM catalog.write_texts(ARRAY(
                WITH RECURSIVE below AS (
                    SELECT NEW.id AS id
                    UNION SELECT c.id FROM catalog.categories c JOIN below ON c.parent_id = below.id
                )
                SELECT p.id FROM catalog.products p JOIN below ON p.category_id = below.id
            ));
        END IF;
        RETURN NULL;
    END $$;
"""
"""As they were."""

MAKING = """
    -- What a row may be held in share by; it is written by nobody that way.
    CREATE POLICY definer_holds ON catalog.brands FOR UPDATE TO CURRENT_USER USING (true) WITH CHECK (false);
    CREATE POLICY definer_holds ON catalog.categories FOR UPDATE TO CURRENT_USER USING (true) WITH CHECK (false);

    CREATE FUNCTION catalog.texts_of(which uuid[]) RETURNS TABLE (product_id uuid, name text, labels text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        WITH RECURSIVE told AS (
            SELECT id, category_id, catalog.folded(left(name, 500)) AS name,
                concat_ws(' ', left(sku, 200), (
                    SELECT concat_ws(' ', b.name, b.name_kana) FROM catalog.brands b WHERE b.id = brand_id AND b.is_active
                )) AS labels
            FROM catalog.products WHERE id = ANY (which) AND status IN ('active', 'out_of_stock')
        ), up AS (
            SELECT id AS category_id, id, parent_id, name FROM catalog.categories
            WHERE id IN (SELECT category_id FROM told)
            UNION
            SELECT up.category_id, c.id, c.parent_id, c.name FROM catalog.categories c JOIN up ON c.id = up.parent_id
        ), paths AS (
            -- in one order, so that what did not change is not written
            SELECT category_id, string_agg(name, ' ' ORDER BY id) AS names FROM up GROUP BY category_id
        )
        SELECT id, told.name, catalog.folded(concat_ws(' ', told.labels, names)) FROM told JOIN paths USING (category_id);
    END;
    REVOKE ALL ON FUNCTION catalog.texts_of(uuid[]) FROM PUBLIC;

    -- Each statement of it sees what is committed when that begins: the texts are held first, then what they say is read.
    CREATE OR REPLACE FUNCTION catalog.write_texts(which uuid[]) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM FROM catalog.product_texts t WHERE t.product_id = ANY (which) ORDER BY t.product_id FOR UPDATE;
        DELETE FROM catalog.product_texts t WHERE t.product_id = ANY (which) AND NOT EXISTS (
            SELECT FROM catalog.products p WHERE p.id = t.product_id AND p.status IN ('active', 'out_of_stock')
        );
        INSERT INTO catalog.product_texts AS t (product_id, name, labels, grams)
            SELECT made.product_id, made.name, made.labels, catalog.grams(made.name || ' ' || made.labels)
            FROM catalog.texts_of(which) made
            ORDER BY made.product_id
            ON CONFLICT (product_id) DO UPDATE
                SET name = excluded.name, labels = excluded.labels, grams = excluded.grams
                WHERE (t.name, t.labels) IS DISTINCT FROM (excluded.name, excluded.labels);
    END $$;
"""

HOLDING = """
    -- Brands and categories of products, with those above: nobody renames them until the transaction ends.
    CREATE FUNCTION catalog.hold_labels(which uuid[]) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        held uuid[] := '{}';
        path uuid[];
    BEGIN
        PERFORM FROM catalog.brands b
            WHERE b.id IN (SELECT p.brand_id FROM catalog.products p WHERE p.id = ANY (which)) ORDER BY b.id FOR SHARE;
        LOOP
            path := ARRAY(
                WITH RECURSIVE up AS (
                    SELECT c.id, c.parent_id FROM catalog.categories c
                    WHERE c.id IN (SELECT p.category_id FROM catalog.products p WHERE p.id = ANY (which))
                    UNION SELECT c.id, c.parent_id FROM catalog.categories c JOIN up ON c.id = up.parent_id
                )
                SELECT id FROM up ORDER BY id
            );
            EXIT WHEN path <@ held;  -- one that was waited for may stand elsewhere now
            PERFORM FROM catalog.categories c WHERE c.id = ANY (path) ORDER BY c.id FOR SHARE;
            held := path;
        END LOOP;
    END $$;
    REVOKE ALL ON FUNCTION catalog.hold_labels(uuid[]) FROM PUBLIC;

    -- One after another, before any row is held: two that rename what the other has to read would wait crosswise.
    CREATE FUNCTION catalog.one_renames() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('catalog.product_texts', 0));
        RETURN NULL;
    END $$;
    REVOKE ALL ON FUNCTION catalog.one_renames() FROM PUBLIC;
    CREATE TRIGGER one_renames BEFORE UPDATE OF name, name_kana, is_active ON catalog.brands
        FOR EACH STATEMENT EXECUTE FUNCTION catalog.one_renames();
    CREATE TRIGGER one_renames BEFORE UPDATE OF name, parent_id ON catalog.categories
        FOR EACH STATEMENT EXECUTE FUNCTION catalog.one_renames();
"""

KEEPING = """
    CREATE OR REPLACE FUNCTION catalog.keep_texts() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF TG_TABLE_NAME = 'products' AND TG_OP = 'INSERT' THEN
            PERFORM catalog.hold_labels(ARRAY(SELECT id FROM changed));
            PERFORM catalog.write_texts(ARRAY(SELECT id FROM changed));
        ELSIF TG_TABLE_NAME = 'products' THEN
            PERFORM catalog.hold_labels(ARRAY[NEW.id]);
            PERFORM catalog.write_texts(ARRAY[NEW.id]);
        ELSIF TG_TABLE_NAME = 'brands' THEN
            PERFORM catalog.write_texts(ARRAY(SELECT id FROM catalog.products WHERE brand_id = NEW.id));
        ELSE
            PERFORM catalog.write_texts(ARRAY(
                WITH RECURSIVE below AS (
                    SELECT NEW.id AS id
                    UNION SELECT c.id FROM catalog.categories c JOIN below ON c.parent_id = below.id
                )
                SELECT p.id FROM catalog.products p JOIN below ON p.category_id = below.id
            ));
        END IF;
        RETURN NULL;
    END $$;
"""

CHECKING = """
    -- The next so many products behind one: how many there were, the last of them (null where there are none), and how many texts
    -- were not what they are to be. A text changes with what it is made of, so nothing is ever just on its way.
    CREATE FUNCTION catalog.check_texts(behind uuid, size integer, repair boolean)
        RETURNS TABLE (last uuid, looked integer, differing integer)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        these uuid[] := ARRAY(SELECT p.id FROM catalog.products p WHERE p.id > behind ORDER BY p.id LIMIT size);
        wrong uuid[] := ARRAY(
            SELECT coalesce(made.product_id, kept.product_id)
            FROM catalog.texts_of(these) made
            FULL JOIN (SELECT t.product_id, t.name, t.labels FROM catalog.product_texts t WHERE t.product_id = ANY (these)) kept
                ON kept.product_id = made.product_id
            WHERE (made.name, made.labels) IS DISTINCT FROM (kept.name, kept.labels)
        );
    BEGIN
        IF repair AND wrong <> '{}' THEN
            PERFORM pg_advisory_xact_lock(hashtextextended('catalog.product_texts', 0));
            PERFORM catalog.write_texts(wrong);
        END IF;
        RETURN QUERY SELECT these[cardinality(these)], cardinality(these), cardinality(wrong);
    END $$;
    REVOKE ALL ON FUNCTION catalog.check_texts(uuid, integer, boolean) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION catalog.check_texts(uuid, integer, boolean) TO torii_worker;
"""


def upgrade() -> None:
    run(MAKING + HOLDING + KEEPING + CHECKING)


def downgrade() -> None:
    run(
        BEFORE
        + """
        DROP TRIGGER one_renames ON catalog.brands;
        DROP TRIGGER one_renames ON catalog.categories;
        DROP FUNCTION catalog.check_texts, catalog.one_renames, catalog.hold_labels, catalog.texts_of;
        DROP POLICY definer_holds ON catalog.brands;
        DROP POLICY definer_holds ON catalog.categories;
        """
    )
