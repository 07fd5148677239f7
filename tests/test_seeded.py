"""The baseline of a small contract of our own: pure, whole, and searched as exactly as if everything were read."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import contract as contracts
from mock_server import documents
from mock_server.contract import Contract, Counter, Filter, Json, Match, Record
from mock_server.documents import BrokenContract
from mock_server.seeded import Baseline, compiled, counted, read, values
from mock_server.seeded.marked import Marked
from mock_server.seeded.rows import UNKNOWN_BLOCK
from mock_server.seeded.selection import bits
from mock_server.seeded.words import Words

SHOP = """
openapi: 3.0.3
info: {title: Shop, version: v1}
servers: [{url: http://localhost:8080/shop}]
x-semantics:
  envelopes: {one: $record, page: {data: $records}}
  refusals: {body: {message: $message}}
  resources:
    branch: {schema: "#/components/schemas/Branch", id: {property: id, pattern: "b-{n:02}"}}
    customer:
      schema: "#/components/schemas/Customer"
      id: {property: id, pattern: "c-{n:03}"}
      numbers: [{property: number, from: 5001}]
      references: {branch_id: {resource: branch}}
      children: {people: {resource: person}}
      unique: [{property: email, case: insensitive}]
      created: created
      updated: updated
    person:
      schema: "#/components/schemas/Person"
      id: {property: id}
      parent: {resource: customer, property: customer_id}
      exclusive: [{property: main}]
    site: {schema: "#/components/schemas/Site", id: {property: id}}
    visit:
      schema: "#/components/schemas/Visit"
      id: {property: id, pattern: "V{year}-{n}"}
      references: {site_id: {resource: site}, customer_id: {resource: customer}}
      created: day
paths:
  /customers:
    get:
      operationId: listCustomers
      x-semantics: {action: list, resource: customer, envelope: page}
      responses:
        "200":
          description: Customers
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: {type: array, items: {$ref: "#/components/schemas/Customer"}}
components:
  schemas:
    Site: {type: object, properties: {id: {type: integer}, name: {type: string}}}
    Branch: {type: object, properties: {id: {type: string}, name: {type: string}}}
    Customer:
      type: object
      properties:
        id: {type: string}
        number: {type: integer}
        name: {type: string}
        email: {type: string, format: email}
        status: {type: string, enum: [active, inactive]}
        phone: {type: string}
        people: {type: array, items: {$ref: "#/components/schemas/Person"}}
        tags: {type: array, items: {type: object, properties: {id: {type: integer, minimum: 1, maximum: 9}}}}
        vip: {type: boolean, nullable: true}
        note: {type: string, maxLength: 12, nullable: true}
        created: {type: string, format: date-time}
        updated: {type: string, format: date-time}
        due: {type: string, format: date-time, nullable: true}
    Person:
      type: object
      properties:
        id: {type: integer}
        name: {type: string}
        email: {type: string, format: email}
        main: {type: boolean}
    Visit:
      type: object
      properties:
        id: {type: string}
        day: {type: string, format: date}
        site_id: {type: integer}
        price: {type: number}
"""
DATA = """
locale: en_US
words:
  trades: [Plumbing, Roofing, Dental, Logistics, Foods, Bakery, Motors]
  ends: [Inc, LLC]
counts:
  branch: 5
  person: {per: customer, min: 0, max: 3}
  site: {per: customer, min: 1, max: 2}
  visit: {per: customer, min: 0, max: 4}
resources:
  customer:
    _domain: "{name|slug}{_mark}.example"
    _end: {pick: ends}
    _short: {company: {words: trades}}
    name: "{_short} {_end}"
    email: "contact@{_domain}"
    status: {choice: {active: 8, inactive: 1}}
    phone: us_phone
    due: {later: [1, 10, null]}
  person:
    _first: {word: first_name}
    _last: {word: last_name}
    name: "{_first} {_last}"
    email: "{_first|initial|slug}{_last|slug}@{parent._domain}"
own:
  customer: [phone]
records:
  customer:
    c-001: {name: Acme 12 Corporation, email: Contact@acme.example, _domain: acme.example, created: "2023-01-05T10:30:00Z"}
    c-003: {status: gone, branch_id: b-02}
  person:
    "1": {name: John Smith, email: jsmith@acme.example}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return _shop(tmp_path_factory.mktemp("shop"), SHOP)


def _shop(folder: Path, text: str) -> Contract:
    file = folder / "openapi.yaml"
    file.write_text(text)
    return contracts.load(file, "shop")


@pytest.fixture(scope="module")
def big(shop: Contract) -> Baseline:
    """2.4 blocks of customers."""
    return _baseline(shop, 10_000)


def _baseline(shop: Contract, scale: int, data: str = DATA, seed: int = 7) -> Baseline:
    return Baseline(shop, read(shop, documents.read(data.encode(), "data.yaml")), seed, scale)


def _records(baseline: Baseline) -> dict[str, list[Record]]:
    return {name: [table.record(number) for number in range(table.count)] for name, table in baseline.tables.items()}


def test_a_record_is_the_same_at_every_scale(shop: Contract) -> None:
    """Record N of a world of three customers is record N of a world of 9,000; so are its children."""
    small, large = _baseline(shop, 3), _baseline(shop, 9_000)

    for name, records in _records(small).items():
        assert records == [large.tables[name].record(number) for number in range(len(records))], name


def test_a_new_property_moves_no_other_value(shop: Contract, tmp_path: Path) -> None:
    """The records with one property more are the same in all others."""
    more = _shop(
        tmp_path,
        SHOP.replace(
            "        name: {type: string}\n        email",
            "        first: {type: string}\n        name: {type: string}\n        email",
            1,
        ),
    )

    before, after = _records(_baseline(shop, 30)), _records(_baseline(more, 30))

    assert [{**record, "first": 0} for record in before["customer"]] == [{**record, "first": 0} for record in after["customer"]]
    assert {**before, "customer": 0} == {**after, "customer": 0}


def test_another_seed_gives_other_records(shop: Contract) -> None:
    """The seed tells worlds apart; what data.yaml writes down stays."""
    one, two = _baseline(shop, 20), _baseline(shop, 20, seed=8)

    assert one.tables["customer"].record(5)["name"] != two.tables["customer"].record(5)["name"]
    assert two.tables["customer"].record(0)["email"] == "Contact@acme.example"


def test_every_process_makes_the_same_bytes(shop: Contract, tmp_path: Path) -> None:
    """Whatever PYTHONHASHSEED is, and whether the words come from disk or from Faker."""
    (tmp_path / "data.yaml").write_text(DATA)
    (tmp_path / "openapi.yaml").write_text(SHOP)
    program = (
        "import json, sys, hashlib, pathlib; from mock_server import contract, documents; from mock_server.seeded import *\n"
        "folder = pathlib.Path(sys.argv[1]); made = contract.load(folder / 'openapi.yaml', 'shop')\n"
        "base = Baseline(made, read(made, documents.load(folder / 'data.yaml')), 7, 50)\n"
        "records = {name: [table.record(i) for i in range(table.count)] for name, table in base.tables.items()}\n"
        "print(hashlib.sha256(json.dumps(records).encode()).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(tmp_path / cache_name)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, cache_name in (("1", "a"), ("2", "a"), ("3", "b"))
    }

    assert outputs == {hashlib.sha256(json.dumps(_records(_baseline(shop, 50))).encode()).hexdigest()}


@pytest.mark.parametrize("scale", [0, 1, 2, 60, 4096, 4097, 10_000_000])
def test_children_lie_side_by_side_in_the_order_of_their_parents(shop: Contract, scale: int) -> None:
    """Every child has the parent that lists it, none is left out."""
    table = _baseline(shop, scale).tables["person"]
    parents = [*range(min(scale, 300)), *range(max(scale - 300, 0), scale)]

    for parent in parents:
        assert all(table.parent(child) == parent for child in table.children(parent))
    assert all(
        one.stop == two.start for p, q in pairwise(parents) if q == p + 1 for one, two in [(table.children(p), table.children(q))]
    )
    assert table.count == (table.children(scale - 1).stop if scale else 0)
    assert not table.children(scale)


def test_references_name_records_that_exist(big: Baseline) -> None:
    """A person's customer, a customer's branch, and a visit's site, which is a site of the visit's own customer."""
    for number in range(0, big.tables["visit"].count, 37):
        visit = big.tables["visit"].record(number)
        site = big.tables["site"].find("id", visit["site_id"], fold=False)
        customer = big.tables["customer"].find("id", visit["customer_id"], fold=False)
        assert site is not None
        assert big.tables["site"].parent(site) == customer == big.tables["visit"].parent(number)
        assert big.tables["branch"].find("id", big.tables["customer"].record(customer)["branch_id"], fold=False) is not None


def test_unique_values_are_unique(big: Baseline) -> None:
    """No two of 10,000 customers share an e-mail address, whatever its case."""
    emails = {big.tables["customer"].record(number)["email"].casefold() for number in range(10_000)}

    assert len(emails) == 10_000


@pytest.mark.parametrize("name", ["customer", "visit"])
def test_later_records_are_created_later(big: Baseline, name: str) -> None:
    """Creation goes up with the number, and all of it is over before the end of 2025."""
    table = big.tables[name]
    property = table.resource.created
    assert property is not None
    created = [table.record(number)[property] for number in range(0, table.count, 7)]

    assert created == sorted(created)
    assert created[-1] < "2025-12-31"


def test_sixty_records_span_many_months(shop: Contract) -> None:
    """The default world does not look as if it were made on one day."""
    months = {_baseline(shop, 60).tables["customer"].record(number)["created"][:7] for number in range(60)}

    assert len(months) >= 6


def test_records_that_are_written_down_are_what_they_say(big: Baseline) -> None:
    """What data.yaml says of a record overrides what is made, and what follows from it follows."""
    acme, john = big.tables["customer"].record(0), big.tables["person"].record(0)

    assert (acme["name"], acme["created"]) == ("Acme 12 Corporation", "2023-01-05T10:30:00Z")
    assert (john["name"], john["customer_id"], john["main"]) == ("John Smith", "c-001", True)
    assert big.tables["person"].record(1)["email"].endswith("@acme.example")
    assert big.tables["customer"].find("email", "CONTACT@ACME.EXAMPLE", fold=True) == 0


def test_exactly_one_child_is_the_exclusive_one(big: Baseline) -> None:
    """The first of each customer's people is the main one."""
    table = big.tables["person"]

    for parent in range(50):
        assert [table.record(child)["main"] for child in table.children(parent)] == [
            i == 0 for i in range(len(table.children(parent)))
        ]


@pytest.mark.parametrize("number", [0, 1, 2, 59, 4095, 4096, 4100, 8191, 8192, 9_999])
@pytest.mark.parametrize("property", ["email", "id", "number"])
def test_a_unique_value_finds_its_record(big: Baseline, number: int, property: str) -> None:
    """In every block."""
    table = big.tables["customer"]

    assert table.find(property, table.record(number)[property], fold=property == "email") == number


@pytest.mark.parametrize(
    "value", ["nobody@x.example", "", "contact@acme1.example", 5, None, True, [1], {"a": 1}, "c-1", "c-0001", "c-99999", 5000]
)
@pytest.mark.parametrize("property", ["email", "id", "number"])
def test_a_value_that_no_record_has_finds_nothing(big: Baseline, property: str, value: Json) -> None:
    """Whatever its type or form."""
    assert big.tables["customer"].find(property, value, fold=True) is None


PATHS = {
    "customer": (
        "name email status phone branch_id id number created updated due vip note tags/*/id people/*/email "
        "people/*/main people/*/name"
    ),
    "person": "email customer_id main id name",
    "visit": "site_id customer_id day id price",
}
FILTERS = {name: [tuple(path.split("/")) for path in paths.split()] for name, paths in PATHS.items()}
TEXTS = [
    "a",
    "inc",
    "1",
    "12",
    "acme1",
    "@",
    "contact@",
    "c-00",
    "c-",
    "%a%b%",
    "acme%",
    "%1.example",
    "",
    "%",
    "555-01",
    "0.",
    "5",
]
DAYS = [
    "2023-06-15",
    "2024-01-05",
    "2024-12-31",
    "2025-03-01T12:00:00Z",
    "2025-06-30T23:59:60Z",
    "2022-01-01",
    "2030-01-01",
    "2024-06-01T10:00:00.5+02:00",
]


@cache
def _everything(baseline: Baseline, name: str) -> list[Record]:
    table = baseline.tables[name]
    records = [dict(table.record(number)) for number in range(table.count)]
    if name == "customer":
        people = _everything(baseline, "person")
        for number, record in enumerate(records):
            record["people"] = [people[child] for child in baseline.tables["person"].children(number)]
    return records


@given(st.data())
@settings(max_examples=80)
def test_a_filter_lets_through_what_reading_everything_would(big: Baseline, data: st.DataObject) -> None:
    """Arithmetic, classes and scans agree with the definition of the match, for every kind of property, match and value."""
    name = data.draw(st.sampled_from([*FILTERS]))
    records = _everything(big, name)
    paths = tuple(data.draw(st.lists(st.sampled_from(FILTERS[name]), min_size=1, max_size=2)))
    match: Match = data.draw(
        st.sampled_from(["equals", "contains", "like", "in", "after", "from", "before", "to", "flag", "present"])
    )
    taken = [
        value
        for record in data.draw(st.lists(st.sampled_from(records), min_size=1, max_size=3))
        for value in values(record, paths[0])
    ]
    known = st.sampled_from(taken) if taken else st.none()
    value = data.draw(
        {
            "in": st.lists(known | st.sampled_from(TEXTS), max_size=3),
            "flag": st.sampled_from([0, 1, True, False]),
            "present": st.sampled_from([0, 1]),
        }.get(match, known | st.sampled_from(TEXTS + DAYS) | known.map(lambda v: v[1:-1] if isinstance(v, str) else v))
    )
    filter = Filter(paths, match, data.draw(st.booleans()))

    chosen = big.tables[name].select(filter, value)

    test = compiled(filter, value)
    assert [*chosen] == [n for n, record in enumerate(records) if any(test(values(record, path)) for path in paths)]


@pytest.mark.parametrize("property", ["id", "site_id", "customer_id", "price", "day"])
@pytest.mark.parametrize(("match", "value"), [("flag", 1), ("flag", 0), ("present", 1), ("present", 0)])
def test_whether_there_is_a_value_is_no_search_for_digits(big: Baseline, property: str, match: Match, value: int) -> None:
    """Numbers, references, counters and times: what is there, or true, is told by the definition of the match."""
    filter = Filter(((property,),), match, False)

    chosen = big.tables["visit"].select(filter, value)

    test = compiled(filter, value)
    assert [*chosen] == [n for n, record in enumerate(_everything(big, "visit")) if test(values(record, (property,)))]


@pytest.mark.parametrize("number", [5, 4_099, 8_200, 9_999])
@pytest.mark.parametrize("match", ["equals", "contains", "like", "in"])
def test_texts_with_the_block_in_them_are_searched_exactly(big: Baseline, number: int, match: Match) -> None:
    """Whether the part searched for has the block's number in it, ends before it, or reaches across where it is missing."""
    table, records = big.tables["customer"], _everything(big, "customer")
    email = records[number]["email"]
    words = email.translate(str.maketrans("", "", "0123456789"))
    needles = [email, email[3:], email[-10:], words, words[-11:], words[:12], "1.example", "2.example", "s.example", "%s%1%"]
    for needle in needles:
        filter = Filter((("email",),), match, True)
        value = [needle, "x"] if match == "in" else needle
        test = compiled(filter, value)

        chosen = table.select(filter, value)

        assert [*chosen] == [n for n, record in enumerate(records) if test((record["email"],))], needle


@pytest.mark.parametrize("match", ["after", "from", "before", "to"])
@pytest.mark.parametrize(
    ("name", "property"), [("customer", "created"), ("customer", "updated"), ("customer", "due"), ("visit", "day")]
)
def test_times_are_searched_exactly(big: Baseline, name: str, property: str, match: Match) -> None:
    """Times of creation, and those counted from them, before and after days and instants within and without their range."""
    table, records = big.tables[name], _everything(big, name)
    for bound in [*DAYS, *(records[number][property] for number in (1, 700, 9_000) if records[number][property])]:
        filter = Filter(((property,),), match, False)
        test = compiled(filter, bound)

        chosen = table.select(filter, bound)

        assert [*chosen] == [n for n, record in enumerate(records) if test(values(record, (property,)))], bound


WORDS = st.text("ab12.", max_size=5)


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=3).map(f"{UNKNOWN_BLOCK}".join), min_size=1, max_size=6),
    st.sampled_from(["equals", "contains", "like", "in", "present"]),
    st.lists(WORDS, min_size=1, max_size=4).map("%".join) | st.text("ab12.%", max_size=9),
    st.booleans(),
)
@settings(max_examples=400)
def test_texts_are_searched_whatever_the_block_in_them(texts: list[str], match: Match, wanted: str, fold: bool) -> None:
    """What the pieces of a text say of all blocks is what reading it in each block says."""
    filter, value = Filter((("text",),), match, fold), [wanted] if match == "in" else wanted
    test = compiled(filter, value)

    passing = Marked([(text,) for text in texts]).passing(filter, value, test)

    for block in (1, 2, 11, 12, 21, 121, 212):
        inside = [text.replace(f"{UNKNOWN_BLOCK}", str(block)) for text in texts]
        assert passing(block) == bits(test((text,)) for text in inside), block


