"""Several processes that serve one port; a store that is shared joins them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType


def run(count: int, work: Callable[[int], int]) -> int:
    """Run work(0), work(1), … each in a process of its own until a signal says stop; answer an exit status.

    A process that ends by itself ends the others: its status is the answer, so that whoever watches this one sees the failure.
    """
    children = {_started(work, place): place for place in range(count)}
    stopping = False

    def stop(_number: int = 0, _frame: FrameType | None = None) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    answer = 0
    while children:
        child, status = os.wait()
        del children[child]
        if not stopping:
            answer = os.waitstatus_to_exitcode(status) or 1
            stop()
    return answer


def _started(work: Callable[[int], int], place: int) -> int:
    """The process id of a new process that does the work."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    try:
        status = work(place)
    except BaseException:  # Whatever it is, a forked process must not go on with its parent's work.
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
