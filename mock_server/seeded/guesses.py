"""A recipe for a property of which only the schema and the name are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from mock_server.contract import Json, Schema
from mock_server.schemas import items, json_type, merged, properties, required
from mock_server.seeded import american, finnish, patterns
from mock_server.seeded.chance import digits, mix, salt
from mock_server.seeded.kitchen import Constant, Kitchen, Recipe
from mock_server.seeded.rows import Row

DEPTH = 6  # Schemas may contain themselves: below, only what is required is made.
_PEOPLE = ("contact", "person", "people", "user", "employee", "technician", "member", "driver", "patient", "student")
_DAY_ONE = date(2024, 1, 1)


def recipe(kitchen: Kitchen) -> Recipe:
    """What the property's schema and name suggest."""
    schema = merged(kitchen.schema)
    resource = kitchen.table.resource
    top = len(kitchen.path) == 3
    if top and resource.initial.get(kitchen.name) is not None:
        initial = resource.initial[kitchen.name]
        return lambda row, key: initial
    if top and any(unique.property == kitchen.name for unique in resource.unique):
        return _unique(kitchen, schema)
    made = _filled(kitchen, schema)
    if schema.get("nullable") and not top:
        return made
    if schema.get("nullable"):
        return lambda row, key: None if key % 5 == 0 else made(row, mix(key))
    return made


def _filled(kitchen: Kitchen, schema: Schema) -> Recipe:
    if members := [member for member in schema.get("enum") or () if member is not None]:
        return lambda row, key: members[key % len(members)]
    for keyword in ("oneOf", "anyOf"):
        if schema.get(keyword):
            return _filled(kitchen, merged(schema[keyword][0]))
    return _KINDS[json_type(schema)](kitchen, schema)


def _unique(kitchen: Kitchen, schema: Schema) -> Recipe:
    if json_type(schema) == "integer":
        least = schema.get("minimum", 1)
        return lambda row, key: least + row.number
    if json_type(schema) != "string" or "pattern" in schema or "enum" in schema:
        kitchen.mistakes.append((kitchen.path, "is unique, and its schema allows no guess: it needs a recipe"))
    ending = "@mail.example" if schema.get("format") == "email" or "mail" in kitchen.name.lower() else ""

    def make(row: Row, key: int) -> Json:
        block = f"-{row.mark}" if row.mark else ""
        return f"{row.table.name.replace('_', '-')}-{row.coordinate}{block}{ending}"

    return make


def _string(kitchen: Kitchen, schema: Schema) -> Recipe:
    if "pattern" in schema and schema.get("format") not in _FORMATS:
        return _fitting(kitchen, schema)
    made = _text(kitchen, schema)
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema or not (least or most):
        return made
    return lambda row, key: str(made(row, key)).ljust(least, "x")[:most]


def _text(kitchen: Kitchen, schema: Schema) -> Recipe:
    if made := _FORMATS.get(str(schema.get("format"))):
        return made
    name = str(kitchen.path[-1]).lower() if kitchen.path else kitchen.name.lower()
    if name.endswith("name") and name[:-4].strip("_") in ("", "full", "display", "company", "legal"):
        return _person if any(word in kitchen.table.name for word in _PEOPLE) else _named(kitchen.table.resource.title)
    for ending, likely in _NAMES.items():
        if re.search(ending, name):
            return likely
    if isinstance(example := schema.get("example"), str):
        return lambda row, key: example
    return _word("last_name")


def _fitting(kitchen: Kitchen, schema: Schema) -> Recipe:
    try:
        return patterns.fitting(schema)
    except patterns.Unreadable as unreadable:
        message = f"needs a recipe: {unreadable} allows no guess, and the example does not fit or is missing"
        kitchen.mistakes.append((kitchen.path, message))
        return Constant(None)


def _word(pool: str) -> Recipe:
    def draw(row: Row, key: int) -> Json:
        words = row.table.baseline.words.pool(pool)
        return words[key % len(words)]

    return draw


def _person(row: Row, key: int) -> Json:
    return f"{_word('first_name')(row, key)} {_word('last_name')(row, mix(key))}"


def _named(title: str) -> Recipe:
    return lambda row, key: f"{_word('last_name')(row, key)} {title}"


def _email(row: Row, key: int) -> Json:
    return f"mail{digits(key, 6)}@mail.example"


def _local(us: Recipe, fi: Recipe) -> Recipe:
    return lambda row, key: (fi if row.table.baseline.words.locale == "fi_FI" else us)(row, key)


