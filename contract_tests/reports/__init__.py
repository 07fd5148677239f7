"""An outcome -> the reports: each writer is a function from an Outcome to the text of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from contract_tests.outcome import Outcome
from contract_tests.reports import document, junit, page, recording, sarif
from contract_tests.settings import Report

WRITERS: Mapping[str, Callable[[Outcome], str]] = {
    "junit": junit.text,
    "json": document.text,
    "html": page.text,
    "sarif": sarif.text,
    "har": recording.text,
}


def write(outcome: Outcome, reports: Iterable[Report]) -> list[str]:
    """Write the files; a sentence for each that could not be written."""
    complaints = []
    for report in reports:
        try:
            report.path.write_text(WRITERS[report.format](outcome), encoding="utf-8", newline="\n")
        except OSError as error:
            complaints.append(f"the {report.format} report {report.path} cannot be written: {error.strerror}")
    return complaints
