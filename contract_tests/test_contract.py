"""Does the implementation keep its contract? One test for each API, law and operation."""

from __future__ import annotations

import pytest

from contract_tests.conftest import Outcomes, told
from contract_tests.findings import Finding, Unproved
from contract_tests.reports import terminal


def test_law_holds(api: str, law: str, operation: str, outcomes: Outcomes) -> None:
    """A law holds wherever it speaks of an operation; what could not be proved is skipped, with the reason."""
    outcome = outcomes(api)

    said = told(outcome, law, operation)

    failing = [one for one in said if isinstance(one, Finding) and outcome.fails(one)]
    if failing:
        pytest.fail("\n".join(terminal.finding(outcome, one) for one in failing), pytrace=False)
    reasons = dict.fromkeys(one.reason for one in said if isinstance(one, Unproved))
    if len(said) == sum(isinstance(one, Unproved) for one in said):
        pytest.skip("; ".join(reasons) or outcome.result.unreachable or "the law says nothing of this")


def test_enough_is_proved(api: str, outcomes: Outcomes) -> None:
    """A run that could not try what it should is no success."""
    if outcomes(api).shortcomings:
        pytest.fail("\n".join(outcomes(api).shortcomings), pytrace=False)


def test_waivers_are_used(api: str, outcomes: Outcomes) -> None:
    """Whatever is waived is there, and its date has not passed."""
    if outcomes(api).waivers.complaints:
        pytest.fail("\n".join(outcomes(api).waivers.complaints), pytrace=False)


def test_coverage_has_not_fallen(api: str, outcomes: Outcomes) -> None:
    """Whatever the baseline proved is proved again."""
    fallen = [", ".join(filter(None, key)) for key in outcomes(api).fallen]
    if fallen:
        pytest.fail("\n".join(["No longer proved:", *fallen]), pytrace=False)
