"""Findings -> capsules: a file each, with which the mock server shows the failure again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from contract_tests.findings import Finding, Key
from contract_tests.masking import entry
from contract_tests.outcome import Outcome
from contract_tests.settings import Settings
from mock_server import fixtures
from mock_server.capsules.capsule import NoCapsule
from mock_server.capsules.saving import Saving, Start
from mock_server.capsules.writing import written as text_of
from mock_server.contract import Json

_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


def written(outcome: Outcome, settings: Settings, folder: Path, complaints: list[str]) -> Outcome:
    """The outcome with a capsule of every finding that is not waived; a complaint for each that cannot be made or written."""
    known, _ = fixtures.load(settings.fixtures, outcome.contracts, lenient=False)
    saving = Saving(outcome.contracts, list(known.values()))
    made: dict[Key, Path] = {}
    for finding in outcome.result.findings:
        if outcome.standing(finding) == "waived" or not finding.exchanges:
            continue
        path = folder / named(finding)
        try:
            capsule = saving.of_finding(_told(outcome.sentences, finding), Start())
            folder.mkdir(exist_ok=True)
            path.write_text(text_of(capsule), encoding="utf-8", newline="\n")
            made[finding.key] = path
        except NoCapsule as reason:
            complaints.append(f"no capsule of {', '.join(filter(None, finding.key))}: {reason}")
        except OSError as error:
            complaints.append(f"the capsule {path} cannot be written: {error.strerror}")
    return replace(outcome, capsules=made)


def named(finding: Finding) -> str:
    """The name of a finding's file, the same in every run."""
    digest = hashlib.sha256("\0".join(finding.key).encode(errors="replace")).hexdigest()[:8]
    readable = _UNSAFE.sub("-", "-".join(filter(None, (finding.api, finding.law, finding.operation, finding.subject))))
    return f"{readable[:80].strip('-')}-{digest}.yaml"


def _told(sentences: Mapping[str, str], finding: Finding) -> dict[str, Json]:
    title = f"{sentences.get(finding.law, finding.law)} {finding.operation} {finding.subject}".strip()
    return {"api": finding.api, "title": title, "requests": [entry(finding.api, one) for one in finding.exchanges]}
