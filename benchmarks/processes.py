"""A server under measurement: one process group, started on its core, held still while another is measured."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import cores

PATIENCE = 60  # seconds that a server may take to answer at all
ENDING = 3  # seconds between SIGTERM and SIGKILL


class NotStarted(Exception):
    """A server that ended, or that never gave the answer it was waited for."""


class Process:
    """A server that runs, and everything that it started."""

    def __init__(self, command: Sequence[str], port: int, core: int | None, folder: Path) -> None:
        self.port = port
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # It is open as long as the server is.
        with cores.on(core):
            self._started = time.perf_counter()
            self._popen = subprocess.Popen(  # noqa: S603  # commands of our own table
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def answering(self, path: str, headers: Mapping[str, str]) -> float:
        """Wait for the first 200; answer the seconds since the start.

        Raises NotStarted.
        """
        while (seconds := time.perf_counter() - self._started) < PATIENCE:
            if self._popen.poll() is not None:
                raise NotStarted(f"ended with {self._popen.returncode}: {self._last_words()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if asked(self.port, "GET", path, headers)[0] == 200:
                    return time.perf_counter() - self._started
            time.sleep(0.005)
        raise NotStarted(f"no answer after {seconds:.0f} s: {self._last_words()}")

    def cpu(self) -> float:
        """Seconds of CPU that it has taken."""
        return sum(_scheduled(process) for process in self._group()) / 1e9

    def memory(self) -> float:
        """Megabytes that are its own, and its share of what it has in common with others (PSS)."""
        return sum(_proportional(process) for process in self._group()) / 1e6

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """It runs meanwhile; before and after, it stands still."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.hold()

    def hold(self) -> None:
        """It stands still."""
        self._signal(signal.SIGSTOP)

    def end(self) -> None:
        """End it with all that it started."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(ENDING)
        self._signal(signal.SIGKILL)
        self._popen.wait()
        self._said.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    def _group(self) -> list[Path]:
        """The folders of its processes in /proc."""
        own = self._popen.pid
        return [folder for folder in Path("/proc").iterdir() if folder.name.isdigit() and _group_of(folder) == own]

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read().decode(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or "it said nothing"


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


def asked(port: int, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()


def _group_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except OSError:  # It has just ended.
        return 0


def _scheduled(process: Path) -> int:
    """Nanoseconds of CPU of all its threads."""
    total = 0
    for task in (process / "task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            total += int(task.read_text().split()[0])
    return total


def _proportional(process: Path) -> int:
    with contextlib.suppress(OSError):
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
