"""What `x-semantics` must be: of the form of openapi/semantics.schema.json, and in agreement with the rest of its document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from mock_server import outline, schemas
from mock_server.documents import Document, Mistake, Node, Steps, meant, walk
from mock_server.form import Form
from mock_server.outline import CONTROL
from mock_server.schemas import Json, Schema, json_type, properties

TOKENS = {  # action -> what an envelope can give; $parent.PROPERTY wherever the path names a parent
    "list": ("$records", "$total", "$count", "$page", "$pages", "$offset", "$limit", "$more"),
    "get": ("$record", "$id"),
    "create": ("$record", "$id"),
    "update": ("$record", "$id"),
    "delete": ("$id",),
    "login": ("$session",),
    "renew": ("$session",),
    "alive": ("$session",),
    "control": (),
}
BODY_TOKENS = ("$status", "$code", "$message", "$violations")
VIOLATION_TOKENS = ("$in", "$pointer", "$message")
WORDS = ("message", "violations", "resource", "method")  # in the messages of refusals
TIMES = ("after", "from", "before", "to")
SWITCHES = ("flag", "present")
ELEMENT = "*"  # in the path of a filter


def mistakes(document: Document, name: str) -> list[Mistake]:
    """Everything that is wrong with the semantics of a document, for the API of this name."""
    subject = Subject(document, name)
    if not subject.semantics:
        return [document.mistake((), "lacks x-semantics, which says what the operations do to which records"), *_forms(subject)]
    return [mistake for rule in RULES for mistake in rule(subject)]


@lru_cache(maxsize=1)
def semantics_schema() -> Mapping[str, Json]:
    """The vocabulary, as it travels with the package."""
    found: Mapping[str, Json] = json.loads(vocabulary().read_bytes())
    return found


def vocabulary() -> Path:
    """The file that it stands in."""
    here = Path(__file__).parent
    places = (here / "openapi", here.parent / "openapi")  # in a wheel; in a clone
    return next(place / "semantics.schema.json" for place in places if (place / "semantics.schema.json").exists())


@lru_cache(maxsize=8)
def _form(part: str) -> Form:
    whole = semantics_schema()
    return Form.of({"$schema": whole["$schema"], "$ref": f"#/$defs/{part}", "$defs": whole["$defs"]})


class Subject:
    """A document and what its rules ask of it again and again."""

    def __init__(self, document: Document, name: str) -> None:
        self.document = document
        self.name = name
        self.root = document.root
        self.semantics = document.root / "x-semantics"
        self.envelopes = self.semantics / "envelopes"
        self.resources = dict((self.semantics / "resources").items())
        self.operations = list(outline.operations_of(document.root))
        self._stored: dict[str, Mapping[str, Schema]] = {}

    def stored(self, resource: str) -> Mapping[str, Schema]:
        """What records of the resource store; nothing if there is no such resource."""
        if resource not in self._stored:
            self._stored[resource] = outline.stored(resource, self.root) if resource in self.resources else {}
        return self._stored[resource]

    def parent(self, resource: str) -> str | None:
        node = self.resources.get(resource)
        return (node / "parent" / "resource").text if node else None

    def lineage(self, resource: str) -> list[str]:
        """The resource, its parent, its parent's parent …"""
        found: list[str] = []
        following: str | None = resource
        while following is not None and following not in found:
            found.append(following)
            following = self.parent(following)
        return found

    @cached_property
    def seen(self) -> Mapping[str, set[str]]:
        """Resource -> the properties that some view or body of it has."""
        found = {name: set(properties(outline.schema_of(node))) for name, node in self.resources.items()}
        for operation in self.operations:
            resource = (operation / "x-semantics" / "resource").text
            if resource in found:
                template = (self.envelopes / str((operation / "x-semantics" / "envelope").value)).value
                answer = outline.success_of(operation)[1].resolved
                shapes = (
                    outline.view(template, answer) if isinstance(answer, dict) else None,
                    outline.body_of(operation).resolved,
                )
                found[resource].update(name for shape in shapes if isinstance(shape, dict) for name in properties(shape))
        return found

    def unknown_resource(self, node: Node) -> Iterator[Mistake]:
        if node.text is not None and self.resources and node.text not in self.resources:
            yield node.mistake(f"{node.text} is no resource{meant(node.text, self.resources)}")

    def unknown_property(self, node: Node, name: str | None, resource: str) -> Iterator[Mistake]:
        """The node names a property that records of a known resource do not store."""
        if name is None or resource not in self.resources or name in self.stored(resource):
            return
        source = outline.computed_by(self.resources[resource]).get(name)
        if source:
            yield node.mistake(f"{name} is computed from {source}; only what is stored can stand here")
        else:
            yield node.mistake(f"{resource} has no property {name}{meant(name, self.stored(resource))}")


