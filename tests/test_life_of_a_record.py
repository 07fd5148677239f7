"""create -> get -> list -> update -> delete -> gone, on every resource that has them, from the contracts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server import contract
from mock_server.contract import Contract, Operation, Resource
from mock_server.schemas import followed, merged

Client = httpx.Client
CONTRACTS = contract.load_all(Path(__file__).parent.parent / "openapi")


def of(api: Contract, resource: str, action: str, *parents: str) -> Operation | None:
    """The operation with this action whose path names these parents."""
    for operation in api.operations.values():
        above = {str(parameter.identifies) for parameter in operation.ancestors}
        acts = operation.action == action and operation.resource is api.resources[resource]
        if acts and above <= set(parents) and bool(above) == bool(parents):
            return operation
    return None


def creations() -> Iterator[tuple[str, str]]:
    for name, api in CONTRACTS.items():
        for operation in api.operations.values():
            if operation.action == "create":
                yield name, operation.operation_id


def example(api: Contract, operation: Operation) -> dict[str, Any]:
    """The first documented body."""
    content = api.document["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]["application/json"]
    value = followed(next(iter(content["examples"].values())), api.document)["value"]
    assert isinstance(value, dict)
    return value


def found(body: Any) -> Any:
    """The record inside an answer, whatever the envelope."""
    return body["data"] if isinstance(body, dict) and "data" in body else body


def made(client: Client, api: Contract, resource: str, ids: dict[str, Any]) -> Any:
    """The id of a new record, below the parents whose ids are given."""
    operation = of(api, resource, "create", *ids)
    assert operation is not None
    assert operation.resource is not None
    answer = client.post(filled(operation, ids), json=example(api, operation))
    assert answer.status_code == operation.status, answer.text
    body = answer.json()
    return found(body)[operation.resource.id.property if "data" in body else "id"]


def filled(operation: Operation, ids: dict[str, Any]) -> str:
    """The operation's path with the ids of the resources that it names."""
    path = operation.path[1:]
    for parameter in operation.parameters:
        if parameter.identifies:
            path = path.replace(f"{{{parameter.name}}}", str(ids[parameter.identifies]))
    return path


@pytest.mark.parametrize(("name", "operation_id"), list(creations()))
def test_the_life_of_a_record(into: Callable[[str], Client], name: str, operation_id: str) -> None:
    """What is created is read, listed, counted and changed, and once deleted it is nowhere."""
    api, client = CONTRACTS[name], into(name)
    operation = api.operations[operation_id]
    assert operation.resource is not None
    resource, key = operation.resource, operation.resource.id.property
    ids: dict[str, Any] = {}
    for parameter in operation.ancestors:
        ids[str(parameter.identifies)] = made(client, api, str(parameter.identifies), dict(ids))
    listing = of(api, resource.name, "list", *ids)
    before = ids_at(client, filled(listing, ids), key) if listing else []

    answer = client.post(filled(operation, ids), json=example(api, operation))
    assert answer.status_code == operation.status, answer.text
    ids[resource.name] = found(answer.json())[key if "data" in answer.json() else "id"]

    if listing:
        assert ids_at(client, filled(listing, ids), key) == [*before, ids[resource.name]]
    getting = of(api, resource.name, "get")
    sent = example(api, operation)
    if getting:
        got = found(client.get(filled(getting, ids)).json())
        assert_holds(got, sent, resource)
    updating = of(api, resource.name, "update")
    if updating:
        change = sent | example(api, updating)
        assert (
            client.put(
                filled(updating, ids), json=change | {updating.target: ids[resource.name]} if updating.target else change
            ).status_code
            == 200
        )
        if getting:
            assert_holds(found(client.get(filled(getting, ids)).json()), change, resource)
    removing = of(api, resource.name, "delete") or of(api, resource.name, "delete", *[i for i in ids if i != resource.name])
    if removing:
        assert client.delete(filled(removing, ids)).status_code == removing.status
        assert client.delete(filled(removing, ids)).status_code == 404
        if getting:
            assert client.get(filled(getting, ids)).status_code == 404
        if listing:
            assert ids_at(client, filled(listing, ids), key) == before


def ids_at(client: Client, path: str, id: str) -> list[Any]:
    """The ids of all pages of a list."""
    ids: list[Any] = []
    for page in range(1, 100):
        body = client.get(path, params={"page": page}).json()
        rows = body.get("data", body.get("results"))
        if not rows:
            return ids
        ids += [row[id] for row in rows]
    raise AssertionError("a list without end")


def assert_holds(got: dict[str, Any], sent: dict[str, Any], resource: Resource) -> None:
    """Everything sent is there; what the server assigns, what another record shows, and child records aside."""
    skipped = resource.assigned | {r.property for r in resource.references} | {c.property for c in resource.children}
    skipped |= {counter.property for counter in resource.numbers}
    skipped |= {name for name, schema in resource.stored.items() if merged(schema).get("readOnly")}
    assert {name: got.get(name) for name in sent if name not in skipped} == {n: v for n, v in sent.items() if n not in skipped}
