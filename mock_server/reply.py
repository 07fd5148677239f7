"""Reply: status, header fields and ready bytes; and a refusal's reply in the API's own shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from mock_server.contract import Contract
from mock_server.envelopes import Envelope, array
from mock_server.refusals import STATUSES, Refusal, Violation
from mock_server.state import Write

JSON = b"application/json"
_WORD = re.compile(r"\{(\w+)\}")
_json = orjson.dumps
Headers = tuple[tuple[bytes, bytes], ...]


PARTS = {  # reason -> what of the request a refusal without violations is about: the part, and where in it; the others: the path
    "malformed": ("body", ""),
    "login_failed": ("body", ""),
    "too_large": ("body", ""),
    "unsupported_media_type": ("header", "/Content-Type"),
    "not_acceptable": ("header", "/Accept"),
    "unauthenticated": ("header", ""),
    "forbidden": ("header", ""),
    "guarded": ("state", ""),
    "conflict": ("state", ""),
    "rate_limited": ("state", ""),
    "internal": ("state", ""),
}


@dataclass(slots=True)
class Reply:
    """What goes out. `body` is None where the answer has none (204). Treat as frozen, as a Call."""

    status: int
    body: bytes | None
    headers: Headers = ()  # beside Content-Type and Content-Length
    read: tuple[str, Sequence[int]] | None = None  # the resource and the numbers of the records that were looked at
    written: Sequence[Write] = ()


def blamed(refusal: Refusal, message: str) -> tuple[Violation, ...]:
    """What a refusal has against a request; where it lists nothing, the message against the part that it is about."""
    return refusal.violations or (Violation(*PARTS.get(refusal.reason, ("path", "")), message),)


def refused(contract: Contract, refusal: Refusal, *, resource: str = "", method: str = "") -> Reply:
    """The reply that turns a request down as this API does."""
    form, reason = contract.refusals, refusal.reason
    status = form.statuses.get(reason, STATUSES[reason])
    own = str(refusal)
    message = form.messages.get(reason)
    if message is None:
        message = own
    else:
        words = {
            "message": own,
            "violations": "; ".join(map(str, refusal.violations)) or own,
            "resource": getattr(refusal, "title", resource),
            "method": method,
        }
        message = _WORD.sub(lambda match: words.get(match[1], match[0]), message)
    told = {"$status": _json(status), "$code": _json(form.codes.get(reason, reason)), "$message": _json(message)}
    if "$violations" in form.envelope.tokens:
        told["$violations"] = array([_listed(form.listed, violation) for violation in blamed(refusal, message)])
    headers = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in refusal.headers.items())
    return Reply(status, form.envelope.sealed(told), headers)


def _listed(template: Envelope, violation: Violation) -> bytes:
    values = {"$in": _json(violation.where), "$pointer": _json(violation.pointer), "$message": _json(violation.message)}
    return template.sealed(values)
