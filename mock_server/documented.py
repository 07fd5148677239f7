"""Operation and status -> the answer that the contract shows for them, or one made up from its schema; no state is looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import NoReturn

import orjson

from mock_server.bridge.media import JSON
from mock_server.bridge.schemas import Compiled, Schemas
from mock_server.contract import Contract, Json, Operation, Schema
from mock_server.invented import Inventor, recipe
from mock_server.made_up import Bodies
from mock_server.reply import Headers, Reply
from mock_server.schemas import followed, merged, resolved
from mock_server.seeded import DataFile
from mock_server.seeded.chance import mix, salt
from mock_server.seeded.kitchen import Recipe

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Undeclared(LookupError):
    """The contract has no such status or example; the text says which there are."""


class Documented:
    """What one contract shows of its answers, each read at its first use; what is made up is like the records of `data`."""

    def __init__(self, contract: Contract, data: DataFile | None = None) -> None:
        self.contract = contract
        self._data = data or DataFile()
        self._answers: dict[tuple[str, int], _Answer] = {}

    def statuses(self, operation: Operation) -> tuple[int, ...]:
        """The statuses that the operation declares, in order."""
        return tuple(sorted(operation.statuses))

    def examples(self, operation: Operation, status: int | None = None) -> tuple[str, ...]:
        """The names of the examples of a status, or of all. Raises Undeclared."""
        statuses = self.statuses(operation) if status is None else (status,)
        return tuple(dict.fromkeys(name for one in statuses for name in self._answer(operation, one).examples))

    def reply(
        self, operation: Operation, status: int | None, *, example: str | None = None, dynamic: bool = False, seed: int = 1
    ) -> Reply:
        """The answer of a status: the example of this name, or one made up, or the first example.

        Without a status it is that of success, or the one that has the example. Beside an example `dynamic` counts for nothing.
        What is made up follows from the seed.

        Raises Undeclared.
        """
        if status is None:
            status = operation.status if example is None else self._having(operation, example)
        answer = self._answer(operation, status)
        if example is not None and example not in answer.examples:
            self._no_example(operation, example, status)
        shown = answer.shown if example is None else answer.examples[example]
        body = answer.made_up(seed, dynamic=dynamic) if shown is None or (dynamic and example is None) else shown
        return Reply(status, body, answer.headers(seed))

    def _having(self, operation: Operation, example: str) -> int:
        """The status that has an example of this name, that of success before others."""
        statuses = sorted(self.statuses(operation), key=lambda status: status != operation.status)
        found = (status for status in statuses if example in self._answer(operation, status).examples)
        return next(found, None) or self._no_example(operation, example, None)

    def _no_example(self, operation: Operation, example: str, status: int | None) -> NoReturn:
        names = self.examples(operation, status)
        there = f"there are {', '.join(names)}" if names else "there are none"
        of = "" if status is None else f" of {status}"
        raise Undeclared(f"{operation.operation_id} has no example {example!r:.42}{of}; {there}.")

    def _answer(self, operation: Operation, status: int) -> _Answer:
        key = (operation.operation_id, status)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = _Answer(self, operation, status, self._declared(operation, status))
        return answer

    def _declared(self, operation: Operation, status: int) -> Mapping[str, Json]:
        answer = self.schemas.answer(operation, status)
        if answer is None:
            codes = sorted(self.schemas.answers(self.schemas.operation(operation)))
            raise Undeclared(f"{operation.operation_id} answers {', '.join(codes)}, not {status}.")
        return answer

    @cached_property
    def schemas(self) -> Schemas:
        return Schemas(self.contract.document)

    @cached_property
    def inventor(self) -> Inventor:
        return Inventor(self.contract, self._data)


class _Answer:
    """One status of one operation."""

    def __init__(self, owner: Documented, operation: Operation, status: int, declared: Mapping[str, Json]) -> None:
        self._owner, self._operation, self._status, self._declared = owner, operation, status, declared
        self._root = salt(f"{owner.contract.name}/{operation.operation_id}/{status}")
        content = declared.get("content", {})
        named = next((name for name in content if _is_json(name)), next(iter(content), ""))
        self._content: Mapping[str, Json] = content.get(named, {})
        self._media = JSON if "*" in named else named

    @cached_property
    def examples(self) -> Mapping[str, bytes]:
        """The bodies of the examples by name."""
        found = ((name, self._followed(example)) for name, example in self._content.get("examples", {}).items())
        return {name: self._written(example["value"]) for name, example in found if "value" in example}

    @cached_property
    def shown(self) -> bytes | None:
        """The body that the contract shows first, if it shows any."""
        if "example" in self._content:
            return self._written(self._content["example"])
        example = self._schema.get("example") if self._schema else None
        return next(iter(self.examples.values()), None if example is None else self._written(example))

    def headers(self, seed: int) -> Headers:
        """The declared header fields: as the contract shows them, else made up; the media type, if it is not JSON."""
        key = mix(seed ^ self._root)
        fields = ((name, make(self._owner.inventor.row, mix(key ^ salt(name)))) for name, make in self._fields.items())
        told = tuple((name.lower().encode("latin-1"), _field(value)) for name, value in fields)
        return told if self._media in ("", JSON) else ((b"content-type", self._media.encode("latin-1")), *told)

    def made_up(self, seed: int, *, dynamic: bool) -> bytes | None:
        """A body that fits the schema; None where there is no schema. Raises Undeclared if none is found."""
        if self._schema is None:
            return None
        for made in self._bodies.made(mix(seed ^ self._root), dynamic=dynamic):
            if self._validator.is_valid(made):
                return self._written(made)
        if self.shown is not None:
            return self.shown
        named = f"{self._operation.operation_id} {self._status}"
        raise Undeclared(f"{named} has no example, and nothing that was made up fits its schema; give it an example.")

    @cached_property
    def _bodies(self) -> Bodies:
        return Bodies(self._owner.inventor, self._operation, self._status, self._schema or {})

    @cached_property
    def _schema(self) -> Schema | None:
        schema = self._content.get("schema")
        return merged(self._resolved(schema)) if schema else None

    @cached_property
    def _validator(self) -> Compiled:
        return self._owner.schemas.compiled(self._content["schema"], "response")

    @cached_property
    def _fields(self) -> Mapping[str, Recipe]:
        """Header field -> what makes its value; Content-Type is told elsewhere (OpenAPI says to ignore it here)."""
        declared = ((name, self._resolved(header)) for name, header in self._declared.get("headers", {}).items())
        return {name: self._value(name, header) for name, header in declared if name.lower() != "content-type"}

    def _value(self, name: str, header: Mapping[str, Json]) -> Recipe:
        examples = [example["value"] for example in header.get("examples", {}).values() if "value" in example]
        schema = {**header.get("schema", {}), **({"example": examples[0]} if examples else {})}
        if "example" in header:
            schema["example"] = header["example"]
        return recipe(self._owner.inventor.spot(None, None, examples=True, drawn=False).below(name), schema)

    def _followed(self, node: Json) -> Json:
        return followed(node, self._owner.contract.document)

    def _resolved(self, node: Json) -> Json:
        return resolved(node, self._owner.contract.document, {})

    def _written(self, value: Json) -> bytes:
        return value.encode() if isinstance(value, str) and not _is_json(self._media) else orjson.dumps(value)


def _is_json(media: str) -> bool:
    name = media.partition(";")[0].strip().lower()
    return name in (JSON, "*/*", "application/*") or name.endswith("+json")


def _field(value: Json) -> bytes:
    """A value in a header field, as style `simple` has it."""
    if isinstance(value, list):
        return b",".join(map(_field, value))
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return _CONTROL.sub(" ", text).encode("latin-1", "replace")
