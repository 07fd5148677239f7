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
from mock_server.contract import Contract, Counter, Filter
from mock_server.documents import BrokenContract
from mock_server.seeded import Baseline, compiled, counted, read, values
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
      properties: {id: {type: string}, day: {type: string, format: date}, site_id: {type: integer}, price: {type: number}}
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
def shop(tmp_path_factory) -> Contract:
    return _shop(tmp_path_factory.mktemp("shop"), SHOP)


def _shop(folder: Path, text: str) -> Contract:
    file = folder / "openapi.yaml"
    file.write_text(text)
    return contracts.load(file, "shop")


@pytest.fixture(scope="module")
def big(shop) -> Baseline:
    """2.4 blocks of customers."""
    return _baseline(shop, 10_000)


def _baseline(shop: Contract, scale: int, data: str = DATA, seed: int = 7) -> Baseline:
    return Baseline(shop, read(shop, documents.read(data.encode(), "data.yaml")), seed, scale)


def _records(baseline: Baseline) -> dict[str, list[dict]]:
    return {name: [table.record(number) for number in range(table.count)] for name, table in baseline.tables.items()}


def test_a_record_is_the_same_at_every_scale(shop):
    """Record N of a world of three customers is record N of a world of 9,000; so are its children."""
    small, large = _baseline(shop, 3), _baseline(shop, 9_000)

    for name, records in _records(small).items():
        assert records == [large.tables[name].record(number) for number in range(len(records))], name


def test_a_new_property_moves_no_other_value(shop, tmp_path):
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


def test_another_seed_gives_other_records(shop):
    """The seed tells worlds apart; what data.yaml writes down stays."""
    one, two = _baseline(shop, 20), _baseline(shop, 20, seed=8)

    assert one.tables["customer"].record(5)["name"] != two.tables["customer"].record(5)["name"]
    assert two.tables["customer"].record(0)["email"] == "Contact@acme.example"


def test_every_process_makes_the_same_bytes(shop, tmp_path):
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
def test_children_lie_side_by_side_in_the_order_of_their_parents(shop, scale):
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


def test_references_name_records_that_exist(big):
    """A person's customer, a customer's branch, and a visit's site, which is a site of the visit's own customer."""
    for number in range(0, big.tables["visit"].count, 37):
        visit = big.tables["visit"].record(number)
        site = big.tables["site"].find("id", visit["site_id"], fold=False)
        customer = big.tables["customer"].find("id", visit["customer_id"], fold=False)
        assert big.tables["site"].parent(site) == customer == big.tables["visit"].parent(number)
        assert big.tables["branch"].find("id", big.tables["customer"].record(customer)["branch_id"], fold=False) is not None


def test_unique_values_are_unique(big):
    """No two of 10,000 customers share an e-mail address, whatever its case."""
    emails = {big.tables["customer"].record(number)["email"].casefold() for number in range(10_000)}

    assert len(emails) == 10_000


@pytest.mark.parametrize("name", ["customer", "visit"])
def test_later_records_are_created_later(big, name):
    """Creation goes up with the number, and all of it is over before the end of 2025."""
    table = big.tables[name]
    created = [table.record(number)[table.resource.created] for number in range(0, table.count, 7)]

    assert created == sorted(created)
    assert created[-1] < "2025-12-31"


def test_sixty_records_span_many_months(shop):
    """The default world does not look as if it were made on one day."""
    months = {_baseline(shop, 60).tables["customer"].record(number)["created"][:7] for number in range(60)}

    assert len(months) >= 6


def test_records_that_are_written_down_are_what_they_say(big):
    """What data.yaml says of a record overrides what is made, and what follows from it follows."""
    acme, john = big.tables["customer"].record(0), big.tables["person"].record(0)

    assert (acme["name"], acme["created"]) == ("Acme 12 Corporation", "2023-01-05T10:30:00Z")
    assert (john["name"], john["customer_id"], john["main"]) == ("John Smith", "c-001", True)
    assert big.tables["person"].record(1)["email"].endswith("@acme.example")
    assert big.tables["customer"].find("email", "CONTACT@ACME.EXAMPLE", fold=True) == 0


def test_exactly_one_child_is_the_exclusive_one(big):
    """The first of each customer's people is the main one."""
    table = big.tables["person"]

    for parent in range(50):
        assert [table.record(child)["main"] for child in table.children(parent)] == [
            i == 0 for i in range(len(table.children(parent)))
        ]


@pytest.mark.parametrize("number", [0, 1, 2, 59, 4095, 4096, 4100, 8191, 8192, 9_999])
@pytest.mark.parametrize("property", ["email", "id", "number"])
def test_a_unique_value_finds_its_record(big, number, property):
    """In every block."""
    table = big.tables["customer"]

    assert table.find(property, table.record(number)[property], fold=property == "email") == number


@pytest.mark.parametrize(
    "value", ["nobody@x.example", "", "contact@acme1.example", 5, None, True, [1], {"a": 1}, "c-1", "c-0001", "c-99999", 5000]
)
@pytest.mark.parametrize("property", ["email", "id", "number"])
def test_a_value_that_no_record_has_finds_nothing(big, property, value):
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
def _everything(baseline: Baseline, name: str) -> list[dict]:
    table = baseline.tables[name]
    records = [dict(table.record(number)) for number in range(table.count)]
    if name == "customer":
        people = _everything(baseline, "person")
        for number, record in enumerate(records):
            record["people"] = [people[child] for child in baseline.tables["person"].children(number)]
    return records


