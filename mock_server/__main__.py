"""mock-server: serve the APIs of the contracts."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Sequence

from mock_server import settings as chosen
from mock_server.settings import Settings, WrongUsage

WRONG_USAGE = 2  # exit status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answer its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        settings = chosen.read(given)
        if settings.reload:
            return _reload(settings, given)
        return serve(settings)
    except WrongUsage as wrong:
        print(f"mock-server: {wrong}", file=sys.stderr)
        return WRONG_USAGE


def serve(settings: Settings) -> int:
    """Serve until a signal says stop.

    Raises WrongUsage: a port that is taken, a contract or fixture that is broken.
    """
    listening = _listening(settings)
    with contextlib.closing(listening):
        # Imported late, so that a wrong option and --help answer at once.
        import uvicorn  # noqa: PLC0415

        from mock_server import app  # noqa: PLC0415
        from mock_server.contract import BrokenContract, UnknownContract  # noqa: PLC0415

        try:
            front = app.build(settings)
        except (BrokenContract, UnknownContract) as broken:
            raise WrongUsage(str(broken)) from None
        host, port = listening.getsockname()[:2]
        print(front.table(f"http://{_shown(host)}:{port}"), flush=True)
        server = uvicorn.Server(
            uvicorn.Config(
                front, log_level="warning", access_log=False, server_header=False, lifespan="on", timeout_graceful_shutdown=3
            )
        )
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn has stopped cleanly, and passes the signal on.
            server.run(sockets=[listening])
    return 0


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
        made.listen(2048)
    except OSError as error:
        made.close()
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise WrongUsage(
            f"cannot listen at {settings.host}:{settings.port}: {reason}; choose another with --host and --port"
        ) from None
    return made


def _shown(host: str) -> str:
    return {"127.0.0.1": "localhost", "0.0.0.0": "localhost", "::1": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104  # read, not bound


def _reload(settings: Settings, arguments: Sequence[str]) -> int:
    """Serve in a process of its own, anew after each change of a contract or fixture."""
    from watchfiles import run_process  # noqa: PLC0415

    rest = [argument for argument in arguments if argument != "--reload"]
    run_process(
        settings.openapi, settings.fixtures, target=_serve_once, args=(rest,), callback=lambda _: print("Changed: starting anew.")
    )
    return 0


def _serve_once(arguments: Sequence[str]) -> None:
    os.environ.pop("MOCK_RELOAD", None)
    status = main(arguments)
    if status:
        print("mock-server: waiting for a change.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
