"""Products, variations, images, categories, brands; favourites, which point at products."""

from adapters.postgres.migrations.script import run

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run(
        """
        CREATE SCHEMA catalog;
        GRANT USAGE ON SCHEMA catalog TO torii_app, torii_worker;

        CREATE TABLE catalog.categories (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            parent_id uuid REFERENCES catalog.categories,
            name text NOT NULL,
            slug text NOT NULL UNIQUE,
            icon_url text,
            sort_order integer NOT NULL DEFAULT 0,
            is_active boolean NOT NULL DEFAULT true,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CHECK (parent_id <> id)
        );
        CREATE INDEX idx_categories_parent_id ON catalog.categories (parent_id);

        CREATE TABLE catalog.brands (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            name text NOT NULL,
            name_kana text,
            logo_url text,
            is_active boolean NOT NULL DEFAULT true,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        -- The list of brands, by name.
        CREATE INDEX idx_brands_name ON catalog.brands (name, id) WHERE is_active;

        CREATE TABLE catalog.products (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            seller_id uuid NOT NULL REFERENCES sellers.sellers,
            category_id uuid NOT NULL REFERENCES catalog.categories,
            brand_id uuid REFERENCES catalog.brands,
            sku text NOT NULL,
            slug text NOT NULL UNIQUE,
            name text NOT NULL,
            description text NOT NULL DEFAULT '',
            currency char(3) NOT NULL DEFAULT 'JPY' CHECK (currency ~ '^[A-Z]{3}$'),
            base_price bigint NOT NULL CHECK (base_price >= 0),
            sale_price bigint CHECK (sale_price >= 0),
            effective_price bigint NOT NULL GENERATED ALWAYS AS (coalesce(sale_price, base_price)) STORED,
            stock_quantity integer NOT NULL DEFAULT 0 CHECK (stock_quantity >= 0),
            status text NOT NULL DEFAULT 'draft'
                CHECK (status IN ('draft', 'active', 'out_of_stock', 'discontinued')),
            attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
            shipping_info jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(shipping_info) = 'object'),
            version bigint NOT NULL DEFAULT 1,
            published_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (seller_id, sku),
            CONSTRAINT sale_not_above_base CHECK (sale_price <= base_price),
            CONSTRAINT published_when_shown CHECK (status IN ('draft', 'discontinued') OR published_at IS NOT NULL)
        );
        CREATE INDEX idx_products_seller_id ON catalog.products (seller_id);
        CREATE INDEX idx_products_category_id ON catalog.products (category_id);
        CREATE INDEX idx_products_brand_id ON catalog.products (brand_id);
        CREATE INDEX idx_products_status ON catalog.products (status);
        CREATE INDEX idx_products_price ON catalog.products (base_price);
        CREATE INDEX idx_products_created_at ON catalog.products (created_at);
        -- The public lists, one index for each sort: keyset pages read them from the cursor on and stop.
        CREATE INDEX idx_products_newest ON catalog.products (published_at DESC, id DESC) WHERE status = 'active';
        CREATE INDEX idx_products_cheapest ON catalog.products (currency, effective_price, id)
            WHERE status = 'active';
        CREATE INDEX idx_products_by_name ON catalog.products (name, id) WHERE status = 'active';
        CREATE INDEX idx_products_newest_in_category ON catalog.products (category_id, published_at DESC, id DESC)
            WHERE status = 'active';
        -- None on attributes: under a policy only leakproof operators may use an index, and those of jsonb are not.

        CREATE TABLE catalog.product_images (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            product_id uuid NOT NULL REFERENCES catalog.products ON DELETE CASCADE,
            image_url text NOT NULL,
            alt_text text NOT NULL DEFAULT '',
            sort_order integer NOT NULL DEFAULT 0,
            is_primary boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_product_images_product_id ON catalog.product_images (product_id, sort_order, id);
        CREATE UNIQUE INDEX idx_product_images_one_primary ON catalog.product_images (product_id) WHERE is_primary;

        CREATE TABLE catalog.product_variations (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            product_id uuid NOT NULL REFERENCES catalog.products ON DELETE CASCADE,
            seller_id uuid NOT NULL REFERENCES sellers.sellers,
            sku text NOT NULL,
            name text NOT NULL,
            attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
            price_adjustment bigint NOT NULL DEFAULT 0,
            stock_quantity integer NOT NULL DEFAULT 0 CHECK (stock_quantity >= 0),
            is_active boolean NOT NULL DEFAULT true,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (seller_id, sku)
        );
        CREATE INDEX idx_product_variations_product_id ON catalog.product_variations (product_id, id);

        CREATE TABLE accounts.favorites (
            id uuid PRIMARY KEY DEFAULT uuidv7(),
            user_id uuid NOT NULL REFERENCES accounts.users ON DELETE CASCADE,
            product_id uuid NOT NULL REFERENCES catalog.products ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (user_id, product_id)
        );
        CREATE INDEX idx_favorites_product_id ON accounts.favorites (product_id);
        """
    )


def downgrade() -> None:
    run("DROP TABLE accounts.favorites; DROP SCHEMA catalog CASCADE")
