"""A server in a process of its own, started anew after each change of a contract or fixture."""

from __future__ import annotations

import signal
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess

from watchfiles import watch

from mock_server import lifeline
from mock_server.settings import Settings

QUIET = 200  # milliseconds without a change after which the watcher says so
PATIENCE = 10.0  # seconds for a server to stop by itself


def run(settings: Settings) -> int:
    """Serve until a signal says stop; answer an exit status."""
    if settings.ends_with_stdin:
        lifeline.hold()
    changes = watch(settings.openapi, settings.fixtures, yield_on_timeout=True, rust_timeout=QUIET)
    next(changes)  # From here on no change is missed, not even one while the server starts.
    server = _started(settings)
    try:
        for change in changes:
            if change:
                print("Changed: starting anew.", flush=True)
                _stop(server)
                server = _started(settings)
    finally:
        _stop(server)
    return 0


def _started(settings: Settings) -> SpawnProcess:
    made = get_context("spawn").Process(target=_serve, args=(replace(settings, reload=False, ends_with_stdin=False),))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # The server inherits it: Ctrl-C is for this process, which stops it.
    try:
        made.start()
    finally:
        signal.signal(signal.SIGINT, before)
    return made


def _serve(settings: Settings) -> None:
    from mock_server.__main__ import once  # noqa: PLC0415  # It imports this module.

    once(settings)


def _stop(server: SpawnProcess) -> None:
    server.terminate()
    server.join(PATIENCE)
    server.kill()
    server.join()
