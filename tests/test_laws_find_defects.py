"""Each defect of the catalogue is found by the law that is meant for it, and no law complains of a sound implementation."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from contract_tests import runner, settings
from contract_tests.defects import CATALOGUE, IMPLEMENTATIONS, Defect, application
from contract_tests.findings import Result
from contract_tests.laws import LAWS, SCHEMATHESIS
from contract_tests.targets import InProcess

LATENCY = 400  # milliseconds
BEFORE = {  # law -> those whose exchanges it judges: it sends nothing, or little, itself
    "no-server-errors": ("filters-are-exact", "unknown-ids", "odd-values"),
    "declared-answers": ("create-persists", "unknown-ids", "views-agree", "deleted-is-gone"),
    "envelopes": ("unknown-ids", "deleted-is-gone", "methods"),
    "lists-are-complete": ("create-persists",),
    "latency": ("reading-changes-nothing",),
}


@cache
def read(api: str) -> settings.Settings:
    """The settings for an API; its contract is read once."""
    return settings.read([api, "--no-schemathesis"])


def judged(api: str, defect: str | None, laws: tuple[str, ...], seed: int = 1) -> Result:
    """What the laws say of an implementation in this process."""
    chosen = replace(read(api), laws=laws, seed=seed, latency=LATENCY if "latency" in laws else 0)
    app = application(api, defect)
    return runner.run(chosen, targets=lambda contract: InProcess(api, app, contract.base_path))


@pytest.mark.parametrize("defect", CATALOGUE, ids=lambda defect: f"{defect.api}: {defect.name}")
def test_a_defect_is_found_by_its_law(defect: Defect) -> None:
    """The law alone is enough."""
    result = judged(defect.api, defect.name, (*BEFORE.get(defect.law, ()), defect.law))

    assert defect.law in {finding.law for finding in result.findings}


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("api", IMPLEMENTATIONS)
def test_a_sound_implementation_is_clean(api: str, seed: int) -> None:
    """Every law that can be tried holds, and nothing is left behind that could be deleted."""
    laws = tuple(law.name for law in LAWS if law.name not in (SCHEMATHESIS, "latency"))
    result = judged(api, None, laws, seed)

    assert [
        (finding.law, finding.operation, finding.subject, finding.expected, finding.seen) for finding in result.findings
    ] == []
    assert result.hollow == []
    assert len(result.proofs) > 100
    assert {leftover.reason for leftover in result.leftovers if "no operation" not in leftover.reason} == set()


def test_every_law_has_a_defect() -> None:
    """A law that has caught nothing yet is not to be trusted."""
    caught = {defect.law for defect in CATALOGUE}

    assert {law.name for law in LAWS} - caught - {SCHEMATHESIS} == set()
    assert caught <= {law.name for law in LAWS}
