"""Tokens are counted as graphql-core's lexer counts them, without parsing, and in time that grows with the text alone."""

import time

import pytest
from graphql import GraphQLError, Lexer, Source, TokenKind
from hypothesis import given
from hypothesis import strategies as st

from engine.reading.tokens import count_tokens

MARKS = st.sampled_from(["!", "$", "&", "(", ")", "...", ":", "=", "@", "[", "]", "{", "|", "}"])
NAMES = st.from_regex(r"\A[_A-Za-z][_0-9A-Za-z]{0,8}\Z")
NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?\Z")
TEXT = st.text(alphabet=st.sampled_from('ab#"{}(),. \t\u3042\U0001f600'), max_size=12)
STRINGS = TEXT.map(lambda text: '"' + text.replace('"', '\\"') + '"')
BLOCKS = st.text(alphabet=st.sampled_from('ab#"\\{}\n\r .'), max_size=12).map(
    lambda text: '"""' + text.replace('"""', '\\"""').rstrip('\\"') + '"""'
)
COMMENTS = st.text(alphabet=st.sampled_from('ab#"{} \t\u3042'), max_size=12).map(lambda text: f"#{text}\n")
BETWEEN = st.sampled_from([" ", ",", "\n", "\r\n", "\t", "\ufeff", " , "])
DOCUMENTS = st.lists(st.tuples(st.one_of(MARKS, NAMES, NUMBERS, STRINGS, BLOCKS, COMMENTS), BETWEEN), max_size=30).map(
    lambda parts: "".join(token + between for token, between in parts)
)


def lexed(text: str) -> tuple[int, bool]:
    """How many tokens the lexer reads, comments included, and whether it reads to the end."""
    lexer = Lexer(Source(text))
    try:
        while lexer.advance().kind is not TokenKind.EOF:
            pass
        whole = True
    except GraphQLError:
        whole = False
    count, token = 0, lexer.token
    while token.prev is not None:
        count += token.kind is not TokenKind.EOF
        token = token.prev
    return count, whole


@given(DOCUMENTS)
def test_a_document_has_as_many_tokens_as_the_lexer_finds(text: str) -> None:
    count, whole = lexed(text)
    assert whole
    assert count_tokens(text, 10_000).total == count


@given(st.text(alphabet=st.sampled_from('ab1.-"\\{}(#\n\r \u3042\x00%'), max_size=40))
def test_of_what_is_no_document_at_least_what_the_lexer_reads_is_counted(text: str) -> None:
    count, whole = lexed(text)
    found = count_tokens(text, 10_000).total
    assert found == count if whole else found >= count


@pytest.mark.parametrize(
    "unit", ['"', '"""', '""""', "\\", '"\\', '"""\\', "#", "1e", "1.", "..", "a", "{", "\u3042", '"a\n', "\r", "-"]
)
def test_counting_takes_time_by_the_length_and_no_more(unit: str) -> None:
    text = unit * (64 * 1024 // len(unit))
    took = []
    for _ in range(5):  # the machine may be busy with something else
        began = time.process_time()
        count_tokens(text, 5_000)
        took.append(time.process_time() - began)
    assert min(took) < 0.03


def test_what_is_written_is_counted_by_kind() -> None:
    found = count_tokens(
        """query Q($a: [Int!] = [1, 2] @d) @d { x: a(b: {c: [1], d: "}{@...:"}) @include(if: $a) { b }
        ... on T @skip(if: true) { c } ...F }  fragment F on T { d # : @ ...
        }""",
        1_000,
    )
    assert (found.aliases, found.directives, found.spreads, found.nesting) == (1, 4, 2, 4)
    assert 0 < found.fields <= 4