Rule = Callable[[Subject], Iterable[Mistake]]


# The form


def _forms(subject: Subject) -> Iterator[Mistake]:
    for path, node in walk(subject.document):
        at = Node(subject.document, path, node)
        if "x-semantics" in node:
            kind = _kind(path, node)
            there = Node(subject.document, (*path, "x-semantics"), node["x-semantics"])
            if kind:
                yield from _form(kind).mistakes(there)
            else:
                yield there.mistake("stands where nothing reads it; it belongs to the root, an operation or a parameter")
        if "x-origin" in node and "x-semantics" not in path:  # There the form of x-semantics includes it.
            yield from _form("origin").mistakes(at / "x-origin")


def _kind(path: Steps, node: Mapping[str, Json]) -> str | None:
    """Which part of the vocabulary is for x-semantics of what stands at the path."""
    if not path:
        return "document"
    if len(path) == 3 and path[0] == "paths" and path[2] in outline.METHODS:
        return "operation"
    return "parameter" if "in" in node and "name" in node and "parameters" in path[-2:] else None


# The root


def _addresses(subject: Subject) -> Iterator[Mistake]:
    url = subject.root / "servers" / 0 / "url"
    if url.text is None:
        yield subject.root.mistake(f"lacks servers; the first is the mock, at http://localhost:8080/{subject.name}…")
        return
    path = outline.base_path_of(subject.root)
    first = outline.ROOTS.get(subject.name, subject.name)
    if "{" in url.text or not re.fullmatch(rf"/{re.escape(first)}(/.*)?", path):
        yield url.mistake(f"has the path {path or '/'}; the first server is the mock, whose path starts with /{first}")


def _needed(subject: Subject) -> Iterator[Mistake]:
    """Whatever acts on records needs resources, and envelopes to answer with."""
    if all((operation / "x-semantics" / "action").value == CONTROL for operation in subject.operations):
        return
    for section in ("envelopes", "resources"):
        if section not in subject.semantics.mapping:
            yield subject.semantics.mistake(f"lacks {section}")


def _sessions(subject: Subject) -> Iterator[Mistake]:
    node = subject.semantics / "sessions"
    logins = [
        operation
        for operation in subject.operations
        if (operation / "x-semantics" / "action").value in ("login", "renew", "alive")
    ]
    if not node:
        for operation in logins:
            yield (operation / "x-semantics" / "action").mistake("needs sessions, at the root of the document's x-semantics")
        return
    schemes = subject.root / "components" / "securitySchemes"
    scheme = (node / "scheme").text
    if scheme is not None and (schemes / scheme / "type").value != "apiKey":
        known = [name for name, part in schemes.items() if (part / "type").value == "apiKey"]
        yield (node / "scheme").mistake(f"{scheme} is no security scheme of type apiKey{meant(scheme, known)}")
    for operation in logins:
        if (operation / "x-semantics" / "action").value == "login":
            yield from _credentials(node / "credentials", operation)


def _credentials(node: Node, operation: Node) -> Iterator[Mistake]:
    body = outline.body_of(operation).resolved
    known = properties(body) if isinstance(body, dict) else {}
    for name in node.elements():
        if known and name.text is not None and name.text not in known:
            yield name.mistake(f"{name.text} is not in the body of {(operation / 'operationId').value}{meant(name.text, known)}")


