"""What ends a server once the process that started it is gone, however that ended."""

from __future__ import annotations

import os
import signal
from threading import Thread

STDIN = 0


def hold() -> None:
    """Have a signal stop this process, cleanly, as soon as nobody holds the other end of its standard input."""
    Thread(target=_wait, name="lifeline", daemon=True).start()


def _wait() -> None:
    while os.read(STDIN, 1024):  # Not sys.stdin: its lock would be held when the interpreter ends.
        pass
    os.kill(os.getpid(), signal.SIGTERM)