@pytest.mark.parametrize(
    "email",
    [
        "{choice: ['{_cut}']}",
        "'{_cut}'",
        "{when: {_domain: {acme2.example: {value: a@x.example}, else: {value: b@x.example}}}}",
        "{when: {_mark: {2: {value: a@x.example}, else: {value: b@x.example}}}}",
    ],
)
def test_a_block_that_does_more_than_stand_in_a_text_is_searched_exactly(shop: Contract, email: str) -> None:
    """Where a text ends within it, or another value depends on it, every record is read."""
    text = DATA.replace('"contact@{_domain}"', email).replace(
        "    _end:", '    _cut: "1{_mark|initial}2@x.example"\n    _end:', 1
    )
    table = _baseline(shop, 8_300, text).tables["customer"]
    emails = [table.record(number)["email"] for number in range(table.count)]

    for match, value in (("equals", "a@x.example"), ("contains", "12"), ("contains", "22")):
        filter = Filter((("email",),), match, False)  # type: ignore[arg-type]
        test = compiled(filter, value)

        assert [*table.select(filter, value)] == [number for number, one in enumerate(emails) if test((one,))]


@given(
    st.sampled_from([(None, 1), (None, 100001), ("c-{n:03}", 1), ("C-{n}", 9995), ("{n:04}/1", 0), ("A1{n}Z", 7)]),
    st.integers(0, 1300),
    st.text("0123456789cC-/1AZ", min_size=1, max_size=4),
    st.booleans(),
)
def test_counted_values_are_searched_by_their_digits(form: tuple[str | None, int], count: int, needle: str, fold: bool) -> None:
    """What is found by arithmetic is what reading every value finds."""
    counter = Counter("id", *form)

    found = {number for span in counted.holding(counter, needle.casefold() if fold else needle, count, fold) for number in span}

    test = compiled(Filter((("id",),), "contains", fold), needle)
    assert found == {number for number in range(count) if test((counter.value(number),))}


