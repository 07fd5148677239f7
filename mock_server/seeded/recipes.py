"""How the values of a property are made: the recipes that data.yaml names, by their names.

A recipe is written as its name (`us_phone`), as a mapping of its name to what it needs (`{choice: {active: 8, inactive: 1}}`),
as a template (`"info@{_domain}"`), as a list to choose from, or as the value itself if that is a number, true, false or null.
fixtures/README.md explains each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate

from mock_server import schemas
from mock_server.contract import Json, Schema
from mock_server.documents import meant
from mock_server.schemas import items, json_type, properties
from mock_server.seeded import american, finnish, guesses, moments
from mock_server.seeded.amounts import cents, in_cents, product
from mock_server.seeded.chance import digits, drawn, mix, salt
from mock_server.seeded.kitchen import Choice, Constant, Derived, Kitchen, Path, Recipe, Wrong, word_of
from mock_server.seeded.references import reference
from mock_server.seeded.rows import SIBLING, UNKNOWN_BLOCK, NeedsRecord, Row
from mock_server.seeded.texts import CHANGES
from mock_server.seeded.words import POOLS

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.-]*)((?:\|[a-z_]+)*)\}", re.ASCII)


def compiled(kitchen: Kitchen, tree: Json) -> Recipe:
    """The recipe that a piece of data.yaml stands for; what is wrong with it is noted in the kitchen."""
    try:
        return _read(kitchen, tree)
    except Wrong as wrong:
        kitchen.mistakes.append((kitchen.path, str(wrong)))
        return Constant(None)


def _read(kitchen: Kitchen, tree: Json) -> Recipe:
    if isinstance(tree, str) and "{" in tree:
        return _text(kitchen, tree)
    if isinstance(tree, str):
        return _named(kitchen, tree, None)
    if isinstance(tree, list):
        return _choice(kitchen, tree)
    if isinstance(tree, dict):
        if "later" in tree:
            return _later(kitchen, tree)
        if len(tree) != 1:
            raise Wrong("a recipe is one name with what it needs; an object of several properties is {object: …}")
        ((name, needs),) = tree.items()
        return _named(kitchen.below(name), name, needs)
    return Constant(tree)


def _named(kitchen: Kitchen, name: str, needs: Json) -> Recipe:
    if name in SIMPLE:
        return SIMPLE[name]
    if name not in RECIPES:
        raise Wrong(f"there is no recipe {name!r} (a text to stand as it is: {{value: …}}){meant(name, {**RECIPES, **SIMPLE})}")
    return RECIPES[name](kitchen, needs)


def _value(kitchen: Kitchen, needs: Json) -> Recipe:
    return Constant(needs)


def _choice(kitchen: Kitchen, needs: Json) -> Recipe:
    """One of a list, or of a mapping value -> how often."""
    if isinstance(needs, list) and needs:
        members, weights = needs, [1] * len(needs)
    elif (
        isinstance(needs, dict)
        and needs
        and all(isinstance(w, int) and not isinstance(w, bool) and w >= 0 for w in needs.values())
    ):
        members, weights = [_typed(name, kitchen.schema) for name in needs], list(needs.values())
    else:
        raise Wrong("choice needs a list, or a mapping from each value to how often it comes: {active: 8, inactive: 1}")
    if not sum(weights):
        raise Wrong("choice needs a weight above 0")
    if len({*weights}) == 1:
        return Choice(members)
    if sum(weights) <= 1000:
        return Choice([member for member, weight in zip(members, weights, strict=True) for _ in range(weight)])
    bounds = list(accumulate(weights))
    return lambda row, key: members[next(i for i, bound in enumerate(bounds) if key % bounds[-1] < bound)]


def _typed(name: str, schema: Schema) -> Json:
    """A name in a mapping as a value of the property's type: names are always texts."""
    kind = json_type(schema) if schema else "helper"
    words: dict[str, Json] = {"true": True, "false": False, "null": None}
    if kind != "string" and name in words:
        return words[name]
    try:
        return _READS.get(kind, str)(name)
    except ValueError:
        raise Wrong(f"{name!r} is no {kind}") from None


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _likely(text: str) -> Json:
    """What a helper's value, which has no schema, is likely meant to be."""
    try:
        return _number(text)
    except ValueError:
        return text


