"""Whether a document is OpenAPI, as openapi-spec-validator sees it; its verdict on a valid one is kept on disk.

Importing it costs 0.12 s of CPU beside Connexion (0.33 s alone), and each document 0.05 s and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server import disk
from mock_server.documents import Document, Mistake
from mock_server.form import Form

PACKAGES = ("openapi-spec-validator", "openapi-schema-validator", "jsonschema")


def mistakes(document: Document) -> list[Mistake]:
    """What is wrong with a document whose references are known to be local and to resolve."""
    verdict = {"text": document.digest, "valid": True, "by": {package: disk.version(package) for package in PACKAGES}}
    kept = disk.folder() / f"openapi-{document.digest}.json"
    if disk.read(kept) == verdict:
        return []
    found = list(_validated(document))
    if not found:
        disk.write(kept, verdict)
    return found


def _validated(document: Document) -> Iterator[Mistake]:
    from openapi_spec_validator.schemas import schema_v30  # noqa: PLC0415  # Slow to import, and seldom needed.

    broken = False
    for mistake in Form.of(schema_v30).mistakes(document.root):
        broken = True
        yield mistake
    if not broken:  # The rest takes the right form for granted.
        try:
            yield from _beyond_form(document)
        except Exception as error:  # Whatever it stumbles over, the document is not known to be valid.
            yield document.mistake((), f"openapi-spec-validator fails on it: {error!r}")


def _beyond_form(document: Document) -> Iterator[Mistake]:
    """What openapi-spec-validator finds by its keywords, each at the place where it was when it found it."""
    from jsonschema_path import SchemaPath  # noqa: PLC0415
    from openapi_spec_validator import OpenAPIV30SpecValidator  # noqa: PLC0415

    places: dict[int, tuple[Any, ...]] = {}  # id of an error -> the way to what was validated; the innermost is first

    def located(keyword: type[Any]) -> type[Any]:
        def call(self: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
            here = next(argument.parts for argument in arguments if isinstance(argument, SchemaPath))
            for error in keyword.__call__(self, *arguments, **options):
                places.setdefault(id(error), here)
                yield error

        return type(keyword.__name__, (keyword,), {"__call__": call})

    found = {name: located(keyword) for name, keyword in OpenAPIV30SpecValidator.keyword_validators.items()}

    class Located(OpenAPIV30SpecValidator):
        keyword_validators = found

    validator = Located(document.value)
    for error in list(validator.root_validator(validator.schema_path)):  # A list, so that no two have one id.
        node = document.root
        for step in (*places[id(error)], *error.path):
            node = node / step
        yield node.mistake(error.message)
