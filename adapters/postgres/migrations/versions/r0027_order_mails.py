"""Mails about orders and to sellers; and which products are known to run low, so that each fall is told once."""

from adapters.postgres.migrations.script import run

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run(
        """
        -- A guest is no user: such a mail goes to the address of its order, and a seller's to that of the seller.
        ALTER TABLE notifications.mails
            ALTER user_id DROP NOT NULL,
            ADD order_id uuid,
            ADD seller_id uuid,
            ADD CONSTRAINT to_somebody CHECK (num_nonnulls(user_id, order_id, seller_id) >= 1);

        -- A row as long as a product has run low: it is told when the row comes.
        CREATE TABLE catalog.low_stock (
            product_id uuid PRIMARY KEY REFERENCES catalog.products ON DELETE CASCADE,
            since timestamptz NOT NULL
        );
        ALTER TABLE catalog.low_stock ENABLE ROW LEVEL SECURITY;
        ALTER TABLE catalog.low_stock FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON catalog.low_stock TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON catalog.low_stock TO torii_worker;
        -- What runs low already has fallen before.
        CREATE POLICY definer ON catalog.low_stock TO CURRENT_USER USING (true) WITH CHECK (true);
        INSERT INTO catalog.low_stock (product_id, since)
            SELECT id, now() FROM catalog.products WHERE sellable_quantity <= 5 AND status IN ('active', 'out_of_stock');
        """
    )


def downgrade() -> None:
    run(
        """
        DROP TABLE catalog.low_stock;
        DELETE FROM notifications.mails WHERE user_id IS NULL;
        ALTER TABLE notifications.mails DROP CONSTRAINT to_somebody, DROP order_id, DROP seller_id,
            ALTER user_id SET NOT NULL;
        """
    )
