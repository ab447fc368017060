"""Which of the project's own operations plans are made of, and what keeps the others: `python -m bench.fallbacks`.

Its own are the valid documents written in the gateway's folders, its benches, pages and tests of the API. Nothing is run: how often plans
that are there end before their time is counted by a gateway (`torii_engine_fallbacks_total`).
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, parse, validate

from engine.compiled.plan import Plan
from engine.compiled.reasons import Reason, Unsupported
from engine.compiled.selection import condition_variables
from schema.build import build_schema

ROOT = Path(__file__).parents[1]
FOLDERS = ("bench", "commands", "demo", "engine/transport", "infra", "tests/api", "tests/clients")
BLOCK = re.compile(r"(?:^    .*\n|^\n)+", re.MULTILINE)
"""What is indented in a page."""


@dataclass(frozen=True, slots=True)
class Found:
    """An operation, and what keeps it from being a plan; None where nothing does."""

    place: str
    name: str
    reason: Reason | None


def texts() -> Iterator[tuple[str, str]]:
    """What may be a document, and the file that it is in."""
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and "{" in node.value:
                    yield str(file.relative_to(ROOT)), node.value
    for file in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]):
        for block in BLOCK.findall(file.read_text()):
            yield str(file.relative_to(ROOT)), block


def documents(schema: GraphQLSchema) -> Iterator[tuple[str, DocumentNode]]:
    """Those that are valid, each text once."""
    seen: set[str] = set()
    for place, text in texts():
        if text in seen:
            continue
        seen.add(text)
        try:
            document = parse(text)
        except GraphQLError:
            continue
        if not validate(schema, document):
            yield place, document


def found(schema: GraphQLSchema) -> Iterator[Found]:
    """Each operation, as if every variable that decides which fields are there were true."""
    for place, document in documents(schema):
        conditions = dict.fromkeys(condition_variables(document), True)
        for operation in document.definitions:
            if isinstance(operation, OperationDefinitionNode):
                name = operation.name.value if operation.name else operation.operation.value
                yield Found(place, name, _reason(schema, document, operation, conditions))


def _reason(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, conditions: dict[str, bool]
) -> Reason | None:
    try:
        Plan(schema, document, operation, conditions)
    except Unsupported as unsupported:
        return unsupported.reason
    return None


def main(arguments: list[str]) -> None:
    """`--all` names each that is left to graphql-core."""
    operations = list(found(build_schema()._schema))
    left = [each for each in operations if each.reason]
    share = len(left) / len(operations)
    print(f"{len(operations)} operations, {len(left)} left to graphql-core ({share:.1%})")
    for reason, count in Counter(each.reason for each in left).most_common():
        print(f"  {count:4} {reason}")
    if "--all" in arguments:
        for each in left:
            print(f"  {each.place}: {each.name} ({each.reason})")


if __name__ == "__main__":
    main(sys.argv[1:])
