"""Known findings that are let pass, and baselines."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from contract_tests import baseline, waivers
from contract_tests.baseline import Baseline, Unreadable
from contract_tests.findings import Finding, Proof, Result, Unproved
from mock_server.contract import BrokenContract, Contract, Origin, Place

LAWS = ("create-persists", "guards")
TODAY = date(2026, 3, 1)
GOOD = """
waivers:
  - law: create-persists
    api: fentu
    operation: createCustomer
    subject: name
    reason: Ticket 12; they mend it in spring.
    until: "2026-06-30"
  - law: guards
    api: fentu
    reason: Nobody deletes there.
    until: 2026-03-01
"""


def read(text: str, contracts: dict[str, Contract], folder: Path) -> tuple[waivers.Waiver, ...]:
    path = folder / "waivers.yaml"
    path.write_text(text)
    return waivers.read(path, contracts, LAWS)


def finding(law: str = "create-persists", operation: str = "createCustomer", subject: str = "name") -> Finding:
    return Finding(law, "fentu", operation, subject, "a", "b", (), Place("openapi.yaml", 1), Origin("seed"))


def test_a_waiver_covers_what_it_names(contracts: dict[str, Contract], tmp_path: Path) -> None:
    """One without operation and subject covers all of its law; the last day still counts."""
    listed = read(GOOD, contracts, tmp_path)
    fax, other = finding(subject="fax"), finding("guards", "deleteAsset", "")

    applied = waivers.applied(listed, Result(findings=[finding(), fax, other]), TODAY)

    assert applied.left == (fax,)
    assert [one.finding for one in applied.waived] == [finding(), other]
    assert applied.complaints == ()


def test_an_expired_waiver_fails(contracts: dict[str, Contract], tmp_path: Path) -> None:
    """Its finding counts again, and the file's line is told."""
    listed = read(GOOD, contracts, tmp_path)

    applied = waivers.applied(listed[1:], Result(findings=[finding("guards")]), date(2026, 3, 2))

    assert applied.left == (finding("guards"),)
    assert applied.complaints == (
        f"{tmp_path}/waivers.yaml:9: the waiver of guards of fentu has expired on 2026-03-01: "
        "mend the fault, or give it a new date",
    )


@pytest.mark.parametrize(
    ("result", "unused"),
    [
        (Result(proofs=[Proof("create-persists", "fentu", "createCustomer", "name")]), True),
        (Result(seconds={("fentu", "create-persists"): 0.1}), True),
        (Result(unproved=[Unproved("create-persists", "fentu", "createCustomer", "name", "read-only")]), False),
        (Result(proofs=[Proof("create-persists", "lemonsoft", "createCustomer", "name")]), False),
        (Result(), False),
    ],
)
def test_an_unused_waiver_fails(contracts: dict[str, Contract], tmp_path: Path, result: Result, *, unused: bool) -> None:
    """But not where its law was not tried, or could not be."""
    listed = read(GOOD, contracts, tmp_path)[:1]

    complaints = waivers.applied(listed, result, TODAY).complaints

    assert [complaint.endswith("is not used any more: take it out") for complaint in complaints] == [True] * unused


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("waivers: 3", "it must be a mapping with the list `waivers`"),
        ("waiver: []", "this key is unknown; there is waivers, a list"),
        ("waivers: [3]", "it must be a mapping with law, api, operation, subject, reason, until"),
        (GOOD.replace("law: guards", "law: gards"), "gards is no law; did you mean guards?"),
        (GOOD.replace("api: fentu", "api: fento", 1), "fento is no API; did you mean fentu?"),
        (
            GOOD.replace("createCustomer", "createCustomers"),
            "createCustomers is no operation of that API; did you mean createCustomer?",
        ),
        (GOOD.replace("2026-03-01", "01.03.2026"), "`until` must be a date like 2026-12-31"),
        (GOOD.replace("    reason: Nobody deletes there.\n", ""), "`reason` is missing"),
        (GOOD.replace("Nobody deletes there.", '""'), "`reason` must be a text, not empty"),
        (GOOD.replace("reason: Nobody", "why: Nobody"), "this key is unknown; there are law, api"),
    ],
)
def test_a_mistake_in_the_file_is_told(contracts: dict[str, Contract], tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BrokenContract, match=r"waivers\.yaml:\d+: ") as raised:
        read(text, contracts, tmp_path)

    assert told in str(raised.value)


def test_a_baseline_is_a_json_report(tmp_path: Path) -> None:
    key = {"law": "guards", "api": "fentu", "operation": "deleteCustomer", "subject": ""}
    path = tmp_path / "before.json"
    path.write_text(json.dumps({"findings": [key], "proofs": [key | {"subject": "x", "checks": 2}], "more": 1}))

    assert baseline.read(path) == Baseline(
        frozenset({("guards", "fentu", "deleteCustomer", "")}), frozenset({("guards", "fentu", "deleteCustomer", "x")})
    )


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"findings": {}}', '{"findings": [3], "proofs": []}', "[" * 100_000, "\xff"]
)
def test_what_is_no_report_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "before.json"
    path.write_text(text, "latin-1")

    with pytest.raises(Unreadable, match=r"before\.json is (not JSON|no JSON report of contract-tests)"):
        baseline.read(path)
