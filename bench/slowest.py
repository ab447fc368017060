"""The slowest document that the event loop reads by itself: `python -m bench.slowest [SECONDS]`.

Climbs from many beginnings: documents are put together from pieces that validation takes long for, and whatever made one slower
is kept. Only documents within every limit, and short enough to be read on the loop, count.
"""

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from engine.reading.bounds import Limits
from engine.reading.documents import INLINE_BYTES, INLINE_TOKENS, Documents
from engine.reading.limits import LimitExceeded
from engine.reading.tokens import check_tokens
from schema.build import build_schema

SECONDS = 20.0
RESTART_AFTER = 25
"""Changes in vain."""
SEED = 20_261_121

AT_ROOT = (
    "a{n}: cart {{ version }}",
    "products(firs{n}: 1) {{ nodes {{ id }} }}",
    "products(first: 1) {{ nodes {{ category {{ parent {{ id nam{n} }} }} }} }}",
    "products(first: 1) {{ nodes {{ id name slug category {{ path {{ id }} }} }} }}",
    "products(first: 1) {{ nodes {{ ...P }} }}",
    "... on Query {{ products(first: 1) {{ nodes {{ ...P id }} }} }}",
    "product(id: {{a{n}: [1], b: {{c: $v{n}}}}}) {{ id }}",
    "products(filter: {{ pric{n}: 1, minPrice: $v{n} }}) {{ nodes {{ id }} }}",
    "products(sort: NEWES{n}) {{ nodes {{ id }} }}",
    "nodes(ids: [$v{n}, {n}, 1.5, \"x\"]) {{ id ...F{n} }}",
    "node(id: \"x\") {{ ... on Product {{ id nam{n} }} ... on Selle{n} {{ id }} }}",
    "node(id: \"x\") {{ ... on Product {{ x: id }} ... on Seller {{ x: name }} ... on Brand {{ x: nameKana }} }}",
    "cart @include(if: $v{n}) @ski{n}(if: true) {{ version }}",
)  # fmt: skip
KEYS = "quantity{n}: $v{n}", "productId: {n}", "k{n}: {{ a: [1, 2, {n}] }}", "q{n}: 1", 'lineId: "{n}"'
BESIDE = (
    "fragment F{n} on Product {{ ...P id nam{n} }}",
    "fragment F{n} on Produc{n} {{ id }}",
    "query Q{n}($v{n}: Int, $w: Produc{n}) {{ cart {{ version }} }}",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """Pieces of a document: fields at the root, keys of a mutation's input, definitions beside them."""

    root: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def text(self) -> str:
        written = ["fragment P on Product { id name slug category { id name } }"]
        if self.root:
            written.append(f"query A {{ {' '.join(self.root)} }}")
        if self.keys:
            written.append(
                f"mutation B {{ cartItemAdd(input: {{ {', '.join(self.keys)} }}) {{ cart {{ version }} }} }}"
            )
        return " ".join((*written, *self.beside))


def changed(draft: Draft, chance: random.Random) -> Draft:
    """With a few pieces more, or fewer."""
    lists = {"root": list(draft.root), "keys": list(draft.keys), "beside": list(draft.beside)}
    pieces = {"root": AT_ROOT, "keys": KEYS, "beside": BESIDE}
    kind = chance.choices(("root", "keys", "beside"), (4, 4, 1))[0]
    if lists[kind] and chance.random() < 0.4:
        del lists[kind][: chance.randint(1, len(lists[kind]))]
        kind = chance.choice(("root", "keys", "beside"))
    piece = chance.choice(pieces[kind])
    lists[kind] += [piece.format(n=chance.randrange(200)) for _ in range(chance.randint(1, 40))]
    return Draft(*(tuple(each) for each in lists.values()))


class Reader:
    """Reads documents as the gateway does, in development, where hints are looked for, too."""

    def __init__(self) -> None:
        self._limits = Limits()
        self._documents = Documents(build_schema()._schema, self._limits, introspection=True, hints=True)

    def is_inline(self, text: str) -> bool:
        try:
            return check_tokens(text, self._limits) <= INLINE_TOKENS and len(text.encode()) <= INLINE_BYTES
        except LimitExceeded:
            return False

    def ms(self, text: str, times: int = 3) -> float:
        """CPU, of the fastest time."""
        found = []
        for _ in range(times):
            began = time.thread_time()
            self._documents._read(text)
            found.append(time.thread_time() - began)
        return min(found) * 1e3


def search(seconds: float, seed: int = SEED) -> tuple[float, str, int]:
    """CPU in ms of the slowest document, the document, and how many were tried."""
    chance, reader, tried = random.Random(seed), Reader(), 0
    slowest = (0.0, "")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        best, draft, in_vain = 0.0, Draft(), 0
        while in_vain < RESTART_AFTER and time.monotonic() < until:
            candidate = changed(draft, chance)
            if not reader.is_inline(candidate.text()):
                in_vain += 1
                continue
            tried += 1
            took = reader.ms(candidate.text())
            in_vain = 0 if took > best else in_vain + 1
            if took > best:
                best, draft = took, candidate
        slowest = max(slowest, (best, draft.text()))
    return (*slowest, tried)


def main(arguments: Sequence[str]) -> None:
    ms, text, tried = search(float(arguments[0]) if arguments else SECONDS)
    print(f"{ms:.1f} ms of CPU, the slowest of {tried} documents of at most {INLINE_TOKENS} tokens:\n{text}")


if __name__ == "__main__":
    main(sys.argv[1:])
