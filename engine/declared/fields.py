"""Makes fields that declare how they get their value, so that any engine can read it from the schema.

An *attribute* is read off the value. An *edge* leads to other values by a key and is loaded a whole level at a time. A
*resolver* is code, for what is neither. Each carries its access rule and description; a field without either does not build.
What a rule is the schema says, and `engine/declared/access.py` enforces it.
"""

from collections.abc import Awaitable, Callable, Hashable
from functools import wraps
from inspect import isawaitable, signature
from typing import Annotated, Any, NamedTuple, Protocol

import strawberry
from strawberry.types import Info

from engine.declared.kinds import Arguments, Computed, Edge, Shows
from engine.fragments.declared import Finds
from engine.reading.secrecy import SENSITIVE


class Loading(Protocol):
    """What a context's `loaders` offers to fields."""

    async def load(self, loader: str, key: Hashable, arguments: Arguments = ()) -> Any:
        """To edges that are resolved a key at a time."""
        ...

    def forget(self) -> None:
        """To mutations: load anew from here on."""
        ...


def shows(*values: type) -> Any:
    """`is_type_of` of a view: an implementer of an interface says which values it shows."""
    return classmethod(Shows(values))


def metadata(
    access: Hashable, cost: int, kind: Edge | Computed | None = None, size: int | None = None
) -> dict[str, Any]:
    """What a field declares. `size`: how long its list is taken to be for its cost, where no argument says."""
    return {"access": access, "cost": cost} | ({"kind": kind} if kind else {}) | ({"size": size} if size else {})


def attribute(*, access: Hashable, description: str, name: str | None = None, size: int | None = None) -> Any:
    """A field of the same name on the value; `name` is its GraphQL name where that differs."""
    return strawberry.field(name=name, description=description, metadata=metadata(access, 0, size=size))


def computed(read: Callable[[Any], Any], *, access: Hashable, description: str, of: str | None = None) -> Any:
    """A field that is a pure function of the value, or of its attribute `of` alone."""
    kind = Computed(read, of)

    def resolve(root: Any) -> Any:
        return kind(root)

    return strawberry.field(resolver=resolve, description=description, metadata=metadata(access, 0, kind))


def edge(
    loader: str,
    *,
    key: str,
    access: Hashable,
    description: str,
    cost: int = 1,
    size: int | None = None,
    is_part: bool = False,
) -> Any:
    """A field loaded by the value's attribute `key`; null where that is None.

    `is_part`: what it leads to is the same for all of the public, and the value is said to have changed whenever that has.
    """

    async def resolve(root: Any, info: Info) -> Any:
        value = getattr(root, key)
        return None if value is None else await info.context.loaders.load(loader, value)

    return strawberry.field(
        resolver=resolve,
        description=description,
        metadata=metadata(access, cost, Edge(loader, key, is_part=is_part), size),
    )


def private_input(*, description: str, **options: Any) -> Any:
    """A field of an input whose values belong to a person or open a door: no message, log or trace shows them.

    `options` are those of `strawberry.field`, such as `default`.
    """
    return strawberry.field(description=description, metadata=SENSITIVE, **options)


First = Annotated[
    int | None, strawberry.argument(description="How many, from the start or after `after`. At most 100.")
]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many, from the end or before `before`. At most 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


class Paging(NamedTuple):
    """The arguments of a Relay connection, as they were given."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


def connection(
    loader: str, *, key: str, access: Hashable, description: str, cost: int = 2, is_part: bool = False
) -> Any:
    """An edge to a page of values, with the arguments of a Relay connection. `is_part` as for an edge."""

    async def resolve(
        root: Any, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Any:
        arguments = kind.arguments(Paging(first, after, last, before)._asdict())
        return await info.context.loaders.load(loader, getattr(root, key), arguments)

    kind = Edge(loader, key, tuple(sorted(Paging._fields)), is_part)
    return strawberry.field(resolver=resolve, description=description, metadata=metadata(access, cost, kind))


def resolver(
    function: Callable[..., Any],
    *,
    access: Hashable,
    description: str,
    graphql_type: Any,
    cost: int = 1,
    size: int | None = None,
    finds: Finds | None = None,
    shared_s: int | None = None,
) -> Any:
    """A field with code of its own. `graphql_type` is what it shows; the function returns the value behind it.

    Of the root, `finds` where its arguments name an entity that may be kept, and `shared_s` where it is the same for all of the
    public, but for what is guarded below: how long, in seconds, whoever keeps an answer may show it.
    """
    marks = {"finds": finds, "shared_s": shared_s}
    return strawberry.field(
        resolver=function,
        description=description,
        graphql_type=graphql_type,
        metadata=metadata(access, cost, size=size) | {name: each for name, each in marks.items() if each is not None},
    )


def taking(act: Callable[[Any, Any], Awaitable[object]], given: type, about: str) -> Callable[..., Any]:
    """The function of a mutation whose one argument is `input`, of the type `given`; `act` gets the info and that."""

    async def resolve(info: Info, input: Any) -> object:
        return await act(info, input)

    resolve.__annotations__["input"] = Annotated[given, strawberry.argument(description=about)]
    return resolve


def mutation(
    function: Callable[..., Any],
    *,
    access: Hashable,
    description: str,
    graphql_type: Any,
    cost: int = 10,
    limit: str | None = None,
    ignores_bearer: bool = False,
    within_s: float | None = None,
) -> Any:
    """A field of the root `Mutation`. Before its function is called and after it, what was loaded so far is forgotten.

    Parameters:
        limit: the rate limit that its calls count towards, by name.
        ignores_bearer: it brings credentials of its own, and runs as nobody where the request's bearer token is refused.
        within_s: how long an operation with it may take, where that is more than what any operation may.
    """
    marks = (
        ({"limit": limit} if limit else {})
        | ({"ignores_bearer": True} if ignores_bearer else {})
        | ({"within_s": within_s} if within_s else {})
    )
    return strawberry.mutation(
        resolver=_writing(function),
        description=description,
        graphql_type=graphql_type,
        metadata=metadata(access, cost) | marks,
    )


def _writing(function: Callable[..., Any]) -> Callable[..., Any]:
    """What an earlier field of the operation loaded, or this before it wrote, may be out of date: nobody is shown that."""
    if "info" not in signature(function).parameters:
        raise TypeError(f"{function.__qualname__}: a mutation takes `info`, by this name")

    @wraps(function)
    async def resolve(info: Info, **given: Any) -> Any:
        info.context.loaders.forget()
        try:
            made = function(info=info, **given)
            return await made if isawaitable(made) else made
        finally:
            info.context.loaders.forget()

    return resolve


def subscription(
    function: Callable[..., Any], *, access: Hashable, description: str, graphql_type: Any, cost: int = 1
) -> Any:
    """A field of the root `Subscription`. The function gives an asynchronous iterator of the values behind it.

    `cost` is that of an event. Values should be few: what a client does not take in time waits in the iterator, so the
    iterator says what becomes of it.
    """
    return strawberry.subscription(
        resolver=function, description=description, graphql_type=graphql_type, metadata=metadata(access, cost)
    )