_READS: dict[str, Callable[[str], Json]] = {"integer": int, "number": _number, "helper": _likely}


def _pick(kitchen: Kitchen, needs: Json) -> Recipe:
    return Choice(kitchen.words(needs))


def _each(kitchen: Kitchen, needs: Json) -> Recipe:
    """The words of a list in turn: for records that belong to another, from the first one for each of these."""
    words = kitchen.words(needs)
    count, grouped = len(words), kitchen.table.above is not None
    return Derived(lambda row: words[(row.index if grouped else row.kind) % count])


def _nth(kitchen: Kitchen, needs: Json) -> Recipe:
    """{of: LIST, place: PROPERTY}: the word at that place, counted from 0, so that words of several lists go together."""
    if not isinstance(needs, dict) or {*needs} != {"of", "place"}:
        raise Wrong("nth needs {of: LIST, place: PROPERTY}")
    words, place = kitchen.words(needs["of"]), kitchen.getter(needs["place"])
    count = len(words)
    return Derived(lambda row: words[place(row) % count])


def _word(kitchen: Kitchen, needs: Json) -> Recipe:
    if not isinstance(needs, str) or needs not in POOLS:
        raise Wrong(f"Faker draws no words {needs!r}{meant(str(needs), POOLS)}")
    words = kitchen.table.baseline.words

    def draw(row: Row, key: int) -> Json:
        pool = words.pool(needs)
        return pool[key % len(pool)]

    return draw


def _text(kitchen: Kitchen, needs: Json) -> Recipe:
    """A text with {other.values} of the record in it, changed on the way by |slug, |upper, …; null if one of them is null."""
    if not isinstance(needs, str):
        raise Wrong("text needs a text")
    literals: list[str] = []
    values: list[tuple[Path, tuple[Callable[[str], str], ...]]] = []
    end = 0
    for match in _PLACEHOLDER.finditer(needs):
        literals.append(needs[end : match.start()])
        names = [name for name in match[2].split("|") if name]
        if missing := [name for name in names if name not in CHANGES]:
            raise Wrong(f"there is no |{missing[0]}{meant(missing[0], CHANGES)}")
        values.append((kitchen.reading(match[1]), tuple(CHANGES[name] for name in names)))
        end = match.end()
    last = needs[end:]
    if "{" in last or any("{" in literal for literal in literals):
        raise Wrong("a brace opens no {name}")
    most = kitchen.schema.get("maxLength")
    pieces = [(literal, kitchen.reader(path), changes) for literal, (path, changes) in zip(literals, values, strict=True)]

    def write(row: Row) -> Json:
        text = ""
        for literal, read, changes in pieces:
            part = read(row)
            if part is None:
                return None
            if part.__class__ is not str:
                part = str(part)
            for change in changes:
                part = change(part)
            text += literal + part
        text += last
        return text[:most] if most else text

    return Derived(write)


def _copy(kitchen: Kitchen, needs: Json) -> Recipe:
    return Derived(kitchen.getter(needs))


