"""Ctrl-C that waits for the answer under way: what a request made must be known, to be deleted."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interrupts:
    """While entered, the first interrupt is kept until `check`; a second one ends at once."""

    def __init__(self) -> None:
        self._came = False

    def __enter__(self) -> Interrupts:
        self._before = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if self._came:
            raise KeyboardInterrupt
        self._came = True

    def check(self) -> None:
        """Raises KeyboardInterrupt if one came."""
        if self._came:
            raise KeyboardInterrupt
