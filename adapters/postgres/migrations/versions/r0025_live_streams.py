"""Live status: which events those who watch have still to be told of, and who may read what was missed of a stream."""

from adapters.postgres.migrations.script import run

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run(
        """
        -- A row beside each new event of a stream, until it was published to those who watch. A table of its own: the rows of the
        -- outbox stay locked for as long as the bus takes, and whoever watches is not to wait for that.
        CREATE TABLE events.untold (
            event_id uuid PRIMARY KEY REFERENCES events.outbox (id) ON DELETE CASCADE
        );
        ALTER TABLE events.untold ENABLE ROW LEVEL SECURITY;
        ALTER TABLE events.untold FORCE ROW LEVEL SECURITY;
        CREATE POLICY worker ON events.untold TO torii_worker USING (true) WITH CHECK (true);
        CREATE POLICY definer ON events.untold FOR INSERT TO CURRENT_USER WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON events.untold TO torii_worker;

        -- Runs as the owner: whoever puts events out needs to know nothing of it.
        CREATE FUNCTION events.queue_untold() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            INSERT INTO events.untold (event_id) SELECT id FROM added WHERE stream IS NOT NULL;
            IF FOUND THEN
                PERFORM pg_notify('live', '');
            END IF;
            RETURN NULL;
        END $$;
        REVOKE ALL ON FUNCTION events.queue_untold() FROM PUBLIC;
        CREATE TRIGGER queue_untold AFTER INSERT ON events.outbox
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION events.queue_untold();

        -- An order's stream is for who sees the order, a seller's for who works for the seller. It runs as whoever asks, so that
        -- the policies of the tables decide.
        CREATE FUNCTION events.may_follow(name text) RETURNS boolean
            LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            RETURN CASE split_part(name, '/', 1)
                WHEN 'order' THEN EXISTS (SELECT FROM orders.orders WHERE id = split_part(name, '/', 2)::uuid)
                WHEN 'seller' THEN access.is_admin()
                    OR coalesce(split_part(name, '/', 2)::uuid = ANY (sellers.of_viewer()), false)
                ELSE false
            END;
        END $$;
        REVOKE ALL ON FUNCTION events.may_follow(text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION events.may_follow(text) TO torii_app, torii_worker;

        CREATE POLICY followed ON events.outbox FOR SELECT TO torii_app
            USING (stream IS NOT NULL AND events.may_follow(stream));
        GRANT SELECT (id, type, aggregate_type, aggregate_id, payload, created_at, stream, sequence)
            ON events.outbox TO torii_app;

        -- The last numbers of streams that are known by name: they tell that something happened, and nothing of what.
        CREATE FUNCTION events.heads(names text[]) RETURNS TABLE (stream text, last bigint)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        BEGIN ATOMIC
            SELECT s.stream, s.last FROM events.streams s WHERE s.stream = ANY (names);
        END;
        REVOKE ALL ON FUNCTION events.heads(text[]) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION events.heads(text[]) TO torii_app, torii_worker;
        """
    )


def downgrade() -> None:
    run(
        """
        DROP FUNCTION events.heads(text[]);
        REVOKE SELECT (id, type, aggregate_type, aggregate_id, payload, created_at, stream, sequence)
            ON events.outbox FROM torii_app;
        DROP POLICY followed ON events.outbox;
        DROP FUNCTION events.may_follow(text);
        DROP FUNCTION events.queue_untold() CASCADE;
        DROP TABLE events.untold;
        """
    )
