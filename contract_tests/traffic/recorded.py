"""An HTTP Archive -> the exchanges that can be judged, each with its API; and why the others cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from contract_tests.exchanges import Answer, Exchange, Request
from mock_server.addresses import Addresses
from mock_server.contract import Contract
from mock_server.har import Entry


@dataclass(frozen=True)
class Recorded:
    """One entry: which it is, the API that it asks, and what was said."""

    number: int  # from 0, as the entries of an archive are counted
    api: str
    base: str  # the address below which the request's target stands
    exchange: Exchange
    has_body: bool  # whether the answer's body was recorded


@dataclass
class Recording:
    """What an archive holds."""

    judged: list[Recorded] = field(default_factory=list)
    elsewhere: Counter[str] = field(default_factory=Counter)  # host -> requests that no contract is about
    skipped: Counter[str] = field(default_factory=Counter)  # reason -> requests of an API that say nothing

    @property
    def entries(self) -> int:
        return len(self.judged) + self.elsewhere.total() + self.skipped.total()


SKIPPED = {"OPTIONS": "asks as a browser what it may send", "CONNECT": "opens a tunnel"}
CACHED = 304


def read(entries: Iterable[Entry], contracts: Mapping[str, Contract], addresses: Mapping[str, str]) -> Recording:
    """Sort the entries; `addresses` (API -> base address) are known beside those that the contracts name."""
    known, found = Addresses(contracts), Recording()
    for number, entry in enumerate(entries):
        located = _located(entry, contracts, addresses, known)
        if located is None:
            found.elsewhere[urlsplit(entry.request.url).netloc or "no host"] += 1
        elif (reason := _reason(entry)) is not None:
            found.skipped[reason] += 1
        else:
            found.judged.append(_recorded(number, entry, *located))
    return found


def _located(
    entry: Entry, contracts: Mapping[str, Contract], addresses: Mapping[str, str], known: Addresses
) -> tuple[str, str] | None:
    """The API that a request is for, and its target below the API's base address."""
    url = entry.request.url.partition("#")[0]
    for api, base in addresses.items():
        if url.startswith(base) and url[len(base) : len(base) + 1] in ("", "/", "?"):
            return api, url[len(base) :]
    found = known.located(url, entry.request.method, (name for name, _ in entry.request.headers))
    return None if found is None else (found.api, found.target.removeprefix(contracts[found.api].base_path))


def _reason(entry: Entry) -> str | None:
    """Why an entry cannot be judged; None if it can."""
    if entry.answer is None:
        return "no answer was recorded"
    if entry.answer.status == CACHED:
        return "the client had the answer already"
    return SKIPPED.get(entry.request.method)


def _recorded(number: int, entry: Entry, api: str, target: str) -> Recorded:
    request, answer = entry.request, entry.answer
    base = request.url.partition("#")[0].removesuffix(target)
    told = Answer(answer.status, answer.headers, answer.body or b"", entry.milliseconds / 1000) if answer else Answer(0)
    exchange = Exchange(Request(request.method, target, request.headers, request.body), told)
    return Recorded(number, api, base, exchange, answer is not None and answer.body is not None)
