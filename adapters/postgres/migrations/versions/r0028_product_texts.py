"""What products are found by when the search index is away: folded text and its n-grams, kept by the database itself.

PostgreSQL's own text search knows no Japanese, and trigrams need an extension and three letters: 茶 has one, 手袋 two. So each
letter and each pair of letters is a gram, whose GIN index finds candidates, and the text says which of them really match.
"""

from adapters.postgres.migrations.script import run

revision = "0028"
down_revision = "0027"

KATAKANA = "".join(map(chr, (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)))
HIRAGANA = "".join(chr(ord(each) - 0x60) for each in KATAKANA)
DASHES = "".join(map(chr, (*range(0x2010, 0x2016), 0x2212, 0xFE58)))

FOLDED = f"""
        -- One width, one case, one kind of kana, no Latin accents; codes without their separators (ab-1234 is ab1234), long words
        -- of kana without the last mark of length (サーバー is サーバ), single spaces. Queries are folded by it, too.
        CREATE FUNCTION catalog.folded(content text) RETURNS text
            LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            plain text := lower(normalize(content, NFKC));
        BEGIN
            IF octet_length(plain) > length(plain) THEN
                plain := normalize(regexp_replace(normalize(plain, NFD), '[\\u0300-\\u036f]', '', 'g'), NFC);
                plain := translate(plain, '{KATAKANA}{DASHES}', '{HIRAGANA}{"-" * len(DASHES)}');
                plain := regexp_replace(plain, '([ぁ-ゖー]{{2}})ー+(?![ぁ-ゖー])', '\\1', 'g');
            END IF;
            plain := regexp_replace(plain, '([a-z0-9])[-_./+&'']+(?=[a-z0-9])', '\\1', 'g');
            RETURN btrim(regexp_replace(plain, '\\s+', ' ', 'g'));
        END $$;

        -- Each letter, and each pair of letters that no space parts; as often as they come, for the index minds not.
        CREATE FUNCTION catalog.grams(folded text) RETURNS text[]
            LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            letters text[] := string_to_array(folded, NULL);
        BEGIN
            RETURN ARRAY(
                SELECT gram FROM (
                    SELECT unnest(letters) AS gram
                    UNION ALL SELECT one || two FROM unnest(letters, letters[2:]) AS pair (one, two) WHERE two IS NOT NULL
                ) g WHERE strpos(gram, ' ') = 0
            );
        END $$;
"""

WRITING = """
        -- As the owner, for a writer of products need not be one of texts.
        CREATE POLICY definer ON catalog.product_texts TO CURRENT_USER USING (true) WITH CHECK (true);
        CREATE POLICY definer ON catalog.products FOR SELECT TO CURRENT_USER USING (true);
        CREATE POLICY definer ON catalog.brands FOR SELECT TO CURRENT_USER USING (true);
        CREATE POLICY definer ON catalog.categories FOR SELECT TO CURRENT_USER USING (true);
        CREATE FUNCTION catalog.write_texts(which uuid[]) RETURNS void
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
        REVOKE ALL ON FUNCTION catalog.write_texts(uuid[]) FROM PUBLIC;

        CREATE FUNCTION catalog.keep_texts() RETURNS trigger
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
        REVOKE ALL ON FUNCTION catalog.keep_texts() FROM PUBLIC;
        CREATE TRIGGER text_on_insert AFTER INSERT ON catalog.products
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.keep_texts();
        -- Stock and prices say nothing: a sale costs this condition and no more.
        CREATE TRIGGER text_on_update AFTER UPDATE ON catalog.products FOR EACH ROW WHEN (
            (OLD.name, OLD.sku, OLD.brand_id, OLD.category_id, OLD.status IN ('active', 'out_of_stock'))
            IS DISTINCT FROM (NEW.name, NEW.sku, NEW.brand_id, NEW.category_id, NEW.status IN ('active', 'out_of_stock'))
        ) EXECUTE FUNCTION catalog.keep_texts();
        CREATE TRIGGER texts_on_update AFTER UPDATE ON catalog.brands FOR EACH ROW WHEN (
            (OLD.name, OLD.name_kana, OLD.is_active) IS DISTINCT FROM (NEW.name, NEW.name_kana, NEW.is_active)
        ) EXECUTE FUNCTION catalog.keep_texts();
        CREATE TRIGGER texts_on_update AFTER UPDATE ON catalog.categories FOR EACH ROW WHEN (
            (OLD.name, OLD.parent_id) IS DISTINCT FROM (NEW.name, NEW.parent_id)
        ) EXECUTE FUNCTION catalog.keep_texts();
"""

