"""Everything that is wrong with a document as a contract; that nothing is, is kept on disk for the next start."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mock_server import disk, documents, form, openapi_rules, outline, schemas, semantics_rules, validity
from mock_server.documents import Document, Mistake

JUDGES = (disk, documents, form, openapi_rules, outline, schemas, semantics_rules, validity)
PACKAGES = (*validity.PACKAGES, "jsonschema-rs")


def mistakes(document: Document, name: str) -> list[Mistake]:
    """What the rules find in the document of the API of this name, unless these very rules are known to find nothing."""
    verdict = {"text": document.digest, "name": name, "rules": _rules(), "by": {each: disk.version(each) for each in PACKAGES}}
    kept = disk.folder() / f"contract-{disk.digest(document.text, name.encode())}.json"
    if disk.read(kept) == verdict:
        return []
    found = openapi_rules.version(document)  # Another version has other rules.
    if not found:
        found = [*openapi_rules.mistakes(document), *semantics_rules.mistakes(document, name)]
    if not found:
        disk.write(kept, verdict)
    return found


@cache
def _rules() -> str:
    """What stands for the rules as they are written."""
    files = [Path(str(judge.__file__)) for judge in JUDGES]
    return disk.digest(*(file.read_bytes() for file in (semantics_rules.vocabulary(), *files)))
