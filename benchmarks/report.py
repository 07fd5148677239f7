"""What is said of a comparison: the tables, and the JSON beside them."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import probes
from benchmarks.comparison import Choices
from benchmarks.cores import Cores
from benchmarks.figures import Found
from benchmarks.goals import Goal
from benchmarks.rows import PAGE, ROWS

ABSENT = "-"


def told(every: Mapping[str, Found], goals: Sequence[Goal], missing: Mapping[str, str], machine: Mapping[str, Any]) -> str:
    """Every table, in Markdown."""
    parts = [
        f"{machine['date']}, {machine['processor']}, Python {machine['python']}, load by {machine['load']}",
        "Requests a second, median (least to most)\n\n" + figures(every),
        "Milliseconds with 32 connections, p50 / p99\n\n" + latencies(every),
        "What each does, and what it costs to have it there\n\n" + abilities(every),
        table(["", "row", "found", "wanted", ""], [goal.told() for goal in goals]),
    ]
    lost = {name: found.lost for name, found in every.items() if found.lost} | dict(missing)
    parts += ["\n".join(f"{name} is not measured: {why}" for name, why in lost.items())] if lost else []
    parts += (
        ["* The load was the limit here, not the server."]
        if any(f.limited(row) for f in every.values() for row in f.rows)
        else []
    )
    return "\n\n".join(parts)


def figures(every: Mapping[str, Found]) -> str:
    rows = [[name, *(_speed(found, row) for row in ROWS)] for name, found in every.items()]
    return table(["", *(row.title for row in ROWS.values())], rows)


def latencies(every: Mapping[str, Found]) -> str:
    rows = [[name, *(_latency(found, row) for row in ROWS)] for name, found in every.items()]
    return table(["", *(row.title for row in ROWS.values())], rows)


def abilities(every: Mapping[str, Found]) -> str:
    head = ["", *probes.NAMES, f"records of {PAGE}", "first answer, s", "idle, MB", "loaded, MB"]
    return table(head, [[name, *_abilities(found)] for name, found in every.items() if found.kind != "floor"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, its columns as wide as what is in them."""
    lines = [head, *rows]
    wide = [max(len(line[column]) for line in lines) for column in range(len(head))]
    drawn = [" | ".join(cell.ljust(width) for cell, width in zip(line, wide, strict=True)) for line in lines]
    drawn.insert(1, " | ".join("-" * width for width in wide))
    return "\n".join(f"| {line} |" for line in drawn)


def document(every: Mapping[str, Found], goals: Sequence[Goal], missing: Mapping[str, str], machine: Mapping[str, Any]) -> Any:
    """The same as JSON."""
    return {
        "machine": machine,
        "servers": {name: found.summary() for name, found in every.items()},
        "goals": [asdict(goal) | {"reached": goal.reached} for goal in goals],
        "missing": missing,
    }


def machine(cores: Cores, choices: Choices) -> dict[str, Any]:
    """Where and how it was measured."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": f"{_processor()} ({os.cpu_count()} cores)",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": "wrk" if choices.tool else "benchmarks.load",
        "cores": cores._asdict(),
        "rounds": choices.rounds,
        "seconds": choices.seconds,
        "starts": choices.starts,
    }


def _speed(found: Found, row: str) -> str:
    if not found.counts(row):
        return found.instead.get(row, ABSENT)
    every = [figure.per_second for figure in found.rows[row]]
    spread = f" ({min(every):,.0f} to {max(every):,.0f})" if len(every) > 1 else ""
    return f"{statistics.median(every):,.0f}{spread}{'*' if found.limited(row) else ''}"


def _latency(found: Found, row: str) -> str:
    if not found.counts(row):
        return found.instead.get(row, ABSENT)
    return f"{found.median(row, lambda f: f.p50):.1f} / {found.median(row, lambda f: f.p99):.1f}"


def _abilities(found: Found) -> Iterable[str]:
    does = {True: "yes", False: "no"}
    yield from (does[bool(found.does[name])] if name in found.does else ABSENT for name in probes.NAMES)
    yield str(found.does.get("records", ABSENT))
    yield f"{statistics.median(found.first):.2f}" if found.first else ABSENT
    yield from (ABSENT if memory is None else f"{memory:.0f}" for memory in (found.idle, found.loaded))


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