FINDING = """
        -- Patterns for LIKE that find each text wherever it stands, and nothing in it is a pattern.
        CREATE FUNCTION catalog.anywhere(texts text[]) RETURNS text[]
            LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
        RETURN ARRAY(SELECT '%' || regexp_replace(one, '([\\\\%_])', '\\\\\\1', 'g') || '%' FROM unnest(texts) one);

        -- Products that have every piece somewhere; whoever asks still sees no more of them than policies show. It runs as the
        -- owner, whose policy is plain: under one that asks who is there no index of grams may be used, for their operator is
        -- not leakproof. Best: the name has each word as it was typed. Then: the name has every piece.
        CREATE FUNCTION catalog.found_by_text(words text[], pieces text[]) RETURNS TABLE (product_id uuid, score integer)
            LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            folded text[] := ARRAY(SELECT catalog.folded(word) FROM unnest(words) word);
            needed text[] := ARRAY(SELECT DISTINCT f FROM unnest(pieces) piece, catalog.folded(piece) f WHERE f <> '');
            sought text[] := ARRAY(SELECT DISTINCT gram FROM unnest(needed) piece, unnest(catalog.grams(piece)) gram
                WHERE length(gram) = least(length(piece), 2));
            whole text := array_to_string(folded, ' ');
            as_typed text[] := catalog.anywhere(folded);
            everywhere text[] := catalog.anywhere(needed);
        BEGIN
            IF sought = '{}' THEN
                RETURN;
            END IF;
            RETURN QUERY
            SELECT t.product_id,
                CASE
                    WHEN t.name = whole THEN 4
                    WHEN t.name LIKE ALL (as_typed) THEN 3
                    WHEN t.name LIKE ALL (everywhere) THEN 2
                    ELSE 1
                END
            FROM catalog.product_texts t
            WHERE t.grams @> sought  -- idx_product_texts_grams
                AND (t.name || ' ' || t.labels) LIKE ALL (everywhere);
        END $$;
        REVOKE ALL ON FUNCTION catalog.found_by_text(text[], text[]) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION catalog.found_by_text(text[], text[]) TO torii_app, torii_worker;
"""


def upgrade() -> None:
    run(
        FOLDED
        + """
        -- Of products that are shown; `labels` are code, brand and categories.
        CREATE TABLE catalog.product_texts (
            product_id uuid PRIMARY KEY REFERENCES catalog.products ON DELETE CASCADE,
            name text NOT NULL,
            labels text NOT NULL,
            grams text[] NOT NULL
        );
        CREATE INDEX idx_product_texts_grams ON catalog.product_texts USING gin (grams);
        ALTER TABLE catalog.product_texts ENABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_texts FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON catalog.product_texts TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON catalog.product_texts TO torii_worker;
        """
        + WRITING
        + FINDING
    )


def downgrade() -> None:
    run(
        """
        DROP FUNCTION catalog.found_by_text(text[], text[]), catalog.anywhere(text[]);
        DROP FUNCTION catalog.keep_texts() CASCADE;
        DROP FUNCTION catalog.write_texts(uuid[]);
        DROP TABLE catalog.product_texts;
        DROP POLICY definer ON catalog.products;
        DROP POLICY definer ON catalog.brands;
        DROP POLICY definer ON catalog.categories;
        DROP FUNCTION catalog.grams(text), catalog.folded(text);
        """
    )