def _object(kitchen: Kitchen, needs: Json) -> Recipe:
    if not isinstance(needs, dict):
        raise Wrong("object needs a mapping from properties to recipes")
    shapes = properties(kitchen.schema)
    written = [(name, salt(name), compiled(kitchen.below(name, shapes.get(name, {})), tree)) for name, tree in needs.items()]
    rest = [(name, salt(name), guesses.recipe(kitchen.below(name, shape))) for name, shape in shapes.items() if name not in needs]
    order = {name: place for place, name in enumerate(shapes)}
    parts = [*written, *rest]
    shown = sorted((name for name, _, _ in parts if not name.startswith("_")), key=lambda name: order.get(name, len(order)))
    helped = len(shown) < len(parts) or any("_item" in str(tree) for tree in needs.values())
    blank = dict.fromkeys(shown) | {name: recipe.value for name, _, recipe in parts if isinstance(recipe, Constant)}
    choices = [(name, number, recipe.values) for name, number, recipe in parts if isinstance(recipe, Choice)]
    varying = [part for part in parts if not isinstance(part[2], (Choice, Constant))]

    def make(row: Row, key: int) -> Json:
        made = blank.copy()
        if helped:
            outer, row["_item"] = row.get("_item"), made
        for name, number, values in choices:
            made[name] = values[drawn(key, number) % len(values)]
        for name, number, recipe in varying:
            made[name] = recipe(row, drawn(key, number))
        if helped:
            row["_item"] = outer
            return {name: made[name] for name in shown}
        return made

    return make


def _list(kitchen: Kitchen, needs: Json) -> Recipe:
    """{of: RECIPE, min: 1, max: 3}; within it, `first` is true for the first element."""
    of, least, most = _sized(needs, "list")
    element = compiled(kitchen.below("of", items(kitchen.schema)), of)

    def make(row: Row, key: int) -> Json:
        count, index = least + key % (most - least + 1), row.index
        made = []
        for row.index in range(count):
            made.append(element(row, mix(key ^ row.index + 1)))
        row.index = index
        return made

    return make


def _sized(needs: Json, name: str) -> tuple[Json, int, int]:
    if not isinstance(needs, dict) or "of" not in needs or not {*needs} <= {"of", "min", "max"}:
        raise Wrong(f"{name} needs {{of: RECIPE, min: 1, max: 3}}")
    return needs["of"], *_bounds(needs, name)


def _bounds(needs: Mapping[str, Json], name: str) -> tuple[int, int]:
    least, most = needs.get("min", 0), needs.get("max", 3)
    if not (type(least) is int and type(most) is int and 0 <= least <= most <= 1000):
        raise Wrong(f"{name} needs min and max, integers from 0 to 1000, max not below min")
    return least, most


def _sometimes(kitchen: Kitchen, needs: Json) -> Recipe:
    """{percent: 30, of: RECIPE}: else null, or what `else` says."""
    if (
        not isinstance(needs, dict)
        or not {"percent", "of"} <= {*needs} <= {"percent", "of", "else"}
        or not isinstance(needs["percent"], int)
    ):
        raise Wrong("sometimes needs {percent: 30, of: RECIPE}; besides it takes `else`")
    percent, recipe = needs["percent"], compiled(kitchen.perhaps("of"), needs["of"])
    otherwise = compiled(kitchen.perhaps("else"), needs.get("else"))
    if isinstance(otherwise, Constant):
        nothing = otherwise.value
        if isinstance(recipe, Derived):
            make = recipe.make
            return lambda row, key: make(row) if key % 100 < percent else nothing
        return lambda row, key: recipe(row, mix(key)) if key % 100 < percent else nothing
    return lambda row, key: recipe(row, mix(key)) if key % 100 < percent else otherwise(row, mix(key))


def _when(kitchen: Kitchen, needs: Json) -> Recipe:
    """{PROPERTY: {VALUE: RECIPE, …, else: RECIPE}}: what it is depends on another value of the record."""
    if not (isinstance(needs, dict) and len(needs) == 1 and all(isinstance(cases, dict) for cases in needs.values())):
        raise Wrong("when needs {PROPERTY: {VALUE: RECIPE, else: RECIPE}}")
    ((name, cases),) = needs.items()
    read, inside = kitchen.getter(name), kitchen.perhaps(name)
    recipes = {word_of(value): compiled(inside.below(value), tree) for value, tree in cases.items()}
    otherwise = recipes.get("else", lambda row, key: None)

    def choose(row: Row, key: int) -> Json:
        word = word_of(read(row))
        if row.block == UNKNOWN_BLOCK and str(UNKNOWN_BLOCK) in word:
            raise NeedsRecord
        return recipes.get(word, otherwise)(row, key)

    return choose


