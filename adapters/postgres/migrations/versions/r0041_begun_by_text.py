"""What is suggested while somebody types and the search index is away: a look at some thousands of texts, and no more."""

from adapters.postgres.migrations.script import run

revision = "0041"
down_revision = "0039"

LOOKED_AT, MOST = 5_000, 1_000
"""Texts that have the letters, and those of them that are taken: what one letter begins may be half of a shop."""


def upgrade() -> None:
    run(
        f"""
        -- Products in whose name or labels a word begins with what was typed last, and which have the words before it; 0 where
        -- only a label does. Japanese words have no space before them: theirs may begin anywhere. As the owner, like found_by_text.
        CREATE FUNCTION catalog.begun_by_text(typed text) RETURNS TABLE (product_id uuid, score integer)
            LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            whole text := catalog.folded(left(typed, 50));
            words text[] := string_to_array(whole, ' ');
            last text := words[cardinality(words)];
            sought text[] := ARRAY(SELECT DISTINCT gram FROM unnest(words) word, unnest(catalog.grams(word)) gram
                WHERE length(gram) = least(length(word), 2));
            patterns text[] := catalog.anywhere(words);
            is_spaced boolean := last ~ '^[a-z0-9]+$';
        BEGIN
            IF sought = '{{}}' THEN
                RETURN;
            END IF;
            RETURN QUERY
            SELECT t.product_id,
                CASE
                    WHEN starts_with(t.name, whole) THEN 3
                    WHEN strpos(' ' || t.name, ' ' || last) > 0 THEN 2
                    WHEN strpos(t.name, last) > 0 AND NOT is_spaced THEN 1
                    ELSE 0
                END
            FROM (
                SELECT s.product_id, s.name, s.labels FROM catalog.product_texts s
                WHERE s.grams @> sought  -- idx_product_texts_grams
                LIMIT {LOOKED_AT}
            ) t
            WHERE (t.name || ' ' || t.labels) LIKE ALL (patterns)
                AND (NOT is_spaced OR strpos(' ' || t.name || ' ' || t.labels, ' ' || last) > 0)
            LIMIT {MOST};
        END $$;
        REVOKE ALL ON FUNCTION catalog.begun_by_text(text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION catalog.begun_by_text(text) TO torii_app, torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP FUNCTION catalog.begun_by_text(text);")
