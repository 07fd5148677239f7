"""Connexion's application for documents that are known to be valid."""

from __future__ import annotations

from typing import Any

from connexion import AsyncApp
from connexion.middleware.main import API
from connexion.spec import OpenAPISpecification

from mock_server import schemas
from mock_server.contract import Json


class ValidSpecification(OpenAPISpecification):  # type: ignore[misc]
    """A document whose references are local and resolve, and whose keys are texts.

    Connexion would validate it once more, in pure Python, and copy it three times: half of what a start takes.
    """

    def __init__(self, document: dict[str, Json]) -> None:
        self._raw_spec = dict(document)
        self._set_defaults(self._raw_spec)
        self._spec = schemas.resolved(self._raw_spec, self._raw_spec, {})
        self._base_uri = ""


class ValidApp(AsyncApp):  # type: ignore[misc]
    """Takes a document as it is."""

    def add_api(self, specification: dict[str, Json], **arguments: Any) -> None:
        options = self.middleware.options
        chosen = {name: arguments.pop(name) for name in options.__dict__.keys() & arguments.keys()}
        told = {"base_path": None, "name": None, **options.replace(**chosen).__dict__, **arguments}
        self.middleware.apis.append(API(ValidSpecification(specification), **told))
