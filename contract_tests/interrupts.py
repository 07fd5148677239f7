"""Ctrl-C and SIGTERM that wait for the answer under way: what a request made must be known, to be deleted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While entered, an interrupt is kept until `check`; one more does not wait for an answer that is long in coming."""

    def __init__(self) -> None:
        self.pending = False
        self._waiting = False
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # No other one may ask for signals.
            self._before = {number: signal.signal(number, self._take) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raises KeyboardInterrupt if one came."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """In here a second interrupt raises KeyboardInterrupt, and is kept for `check` as well."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        impatient = self.pending and self._waiting
        self.pending = True
        if impatient:
            raise KeyboardInterrupt