def _refusals(subject: Subject) -> Iterator[Mistake]:
    node = subject.semantics / "refusals"
    yield from _unknown_tokens(node / "body", BODY_TOKENS)
    yield from _unknown_tokens(node / "violation", VIOLATION_TOKENS)
    if "violation" not in node.mapping and "$violations" in (text for _, text in _tokens((), (node / "body").value)):
        yield node.mistake("lacks violation, the form of an element of $violations")
    for message in (node / "messages").parts():
        for word in re.findall(r"\{([^{}]*)\}", message.text or ""):
            if word not in WORDS:
                yield message.mistake(f"has {{{word}}}, which is not filled in{meant(word, WORDS)}")


def _unknown_tokens(node: Node, known: Iterable[str]) -> Iterator[Mistake]:
    for path, token in _tokens((), node.value):
        if token not in known:
            yield node.document.mistake((*node.path, *path), f"{token} is no token here{meant(token, known)}")


def _tokens(path: Steps, template: Json) -> Iterator[tuple[Steps, str]]:
    """The tokens in a template and where they stand."""
    if isinstance(template, str) and template.startswith("$"):
        yield path, template
    parts = template.items() if isinstance(template, dict) else enumerate(template) if isinstance(template, list) else ()
    for step, part in parts:
        yield from _tokens((*path, step), part)


# Resources


def _schemas(subject: Subject) -> Iterator[Mistake]:
    for node in subject.resources.values():
        named = (node / "schema").text
        if named is None or properties(outline.schema_of(node)):
            continue
        known = [f"#/components/schemas/{name}" for name in (subject.root / "components" / "schemas").mapping]
        yield (node / "schema").mistake(f"{named} is no schema with properties{meant(named, known)}")


def _counters(subject: Subject) -> Iterator[Mistake]:
    for resource, node in subject.resources.items():
        for counter in (node / "id", *(node / "numbers").elements()):
            name = (counter / "property").text
            yield from subject.unknown_property(counter / "property", name, resource)
            schema = subject.stored(resource).get(name or "")
            if counter.path[-1] == "id" and (counter / "settable").value:
                yield (counter / "settable").mistake("a client cannot choose an id: records are found by it")
            patterned = "pattern" in counter.mapping
            kinds = ("string",) if patterned else ("integer", "number")
            if schema is not None and json_type(schema) not in kinds:
                advice = "a pattern makes texts" if patterned else "without a pattern the values are integers"
                yield counter.mistake(f"{name} is of type {json_type(schema)}, but {advice}")


def _parents(subject: Subject) -> Iterator[Mistake]:
    for resource, node in subject.resources.items():
        parent = node / "parent"
        yield from subject.unknown_resource(parent / "resource")
        yield from _shows(subject, resource, parent)
        last = subject.lineage(resource)[-1]
        if subject.parent(last) == resource:
            yield (parent / "resource").mistake(f"{resource} would be its own ancestor")


def _children(subject: Subject) -> Iterator[Mistake]:
    for resource, node in subject.resources.items():
        for name, child in (node / "children").items():
            kind = child / "resource"
            yield from subject.unknown_resource(kind)
            if kind.text in subject.resources and subject.parent(kind.text) != resource:
                yield kind.mistake(f"{resource} is not the parent of {kind.text}")
            if name not in subject.seen[resource]:
                yield child.mistake(f"no view of {resource} has {name}{meant(name, subject.seen[resource])}")


def _references(subject: Subject) -> Iterator[Mistake]:
    for resource, node in subject.resources.items():
        for reference in (node / "references").parts():
            other, by = (reference / "resource").text, (reference / "by").text
            yield from subject.unknown_resource(reference / "resource")
            yield from subject.unknown_property(reference / "by", by, other or "")
            if by in subject.stored(other or "") and by not in _unique(subject.resources[other or ""]):
                yield (reference / "by").mistake(f"{by} does not identify a {other}; it must be its id, a number or unique")
            yield from _shows(subject, resource, reference)


