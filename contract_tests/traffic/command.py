"""`contract-tests traffic FILE.har`: judge recorded exchanges."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from contract_tests.masking import Masking
from contract_tests.outcome import HELD, NOTHING_PROVED, VIOLATED
from contract_tests.settings import Parser, WrongUsage, address
from contract_tests.traffic import recorded, telling, usage
from contract_tests.traffic.judging import Judge
from contract_tests.traffic.telling import Heard
from mock_server import contract, documents, har
from mock_server.contract import BrokenContract, Contract, UnknownContract
from mock_server.settings import quoted, shipped


def run(arguments: Sequence[str], stream: TextIO) -> int:
    """Judge the archive that is named, and write what was heard; answer the exit status. Raises WrongUsage."""
    given = _parser().parse_args(arguments)
    contracts = _contracts(Path(given.openapi) if given.openapi else shipped("openapi"))
    complaints: list[str] = []
    addresses = _addresses(given.url or (), contracts, complaints)
    entries = _entries(Path(given.file), complaints)
    if complaints:
        raise WrongUsage(*complaints)
    heard = hear(given.file, entries, contracts, addresses)
    stream.write(json.dumps(telling.value(heard), indent=2) + "\n" if given.json else telling.text(heard))
    if not heard.recording.judged:
        return NOTHING_PROVED
    return VIOLATED if heard.fails(strict=given.strict) else HELD


def hear(file: str, entries: Sequence[har.Entry], contracts: Mapping[str, Contract], addresses: Mapping[str, str]) -> Heard:
    """What an archive says."""
    recording = recorded.read(entries, contracts, addresses)
    heard = Heard(file, recording)
    masking = Masking(contracts, {})
    for api, one in contracts.items():
        of_api = [exchange for exchange in recording.judged if exchange.api == api]
        if not of_api:
            continue
        judge = Judge(one, of_api)
        met = [(found.operation, exchange.exchange) for exchange in of_api if (found := judge.hear(exchange)) is not None]
        heard.usage[api] = usage.of(one, met)
        heard.judged += judge.judged.values()
        heard.without_credentials += () if judge.tells_credentials or not one.security_schemes else (api,)
    for judged in heard.judged:
        judged.finding = masking.finding(judged.finding)
    heard.judged = telling.ordered(heard.judged)
    return heard


def _parser() -> Parser:
    made = Parser(
        prog="contract-tests traffic",
        allow_abbrev=False,
        description="Hold recorded exchanges against the contracts: who breaks them, and what of them is really used.",
        epilog="Exit status: 0 all kept, 1 violations, 2 wrong usage, 3 nothing in the file is of an API with a contract.",
    )
    made.add_argument("file", metavar="FILE.har", help="an HTTP Archive, as browsers, proxies and the mock server save it")
    made.add_argument("--json", action="store_true", help="write JSON")
    made.add_argument("--strict", action="store_true", help="fail on what breaks inferred rules as well")
    made.add_argument("--url", action="append", metavar="API=URL", help="an address of an API that its contract does not name")
    made.add_argument("--openapi", metavar="FOLDER", help="folder with one folder an API, an openapi.yaml in each")
    return made


def _contracts(folder: Path) -> Mapping[str, Contract]:
    try:
        return contract.load_all(folder)
    except (BrokenContract, UnknownContract) as broken:
        raise WrongUsage(*str(broken).splitlines()) from None


def _entries(path: Path, complaints: list[str]) -> Sequence[har.Entry]:
    try:
        return har.read(path.read_bytes())
    except OSError as error:
        complaints.append(f"{path} cannot be read: {error.strerror}")
    except har.BrokenHar as broken:
        complaints += (f"{path}: {line}" for line in str(broken).splitlines())
    return ()


def _addresses(texts: Sequence[str], contracts: Mapping[str, Contract], complaints: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        api, sign, base = text.partition("=")
        if not sign or api not in contracts:
            known = documents.meant(api, contracts)
            complaints.append(f"--url must be like {next(iter(contracts))}=https://…, not {quoted(text)}{known}")
            continue
        try:
            found[api] = address(base)
        except WrongUsage as wrong:
            complaints.append(f"--url {wrong}")
    return found
