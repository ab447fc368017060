"""Rows of an answer: msgspec structs, made for a selection.

Beside a dict, a struct takes a quarter of the time to make, and a little longer to write. It is written by msgspec, whose bytes are
orjson's but for exponents (1e16 for 1e+16). What msgspec would write in a way of its own, `as_orjson` writes beforehand.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import orjson

PLAIN = frozenset([str, int, float, bool])
MAX_INT, MIN_INT = 2**64 - 1, -(2**63)
"""What orjson writes."""
SPARE_BYTES = 256 * 1024
"""The longest text whose buffer is written to again: one that grows is copied at each step."""


class Row(msgspec.Struct, gc=False):
    """A value of an answer. Its attributes are named by place, or as a value's are, so that no name of a client's is one."""

    places: ClassVar[Mapping[str, str]] = {}
    """The attribute of each key."""

    def as_dict(self) -> dict[str, Any]:
        """By key; what lies deeper as it is."""
        return dict(zip(self.places, msgspec.structs.astuple(self), strict=True))


def row_class(keys: Sequence[str]) -> type[Row]:
    """The rows with these keys, all different, in this order. Values are given by position."""
    return _class(keys, [f"v{number}" for number in range(len(keys))], [Any] * len(keys))


def attributes_class(names: Sequence[str], types: Sequence[Any]) -> type[Row]:
    """Rows that msgspec makes of objects: it reads the attributes of these names, which the keys are too, and knows each by its type."""
    return _class(names, names, types)


def _class(keys: Sequence[str], names: Sequence[str], types: Sequence[Any]) -> type[Row]:
    made = msgspec.defstruct(
        "Row",
        list(zip(names, types, strict=True)),
        bases=(Row,),
        rename=dict(zip(names, keys, strict=True)),
        namespace={"places": dict(zip(keys, names, strict=True))},
        gc=False,
    )
    assert issubclass(made, Row)
    return made


def as_orjson(value: Any) -> Any:
    """A leaf that msgspec writes as orjson would. Raises orjson.JSONEncodeError for what that cannot write."""
    class_ = type(value)
    if class_ in PLAIN and not (class_ is int and not MIN_INT <= value <= MAX_INT):
        return value
    return msgspec.Raw(orjson.dumps(value, default=str))


def writer(other: Callable[[Any], bytes | None]) -> Callable[[Row], orjson.Fragment]:
    """A function that writes rows for orjson. `other` writes what else may be in them; None where it does not know it either."""

    def hook(value: Any) -> Any:
        body = other(value)
        if body is not None:
            return msgspec.Raw(body)
        # a text of a class of its own
        return str.__str__(value) if isinstance(value, str) else str(value)

    encode_into = msgspec.json.Encoder(enc_hook=hook).encode_into
    spare: list[bytearray] = []

    def write(row: Row) -> orjson.Fragment:
        buffer = spare.pop() if spare else bytearray()
        encode_into(row, buffer)
        body = bytes(buffer)
        if len(buffer) <= SPARE_BYTES and not spare:
            spare.append(buffer)
        return orjson.Fragment(body)

    return write