def _part(name: str) -> Recipe:
    """A part of an address. All parts of one object come from different draws; a recipe in data.yaml does better."""
    whole = _local(american.place, finnish.place)
    return lambda row, key: whole(row, key).get(name, "")


def _date(row: Row, key: int) -> Json:
    return (_DAY_ONE + timedelta(days=key % 700)).isoformat()


def _date_time(row: Row, key: int) -> Json:
    return f"{_date(row, key)}T{8 + (key >> 20) % 9:02}:{(key >> 30) % 60:02}:{(key >> 40) % 60:02}Z"


def _uuid(row: Row, key: int) -> Json:
    whole = f"{key:016x}{mix(key):016x}"
    return f"{whole[:8]}-{whole[8:12]}-4{whole[13:16]}-8{whole[17:20]}-{whole[20:]}"


_FORMATS: Mapping[str, Recipe] = {
    "date": _date,
    "date-time": _date_time,
    "email": _email,
    "uri": lambda row, key: f"https://www.site{digits(key, 6)}.example/",
    "hostname": lambda row, key: f"site{digits(key, 6)}.example",
    "uuid": _uuid,
    "ipv4": lambda row, key: f"192.0.2.{key % 256}",
    "ipv6": lambda row, key: f"2001:db8::{key % 65536:x}",
    "byte": lambda row, key: "bW9jaw==",
    "time": lambda row, key: f"{key % 24:02}:{(key >> 8) % 60:02}:00Z",
}
_NAMES: Mapping[str, Recipe] = {  # end of the property's name -> what is likely meant
    r"e_?mail$": _email,
    r"(phone|fax|mobile|gsm)$": _local(american.phone, finnish.phone),
    r"first_?name$": _word("first_name"),
    r"(last_?name|surname)$": _word("last_name"),
    r"(contact|person|user|owner)_?name$": _person,
    r"city$": _part("city"),
    r"(street|address)\d?$": _part("street"),
    r"state$": _part("state"),
    r"(zip|postal|post)_?code$": _part("postal_code"),
    r"(title|role|job)$": _word("job"),
    r"(web_?site|url|www|link)$": lambda row, key: f"https://www.site{digits(key, 6)}.example",
    r"(note|notes|description|comment|text|summary)$": _word("sentence"),
}


def _integer(kitchen: Kitchen, schema: Schema) -> Recipe:
    least, most = _bounds(schema, 1)
    step = schema.get("multipleOf", 1)
    first, last = -(-least // step), most // step
    return lambda row, key: int(first + key % max(last - first + 1, 1)) * step


def _number(kitchen: Kitchen, schema: Schema) -> Recipe:
    least, most = _bounds(schema, 0)
    steps = max(int((most - least) * 100), 1)
    return lambda row, key: min(round(least + key % (steps + 1) / 100, 2), most)


def _bounds(schema: Schema, gap: int) -> tuple[Json, Json]:
    """From where to where, no further than a thousand."""
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None or least < -1_000_000:
        least = 1 if most is None or most >= 1 else most - 1000
    elif schema.get("exclusiveMinimum") is True:
        least += gap or 0.01
    if most is None or most > least + 1000:
        return least, least + 1000
    return least, most - (gap or 0.01) if schema.get("exclusiveMaximum") is True else most


def _boolean(kitchen: Kitchen, schema: Schema) -> Recipe:
    return lambda row, key: bool(key & 1)


def _array(kitchen: Kitchen, schema: Schema) -> Recipe:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
    if len(kitchen.path) > DEPTH:
        most = least
    most = min(most, least + 3)
    if not most:
        return lambda row, key: []
    element = _inner(kitchen, "*", items(schema))
    return lambda row, key: [element(row, mix(key ^ place)) for place in range(least + key % (most - least + 1))]


def _object(kitchen: Kitchen, schema: Schema) -> Recipe:
    needed = required(schema)
    deep = len(kitchen.path) > DEPTH
    parts = [
        (name, salt(name), _inner(kitchen, name, part))
        for name, part in properties(schema).items()
        if not part.get("writeOnly") and (not deep or name in needed)
    ]
    return lambda row, key: {name: made(row, mix(key ^ number)) for name, number, made in parts}


def _inner(kitchen: Kitchen, step: str, schema: Schema) -> Recipe:
    if len(kitchen.path) > 4 * DEPTH:  # It requires itself for ever: there is no such value.
        return lambda row, key: None
    return recipe(kitchen.below(step, schema))


_KINDS: Mapping[str, Callable[[Kitchen, Schema], Recipe]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
}
