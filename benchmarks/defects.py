"""Which defects of the catalogue stock Schemathesis finds, and which the laws: python -m benchmarks.defects [API…]

Both judge the same implementations: each sound one, and each with one defect. A defect is found by what the sound implementation
is not accused of: a failure whose check (or law) and operation are not among those of the sound one. Schemathesis is the command
itself, as it ships, with all phases and checks, over HTTP; the laws run in this process. Each run is kept in a file of JSON
lines, so that an interrupted benchmark goes on with --resume.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn

from contract_tests import runner, settings
from contract_tests.callers import Caller
from contract_tests.defects import CATALOGUE, IMPLEMENTATIONS, Defect, application
from contract_tests.targets import InProcess

SEED = 1  # of Schemathesis, of the laws, and of the order
STOCK = 100  # examples of each operation, where Schemathesis is not told a number
LATENCY = 400  # milliseconds that an answer may take, told to both where the defect is that answers take longer
SCHEMATHESIS, LAWS = "schemathesis", "laws"
CLASSES: Mapping[str, tuple[str, ...]] = {  # what is shown together -> laws; a law that is in none stands for itself
    "what is written is read back": (
        *("create-persists", "update-persists", "writes-show-the-record", "unsent-properties", "children-persist"),
        *("server-assigns", "numbers", "ids-in-answers", "times"),
    ),
    "updates change what they should": (
        *("update-keeps-the-rest", "update-of-objects", "update-replaces", "update-is-idempotent", "children-in-bodies"),
        *("one-record-is-touched", "refused-writes", "life-of-records", "other-records-stay", "updates-show-everywhere"),
    ),
    "deletions and guards": ("deleted-is-gone", "children-go-too", "guards", "references-to-deleted", "refused-deletions"),
    "ids, unique values, references": (
        *("fresh-ids", "unique-values", "references", "references-show", "exclusive-flags", "parents", "parents-in-bodies"),
        *("parents-part-their-children", "children-stay-at-home"),
    ),
    "pages, totals, order, views": (
        *("pages-part-the-list", "totals-are-true", "defaults-of-pages", "order-of-lists", "lists-follow-writes", "views-agree"),
        *("reading-changes-nothing", "lists-are-complete"),
    ),
    "filters": ("filters-are-exact", "filters-follow-changes", "filters-combine", "filters-all-count"),
    "concurrency": ("parallel-creates", "parallel-uniques", "parallel-updates", "parallel-flags", "parallel-deletions"),
    "credentials, scopes, sessions": ("credentials", "scopes", "sessions"),
    "requests that must be refused": ("unknown-ids", "limits", "unreadable-bodies", "accept", "methods", "unknown-paths"),
    "requests that must be taken": ("unknown-properties", "media-types", "unknown-parameters", "head"),
    "answers as declared": ("declared-answers", "envelopes", "no-server-errors", "latency"),
}

Application = Callable[[Any, Any, Any], Awaitable[None]]  # ASGI: scope, receive, send
Accused = frozenset[tuple[str, str]]  # check or law, operation


class Trial(NamedTuple):
    """What is judged, by whom and how."""

    api: str
    defect: str  # "": the sound implementation
    judge: str
    examples: int  # of each operation; 0 for the laws
    latency: int  # milliseconds; 0: no bound

    @property
    def sound(self) -> Trial:
        """The same, of the sound implementation."""
        return self._replace(defect="")


@dataclass(frozen=True)
class Verdict:
    """What a judge said, and at what cost; the implementation's is part of it."""

    failures: Accused
    questions: Accused  # about rules that the contract infers; Schemathesis asks none
    requests: int
    seconds: float
    cpu: float  # seconds

    @property
    def accused(self) -> Accused:
        return self.failures | self.questions


Runs = dict[Trial, Verdict]


# ---------------------------------------------------------------------------------------------------------------- the two judges


class Counting:
    """An ASGI application that counts what it is asked."""

    def __init__(self, counted: Application) -> None:
        self._counted = counted
        self.requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        await self._counted(scope, receive, send)


