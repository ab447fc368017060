"""Steps of plans that show fragments: where an edge leads to an entity, a field of the root finds one, or a value is one."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from graphql import is_non_null_type

from engine.compiled.reasons import Deviation, Reason, deviating
from engine.compiled.selection import Field
from engine.compiled.steps import Call, Paths, Run, Step
from engine.fragments.declared import Finds
from engine.fragments.entities import Fragments, Rows
from engine.fragments.rendered import NULL, Rendered
from engine.fragments.sites import Site


class KeptLoad:
    """An edge to entities that are kept; any edge, `plain`, where nothing is."""

    def __init__(self, field: Field, site: Site, level: Rows, plain: Step) -> None:
        self.field = field
        self._plain = plain
        self._key = site.key
        self._is_required = is_non_null_type(field.type)
        self._fragments = Fragments(site, level, is_required=self._is_required, keeps_nulls=True)

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Sequence[Any]:
        """What the answer shows for each value: a fragment, a row where nothing may be kept, or None. Raises Deviation."""
        if run.shelf is None:
            return await self._plain.column(values, paths, run)
        with deviating():
            keys = [getattr(value, self._key) for value in values]
        found: dict[Hashable, Any] = {None: None}
        found |= await self._fragments.shown([key for key in dict.fromkeys(keys) if key is not None], run)
        if self._is_required and None in keys:
            raise Deviation(Reason.NULL)
        return [found[key] for key in keys]


class KeptRows:
    """Values that are entities, in the place of their level: what fragments show is not looked at further.

    What is missing is loaded by its key, for who knows how old the values are. Where that fails they are shown as they are.
    """

    def __init__(self, site: Site, level: Rows) -> None:
        self._site = site
        self._level = level
        self._fragments = Fragments(site, level, is_required=True, keeps_nulls=False)

    async def rows(self, values: Sequence[Any], _paths: Paths, run: Run) -> Sequence[Any]:
        """Raises Deviation."""
        if run.shelf is None or not values:
            return await self._level.rows(values, None, run)
        kept = self._site.kept
        try:
            with deviating():
                keys = [getattr(value, self._site.key) for value in values]
                versions = {} if kept.version is None else dict(zip(keys, map(kept.version_of, values), strict=True))
                found = await self._fragments.shown(list(dict.fromkeys(keys)), run, versions=versions)
        except Deviation:
            run.shelf.is_loose = True
            return await self._level.rows(values, None, run)
        return [found[key] for key in keys]


class KeptCall:
    """A field of the root that finds an entity by what its arguments name; the resolver is called where no fragment is.

    What clients name is not kept when there is no such thing, or they could fill the store with it.
    """

    def __init__(self, field: Field, site: Site, level: Rows, finds: Finds, call: Call) -> None:
        self.field = field
        self._finds = finds
        self._call = call
        self._held = KeptRows(site, level) if site.key else level
        is_required = is_non_null_type(field.type)
        self._fragments = Fragments(site, level, is_required=is_required, keeps_nulls=False)

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Sequence[Any]:
        was_called = False

        async def resolved(_keys: Sequence[Hashable]) -> Sequence[Any]:
            nonlocal was_called
            was_called = True
            return await self._call.column(values, paths, run)

        key = self.key(run.arguments(self.field))
        if key is None:
            return await self._named_otherwise(await resolved(()), run)
        [found] = (await self._fragments.shown([key], run, resolved)).values()
        if not was_called:
            self.noted(found, run.context)
        return [found]

    async def _named_otherwise(self, column: Sequence[Any], run: Run) -> Sequence[Any]:
        """Of what only the resolver can find."""
        if column[0] is not None:
            return await self._held.rows(column, None, run)
        if is_non_null_type(self.field.type):
            raise Deviation(Reason.NULL)
        return column

    def key(self, arguments: Mapping[str, Any]) -> Hashable | None:
        """What they name, where that takes no look-up."""
        return self._finds.key(arguments)

    def noted(self, found: Any, context: Any) -> None:
        """What the resolver would have taken note of. What is shown without its call is a fragment, which knows what it shows."""
        if isinstance(found, Rendered) and found.body != NULL and self._finds.seen:
            self._finds.seen(context, found.at[1])
