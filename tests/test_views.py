"""What is shown of records, and how much of it is kept."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from mock_server import contract as contracts
from mock_server import documents, views
from mock_server.seeded import Baseline, read
from mock_server.state import State
from mock_server.views import View

ROOT = Path(__file__).parents[1]


def test_what_is_kept_of_a_record_takes_its_bytes_alone() -> None:
    """Not those that it was made in, which are ten times as many."""
    contract = contracts.load(ROOT / "openapi/fentu/openapi.yaml", "fentu")
    data = read(contract, documents.load(ROOT / "fixtures/fentu/data.yaml"))
    state, operation = State(contract, Baseline(contract, data, 1, 1000)), contract.operations["listCustomers"]
    assert operation.resource is not None
    assert operation.view is not None
    view = View(contract, operation.resource, operation.view)
    view.page(state, range(100))

    tracemalloc.start()
    try:
        shown = view.page(state, range(100, 400))
        taken = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(inclusive=True, filename_pattern=views.__file__)])
    finally:
        tracemalloc.stop()

    most = sum(map(len, shown)) + 100 * len(shown)
    assert sum(statistic.size for statistic in taken.statistics("filename")) < most
