"""What is stored of a body."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_server.intake import Filling, filling

EMPTY = {"string": "", "integer": 0, "array": []}
NODE: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "object", "properties": {"width": {"type": "integer"}}}},
}
NODE["properties"]["inner"] = {"allOf": [NODE, {"properties": {"name": {"description": "said once more"}}}]}  # never ends
NODE["properties"]["parts"] = {"type": "array", "items": NODE}

TEXTS = st.text(max_size=3)
nodes = st.recursive(
    st.fixed_dictionaries({}, optional={"name": TEXTS, "size": st.dictionaries(TEXTS, st.integers()), "odd": TEXTS}),
    lambda inner: st.fixed_dictionaries({}, optional={"name": TEXTS, "inner": inner, "parts": st.lists(inner, max_size=2)}),
    max_leaves=6,
)


def test_an_object_is_stored_whole_and_without_what_is_unknown() -> None:
    stored = Filling(NODE, EMPTY)({"size": {"height": 2}, "parts": [{"odd": 1}], "odd": 1})

    part = {"name": "", "parts": []}  # Nothing is said of what an object is that has no value: it is not there.
    assert stored == {"name": "", "size": {"width": 0}, "parts": [part]}


@given(nodes)
def test_what_is_stored_is_stored_again_as_it_is(sent: dict[str, Any]) -> None:
    store = Filling(NODE, EMPTY)

    assert store(store(sent)) == store(sent)


@given(nodes)
def test_a_value_that_came_stays(sent: dict[str, Any]) -> None:
    stored = Filling(NODE, EMPTY)(sent)

    assert "name" not in sent or stored["name"] == sent["name"]
    assert len(stored["parts"]) == len(sent.get("parts", []))


def test_a_value_without_parts_needs_no_filling() -> None:
    assert filling({"type": "string"}, EMPTY) is None
    assert filling({"type": "array", "items": {"type": "string"}}, EMPTY) is not None
