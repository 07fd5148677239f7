"""What a document must be, whatever it says: OpenAPI 3.0, with named operations, that runs, reads and fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import jsonschema_rs

from mock_server import outline, schemas, validity
from mock_server.documents import Document, Mistake, Node, Steps, meant, walk
from mock_server.schemas import Json

VERSION = re.compile(r"3\.0\.[0-9]+")
# Connexion would call functions or make requests for these.
CODE = re.compile(r"x-.*Func|x-tokenInfoUrl|x-(openapi|swagger)-router-controller")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # what the name of a header field may be (RFC 9110)
DATA = frozenset({"example", "default", "enum", "value"})  # What stands below is no schema; nor is it below x-….
NAMED = frozenset({"properties", "schemas", "parameters", "responses", "headers", "examples", "requestBodies", "links", "paths"})


def version(document: Document) -> list[Mistake]:
    """Why a document is none of OpenAPI 3.0."""
    root = document.root
    stated = (root / "openapi").value
    if not isinstance(document.value, dict):
        return [root.mistake("must be a mapping: an OpenAPI document")]
    if "swagger" in root.mapping:
        return [(root / "swagger").mistake("is Swagger 2.0; only OpenAPI 3.0 is read")]
    if stated is None:
        return [root.mistake("lacks openapi, the version (3.0.3)")]
    if not isinstance(stated, str) or not VERSION.fullmatch(stated):
        return [(root / "openapi").mistake(f"is {str(stated)[:20]}; only OpenAPI 3.0 is read, as in openapi: 3.0.3")]
    return []


def mistakes(document: Document) -> list[Mistake]:
    """Everything that is wrong with a document of OpenAPI 3.0, its semantics aside."""
    references = list(_references(document))
    found = [mistake for rule in RULES for mistake in rule(document)]
    return [*references, *found, *([] if references else validity.mistakes(document))]


def _references(document: Document) -> Iterator[Mistake]:
    for path, node in walk(document):
        if "$ref" not in node or path[-1:] == ("properties",):
            continue
        message = _reference(node["$ref"], node, document)
        if message:
            yield document.mistake((*path, "$ref"), message)
        for name in node:
            if name != "$ref":
                yield document.mistake((*path, name), "stands beside a $ref, where nothing is read")


def _reference(reference: Json, node: Mapping[str, Json], document: Document) -> str | None:
    """Why a $ref cannot be followed."""
    path = schemas.pointed(reference) if isinstance(reference, str) else None
    if path is None:
        return f"must be a place in this document (#/…), not {str(reference)[:80]}"
    if schemas.followed(node, document.value) is not None:
        return None
    around = schemas.at(document.value, path[:-1])
    hint = meant(path[-1], around) if isinstance(around, dict) else ""
    return f"names nothing: {str(reference)[:80]}{hint}"


def _code(document: Document) -> Iterator[Mistake]:
    for path, node in walk(document):
        for name in node:
            if name.startswith("x-") and CODE.fullmatch(name):
                yield document.mistake((*path, name), "would run code or make requests; a contract cannot")


def _operation_ids(document: Document) -> Iterator[Mistake]:
    first: dict[str, Node] = {}
    for operation in outline.operations_of(document.root):
        name = (operation / "operationId").value
        if not isinstance(name, str) or not name:
            yield operation.mistake("lacks an operationId")
        elif name in first:
            yield (operation / "operationId").mistake(f"{name} is the operationId of line {first[name].place.line} too")
        else:
            first[name] = operation


def _path_shapes(document: Document) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for path in (document.root / "paths").mapping:
        shape = re.sub(r"\{[^{}/]*\}", "{}", path)
        if shape in first:
            yield document.mistake(("paths", path), f"cannot be told from {first[shape]}")
        first.setdefault(shape, path)


def _security_schemes(document: Document) -> Iterator[Mistake]:
    for scheme in (document.root / "components" / "securitySchemes").parts():
        kind = (scheme / "type").value
        if kind == "http" and str((scheme / "scheme").value).lower() != "bearer":
            yield scheme.mistake(f"uses HTTP {(scheme / 'scheme').value}; of HTTP only bearer is supported")
        elif kind not in ("http", "oauth2", "apiKey"):
            yield scheme.mistake(f"is of type {kind}; supported are http (bearer), oauth2 and apiKey")
        elif kind == "apiKey" and (scheme / "in").value == "header" and not TOKEN.fullmatch((scheme / "name").text or ""):
            yield (scheme / "name").mistake("is no name of a header field: letters, digits and dashes, without spaces")


def _security(document: Document) -> Iterator[Mistake]:
    schemes = document.root / "components" / "securitySchemes"
    for node in (document.root, *outline.operations_of(document.root)):
        for alternative in (node / "security").elements():
            for name, scopes in alternative.items():
                yield from _scheme_needed(schemes, name, scopes)


def _scheme_needed(schemes: Node, name: str, scopes: Node) -> Iterator[Mistake]:
    if name not in schemes.mapping:
        yield scopes.mistake(f"is no security scheme{meant(name, schemes.mapping)}")
        return
    known = {scope for flow in (schemes / name / "flows").parts() for scope in (flow / "scopes").mapping}
    if (schemes / name / "type").value == "oauth2":
        for scope in scopes.elements():
            if scope.text is not None and scope.text not in known:
                yield scope.mistake(f"{scope.text} is no scope of {name}{meant(scope.text, known)}")


def _patterns(document: Document) -> Iterator[Mistake]:
    found = {(*path, "pattern"): node["pattern"] for path, node in walk(document) if "pattern" in node and not _is_data(path)}
    broken = {pattern: _regex(pattern) for pattern in set(filter(lambda pattern: isinstance(pattern, str), found.values()))}
    for path, pattern in found.items():
        if isinstance(pattern, str) and (problem := broken[pattern]):
            yield document.mistake(path, problem)


def _regex(pattern: str) -> str | None:
    """Why the pattern cannot be used: both Python and the validators of requests and answers must read it."""
    try:
        re.compile(pattern)
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {str(error).splitlines()[0]}"
    return None


def _is_data(path: Steps) -> bool:
    """Whether the path leads into example values and the like, or is the map of names in which `pattern` is one."""
    steps = zip(("", *path), map(str, path), strict=False)
    below = any((step in DATA or step.startswith("x-")) and before not in NAMED for before, step in steps)
    return below or path[-1:] == ("properties",)


RULES: tuple[Callable[[Document], Iterator[Mistake]], ...] = (
    _code,
    _operation_ids,
    _path_shapes,
    _security_schemes,
    _security,
    _patterns,
)
