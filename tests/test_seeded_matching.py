"""What each match of a filter means, in one table."""

from __future__ import annotations

import pytest

from mock_server.contract import Filter, Json, Match
from mock_server.seeded import instant, matches, values

CASES = [  # match, fold, asked for, found, passes
    ("equals", False, "a", "a", True),
    ("equals", False, "a", "A", False),
    ("equals", True, "a", "A", True),
    ("equals", True, "STRASSE", "straße", True),
    ("equals", False, 1, 1.0, True),
    ("equals", False, 1, True, False),
    ("equals", False, "1", 1, False),
    ("contains", True, "ACME", "The Acme Corporation", True),
    ("contains", False, "ACME", "The Acme Corporation", False),
    ("contains", True, "002", 10010, False),
    ("contains", True, "001", 10010, True),
    ("contains", True, "%", "100 %", True),
    ("contains", True, "%", "all", False),
    ("contains", True, "", "", True),
    ("like", True, "term", "a TERM here", True),
    ("like", True, "term%", "a term", False),
    ("like", True, "term%", "Terminal", True),
    ("like", True, "%term", "long term", True),
    ("like", True, "a%b%c", "a-b-c", True),
    ("like", True, "a%b%a", "ab", False),
    ("like", True, "aa%aa", "aaa", False),
    ("like", True, "%", "", True),
    ("in", False, [1, 2], 2, True),
    ("in", False, [], 2, False),
    ("in", True, ["A"], "a", True),
    ("after", False, "2024-01-27", "2024-01-27T00:00:00Z", False),
    ("after", False, "2024-01-27", "2024-01-27T00:00:00.001Z", True),
    ("after", False, "2024-01-27", "2024-01-27", False),
    ("from", False, "2024-01-27", "2024-01-27", True),
    ("before", False, "2024-01-27", "2024-01-26T23:59:59", True),
    ("before", False, "2024-01-27", "2024-01-27", False),
    ("to", False, "2024-01-27", "2024-01-27T23:59:59.999Z", True),
    ("to", False, "2024-01-27", "2024-01-28", False),
    ("to", False, "2024-01-27T12:00:00Z", "2024-01-27T12:00:00", True),
    ("to", False, "2024-01-27T12:00:00Z", "2024-01-27T14:00:00+02:00", True),
    ("after", False, "2024-06-30T23:59:59Z", "2024-06-30T23:59:60Z", True),
    ("before", False, "2024-07-01T00:00:00.5Z", "2024-07-01T00:00:00.45Z", True),
    ("after", False, "0000-01-01", "2024-01-27", True),
    ("before", False, "0000-02-29", "2024-01-27", False),
    ("after", False, "0000-12-31T23:59:59Z", "0001-01-01", True),
    ("after", False, "soon", "2024-07-01", False),
    ("after", False, "2024-07-01", "soon", False),
    ("flag", False, 1, True, True),
    ("flag", False, 0, True, False),
    ("flag", False, 0, None, True),
    ("present", False, 1, "x", True),
    ("present", False, 1, "", False),
    ("present", False, 0, None, True),
    ("present", False, 0, [], True),
    ("present", False, 1, 0, True),
]


@pytest.mark.parametrize(("match", "fold", "wanted", "found", "passes"), CASES)
def test_a_value_passes_or_not(match: Match, fold: bool, wanted: Json, found: Json, passes: bool) -> None:
    """One row a rule."""
    filter = Filter((("value",),), match, fold)

    assert matches(filter, wanted)(values({"value": found}, ("value",))) is passes


def test_a_star_is_every_element() -> None:
    """Paths go through arrays and objects; what is not there is no value."""
    record = {"contacts": [{"email": "a"}, {"email": None}, {}, {"email": "b"}]}

    assert [*values(record, ("contacts", "*", "email"))] == ["a", "b"]
    assert [*values(record, ("contacts", "email"))] == []
    assert [*values(record, ("nothing", "*", "email"))] == []


def test_many_wildcards_cost_no_more_than_few() -> None:
    """A pattern cannot make a search hang."""
    test = matches(Filter((("value",),), "like", True), "%a" * 5000)

    assert not test(("a" * 4000,))


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2024-13-01", "0000-00-01", "2024-01-01T24:00:00", "2024-01-01T10:60:00", "", "1.1.2024", 5, None]
)
def test_what_is_no_time_is_no_instant(text: str | int | None) -> None:
    """Impossible days and hours are no instants."""
    assert instant(text) is None