def test_a_digit_is_searched_in_few_steps() -> None:
    """Millions of numbers that have it are few ranges."""
    for pattern in (None, "C-{n}"):
        spans = [*counted.holding(Counter("id", pattern, 1), "1", 10_000_000, fold=False)]

        assert len(spans) < 20_000


@pytest.mark.parametrize(
    ("name", "property"),
    [("customer", "id"), ("customer", "number"), ("person", "customer_id"), ("visit", "customer_id"), ("visit", "site_id")],
)
@pytest.mark.parametrize("match", ["equals", "contains", "like", "in"])
def test_numbers_and_references_to_them_are_searched_exactly(big: Baseline, name: str, property: str, match: Match) -> None:
    """Wherever the digits stand, and in how many of thousands of records."""
    table, records = big.tables[name], _everything(big, name)
    for value in ["1", "12", 7, "c-1%", "C-1%", "%9", "1%2", "%1%", "c-%1%9", "%", "", "c-012", "c-9999", 5012, "5%5%5"]:
        filter = Filter(((property,),), match, True)
        wanted = [value, "c-77"] if match == "in" else value
        test = compiled(filter, wanted)

        chosen = table.select(filter, wanted)

        assert [*chosen] == [n for n, record in enumerate(records) if test(values(record, (property,)))], value


