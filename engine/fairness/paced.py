"""graphql-core's executor, but with long lists completed piece by piece, so that nobody waits for the whole of one."""

from collections.abc import Iterable, Sequence
from typing import Any

from graphql import GraphQLOutputType, GraphQLResolveInfo, get_named_type, is_leaf_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.incremental import IncrementalExecutor
from graphql.pyutils import AwaitableOrValue, Path, gather_with_cancel

from engine.fairness.turns import WALK, Walk, pieces

LONG, PIECE = 20, 5
"""Values of a list: five take 3 ms where 80 fields are asked of each."""


class PacedExecutor(IncrementalExecutor):
    """Needs an event loop. What lists of one Walk have to load, in WALK, is loaded together."""

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        is_long = isinstance(items, list | tuple) and len(items) > LONG
        if not is_long or is_leaf_type(get_named_type(item_type)) or self.get_stream_usage(field_details_list, path):
            return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)
        assert isinstance(items, Sequence)
        return self._in_pieces(items, path, (item_type, field_details_list, info), position_context)

    async def _in_pieces(
        self, items: Sequence[Any], path: Path, field: tuple[Any, Any, Any], position_context: Any
    ) -> list[Any]:
        item_type, details, info = field
        completed: list[Any] = []
        awaited: list[int] = []
        walk = WALK.get() or Walk()
        try:
            with walk.going():
                async for piece in pieces(items, PIECE):
                    for item in piece:
                        index = len(completed)
                        place = path.add_key(index, None)
                        if self.is_awaitable(item):
                            completed.append(
                                self.complete_awaitable_list_item_value(
                                    item, item_type, details, info, place, position_context
                                )
                            )
                            awaited.append(index)
                        elif self.complete_list_item_value(
                            item, completed, item_type, details, info, place, position_context
                        ):
                            awaited.append(index)
        except BaseException:  # as graphql-core does: whatever can be awaited is let come to its end
            rest = [item for item in items[len(completed) :] if self.is_awaitable(item)]
            if awaited or rest:
                self.settle_in_background([completed[index] for index in awaited] + rest)
            raise
        if awaited:
            values = await gather_with_cancel(*(completed[index] for index in awaited))
            for index, value in zip(awaited, values, strict=True):
                completed[index] = value
        return completed
