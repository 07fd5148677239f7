"""Modules that a library imports and this server does not use: they are imported when somebody does use them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


@contextmanager
def deferred(*names: str) -> Iterator[None]:
    """Let libraries that are imported within go without these modules, unless they are there already.

    A library gets a stand-in, which must be enough while it is imported: it may take names from it, use them in annotations,
    and import modules below it. What it does with them later reaches the real module. Others never see the stand-in.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update((name, _StandIn(name)) for name in absent)
    try:
        yield
    finally:
        below = tuple(f"{name}." for name in absent)
        for name in [name for name in sys.modules if name in absent or name.startswith(below)]:
            del sys.modules[name]


class _StandIn(ModuleType):
    """A module that imports the real one for whoever asks for something in it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        spec = None if "." in name else find_spec(name)  # That of a module within a package would import the package.
        if spec is not None and spec.submodule_search_locations is not None:
            self.__path__ = spec.submodule_search_locations

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # The import system looks whether there is a __path__, an __all__ and the like.
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            return _Name(self.__name__, name)
        return getattr(import_module(self.__name__), name)


class _Name:
    """What a library takes from a stand-in: it is called as the real thing is."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return getattr(import_module(self._module), self._name)(*arguments, **named)