def test_words_that_are_broken_on_disk_are_drawn_again(tmp_path: Path) -> None:
    """A cache file that is cut off does no harm; a folder that cannot be written to neither."""
    words = Words("en_US", 7, tmp_path).pool("job")
    (file,) = tmp_path.iterdir()
    file.write_text('["half')
    blocked = tmp_path / "file"
    blocked.write_text("")

    assert Words("en_US", 7, tmp_path).pool("job") == words
    assert Words("en_US", 7, blocked / "below").pool("job") == words


def test_a_choice_costs_the_same_whatever_its_weights(shop: Contract) -> None:
    """Nothing is laid out as often as it comes."""
    text = DATA.replace("{active: 8, inactive: 1}", "{active: 8000000000000, inactive: 1000000000000}")

    statuses = [record["status"] for record in _records(_baseline(shop, 300, text))["customer"]]

    assert 200 < statuses.count("active") < 299


WHOLE = ["just some words", "[counts]", "5"]


@pytest.mark.parametrize("text", WHOLE)
def test_a_data_file_that_is_no_mapping_is_a_mistake(shop: Contract, text: str) -> None:
    """It is not taken for one that says nothing."""
    with pytest.raises(BrokenContract, match="must be a mapping"):
        read(shop, documents.read(text.encode(), "data.yaml"))


