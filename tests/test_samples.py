"""A right request for every operation."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from mock_server import contract, samples
from mock_server.contract import Contract, Operation
from tests.conftest import ROOT

EVERY = [
    pytest.param(one, operation, id=f"{one.name}-{name}")
    for one in contract.load_all(ROOT / "openapi").values()
    for name, operation in one.operations.items()
]


@pytest.mark.parametrize(("one", "operation"), EVERY)
def test_what_is_shown_as_right_is_granted(
    one: Contract, operation: Operation, into: Callable[[str], httpx.Client], address: str
) -> None:
    """In a new world; or the state is against it, never the request."""
    sample = samples.sample(one, operation)

    answer = into(one.name).request(sample.method, f"{address}{sample.target}", content=sample.body, headers=dict(sample.headers))

    nested = 404 if operation.ancestors and operation.identifier else 409  # Which records a parent has, no contract says.
    assert answer.status_code in (operation.status, 409, nested), (sample, answer.text)