def _unique(resource: Node) -> list[str | None]:
    found = (resource / "id", *(resource / "numbers").elements(), *(resource / "unique").elements())
    return [(node / "property").text for node in found]


def _shows(subject: Subject, resource: str, reference: Node) -> Iterator[Mistake]:
    """What is wrong with what views show of the other record."""
    other = (reference / "resource").text or ""
    for name, shown in (reference / "show").items():
        if name not in subject.seen[resource]:
            yield shown.mistake(f"no view of {resource} has {name}{meant(name, subject.seen[resource])}")
        for source in _sources(shown):
            path = outline.source_path(source.text or "")
            yield from subject.unknown_property(source, path[0], other)
            if path[0] in subject.stored(other) and _descend(subject.stored(other)[path[0]], path[1:]) is None:
                yield source.mistake(f"{other} has nothing at {source.text}")


def _sources(shown: Node) -> Iterator[Node]:
    """Every place of the other record that is shown."""
    if shown.text is not None:
        yield shown
    elif isinstance((shown / "join").value, list):
        yield from (node for node in (shown / "join").elements() if node.text is not None)
    else:
        for part in shown.parts():
            yield from _sources(part)


def _descend(schema: Schema, path: Iterable[str]) -> Schema | None:
    """The schema of what is at the path within values of the schema; None if there can be nothing."""
    for step in path:
        if step == ELEMENT or step.isdecimal():
            schema = schemas.items(schema)
        elif step in properties(schema):
            schema = properties(schema)[step]
        else:
            open_map = schema.get("additionalProperties")
            schema = open_map if isinstance(open_map, dict) else {}
        if not schema:
            return None
    return schema


def _named_properties(subject: Subject) -> Iterator[Mistake]:
    """`unique`, `exclusive`, `initial`, `created`, `updated` name stored properties."""
    for resource, node in subject.resources.items():
        listed = [*(node / "unique").elements(), *(node / "exclusive").elements()]
        for part in listed:
            yield from subject.unknown_property(part / "property", (part / "property").text, resource)
        for name, value in _plain(node / "initial"):
            yield from subject.unknown_property(value or node / "initial", name, resource)
        filtered = _filtered(subject, resource)
        for time in (node / "created", node / "updated"):
            if time.text is not None and time.text not in subject.seen[resource] | filtered:
                known = subject.seen[resource] | filtered
                yield time.mistake(f"no view, body or filter of {resource} has {time.text}{meant(time.text, known)}")


def _plain(node: Node) -> Iterator[tuple[str, Node]]:
    return ((name, part) for name, part in node.items() if name != "x-origin")


def _filtered(subject: Subject, resource: str) -> set[str]:
    """The first names in the filters of the resource's lists."""
    lists = (op for op in subject.operations if (op / "x-semantics" / "resource").value == resource)
    filters = (
        name.text
        for op in lists
        for parameter in outline.parameters_of(op)
        for name in (parameter / "x-semantics" / "filters").elements()
    )
    return {name.split("/")[0] for name in filters if name}


def _exclusives(subject: Subject) -> Iterator[Mistake]:
    for resource, node in subject.resources.items():
        for part in (node / "exclusive").elements():
            schema = subject.stored(resource).get((part / "property").text or "")
            if schema is not None and json_type(schema) != "boolean":
                yield (part / "property").mistake(f"{(part / 'property').text} is not a boolean")
            if not node / "parent":
                yield part.mistake(f"is about the records of one parent, but {resource} has none")


def _deletions(subject: Subject) -> Iterator[Mistake]:
    for resource, node in subject.resources.items():
        for cascade in (node / "deletion" / "cascades").elements():
            yield from subject.unknown_resource(cascade)
            if cascade.text in subject.resources and not _holding(subject, cascade.text, resource):
                yield cascade.mistake(f"{cascade.text} neither belongs nor refers to {resource}")
        for guard in (node / "deletion" / "guards").elements():
            yield from _guard(subject, resource, guard)


