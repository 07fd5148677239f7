"""Operation and status -> bodies made up for their answer: recipes by the schema, within the form that the semantics give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mock_server.contract import Json, Operation, Schema
from mock_server.documents import Steps
from mock_server.invented import Inventor, recipe
from mock_server.refusals import STATUSES
from mock_server.schemas import at
from mock_server.seeded.chance import mix
from mock_server.seeded.kitchen import Recipe

TRIALS = 16  # of each kind: a schema may ask for more than each of its parts does
SOURCES = ((True, True), (False, True), (False, False))  # whether schemas' examples are taken, and what data.yaml says of records


class Bodies:
    """The bodies that an answer may have."""

    def __init__(self, inventor: Inventor, operation: Operation, status: int, schema: Schema) -> None:
        self._inventor, self._operation, self._status, self._schema = inventor, operation, status, schema
        self._form = inventor.contract.refusals
        self._template: Json = self._form.body if status >= 400 else None
        if status == operation.status:
            self._template = operation.envelope
        self._record = _way(self._template, ())
        self._recipes: dict[tuple[bool, bool], Recipe] = {}

    def made(self, root: int, *, dynamic: bool) -> Iterator[Json]:
        """Bodies that may fit the schema, the best first: with what the documents say beside the schema, and without."""
        for examples, drawn in SOURCES[1:] if dynamic else SOURCES:
            make = self._recipe(examples=examples, drawn=drawn)
            for key in (mix(root + trial) for trial in range(TRIALS)):
                body = make(self._inventor.row, key)
                yield self._enveloped(body, key) if drawn else body

    def _recipe(self, *, examples: bool, drawn: bool) -> Recipe:
        kept = self._recipes.get((examples, drawn))
        if kept is None:
            spot = self._inventor.spot(self._operation.resource, self._record, examples=examples, drawn=drawn)
            kept = self._recipes[examples, drawn] = recipe(spot, self._schema)
        return kept

    def _enveloped(self, body: Json, key: int) -> Json:
        """A body with what the semantics fix of it."""
        if self._template is None:
            return body
        return _overlaid(self._template, body, self._refused(key) if self._status >= 400 else self._counted(body))

    def _refused(self, key: int) -> dict[str, Json]:
        """What a refusal tells: a reason that has this status, and a sentence."""
        told = {"$status": self._status, "$message": self._inventor.sentence(mix(key))}
        reasons = [reason for reason, status in STATUSES.items() if self._form.statuses.get(reason, status) == self._status]
        if not reasons:
            return told
        reason = reasons[key % len(reasons)]
        return {**told, "$code": self._form.codes.get(reason, reason)}

    def _counted(self, body: Json) -> dict[str, Json]:
        """What a list tells of itself: that it is whole."""
        if not self._record or self._record[-1] != "*":
            return {}
        records = at(body, self._record[:-1])
        count = len(records) if isinstance(records, list) else 0
        sizes = {p.paging: p.default for p in self._operation.parameters if p.paging and p.default is not None}
        return {
            "$total": count,
            "$count": count,
            "$page": 1,
            "$pages": min(count, 1),
            "$offset": 0,
            "$limit": sizes.get("limit", sizes.get("size", count)),
            "$more": False,
        }


def _way(template: Json, path: Steps) -> Steps | None:
    """The way to the record, or with * to each of the records."""
    if template in ("$record", "$records"):
        return path if template == "$record" else (*path, "*")
    parts = template.items() if isinstance(template, Mapping) else ()
    return next((way for name, part in parts if (way := _way(part, (*path, name))) is not None), None)


def _overlaid(template: Json, body: Json, tokens: Mapping[str, Json]) -> Json:
    """A body with the literals of a template, and its tokens as far as they are known."""
    if isinstance(template, str) and template.startswith("$"):
        return tokens.get(template, body)
    if isinstance(template, Mapping):
        parts = body if isinstance(body, Mapping) else {}
        return {name: _overlaid(template[name], part, tokens) if name in template else part for name, part in parts.items()}
    return template
