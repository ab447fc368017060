"""A look at a document before anything parses it: one pass over its tokens, linear in its length.

The tokens are those of graphql-core's lexer, and comments (September 2025 edition of the specification, section 2.1).
A document that the lexer takes is counted exactly; of any other at least what the lexer would read before it gives up.
"""

import re
from dataclasses import dataclass

from engine.reading.bounds import Limits
from engine.reading.limits import Code, hold

# Possessive, so that nothing is ever tried twice. A block string ends at the first three quotes without a backslash.
TOKEN = re.compile(
    r"""
      (?P<name>[_A-Za-z][_0-9A-Za-z]*+)
    | (?P<spread>\.\.\.)
    | (?P<mark>[!$&():=@\[\]{|}])
    | \"\"\" (?: [^"\\] | \\\"\"\" | \\ | "(?!"") )*+ (?:\"\"\")?
    | " (?: [^"\\\r\n] | \\[^\r\n] )*+ "?
    | \#[^\r\n]*+
    | (?P<number>-?[0-9]++ (?:\.[0-9]++)? (?:[eE][+-]?[0-9]++)?)
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class Tokens:
    """What was counted; `fields`, `aliases` and so on as they are written, before fragments are put in place."""

    total: int = 0
    nesting: int = 0
    spreads: int = 0
    directives: int = 0
    aliases: int = 0
    names: int = 0
    digits: int = 0
    """Of the longest number."""

    @property
    def fields(self) -> int:
        """At least so many: of the names that are not an alias, a directive, a spread, or `on` with its type."""
        return self.names - self.aliases - self.directives - 2 * self.spreads


def count_tokens(text: str, enough: int) -> Tokens:
    """Count the tokens of a document; stop after `enough`."""
    found = Tokens()
    nesting = in_brackets = 0
    for token in TOKEN.finditer(text):
        found.total += 1
        if found.total > enough:
            break
        kind = token.lastgroup
        if kind == "name":
            # arguments and variables stand in parentheses, and the names of definitions outside of all braces
            found.names += nesting > 0 and not in_brackets
        elif kind == "spread":
            found.spreads += 1
        elif kind == "number":
            found.digits = max(found.digits, len(token[0]))
        elif kind == "mark":
            mark = token[0]
            if mark in "({[":
                nesting += 1
                in_brackets += mark == "(" or (in_brackets > 0)
                found.nesting = max(found.nesting, nesting)
            elif mark in ")}]":
                nesting = max(0, nesting - 1)
                in_brackets = max(0, in_brackets - 1)
            elif mark == "@":
                found.directives += 1
            elif mark == ":":
                found.aliases += nesting > 0 and not in_brackets
    return found


def check_tokens(text: str, limits: Limits, *, trusted: bool = False) -> int:
    """The number of tokens. Raises LimitExceeded for what can be seen without parsing."""
    most = limits.trusted_tokens if trusted else limits.tokens
    found = count_tokens(text, most)
    hold(Code.TOKENS, found.total, most)
    hold(Code.DIGITS, found.digits, limits.digits)  # Python's int() gives up at 4,300
    hold(Code.NESTING, found.nesting, limits.nesting)
    if not trusted:
        hold(Code.LINES, 1 + text.count("\n") + text.count("\r") - text.count("\r\n"), limits.lines)
        hold(Code.DIRECTIVES, found.directives, limits.directives)
        hold(Code.FRAGMENTS, found.spreads, limits.fragments)
        hold(Code.ALIASES, found.aliases, limits.aliases)
        hold(Code.FIELDS, found.fields, limits.fields)
    return found.total
