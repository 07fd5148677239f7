"""A run's result, held against waivers and a baseline -> what it means: who is at fault, and the exit status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from contract_tests import credentials, waivers
from contract_tests.findings import Finding, Key, Result
from contract_tests.settings import Settings
from contract_tests.waivers import Applied
from mock_server.contract import Contract

HELD, VIOLATED, NOTHING_PROVED = 0, 1, 3  # exit statuses; 2 is wrong usage

Standing = Literal["violation", "question", "known", "waived"]


@dataclass(frozen=True)
class Outcome:
    """Everything that a report tells."""

    result: Result
    contracts: Mapping[str, Contract]
    addresses: Mapping[str, str]  # API -> base address, for the lines to paste into a terminal
    standings: Mapping[Key, Standing]  # of every finding
    stand_ins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # API -> masked credential -> how a shell has it
    strict: bool = False
    waivers: Applied = field(default_factory=Applied)
    started: int = 0  # microseconds since 1970
    capsules: Mapping[Key, Path] = field(default_factory=dict)  # the files in which findings can be replayed
    against_baseline: bool = False
    fallen: tuple[Key, ...] = ()  # proved in the baseline and no longer
    sentences: Mapping[str, str] = field(default_factory=dict)  # law -> what it promises

    def standing(self, finding: Finding) -> Standing:
        return self.standings[finding.key]

    def of(self, *standings: Standing) -> list[Finding]:
        """The findings that stand so."""
        return [finding for finding in self.result.findings if self.standings[finding.key] in standings]

    def fails(self, finding: Finding) -> bool:
        """Whether the run fails because of this finding."""
        standing = self.standings[finding.key]
        return standing == "violation" or (standing == "question" and self.strict)

    @property
    def shortcomings(self) -> list[str]:
        """Why the run proves nothing, or too little."""
        result = self.result
        if result.unreachable:
            return [f"The target cannot be reached: {result.unreachable}"]
        if result.interrupted:
            return ["The run was interrupted before everything was tried."]
        return list(result.hollow) or ([] if result.proofs else ["Nothing was proved."])

    @property
    def status(self) -> int:
        """The exit status."""
        failed = any(map(self.fails, self.result.findings)) or self.waivers.complaints or self.fallen
        if self.result.unreachable or (self.shortcomings and not failed):
            return NOTHING_PROVED
        return VIOLATED if failed else HELD

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        if self.status == HELD and self.of("question"):
            return "All that the contract states held; of what it infers, not all did."
        return VERDICTS[self.status]


VERDICTS = {
    HELD: "All that was tried held.",
    VIOLATED: "The contract is broken.",
    NOTHING_PROVED: "Too little was proved to tell.",
}


def of(result: Result, settings: Settings, on: date, sentences: Mapping[str, str]) -> Outcome:
    """What a result means under the settings, on a day."""
    applied = waivers.applied(settings.waivers, result, on)
    waived = {one.finding.key for one in applied.waived}
    before = settings.baseline

    def standing(finding: Finding) -> Standing:
        if finding.key in waived:
            return "waived"
        if before is not None and before.knows(finding):
            return "known"
        return "question" if finding.is_question else "violation"

    return Outcome(
        result=result,
        contracts=settings.contracts,
        addresses={
            name: settings.addresses.get(name) or str(contract.document["servers"][0]["url"])
            for name, contract in settings.contracts.items()
        },
        standings={finding.key: standing(finding) for finding in result.findings},
        stand_ins={
            name: credentials.stand_ins(settings.contracts[name], known, public=name in settings.well_known)
            for name, known in settings.credentials.items()
            if name in settings.contracts
        },
        strict=settings.strict,
        waivers=applied,
        against_baseline=before is not None,
        fallen=before.fallen(result) if before else (),
        sentences=sentences,
    )
