"""data.yaml, read and checked whole: the recipes are put together once to see whether they can be."""

from __future__ import annotations

from mock_server.contract import Contract
from mock_server.documents import BrokenContract, Document
from mock_server.seeded import makers
from mock_server.seeded.datafile import DataFile, Reader
from mock_server.seeded.tables import Baseline


def read(contract: Contract, document: Document | None) -> DataFile:
    """What a document says about a contract's data; without one, nothing.

    Raises BrokenContract with all mistakes.
    """
    if document is None:
        return DataFile()
    reader = Reader(document.root, contract)
    data = reader.read()
    if not reader.mistakes:
        for table in Baseline(contract, data, 0, 0).tables.values():
            reader.mistakes += [document.mistake(path, message) for path, message in makers.prepared(table)[1]]
    if reader.mistakes:
        raise BrokenContract(reader.mistakes)
    return data
