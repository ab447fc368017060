"""The way of events out of the outbox: when each is tried again, who has it, and its number in a stream.

Changes of the catalogue come into the outbox by trigger, once a product and transaction.
"""

from adapters.postgres.migrations.script import run

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run(
        """
        ALTER TABLE events.outbox
            ADD COLUMN stream text CHECK (length(stream) BETWEEN 1 AND 200),
            ADD COLUMN sequence bigint,
            -- What this is written once for: a trigger that runs for each statement writes one row a transaction.
            ADD COLUMN once text,
            ADD COLUMN attempts integer NOT NULL DEFAULT 0,
            ADD COLUMN try_at timestamptz,
            -- When each consumer had it.
            ADD COLUMN done_at timestamptz,
            ADD CHECK ((stream IS NULL) = (sequence IS NULL)),
            -- Ten of them go to the bus in one request of 256 KiB.
            ADD CHECK (octet_length(payload::text) <= 16384) NOT VALID;
        ALTER POLICY put_in ON events.outbox
            WITH CHECK ((SELECT access.is_set()) AND sent_at IS NULL AND done_at IS NULL AND attempts = 0 AND try_at IS NULL);
        CREATE UNIQUE INDEX idx_outbox_once ON events.outbox (once) WHERE once IS NOT NULL;
        CREATE UNIQUE INDEX idx_outbox_stream ON events.outbox (stream, sequence) WHERE stream IS NOT NULL;
        -- What was sent and some consumer may not have.
        CREATE INDEX idx_outbox_undone ON events.outbox (sent_at, id) WHERE sent_at IS NOT NULL AND done_at IS NULL;
        -- What can be removed: no longer what was only sent.
        CREATE INDEX idx_outbox_done_at ON events.outbox (done_at) WHERE done_at IS NOT NULL;
        DROP INDEX events.idx_outbox_sent_at;

        -- A row where a consumer acted on an event, or failed to, or was sent it again. It goes with its event: what is no
        -- longer in the outbox can be acted on no more, so nothing is ever acted on twice for having been forgotten.
        CREATE TABLE events.deliveries (
            consumer text NOT NULL CHECK (length(consumer) BETWEEN 1 AND 100),
            event_id uuid NOT NULL REFERENCES events.outbox (id) ON DELETE CASCADE,
            processed_at timestamptz,
            failed_at timestamptz,
            attempts integer NOT NULL DEFAULT 0,
            -- The type of an exception and its place, or a text of ours; never what an event holds.
            reason text,
            -- How often its message went from a dead-letter queue back by itself.
            returned integer NOT NULL DEFAULT 0,
            sent_again integer NOT NULL DEFAULT 0,
            sent_again_at timestamptz,
            PRIMARY KEY (consumer, event_id),
            CHECK (processed_at IS NULL OR failed_at IS NULL),
            CHECK ((failed_at IS NULL) = (reason IS NULL))
        );
        CREATE INDEX idx_deliveries_event_id ON events.deliveries (event_id);
        CREATE INDEX idx_deliveries_failed ON events.deliveries (consumer, failed_at, event_id) WHERE failed_at IS NOT NULL;
        ALTER TABLE events.deliveries ENABLE ROW LEVEL SECURITY;
        ALTER TABLE events.deliveries FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON events.deliveries TO torii_worker USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON events.deliveries TO torii_worker;

        -- The last number of each stream. Its row is locked until the transaction ends that took a number, so that no number
        -- appears late. A stream begins with the milliseconds since 1970: one that was forgotten goes on above its old numbers.
        CREATE TABLE events.streams (
            stream text PRIMARY KEY,
            last bigint NOT NULL,
            used_at timestamptz NOT NULL
        );
        CREATE INDEX idx_streams_used_at ON events.streams (used_at);
        ALTER TABLE events.streams ENABLE ROW LEVEL SECURITY;
        ALTER TABLE events.streams FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON events.streams TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY definer ON events.streams TO CURRENT_USER USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON events.streams TO torii_worker;

        CREATE FUNCTION events.next_in_stream(name text, how_many integer) RETURNS bigint
            LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        BEGIN ATOMIC
            INSERT INTO events.streams AS s (stream, last, used_at)
                VALUES (name, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + how_many, now())
                ON CONFLICT (stream) DO UPDATE SET last = s.last + how_many, used_at = now()
                RETURNING last - how_many + 1;
        END;
        REVOKE ALL ON FUNCTION events.next_in_stream(text, integer) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION events.next_in_stream(text, integer) TO torii_app, torii_worker;

        -- Wakes the relays when the transaction commits; PostgreSQL sends one notification a transaction.
        CREATE FUNCTION events.wake_relays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('outbox', '');
            RETURN NULL;
        END $$;
        CREATE TRIGGER wake_relays AFTER INSERT ON events.outbox
            FOR EACH STATEMENT EXECUTE FUNCTION events.wake_relays();
        """
    )
    run(
        """
        -- Whatever changed a product, those that keep something of it are told: once a product and transaction, and above a
        -- hundred products in one transaction once for the whole catalogue. It runs as the owner, for it must not fail for a
        -- writer who may not write events.
        CREATE POLICY definer ON events.outbox FOR INSERT TO CURRENT_USER WITH CHECK (sent_at IS NULL AND done_at IS NULL);
        CREATE FUNCTION catalog.tell_of_products() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            told integer := coalesce(nullif(current_setting('torii.products_told', true), ''), '0')::integer;
            many bigint := (SELECT count(*) FROM changed);
            added integer;
        BEGIN
            IF many = 0 OR told > 100 THEN
                RETURN NULL;
            ELSIF told + many > 100 THEN
                INSERT INTO events.outbox (type, aggregate_type, aggregate_id, once)
                    VALUES ('CatalogChanged', 'catalog', '00000000-0000-0000-0000-000000000000',
                        'CatalogChanged ' || pg_current_xact_id())
                    ON CONFLICT DO NOTHING;
                added := 101;
            ELSE
                INSERT INTO events.outbox (type, aggregate_type, aggregate_id, payload, once)
                    SELECT 'ProductChanged', 'product', id,
                        jsonb_build_object('productId', id, 'sellerId', seller_id, 'categoryId', category_id),
                        'ProductChanged ' || id || ' ' || pg_current_xact_id()
                    FROM changed
                    ON CONFLICT DO NOTHING;
                GET DIAGNOSTICS added = ROW_COUNT;
            END IF;
            PERFORM set_config('torii.products_told', (told + added)::text, true);
            RETURN NULL;
        END $$;
        REVOKE ALL ON FUNCTION catalog.tell_of_products() FROM PUBLIC;
        CREATE TRIGGER tell_of_insert AFTER INSERT ON catalog.products
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.tell_of_products();
        CREATE TRIGGER tell_of_update AFTER UPDATE ON catalog.products
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.tell_of_products();
        CREATE TRIGGER tell_of_delete AFTER DELETE ON catalog.products
            REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog.tell_of_products();
        """
    )


def downgrade() -> None:
    run(
        """
        DROP FUNCTION catalog.tell_of_products() CASCADE;
        DROP POLICY definer ON events.outbox;
        DROP FUNCTION events.wake_relays() CASCADE;
        DROP FUNCTION events.next_in_stream(text, integer);
        DROP TABLE events.streams, events.deliveries;
        ALTER POLICY put_in ON events.outbox WITH CHECK ((SELECT access.is_set()) AND sent_at IS NULL);
        DROP INDEX events.idx_outbox_once, events.idx_outbox_stream, events.idx_outbox_undone, events.idx_outbox_done_at;
        CREATE INDEX idx_outbox_sent_at ON events.outbox (sent_at) WHERE sent_at IS NOT NULL;
        ALTER TABLE events.outbox DROP CONSTRAINT outbox_payload_check;
        ALTER TABLE events.outbox
            DROP COLUMN stream, DROP COLUMN sequence, DROP COLUMN once, DROP COLUMN attempts, DROP COLUMN try_at,
            DROP COLUMN done_at;
        """
    )
