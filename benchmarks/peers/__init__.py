"""What one would pick instead: pinned versions, how each is installed and started, and what it is given."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import given
from benchmarks.rows import BASE
from benchmarks.servers import Server

Words = Callable[[Path, int], Sequence[str]]  # folder, port -> command


class NotInstalled(Exception):
    """Why a peer could not be installed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another mock server."""

    name: str
    packages: Sequence[str]
    install: Callable[[Path, Sequence[str]], None]
    command: Words
    give: Callable[[Path], None]  # writes what it serves into its folder
    needs: str  # the program that runs it
    base: str = ""  # path of the API
    spelled: Mapping[str, str] = field(default_factory=dict)  # query parameter of the contract -> its own
    warm: float = 4.0  # seconds until its code is compiled
    restarts: bool = False  # what was written goes away by a new start only

    def installed(self, folder: Path) -> Server:
        """The peer, ready to be started from its folder; what is installed already stays.

        Raises NotInstalled.
        """
        if shutil.which(self.needs) is None:
            raise NotInstalled(f"needs {self.needs}")
        stamp, wanted = folder / "installed", "\n".join(self.packages)
        if not stamp.is_file() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.install(folder, self.packages)
            stamp.write_text(wanted)
        self.give(folder)
        return Server(
            name=self.name,
            kind="peer",
            command=lambda port: self.command(folder, port),
            folder=folder,
            base=self.base,
            spelled=self.spelled,
            warm=self.warm,
            restarts=self.restarts,
            prepare=lambda: self.give(folder),
        )


def from_npm(folder: Path, packages: Sequence[str]) -> None:
    """Raises NotInstalled."""
    if (npm := shutil.which("npm")) is None:
        raise NotInstalled("needs npm")
    (folder / "package.json").write_text('{"private": true}\n')
    _run([npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error", *packages])


def from_pypi(folder: Path, packages: Sequence[str]) -> None:
    """Raises NotInstalled."""
    _run([sys.executable, "-m", "venv", str(folder / "venv")])
    _run([str(folder / "venv" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *packages])


def _run(command: Sequence[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # commands of our own table
    if ended.returncode:
        said = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
        raise NotInstalled(" / ".join(said[-2:]) or f"{command[0]} ended with {ended.returncode}")


def _node(*words: str) -> Words:
    """A program of an npm package: {port} and the folder's files are filled in by the shell's working directory."""
    return lambda folder, port: [str(folder / "node_modules" / ".bin" / words[0]), *_filled(words[1:], port)]


def _jar(pattern: str, *words: str) -> Words:
    return lambda folder, port: ["java", "-jar", str(next(folder.glob(pattern))), *_filled(words, port)]


def _filled(words: Sequence[str], port: int) -> list[str]:
    return [word.replace("{port}", str(port)) for word in words]


PEERS = [
    Peer(
        name="Prism",
        packages=["@stoplight/prism-cli@5.16.0"],
        install=from_npm,
        command=_node("prism", "mock", "-h", "127.0.0.1", "-p", "{port}", "-v", "silent", given.YAML),
        give=given.contract,
        needs="node",
    ),
    Peer(
        name="Mockoon",
        packages=["@mockoon/cli@9.9.0"],
        install=from_npm,
        command=_node("mockoon-cli", "start", "-d", given.YAML, "-l", "127.0.0.1", "-p", "{port}", "-X"),
        give=given.contract,
        needs="node",
        base=BASE,
    ),
    Peer(
        name="Scalar",
        packages=["@scalar/mock-server@0.14.4", "@hono/node-server@2.1.9"],
        install=from_npm,
        command=lambda _, port: ["node", "scalar.mjs", given.JSON, str(port)],
        give=given.scalar,
        needs="node",
    ),
    Peer(
        name="json-server",
        packages=["json-server@0.17.4"],
        install=from_npm,
        command=_node("json-server", "-H", "127.0.0.1", "-p", "{port}", "-q", given.RECORDS),
        give=given.records,
        needs="node",
        spelled={"page": "_page", "per_page": "_limit", "search": "q"},
        restarts=True,
    ),
    Peer(
        name="WireMock",
        packages=["wiremock@3.13.2"],
        install=from_npm,
        command=_jar(
            "node_modules/wiremock/build/wiremock-standalone-*.jar",
            *("--bind-address", "127.0.0.1", "--port", "{port}", "--root-dir", "."),
            *("--disable-banner", "--no-request-journal", "--disable-request-logging"),
        ),
        give=given.stubs,
        needs="java",
        base=BASE,
        warm=8.0,
    ),
    Peer(
        name="Specmatic",
        packages=["specmatic@2.55.1"],
        install=from_npm,
        command=_jar(
            "node_modules/specmatic/specmatic.jar", "mock", "--host=127.0.0.1", "--port={port}", "--noConsoleLog", given.YAML
        ),
        give=given.contract,
        needs="java",
        warm=8.0,
    ),
    Peer(
        name="Connexion",
        packages=["connexion[uvicorn]==3.3.0"],
        install=from_pypi,
        command=lambda folder, port: [str(folder / "venv" / "bin" / "python"), "connexion_mock.py", given.JSON, str(port)],
        give=given.connexion,
        needs=sys.executable,
        base=BASE,
        warm=0.5,
    ),
]
