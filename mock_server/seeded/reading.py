"""data.yaml, read and checked whole: the recipes are put together once to see whether they can be."""

from __future__ import annotations

from mock_server import documents
from mock_server.contract import Contract
from mock_server.documents import BrokenContract, Document, Mistake, Steps
from mock_server.schemas import pointed
from mock_server.seeded import makers
from mock_server.seeded.datafile import DataFile, Reader
from mock_server.seeded.tables import Baseline


def read(contract: Contract, document: Document | None) -> DataFile:
    """What a document says about a contract's data; without one, nothing, and the schemas must say enough.

    Raises BrokenContract with all mistakes.
    """
    mistakes: list[Mistake] = []
    data = DataFile()
    if document is not None:
        reader = Reader(document.root, contract)
        data = reader.read()
        mistakes += reader.mistakes
    for table in Baseline(contract, data, 0, 0).tables.values():
        for path, message in makers.mistakes(table):
            mistakes.append(document.mistake(path, message) if document else _of_schema(contract, path, message))
    if mistakes:
        raise BrokenContract(mistakes)
    return data


def _of_schema(contract: Contract, path: Steps, message: str) -> Mistake:
    """A mistake about a property that only the contract describes."""
    _, resource, name, *below = path
    document = documents.read(contract.text, documents.shown(contract.file))
    schema = document.root / "x-semantics" / "resources" / str(resource) / "schema"
    place = (*(pointed(schema.text or "") or ()), "properties", name)
    return document.mistake(place, f"{'/'.join(map(str, [name, *below]))} of {resource} {message} in a data.yaml")
