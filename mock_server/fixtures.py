"""The fixtures folder -> credentials and data recipes of each API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mock_server import credentials, documents, seeded
from mock_server.contract import BrokenContract, Contract
from mock_server.credentials import Credentials
from mock_server.documents import Document, Mistake
from mock_server.seeded import DataFile

CREDENTIALS, DATA = "credentials.yaml", "data.yaml"


def _document(folder: Path, contract: Contract, name: str) -> Document | None:
    path = folder / contract.name / name
    return documents.load(path) if path.is_file() else None


def load(folder: Path, contracts: Mapping[str, Contract], *, lenient: bool) -> tuple[dict[str, Credentials], dict[str, DataFile]]:
    """What the fixtures say of each API; one without a file has no known credential, and its data follow the schemas.

    Raises BrokenContract with every mistake in any of the files.
    """
    known: dict[str, Credentials] = {}
    data: dict[str, DataFile] = {}
    mistakes: list[Mistake] = []
    for name, contract in contracts.items():
        try:
            document = _document(folder, contract, CREDENTIALS)
            known[name] = (
                credentials.read(contract, document, lenient=lenient) if document else Credentials(contract, (), lenient)
            )
        except BrokenContract as broken:
            mistakes += broken.mistakes
        try:
            data[name] = seeded.read(contract, _document(folder, contract, DATA))
        except BrokenContract as broken:
            mistakes += broken.mistakes
    if mistakes:
        raise BrokenContract(mistakes)
    return known, data