def _guard(subject: Subject, resource: str, guard: Node) -> Iterator[Mistake]:
    other, held = (guard / "resource").text or "", (guard / "property").text
    yield from subject.unknown_resource(guard / "resource")
    yield from subject.unknown_property(guard / "property", held, other)
    holding = _holding(subject, other, resource)
    if held in subject.stored(other) and held not in holding:
        hint = meant(held or "", holding) if holding else ""
        yield (guard / "property").mistake(f"{held} of {other} does not hold the id of a {resource}{hint}")
    for name, values in (guard / "unless").items():
        yield from subject.unknown_property(values, name, other)
        members = subject.stored(other).get(name, {}).get("enum")
        possible = members if isinstance(members, list) else []
        for value in values.elements() if possible else ():
            if value.value not in possible:
                yield value.mistake(f"{name} is never {value.value}{meant(str(value.value), map(str, possible))}")


def _holding(subject: Subject, other: str, resource: str) -> list[str]:
    """The properties of the other resource that hold an id of this one."""
    node = subject.resources.get(other)
    held = outline.references_of(node) if node else ()
    return [name for name, reference in held if (reference / "resource").value == resource]


# Operations


def _operations(subject: Subject) -> Iterator[Mistake]:
    for operation in subject.operations:
        semantics = operation / "x-semantics"
        if not semantics:
            yield operation.mistake("lacks x-semantics, which says what it does to which records")
            continue
        yield from subject.unknown_resource(semantics / "resource")
        if ((semantics / "action").value == CONTROL) != (subject.name == CONTROL):
            yield (semantics / "action").mistake("control is for the contract of the server itself, which has no other action")
        elif (semantics / "action").text in TOKENS:
            for rule in OPERATION_RULES:
                yield from rule(subject, operation, str((semantics / "action").value))


def _identification(subject: Subject, operation: Node, action: str) -> Iterator[Mistake]:
    semantics = operation / "x-semantics"
    resource = (semantics / "resource").text
    named = _identified(operation)
    target = semantics / "target"
    if resource not in subject.resources:
        return
    if action in ("get", "update", "delete") and resource not in named and not target:
        yield operation.mistake(f"has no path parameter that identifies the {resource} (and no target)")
    if action in ("list", "create") and resource in named:
        yield semantics.mistake(f"cannot {action} what a path parameter identifies already")
    body = outline.body_of(operation).resolved
    known = properties(body) if isinstance(body, dict) else {}
    parent, holder = subject.parent(resource), (subject.resources[resource] / "parent" / "property").value
    above = [name for name in named if name and name != resource]
    if action in ("list", "create") and above and parent not in above:
        yield operation.mistake(f"its path names {', '.join(above)}, but a {resource} belongs to {parent or 'none'}")
    if action == "create" and parent and parent not in named and holder not in known:
        yield operation.mistake(
            f"names no {parent} that the {resource} belongs to, neither in the path nor as {holder} in the body"
        )
    if target.text is not None and target.text not in known:
        yield target.mistake(f"the body has no property {target.text}{meant(target.text, known)}")


def _identified(operation: Node) -> list[str | None]:
    return [(parameter / "x-semantics" / "identifies").text for parameter in outline.parameters_of(operation)]


def _bodies(subject: Subject, operation: Node, action: str) -> Iterator[Mistake]:
    del subject
    if action in ("create", "update", "login") and not outline.body_of(operation):
        yield operation.mistake(f"has no JSON body, which {action} needs")
    elif action in ("create", "update", "login") and (operation / "requestBody" / "required").value is not True:
        yield (operation / "requestBody").mistake(f"must be required: without a body there is nothing to {action}")