@pytest.mark.parametrize("text", ["", "# nothing yet", "counts:"])
def test_a_data_file_may_say_nothing(shop: Contract, text: str) -> None:
    """Then values follow from the schemas."""
    assert read(shop, documents.read(text.encode(), "data.yaml")) == read(shop, None)


@pytest.mark.parametrize("pattern", ["^(?=a)b", "^(a|b){5}$", "^[^c]$"])
def test_a_pattern_that_cannot_be_followed_is_a_mistake_at_start(tmp_path: Path, pattern: str) -> None:
    """One, at the property, whether there is a data.yaml or not."""
    shop = _shop(tmp_path, f"{SHOP}        code: {{type: string, maxLength: 4, pattern: '{pattern}'}}\n")

    for document in (None, documents.read(DATA.encode(), "data.yaml")):
        with pytest.raises(BrokenContract) as broken:
            read(shop, document)
        (mistake,) = broken.value.mistakes
        assert mistake.pointer.endswith("/code")
        assert f"needs a recipe: the pattern {pattern}" in mistake.message
        assert mistake.place.file.endswith("data.yaml" if document else "openapi.yaml")


def test_the_example_stands_in_for_a_pattern_that_cannot_be_followed(tmp_path: Path) -> None:
    """Every record has it."""
    shop = _shop(tmp_path, f"{SHOP}        code: {{type: string, pattern: '^(?!x)n', example: nose}}\n")

    assert {record["code"] for record in _records(_baseline(shop, 50))["visit"]} == {"nose"}