def _since(kitchen: Kitchen, needs: Json) -> Recipe:
    """{of: PROPERTY, DAY: RECIPE, …, else: RECIPE}: what has been so since the last of these days that a date has reached."""
    if not isinstance(needs, dict) or not {"of", "else"} < {*needs}:
        raise Wrong('since needs {of: PROPERTY, "2024-09-01": RECIPE, else: RECIPE}')
    days = sorted({*needs} - {"of", "else"}, reverse=True)
    if any(_day(day) is None for day in days):
        raise Wrong('the days of since are written like "2024-09-01"')
    read, otherwise = kitchen.getter(needs["of"]), compiled(kitchen.perhaps("else"), needs["else"])
    recipes = [(day, compiled(kitchen.perhaps(day), needs[day])) for day in days]

    def choose(row: Row, key: int) -> Json:
        date = str(read(row))[:10]
        for day, recipe in recipes:
            if day <= date:
                return recipe(row, key)
        return otherwise(row, key)

    return choose


def _after(kitchen: Kitchen, needs: Json) -> Recipe:
    """{of: PROPERTY, days: [730, 1095]}, or days: PROPERTY: so many days after another date or time of the record."""
    if not isinstance(needs, dict) or {*needs} != {"of", "days"}:
        raise Wrong("after needs {of: PROPERTY, days: [30, 60]}, or the name of a property for the days")
    read, days = kitchen.getter(needs["of"]), needs["days"]
    if isinstance(days, list) and days and all(type(day) is int and abs(day) < 10_000 for day in days):
        count: Recipe = lambda row, key: days[key % len(days)]  # noqa: E731  # One of two ways to get it.
    else:
        get = kitchen.getter(days)
        count = lambda row, key: get(row)  # noqa: E731

    def write(row: Row, key: int) -> Json:
        text, later = read(row), count(row, key)
        day = _day(text[:10]) if isinstance(text, str) else None
        return None if day is None or type(later) is not int else f"{day + timedelta(days=later)}{text[10:]}"

    return write


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _integer(kitchen: Kitchen, needs: Json) -> Recipe:
    least, most, step = _range(needs, "integer")
    return Choice(range(least, most + 1, step))


