"""Resource -> what its records may hold, compiled."""

from __future__ import annotations

from collections.abc import Mapping

from mock_server import schemas
from mock_server.bridge.schemas import Compiled, Schemas, Side
from mock_server.contract import Contract, Json, Resource

_AT = "#/components/schemas/"
_ONE = frozenset({"items", "not", "additionalProperties"})
_MANY = frozenset({"allOf", "anyOf", "oneOf"})


class Shapes:
    """The validators of one contract's stored records, each compiled at its first use."""

    def __init__(self, contract: Contract, side: Side, *, whole: bool) -> None:
        self.contract = contract
        self._side: Side = side
        self._whole = whole  # a record says who it is, and where it belongs
        self._compiled: dict[str, Compiled] = {}

    def of(self, resource: Resource) -> Compiled:
        """The validator of a resource's records."""
        validator = self._compiled.get(resource.name)
        if validator is None:
            validator = self._compiled[resource.name] = self._compile(resource)
        return validator

    def _compile(self, resource: Resource) -> Compiled:
        schema: dict[str, Json] = {"type": "object", "properties": dict(resource.stored), "additionalProperties": False}
        if self._whole:
            schema["required"] = list(required(resource))
        named = _Named()
        reference = named.reference(schema)
        document = Schemas({"components": {"schemas": named.schemas}})
        return document.compiled(reference, self._side, local_time=not self.contract.times.zoned)


def required(resource: Resource) -> dict[str, None]:
    """The properties without which a stored record is none: who it is, where it belongs, and what every view must show."""
    belongs = [resource.parent.property] if resource.parent else []
    shown = [name for name in schemas.required(resource.schema) if name in resource.stored]
    return dict.fromkeys([resource.id.property, *belongs, *shown])


class _Named:
    """Schemas whose references are resolved, and which may be cyclic, under names once more."""

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}
        self._names: dict[int, str] = {}
        self._kept: list[Mapping[str, Json]] = []  # An id names an object as long as it is there.

    def reference(self, schema: Mapping[str, Json]) -> dict[str, Json]:
        name = self._names.get(id(schema))
        if name is None:
            name = self._names[id(schema)] = str(len(self._names))
            self._kept.append(schema)
            rest = ((keyword, value) for keyword, value in schema.items() if keyword != "writeOnly")  # It is stored.
            self.schemas[name] = {keyword: self._part(keyword, value) for keyword, value in rest}
        return {"$ref": _AT + name}

    def _part(self, keyword: str, value: Json) -> Json:
        if keyword == "properties":
            return {name: self.reference(part) for name, part in value.items()}
        if keyword in _MANY:
            return [self.reference(part) for part in value]
        return self.reference(value) if keyword in _ONE and isinstance(value, Mapping) else value