def _answers(subject: Subject, operation: Node, action: str) -> Iterator[Mistake]:
    semantics = operation / "x-semantics"
    envelope = semantics / "envelope"
    status, answer = outline.success_of(operation)
    if not status:
        yield operation.mistake("declares no response of success (2xx)")
    elif not envelope and answer and action != CONTROL:
        yield semantics.mistake(f"lacks envelope, the form of the body that {status} has")
    elif envelope and not answer:
        yield envelope.mistake(f"does not apply: {status} has no JSON body")
    elif not subject.envelopes.mapping:
        return  # The form of x-semantics says so.
    elif envelope.text is not None and envelope.text not in subject.envelopes.mapping:
        yield envelope.mistake(f"{envelope.text} is no envelope{meant(envelope.text, subject.envelopes.mapping)}")
    elif envelope.text is not None:
        template = subject.envelopes / envelope.text
        yield from _given(subject, operation, action, template)
        schema = answer.resolved
        for message in _places(template.value, schema if isinstance(schema, dict) else {}, ()):
            yield answer.mistake(f"{message} (envelope {envelope.text})")


def _given(subject: Subject, operation: Node, action: str, template: Node) -> Iterator[Mistake]:
    """An envelope's tokens are those that the action gives."""
    envelope = operation / "x-semantics" / "envelope"
    resource = (operation / "x-semantics" / "resource").text or ""
    tokens = [token for _, token in _tokens((), template.value)]
    for token in tokens:
        if token.startswith("$parent."):
            yield from _parent_token(subject, operation, token.removeprefix("$parent."))
        elif token not in TOKENS[action]:
            yield envelope.mistake(f"{template.path[-1]} has {token}, which {action} does not give{meant(token, TOKENS[action])}")
    needed = {"list": "$records", "get": "$record"}.get(action)
    if needed and needed not in tokens and resource:
        yield envelope.mistake(f"{template.path[-1]} has no place for {needed}")


def _parent_token(subject: Subject, operation: Node, name: str) -> Iterator[Mistake]:
    envelope = operation / "x-semantics" / "envelope"
    resource = (operation / "x-semantics" / "resource").text
    parents = [parent for parent in _identified(operation) if parent and parent != resource]
    if not parents:
        yield envelope.mistake(f"{envelope.text} has $parent.{name}, but the path names no parent")
    elif parents[-1] in subject.resources and name not in subject.stored(parents[-1]):
        yield from subject.unknown_property(envelope, name, parents[-1])


def _places(template: Json, schema: Schema, path: Steps) -> Iterator[str]:
    """Where a schema of success and an envelope disagree."""
    place = "/".join(map(str, path)) or "the body"
    if template == "$record" and json_type(schema) != "object":
        yield f"has no place for the record: {place} is no object"
    elif template == "$records" and json_type(schema) != "array":
        yield f"has no place for the records: {place} is no array"
    elif isinstance(template, dict):
        known = properties(schema)
        if json_type(schema) != "object":
            yield f"has no place for the envelope: {place} is no object"
            return
        for name, part in template.items():
            if name in known:
                yield from _places(part, known[name], (*path, name))
            else:
                yield f"does not have {'/'.join(map(str, (*path, name)))}, which the answer gives{meant(name, known)}"
        for name in schemas.required(schema):
            if name not in template:
                yield f"requires {'/'.join(map(str, (*path, name)))}, which the answer does not give"


# Parameters


def _parameters(subject: Subject, operation: Node, action: str) -> Iterator[Mistake]:
    resource = (operation / "x-semantics" / "resource").text
    for parameter in outline.parameters_of(operation):
        semantics = parameter / "x-semantics"
        if semantics:
            for word, rule in PARAMETER_RULES.items():
                if word in semantics.mapping:
                    yield from rule(subject, parameter, action, resource or "")
        elif (parameter / "in").value in ("query", "path") and action != CONTROL:
            yield parameter.mistake("says nothing about what it does; it needs x-semantics: identifies, paging or filters")


def _identifies(subject: Subject, parameter: Node, action: str, resource: str) -> Iterator[Mistake]:
    del action
    node = parameter / "x-semantics" / "identifies"
    yield from subject.unknown_resource(node)
    if (parameter / "in").value != "path":
        yield node.mistake("is for path parameters only")
    if node.text in subject.resources and resource in subject.resources and node.text not in subject.lineage(resource):
        yield node.mistake(f"{node.text} is neither {resource} nor a parent of it")


