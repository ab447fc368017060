"""How much a client may ask for, as numbers. engine/reading/limits.py has the codes of what breaks one."""

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Inclusive bounds; sizes in bytes, times in seconds. Counts of selections are taken with fragments put in place."""

    body_bytes: int = 2 * KIB * KIB
    body_s: float = 10
    """How long a body may take to come."""
    url_bytes: int = 32 * KIB
    """Of the query string of a GET. The server itself takes no address above 64 KiB."""
    json_values: int = 20_000
    """Numbers, strings, lists and objects in a body, all together."""
    input_depth: int = 20
    """Lists and objects within each other, in variables."""
    list_items: int = 1_000
    """Of one list, in the document or in variables."""
    object_values: int = 200
    """Of one object: with all that is within it, in a document; its own fields, in variables."""

    document_bytes: int = 64 * KIB
    tokens: int = 5_000
    """Of a document, comments included."""
    lines: int = 5_000
    digits: int = 100
    """Of a number in a document, its sign, point and exponent included."""
    trusted_bytes: int = 512 * KIB
    trusted_tokens: int = 50_000
    nesting: int = 64
    """Brackets of any kind within each other."""
    depth: int = 15
    """Fields within fields."""
    fields: int = 1_000
    breadth: int = 200
    """Fields of one selection set."""
    root_fields: int = 20
    aliases: int = 50
    repeats: int = 50
    """Fields that are merged into one, because they have one name in one place."""
    fragments: int = 200
    """Spreads and inline fragments."""
    directives: int = 50

    cost: int = 5_000
    list_size: int = 10
    """Assumed of a list that nothing bounds, for its cost."""
    page_size: int = 20
    """Assumed of a connection without `first` and `last`, for its cost."""
