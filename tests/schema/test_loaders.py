"""The table of loaders: how one operation has them."""

import gc
from typing import Any
from weakref import ref

import pytest

from domain.shared.viewer import ANONYMOUS
from resolvers.loaders import BATCHES, BROUGHT, Loaders


class Anything:
    """Services of which nothing is asked."""

    def __getattr__(self, name: str) -> "Anything":
        return self

    def __call__(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nobody is asked")


@pytest.mark.parametrize("loader", BATCHES)
def test_loaders_are_gone_with_their_operation(loader: str) -> None:
    """At once: what waits for the garbage collector keeps all that was loaded, and a feed takes a sixth longer."""
    services: Any = Anything()
    loaders = Loaders(services, ANONYMOUS)
    loaders.needs = {type_name: frozenset({"id"}) for _, type_name in BROUGHT.values()}
    loaders.know(loader, {})  # makes it
    gone = ref(loaders)
    gc.disable()
    try:
        del loaders
        assert gone() is None
    finally:
        gc.enable()
