"""Every reason to turn a request down, a class each; the API's own shape is made of them in reply.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

STATUSES = {  # reason -> status, where the contract does not say otherwise
    "malformed": 400,
    "invalid_parameter": 400,
    "invalid_body": 400,
    "unauthenticated": 401,
    "login_failed": 401,
    "forbidden": 403,
    "not_found": 404,
    "no_such_path": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "conflict": 409,
    "dangling": 409,
    "duplicate": 409,
    "guarded": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "internal": 500,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request: in which part, where in it (a JSON pointer), and what would be right."""

    where: str  # query, path, header, cookie, body, state
    pointer: str
    message: str

    def __str__(self) -> str:
        name = self.pointer.lstrip("/")
        return f"{name} {self.message}" if name else self.message


@dataclass(unsafe_hash=True)  # Not frozen: contextlib sets __traceback__ on what passes through it.
class Refusal(Exception):
    """Why a request is turned down."""

    reason: ClassVar[str]
    violations: tuple[Violation, ...] = field(default=(), kw_only=True)

    @property
    def headers(self) -> dict[str, str]:
        """Header fields that the answer carries, whatever the API."""
        return {}

    def __str__(self) -> str:
        return "; ".join(map(str, self.violations))


class Malformed(Refusal):
    """The body cannot be read: not JSON, not UTF-8, missing."""

    reason = "malformed"


class InvalidParameter(Refusal):
    """A parameter breaks the contract; the body's violations, if any, are listed as well."""

    reason = "invalid_parameter"


class InvalidBody(Refusal):
    """The body breaks its schema."""

    reason = "invalid_body"


@dataclass(unsafe_hash=True)
class Unauthenticated(Refusal):
    """No credential, or none that is known."""

    reason = "unauthenticated"
    challenge: str  # the value of WWW-Authenticate
    problem: str

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": self.challenge}

    def __str__(self) -> str:
        return self.problem


@dataclass(unsafe_hash=True)
class LoginFailed(Refusal):
    """The credentials in a login are not the well-known ones."""

    reason = "login_failed"
    problem: str

    def __str__(self) -> str:
        return self.problem


@dataclass(unsafe_hash=True)
class Forbidden(Refusal):
    """The credential lacks a scope."""

    reason = "forbidden"
    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"This credential lacks {', '.join(self.missing)}."


@dataclass(unsafe_hash=True)
class NotFound(Refusal):
    """No record has the id in the path."""

    reason = "not_found"
    title: str
    id: str

    def __str__(self) -> str:
        return f"{self.title} {self.id} does not exist."


@dataclass(unsafe_hash=True)
class NoSuchPath(Refusal):
    """The contract has no such path."""

    reason = "no_such_path"
    path: str

    def __str__(self) -> str:
        return f"There is nothing at {self.path}."


@dataclass(unsafe_hash=True)
class MethodNotAllowed(Refusal):
    """The path has other methods."""

    reason = "method_not_allowed"
    method: str
    allowed: tuple[str, ...]

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed)}

    def __str__(self) -> str:
        return f"{self.method} is not allowed here, only {', '.join(self.allowed)}."


@dataclass(unsafe_hash=True)
class NotAcceptable(Refusal):
    """The client accepts none of the media types that the operation answers with."""

    reason = "not_acceptable"
    offered: tuple[str, ...]

    def __str__(self) -> str:
        return f"This operation answers with {', '.join(self.offered)} only."


@dataclass(unsafe_hash=True)
class Duplicate(Refusal):
    """Another record has a value that must be unique."""

    reason = "duplicate"
    title: str
    property: str
    value: str
    id: str  # of the record that has it

    def __str__(self) -> str:
        return f"{self.title} {self.id} has the {self.property} {self.value} already."


@dataclass(unsafe_hash=True)
class Guarded(Refusal):
    """Records stand in the way of a deletion; each is a violation in `state`."""

    reason = "guarded"
    title: str
    id: str
    advice: str

    def __str__(self) -> str:
        names = ", ".join(violation.pointer.lstrip("/") for violation in self.violations)
        return f"{self.title} {self.id} cannot be deleted because of {names}. {self.advice}".rstrip()


@dataclass(unsafe_hash=True)
class Dangling(Refusal):
    """The body refers to a record that does not exist."""

    reason = "dangling"
    title: str
    id: str

    def __str__(self) -> str:
        return f"{self.title} {self.id} does not exist."


@dataclass(unsafe_hash=True)
class Conflict(Refusal):
    """What is asked for does not go with what stands."""

    reason = "conflict"
    problem: str

    def __str__(self) -> str:
        return self.problem


@dataclass(unsafe_hash=True)
class TooLarge(Refusal):
    """The body has more bytes than the server reads."""

    reason = "too_large"
    limit: int  # bytes

    def __str__(self) -> str:
        return f"The body must not be larger than {self.limit} bytes."


@dataclass(unsafe_hash=True)
class UnsupportedMediaType(Refusal):
    """The body is of a media type that the operation does not take."""

    reason = "unsupported_media_type"
    sent: str
    taken: tuple[str, ...]

    @property
    def headers(self) -> dict[str, str]:
        return {"Accept": ", ".join(self.taken)}

    def __str__(self) -> str:
        return f"The body must be {', '.join(self.taken)}, not {self.sent or 'of an unnamed type'}."


@dataclass(unsafe_hash=True)
class UnsupportedEncoding(Refusal):
    """The body is packed."""

    reason = "unsupported_media_type"
    sent: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Accept-Encoding": "identity"}

    def __str__(self) -> str:
        return f"The body must be sent as it is, not with Content-Encoding {self.sent}."


@dataclass(unsafe_hash=True)
class RateLimited(Refusal):
    """The hour's requests are used up."""

    reason = "rate_limited"
    retry_after: int  # seconds
    fields: tuple[tuple[str, str], ...] = ()  # the API's own header fields about its limit

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after), **dict(self.fields)}

    def __str__(self) -> str:
        return f"Too many requests; wait {self.retry_after} seconds."


class Internal(Refusal):
    """A mistake of ours."""

    reason = "internal"

    def __str__(self) -> str:
        return "The mock server failed on this request; its log says why."