LINES = """
        lines:
          type: array
          items:
            type: object
            properties: {site: {type: integer}, pieces: {type: integer}, price: {type: number}, sum: {type: number}}
"""
SIBLINGS = """
  site:
    _open: {choice: {true: 1, false: 1}}
    _price: {amount: {min: 1, max: 9, step: 0.05}}
  visit:
    lines:
      siblings:
        of: site
        only: {_open: true}
        min: 1
        as:
          object:
            site: {copy: _sibling.id}
            pieces: [2, 3]
            price: {copy: _sibling._price}
            sum: {times: [_item.pieces, _item.price]}
own:"""


def test_a_list_is_made_from_what_belongs_to_the_same_record(tmp_path: Path) -> None:
    """Of those that pass, each at most once; the names of properties are data.yaml's."""
    baseline = _baseline(_shop(tmp_path, SHOP + LINES), 60, DATA.replace("\nown:", SIBLINGS, 1))
    visits, sites = baseline.tables["visit"], baseline.tables["site"]
    sizes = set()

    for number in range(visits.count):
        lines = visits.record(number)["lines"]
        near = {sites.record(site)["id"]: sites.row(site) for site in sites.children(visits.parent(number))}
        passing = {id for id, row in near.items() if row["_open"]}
        sizes.add(len(lines))
        assert min(1, len(passing)) <= len(lines) == len({line["site"] for line in lines} & passing)
        for line in lines:
            assert line["price"] == near[line["site"]]["_price"]
            assert line["sum"] == pytest.approx(line["pieces"] * line["price"])
    assert sizes == {0, 1, 2}