@cache
def read(api: str) -> settings.Settings:
    """The settings of the laws for an API; its contract is read once."""
    return settings.read([api, "--no-schemathesis", "--seed", str(SEED)])


def by_laws(trial: Trial, judged: Counting) -> tuple[Accused, Accused]:
    """All laws, in this process: violations and questions; where answers may be slow, only those that a bound needs."""
    laws = ("reading-changes-nothing", "latency") if trial.latency else ()
    chosen = replace(read(trial.api), laws=laws, latency=trial.latency)
    result = runner.run(chosen, targets=lambda contract: InProcess(trial.api, judged, contract.base_path))
    violations = frozenset((finding.law, finding.operation) for finding in result.violations)
    return violations, frozenset((finding.law, finding.operation) for finding in result.questions) - violations


def by_schemathesis(trial: Trial, judged: Counting) -> tuple[Accused, Accused]:
    """The command, in an empty folder and an environment without settings.

    Raises RuntimeError if it writes no report.
    """
    contract = read(trial.api).contracts[trial.api]
    headers = credentials(trial.api, judged)
    judged.requests = 0
    with tempfile.TemporaryDirectory() as folder, served(judged) as address:
        report = Path(folder, "report.json")
        ended = subprocess.run(  # noqa: S603  # the command of what is installed beside this interpreter
            command(trial, contract.file, f"{address}{contract.base_path}", headers, report),
            env={"PATH": os.defpath, "HOME": folder},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise RuntimeError(f"schemathesis wrote no report, and ended with {ended.returncode}: {ended.stderr[-1000:]}")
        return reported(json.loads(report.read_text())), frozenset()


JUDGES: Mapping[str, Callable[[Trial, Counting], tuple[Accused, Accused]]] = {SCHEMATHESIS: by_schemathesis, LAWS: by_laws}


def command(trial: Trial, document: Path, address: str, headers: Mapping[str, str], report: Path) -> list[str]:
    """Schemathesis' command line: everything on, nothing tuned."""
    return [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(document.resolve()), "--url", address),
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
        *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--seed", str(SEED), "--no-color"),
        *([] if trial.examples == STOCK else ["--max-examples", str(trial.examples)]),
        *(["--max-response-time", str(trial.latency / 1000)] if trial.latency else []),
        *("--report", "json", "--report-json-path", str(report)),
    ]


def reported(report: Mapping[str, Any]) -> Accused:
    """The failures in Schemathesis' JSON report, and its errors: they turn it red as well. Warnings do not."""
    failures = {(group["title"], operation) for group in report["failures"] for operation in group["operations"] or [""]}
    return frozenset(failures | {(error["title"], "") for error in report["errors"]})


def credentials(api: str, judged: Application) -> dict[str, str]:
    """The headers of the caller that may do most, logged in where the API has sessions."""
    known = read(api)
    contract = known.contracts[api]
    target = InProcess(api, judged, contract.base_path)
    caller = Caller(contract, target, known.credentials[api])
    secured = next(operation for operation in contract.operations.values() if caller.demands(operation))
    headers = dict(caller.request(secured, {}, query={}).headers)
    target.close()
    headers.pop("Accept")
    return headers


