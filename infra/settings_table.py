"""Prints the table of settings that README.md shows between its two marks, from `settings.Settings`.

python -m infra.settings_table            print it
python -m infra.settings_table --write    put it into README.md
"""

import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from settings import Settings

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- settings -->", "<!-- /settings -->"


def table() -> str:
    """Markdown, a row for each setting in the order of the class."""
    rows = [f"| `TORII_{name.upper()}` | {_default(field)} | {_meaning(field)} |" for name, field in _fields()]
    return "\n".join(("| variable | default | meaning |", "| --- | --- | --- |", *rows))


def filled_in(text: str) -> str:
    """The text with the present table between its marks. Raises ValueError when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the text has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _fields() -> list[tuple[str, FieldInfo]]:
    return list(Settings.model_fields.items())


def _default(field: FieldInfo) -> str:
    default = field.get_default()
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    return "" if default in ("", None) else f"`{default}`"


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        README.write_text(filled_in(README.read_text()))
    else:
        sys.stdout.write(table() + "\n")
