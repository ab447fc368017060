"""Who leaves still gets what was paid for: an order keeps its address until it ended, and a seller sees what it has to send.

Whoever ends the last item of an order, and whoever deletes an account, looks under the order's lock: one of the two erases.
"""

from adapters.postgres.migrations.script import run

revision = "0030"
down_revision = "0029"

FORGET_BUYER = """
    CREATE OR REPLACE FUNCTION orders.forget_buyer(leaver uuid) RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        BEGIN ATOMIC
            UPDATE orders.order_payments p SET payment_method_details = '{}'
                FROM orders.orders o WHERE o.id = p.order_id AND o.user_id = leaver AND accounts.is_leaving(leaver)
                AND p.payment_method_details <> '{}';
            UPDATE orders.orders SET metadata = metadata - 'shipping_address', shipping_address_id = NULL
                WHERE user_id = leaver AND accounts.is_leaving(leaver)
                AND (metadata ? 'shipping_address' OR shipping_address_id IS NOT NULL);
            DELETE FROM orders.order_addresses a
                USING orders.orders o WHERE o.id = a.order_id AND o.user_id = leaver AND accounts.is_leaving(leaver);
        END;
"""
"""As it was."""


def upgrade() -> None:
    run(
        """
        CREATE POLICY leaving ON orders.order_items FOR SELECT TO CURRENT_USER USING (true);

        CREATE FUNCTION orders.has_to_arrive(which uuid) RETURNS boolean LANGUAGE sql STABLE
            RETURN EXISTS (SELECT FROM orders.order_items i WHERE i.order_id = which
                AND i.fulfillment_status IN ('pending', 'processing', 'shipped'));

        -- What a carrier needs stays for as long as something has to arrive. The rest goes at once.
        CREATE OR REPLACE FUNCTION orders.forget_buyer(leaver uuid) RETURNS void
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            IF NOT accounts.is_leaving(leaver) THEN
                RETURN;
            END IF;
            -- Whoever ends an order has it locked, and did not see the account leave: what follows sees how it ended.
            PERFORM FROM orders.orders o WHERE o.user_id = leaver AND (o.metadata ? 'shipping_address'
                OR o.shipping_address_id IS NOT NULL
                OR EXISTS (SELECT FROM orders.order_addresses a WHERE a.order_id = o.id OFFSET 0))
                ORDER BY o.id FOR NO KEY UPDATE;
            UPDATE orders.order_payments p SET payment_method_details = '{}'
                FROM orders.orders o WHERE o.id = p.order_id AND o.user_id = leaver AND p.payment_method_details <> '{}';
            UPDATE orders.orders SET shipping_address_id = NULL,
                metadata = CASE WHEN orders.has_to_arrive(id) THEN metadata ELSE metadata - 'shipping_address' END
                WHERE user_id = leaver AND (shipping_address_id IS NOT NULL
                    OR metadata ? 'shipping_address' AND NOT orders.has_to_arrive(id));
            DELETE FROM orders.order_addresses a USING orders.orders o
                WHERE o.id = a.order_id AND o.user_id = leaver AND NOT orders.has_to_arrive(o.id);
            UPDATE orders.order_addresses a SET email = 'deleted-' || leaver || '@deleted.invalid'
                FROM orders.orders o WHERE o.id = a.order_id AND o.user_id = leaver
                AND a.email <> 'deleted-' || leaver || '@deleted.invalid';
        END $$;

        -- When the transaction commits that ended the last item: the address of who has left meanwhile goes with it.
        CREATE FUNCTION orders.forget_arrived() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            IF accounts.is_leaving((SELECT user_id FROM orders.orders WHERE id = NEW.order_id))
                    AND NOT orders.has_to_arrive(NEW.order_id) THEN
                DELETE FROM orders.order_addresses WHERE order_id = NEW.order_id;
                UPDATE orders.orders SET metadata = metadata - 'shipping_address'
                    WHERE id = NEW.order_id AND metadata ? 'shipping_address';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER forget_arrived AFTER UPDATE OF fulfillment_status ON orders.order_items
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.fulfillment_status <> OLD.fulfillment_status
                AND NEW.fulfillment_status IN ('delivered', 'cancelled', 'refunded'))
            EXECUTE FUNCTION orders.forget_arrived();

        -- What was paid after its buyer had left is paid with nobody's card.
        CREATE FUNCTION orders.keep_no_card() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            IF accounts.is_leaving((SELECT user_id FROM orders.orders WHERE id = NEW.order_id)) THEN
                NEW.payment_method_details := '{}';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER keep_no_card BEFORE UPDATE OF payment_method_details ON orders.order_payments FOR EACH ROW
            WHEN (NEW.payment_method_details <> OLD.payment_method_details AND NEW.payment_method_details <> '{}')
            EXECUTE FUNCTION orders.keep_no_card();

        REVOKE ALL ON FUNCTION orders.has_to_arrive(uuid), orders.forget_arrived(), orders.keep_no_card() FROM PUBLIC;

        -- Sellers and buyers talk about an order by its number, which says nothing else of it.
        CREATE POLICY own ON orders.order_numbers FOR SELECT TO torii_app USING (
            EXISTS (SELECT FROM orders.order_items i WHERE i.order_id = order_numbers.order_id OFFSET 0)
        );
        GRANT SELECT ON orders.order_numbers TO torii_app;
        """
    )


def downgrade() -> None:
    run(
        """
        REVOKE SELECT ON orders.order_numbers FROM torii_app;
        DROP POLICY own ON orders.order_numbers;
        DROP TRIGGER keep_no_card ON orders.order_payments;
        DROP TRIGGER forget_arrived ON orders.order_items;
        """
    )
    run(FORGET_BUYER)
    run(
        """
        DROP FUNCTION orders.keep_no_card, orders.forget_arrived, orders.has_to_arrive;
        DROP POLICY leaving ON orders.order_items;
        """
    )
