"""An outcome -> the JSON report, whose form is report.schema.json: what other programs and a later run's --baseline read."""

from __future__ import annotations

import json
from collections import Counter

from contract_tests import baseline
from contract_tests.costs import Cost
from contract_tests.coverage import covered
from contract_tests.findings import Finding, Key, Result
from contract_tests.masking import entry
from contract_tests.outcome import Outcome
from contract_tests.reports import curls
from mock_server import __version__
from mock_server.contract import Json

FORM = 1  # the version of the form


def text(outcome: Outcome) -> str:
    """The report as indented JSON."""
    return json.dumps(value(outcome), indent=2, ensure_ascii=True) + "\n"


def value(outcome: Outcome) -> dict[str, Json]:
    """The report."""
    result = outcome.result
    return {
        "form": FORM,
        "generator": {"name": "contract-tests", "version": __version__},
        "target": result.target,
        "seed": result.seed,
        "strict": outcome.strict,
        "status": outcome.status,
        "shortcomings": outcome.shortcomings,
        "apis": {name: _api(outcome, name) for name in outcome.contracts},
        "laws": dict(outcome.sentences),
        "findings": [_finding(outcome, one) for one in result.findings],
        "proofs": [{**_key(one.key), "checks": one.checks} for one in result.proofs],
        "unproved": [{**_key(one.key), "reason": one.reason} for one in result.unproved],
        "waivers": {
            "applied": [
                {**_key(finding.key), "reason": waiver.reason, "until": waiver.until.isoformat(), "place": str(waiver.place)}
                for finding, waiver in ((one.finding, one.waiver) for one in outcome.waivers.waived)
            ],
            "complaints": list(outcome.waivers.complaints),
        },
        "fallen": [_key(key) for key in outcome.fallen],
        "leftovers": [{"api": one.api, "resource": one.resource, "id": one.id, "reason": one.reason} for one in result.leftovers],
        "durations": [_duration(result, api, law) for api, law in sorted(result.seconds)],
    }


def _api(outcome: Outcome, name: str) -> dict[str, Json]:
    contract = outcome.contracts[name]
    done = outcome.result.exchanges.get(name, ())
    return {
        "title": contract.title,
        "version": contract.version,
        "digest": contract.digest,
        "address": outcome.addresses[name],
        "requests": len(done),
        "seconds": round(sum(one.answer.seconds for one in done), 4),
        "findings": dict(Counter(outcome.standing(one) for one in outcome.result.findings if one.api == name)),
        "operations": {
            one.operation.operation_id: {
                "method": one.operation.method,
                "path": one.operation.path,
                "statuses": {str(status): count for status, count in sorted(one.statuses.items())},
                "unseen": sorted(one.unseen),
                "parameters": dict(one.parameters),
                "properties": dict(one.properties),
            }
            for one in covered(contract, done)
        },
    }


def _finding(outcome: Outcome, finding: Finding) -> dict[str, Json]:
    return {
        **_key(finding.key),
        "standing": outcome.standing(finding),
        "fails": outcome.fails(finding),
        "sentence": outcome.sentences.get(finding.law, finding.law),
        "expected": finding.expected,
        "seen": finding.seen,
        "times": finding.times,
        "place": {"file": finding.place.file, "line": finding.place.line},
        "origin": {"kind": finding.origin.kind, "detail": finding.origin.detail},
        "exchanges": [entry(finding.api, one) for one in finding.exchanges],
        "curl": curls.lines(outcome, finding),
        "capsule": str(outcome.capsules[finding.key]) if finding.key in outcome.capsules else None,
    }


def _duration(result: Result, api: str, law: str) -> dict[str, Json]:
    """What a law took, and what each of its phases."""
    start = f"{law}: "
    phases = [
        {"name": name.removeprefix(start), **_spent(cost)}
        for (of, name), cost in result.costs.items()
        if of == api and name.startswith(start)
    ]
    return {"api": api, "law": law, **_spent(result.costs[api, law]), "phases": phases}


def _spent(cost: Cost) -> dict[str, Json]:
    spent = {"seconds": cost.seconds, "waiting": cost.waiting, "judging": cost.judging}
    return {**{name: round(seconds, 4) for name, seconds in spent.items()}, "requests": cost.requests}


def _key(key: Key) -> dict[str, Json]:
    return dict(zip(baseline.MEMBERS, key, strict=True))
