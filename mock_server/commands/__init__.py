"""What `mock-server` does beside serving: a module each, named like the word that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

COMMANDS: Mapping[str, str] = {  # word -> what it does; its module has main(arguments) -> exit status
    "errors": "list every documented error and how to get it",
    "capsule": "save, replay and shrink a failure as one file",
    "explain": "tell what a request met, and where the contract says so",
}


def command(word: str) -> Callable[[Sequence[str]], int]:
    """What a word does, imported when it is asked for.

    The function raises WrongUsage.
    """
    main: Callable[[Sequence[str]], int] = import_module(f"{__name__}.{word}").main
    return main
