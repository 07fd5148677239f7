"""An outcome -> HAR 1.2: everything that was sent and answered."""

from __future__ import annotations

import json
from collections.abc import Iterator

from contract_tests.exchanges import Exchange
from contract_tests.masking import entry
from contract_tests.outcome import Outcome
from mock_server import clock, har
from mock_server.contract import Json, Times

TIMES = Times(zoned=True, milliseconds=True)


def text(outcome: Outcome) -> str:
    """The file."""
    return json.dumps(har.document(_entries(outcome), ""), indent=1, ensure_ascii=True) + "\n"


def _entries(outcome: Outcome) -> Iterator[Json]:
    """Every exchange as a journal tells it. Only durations were measured: the times follow from them and from the run's start."""
    number, at = 0, outcome.started
    for api, exchanges in outcome.result.exchanges.items():
        for exchange in exchanges:
            number += 1
            yield _entry(outcome, api, exchange, number, at)
            at += round(exchange.answer.seconds * clock.MICROSECONDS)


def _entry(outcome: Outcome, api: str, exchange: Exchange, number: int, at: int) -> Json:
    told = entry(api, exchange)
    told["request"]["target"] = outcome.addresses[api] + exchange.request.target
    return {"id": str(number), "at": clock.written(at, TIMES), **told, "violations": []}
