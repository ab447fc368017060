"""What a process may be told to be."""

from enum import StrEnum


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class EngineKind(StrEnum):
    COMPILED = "compiled"
    STOCK = "stock"
