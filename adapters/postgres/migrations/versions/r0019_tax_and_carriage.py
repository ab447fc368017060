"""How a category's products are taxed, and what the public may know of a seller's terms of carriage."""

from adapters.postgres.migrations.script import run

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run(
        """
        ALTER TABLE catalog.categories ADD COLUMN tax_class text NOT NULL DEFAULT 'standard'
            CHECK (tax_class IN ('standard', 'reduced'));

        -- Runs as its owner, as sellers.public_profiles does.
        CREATE VIEW sellers.shipping_terms WITH (security_barrier) AS
            SELECT s.id, p.shipping_policies
            FROM sellers.sellers s JOIN sellers.seller_profiles p ON p.seller_id = s.id
            WHERE s.status = 'active' AND access.is_set();
        GRANT SELECT ON sellers.shipping_terms TO torii_app, torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP VIEW sellers.shipping_terms;
        ALTER TABLE catalog.categories DROP COLUMN tax_class;
        """
    )