def _amount(kitchen: Kitchen, needs: Json) -> Recipe:
    """An amount of money or the like, exact to the cent: whole ones are integers."""
    least, most, step = _range(needs, "amount", scale=100)
    return lambda row, key: cents(least + key % ((most - least) // step + 1) * step)


def _range(needs: Json, name: str, scale: int = 1) -> tuple[int, int, int]:
    numbers = {"min": 0, "max": None, "step": 1, **(needs if isinstance(needs, dict) else {})}
    if {*numbers} != {"min", "max", "step"} or not all(
        isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers.values()
    ):
        raise Wrong(f"{name} needs {{min: 1, max: 100, step: 1}}")
    least, most, step = (round(numbers[part] * scale) for part in ("min", "max", "step"))
    if least > most or step < 1:
        raise Wrong(f"{name} needs a max not below its min, and a step above 0")
    return least, most, step


def _times(kitchen: Kitchen, needs: Json) -> Recipe:
    """The product of values of the record, to the cent."""
    if not isinstance(needs, list) or len(needs) != 2:
        raise Wrong("times needs two names of properties")
    one, other = map(kitchen.getter, needs)
    return Derived(lambda row: product(one(row), other(row)))


def _share(kitchen: Kitchen, needs: Json) -> Recipe:
    """{of: PROPERTY, percent: 25.5}, or percent: PROPERTY, to the cent."""
    if not isinstance(needs, dict) or {*needs} != {"of", "percent"}:
        raise Wrong("share needs {of: PROPERTY, percent: 25.5}")
    whole, percent = kitchen.getter(needs["of"]), needs["percent"]
    if isinstance(percent, str):
        rate = kitchen.getter(percent)
    elif isinstance(percent, (int, float)):
        rate = lambda row: percent  # noqa: E731  # One of two ways to get it.
    else:
        raise Wrong("percent is a number, or the name of a property")
    return Derived(lambda row: product(whole(row), rate(row), per=100))


def _total(kitchen: Kitchen, needs: Json) -> Recipe:
    """{plus: [PROPERTY, …], minus: [PROPERTY, …]}, to the cent."""
    if not isinstance(needs, dict) or not {*needs} <= {"plus", "minus"}:
        raise Wrong("total needs {plus: [PROPERTY, …], minus: [PROPERTY, …]}")
    if not all(isinstance(names, list) for names in needs.values()):
        raise Wrong("plus and minus are lists of properties")
    signed = [(sign, kitchen.getter(name)) for part, sign in (("plus", 1), ("minus", -1)) for name in needs.get(part, ())]

    def add(row: Row) -> Json:
        amount = 0
        for sign, read in signed:
            amount += sign * in_cents(read(row))
        return cents(amount)

    return Derived(add)


def _sum(kitchen: Kitchen, needs: Json) -> Recipe:
    """The sum of PROPERTY over a list (`lineItems.subtotal`), or over what belongs to the record (`{invoice_row: total}`)."""
    if isinstance(needs, str):
        *path, name = needs.split(".")
        place = kitchen.getter(".".join(path))
        return Derived(lambda row: cents(sum([in_cents(item[name]) for item in place(row) or ()])))
    if not (isinstance(needs, dict) and len(needs) == 1):
        raise Wrong("sum needs LIST.PROPERTY of the record, or {RESOURCE: PROPERTY} of what belongs to it")
    ((resource, name),) = needs.items()
    other = kitchen.resource(resource)
    if other.above is not kitchen.table:
        raise Wrong(f"no {resource!r} belongs to {kitchen.table.name}")
    part = kitchen.property(other, name)

    def add(row: Row) -> Json:
        amount = 0
        for child in row.offspring(other):
            amount += in_cents(child[part])
        return cents(amount)

    return Derived(add)


def _digits(kitchen: Kitchen, needs: Json) -> Recipe:
    if not isinstance(needs, int) or not 1 <= needs <= 18:
        raise Wrong("digits needs their number, from 1 to 18")
    return lambda row, key: digits(key, needs)


def unset(kitchen: Kitchen, needs: Json) -> Recipe:
    """What the API shows where there is no value."""
    nothing = schemas.unset(kitchen.schema, kitchen.table.baseline.contract.unset)
    if nothing is schemas.MISSING:
        kitchen.mistakes.append((kitchen.path, "can be neither null nor empty, so it needs a recipe"))
        return Constant(None)
    return Constant(nothing)


def _referring(kitchen: Kitchen, needs: Json) -> Recipe:
    other = kitchen.resource(needs).name
    held = kitchen.table.references.get(kitchen.name)
    return reference(kitchen.table, other, held.by if held and held.resource == other else None)


def _company(kitchen: Kitchen, needs: Json) -> Recipe:
    """A name like no other: {words: LIST}, by default "{last} {word}"; another `form` may put {last} and {word} otherwise."""
    if not isinstance(needs, dict) or not {"words"} <= {*needs} <= {"words", "form"}:
        raise Wrong("company needs {words: LIST}; besides it takes `form`")
    trades, form = kitchen.words(needs["words"]), needs.get("form", "{last} {word}")
    if "{last}" not in form or "{word}" not in form:
        raise Wrong("form needs {last} and {word}")
    words, places = kitchen.table.baseline.words, kitchen.table.names(len(trades))

    def name(row: Row) -> Json:
        last, word = places(row.kind)
        return form.replace("{last}", words.pool("last_name")[last]).replace("{word}", trades[word])

    return Derived(name)


def _company_word(kitchen: Kitchen, needs: Json) -> Recipe:
    """The place, counted from 0, of the word of a list that `company` puts into the record's name: for `nth`."""
    places = kitchen.table.names(len(kitchen.words(needs)))
    return Derived(lambda row: places(row.kind)[1])


def _count(kitchen: Kitchen, needs: Json) -> Recipe:
    """How many records of a resource belong to this one."""
    other = kitchen.resource(needs)
    if other.above is not kitchen.table:
        raise Wrong(f"no {needs!r} belongs to {kitchen.table.name}")

    def count(row: Row) -> Json:
        first, stop = other.kinds_of(row.kind)
        return stop - first

    return Derived(count)


def _numbered(kitchen: Kitchen, needs: Json, write: Callable[[int], str]) -> Recipe:
    number = kitchen.getter(needs)
    return Derived(lambda row: write(number(row)))


def _siblings(kitchen: Kitchen, needs: Json) -> Recipe:
    """{of: RESOURCE, only: {PROPERTY: VALUE}, min: 1, max: 4, as: RECIPE}: a list from some that belong to the same record.

    Each is made with {_sibling.name} at hand.
    """
    parts = {"of", "only", "min", "max", "as"}
    if not isinstance(needs, dict) or not {"of", "as"} <= {*needs} <= parts or not isinstance(needs.get("only", {}), dict):
        raise Wrong("siblings needs {of: RESOURCE, as: RECIPE}; besides it takes only: {PROPERTY: VALUE}, min and max")
    other = kitchen.resource(needs["of"])
    if other.above is None or other.above is not kitchen.table.above:
        raise Wrong(f"{other.name} does not belong to what {kitchen.table.name} belongs to")
    wanted = [(kitchen.property(other, name), value) for name, value in needs.get("only", {}).items()]
    least, most = _bounds(needs, "siblings")
    element = compiled(replace(kitchen.below("as", items(kitchen.schema)), beside=other), needs["as"])

    def make(row: Row, key: int) -> Json:
        near = [sibling for sibling in row.parent.offspring(other) if all(sibling[name] == value for name, value in wanted)]
        count, index, outer = min(least + key % (most - least + 1), len(near)), row.index, row.get(SIBLING)
        made = []
        for row.index in range(count):
            row[SIBLING] = near[(key + row.index) % len(near)]
            made.append(element(row, mix(key ^ row.index + 1)))
        row.index, row[SIBLING] = index, outer
        return made

    return make


def _later(kitchen: Kitchen, needs: Json) -> Recipe:
    raise Wrong(
        "later and moment stand at a property itself, or in a `when` there whose times have the same `at`; "
        "later needs a list of days: {later: [1, 7, 30]}, with at: midnight or at: quarter"
    )


RECIPES: dict[str, Callable[[Kitchen, Json], Recipe]] = {
    "value": _value,
    "choice": _choice,
    "pick": _pick,
    "each": _each,
    "nth": _nth,
    "word": _word,
    "text": _text,
    "copy": _copy,
    "object": _object,
    "list": _list,
    "sometimes": _sometimes,
    "when": _when,
    "integer": _integer,
    "amount": _amount,
    "times": _times,
    "share": _share,
    "total": _total,
    "sum": _sum,
    "reference": _referring,
    "company": _company,
    "company_word": _company_word,
    "count": _count,
    "since": _since,
    "after": _after,
    "between": moments.between,
    "siblings": _siblings,
    "fi_reference": lambda kitchen, needs: _numbered(kitchen, needs, finnish.reference),
    "fi_creditor_reference": lambda kitchen, needs: _numbered(kitchen, needs, finnish.creditor_reference),
    "digits": _digits,
    "unset": unset,
    "later": _later,
    "moment": _later,
}
SIMPLE: dict[str, Recipe] = {  # recipes that need nothing
    "null": Constant(None),
    "first": Derived(lambda row: row.index == 0),
    "place": Derived(lambda row: row.index + 1),
    "number": Derived(lambda row: row.number),
    "us_phone": american.phone,
    "us_place": american.place,
    "us_employer_number": american.employer_number,
    "fi_phone": finnish.phone,
    "fi_mobile": finnish.mobile,
    "fi_place": finnish.place,
    "fi_business_id": finnish.business_id,
    "fi_account": finnish.account,
}
