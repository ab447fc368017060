"""Makes moto's DynamoDB keep what the real one promises: requests that are atomic, and transactions that are cheap.

As shipped (5.2.5), its threads check a condition and write after it without a lock, and a transaction copies the whole
table, once an operation, and puts the copy back when it is cancelled: with it go all writes of other threads since.
Call `repair()` once, before the server starts.
"""

import copy
from collections import defaultdict
from threading import RLock
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler


def repair() -> None:
    lock = RLock()
    call_action = DynamoHandler.call_action
    transact = DynamoDBBackend.transact_write_items

    def one_at_a_time(self: DynamoHandler) -> Any:
        with lock:
            return call_action(self)

    def transact_on_touched_partitions(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        with lock:
            real = self.tables
            touched = _touched(real, transact_items)
            small = {name: _part_of(real[name], keys) for name, keys in touched.items()}
            self.tables = {**real, **small}
            try:
                transact(self, transact_items)
            finally:
                self.tables = real
            for name, keys in touched.items():
                for key in keys:
                    if small[name].items.get(key):
                        real[name].items[key] = small[name].items[key]
                    else:
                        real[name].items.pop(key, None)

    DynamoHandler.call_action = one_at_a_time  # type: ignore[method-assign]
    DynamoDBBackend.transact_write_items = transact_on_touched_partitions  # type: ignore[method-assign]


def _touched(tables: dict[str, Any], transact_items: list[dict[str, Any]]) -> dict[str, set[DynamoType]]:
    found: dict[str, set[DynamoType]] = defaultdict(set)
    for item in transact_items:
        for operation in item.values():
            table = tables.get(operation.get("TableName"))
            key = operation.get("Key") or operation.get("Item") or {}
            if table is not None and table.hash_key_attr in key:
                found[table.name].add(DynamoType(key[table.hash_key_attr]))
    return found


def _part_of(table: Any, keys: set[DynamoType]) -> Any:
    """The table with copies of these partitions and nothing else."""
    part = copy.copy(table)
    part.items = defaultdict(dict, {key: copy.deepcopy(table.items[key]) for key in keys if key in table.items})
    return part