@contextlib.contextmanager
def served(judged: Application) -> Iterator[str]:
    """The address at which an application answers, from a thread of this process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(judged, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def judge(trial: Trial) -> Verdict:
    """Raises RuntimeError if the judge came to no verdict."""
    judged = Counting(application(trial.api, trial.defect or None))
    start, worked = time.perf_counter(), sum(os.times()[:4])
    failures, questions = JUDGES[trial.judge](trial, judged)
    seconds, cpu = time.perf_counter() - start, sum(os.times()[:4]) - worked
    return Verdict(failures, questions, judged.requests, round(seconds, 1), round(cpu, 1))


# --------------------------------------------------------------------------------------------------------- what is run, and kept


def planned(defects: Sequence[Defect], judges: Iterable[str], examples: int) -> list[Trial]:
    """Every trial that the defects need, those of the sound implementations first."""
    wanted = defective(defects, judges, examples)
    return [*dict.fromkeys(trial.sound for trial in wanted), *wanted]


def defective(defects: Sequence[Defect], judges: Iterable[str], examples: int) -> list[Trial]:
    """The trials of the defects themselves."""
    number = {SCHEMATHESIS: examples, LAWS: 0}
    return [
        Trial(defect.api, defect.name, judge, number[judge], LATENCY if defect.law == "latency" else 0)
        for judge in judges
        for defect in defects
    ]


def line(trial: Trial, verdict: Verdict) -> str:
    """A run as one line of JSON."""
    told = asdict(verdict) | {"failures": sorted(verdict.failures), "questions": sorted(verdict.questions)}
    return json.dumps(trial._asdict() | told, ensure_ascii=False) + "\n"


def kept(path: Path) -> Runs:
    """The runs in a file of JSON lines; none if there is no file.

    Raises ValueError with the number of the first line that is none.
    """
    runs: Runs = {}
    for number, text in enumerate(path.read_text().splitlines() if path.exists() else (), 1):
        try:
            told = json.loads(text)
            trial = Trial(**{name: told.pop(name) for name in Trial._fields})
            failures, questions = (frozenset(map(tuple, told.pop(name))) for name in ("failures", "questions"))
            runs[trial] = Verdict(failures, questions, **told)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}:{number} is not a run of this benchmark ({error}); take the line out, or name another file"
            ) from None
    return runs


def begun(lines: Path, *, anew: bool) -> Path:
    """The file for the lines, in a folder that is there."""
    lines.parent.mkdir(parents=True, exist_ok=True)
    if anew:
        lines.unlink(missing_ok=True)
    return lines


def run(trials: Sequence[Trial], runs: Runs, lines: Path) -> list[str]:
    """Judge what is not in `runs`, and add it there and to the file; the trials without a verdict, with the reason."""
    failed = []
    for number, trial in enumerate(trials, 1):
        if trial in runs:
            continue
        told = f"{number}/{len(trials)} {trial.api}, {trial.judge}: {trial.defect or 'sound'}"
        try:
            runs[trial] = judge(trial)
        except RuntimeError as error:
            failed.append(f"{told}: {error}")
            continue
        with lines.open("a") as file:
            file.write(line(trial, runs[trial]))
        print(f"{told}: {outcome(trial, runs)}", file=sys.stderr, flush=True)
    return failed


def outcome(trial: Trial, runs: Runs) -> str:
    """One run in a few words."""
    verdict = runs[trial]
    told = f"{len(verdict.accused)} failures" if not trial.defect else "found" if new(trial, runs) else "not found"
    return f"{told}, {verdict.requests:,} requests, {verdict.seconds} s"


def new(trial: Trial, runs: Runs) -> Accused:
    """What an implementation is accused of and the sound one is not."""
    return runs[trial].accused - runs[trial.sound].accused


# ---------------------------------------------------------------------------------------------------------------- what comes out


@dataclass(frozen=True)
class Cell:
    """What one judge made of some defects."""

    judged: int  # those that it has judged so far
    found: int
    requests: float  # of one run, on average
    seconds: float  # of CPU, of one run, on average


@dataclass(frozen=True)
class Row:
    """Some defects, beside what the judges made of them."""

    name: str
    defects: int
    cells: Mapping[str, Cell]  # judge -> what it made of them
    by_named_law: int  # found by the law that the catalogue names
    questions_only: int  # found by the laws, and only as a question about an inferred rule


def row(name: str, defects: Sequence[Defect], runs: Runs, examples: int) -> Row:
    judged = {judge: [trial for trial in defective(defects, [judge], examples) if trial in runs] for judge in JUDGES}
    meant = {(defect.api, defect.name): defect.law for defect in defects}
    found = {trial: new(trial, runs) for trial in judged[LAWS]}
    return Row(
        name,
        len(defects),
        {judge: cell(trials, runs) for judge, trials in judged.items()},
        sum(meant[trial.api, trial.defect] in {law for law, _ in accused} for trial, accused in found.items()),
        sum(bool(accused) and accused <= runs[trial].questions for trial, accused in found.items()),
    )


def cell(trials: Sequence[Trial], runs: Runs) -> Cell:
    verdicts = [runs[trial] for trial in trials]
    count = max(len(trials), 1)
    return Cell(
        len(trials),
        sum(bool(new(trial, runs)) for trial in trials),
        round(sum(verdict.requests for verdict in verdicts) / count),
        round(sum(verdict.cpu for verdict in verdicts) / count, 1),
    )


def class_of(law: str) -> str:
    """The class that a law stands in."""
    return next((name for name, laws in CLASSES.items() if law in laws), law)


def grouped(defects: Sequence[Defect], key: Callable[[Defect], str], runs: Runs, examples: int) -> list[Row]:
    """A row for each value of the key, in the catalogue's order."""
    names = dict.fromkeys(map(key, defects))
    return [row(name, [defect for defect in defects if key(defect) == name], runs, examples) for name in names]


