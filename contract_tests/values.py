"""Schema -> values that fit it: a plain one, and those by which mistakes show. A pure function of seed and count."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from contract_tests.schemas import items, json_type, merged, properties
from contract_tests.shapes import RANGES, fits
from mock_server.contract import Json, Schema

LONG = 500  # characters of a long text where its schema has no bound
DEEP = 4  # levels of objects and arrays that are filled
MANY = 30  # entries of a large free mapping
_LETTERS = "bcdfghjkmnpqrstvwxz"  # no vowels: no words; none of the letters that look like digits


@dataclass
class Values:
    """Values, each new: two of one run never have the same mark."""

    seed: int = 1
    zoned: bool = True  # whether times are written with Z
    count: int = 0

    def mark(self) -> str:
        """A short text that nothing else has."""
        self.count += 1
        drawn = int.from_bytes(hashlib.blake2b(f"{self.seed}/{self.count}".encode(), digest_size=6).digest())
        letters = ""
        for _ in range(5):
            drawn, place = divmod(drawn, len(_LETTERS))
            letters += _LETTERS[place]
        return f"{letters}{self.count}"

    def plain(self, schema: Schema, name: str = "value", depth: int = 0) -> Json:
        """A value as anybody might send it."""
        found = next((value for value in self._candidates(merged(schema), name, depth) if fits(schema, value)), None)
        return found if found is not None or schema.get("nullable") else self._shown(schema)

    def samples(self, schema: Schema, depth: int = 0) -> list[Json]:
        """Values by which mistakes show, the same number in the same order for the same schema."""
        whole = merged(schema)
        found = [value for value in self._telling(whole, depth) if fits(schema, value)]
        if whole.get("nullable") and fits(schema, None):
            found.insert(1 if json_type(whole) == "object" else len(found), None)  # After something that it takes away.
        return found or [self.plain(schema)]

    def _shown(self, schema: Schema) -> Json:
        """What the contract itself shows."""
        whole = merged(schema)
        return next((whole[word] for word in ("example", "default") if word in whole), None)

    def _candidates(self, schema: Schema, name: str, depth: int) -> Iterator[Json]:
        kind = json_type(schema)
        if "enum" in schema:
            yield from schema["enum"]
        elif kind == "string":
            yield from self._texts(schema, name)
        elif kind in ("integer", "number"):
            least, most = _range(schema)
            yield min(max(least, 100 + self.count % 800), most)
        elif kind == "boolean":
            yield True
        elif kind == "array":
            yield [self.plain(items(schema), name, depth + 1)] if depth < DEEP and items(schema) else []
            yield [self.plain(items(schema), name, depth + 1) for _ in range(schema.get("minItems", 0))]
        else:
            yield self._object(schema, lambda part, own: self.plain(part, own, depth + 1), depth)

    def _texts(self, schema: Schema, name: str) -> Iterator[str]:
        mark = self.mark()
        form = str(schema.get("format"))
        if form in _FORMS:
            yield _FORMS[form](mark, self.zoned)[0]
        elif "pattern" in schema:
            yield from (str(schema[word]) for word in ("example", "default") if word in schema)
            yield from (_FORMS[form](mark, self.zoned)[0] for form in _FORMS)
        text = f"{name} {mark}"
        yield text
        yield text[-schema.get("maxLength", len(text)) :]
        yield from (mark[-length:] for length in range(len(mark), 0, -1))
        yield text + "x" * max(0, schema.get("minLength", 0) - len(text))

    def _telling(self, schema: Schema, depth: int) -> Iterator[Json]:
        kind = json_type(schema)
        if "enum" in schema:
            yield from schema["enum"]
        elif kind == "string":
            yield from self._telling_texts(schema)
        elif kind in ("integer", "number"):
            yield from self._telling_numbers(schema, kind)
        elif kind == "boolean":
            yield from (True, False)
        elif kind == "array":
            yield from self._telling_arrays(schema, depth)
        else:
            yield from self._telling_objects(schema, depth)

    def _telling_texts(self, schema: Schema) -> Iterator[str]:
        mark = self.mark()
        form = str(schema.get("format"))
        if form in _FORMS:
            yield from _FORMS[form](mark, self.zoned)
        elif "pattern" in schema:
            yield from self._texts(schema, "value")
        else:
            most = schema.get("maxLength", LONG)
            yield ""
            yield from (text(mark)[:most] for text in _TEXTS)
            yield (mark + "äö€ end " * most)[: most - 1] + "!"

    @staticmethod
    def _telling_numbers(schema: Schema, kind: str) -> Iterator[Json]:
        least, most = _range(schema)
        yield from (least, most, 0, 1, -1, least + 1, most - 1)
        if kind == "number":
            yield from (0.1, -0.01, 1234567.891, 0.30000000000000004, 99.995, 1e-7)

    def _telling_arrays(self, schema: Schema, depth: int) -> Iterator[Json]:
        part = items(schema)
        yield []
        if depth < DEEP and part:
            first, *others = [self.plain(part, depth=depth + 1) for _ in range(3)]
            yield [*others, first]  # In no order that somebody might sort them into.
            yield [self.samples(part, depth + 1)[0]]

    def _telling_objects(self, schema: Schema, depth: int) -> Iterator[Json]:
        if depth >= DEEP:
            return
        known = properties(schema)
        more = schema.get("additionalProperties")
        if not known and isinstance(more, Mapping):
            yield {}
            yield {f"key {self.mark()}": self.plain(more) for _ in range(MANY)}
            for sample in self.samples(more, depth + 1):
                yield {f"key {self.mark()}": sample, "Ключ.with/odd~chars": self.plain(more)}
            return
        lists = {name: self.samples(part, depth + 1) for name, part in known.items() if not part.get("readOnly")}
        small: list[Json] = [{}, *({name: found[0]} for name, found in list(lists.items())[:2])]
        for turn in range(max(len(small) + 1, *map(len, lists.values())) if lists else 1):
            yield {name: found[turn % len(found)] for name, found in lists.items()}
            yield from small[turn - 1 : turn] if turn else ()  # Each after a whole one, of which nothing may be left.

    def _object(self, schema: Schema, fill: Callable[[Schema, str], Json], depth: int) -> Json:
        known = properties(schema)
        if not known and isinstance(schema.get("additionalProperties"), Mapping):
            return {f"key {self.mark()}": fill(schema["additionalProperties"], "value")}
        needed = set(schema.get("required", ()))
        return {
            name: fill(part, name)
            for name, part in known.items()
            if not merged(part).get("readOnly") and (depth < DEEP or name in needed)
        }


def _range(schema: Schema) -> tuple[Json, Json]:
    least, most = RANGES.get(schema.get("format", ""), (-(10**9), 10**9))
    step = 0 if json_type(schema) == "number" else 1
    least, most = schema.get("minimum", least), schema.get("maximum", most)
    return (
        least + (step if schema.get("exclusiveMinimum") is True else 0),
        most - (step if schema.get("exclusiveMaximum") is True else 0),
    )


_TEXTS: tuple[Callable[[str], str], ...] = (  # each shows another way of losing a text
    lambda mark: unicodedata.normalize("NFC", f"Zoë Ångström {mark}"),
    lambda mark: unicodedata.normalize("NFD", f"Zoë Ångström {mark}"),
    lambda mark: f"  two  spaces {mark}  ",
    lambda mark: f"MiXeD cAsE {mark.upper()} ßẞİı",
    lambda mark: f'O\'Neil "{mark}" % _ * ? \\ / <b>&amp;</b> ; -- {{x}} $1',
    lambda mark: f"👩‍🔧🇫🇮 東京 {mark}",
    lambda mark: f"שלום\u200f عربى\u200e {mark}",
    lambda mark: f"00{len(mark)}",
    lambda mark: f"=1+2 line {mark}\r\nnext\ttab\x01\n",
    lambda mark: f"\ufeffno\u00a0break \u200b\u201c{mark}\u201d it\u2019s \u2013 100%25 \u2026\u2028",
    lambda mark: f"+1 (0)40-00{len(mark)}",
    lambda _: " ",
    lambda _: "1e5",
    lambda _: "null",
)


def _emails(mark: str, _zoned: bool) -> tuple[str, ...]:
    return (
        f"{mark}@example.com",
        f"Mixed.Case+{mark}@Example.COM",
        f"o'neil_{mark}@sub.domain.example.org",
        f"{'long' * 10}.{mark}@example.com",
        f"{mark}@example.international",
    )


def _days(_mark: str, _zoned: bool) -> tuple[str, ...]:
    return "2024-02-29", "1999-12-31", "2038-01-20", "1969-12-31", "2100-03-01"


def _times(_mark: str, zoned: bool) -> tuple[str, ...]:
    end = "Z" if zoned else ""
    fine = "" if zoned else ".123"
    return tuple(
        f"{day}{fine}{end}"
        for day in (
            *("2024-02-29T23:59:59", "1999-12-31T00:00:00", "2038-01-19T03:14:08", "2024-03-31T03:30:00"),
            *("1969-07-20T20:17:40", "2100-03-01T12:00:00"),
        )
    )


def _uris(mark: str, _zoned: bool) -> tuple[str, ...]:
    return f"https://example.com/{mark}", f"https://Example.com:8443/A%20b/?q={mark}&x=%C3%A4#Part", f"http://{mark}.example/"


def _uuids(mark: str, _zoned: bool) -> tuple[str, ...]:
    digits = hashlib.blake2b(mark.encode(), digest_size=16).hexdigest()
    return (f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}",)


_FORMS: Mapping[str, Callable[[str, bool], tuple[str, ...]]] = {
    "email": _emails,
    "date": _days,
    "date-time": _times,
    "uri": _uris,
    "uuid": _uuids,
}