def _paging(subject: Subject, parameter: Node, action: str, resource: str) -> Iterator[Mistake]:
    del subject, resource
    node = parameter / "x-semantics" / "paging"
    schema = _schema(parameter)
    if action != "list":
        yield node.mistake(f"is for lists; this parameter is used by an operation whose action is {action}")
    if json_type(schema) != "integer":
        yield node.mistake(f"needs an integer, not type {json_type(schema)}")
    least = {"offset": 0, "number": 1, "size": 1, "limit": 1}.get(str(node.value))
    if least is not None and (not isinstance(schema.get("minimum"), int) or schema["minimum"] < least):
        yield node.mistake(f"needs a minimum of {least} at least in its schema")


def _filters(subject: Subject, parameter: Node, action: str, resource: str) -> Iterator[Mistake]:
    semantics = parameter / "x-semantics"
    if action != "list":
        yield (semantics / "filters").mistake(f"is for lists; this parameter is used by an operation whose action is {action}")
        return
    match = (semantics / "match").text or ""
    yield from _match(semantics / "match", match, _schema(parameter))
    for node in (semantics / "filters").elements():
        if node.text is None or resource not in subject.resources:
            continue
        yield from _filter_path(subject, node, node.text.split("/"), resource, match)


def _schema(parameter: Node) -> Schema:
    found = (parameter / "schema").resolved
    return found if isinstance(found, dict) else {}


def _match(node: Node, match: str, schema: Schema) -> Iterator[Mistake]:
    """The type of a parameter fits how it matches."""
    kind = json_type(schema)
    if match == "in":
        if kind != "array":
            yield node.mistake(f"in needs an array, not type {kind}")
    elif kind in ("array", "object"):
        yield node.mistake(f"{match} needs one value, not type {kind}")
    elif match in TIMES:
        whole = schemas.merged(schema)
        if kind != "string" or not (whole.get("format") in ("date", "date-time") or "pattern" in whole):
            yield node.mistake(f"{match} needs a text of format date or date-time, or with a pattern")
    elif match in SWITCHES and kind not in ("integer", "boolean"):
        yield node.mistake(f"{match} needs an integer, 0 or 1, or a boolean, not type {kind}")


def _filter_path(subject: Subject, node: Node, path: list[str], resource: str, match: str) -> Iterator[Mistake]:
    """The path of a filter leads to something stored, in this record or in its children."""
    first, below = path[0], path[1:]
    child = (subject.resources[resource] / "children" / first / "resource").text
    if child in subject.resources:
        if below[:1] == [ELEMENT] and len(below) > 1:
            yield from _filter_path(subject, node, below[1:], child, match)
        else:
            yield node.mistake(f"{first} lists records; write {first}/*/ and a property of {child}")
        return
    yield from subject.unknown_property(node, first, resource)
    if first not in subject.stored(resource):
        return
    schema = _descend(subject.stored(resource)[first], below)
    if schema is None:
        yield node.mistake(f"{resource} has nothing at {node.text}")
    elif match == "flag" and json_type(schema) != "boolean":
        yield node.mistake(f"{node.text} is of type {json_type(schema)}; flag is for booleans")


PARAMETER_RULES: Mapping[str, Callable[[Subject, Node, str, str], Iterator[Mistake]]] = {
    "identifies": _identifies,
    "paging": _paging,
    "filters": _filters,
}
OPERATION_RULES: tuple[Callable[[Subject, Node, str], Iterator[Mistake]], ...] = (_identification, _bodies, _answers, _parameters)
RULES: tuple[Rule, ...] = (
    _forms,
    _addresses,
    _needed,
    _sessions,
    _refusals,
    _schemas,
    _counters,
    _parents,
    _children,
    _references,
    _named_properties,
    _exclusives,
    _deletions,
    _operations,
)
