"""Which core a process runs on: the server's, or that of everything else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Cores(NamedTuple):
    """Two cores of this machine; None where there are no two, or no process can be bound to one."""

    server: int | None = None
    load: int | None = None


def found() -> Cores:
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return Cores(there[0], there[1]) if len(there) > 1 else Cores()


@contextmanager
def on(core: int | None) -> Iterator[None]:
    """Our process, and whatever it starts meanwhile, runs on this core alone; None: wherever there is room."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
