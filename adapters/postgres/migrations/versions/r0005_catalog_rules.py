"""What the database keeps true of products by itself: stock, status, versions; and who sees them.

Every change of a product, its variations or images raises the product's version and is announced on the channel
`catalog_changed` when it commits, so that whatever changed it, no cache goes on showing the old.
"""

from adapters.postgres.migrations.script import run

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run(
        """
        CREATE FUNCTION catalog.keep_product() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            of_variations integer;
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                -- Stock belongs to the variations where there are any.
                SELECT sum(stock_quantity) FILTER (WHERE is_active) INTO of_variations
                    FROM catalog.product_variations WHERE product_id = NEW.id HAVING count(*) > 0;
                IF FOUND THEN
                    NEW.stock_quantity := coalesce(of_variations, 0);
                END IF;
                IF coalesce(NEW.sale_price, NEW.base_price) < coalesce(OLD.sale_price, OLD.base_price) AND EXISTS (
                    SELECT FROM catalog.product_variations
                    WHERE product_id = NEW.id AND coalesce(NEW.sale_price, NEW.base_price) + price_adjustment < 0
                ) THEN
                    RAISE check_violation USING MESSAGE = 'a variation of this product would cost less than nothing';
                END IF;
                NEW.version := OLD.version + 1;
                NEW.updated_at := clock_timestamp();
            END IF;
            IF NEW.status = 'active' AND NEW.stock_quantity = 0 THEN
                NEW.status := 'out_of_stock';
            ELSIF NEW.status = 'out_of_stock' AND NEW.stock_quantity > 0 THEN
                NEW.status := 'active';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER keep_product BEFORE INSERT OR UPDATE ON catalog.products
            FOR EACH ROW EXECUTE FUNCTION catalog.keep_product();

        CREATE FUNCTION catalog.keep_variation() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            price bigint;
        BEGIN
            -- Locked, so that no price change in another transaction slips between the look and the write.
            SELECT effective_price, seller_id INTO price, NEW.seller_id
                FROM catalog.products WHERE id = NEW.product_id FOR NO KEY UPDATE;
            IF price + NEW.price_adjustment < 0 THEN
                RAISE check_violation USING MESSAGE = 'a variation cannot cost less than nothing';
            END IF;
            IF TG_OP = 'UPDATE' THEN
                NEW.updated_at := clock_timestamp();
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER keep_variation BEFORE INSERT OR UPDATE ON catalog.product_variations
            FOR EACH ROW EXECUTE FUNCTION catalog.keep_variation();

        -- A change of a part is a change of its product: the update below runs keep_product.
        CREATE FUNCTION catalog.touch_products() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            touched uuid[] := ARRAY(SELECT product_id FROM changed);
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                -- A part that moves changes the product that it leaves, too.
                touched := touched || ARRAY(SELECT product_id FROM before);
            END IF;
            IF TG_TABLE_NAME = 'product_variations' THEN
                -- keep_product puts the sum in place of the zero; where the last variation has gone, its stock has too.
                UPDATE catalog.products SET stock_quantity = 0 WHERE id = ANY (touched);
            ELSE
                UPDATE catalog.products SET updated_at = now() WHERE id = ANY (touched);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER touch_on_insert AFTER INSERT ON catalog.product_variations
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.touch_products();
        CREATE TRIGGER touch_on_update AFTER UPDATE ON catalog.product_variations
            REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.touch_products();
        CREATE TRIGGER touch_on_delete AFTER DELETE ON catalog.product_variations
            REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.touch_products();
        -- A product of this very transaction has a version that nobody has seen yet: a bulk load need not write it twice.
        CREATE FUNCTION catalog.touch_older_products() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE catalog.products SET updated_at = now()
                WHERE id IN (SELECT product_id FROM changed) AND xmin <> pg_current_xact_id()::xid;
            RETURN NULL;
        END $$;
        CREATE TRIGGER touch_on_insert AFTER INSERT ON catalog.product_images
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.touch_older_products();
        CREATE TRIGGER touch_on_update AFTER UPDATE ON catalog.product_images
            REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.touch_products();
        CREATE TRIGGER touch_on_delete AFTER DELETE ON catalog.product_images
            REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.touch_products();

        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON catalog.categories
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON catalog.brands
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        """
    )
    run(
        """
        -- `id:version` of each product, or `*` when there are more than a notification carries (8,000 bytes).
        CREATE FUNCTION catalog.announce_products() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            payload text;
        BEGIN
            SELECT CASE WHEN count(*) > 100 THEN '*' ELSE string_agg(id || ':' || version, ' ') END
                INTO payload FROM changed;
            IF payload IS NOT NULL THEN
                PERFORM pg_notify('catalog_changed', payload);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER announce_update AFTER UPDATE ON catalog.products
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.announce_products();

        -- A deleted row can come back under the same key only with a version that starts anew: forget everything.
        CREATE FUNCTION catalog.announce_all() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('catalog_changed', '*');
            RETURN NULL;
        END $$;
        CREATE TRIGGER announce_delete AFTER DELETE ON catalog.products
            FOR EACH STATEMENT EXECUTE FUNCTION catalog.announce_all();
        CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON catalog.categories
            FOR EACH STATEMENT EXECUTE FUNCTION catalog.announce_all();
        -- A seller's products come and go with it.
        CREATE TRIGGER announce AFTER UPDATE OF status ON sellers.sellers
            FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION catalog.announce_all();

        ALTER TABLE catalog.products ENABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.products FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_images ENABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_images FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_variations ENABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_variations FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.categories ENABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.categories FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.brands ENABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.brands FORCE ROW LEVEL SECURITY;
        ALTER TABLE accounts.favorites ENABLE ROW LEVEL SECURITY;
        ALTER TABLE accounts.favorites FORCE ROW LEVEL SECURITY;

        CREATE POLICY shown ON catalog.products FOR SELECT TO torii_app USING (
            (SELECT access.is_set()) AND (
                status IN ('active', 'out_of_stock') AND seller_id <> ALL ((SELECT sellers.not_active())::uuid[])
                OR seller_id = ANY ((SELECT sellers.of_viewer())::uuid[])
                OR (SELECT access.is_admin())
            )
        );
        -- Parts are seen with their product: the sub-select is itself under the policy above. OFFSET 0 keeps the planner
        -- to one look-up a part; without it, it may read all products into a hash table first.
        CREATE POLICY with_product ON catalog.product_images FOR SELECT TO torii_app
            USING (EXISTS (SELECT FROM catalog.products p WHERE p.id = product_id OFFSET 0));
        CREATE POLICY with_product ON catalog.product_variations FOR SELECT TO torii_app
            USING (EXISTS (SELECT FROM catalog.products p WHERE p.id = product_id OFFSET 0));
        CREATE POLICY shown ON catalog.categories FOR SELECT TO torii_app USING ((SELECT access.is_set()));
        CREATE POLICY shown ON catalog.brands FOR SELECT TO torii_app USING ((SELECT access.is_set()));
        CREATE POLICY own ON accounts.favorites TO torii_app
            USING (user_id = (SELECT access.user_id()) OR (SELECT access.is_admin()));

        CREATE POLICY worker ON catalog.products TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON catalog.product_images TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON catalog.product_variations TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON catalog.categories TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON catalog.brands TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON accounts.favorites TO torii_worker USING (true) WITH CHECK (true);

        GRANT SELECT ON ALL TABLES IN SCHEMA catalog TO torii_app;
        GRANT SELECT ON accounts.favorites TO torii_app;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON ALL TABLES IN SCHEMA catalog TO torii_worker;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON accounts.favorites TO torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP FUNCTION catalog.keep_product, catalog.keep_variation, catalog.touch_products, catalog.touch_older_products,
            catalog.announce_products, catalog.announce_all CASCADE;
        DROP TRIGGER keep_updated_at ON catalog.categories;
        DROP TRIGGER keep_updated_at ON catalog.brands;

        DROP POLICY shown ON catalog.products;
        DROP POLICY with_product ON catalog.product_images;
        DROP POLICY with_product ON catalog.product_variations;
        DROP POLICY shown ON catalog.categories;
        DROP POLICY shown ON catalog.brands;
        DROP POLICY own ON accounts.favorites;
        DROP POLICY worker ON catalog.products;
        DROP POLICY worker ON catalog.product_images;
        DROP POLICY worker ON catalog.product_variations;
        DROP POLICY worker ON catalog.categories;
        DROP POLICY worker ON catalog.brands;
        DROP POLICY worker ON accounts.favorites;
        REVOKE ALL ON ALL TABLES IN SCHEMA catalog FROM torii_app, torii_worker;
        REVOKE ALL ON accounts.favorites FROM torii_app, torii_worker;

        ALTER TABLE catalog.products DISABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.products NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_images DISABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_images NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_variations DISABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.product_variations NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.categories DISABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.categories NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE catalog.brands DISABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.brands NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE accounts.favorites DISABLE ROW LEVEL SECURITY;
        ALTER TABLE accounts.favorites NO FORCE ROW LEVEL SECURITY;
        """
    )
