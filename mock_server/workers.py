"""Several processes that serve one port; a store that is shared joins them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

Work = Callable[[int, Callable[[], None]], int]  # a place, and what says that the work has begun -> an exit status


def run(count: int, work: Work) -> int:
    """Run work(0, …), work(1, …), … each in a process of its own until a signal says stop; answer an exit status.

    The others start once the first has begun its work: what keeps it from that is met, and told, once. A process that ends by
    itself ends the others: its status is the answer, so that whoever watches this one sees the failure.
    """
    children: set[int] = set()
    stopping = False

    def stop(_number: int = 0, _frame: FrameType | None = None) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    begun, begins = os.pipe()
    children.add(_started(work, 0, before, begins))
    os.close(begins)
    if os.read(begun, 1):  # Nothing comes if it has ended.
        for place in range(1, count):
            if not stopping:
                children.add(_started(work, place, before))
    os.close(begun)
    answer = 0
    while children:
        child, status = os.wait()
        children.remove(child)
        if not stopping:
            answer = os.waitstatus_to_exitcode(status) or 1
            stop()
    return answer


def _started(work: Work, place: int, handlers: Mapping[signal.Signals, Any], begins: int | None = None) -> int:
    """The process id of a new process that does the work, with these handlers of signals; it writes to `begins` then."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    for number, handler in handlers.items():
        signal.signal(number, handler)
    try:
        status = work(place, lambda: None if begins is None else _say(begins))
    except BaseException:  # Whatever it is, a forked process must not go on with its parent's work.
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _say(begins: int) -> None:
    os.write(begins, b".")
    os.close(begins)