def test_a_helper_that_is_read_within_a_list_is_the_records(tmp_path: Path) -> None:
    """Its place is that among the visits, not that of the line which reads it first."""
    recipes = "\n  visit: {_place: place, lines: {list: {min: 1, max: 3, of: {object: {site: {copy: _place}}}}}}\nown:"
    visits = _baseline(_shop(tmp_path, SHOP + LINES), 60, DATA.replace("\nown:", recipes, 1)).tables["visit"]

    for customer in range(60):
        for place, number in enumerate(visits.children(customer), 1):
            lines = visits.record(number)["lines"]

            assert {line["site"] for line in lines} == {place}
            assert number in visits.select(Filter((("lines", "*", "site"),), "equals", False), place)


def test_a_sibling_is_one_of_the_same_parent(shop: Contract) -> None:
    """Others are not at hand, and outside the recipe there is none."""
    text = DATA.replace("us_phone", "{siblings: {of: visit, as: null}}").replace("{pick: ends}", "{copy: _sibling.id}")

    with pytest.raises(BrokenContract) as broken:
        read(shop, documents.read(text.encode(), "data.yaml"))

    assert [mistake.message for mistake in broken.value.mistakes] == [
        "customer has no property or helper '_sibling'",
        "visit does not belong to what customer belongs to",
    ]


def test_what_has_no_value_shows_what_the_contract_says(tmp_path: Path) -> None:
    """The default first, then null where it may be, then what is empty; where nothing fits, a recipe is needed."""
    shop = _shop(tmp_path, SHOP.replace("note: {type: string, ", "note: {type: string, default: none, "))

    with pytest.raises(BrokenContract) as broken:
        _baseline(shop, 2, "unset: [customer]\n")
    assert {mistake.pointer.split("/")[-1] for mistake in broken.value.mistakes} >= {"name", "phone"}
    assert not {mistake.pointer.split("/")[-1] for mistake in broken.value.mistakes} & {"vip", "note", "tags"}
    empty = _shop(tmp_path, shop.text.decode().replace("x-semantics:", "x-semantics:\n  unset: {string: ''}", 1))
    record = (
        _baseline(empty, 2, "unset: [customer]\nresources: {customer: {email: '{number}@x.example'}}")
        .tables["customer"]
        .record(1)
    )
    assert (record["name"], record["note"], record["vip"], record["tags"]) == ("", "none", None, [])


