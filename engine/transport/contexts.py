"""What may keep a context from being made."""

from typing import Any


class ContextRefused(Exception):
    """The request may not run at all, such as one with a bad token. The answer is GraphQL-shaped all the same."""

    def __init__(self, status: int, error: dict[str, Any], as_nobody: Any = None) -> None:
        super().__init__(error.get("message"))
        self.status = status
        self.error = error
        self.as_nobody = as_nobody
        """The context of the same request without its token, for operations that ignore tokens; None where there is none."""
