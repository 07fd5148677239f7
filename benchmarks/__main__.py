"""The server beside its peers and its floors: python -m benchmarks

Peers are installed into a folder of the benchmark's own, from npm and PyPI; the product needs none of them. It prints its tables,
and writes the same as JSON. Others: python -m benchmarks.worlds (worlds and stores), python -m benchmarks.sizes (size of world).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Collection
from pathlib import Path
from types import FrameType

from benchmarks import cores, load, report, short
from benchmarks.comparison import Choices, compared, told
from benchmarks.cores import Cores
from benchmarks.goals import goals
from benchmarks.peers import PEERS, NotInstalled
from benchmarks.servers import ROOT, Server, own


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = Choices()
    parser.add_argument(
        "--short", action="store_true", help="only the server and the bare handler, against the ratios that were kept"
    )
    parser.add_argument("--keep", action="store_true", help="with --short: keep the ratios found")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=usual.seconds, help="of each figure; default: %(default)s")
    parser.add_argument("--starts", type=int, default=usual.starts, help="of each server; default: %(default)s")
    parser.add_argument("--peers", default=",".join(peer.name for peer in PEERS), help='default: %(default)s; "" for none')
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".benchmarks", help="where peers are installed; default: %(default)s"
    )
    parser.add_argument("--json", type=Path, help="file for the figures; default: figures.json in the folder")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    bound = cores.found()
    try:
        with cores.on(bound.load):
            if given.short:
                return short.run(bound, keep=given.keep)
            choices = Choices(given.rounds, given.seconds, starts=given.starts, tool=load.tool())
            return _full(choices, bound, given.peers.split(","), given.folder.resolve(), given.json)
    except KeyboardInterrupt:
        print("Stopped; every server is ended.", file=sys.stderr)
        return 130


def _full(choices: Choices, bound: Cores, names: Collection[str], folder: Path, destination: Path | None) -> int:
    if bound.server is None:
        told("There are no two cores to bind processes to: server and load share what there is.")
    if choices.tool is None:
        told("wrk is not installed: the load is benchmarks.load, which may be the limit; the table says where it was.")
    peers, missing = _installed(names, folder)
    every = compared([*own(), *peers], choices, bound)
    reached, machine = goals(every), report.machine(bound, choices)
    destination = destination or folder / "figures.json"
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_text(json.dumps(report.document(every, reached, missing, machine), indent=2) + "\n")
    print(report.told(every, reached, missing, machine))
    told(f"the figures are in {destination}")
    return 0


def _installed(names: Collection[str], folder: Path) -> tuple[list[Server], dict[str, str]]:
    """The peers that are there to be started, and why the others are not."""
    found, missing = [], {}
    for peer in PEERS:
        if peer.name in names:
            told(f"installing {', '.join(peer.packages)}")
            try:
                found.append(peer.installed(folder / peer.name.lower()))
            except NotInstalled as reason:
                missing[peer.name] = str(reason)
                told(f"{peer.name}: {reason}")
    return found, missing


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
