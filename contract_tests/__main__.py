"""contract-tests: say whether an implementation keeps its contract."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import TextIO

from contract_tests import outcome, settings, waivers
from contract_tests.findings import Result
from contract_tests.settings import Settings, WrongUsage

WRONG_USAGE = 2  # exit status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answer its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(given[0], test) if given else test
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # What a terminal cannot show is no reason to fail.
    try:
        return command(given[1:] if command is not test else given)
    except WrongUsage as wrong:
        _complain(wrong.sentences)
        return WRONG_USAGE
    except KeyboardInterrupt:
        _complain(["interrupted"])
        return outcome.NOTHING_PROVED
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        print(f"contract-tests: {sentence}", file=sys.stderr)


def test(arguments: Sequence[str]) -> int:
    """Try the laws on APIs, and report."""
    chosen = settings.read(arguments)
    # Imported late, so that a wrong option and --help answer at once.
    from contract_tests import capsules, reports, runner  # noqa: PLC0415
    from contract_tests.reports import terminal  # noqa: PLC0415
    from mock_server.clock import Clock  # noqa: PLC0415

    _complain(settings.unarmed(chosen))
    started = Clock().now()
    with Progress(sys.stderr) as progress:
        result = runner.run(chosen, progress)
    told = replace(outcome.of(masked(result, chosen), chosen, waivers.today(), sentences()), started=started)
    unwritten: list[str] = []
    if chosen.capsules is not None:
        told = capsules.written(told, chosen, chosen.capsules, unwritten)
    sys.stdout.write(terminal.text(told, colours=coloured(sys.stdout), durations=chosen.durations))
    sys.stdout.flush()
    unwritten += reports.write(told, chosen.reports)
    _complain(unwritten)
    return told.status or (WRONG_USAGE if unwritten else 0)


def masked(result: Result, chosen: Settings) -> Result:
    """The result without secrets: nothing is reported that has not come through here."""
    from contract_tests.masking import Masking  # noqa: PLC0415

    recorded = any(report.format == "har" for report in chosen.reports)
    return Masking(chosen.contracts, chosen.credentials).result(result, exchanges=recorded)


def sentences() -> dict[str, str]:
    """What each law promises."""
    from contract_tests.laws import LAWS  # noqa: PLC0415

    return {law.name: law.sentence for law in LAWS}


def traffic(arguments: Sequence[str]) -> int:
    """Judge recorded exchanges."""
    from contract_tests.traffic import command  # noqa: PLC0415

    return command.run(arguments, sys.stdout)


def parity(arguments: Sequence[str]) -> int:
    """Compare the mock with a real implementation."""
    from contract_tests.parity import command  # noqa: PLC0415

    return command.run(arguments, sys.stdout)


def laws(arguments: Sequence[str]) -> int:
    """Name every law."""
    if arguments:
        raise WrongUsage(f"`contract-tests laws` takes nothing more, not {' '.join(arguments)}")
    for name, sentence in sentences().items():
        print(f"{name}\n    {sentence}")
    return 0


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {"laws": laws, "parity": parity, "traffic": traffic}


def coloured(stream: TextIO) -> bool:
    """Whether colours may be written (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Progress:
    """The law that is being tried, on a terminal: one line that is overwritten, and gone at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._count = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def __call__(self, api: str, law: str) -> None:
        self._count += 1
        self._write(f"{self._count}. {api}: {law}")

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(f"\r\033[K{text}")
            self._stream.flush()


if __name__ == "__main__":
    sys.exit(main())
