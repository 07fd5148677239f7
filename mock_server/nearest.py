"""A path that no contract knows -> the operations that may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import accumulate

from mock_server.addresses import bases
from mock_server.contract import Contract

SUGGESTED = 5
LONGEST = 30  # segments of a path that is compared
STEP = 0.8  # what a segment too few or too many costs
METHOD = 0.3  # what another method costs
NO_BASE = 1.1  # what it costs to have left out the base path
FAR = 2.0  # beyond this nothing is meant
SPREAD = 0.6  # what may be worse than the best


def operations(contracts: Mapping[str, Contract], method: str, path: str) -> list[str]:
    """Those that a request may have meant, as "GET /path/{id}", the likeliest first."""
    sent = path.partition("?")[0].strip("/").split("/")
    if len(sent) > LONGEST:
        return []
    if same := list(_with_other_methods(contracts, sent)):
        return same
    found: dict[str, float] = {}
    for contract in contracts.values():
        costs: dict[str, float] = {}
        for operation in contract.operations.values():
            if operation.path not in costs:
                costs[operation.path] = _cost(contract, operation.path, sent)
            name = f"{operation.method} {contract.base_path}{operation.path}"
            found[name] = costs[operation.path] + (0 if operation.method == method.upper() else METHOD)
    best = min(found.values(), default=FAR)
    near = sorted((cost, name) for name, cost in found.items() if cost <= min(best + SPREAD, FAR))
    return [name for _, name in near[:SUGGESTED]]


def _with_other_methods(contracts: Mapping[str, Contract], sent: list[str]) -> Iterator[str]:
    """The operations that have the very path, where only the method is another one."""
    for contract in contracts.values():
        ways = [base.strip("/").split("/") for base in bases(contract)]
        for operation in contract.operations.values():
            own = operation.path.strip("/").split("/")
            if any(_is(sent, [*way, *own]) for way in ways):
                yield f"{operation.method} {contract.base_path}{operation.path}"


def _is(sent: list[str], known: list[str]) -> bool:
    if len(sent) != len(known):
        return False
    return all(there == segment or (there.startswith("{") and segment) for segment, there in zip(sent, known, strict=True))


def _cost(contract: Contract, path: str, sent: list[str]) -> float:
    own = path.strip("/").split("/")
    whole = (_distance(sent, [*base.strip("/").split("/"), *own]) for base in bases(contract))
    return min(*whole, _distance(sent, own) + NO_BASE)


def _distance(sent: list[str], known: list[str]) -> float:
    """How many segments have to be put in, left out or replaced; one that is alike costs less."""
    row = [STEP * count for count in range(len(known) + 1)]
    for segment in sent:
        before = row
        replaced = [cost + _unlike(segment, there) for cost, there in zip(before, known, strict=False)]
        dropped = [cost + STEP for cost in before]
        best = [dropped[0], *map(min, replaced, dropped[1:])]
        row = list(accumulate(best, lambda left, here: min(left + STEP, here)))
    return row[-1]


@lru_cache(4096)
def _unlike(segment: str, known: str) -> float:
    if segment == known:
        return 0
    if known.startswith("{"):
        return 0.2 if segment else 1
    alike = difflib.SequenceMatcher(None, segment[:60].lower(), known.lower(), autojunk=False).ratio()
    return 1.2 - alike if alike >= 0.5 else 2 * STEP