@given(st.data())
@settings(deadline=None, max_examples=80)
def test_a_filter_lets_through_what_reading_everything_would(big, data):
    """Arithmetic, classes and scans agree with the definition of the match, for every kind of property, match and value."""
    name = data.draw(st.sampled_from([*FILTERS]))
    records = _everything(big, name)
    paths = tuple(data.draw(st.lists(st.sampled_from(FILTERS[name]), min_size=1, max_size=2)))
    match = data.draw(st.sampled_from(["equals", "contains", "like", "in", "after", "from", "before", "to", "flag", "present"]))
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


@pytest.mark.parametrize("number", [5, 4_099, 8_200, 9_999])
@pytest.mark.parametrize("match", ["equals", "contains", "like", "in"])
def test_texts_with_the_block_in_them_are_searched_exactly(big, number, match):
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
def test_times_are_searched_exactly(big, name, property, match):
    """Times of creation, and those counted from them, before and after days and instants within and without their range."""
    table, records = big.tables[name], _everything(big, name)
    for bound in [*DAYS, *(records[number][property] for number in (1, 700, 9_000) if records[number][property])]:
        filter = Filter(((property,),), match, False)
        test = compiled(filter, bound)

        chosen = table.select(filter, bound)

        assert [*chosen] == [n for n, record in enumerate(records) if test(values(record, (property,)))], bound


@given(
    st.sampled_from([(None, 1), (None, 100001), ("c-{n:03}", 1), ("C-{n}", 9995), ("{n:04}/1", 0), ("A1{n}Z", 7)]),
    st.integers(0, 1300),
    st.text("0123456789cC-/1AZ", min_size=1, max_size=4),
    st.booleans(),
)
@settings(deadline=None)
def test_counted_values_are_searched_by_their_digits(form, count, needle, fold):
    """What is found by arithmetic is what reading every value finds."""
    counter = Counter("id", *form)

    found = {number for span in counted.holding(counter, needle.casefold() if fold else needle, count, fold) for number in span}

    test = compiled(Filter((("id",),), "contains", fold), needle)
    assert found == {number for number in range(count) if test((counter.value(number),))}


def test_words_that_are_broken_on_disk_are_drawn_again(tmp_path):
    """A cache file that is cut off does no harm; a folder that cannot be written to neither."""
    words = Words("en_US", 7, tmp_path).pool("job")
    (file,) = tmp_path.iterdir()
    file.write_text('["half')
    blocked = tmp_path / "file"
    blocked.write_text("")

    assert Words("en_US", 7, tmp_path).pool("job") == words
    assert Words("en_US", 7, blocked / "below").pool("job") == words


MISTAKES = [
    ("locale: en_US", "locale: en_GB", 2, "must be one of en_US, fi_FI"),
    ("counts:", "count:", 6, "did you mean 'counts'"),
    ("  branch: 5", "  branhc: 5", 7, "did you mean 'branch'"),
    ("  branch: 5", "  branch: many", 7, "must be scale"),
    ("person: {per: customer, min: 0, max: 3}", "person: {per: branch}", 8, "must be per customer"),
    ("person: {per: customer, min: 0, max: 3}", "person: {per: customer, min: 4, max: 3}", 8, "max not below min"),
    ("site: {per: customer, min: 1, max: 2}", "site: {per: visit}\n  visit: {per: site}\n  person: {per: customer}", 8, "twice"),
    ("status: {choice: {active: 8, inactive: 1}}", "stauts: {choice: {active: 8}}", 18, "did you mean 'status'"),
    ("status: {choice: {active: 8, inactive: 1}}", "status: {choise: [active]}", 18, "did you mean 'choice'"),
    ("status: {choice: {active: 8, inactive: 1}}", "status: {choice: {active: often}}", 18, "choice needs"),
    ("{words: trades}", "{words: trade}", 15, "did you mean 'trades'"),
    ('"contact@{_domain}"', '"contact@{_domian}"', 17, "did you mean '_domain'"),
    ('"contact@{_domain}"', '"contact@{_domain|sulg}"', 17, "did you mean 'slug'"),
    ("{name|slug}", "{email|slug}", 13, "depends on itself"),
    ("phone: us_phone", "phone: us_fone", 19, "did you mean 'us_phone'"),
    ("due: {later: [1, 10, null]}", "due: {later: 3}", 20, "later needs a list of days"),
    ("customer: [phone]", "customer: [fone]", 27, "did you mean 'phone'"),
    ("c-003:", "c-3:", 31, "is no id of customer"),
    ("status: gone", "statsu: gone", 31, "did you mean 'status'"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "message"), MISTAKES)
def test_a_mistake_in_the_data_file_is_named_with_its_line(shop, right, wrong, line, message):
    """And with what would be right."""
    assert right in DATA

    with pytest.raises(BrokenContract) as broken:
        read(shop, documents.read(DATA.replace(right, wrong, 1).encode(), "data.yaml"))

    assert any(message in str(mistake) for mistake in broken.value.mistakes), str(broken.value)
    assert f"data.yaml:{line}: " in str(broken.value) or message == "twice"


def test_all_mistakes_are_named_at_once(shop):
    """Not the first one only."""
    text = DATA.replace("us_phone", "us_fone").replace("{_first} {_last}", "{_frist} {_last}").replace("[phone]", "[phone, fax]")

    with pytest.raises(BrokenContract) as broken:
        read(shop, documents.read(text.replace("[phone, fax]", "[phone]").encode(), "data.yaml"))

    assert len(broken.value.mistakes) == 2
