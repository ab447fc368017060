"""How the replication slot of change data capture stands, as any role may see it."""

from collections.abc import Mapping

from sqlalchemy import text

from adapters.postgres.database import Database
from domain.capture.ports import CaptureState
from domain.shared.refusals import Unavailable

STANDING = text(
    """
    SELECT s.slot_name IS NOT NULL AS is_there,
        coalesce(s.wal_status = 'lost' OR s.invalidation_reason IS NOT NULL, false) AS is_lost,
        coalesce(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), s.restart_lsn), 0)::bigint AS held,
        pg_size_bytes(nullif(m.setting, '-1') || m.unit) AS most
    FROM pg_settings m LEFT JOIN pg_replication_slots s ON s.slot_name = :slot
    WHERE m.name = 'max_slot_wal_keep_size'
    """
)


async def capture_state(database: Database, slot: str) -> CaptureState:
    """Of the writer. Raises Unavailable."""
    [row] = await database.fresh(STANDING, {"slot": slot})
    return CaptureState(slot, row.is_there, row.is_lost, row.held, row.most)


class CaptureFigures:
    """What those who watch gateways are told of the slot, looked at when they ask."""

    def __init__(self, database: Database, slot: str) -> None:
        self._database = database
        self._slot = slot
        self._state: CaptureState | None = None

    async def look(self) -> None:
        try:
            self._state = await capture_state(self._database, self._slot)
        except Unavailable:  # that the database is away is told elsewhere
            self._state = None

    def held(self) -> Mapping[str, float]:
        """Bytes; nothing where there is no slot."""
        return {"": self._state.held_bytes} if self._state is not None and self._state.is_there else {}

    def most(self) -> Mapping[str, float]:
        """Bytes; nothing where there is no slot, or no bound."""
        if self._state is None or not self._state.is_there or self._state.most_bytes is None:
            return {}
        return {"": self._state.most_bytes}