def summary(defects: Sequence[Defect], runs: Runs, examples: int) -> dict[str, Any]:
    """All figures, as JSON."""
    rows = {
        "all": [row("all", defects, runs, examples)],
        "apis": grouped(defects, lambda defect: defect.api, runs, examples),
        "classes": grouped(defects, lambda defect: class_of(defect.law), runs, examples),
        "laws": grouped(defects, lambda defect: defect.law, runs, examples),
    }
    return {
        "seed": SEED,
        "examples": examples,
        **{name: [asdict(one) for one in some] for name, some in rows.items()},
        "more_examples": more_examples(runs, examples),
        "sound": {judge: sound(runs, judge, examples) for judge in JUDGES},
        "defects": [told(defect, runs, examples) for defect in defects],
    }


def sound(runs: Runs, judge: str, examples: int) -> dict[str, Any]:
    """What the sound implementations are accused of, and what that cost, by API."""
    return {
        trial.api: {"failures": sorted(verdict.accused), "requests": verdict.requests, "cpu": verdict.cpu}
        for trial, verdict in runs.items()
        if trial.judge == judge and not trial.defect and not trial.latency and trial.examples in (0, examples)
    }


def told(defect: Defect, runs: Runs, examples: int) -> dict[str, Any]:
    """One defect, and the checks, or laws, by which each judge finds it; none: not found."""
    trials = [trial for trial in defective([defect], JUDGES, examples) if trial in runs]
    found = {trial.judge: sorted({check for check, _ in new(trial, runs)}) for trial in trials}
    return {"api": defect.api, "law": defect.law, "name": defect.name, **found}


def more_examples(runs: Runs, examples: int) -> list[dict[str, int]]:
    """For each other number of examples: the same defects, found with it and found with `examples`."""
    pairs: dict[int, list[tuple[Trial, Trial]]] = {}
    for trial in runs:
        usual = trial._replace(examples=examples)
        if trial.defect and trial.judge == SCHEMATHESIS and trial.examples != examples and usual in runs:
            pairs.setdefault(trial.examples, []).append((trial, usual))
    return [
        {
            "examples": other,
            "defects": len(trials),
            "found": sum(bool(new(more, runs)) for more, _ in trials),
            "found_with_usual": sum(bool(new(usual, runs)) for _, usual in trials),
        }
        for other, trials in sorted(pairs.items())
    ]


