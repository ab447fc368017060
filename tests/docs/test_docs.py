"""The pages for people against the code: what they name has to be there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from cli import app
from commands.reports import access_page
from engine.reading.limits import Code
from engine.transport.http_request import CODES
from infra.settings_table import filled_in
from schema.build import build_schema
from schema.matrix import access_matrix
from settings import Settings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^(?: {4}|\t).*$|`[^`\n]+`", re.MULTILINE)
COMMAND = re.compile(r"(?<![\w/-])(?:\.venv/bin/)?torii((?: [a-z][a-z-]*)+)")
TARGETS = re.compile(r"(?<![\w-])make((?: [a-z][a-z-]*)+)")
OUR_FILE = re.compile(
    r"`((?:adapters|bench|docs|domain|engine|infra|resolvers|schema|tests)/[\w./-]+|[a-z]+\.(?:py|toml|graphql))`"
)
REQUIREMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*", re.MULTILINE)


def of_pages(pattern: re.Pattern[str], *, in_code: bool = False) -> Iterator[tuple[str, str]]:
    """The page's name and what the pattern found, for each place; `in_code`: only in code, for words can be words."""
    for page in PAGES:
        text = page.read_text()
        for part in CODE.findall(text) if in_code else [text]:
            for found in pattern.findall(part):
                yield page.name, found


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_settings_in_the_readme_are_those_of_the_program() -> None:
    text = README.read_text()
    assert text == filled_in(text), "run .venv/bin/python -m infra.settings_table --write"


def test_the_access_page_is_that_of_the_schema() -> None:
    page = access_page(access_matrix(build_schema()._schema))
    assert (ROOT / "docs" / "access.md").read_text() == page, "run `make schema` and look at the difference"


def test_every_limit_stands_on_its_page_with_its_code_and_setting() -> None:
    page = (ROOT / "docs" / "limits.md").read_text()
    named = [
        *Code,
        *CODES.values(),
        *(f"TORII_{name.upper()}" for name in Settings.model_fields if name.startswith("max_")),
    ]
    assert [name for name in named if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_commands_exist() -> None:
    missing = [
        (page, f"torii{words}")
        for page, words in of_pages(COMMAND, in_code=True)
        if not exists(words.split(), typer.main.get_command(app))
    ]
    assert missing == []


def exists(words: list[str], command: object) -> bool:
    """Whether the words lead to a command; what follows one that has no commands of its own are its arguments."""
    if not isinstance(command, TyperGroup) or not words:
        return True
    return words[0] in command.commands and exists(words[1:], command.commands[words[0]])


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {(page, word) for page, words in of_pages(TARGETS, in_code=True) for word in words.split()}
    assert {(page, word) for page, word in named if word not in targets} == set()


def test_files_that_are_named_exist() -> None:
    example = "r0008"  # the next revision, which recipes make
    missing = {
        (page, path)
        for page, path in of_pages(OUR_FILE)
        if example not in path and "..." not in path and not list(ROOT.glob(path.rstrip("/"))) and not found(path)
    }
    assert missing == set()


def found(name: str) -> bool:
    """Whether a bare file name is one of some folder of ours."""
    return "/" not in name and any(
        True for folder in ("tests", "infra", "adapters") for _ in (ROOT / folder).rglob(name)
    )


def test_every_requirement_has_its_reason_once_and_nothing_else_has() -> None:
    asked_for = [name for file in ROOT.glob("requirements*.in") for name in REQUIREMENT.findall(file.read_text())]
    for file in [*ROOT.glob("bench/**/node/package.json"), *ROOT.glob("tests/*/node/package.json")]:
        asked_for += json.loads(file.read_text())["dependencies"]
    reasons = re.findall(
        r"^\| (?!package |---)([\w.@/-]+) \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE
    )
    assert sorted(reasons) == sorted(asked_for)
