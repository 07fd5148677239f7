"""What the vocabulary promises of writes, on a small contract with everything in it."""

from __future__ import annotations

import pytest

from mock_server import contract, seeded
from mock_server.changes import MERGES, Changes
from mock_server.clock import Clock
from mock_server.contract import Contract, Record
from mock_server.intake import Intake
from mock_server.refusals import Dangling, Duplicate
from mock_server.seeded import Baseline
from mock_server.state import Collection, State
from mock_server.worlds import World

SHELF = """
openapi: 3.0.3
info: {title: Shelf, version: "1"}
servers: [{url: "http://localhost:8080/shelf"}]
x-semantics:
  envelopes: {one: $record}
  refusals: {body: {message: $message}}
  resources:
    box:
      schema: "#/components/schemas/Box"
      id: {property: id}
      numbers: [{property: number, from: 100, settable: true}]
      references:
        inside: {resource: box}
        like: {resource: box, by: code}
      unique: [{property: code, case: insensitive}]
      initial: {state: new}
      deletion: {trash: true, cascades: [box]}
      children: {labels: {resource: label, writable: true}}
    label:
      schema: "#/components/schemas/Label"
      id: {property: id}
      parent: {resource: box, property: box_id}
      unique: [{property: text}]
paths:
  /boxes/{id}:
    put:
      operationId: updateBox
      x-semantics: {action: update, resource: box, envelope: one}
      parameters: [{name: id, in: path, required: true, schema: {type: integer}, x-semantics: {identifies: box}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Box"}}}}
      responses: {"200": {description: Done., content: {application/json: {schema: {$ref: "#/components/schemas/Box"}}}}}
components:
  schemas:
    Box:
      type: object
      properties:
        id: {type: integer, readOnly: true}
        number: {type: integer}
        code: {type: string, nullable: true}
        inside: {type: integer, nullable: true}
        like: {type: string, nullable: true}
        state: {type: string}
        size:
          type: object
          properties: {width: {type: integer, nullable: true}, height: {type: integer, nullable: true}}
        labels: {type: array, items: {$ref: "#/components/schemas/Label"}}
    Label:
      type: object
      properties: {id: {type: integer}, text: {type: string, nullable: true}}
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    path = tmp_path_factory.mktemp("shelf") / "openapi.yaml"
    path.write_text(SHELF)
    return contract.load(path, "shelf")


@pytest.fixture
def world(shelf: Contract) -> World:
    """An empty one."""
    baseline = Baseline(shelf, seeded.read(shelf, None), seed=1, scale=0)
    return World("test", 1, 0, {"shelf": shelf}, lambda *_: baseline, {}, Clock(frozen=0))


@pytest.fixture
def state(world: World) -> State:
    return world.state("shelf")


@pytest.fixture
def boxes(state: State) -> Collection:
    return state.collections["box"]


def create(world: World, state: State, /, **sent: object) -> int:
    with Changes(world, state) as changes:
        return changes.create(state.contract.resources["box"], dict(sent))


def intake(state: State) -> Intake:
    """What the bodies of updateBox say."""
    contract = state.contract
    return Intake(contract, contract.resources["box"], contract.operations["updateBox"].body or {})


def merge(state: State, old: Record, body: Record, how: str) -> Record:
    """What an update with this merge makes of a record."""
    taken = intake(state)
    return MERGES[how](taken, old, taken.parts_of_old(body) if how == "deep" else taken.of_old(body))


@pytest.mark.parametrize(
    ("how", "size", "kept"),
    [
        ("shallow", {"width": 5, "height": None}, "used"),
        ("deep", {"width": 5, "height": 2}, "used"),
        ("replace", {"width": 5, "height": None}, "new"),
    ],
)
def test_an_update_merges_as_the_contract_says(
    world: World, state: State, boxes: Collection, how: str, size: Record, kept: str
) -> None:
    """Shallow replaces what is sent, deep merges objects, replace resets the rest to what a creation gives."""
    number = create(world, state, state="used", size={"width": 1, "height": 2}, code="A")

    new = merge(state, boxes.living(number), {"size": {"width": 5}}, how)

    assert (new["size"], new["state"]) == (size, kept)
    assert new["id"] == boxes.living(number)["id"]
    assert new["number"] == 100


def test_all_that_is_against_a_write_is_told(world: World, state: State) -> None:
    """A reference to nothing and a value that is taken, at once."""
    create(world, state, code="taken")

    with pytest.raises(Dangling) as refused:
        create(world, state, code="TAKEN", inside=99, like="nothing")

    assert [violation.pointer for violation in refused.value.violations] == ["/inside", "/like", "/code"]


def test_a_reference_by_another_property_matches_as_it_is_unique(world: World, state: State) -> None:
    """Whatever the case, where the value is unique whatever its case; also of a new record."""
    create(world, state, code="Blue")

    assert create(world, state, like="bLUE") == 1


def test_a_deletion_follows_references_to_their_end(world: World, state: State, boxes: Collection) -> None:
    """Boxes inside boxes go with the outermost, even in a circle, and by whatever property they refer."""
    outer = create(world, state, code="outer")
    inner = create(world, state, inside=1)
    alike = create(world, state, like="outer")
    other = create(world, state)
    with Changes(world, state) as changes:
        changes.change(boxes.resource, outer, {**boxes.living(outer), "inside": 2}, {"inside": 2})

    with Changes(world, state) as changes:
        changes.delete(boxes.resource, outer)

    assert [boxes.get(number) is None for number in (outer, inner, alike, other)] == [True, True, True, False]
    assert list(state.trash) == [("box", outer), ("box", inner), ("box", alike)]
    assert {trashed.root for trashed in state.trash.values()} == {("box", outer)}


def test_a_number_that_a_client_took_is_not_given_again(world: World, state: State, boxes: Collection) -> None:
    create(world, state, number=101)

    second, third = create(world, state), create(world, state)

    assert [boxes.living(number)["number"] for number in (second, third)] == [102, 103]
    with pytest.raises(Duplicate):
        create(world, state, number=102)


def test_a_child_that_is_refused_takes_everything_back(world: World, state: State, boxes: Collection) -> None:
    """And the message says which child."""
    body = {"labels": [{"text": "one"}, {"text": "two"}, {"text": "one"}]}

    def half_way() -> None:
        with Changes(world, state) as changes:
            number = changes.create(boxes.resource, {})
            changes.write_children(intake(state), number, body)

    with pytest.raises(Duplicate) as refused:
        half_way()

    assert [violation.pointer for violation in refused.value.violations] == ["/labels/2/text"]
    assert (boxes.get(0), boxes.next, state.collections["label"].next) == (None, 0, 0)
