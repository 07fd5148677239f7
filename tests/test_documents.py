"""documents.read: YAML 1.2 with lines, and nothing that is not plain JSON."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import documents
from mock_server.documents import BrokenContract, Document

TEXT = """\
# A comment.
openapi: 3.0.3
paths:
  /a~b:
    get:
      tags:
        - one

        - two
      responses: {200: {description:
        "Several
        lines."}}
      used: {$ref: '#/paths/~1a~0b/get/tags'}
"""


def read(text: str) -> Document:
    return documents.read(text.encode(), "file.yaml")


def mistakes(text: str | bytes) -> list[str]:
    """What is said of a text that cannot be read."""
    with pytest.raises(BrokenContract) as caught:
        documents.read(text.encode() if isinstance(text, str) else text, "f")
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-27", "2024-01-27"),
        ("2024-01-27T16:00:00Z", "2024-01-27T16:00:00Z"),
        ("yes", "yes"),
        ("off", "off"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("-1", -1),
        ("1.", 1.0),
        (".5e3", 500.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'~'", "~"),
        ('"1"', "1"),
        ("|\n 1\n", "1\n"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """Dates, yes and no stay texts; numbers, true, false and null are what they look like."""
    assert read(text).value == value
    assert type(read(text).value) is type(value)


def test_keys_are_texts() -> None:
    assert read("200: a\nnull: b\ntrue: c\n1.50: d").value == {"200": "a", "null": "b", "true": "c", "1.50": "d"}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("openapi",), 2),
        (("paths", "/a~b", "get", "tags"), 6),
        (("paths", "/a~b", "get", "tags", 1), 9),
        (("paths", "/a~b", "get", "responses", "200", "description"), 10),
        (("paths", "/a~b", "get", "responses", 200), 10),
        (("paths", "/a~b", "put", "tags"), 4),
        (("nothing", "at", "all"), 1),
    ],
)
def test_every_part_knows_its_line(path: tuple[str | int, ...], line: int) -> None:
    """What is absent has the line of what it would stand in."""
    assert read(TEXT).line(path) == line


def test_walking_goes_through_references_and_never_fails() -> None:
    """A reference leads to what it names: its value, its pointer, its line."""
    operation = read(TEXT).root / "paths" / "/a~b" / "get"

    assert [node.value for node in (operation / "used").elements()] == ["one", "two"]
    assert str((operation / "used" / 1).mistake("is wrong")) == "file.yaml:9: /paths/~1a~0b/get/tags/1: is wrong"
    assert (operation / "x" / 3 / "y").value is None
    assert not operation / "x"


def test_references_in_a_circle_lead_nowhere() -> None:
    root = read("a: {$ref: '#/b'}\nb: {$ref: '#/a'}\nc: {$ref: '#/c/d'}").root

    assert (root / "a").value is None
    assert (root / "c").value is None
    assert root.resolved == {"a": None, "b": None, "c": None}


def test_the_same_part_is_resolved_to_the_same_copy() -> None:
    document = read("a: {$ref: '#/b'}\nb: {self: {$ref: '#/a'}, list: [{$ref: '#/b'}]}")

    found = document.resolved(document.value)

    assert found["a"] is found["b"] is found["b"]["self"] is found["b"]["list"][0]
    assert document.value["a"] == {"$ref": "#/b"}


def test_an_alias_is_what_it_names() -> None:
    document = read("a: &x {b: 1}\nc: *x\nd: [*x]")
    assert document.value == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}]}


NINE = "\n".join(f"x{level}: &x{level} [{', '.join([f'*x{level - 1}'] * 9)}]" if level else "x0: &x0 [lol]" for level in range(9))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", ["f:3: /a: is there twice; the first is on line 1"]),
        ("x: [{200: 1, '200': 2}]", ["f:1: /x/0/200: is there twice; the first is on line 1"]),
        ("a: {b: 1,\n b: 2}\na: 1", [
            "f:2: /a/b: is there twice; the first is on line 1",
            "f:3: /a: is there twice; the first is on line 1",
        ]),
        ("a: !!python/object:os.system x", ["f:1: /a: has the tag tag:yaml.org,2002:python/object:os.system; tags are not read"]),
        ("a: ! 1", ["f:1: /a: has the tag !; tags are not read"]),
        ("a:\n  - x\n  - !secret x", ["f:3: /a/1: has the tag !secret; tags are not read"]),
        ("a:\n  <<: {b: 1}", ["f:2: /a/<<: merges a mapping, which is no longer part of YAML; write it out, or use $ref"]),
        ("a:\n  b: *c", ["f:2: /a/b: uses *c, which no &c before it has completed"]),
        ("a: &a [*a]", ["f:1: /a/0: uses *a, which no &a before it has completed"]),
        (NINE, ["f:6: /x5/6: has aliases that stand for more than 100000 values"]),
        ("a: 1\n? [b]\n: c", ["f:2: /: has a key that is no text"]),
        ("a: &k x\n*k : 1", ["f:2: /: has a key that is an alias (*k); write it out"]),
        ("a: .inf", ["f:1: /a: .inf is a number that JSON cannot hold; quote it if it is a text"]),
        ("a: [1, 1e999]", ["f:1: /a/1: 1e999 is a number that JSON cannot hold; quote it if it is a text"]),
        ("9" * 5000, [f"f:1: /: {'9' * 20} is a number that JSON cannot hold; quote it if it is a text"]),
        ("a: 1\n---\nb: 2", ["f:2: /: starts a second document; a file holds one"]),
        ("a: [\nb", ["f:2: /: is not YAML: did not find expected ',' or ']'"]),
        ("a:\n  \x00", ["f:2: /: is not YAML: control characters are not allowed"]),
        (b"a: 1\nb: \xe4", ["f:2: /: is not UTF-8: byte 0xe4"]),
        ("a: 1".encode("utf-16"), ["f:1: /: is not UTF-8: byte 0xff"]),
        ("[" * 101 + "]" * 101, [f"f:1: {'/0' * 100}: is nested deeper than 100 levels"]),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused(text: str | bytes, expected: list[str]) -> None:
    """With its line and what to do, and all of it at once as far as the text can be read."""
    assert mistakes(text) == expected


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert documents.read(b"\xef\xbb\xbfa: 1", "f").value == {"a": 1}


def test_a_file_is_named_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the current folder, if it is in it: short and good to click on."""
    (tmp_path / "a.yaml").write_text("a: 1", encoding="utf-8")
    assert documents.load(tmp_path / "a.yaml").file == str(tmp_path / "a.yaml")

    monkeypatch.chdir(tmp_path)
    assert documents.load(tmp_path / "a.yaml").file == "a.yaml"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert documents.meant("custmer", ["customer", "order"]) == "; did you mean customer?"
    assert documents.meant("zzz", ["customer", "order"]) == "; there are customer, order"
    assert documents.meant("zzz", map(str, range(20))) == ""


PRINTABLE = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["C"]), max_size=10)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_json_is_read_as_it_is(value: object) -> None:
    """Every JSON text of printable characters is YAML and means the same."""
    assert read(json.dumps({"value": value}, ensure_ascii=False)).value == {"value": value}
