"""Reads the settings, and says what is wrong with them."""

import os
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from settings import Settings
from settings.general import ENV_FILE

DEFAULT_DATA_DIR = Path(".data")
RUN_ENV = "run.env"
"""File under the data folder in which `torii up` writes the addresses of what it started, for the other commands."""


def data_dir_from_environment() -> Path:
    """The data folder, which has to be known before anything in it can be read."""
    _, named = _named("DATA_DIR")
    return Path(named) if named else DEFAULT_DATA_DIR


def _named(name: str) -> tuple[str, str | None]:
    """Which variable gives a setting that is read with and without our prefix, and its value; they win over `.env`."""
    for source in (os.environ, dotenv_values(ENV_FILE)):
        for variable in (f"TORII_{name}", name):
            if source.get(variable):
                return variable, source[variable]
    return f"TORII_{name}", None


def load() -> Settings:
    """Read the settings. Raises pydantic.ValidationError.

    `.env` wins over what a running `torii up` wrote, and variables win over both.
    """
    data_dir = data_dir_from_environment()
    _, port = _named("PORT")
    plain = {"data_dir": data_dir} | ({"port": port} if port else {})
    return Settings(_env_file=(data_dir / RUN_ENV, ENV_FILE), **plain)  # type: ignore[call-arg, arg-type]


def explain(error: ValidationError) -> str:
    """What is wrong with the settings and what to do, a line for each. Secrets are not shown."""
    return "\n".join(_line(problem) for problem in error.errors())


def _line(problem: ErrorDetails) -> str:
    said = problem["msg"].removeprefix("Value error, ")
    field = Settings.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
    if field is None:  # about several settings at once: the text names them
        return said
    name = str(problem["loc"][0])
    variable, _ = _named(name.upper()) if name == "port" else (f"TORII_{name.upper()}", None)
    value = "" if field.annotation is SecretStr else f"={problem['input']}"
    default = field.get_default()
    otherwise = f"or leave it out (default: {default})" if default not in ("", None) else "or leave it out"
    return f"{variable}{value}: {said[0].lower()}{said[1:]}. Set it right ({field.description}) {otherwise}."
