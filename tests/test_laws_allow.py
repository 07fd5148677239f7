"""What a contract leaves open is no violation, however an implementation does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from contract_tests import runner, settings
from contract_tests.defects import application
from contract_tests.exchanges import Answer
from contract_tests.findings import Result
from contract_tests.laws.answered import listed
from contract_tests.targets import InProcess

Message = MutableMapping[str, Any]
Change = Callable[[Mapping[str, Any], int, list[tuple[bytes, bytes]], bytes], tuple[int, list[tuple[bytes, bytes]], bytes]]


class Otherwise:
    """A sound implementation whose answers are changed on their way: scope, status, headers and body -> the same."""

    def __init__(self, api: str, change: Change) -> None:
        self.app, self.change = application(api), change

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        parts: list[Message] = []

        async def keep(part: Message) -> None:
            parts.append(part)

        await self.app(scope, receive, keep)
        start, *rest = parts
        body = b"".join(part.get("body", b"") for part in rest)
        status, headers, body = self.change(scope, start["status"], list(start["headers"]), body)
        headers = [(name, value) for name, value in headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def judged(api: str, change: Change, *laws: str) -> Result:
    chosen = replace(settings.read([api, "--no-schemathesis"], {}), laws=laws)
    app = Otherwise(api, change)
    return runner.run(chosen, targets=lambda contract: InProcess(api, app, contract.base_path))


def with_more(scope: Any, status: int, headers: Any, body: bytes) -> Any:  # noqa: ARG001  # as Change has it
    """Refusals say under which number the request is found in a log."""
    if status < 400 or not body:
        return status, headers, body
    value = orjson.loads(body)
    value.get("error", value)["request_id"] = "f00"
    return status, headers, orjson.dumps(value)


def with_lines(scope: Any, status: int, headers: Any, body: bytes) -> Any:  # noqa: ARG001  # as Change has it
    """Allow has a line for each method."""
    split = [(name, part) for name, value in headers for part in (value.split(b", ") if name == b"allow" else [value])]
    return status, split, body


def without_type(scope: Any, status: int, headers: Any, body: bytes) -> Any:
    """What has no Content-Type is of no type that is known."""
    sent = {name for name, _ in scope["headers"]}
    if scope["method"] in ("POST", "PUT") and b"content-type" not in sent and status in (400, 422):
        told = {"error": {"code": "unsupported_media_type", "message": "Send JSON.", "details": []}}
        return 415, headers, orjson.dumps(told)
    return status, headers, body


@pytest.mark.parametrize("api", ["fentu", "keychain"])
def test_more_in_a_refusal_is_a_question(api: str) -> None:
    """Its schema is open."""
    result = judged(api, with_more, "unknown-ids", "declared-answers")

    assert result.violations == []
    assert {finding.law for finding in result.questions} == {"declared-answers"}


def test_allow_may_have_several_lines() -> None:
    """They are one list."""
    assert judged("fentu", with_lines, "methods").findings == []


def test_a_body_without_a_type_may_be_of_no_known_one() -> None:
    """Where 415 is declared."""
    assert judged("fentu", without_type, "unreadable-bodies").findings == []


def test_the_lines_of_a_list_are_one() -> None:
    """Whatever the case of the header's name; empty members are none."""
    answer = Answer(405, (("Allow", "GET, HEAD"), ("Vary", "Accept"), ("allow", "POST,")))

    assert listed(answer, "allow") == ["GET", "HEAD", "POST"]
