"""Times of creation: later records later, in working hours, the same whatever the number of records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from mock_server.seeded.chance import MASK

UNIT = 1 << 32  # The place on the line that one record of a table without parent takes.
_EPOCH = date(1970, 1, 1).toordinal()
_SCALE = 40  # bits of a fraction
_HALF_AT = 40  # The record at which half of the first share of time is over.
_DOUBLINGS = 27  # Beyond 2**27 records time stands still.
_OPENS, _WORKDAY = 8 * 3600, 9 * 3600


@dataclass(frozen=True)
class Timeline:
    """Working days from one day to another, filled quickly by the first records and ever more slowly by later ones."""

    start: date
    end: date

    def instant(self, place: int) -> int:
        """Microseconds since 1970 of a place on the line; never earlier for a later place."""
        milliseconds = _share(place) * self._days * _WORKDAY * 1000 >> _SCALE
        day, within = divmod(milliseconds, _WORKDAY * 1000)
        week, weekday = divmod(self._weekday + day, 5)
        return ((self._monday + 7 * week + weekday) * 86400 + _OPENS) * 1_000_000 + within * 1000

    @cached_property
    def _monday(self) -> int:
        return self._first - self._weekday - _EPOCH

    @cached_property
    def _first(self) -> int:
        """The first working day: a line that starts on a weekend starts on Monday."""
        first = self.start.toordinal()
        return first + (7 - self.start.weekday() if self.start.weekday() > 4 else 0)

    @cached_property
    def _weekday(self) -> int:
        return date.fromordinal(self._first).weekday()

    @cached_property
    def _days(self) -> int:
        weeks, rest = divmod(max(self.end.toordinal() - self._first, 1), 7)
        return max(weeks * 5 + min(rest, 5) - 2, 1)


def _share(place: int) -> int:
    """How much of the time is over: half of it goes like n / (n + 40), half like the logarithm."""
    hyperbola = (place << _SCALE) // (place + _HALF_AT * UNIT)
    grown = place + UNIT
    exponent = grown.bit_length() - 1
    logarithm = ((exponent - 32) << _SCALE) + ((grown << _SCALE) >> exponent) - (1 << _SCALE)
    return hyperbola + min(logarithm // _DOUBLINGS, 1 << _SCALE) >> 1


def within(low: int, width: int, key: int) -> int:
    """A place in the first half of an interval; what belongs to the record comes in the second half."""
    return low + ((key & MASK) * (width >> 1) >> 64)
