"""The domain imports the standard library and itself: by a list of what is allowed, not of what is not."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

DOMAIN = Path(__file__).parents[1] / "domain"


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_domain_imports_the_standard_library_and_itself() -> None:
    foreign = {
        f"{module.name}: {name}"
        for module in DOMAIN.rglob("*.py")
        for name in imported(module)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "domain"}
    }
    assert foreign == set()