MISTAKES = [
    ("locale: en_US", "locale: en_GB", 2, "must be one of en_US, fi_FI"),
    ("counts:", "count:", 6, "did you mean counts?"),
    ("  branch: 5", "  branhc: 5", 7, "did you mean branch?"),
    ("  branch: 5", "  branch: many", 7, "must be scale"),
    ("  branch: 5", "  branch: 99999999999999", 7, "from 0 to 10000000"),
    ("  branch: 5", "  branch: -1", 7, "from 0 to 10000000"),
    ("person: {per: customer, min: 0, max: 3}", "person: {per: branch}", 8, "must be per customer"),
    ("person: {per: customer, min: 0, max: 3}", "person: {per: [customer]}", 8, "is no resource"),
    ("{words: trades}", "{words: [trades]}", 15, "no list"),
    ("customer: [phone]", "customer: phone", 27, "must be a list"),
    ("    c-003: {status: gone, branch_id: b-02}", "    c-003: gone", 31, "must be a mapping"),
    ("person: {per: customer, min: 0, max: 3}", "person: {per: customer, min: 4, max: 3}", 8, "max not below min"),
    ("site: {per: customer, min: 1, max: 2}", "site: {per: visit}\n  visit: {per: site}\n  person: {per: customer}", 8, "twice"),
    ("status: {choice: {active: 8, inactive: 1}}", "stauts: {choice: {active: 8}}", 18, "did you mean status?"),
    ("status: {choice: {active: 8, inactive: 1}}", "status: {choise: [active]}", 18, "did you mean choice?"),
    ("status: {choice: {active: 8, inactive: 1}}", "status: {choice: {active: often}}", 18, "choice needs"),
    ("{words: trades}", "{words: trade}", 15, "did you mean trades?"),
    ('"contact@{_domain}"', '"contact@{_domian}"', 17, "did you mean _domain?"),
    ('"contact@{_domain}"', '"contact@{_domain|sulg}"', 17, "did you mean slug?"),
    ("{name|slug}", "{email|slug}", 13, "depends on itself"),
    ("phone: us_phone", "phone: {between: {from: soon}}", 19, "between needs"),
    ("phone: us_phone", "phone: {since: {of: due, x: 1, else: 2}}", 19, "days of since"),
    ("phone: us_phone", "phone: {after: {of: duo, days: [1]}}", 19, "did you mean due?"),
    ("phone: us_phone", "phone: {count: branch}", 19, "belongs to customer"),
    ("due: {later: [1, 10, null]}", "due: {later: [1], at: []}", 20, "later needs a list of days"),
    ("due: {later: [1, 10, null]}", "due: {when: {statsu: {x: moment, else: null}}}", 20, "did you mean status?"),
    ("person: {per: customer, min: 0, max: 3}", "person: {per: customer, percent: 101}", 8, "from 0 to 100"),
    ("phone: us_phone", "phone: us_fone", 19, "did you mean us_phone?"),
    ("due: {later: [1, 10, null]}", "due: {later: 3}", 20, "later needs a list of days"),
    ("customer: [phone]", "customer: [fone]", 27, "did you mean phone?"),
    ("c-003:", "c-3:", 31, "is no id of customer"),
    ("status: gone", "statsu: gone", 31, "did you mean status?"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "message"), MISTAKES)
def test_a_mistake_in_the_data_file_is_named_with_its_line(
    shop: Contract, right: str, wrong: str, line: int, message: str
) -> None:
    """And with what would be right."""
    assert right in DATA

    with pytest.raises(BrokenContract) as broken:
        read(shop, documents.read(DATA.replace(right, wrong, 1).encode(), "data.yaml"))

    assert any(message in str(mistake) for mistake in broken.value.mistakes), str(broken.value)
    assert f"data.yaml:{line}: " in str(broken.value) or message == "twice"


def test_all_mistakes_are_named_at_once(shop: Contract) -> None:
    """Not the first one only."""
    text = DATA.replace("us_phone", "us_fone").replace("{_first} {_last}", "{_frist} {_last}").replace("[phone]", "[phone, fax]")

    with pytest.raises(BrokenContract) as broken:
        read(shop, documents.read(text.replace("[phone, fax]", "[phone]").encode(), "data.yaml"))

    assert len(broken.value.mistakes) == 2


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("  branch: 5", "  branch: many"),
        ("counts:", "cuonts:"),
        ("words:", "wrods:"),
        ("min: 0, max: 3", "min: 3, max: 0"),
        ("en_US", "en"),
    ],
)
def test_a_mistake_hides_no_other_one_and_makes_none(shop: Contract, right: str, wrong: str) -> None:
    """A wrong count, or the misspelt name of a section, and a recipe far below it: two mistakes."""
    text = DATA.replace(right, wrong, 1).replace("us_phone", "us_fone")

    with pytest.raises(BrokenContract) as broken:
        read(shop, documents.read(text.encode(), "data.yaml"))

    assert len(broken.value.mistakes) == 2, str(broken.value)
