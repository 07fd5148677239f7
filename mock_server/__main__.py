"""mock-server: serve the APIs of the contracts."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from mock_server import settings as chosen
from mock_server.commands import COMMANDS, command
from mock_server.settings import Settings, WrongUsage

UNFIRED, WRONG_USAGE = 1, 2  # exit statuses
# Of the garbage collector, by generation. The oldest would look through every record that is kept for up to 100 ms; what
# a request or a world leaves behind is found by the younger ones.
COLLECTED = (700, 10, 100)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answer its exit status."""
    given = sys.argv[1:] if arguments is None else arguments

    def run() -> int:
        if given and given[0] in COMMANDS:
            return command(given[0])(given[1:])
        settings = chosen.read(given)
        for sentence in chosen.unknown_variables():
            print(f"mock-server: {sentence}", file=sys.stderr)
        if settings.reload:
            from mock_server import reloading  # noqa: PLC0415

            return reloading.run(settings)
        return serve(settings)

    return _status(run)


def _status(run: Callable[[], int]) -> int:
    """The exit status of what runs to its end, to a mistake or to a signal: Ctrl-C and SIGTERM alike."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status = run()
        sys.stdout.flush()
        return status
    except WrongUsage as wrong:
        print(f"mock-server: {wrong}", file=sys.stderr)
        return WRONG_USAGE
    except BrokenPipeError:  # Who reads the output has seen enough, as in `mock-server errors | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def once(settings: Settings) -> None:
    """Serve in a process that is watched; after a mistake, whoever watches starts another one."""
    if _status(lambda: serve(settings)):
        print("mock-server: waiting for a change of a contract or fixture.", file=sys.stderr, flush=True)


def serve(settings: Settings) -> int:
    """Serve until a signal says stop.

    Raises WrongUsage: a port that is taken, a contract or fixture that is broken.
    """
    with contextlib.closing(_listening(settings)) as listening:
        if settings.workers == 1:
            return _work(settings, listening)
        from mock_server import workers  # noqa: PLC0415

        def work(place: int, begun: Callable[[], None]) -> int:
            return _status(lambda: _work(settings, listening, told=place == 0, begun=begun))

        return workers.run(settings.workers, work)


def _work(settings: Settings, listening: socket.socket, *, told: bool = True, begun: Callable[[], None] = lambda: None) -> int:
    """Serve what comes to a socket; of several processes one is `told` to say so.

    Raises WrongUsage, before it calls `begun`.
    """
    with _lasting():
        # Imported late, so that a wrong option and --help answer at once.
        from mock_server import app, lifeline, serving  # noqa: PLC0415
        from mock_server.contract import BrokenContract, UnknownContract  # noqa: PLC0415
        from mock_server.situations import UnknownSituation  # noqa: PLC0415
        from mock_server.stores import UnknownStore  # noqa: PLC0415

        try:
            front = app.build(settings)
        except (BrokenContract, UnknownContract, UnknownSituation, UnknownStore) as broken:
            raise WrongUsage(str(broken)) from None
    begun()
    if told:
        host, port = listening.getsockname()[:2]
        print("\n".join([front.table(f"http://{_shown(host)}:{port}"), *chosen.told(settings)]), flush=True)
    if settings.ends_with_stdin:
        lifeline.hold()
    unfired: list[str] = []
    if settings.fail_unfired:
        front.before_close = lambda every: unfired.extend(every.unfired())
    server = serving.server(front, lifespan="on", timeout_graceful_shutdown=3)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has stopped cleanly, and passes the signal on.
        server.run(sockets=[listening])
    if unfired and told:
        print(f"mock-server: armed and never fired: {', '.join(unfired)}", file=sys.stderr)
    return UNFIRED if unfired else 0


@contextlib.contextmanager
def _lasting() -> Iterator[None]:
    """What is made within lives as long as the server: the garbage collector need not look through it, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*COLLECTED)
        gc.enable()


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
        made.listen(2048)
    except (OSError, UnicodeError, TypeError) as error:  # The last two: the text cannot be the name of a host.
        made.close()
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or "this is no name of a host"
        raise WrongUsage(
            f"cannot listen at {settings.host}:{settings.port}: {reason}; choose another with --host and --port"
        ) from None
    return made


def _shown(host: str) -> str:
    return {"127.0.0.1": "localhost", "0.0.0.0": "localhost", "::1": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104  # read, not bound


if __name__ == "__main__":
    sys.exit(main())
