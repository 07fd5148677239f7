"""The law of odd values: what hardly anybody sends is answered like anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from contract_tests.callers import Ids
from contract_tests.exchanges import Request
from contract_tests.laws.answered import callable_, ids_for
from contract_tests.laws.bench import Bench
from contract_tests.schemas import items, json_type, merged, properties
from mock_server.contract import Json, Operation, Parameter, Schema, declared_as

MARK = "odd-value"  # stands in a request for what cannot be written there otherwise
NAME = "nobody_has_this"
TEXTS = ("%5C", "%25%5F", "%00", "%FF")  # a backslash, wildcards, NUL, and what is no UTF-8
DAYS = ("9999-12-31", "0001-01-01")  # the last and the first that there are
DEEP = b"[" * 300 + b"]" * 300
LONG = b"9" * 40
HALF = b'"\\ud83d"'  # the first of a pair of surrogates


def odd_values_are_answered(bench: Bench) -> None:
    """Wherever an odd value stands, it is answered with a status that the contract declares; 5xx is told by another law."""
    for operation in callable_(bench):
        with bench.trial(operation, "a record"):
            if operation.method == "GET":
                _in_queries(bench, operation, ids_for(bench, operation))
                _in_paths(bench, operation, ids_for(bench, operation))
            elif operation.action in ("create", "update"):
                _in_bodies(bench, operation, ids_for(bench, operation))


def _in_queries(bench: Bench, operation: Operation, ids: Ids) -> None:
    """In all texts and all days of a query at once: they are bound one by one, so one hides no other."""
    asked = [one for one in operation.parameters if one.where == "query" and _is_text(one)]
    days = [one for one in asked if _form(one) in ("date", "date-time")]
    texts = [one for one in asked if _form(one) is None]
    for place, text in enumerate(TEXTS if texts else DAYS if days else ()):
        day = DAYS[place] if place < len(DAYS) else None
        query: dict[str, Json] = {one.name: MARK for one in texts}
        query |= {one.name: _dated(bench, one, day) for one in days if day}
        request = bench.caller.request(operation, ids, query=query)
        told = [text] if texts else []
        told += [day] if days and day else []
        _sent(bench, operation, f"{' and '.join(told)} in the query", replace(request, target=request.target.replace(MARK, text)))


def _is_text(parameter: Parameter) -> bool:
    schema = _single(parameter)
    return json_type(schema) == "string" and not {"enum", "pattern"} & set(schema)


def _single(parameter: Parameter) -> Schema:
    schema = merged(parameter.schema)
    return merged(items(schema)) if json_type(schema) == "array" else schema


def _form(parameter: Parameter) -> str | None:
    found: str | None = _single(parameter).get("format")
    return found


def _dated(bench: Bench, parameter: Parameter, day: str) -> str:
    if _form(parameter) == "date":
        return day
    return f"{day}T23:59:59{'Z' if bench.contract.times.zoned else ''}"


def _in_paths(bench: Bench, operation: Operation, ids: Ids) -> None:
    parameter = next((one for one in reversed(operation.parameters) if one.where == "path" and one.identifies), None)
    if parameter is not None:
        request = bench.caller.request(operation, {**ids, str(parameter.identifies): MARK}, query={})
        for text in TEXTS[2:]:
            odd = replace(request, target=request.target.replace(MARK, f"a{text}b"))
            _sent(bench, operation, f"{text} in the path", odd, bench.caller.status_of("invalid_parameter"))


def _in_bodies(bench: Bench, operation: Operation, ids: Ids) -> None:
    plain = bench.caller.body(operation, ids, {})
    for what, more, value in _odd_parts(operation):
        body = {**plain, **more}
        request = bench.caller.request(operation, ids, query={}, body=body)
        sent = (request.body or b"").replace(json.dumps(MARK).encode(), value)
        _sent(bench, operation, f"{what} in the body", replace(request, body=sent), remembered=(ids, body))


def _odd_parts(operation: Operation) -> Iterator[tuple[str, dict[str, Json], bytes]]:
    """What, the properties that hold a mark for it, and its bytes."""
    known = {name: merged(part) for name, part in properties(operation.body or {}).items() if not merged(part).get("readOnly")}
    numbers = [name for name, part in known.items() if json_type(part) in ("integer", "number") and name != operation.target]
    yield "300 levels", {NAME: MARK}, DEEP
    yield "a number of 40 digits", {NAME: MARK, **dict.fromkeys(numbers[:1], MARK)}, LONG
    texts = [name for name, part in known.items() if json_type(part) == "string" and not {"format", "enum"} & set(part)]
    if texts and operation.action == "update":  # Whatever takes it shows it in answers that hardly anybody reads.
        yield "half a surrogate pair", {texts[0]: MARK}, HALF
    free = next((name for name, part in known.items() if _is_free_mapping(part)), None)
    if free is not None:
        yield "a property without a name", {free: {"": MARK}}, json.dumps(MARK).encode()


def _is_free_mapping(schema: Schema) -> bool:
    more = schema.get("additionalProperties")
    return json_type(schema) == "object" and not properties(schema) and isinstance(more, Mapping) and json_type(more) == "string"


def _sent(
    bench: Bench,
    operation: Operation,
    subject: str,
    request: Request,
    also: int | None = None,
    remembered: tuple[Ids, Json] | None = None,
) -> None:
    """`also` is a status that is right although the operation does not declare it."""
    with bench.trial(operation, subject) as trial:
        exchange = bench.caller.send(request, operation.operation_id)
        if remembered:
            bench.caller.remember(operation, *remembered, exchange)
        codes = {str(code) for code in bench.caller.definition(operation)["responses"]}
        status = exchange.answer.status
        right = status == also or declared_as(status, codes) is not None
        trial.hold(right, f"one of {', '.join(sorted(codes))}", str(status), exchange)
