"""A validator's errors -> violations in words that a caller can act on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import jsonschema_rs
import orjson

from mock_server.bridge.schemas import LOCAL_TIME, Compiled
from mock_server.contract import Json
from mock_server.refusals import Violation
from mock_server.schemas import at

MOST = 1000  # violations listed for one request: a megabyte of mistakes is not answered with a hundred
LONGEST = 40  # characters of a value that are quoted
LARGE = 10_000  # parts of a value; of one that has more only the first mistake is told: finding all would take seconds
OPTIONS = 30  # members of an enumeration that are listed

TYPES = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
FORMATS = {
    "date": "a date like 2024-01-31",
    "date-time": "a date and time like 2024-01-31T12:00:00Z",
    LOCAL_TIME: "a date and time like 2024-01-31T12:00:00",
    "time": "a time like 12:00:00Z",
    "duration": "a duration like P1DT12H",
    "email": "an e-mail address like jane@example.com",
    "uri": "an address like https://example.com/page",
    "hostname": "a host name like www.example.com",
    "ipv4": "an IPv4 address like 192.0.2.1",
    "ipv6": "an IPv6 address like 2001:db8::1",
    "uuid": "a UUID like 123e4567-e89b-12d3-a456-426614174000",
    "regex": "a regular expression",
}


def pointer(path: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def quoted(text: str) -> str:
    """A text as a message shows it: in quotes, shortened."""
    return f"'{text}'" if len(text) <= LONGEST else f"'{text[: LONGEST - 1]}…'"


def found(compiled: Compiled, value: Json, where: str, prefix: str = "") -> list[Violation]:
    """Every violation of a value, each once; `prefix` is where the value stands."""
    if _parts(value, LARGE) >= LARGE:
        return _first(compiled, value, where, prefix)
    every: list[Told] = []
    for error in compiled.iter_errors(value):
        every += _told(compiled, error, where, prefix)
        if len(every) >= MOST:
            break
    return [every[0][1]] if len(every) == 1 else _telling(every[:MOST])


def keywords(compiled: Compiled, value: Json) -> set[tuple[str, str]]:
    """Each keyword that a value breaks, and the pointer to what breaks it."""
    told = (told for error in compiled.iter_errors(value) for told in _told(compiled, error, "", ""))
    return {(keyword, violation.pointer) for keyword, violation in told}


def _parts(value: Json, enough: int) -> int:
    """How many values stand in a value, at all levels, counted until it is enough."""
    waiting, count = [value], 0
    while waiting and count < enough:
        part = waiting.pop()
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        count += len(inner)
        waiting += [one for one in inner if one.__class__ is dict or one.__class__ is list]
    return count


def _first(compiled: Compiled, value: Json, where: str, prefix: str) -> list[Violation]:
    """The first violation of a value that has too many parts to look for all of them."""
    more = Violation(where, prefix, f"has {LARGE} values or more, and so not every mistake in it is told")
    if compiled.has_alternatives:  # One error would carry those of every part.
        return [Violation(where, prefix, "does not fit its schema"), more]
    try:
        compiled.validate(value)
    except jsonschema_rs.ValidationError as error:
        return [*_telling(_told(compiled, error, where, prefix)[:MOST]), more]
    return []


Told = tuple[str, Violation]  # a keyword and what it has against a value

HIDES: Mapping[str, frozenset[str]] = {  # keyword -> those that add nothing to it
    "enum": frozenset({"type", "format", "pattern", "minLength", "maxLength", "minimum", "maximum"}),
    "format": frozenset({"pattern", "minLength"}),
}


def _telling(every: list[Told]) -> list[Violation]:
    """The violations, each once, without those that another one of the same place says already."""
    keywords: dict[str, set[str]] = {}
    for keyword, violation in every:
        keywords.setdefault(violation.pointer, set()).add(keyword)
    hidden = {place: frozenset().union(*(HIDES.get(keyword, ()) for keyword in there)) for place, there in keywords.items()}
    return list(dict.fromkeys(violation for keyword, violation in every if keyword not in hidden[violation.pointer]))


def kind(value: Json) -> str:
    """What a value is, in words."""
    if isinstance(value, float):
        return "a decimal number"
    if isinstance(value, int) and not isinstance(value, bool):
        return "a number"
    return TYPES[{str: "string", bool: "boolean", list: "array", dict: "object", type(None): "null"}[type(value)]]


def _told(compiled: Compiled, error: jsonschema_rs.ValidationError, where: str, prefix: str) -> list[Told]:
    """The violations that one error stands for."""
    kind = error.kind
    name, facts, place = kind.name, kind.as_dict(), prefix + pointer(error.instance_path)
    if name == "required":
        return [(name, Violation(where, place + pointer([facts["property"]]), "is required"))]
    if name == "additionalProperties":
        return [(name, Violation(where, place + pointer([extra]), "is not known here")) for extra in facts["unexpected"]]
    if "context" in facts and (nearest := _nearest(error, facts["context"])) is not None:
        return [told for inner in nearest for told in _told(compiled, inner, where, prefix)]
    if name == "pattern":
        facts = at(compiled.schema, tuple(error.schema_path[:-1])) or {}
    return [(name, Violation(where, place, SENTENCES.get(name, _unfit)(facts, error.instance)))]


Alternatives = list[list[jsonschema_rs.ValidationError]]


def _nearest(error: jsonschema_rs.ValidationError, alternatives: Alternatives) -> list[jsonschema_rs.ValidationError] | None:
    """Of the alternatives that a value fits none of, the only one that it may have been meant for."""
    if not all(alternatives):  # It fits several.
        return None
    kinds = [
        [inner.kind.as_dict().get("types") for inner in errors if inner.instance_path == error.instance_path]
        for errors in alternatives
    ]
    of_right_type = [errors for errors, types in zip(alternatives, kinds, strict=True) if not any(types)]
    not_null = [errors for errors, types in zip(alternatives, kinds, strict=True) if ["null"] not in types]
    return next((found[0] for found in (of_right_type, not_null) if len(found) == 1), None)


def _alternatives(facts: Mapping[str, Json], _value: Json) -> str:
    if all(facts["context"]):
        return f"must fit one of {len(facts['context'])} forms and fits none"
    return "must fit exactly one of several forms and fits more"


def _unfit(_facts: Mapping[str, Json], _value: Json) -> str:
    return "does not fit its schema"


def _of_type(facts: Mapping[str, Json], value: Json) -> str:
    names = sorted(facts["types"], key=list(TYPES).index)
    return f"must be {' or '.join(TYPES[name] for name in names)}, not {kind(value)}"


def _one_of(facts: Mapping[str, Json], _value: Json) -> str:
    options = facts["options"]
    shown = [_option(option) for option in options[:OPTIONS]] + ["…"] * (len(options) > OPTIONS)
    return f"must be {'one of ' if len(options) > 1 else ''}{', '.join(shown)}"


def _option(value: Json) -> str:
    text = value if isinstance(value, str) and value else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _of_format(facts: Mapping[str, Json], value: Json) -> str:
    wanted = FORMATS.get(facts["format"], f"of the format {facts['format']}")
    return f"must be {wanted}, not {quoted(str(value))}"


def _of_form(schema: Mapping[str, Json], _value: Json) -> str:
    """What a value that breaks a pattern should look like; the pattern itself helps nobody."""
    if isinstance(schema.get("example"), str):
        return f"must look like {schema['example']}"
    meaning = schema.get("title") or re.split(r"\.\s", str(schema.get("description", "")), maxsplit=1)[0]
    return f"has a wrong form: {' '.join(meaning.split()).rstrip('.')}" if meaning else "has a wrong form"


def _counted(relation: str, one: str, many: str) -> Callable[[Mapping[str, Json], Json], str]:
    def sentence(facts: Mapping[str, Json], _value: Json) -> str:
        return f"must have {relation} {facts['limit']} {one if facts['limit'] == 1 else many}"

    return sentence


def _bound(sign: str) -> Callable[[Mapping[str, Json], Json], str]:
    return lambda facts, _value: f"must be {sign} {facts['limit']}"


Sentence = Callable[[Mapping[str, Json], Json], str]
SENTENCES: Mapping[str, Sentence] = {  # keyword -> the facts of the error and the value -> what would be right
    "type": _of_type,
    "enum": _one_of,
    "format": _of_format,
    "minimum": _bound(">="),
    "maximum": _bound("<="),
    "exclusiveMinimum": _bound(">"),
    "exclusiveMaximum": _bound("<"),
    "multipleOf": lambda facts, _value: f"must be a multiple of {facts['multiple_of']}",
    "minLength": _counted("at least", "character", "characters"),
    "maxLength": _counted("at most", "character", "characters"),
    "minItems": _counted("at least", "item", "items"),
    "maxItems": _counted("at most", "item", "items"),
    "minProperties": _counted("at least", "property", "properties"),
    "maxProperties": _counted("at most", "property", "properties"),
    "uniqueItems": lambda _facts, _value: "must not list a value twice",
    "pattern": _of_form,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "not": lambda _facts, _value: "must not be there, or not in this form",
    "falseSchema": lambda _facts, _value: "must not be there",
}