def table(figures: Mapping[str, Any]) -> str:
    """The figures as a table in Markdown."""
    lines = [
        "| | defects | Schemathesis finds | requests | s | the laws find | by the law meant | requests | s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in (*figures["classes"], *figures["apis"], *figures["all"]):
        stock, laws = one["cells"][SCHEMATHESIS], one["cells"][LAWS]
        cells = (one["name"], one["defects"], *shown(stock, one), *shown(laws, one))
        found = [str(part) for part in cells]
        found.insert(6, str(one["by_named_law"]) if laws["judged"] else "-")
        lines.append(f"| {' | '.join(found)} |")
    lines += [
        f"\nWith {more['examples']} examples of each operation, in place of {figures['examples']}, Schemathesis finds "
        f"{more['found']} of {more['defects']} defects drawn at random, in place of {more['found_with_usual']}."
        for more in figures["more_examples"]
    ]
    return "\n".join(lines)


def shown(cell: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Found, requests and seconds; of how many it was found, where some are not judged yet."""
    if not cell["judged"]:
        return ("-",) * 3
    found = str(cell["found"]) if cell["judged"] == row["defects"] else f"{cell['found']} of {cell['judged']}"
    return found, f"{cell['requests']:,}", str(cell["seconds"])


# ------------------------------------------------------------------------------------------------------------------ the command


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.defects", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("apis", nargs="*", metavar="API", help=f"{', '.join(IMPLEMENTATIONS)}; default: all")
    made.add_argument("--defect", action="append", metavar="NAME", help="only this one; repeatable")
    made.add_argument("--sample", type=int, metavar="N", help="only so many, drawn at random from those chosen")
    made.add_argument("--judge", choices=[*JUDGES], help="only this one; default: both")
    made.add_argument(
        "--examples",
        type=int,
        default=STOCK,
        metavar="N",
        help=f"that Schemathesis makes of each operation; its own number: {STOCK}",
    )
    made.add_argument("--resume", action="store_true", help="keep the runs that the file has already")
    made.add_argument("--show", action="store_true", help="run nothing: the figures of the runs that the file has")
    made.add_argument(
        "--lines",
        type=Path,
        default=Path(".benchmarks/defects.jsonl"),
        metavar="FILE",
        help="where runs are kept; default: %(default)s",
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    return made


def chosen(given: argparse.Namespace) -> list[Defect]:
    """The defects that the command line means, in an order drawn at random, so that what is done so far is a fair sample.

    Raises LookupError with every name that is none.
    """
    apis = given.apis or [*IMPLEMENTATIONS]
    defects = [defect for api in apis for defect in CATALOGUE if defect.api == api]
    names = {defect.name for defect in defects}
    unknown = [unlike(api, IMPLEMENTATIONS, "API") for api in apis if api not in IMPLEMENTATIONS]
    unknown += [unlike(name, names, "defect") for name in given.defect or () if name not in names]
    if unknown:
        raise LookupError("; ".join(unknown))
    if given.defect:
        defects = [defect for defect in defects if defect.name in given.defect]
    chance = random.Random(SEED)  # noqa: S311  # not for secrets
    chance.shuffle(defects)
    return sorted(defects[: given.sample], key=lambda defect: apis.index(defect.api))


def unlike(name: str, known: Iterable[str], kind: str) -> str:
    """What is said of a name that is not known."""
    near = get_close_matches(name, known, 1)
    return f"there is no {kind} {name!r}" + (f"; is {near[0]!r} meant?" if near else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 if something could not be judged."""
    logging.getLogger("contract_tests.defects").addHandler(logging.NullHandler())  # Some defects are crashes.
    options = parser()
    given = options.parse_args(arguments)
    try:
        defects = chosen(given)
        runs = kept(given.lines) if given.resume or given.show else {}
    except (LookupError, ValueError) as wrong:
        options.error(str(wrong.args[0]))
    judges = [given.judge] if given.judge else [*JUDGES]
    failed = [] if given.show else run(planned(defects, judges, given.examples), runs, begun(given.lines, anew=not given.resume))
    figures = summary(sorted(defects, key=CATALOGUE.index), runs, given.examples)
    print(table(figures))
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    if failed:
        print("\nNot judged:", *failed, sep="\n", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
