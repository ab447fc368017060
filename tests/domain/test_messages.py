"""What refusals say: every one of them in Japanese and in English."""

import ast
import importlib
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.payments.refusals import PaymentReason
from domain.shared.languages import Language
from domain.shared.messages import TEXTS
from domain.shared.refusals import InvalidInput, NotFound, Refusal, Refusals, Unavailable
from resolvers.languages import accepted

ROOT = Path(__file__).parents[2]
SOURCES = [file for folder in ("domain", "resolvers", "adapters") for file in (ROOT / folder).rglob("*.py")]
OF_OPERATORS = {"domain.imports", "domain.capture", "domain.search.refusals"}
"""Modules whose refusals are shown on the command line alone, in English."""


def refusals() -> Iterator[type[Refusal]]:
    """Every class of refusal of the domain that a client may see."""
    for file in (ROOT / "domain").rglob("*.py"):
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    open_ones = [Refusal]
    while open_ones:
        kind = open_ones.pop()
        open_ones += kind.__subclasses__()
        if kind.__module__.startswith("domain.") and not kind.__module__.startswith(tuple(OF_OPERATORS)):
            yield kind


def test_every_refusal_has_a_text_in_both_languages() -> None:
    assert {kind.code for kind in refusals()} - TEXTS.keys() == set(), "give it a Text in domain/shared/messages.py"


def holes(text: str) -> set[str]:
    return {str(name) for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_something_and_name_the_same() -> None:
    for key, text in TEXTS.items():
        assert text.en.strip(), key
        assert any(ord(character) > 0x3000 for character in text.ja), f"{key} is not Japanese: {text.ja}"
        assert holes(text.en) == holes(text.ja), key


def keys_in_use() -> Iterator[tuple[str, str]]:
    """File and key, wherever a refusal is made with a text that is not that of its code."""
    names = {kind.__name__ for kind in refusals()}
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in names | {"super().__init__"}:
                words = (word.value for word in node.keywords if word.arg == "key")
                yield from ((file.name, word.value) for word in words if isinstance(word, ast.Constant))


def test_each_key_that_is_used_has_its_text() -> None:
    in_use = set(keys_in_use())
    assert ("service.py", "quantity_range") in in_use
    assert {(file, key) for file, key in in_use if key not in TEXTS} == set()
    assert {each.value for each in PaymentReason} <= TEXTS.keys()


def test_a_refusal_speaks_the_language_that_it_is_asked_in() -> None:
    refusal = InvalidInput(key="page_size", name="first", most=100, size=101)
    assert refusal.told(Language.EN) == "first must be from 0 to 100, not 101" == str(refusal)
    assert refusal.told(Language.JA) == "firstには0～100を指定してください（指定値: 101）。"
    assert Unavailable("PostgreSQL").told(Language.JA).startswith("ただいまPostgreSQL")


def test_one_that_was_given_in_english_says_what_its_code_means_in_japanese() -> None:
    refusal = NotFound("no such thing here")
    assert refusal.told(Language.EN) == "no such thing here"
    assert refusal.told(Language.JA) == TEXTS["NOT_FOUND"].ja


def test_several_refusals_are_told_as_the_first_where_there_is_room_for_one() -> None:
    both = Refusals([InvalidInput(key="required", field=("city",)), NotFound()])
    assert (both.code, both.field, both.message) == ("BAD_USER_INPUT", ("city",), "this cannot be empty")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.JA),
        ("", Language.JA),
        ("ja", Language.JA),
        ("en", Language.EN),
        ("en-GB,en;q=0.9", Language.EN),
        ("EN-us", Language.EN),
        ("fr-FR, en;q=0.5", Language.EN),
        ("ja;q=0.4, en;q=0.8", Language.EN),
        ("en;q=0.4, ja;q=0.8", Language.JA),
        ("en, ja", Language.EN),
        ("en;q=0", Language.JA),
        ("en;q=2", Language.JA),
        ("en;q=nan", Language.JA),
        ("en;level=1", Language.JA),
        ("*, en;q=0.5", Language.JA),
        ("fr, de;q=0.5", Language.JA),
        (";;,,q=,=", Language.JA),
        ("x" * 100_000 + ",en", Language.JA),
    ],
)
def test_the_language_of_a_request(header: str | None, language: Language) -> None:
    assert accepted(header) is language
