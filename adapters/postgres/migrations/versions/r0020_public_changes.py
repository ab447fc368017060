"""Every change of what the public is shown is announced when it commits, on the channel `public_changed`.

Products, their parts and categories are announced on `catalog_changed` already, with versions.
"""

from adapters.postgres.migrations.script import run

revision = "0020"
down_revision = "0019"

ANNOUNCED = (
    ("sellers.sellers", "seller", "id"),
    ("sellers.seller_profiles", "seller", "seller_id"),
    ("catalog.brands", "brand", "id"),
    ("accounts.user_profiles", "author", "user_id"),
    # what reviews say, and what they add up to, is shown with their product
    ("reviews.reviews", "product", "product_id"),
)


def upgrade() -> None:
    run(
        """
        -- `kind:id` of each row, or `*` when there are more than a notification carries (8,000 bytes). Arguments: the kind,
        -- and the column that has the id.
        CREATE FUNCTION access.announce() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            rows text := format('SELECT %I AS id FROM changed', TG_ARGV[1]);
            payload text;
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                rows := rows || format(' UNION SELECT %I FROM before', TG_ARGV[1]);
            END IF;
            EXECUTE format(
                'SELECT CASE WHEN count(*) > 100 THEN ''*'' ELSE string_agg(%L || id, '' '') END
                    FROM (SELECT DISTINCT id FROM (%s) touched WHERE id IS NOT NULL LIMIT 101) each',
                TG_ARGV[0] || ':', rows
            ) INTO payload;
            IF payload IS NOT NULL THEN
                PERFORM pg_notify('public_changed', payload);
            END IF;
            RETURN NULL;
        END $$;
        """
    )
    for table, kind, column in ANNOUNCED:
        run(
            f"""
            CREATE TRIGGER announce_insert AFTER INSERT ON {table}
                REFERENCING NEW TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION access.announce('{kind}', '{column}');
            CREATE TRIGGER announce_update AFTER UPDATE ON {table}
                REFERENCING OLD TABLE AS before NEW TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION access.announce('{kind}', '{column}');
            CREATE TRIGGER announce_delete AFTER DELETE ON {table}
                REFERENCING OLD TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION access.announce('{kind}', '{column}');
            """
        )
    # That there is no such product is shown, too.
    run(
        """
        CREATE TRIGGER announce_insert AFTER INSERT ON catalog.products
            REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION access.announce('product', 'id');
        """
    )


def downgrade() -> None:
    run("DROP FUNCTION access.announce CASCADE")
