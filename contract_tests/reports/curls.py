"""A finding -> the lines to paste into a terminal to see it again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping

from contract_tests.exchanges import Exchange
from contract_tests.findings import Finding
from contract_tests.outcome import Outcome
from mock_server import curl
from mock_server.contract import Contract, Json

JSON = "application/json"
SESSION = "'\"$SESSION\"'"  # between a shell's single quotes
_SESSION_MASK = re.compile(r"\$\{session[\w.-]*\}")
_EMPTY_END = re.compile(r"(?<=\w\")''(?=\s|$)")  # what is left of single quotes that a variable ends


def lines(outcome: Outcome, finding: Finding) -> list[str]:
    """A command for each exchange of a finding, in their order; where they need a session, one before that opens it."""
    commands = [line(outcome, finding.api, exchange) for exchange in finding.exchanges]
    return [*_login(outcome, finding.api), *commands] if any(SESSION[1:-1] in command for command in commands) else commands


def answered(outcome: Outcome, finding: Finding) -> Iterator[tuple[str, Exchange | None]]:
    """The same, each with the exchange that it repeats; what opens a session repeats none."""
    commands = lines(outcome, finding)
    yield from zip(commands, [None] * (len(commands) - len(finding.exchanges)) + list(finding.exchanges), strict=True)


def line(outcome: Outcome, api: str, exchange: Exchange) -> str:
    """The command that sends a request again: masked credentials are taken from the environment, where they came from."""
    request = exchange.request
    return _filled(
        outcome, api, curl.line(request.method, outcome.addresses[api] + request.target, request.headers, request.body)
    )


def _filled(outcome: Outcome, api: str, text: str) -> str:
    """A command with what stands for its masks."""
    for mask, stand_in in outcome.stand_ins.get(api, {}).items():
        text = text.replace(mask, stand_in)
    return _EMPTY_END.sub("", _SESSION_MASK.sub(SESSION, text))


def _login(outcome: Outcome, api: str) -> Iterator[str]:
    """The command that keeps the id of a new session."""
    contract = outcome.contracts[api]
    login = next((one for one in contract.operations.values() if one.action == "login"), None)
    body = _masked_login(contract, outcome.stand_ins.get(api, {}))
    if login is None or not body:
        return
    sent = curl.line(login.method, outcome.addresses[api] + login.path, [("Content-Type", JSON)], json.dumps(body))
    name = next(_named("$session", login.envelope), "")
    cut = shlex.quote(f's/.*"{name}" *: *"\\([^"]*\\)".*/\\1/p')
    yield f"SESSION=$({_filled(outcome, api, sent)} --silent | sed -n {cut})"


def _masked_login(contract: Contract, stand_ins: Mapping[str, str]) -> dict[str, str]:
    """The body of a login whose values are masks that something stands in for."""
    masks = {mask.removesuffix("}").rpartition(".")[2]: mask for mask in stand_ins}
    names = contract.sessions.credentials if contract.sessions else ()
    return {name: masks[name] for name in names if name in masks}


def _named(token: str, template: Json) -> Iterator[str]:
    """The name of the property that has the token in an envelope."""
    for name, part in template.items() if isinstance(template, dict) else ():
        if part == token:
            yield name
        else:
            yield from _named(token, part)
