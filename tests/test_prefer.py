"""Prefer headers and queries -> what a client asks for."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.prefer import LONGEST, Preference, WrongPreference, preferred
from mock_server.refusals import Violation

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
PREFERENCES = st.builds(
    Preference,
    code=st.none() | st.integers(100, 599),
    example=st.none() | NAMES,
    dynamic=st.none() | st.booleans(),
    wait=st.integers(0, LONGEST * 1000).map(lambda thousandths: thousandths / 1000),
)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("code=409", Preference(code=409)),
        ("code=409, example=duplicate", Preference(code=409, example="duplicate")),
        ("CODE = 409 , Dynamic=TRUE", Preference(code=409, dynamic=True)),
        ("dynamic", Preference(dynamic=True)),
        ("dynamic=false", Preference(dynamic=False)),
        ('example="two words, \\"quoted\\""', Preference(example='two words, "quoted"')),
        ('example="caf\xc3\xa9"', Preference(example="café")),
        ("wait=2", Preference(wait=2)),
        ("wait=0.25", Preference(wait=0.25)),
        ("wait=300;q=1", Preference(wait=300)),
        ("code=201, code=409", Preference(code=201)),
        ("return=minimal, respond-async, code=404", Preference(code=404)),
        ('handling="code=500", ,, code=404', Preference(code=404)),
        ("return=minimal; foo=code, respond-async", None),
        ("foo=a b c, , ;", None),
        ("", None),
    ],
)
def test_a_header_is_read_as_its_rfc_says(header: str, wanted: Preference | None) -> None:
    """RFC 7240: names in any case, values in quotes, parameters, what is unknown ignored, the first of two counts."""
    assert preferred(header, b"") == (wanted, b"")


@pytest.mark.parametrize(
    ("query", "wanted", "rest"),
    [
        (b"__code=409", Preference(code=409), b""),
        (b"a=1&__code=409&b=%20+&__example=x", Preference(code=409, example="x"), b"a=1&b=%20+"),
        (b"__example=two+w%C3%B6rds", Preference(example="two wörds"), b""),
        (b"__dynamic=true&__wait=0.5", Preference(dynamic=True, wait=0.5), b""),
        (b"__dynamic", Preference(dynamic=True), b""),
        (b"__code=201&__code=409&&x", Preference(code=201), b"&x"),
        (b"__codex=1&x__code=2&a=__code=3", None, b"__codex=1&x__code=2&a=__code=3"),
    ],
)
def test_a_query_asks_the_same_for_clients_without_headers(query: bytes, wanted: Preference | None, rest: bytes) -> None:
    """The API gets the rest of it byte for byte."""
    assert preferred("", query) == (wanted, rest)


def test_the_query_wins_over_the_header() -> None:
    assert preferred("code=500, wait=1", b"__code=404") == (Preference(code=404, wait=1), b"")


def test_all_that_is_wrong_is_told() -> None:
    """Of the header and of the query, with the place and what would be right."""
    with pytest.raises(WrongPreference) as caught:
        preferred("code=4o4, wait=301, dynamic=perhaps", b"x=1&__example=&__wait=soon")

    assert caught.value.violations == (
        Violation("header", "/Prefer", "code must be a status, three digits like 409, not '4o4'"),
        Violation("query", "/__wait", "must be a number of seconds, at most 300, not 'soon'"),
        Violation("header", "/Prefer", "dynamic must be true or false, not 'perhaps'"),
        Violation("query", "/__example", "must be the name of an example in the contract, not ''"),
    )
    assert "__wait must be a number of seconds" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("code=409; example=duplicate", "example must stand behind a comma; behind a semicolon it is a parameter of code"),
        ("example=two words", "example must have a value of one word, or in double quotes"),
        ('example="never closed', "example must have a value of one word, or in double quotes"),
        ("code", "code must be a status, three digits like 409, not ''"),
        ("code=600", "code must be a status, three digits like 409, not '600'"),
        ('code="\xb9\xb2\xb3"', "code must be a status, three digits like 409, not '\xb9\xb2\xb3'"),
        ("example=caf\xc3\xa9", "example must have a value of one word, or in double quotes"),
        ("wait=-1", "wait must be a number of seconds, at most 300, not '-1'"),
        ("wait=1e3", "wait must be a number of seconds, at most 300, not '1e3'"),
        ("wait=nan", "wait must be a number of seconds, at most 300, not 'nan'"),
    ],
)
def test_a_preference_that_means_nothing_is_refused(header: str, told: str) -> None:
    """Nobody wonders why a forced answer does not come."""
    with pytest.raises(WrongPreference) as caught:
        preferred(header, b"")

    assert [violation.message for violation in caught.value.violations] == [told]


@pytest.mark.parametrize(
    ("preference", "applied"),
    [
        (Preference(code=409), "code=409"),
        (Preference(code=409, example="duplicate", wait=2), "code=409, example=duplicate, wait=2"),
        (Preference(example="two words"), 'example="two words"'),
        (Preference(example="a", dynamic=True), "example=a"),
        (Preference(code=200, dynamic=False), "code=200, dynamic=false"),
        (Preference(dynamic=True, wait=0.5), "dynamic=true, wait=0.5"),
        (Preference(dynamic=False), ""),
        (Preference(dynamic=False, wait=10), "wait=10"),
    ],
)
def test_only_what_is_acted_on_counts_as_applied(preference: Preference, applied: str) -> None:
    """An example is not made up, and `dynamic=false` alone changes nothing."""
    assert preference.applied == applied


@given(PREFERENCES)
@example(Preference(example='a\\"b, c=;', wait=0.001))
def test_what_is_applied_can_be_asked_for_again(preference: Preference) -> None:
    """Preference-Applied is written as Prefer is, and fits a header field."""
    applied = preference.applied
    again, _ = preferred(applied, b"")

    assert applied.encode("latin-1").isascii() or preference.example
    assert (again or Preference()).applied == applied
    if preference.forced:
        assert again is not None
        assert (again.code, again.example, again.wait) == (preference.code, preference.example, preference.wait)


@given(st.text(st.characters(max_codepoint=255)), st.binary())
def test_whatever_is_sent_is_read_or_refused(header: str, query: bytes) -> None:
    """Never anything else, and a query without preferences stays as it is."""
    try:
        wanted, rest = preferred(header, query)
    except WrongPreference as wrong:
        assert wrong.violations  # noqa: PT017  # Either is right.
        return
    if b"__" not in query:
        assert rest == query
    assert wanted is None or isinstance(wanted, Preference)


@given(st.lists(st.binary().filter(lambda part: b"&" not in part and not part.startswith(b"__"))), st.data())
def test_the_other_parts_of_a_query_stay_byte_for_byte(parts: list[bytes], data: st.DataObject) -> None:
    """Wherever ours stands between them."""
    place = data.draw(st.integers(0, len(parts)))
    query = b"&".join([*parts[:place], b"__code=404", *parts[place:]])

    assert preferred("", query) == (Preference(code=404), b"&".join(parts))
