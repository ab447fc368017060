"""What of the database is told as it changes: the publication that change data capture reads, and how far its readers are.

Only columns of the list leave the database: pgoutput leaves out all others, whoever reads.
"""

from adapters.postgres.migrations.script import run

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    run(
        """
        CREATE PUBLICATION torii_changes FOR TABLE
            catalog.products (id, seller_id, category_id, brand_id, sku, name, currency, base_price, sale_price, stock_quantity,
                reserved_quantity, status, attributes, version, published_at, created_at, updated_at),
            catalog.product_variations (id, product_id, seller_id, sku, name, attributes, price_adjustment, stock_quantity,
                reserved_quantity, is_active, created_at, updated_at),
            catalog.categories (id, parent_id, name, is_active, created_at, updated_at),
            catalog.brands (id, name, is_active, created_at, updated_at),
            sellers.sellers (id, status, created_at, updated_at),
            reviews.product_ratings (product_id, rating_count, rating_total),
            orders.orders (id, currency, subtotal, tax_amount, shipping_fee, total_amount, status, ordered_at, created_at,
                updated_at),
            orders.order_items (id, order_id, product_id, product_variation_id, seller_id, currency, quantity, unit_price,
                total_price, fulfillment_status, created_at, updated_at)
            WITH (publish = 'insert, update, delete', publish_via_partition_root = true);

        -- A row when all rows were told once, after its slot was made.
        CREATE TABLE events.captures (
            slot text PRIMARY KEY,
            told_at timestamptz NOT NULL DEFAULT now()
        );
        ALTER TABLE events.captures ENABLE ROW LEVEL SECURITY;
        ALTER TABLE events.captures FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON events.captures TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON events.captures TO torii_worker;

        -- How far a reader of the stream has come in each shard: the number of the last record, or END.
        CREATE TABLE events.stream_places (
            reader text NOT NULL CHECK (length(reader) BETWEEN 1 AND 200),
            shard text NOT NULL CHECK (length(shard) BETWEEN 1 AND 200),
            place text NOT NULL,
            reached_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (reader, shard)
        );
        ALTER TABLE events.stream_places ENABLE ROW LEVEL SECURITY;
        ALTER TABLE events.stream_places FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON events.stream_places TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON events.stream_places TO torii_worker;
        """
    )


def downgrade() -> None:
    run("DROP PUBLICATION torii_changes; DROP TABLE events.captures, events.stream_places;")
