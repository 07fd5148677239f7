"""An outcome -> SARIF 2.1.0: each finding at its line of the contract, for a code host to show there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import quote

from contract_tests.exchanges import Exchange
from contract_tests.findings import Finding
from contract_tests.outcome import Outcome
from contract_tests.reports import curls
from contract_tests.reports.escaping import body, shortened
from mock_server import __version__
from mock_server.contract import Json, Place

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
LONGEST = 10_000  # characters of a body
LEVELS = {"violation": "error", "question": "note", "known": "error", "waived": "error"}


def text(outcome: Outcome) -> str:
    """The log."""
    return json.dumps(log(outcome), indent=2, ensure_ascii=True) + "\n"


def log(outcome: Outcome) -> dict[str, Json]:
    """The log, with one run."""
    laws = list(dict.fromkeys(one.law for one in outcome.result.findings))
    run = {
        "tool": {"driver": {"name": "contract-tests", "version": __version__, "rules": [_rule(outcome, law) for law in laws]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(outcome)],
        "results": [_result(outcome, one, laws.index(one.law)) for one in outcome.result.findings],
        "properties": {"target": outcome.result.target, "seed": outcome.result.seed},
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _rule(outcome: Outcome, law: str) -> dict[str, Json]:
    sentence = outcome.sentences.get(law, law)
    return {"id": law, "shortDescription": {"text": law}, "fullDescription": {"text": sentence}}


def _invocation(outcome: Outcome) -> dict[str, Json]:
    complaints = [*outcome.shortcomings, *outcome.waivers.complaints]
    complaints += [f"No longer proved: {', '.join(filter(None, key))}" for key in outcome.fallen]
    return {
        "executionSuccessful": not outcome.result.unreachable and not outcome.result.interrupted,
        "exitCode": outcome.status,
        "toolExecutionNotifications": [{"level": "error", "message": {"text": complaint}} for complaint in complaints],
    }


def _result(outcome: Outcome, finding: Finding, rule: int) -> dict[str, Json]:
    standing = outcome.standing(finding)
    told: dict[str, Json] = {
        "ruleId": finding.law,
        "ruleIndex": rule,
        "level": "error" if outcome.fails(finding) else LEVELS[standing],
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": location(finding.place)}],
        "partialFingerprints": {"finding/v1": hashlib.sha256("\0".join(finding.key).encode()).hexdigest()},
        "occurrenceCount": finding.times,
        "properties": {
            "api": finding.api,
            "operation": finding.operation,
            "subject": finding.subject,
            "standing": standing,
            "origin": finding.origin.kind,
            "curl": curls.lines(outcome, finding),
        },
    }
    if finding.exchanges:
        told |= _web(outcome, finding.api, finding.exchanges[-1])
    if outcome.against_baseline:
        told["baselineState"] = "unchanged" if standing == "known" else "new"
    if waived := next((one.waiver for one in outcome.waivers.waived if one.finding.key == finding.key), None):
        justification = f"{waived.reason} (until {waived.until})"
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return told


def _message(finding: Finding) -> str:
    about = ", ".join(filter(None, (finding.api, finding.operation, finding.subject)))
    inferred = f" The rule is inferred: {finding.origin.detail}" if finding.is_question else ""
    return f"{finding.law} ({about}): expected {finding.expected}; seen {finding.seen}.{inferred}"


def location(place: Place) -> dict[str, Json]:
    """A line of a file, relative to where the command ran or absolute."""
    path = Path(place.file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": place.line}}


def _web(outcome: Outcome, api: str, exchange: Exchange) -> dict[str, Json]:
    """The request and the answer that show a finding."""
    request, answer = exchange.request, exchange.answer
    asked: dict[str, Json] = {
        "protocol": "HTTP",
        "version": "1.1",
        "target": outcome.addresses[api] + request.target,
        "method": request.method,
        "headers": _headers(request.headers),
    }
    if request.body is not None:
        asked["body"] = {"text": shortened(body(request.body), LONGEST)}
    answered = {
        "protocol": "HTTP",
        "version": "1.1",
        "statusCode": answer.status,
        "headers": _headers(answer.headers),
        "body": {"text": shortened(body(answer.body), LONGEST)},
    }
    return {"webRequest": asked, "webResponse": answered}


def _headers(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The header fields by name; the values of one that is repeated in one."""
    found: dict[str, str] = {}
    for name, value in headers:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
