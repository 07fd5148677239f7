"""What a run sent and saw -> the same without secrets, as reports may show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from contract_tests.exchanges import Answer, Exchange, Request
from contract_tests.findings import Finding, Result
from mock_server import messages
from mock_server.contract import Contract, Json
from mock_server.credentials import Credential, Credentials
from mock_server.secrecy import Found, Secrets

Known = Mapping[str, tuple[Credential, ...]]  # API -> its credentials


class Masking:
    """Masks what one run recorded: a secret met in one place is masked in every other."""

    def __init__(self, contracts: Mapping[str, Contract], known: Known) -> None:
        every = [Credentials(contract, known.get(name, ())) for name, contract in contracts.items()]
        self._secrets = Secrets(contracts, every)
        self._found = Found()

    def result(self, result: Result, *, exchanges: bool = False) -> Result:
        """The result with its findings masked; and, if they are wanted, all exchanges."""
        self._secrets.found(_telling(self._secrets, result, every=exchanges), self._found)
        recorded = {
            api: [self.exchange(api, one) for one in done] if exchanges else done for api, done in result.exchanges.items()
        }
        return replace(result, findings=[self.finding(one) for one in result.findings], exchanges=recorded)

    def finding(self, finding: Finding) -> Finding:
        subject, expected, seen = self.texts(finding.subject, finding.expected, finding.seen)
        exchanges = tuple(self.exchange(finding.api, one) for one in finding.exchanges)
        return replace(finding, subject=subject, expected=expected, seen=seen, exchanges=exchanges)

    def exchange(self, api: str, exchange: Exchange) -> Exchange:
        return _read(self._secrets.masked(entry(api, exchange), self._found), exchange)

    def texts(self, *texts: str) -> list[str]:
        masked: list[str] = self._secrets.masked({"texts": list(texts)}, self._found)["texts"]
        return masked


def _telling(secrets: Secrets, result: Result, *, every: bool) -> Iterator[Json]:
    """The exchanges in which secrets are looked for: what opens sessions, and what is shown."""
    for api, done in result.exchanges.items():
        for exchange in done:
            if every or secrets.actions.get((api, exchange.operation)) in ("login", "renew"):
                yield entry(api, exchange)
    for finding in result.findings:
        yield from (entry(finding.api, exchange) for exchange in finding.exchanges)


def entry(api: str, exchange: Exchange) -> dict[str, Json]:
    """An exchange as a journal tells it."""
    request, answer = exchange.request, exchange.answer
    return {
        "api": api,
        "operation": exchange.operation or None,
        "milliseconds": round(answer.seconds * 1000, 3),
        "request": {
            "method": request.method,
            "target": request.target,
            "headers": _listed(request.headers),
            **messages.told(request.body),
        },
        "answer": {"status": answer.status, "headers": _listed(answer.headers), **messages.told(answer.body)},
    }


def _listed(headers: Iterable[tuple[str, str]]) -> list[Json]:
    return [[name, value] for name, value in headers]


def _read(told: Mapping[str, Json], original: Exchange) -> Exchange:
    request, answer = told["request"], told["answer"]
    return Exchange(
        Request(request["method"], request["target"], _headers(request), messages.body(request, "replace")),
        Answer(answer["status"], _headers(answer), messages.body(answer, "replace") or b"", original.answer.seconds),
        original.operation,
    )


def _headers(part: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in part["headers"])
