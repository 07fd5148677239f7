"""A world as one document: what comes back is what went out, and what does not fit is refused as a whole."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import exports
from mock_server.changes import Changes
from mock_server.contract import Resource
from mock_server.refusals import Conflict, Refusal
from mock_server.state import State
from mock_server.worlds import World
from tests.test_state import CONTRACTS, living, new_world

Json = Any


def write(data: st.DataObject, world: World, state: State, resource: Resource) -> None:
    """One write whose values are those of another record, and fit therefore."""
    records = list(living(state.collections[resource.name]).items())
    if not records:
        return
    (number, old), (_, model) = (data.draw(st.sampled_from(records)) for _ in range(2))
    fixed = {resource.id.property, *state.collections[resource.name].unique}
    sent = {name: value for name, value in model.items() if name not in fixed}
    with contextlib.suppress(Refusal), Changes(world, state) as changes:
        match data.draw(st.sampled_from(["create", "change", "delete"])):
            case "create":
                changes.create(resource, sent)
            case "change":
                changes.change(resource, number, {**old, **sent}, {})
            case "delete":
                changes.delete(resource, number)


@pytest.mark.parametrize("name", CONTRACTS)
@settings(max_examples=25)
@given(data=st.data())
def test_an_export_is_a_world(data: st.DataObject, name: str) -> None:
    """After any writes: the document fits what is served, and the world in it exports the same document."""
    world = new_world()
    state = world.state(name)
    for _ in range(data.draw(st.integers(0, 8))):
        write(data, world, state, data.draw(st.sampled_from(list(CONTRACTS[name].resources.values()))))

    document = exports.document(world)
    again = exports.world_in(orjson.loads(orjson.dumps(document)), new_world(), force=False)

    assert exports.document(again) == document
    assert exports.document(exports.copied(world, "copy")) == document


def test_a_digest_is_that_of_the_values() -> None:
    """A client may write 1.0 as 1 and the names in another order."""
    assert exports.digest({"a": 1.0, "b": [2.5], "digest": "x"}) == exports.digest({"b": [2.5], "a": 1})
    assert exports.digest({"a": 1}) != exports.digest({"a": 2})
    assert exports.digest({"a": 1}) != exports.digest({"a": True})


def export(client: httpx.Client, world: str) -> Json:
    client.post(f"/w/{world}/fentu/api/v1/customers", json={"name": "A", "email": "a@export.example"}, headers=ADMIN)
    return client.get(f"/_mock/worlds/{world}/export").json()


ADMIN = {"Authorization": "Bearer test-admin"}


def test_an_imported_world_answers_as_the_exported_one(client: httpx.Client, world: str) -> None:
    """In every list, and with the next id."""
    document = export(client, world)

    assert client.put(f"/_mock/worlds/{world}-2/import", json=document).status_code == 200

    first, second = (f"/w/{name}/fentu/api/v1/customers" for name in (world, f"{world}-2"))
    assert client.get(second, headers=ADMIN).content == client.get(first, headers=ADMIN).content
    body = {"name": "B", "email": "b@export.example"}
    assert client.post(second, json=body, headers=ADMIN).json()["data"]["id"] == "cust-062"


def test_all_that_does_not_fit_is_told_at_once(client: httpx.Client, world: str) -> None:
    """Each with its JSON pointer; the world stays as it was."""
    document = export(client, world)
    record = document["apis"]["fentu"]["records"]["customer"]["60"]
    document["apis"]["fentu"]["records"] = {
        "customer": {"60": {**record, "name": 7}, "61": record, "x": None},
        "costumer": {},
    }
    document["apis"]["fantu"] = {"records": {}, "trash": []}
    document["situation"] = "nowhere"

    refused = client.put(f"/_mock/worlds/{world}/import?force=true", json=document)

    assert refused.status_code == 409
    told = {violation["pointer"]: violation["message"] for violation in refused.json()["violations"]}
    assert told == {
        "/situation": told["/situation"],
        "/apis/fentu/records/customer/60/name": "must be a text, not a number",
        "/apis/fentu/records/customer/61/id": "is not the id of customer 61, which is cust-062",
        "/apis/fentu/records/customer/x": "is no number of a record; the first is 0",
        "/apis/fentu/records/costumer": "is no resource of fentu; did you mean customer?",
        "/apis/fantu": "is not served here; did you mean fentu?",
    }
    assert client.get(f"/_mock/worlds/{world}").json()["records"] == {"fentu": {"customer": 1}}


@pytest.mark.parametrize("change", [lambda d: d["contracts"].update(fentu="0" * 64), lambda d: d.update(seed=2)])
def test_a_document_that_was_changed_is_taken_by_force_only(
    client: httpx.Client, world: str, change: Callable[[Json], None]
) -> None:
    """Or if it comes from another contract; by hand, the digest can be left out."""
    document = export(client, world)
    change(document)

    assert client.put(f"/_mock/worlds/{world}-2/import", json=document).status_code == 409
    assert client.put(f"/_mock/worlds/{world}-2/import?force=true", json=document).status_code == 200


def test_a_record_in_the_trash_is_deleted() -> None:
    """A document in which it lives too contradicts itself."""
    world = new_world()
    document = exports.document(world)
    record = world.state("fentu").collections["customer"].living(0)
    entry = {"resource": "customer", "number": 0, "record": record, "deleted": 0, "with": {"resource": "customer", "number": 0}}
    document["apis"]["fentu"] = {"records": {}, "trash": [entry]}
    del document["digest"]

    with pytest.raises(Conflict) as refused:
        exports.world_in(document, world, force=False)

    assert [violation.pointer for violation in refused.value.violations] == ["/apis/fentu/trash/0/number"]
    document["apis"]["fentu"]["records"] = {"customer": {"0": None}}
    assert exports.world_in(document, world, force=False).state("fentu").trash
