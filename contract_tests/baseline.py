"""A JSON report of an earlier run -> what was found and proved then, so that a later run fails only on what is new."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contract_tests.findings import Finding, Key, Result
from mock_server.contract import Json

MEMBERS = ("law", "api", "operation", "subject")


class Unreadable(ValueError):
    """A file that is no JSON report of contract-tests."""


@dataclass(frozen=True)
class Baseline:
    """What an earlier run found and proved."""

    found: frozenset[Key]
    proved: frozenset[Key]

    def knows(self, finding: Finding) -> bool:
        """Whether the earlier run had this finding."""
        return finding.key in self.found

    def fallen(self, result: Result) -> tuple[Key, ...]:
        """What was proved and no longer is, of what was tried; a finding about it says so itself."""
        now = {proof.key for proof in result.proofs} | {finding.key for finding in result.findings}
        return tuple(sorted(key for key in self.proved - now if (key[1], key[0]) in result.tried))


def read(path: Path) -> Baseline:
    """The baseline in a JSON report. Raises Unreadable."""
    try:
        report = json.loads(path.read_bytes())
        return Baseline(frozenset(_keys(report, "findings")), frozenset(_keys(report, "proofs")))
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):  # json.JSONDecodeError and UnicodeDecodeError are such.
        raise Unreadable(f"{path} is not JSON") from None
    except (KeyError, TypeError, AttributeError):
        raise Unreadable(f"{path} is no JSON report of contract-tests: write one with --report json=FILE") from None


def _keys(report: Json, member: str) -> Iterable[Key]:
    for one in report[member]:
        law, api, operation, subject = (str(one[name]) for name in MEMBERS)
        yield law, api, operation, subject
