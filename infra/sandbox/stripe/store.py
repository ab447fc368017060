"""What the sandbox remembers: a SQLite file that outlives restarts and kill -9, and is bounded."""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.sandbox.stripe.errors import Json, missing

MAX_OF_A_KIND = 20_000
"""Objects of one kind; the oldest go first."""
KEYS_LAST_S = 24 * 3600
"""docs.stripe.com/api/idempotent_requests"""
PRUNE_EVERY = 256
API_VERSION = "2026-10-28.endive"
"""Of the pinned SDK: what events are shaped by."""

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS by_order ON objects (kind, json_extract(body, '$.metadata.order_id'));
CREATE INDEX IF NOT EXISTS by_intent ON objects (kind, json_extract(body, '$.payment_intent'));
CREATE TABLE IF NOT EXISTS balances (currency TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, fingerprint TEXT NOT NULL, request TEXT NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_age ON idempotency (created);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS by_due ON deliveries (due, seq);
"""


def open_database(file: Path) -> sqlite3.Connection:
    # in the order of time: what is committed survives kill -9 of us; only a crash of the machine may cost the last
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {TABLES}")
    return connection


class Transaction:
    """Reads and changes that happen together. Keys that begin with `_` are ours and shown to nobody (`public`)."""

    def __init__(self, connection: sqlite3.Connection, now: float, request: str, key: str | None) -> None:
        self._connection = connection
        self.now = int(now)
        self._request = request
        self._key = key

    def new(self, prefix: str, kind: str, body: Mapping[str, object]) -> Json:
        """A new object with a key of its own, kept."""
        made = {"id": new_id(prefix), "object": kind, **body}
        done = self._connection.execute(
            "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)", (made["id"], kind, json.dumps(made))
        )
        if (done.lastrowid or 0) % PRUNE_EVERY == 0:
            self._prune()
        return made

    def find(self, kind: str, key: str) -> Json | None:
        row = self._connection.execute("SELECT body FROM objects WHERE id = ? AND kind = ?", (key, kind)).fetchone()
        return json.loads(row[0]) if row else None

    def get(self, kind: str, key: str, param: str = "id") -> Json:
        """Raises ApiError (404)."""
        found = self.find(kind, key)
        if found is None:
            raise missing(kind, key, param)
        return found

    def any_of(self, key: str) -> Json | None:
        """Whatever has this key."""
        row = self._connection.execute("SELECT body FROM objects WHERE id = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, body: Json) -> Json:
        self._connection.execute("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))
        return body

    def delete(self, key: str) -> None:
        self._connection.execute("DELETE FROM objects WHERE id = ?", (key,))
        self._connection.execute("DELETE FROM deliveries WHERE endpoint = ?", (key,))

    def newest(
        self,
        kind: str,
        limit: int,
        *,
        where: Mapping[str, object] | None = None,
        since: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> list[Json]:
        """Objects whose fields (`metadata.order_id`) have these values, or one of a list's, newest first, up to `limit`."""
        conditions: list[str] = ["kind = ?"]
        values: list[object] = [kind]
        for path, value in (where or {}).items():
            these = value if isinstance(value, list) else [value]
            conditions.append(f"json_extract(body, '$.{path}') IN ({', '.join('?' * len(these))})")
            values += these
        if since is not None:
            conditions.append("json_extract(body, '$.created') >= ?")
            values.append(since)
        for sign, key in (("<", after), (">", before)):
            if key is not None:
                conditions.append(f"seq {sign} (SELECT seq FROM objects WHERE id = ?)")
                values.append(key)
        order = "ASC" if before is not None else "DESC"
        query = f"SELECT body FROM objects WHERE {' AND '.join(conditions)} ORDER BY seq {order} LIMIT ?"
        rows = self._connection.execute(query, (*values, limit)).fetchall()
        found = [json.loads(row[0]) for row in rows]
        return found[::-1] if before is not None else found

    def balance(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT currency, amount FROM balances ORDER BY currency").fetchall())

    def move(self, currency: str, amount: int) -> None:
        """Put money into the platform's balance, or take it out."""
        self._connection.execute(
            "INSERT INTO balances VALUES (?, ?) ON CONFLICT (currency) DO UPDATE SET amount = amount + excluded.amount",
            (currency, amount),
        )

    def emit(self, kind: str, about: Json) -> None:
        """An event, and its delivery to each endpoint that wants it. `about` as it is now."""
        endpoints = [
            each["id"]
            for each in self.newest("webhook_endpoint", 100)
            if each["status"] == "enabled" and {"*", kind} & set(each["enabled_events"])
        ]
        event = self.new(
            "evt",
            "event",
            {
                "api_version": API_VERSION,
                "created": self.now,
                "data": {"object": public(about)},
                "livemode": False,
                "pending_webhooks": len(endpoints),
                "request": {"id": self._request, "idempotency_key": self._key},
                "type": kind,
            },
        )
        rows = [(event["id"], endpoint, self.now) for endpoint in endpoints]
        self._connection.executemany("INSERT INTO deliveries (event, endpoint, due) VALUES (?, ?, ?)", rows)

    def _prune(self) -> None:
        for table, group in (("objects", "kind"), ("deliveries", "endpoint")):
            newest = f"SELECT seq, row_number() OVER (PARTITION BY {group} ORDER BY seq DESC) AS place FROM {table}"
            oldest = f"SELECT seq FROM ({newest}) WHERE place > ?"
            self._connection.execute(f"DELETE FROM {table} WHERE seq IN ({oldest})", (MAX_OF_A_KIND,))
        # a delivery without its event would be due for ever
        self._connection.execute(
            "DELETE FROM deliveries WHERE event NOT IN (SELECT id FROM objects WHERE kind = 'event')"
        )
        self._connection.execute("DELETE FROM idempotency WHERE created < ?", (self.now - KEYS_LAST_S,))
        self._connection.execute(
            "DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency ORDER BY created DESC LIMIT -1 OFFSET ?)",
            (MAX_OF_A_KIND,),
        )


class Store:
    """The file, one transaction at a time."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self.connection = open_database(file)
        self.clock = clock

    @contextmanager
    def transaction(self, request: str = "", key: str | None = None) -> Iterator[Transaction]:
        """All of the block or, where it raises, nothing of it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield Transaction(self.connection, self.clock(), request, key)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def public(body: Json) -> Json:
    """Without what is ours alone."""
    return {name: value for name, value in body.items() if not name.startswith("_")}
