"""What was sent, or shown elsewhere -> where a view differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from contract_tests.matching import is_zoned, moment
from contract_tests.schemas import items, json_type, merged, properties
from contract_tests.shapes import shortened
from mock_server.contract import Contract, Json, Record, Resource, Schema
from mock_server.schemas import MISSING, unset


@dataclass(frozen=True)
class Difference:
    """A place where two values are not the same."""

    property: str
    pointer: str
    expected: Json
    seen: Json

    @cached_property
    def told(self) -> tuple[str, str]:
        """What was expected and what was seen, as a finding tells it."""
        return f"{self.pointer} is {_shown(self.expected, self.seen)}", _shown(self.seen, self.expected)


def shown_at(resource: Resource, property: str, view: Schema) -> tuple[str, ...] | None:
    """Where a view shows a stored property; None if it does not."""
    known = properties(view)
    if property in known and property not in resource.shown and all(one.property != property for one in resource.children):
        return (property,)
    for reference in (*resource.references, *((resource.parent,) if resource.parent else ())):
        if reference.property != property:
            continue
        held = (reference.by or "id",)
        for name, shown in reference.show.items():
            if name in known and isinstance(shown, Mapping):
                for own, source in shown.items():
                    if source == held and own in properties(known[name]):
                        return (name, own)
    return None


def differences(
    contract: Contract, resource: Resource, expected: Mapping[str, Json], record: Record, view: Schema
) -> Iterator[Difference]:
    """Where a view of a record does not show stored properties as expected."""
    for name, value in expected.items():
        path = shown_at(resource, name, view)
        if path is None:
            continue
        seen = _at(record, path)
        schema = _schema_at(view, path)
        if value is None and len(path) > 1 and _at(record, path[:1]) in (None, MISSING):
            continue
        found = next(_differing(contract, value, seen, schema, "/".join(path)), None)
        if found is not None:
            yield Difference(name, *found)


def changes(one: Record, other: Record, skipped: Iterable[str] = ()) -> list[Difference]:
    """Where the same view of a record shows something else than before."""
    left_out = set(skipped)
    return [
        Difference(name, name, one.get(name), other.get(name))
        for name in dict.fromkeys((*one, *other))
        if name not in left_out and not same(one.get(name), other.get(name))
    ]


def same(one: Json, other: Json) -> bool:
    """Whether two JSON values are one: 1 is 1.0, and neither is true."""
    if one != other:  # Whatever differs in Python differs in JSON: most of it is told without a look inside.
        return False
    if isinstance(one, dict):
        return all(same(part, other[name]) for name, part in one.items())
    if isinstance(one, list):
        return all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool)


def _differing(contract: Contract, sent: Json, seen: Json, schema: Schema, pointer: str) -> Iterator[tuple[str, Json, Json]]:
    whole = merged(schema)
    if isinstance(sent, dict) and isinstance(seen, dict):
        yield from _in_object(contract, sent, seen, whole, pointer)
    elif isinstance(sent, list) and isinstance(seen, list) and len(sent) == len(seen):
        for place, (one, other) in enumerate(zip(sent, seen, strict=True)):
            yield from _differing(contract, one, other, items(whole), f"{pointer}/{place}")
    elif not (same(sent, seen) or _same_moment(contract, sent, seen, whole) or _unset(contract, sent, seen, whole)):
        yield pointer, sent, None if seen is MISSING else seen


def _in_object(contract: Contract, sent: Record, seen: Record, schema: Schema, pointer: str) -> Iterator[tuple[str, Json, Json]]:
    known = properties(schema)
    for name, value in sent.items():
        if not known or name in known:
            yield from _differing(contract, value, seen.get(name, MISSING), known.get(name, {}), f"{pointer}/{name}")
    for name, value in seen.items():
        if name in sent:
            continue
        nothing = unset(known[name], contract.unset) if name in known else MISSING
        if not (name in known and (value is None or same(value, nothing) or merged(known[name]).get("readOnly"))):
            yield f"{pointer}/{name}", None, value


def _same_moment(contract: Contract, sent: Json, seen: Json, schema: Schema) -> bool:
    """Times may be written in another form, but not without the zone that the contract promises."""
    if schema.get("format") not in ("date-time", "date"):
        return False
    if schema["format"] == "date-time" and contract.times.zoned and not is_zoned(seen):
        return False
    return moment(sent) is not None and moment(sent) == moment(seen)


def _unset(contract: Contract, sent: Json, seen: Json, schema: Schema) -> bool:
    """What has no value may be left out, or be shown as the contract says."""
    return sent is None and (seen is MISSING or (not schema.get("nullable") and same(seen, unset(schema, contract.unset))))


def _schema_at(view: Schema, path: tuple[str, ...]) -> Schema:
    for step in path:
        view = properties(view).get(step, {})
    return view


def _at(record: Json, path: tuple[str, ...]) -> Json:
    for step in path:
        if not isinstance(record, dict) or step not in record:
            return MISSING
        record = record[step]
    return record


def _shown(value: Json, other: Json) -> str:
    """A value, cut around the place where it differs from the other."""
    if isinstance(value, str) and isinstance(other, str) and max(len(value), len(other)) > 80:
        place = next((n for n, (a, b) in enumerate(zip(value, other, strict=False)) if a != b), min(len(value), len(other)))
        start = max(0, place - 20)
        return f"{len(value)} characters, from {start} on {shortened(value[start : start + 40])}"
    return shortened(value) if value is not MISSING else "not there"


def kind_of(schema: Schema) -> str:
    return json_type(merged(schema))
