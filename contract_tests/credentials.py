"""Environment, a file or the fixtures -> what each API's caller may send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mock_server import credentials, documents, fixtures
from mock_server.contract import BrokenContract, Contract, Json
from mock_server.credentials import Credential

Known = Mapping[str, tuple[Credential, ...]]  # API -> its credentials


API_KEY, READ_KEY = "API_KEY", "READ_KEY"
LOGIN = "environment"  # what the login that the environment holds is called


def variables(contract: Contract) -> dict[str, str]:
    """The environment variables that hold an API's credentials -> what each holds: a property of the login, or a key."""
    sessions = contract.sessions
    held = sessions.credentials if sessions else (API_KEY, *([READ_KEY] if reading(contract) else []))
    prefix = contract.name.upper().replace("-", "_")
    return {f"{prefix}_{name.upper()}": name for name in held}


def named(contract: Contract, environment: Mapping[str, str]) -> tuple[Credential, ...]:
    """The credentials of one API in the environment; an empty variable is none.

    Raises LookupError with the variables that a login lacks.
    """
    held = variables(contract)
    given = {name: environment[name] for name in held if environment.get(name)}
    if contract.sessions is None:
        scopes = {API_KEY: every_scope(contract), READ_KEY: reading(contract)}
        return tuple(Credential(name, secret, {}, scopes[held[name]]) for name, secret in given.items())
    missing = [name for name in held if name not in given]
    if given and missing:
        raise LookupError(f"a login at {contract.name} needs {', '.join(missing)} in the environment as well")
    return (Credential(LOGIN, None, {held[name]: value for name, value in given.items()}),) if given else ()


def stand_ins(contract: Contract, known: Iterable[Credential], *, public: bool) -> dict[str, str]:
    """The mask of each credential -> what stands for it between a shell's single quotes: its variable, or itself if `public`."""
    held = {held: name for name, held in variables(contract).items()}
    found: dict[str, str] = {}
    for credential in known:
        for property, value in (credential.login or {"": credential.secret or ""}).items():
            mask = f"${{{contract.name}.{credential.name}{'.' if property else ''}{property}}}"
            variable = held.get(property, credential.name) if credential.name in (LOGIN, *held.values()) else ""
            if variable or public:
                found[mask] = f"'\"${variable}\"'" if variable else value.replace("'", "'\\''")
    return found


def in_file(path: Path, contracts: Mapping[str, Contract]) -> Known:
    """The credentials in a YAML file: API -> a list like that of fixtures/<api>/credentials.yaml.

    Raises BrokenContract with every mistake in it.
    """
    document = documents.load(path)
    mistakes = []
    found: dict[str, tuple[Credential, ...]] = {}
    if not document.root.mapping:
        mistakes.append(document.root.mistake("it must be a mapping: API -> a list of credentials"))
    for name, part in document.root.items():
        if name not in contracts:
            mistakes.append(part.mistake(f"{name} is no API{documents.meant(name, contracts)}"))
            continue
        try:
            found[name] = credentials.listed(contracts[name], part, lenient=False).known
        except BrokenContract as broken:
            mistakes += broken.mistakes
    if mistakes:
        raise BrokenContract(mistakes)
    return found


def of_the_mock(folder: Path, contracts: Mapping[str, Contract]) -> Known:
    """The credentials that the fixtures name. Raises BrokenContract."""
    known, _ = fixtures.load(folder, contracts, lenient=False)
    return {name: one.known for name, one in known.items()}


def every_scope(contract: Contract) -> frozenset[str]:
    """All scopes that the security schemes know."""
    return frozenset(scope for scheme in contract.security_schemes for scope in credentials.scopes_of(contract, scheme))


def reading(contract: Contract) -> frozenset[str]:
    """The scopes that the operations which change nothing demand."""
    return frozenset(scope for method, scopes in _demanded(contract) for scope in scopes if method in ("get", "head"))


def _demanded(contract: Contract) -> Iterator[tuple[str, Json]]:
    """Each method with the scopes that one of its operations demands."""
    for operation in contract.operations.values():
        method = operation.method.lower()
        definition = contract.document["paths"][operation.path].get(method, {})
        for requirement in definition.get("security", contract.document.get("security", ())):
            for scopes in requirement.values():
                yield method, scopes
