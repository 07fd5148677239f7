"""The short form, for every change: the server against the bare handler, held against the ratios that were kept.

What is compared is the CPU that a request takes, which other work on the machine changes least.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.comparison import Choices, compared
from benchmarks.cores import Cores
from benchmarks.figures import Found
from benchmarks.report import ABSENT, table
from benchmarks.rows import ROWS
from benchmarks.servers import FLOOR, OURS, floor, ours

KEPT = Path(__file__).parent / "ratios.json"
FALL = 1 / 3  # by which a ratio may be less than what was kept
TRIES = 3  # until none has fallen: what the machine does beside it does not last, what the code does stays
CHOICES = Choices(rounds=3, seconds=0.4, warm=0.1, starts=1)


def run(cores: Cores, *, keep: bool) -> int:
    """Measure, and hold against what was kept, or keep it; the exit status."""
    kept: dict[str, float] = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    best: dict[str, float] = {}
    for _ in range(TRIES):
        every = compared([floor("handler"), ours()], CHOICES, cores)
        lost = [f"{name}: {found.lost or found.instead}" for name, found in every.items() if found.lost or found.instead]
        if lost:
            print("\n".join(["Not everything could be measured:", *lost]), file=sys.stderr)
            return 1
        best = {row: max(value, best.get(row, 0)) for row, value in ratios(every).items()}
        if keep or not fallen(best, kept):
            break
    if keep:
        kept = {row: round(value, 3) for row, value in best.items()}
        KEPT.write_text(json.dumps(kept, indent=2) + "\n")
    print(table(["", "of the bare handler's speed", "kept"], [
        [ROWS[row].title, f"{value:.2f}", f"{kept[row]:.2f}" if row in kept else ABSENT] for row, value in best.items()
    ]))  # fmt: skip
    wrong = fallen(best, kept)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


def ratios(every: Mapping[str, Found]) -> dict[str, float]:
    """By row: the CPU that the bare handler takes for a request, as a part of what the server takes."""
    own, bare = every[OURS], every[FLOOR]
    return {row: min(f.cpu for f in bare.rows[row]) / min(f.cpu for f in own.rows[row]) for row in own.rows}


def fallen(found: Mapping[str, float], kept: Mapping[str, float]) -> list[str]:
    """What is wrong with the ratios found, a sentence each."""
    unknown = [row for row in found if row not in kept]
    wrong = [f"{KEPT.name} has no ratio for {ROWS[row].title}: run python -m benchmarks --short --keep" for row in unknown]
    return wrong + [
        f"{ROWS[row].title} has fallen from {kept[row]:.2f} to {value:.2f} of the bare handler's speed, by more than a third."
        for row, value in found.items()
        if row in kept and value < kept[row] * (1 - FALL)
    ]
