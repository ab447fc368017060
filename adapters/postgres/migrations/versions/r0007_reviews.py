"""Reviews of products and sellers, and the rating of each product, kept in step by the database."""

from adapters.postgres.migrations.script import run

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA reviews;
        GRANT USAGE ON SCHEMA reviews TO torii_app, torii_worker;

        CREATE TABLE reviews.reviews (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            user_id uuid NOT NULL REFERENCES accounts.users,
            product_id uuid NOT NULL REFERENCES catalog.products ON DELETE CASCADE,
            order_item_id uuid REFERENCES orders.order_items ON DELETE SET NULL,
            rating integer NOT NULL CHECK (rating BETWEEN 1 AND 5),
            title text,
            comment text,
            images jsonb NOT NULL DEFAULT '[]',
            helpful_count integer NOT NULL DEFAULT 0 CHECK (helpful_count >= 0),
            is_verified_purchase boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (user_id, product_id)
        );
        -- A product's reviews, newest first, read from the cursor on.
        CREATE INDEX idx_reviews_product_id ON reviews.reviews (product_id, created_at DESC, id DESC);
        CREATE INDEX idx_reviews_user_id ON reviews.reviews (user_id);
        CREATE INDEX idx_reviews_rating ON reviews.reviews (rating);
        CREATE INDEX idx_reviews_order_item_id ON reviews.reviews (order_item_id) WHERE order_item_id IS NOT NULL;

        CREATE TABLE reviews.seller_reviews (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            user_id uuid NOT NULL REFERENCES accounts.users,
            seller_id uuid NOT NULL REFERENCES sellers.sellers ON DELETE CASCADE,
            order_id uuid NOT NULL REFERENCES orders.orders,
            rating integer NOT NULL CHECK (rating BETWEEN 1 AND 5),
            comment text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (user_id, seller_id, order_id)
        );
        CREATE INDEX idx_seller_reviews_seller_id ON reviews.seller_reviews (seller_id, created_at DESC, id DESC);
        CREATE INDEX idx_seller_reviews_order_id ON reviews.seller_reviews (order_id);

        CREATE TABLE reviews.product_ratings (
            product_id uuid PRIMARY KEY REFERENCES catalog.products ON DELETE CASCADE,
            rating_count integer NOT NULL CHECK (rating_count >= 0),
            rating_total bigint NOT NULL CHECK (rating_total >= 0)
        );

        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON reviews.reviews
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();
        CREATE TRIGGER keep_updated_at BEFORE UPDATE ON reviews.seller_reviews
            FOR EACH ROW EXECUTE FUNCTION access.keep_updated_at();

        -- Adds what a statement changed; rows are locked in order of their keys, so that two statements cannot deadlock.
        CREATE FUNCTION reviews.keep_ratings() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                PERFORM FROM reviews.product_ratings WHERE product_id IN (SELECT product_id FROM before)
                    ORDER BY product_id FOR UPDATE;
                UPDATE reviews.product_ratings r
                    SET rating_count = r.rating_count - gone.n, rating_total = r.rating_total - gone.total
                    FROM (SELECT product_id, count(*) AS n, sum(rating) AS total FROM before GROUP BY 1) gone
                    WHERE r.product_id = gone.product_id;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO reviews.product_ratings AS r
                    SELECT product_id, count(*), sum(rating) FROM after GROUP BY 1 ORDER BY 1
                    ON CONFLICT (product_id) DO UPDATE
                    SET rating_count = r.rating_count + excluded.rating_count,
                        rating_total = r.rating_total + excluded.rating_total;
            END IF;
            RETURN NULL;
        END $$;
        REVOKE ALL ON FUNCTION reviews.keep_ratings() FROM PUBLIC;
        CREATE TRIGGER keep_ratings_on_insert AFTER INSERT ON reviews.reviews
            REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION reviews.keep_ratings();
        CREATE TRIGGER keep_ratings_on_update AFTER UPDATE ON reviews.reviews
            REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION reviews.keep_ratings();
        CREATE TRIGGER keep_ratings_on_delete AFTER DELETE ON reviews.reviews
            REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION reviews.keep_ratings();
        """
    )
    run(
        """
        ALTER TABLE reviews.reviews ENABLE ROW LEVEL SECURITY;
        ALTER TABLE reviews.reviews FORCE ROW LEVEL SECURITY;
        ALTER TABLE reviews.seller_reviews ENABLE ROW LEVEL SECURITY;
        ALTER TABLE reviews.seller_reviews FORCE ROW LEVEL SECURITY;
        ALTER TABLE reviews.product_ratings ENABLE ROW LEVEL SECURITY;
        ALTER TABLE reviews.product_ratings FORCE ROW LEVEL SECURITY;

        -- Of a product that the viewer does not see there is nothing to read either. OFFSET 0: one look-up a row (0006).
        CREATE POLICY shown ON reviews.reviews FOR SELECT TO torii_app USING (
            (SELECT access.is_set()) AND EXISTS (SELECT FROM catalog.products p WHERE p.id = product_id OFFSET 0)
        );
        CREATE POLICY shown ON reviews.seller_reviews FOR SELECT TO torii_app USING ((SELECT access.is_set()));
        CREATE POLICY shown ON reviews.product_ratings FOR SELECT TO torii_app USING (
            (SELECT access.is_set()) AND EXISTS (SELECT FROM catalog.products p WHERE p.id = product_id OFFSET 0)
        );
        CREATE POLICY worker ON reviews.reviews TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON reviews.seller_reviews TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY worker ON reviews.product_ratings FOR SELECT TO torii_worker USING (true);
        -- What keep_ratings runs as.
        CREATE POLICY definer ON reviews.product_ratings TO CURRENT_USER USING (true) WITH CHECK (true);

        GRANT SELECT ON reviews.reviews, reviews.seller_reviews, reviews.product_ratings TO torii_app;
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON reviews.reviews, reviews.seller_reviews TO torii_worker;
        GRANT SELECT ON reviews.product_ratings TO torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP SCHEMA reviews CASCADE")
