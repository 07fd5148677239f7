"""A fault's effects on an answer: another one instead, a spoiled body, a delay."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import NormalDist

import orjson

from mock_server import breaks
from mock_server.bridge import media
from mock_server.bridge.application import headers
from mock_server.clock import MICROSECONDS
from mock_server.contract import Contract, Json, Operation
from mock_server.delivery import Answer, Manner
from mock_server.documented import Documented
from mock_server.faults import HANDLING, INSTEAD, Fault
from mock_server.refusals import STATUSES, RateLimited
from mock_server.reply import Reply, refused
from mock_server.worlds import World

LONGEST = 300.0  # seconds that an answer is late at most
ANYHOW = frozenset({*INSTEAD, *HANDLING, "delay", "timeout", "reset"})  # effects that need no body
MALFORMED = b"}{"  # what ends a body that is no JSON
_NORMAL = NormalDist()
_EDGE = 1e-9  # The inverse of a distribution knows neither 0 nor 1.


def answered(reply: Reply) -> Answer:
    """A reply as it goes out."""
    return Answer(reply.status, headers(reply), reply.body or b"")


def instead(fault: Fault, documented: Documented, operation: Operation, world: World) -> Answer | None:
    """The answer that is given without asking the API; None if it is to be asked."""
    told, form = fault.told, documented.contract.refusals
    limited = told.get("error") == form.statuses.get(RateLimited.reason, STATUSES[RateLimited.reason])
    if limited and "retry_after" in told and "example" not in told:
        answer = answered(refused(documented.contract, _limited(told["retry_after"], documented.contract, world)))
    elif "error" in told:
        answer = answered(documented.reply(operation, told["error"], example=told.get("example"), seed=world.seed))
    elif "status" in told:
        answer = answered(Reply(told["status"], _body(told)))
    else:
        return None
    return answer.having(b"retry-after", b"%d" % told["retry_after"]) if "retry_after" in told else answer


def _limited(wait: int, contract: Contract, world: World) -> RateLimited:
    """A limit that is used up for so many seconds of the world's clock."""
    rule = contract.rate_limit
    values = {"limit": rule.limit, "remaining": 0, "reset": world.clock.now() // MICROSECONDS + wait} if rule else {}
    return RateLimited(
        wait, tuple((rule.headers[what], str(value)) for what, value in values.items() if what in rule.headers) if rule else ()
    )


def _body(told: Mapping[str, Json]) -> bytes | None:
    """The body of an undeclared status: JSON, or the text itself where another media type is claimed."""
    if "body" not in told:
        return None
    body = told["body"]
    plain = isinstance(body, str) and not media.is_json(told.get("content_type", "application/json").encode("latin-1"))
    return body.encode() if plain else orjson.dumps(body)


def spoiled(fault: Fault, contract: Contract, operation: Operation, answer: Answer) -> Answer | None:
    """The answer with its body or its type spoiled; None if there is nothing that the fault could spoil."""
    told = fault.told
    if not answer.body and not ANYHOW & told.keys():
        return None
    if "break" in told:
        wanted = told["break"]
        reply = breaks.broken(contract, operation, Reply(answer.status, answer.body), wanted["pointer"], wanted["way"])
        if reply is None:
            return None
        answer = answer.holding(reply.body or b"")
    elif "truncate" in told and answer.body:
        answer = answer.holding(answer.body[: math.floor(len(answer.body) * told["truncate"])])
    elif told.get("malformed"):
        answer = answer.holding(answer.body[:-1] + MALFORMED) if answer.body else answer
    return answer.having(b"content-type", told["content_type"].encode("latin-1")) if "content_type" in told else answer


def manner(fault: Fault, seed: int) -> Manner:
    """How the answer goes out."""
    told = fault.told
    return Manner(
        wait=delay(told["delay"], fault.chance(seed, "delay")) if "delay" in told else 0,
        slow=told.get("slow", {}).get("seconds", 0),
        timeout=told.get("timeout", {}).get("seconds", 0),
        reset=told.get("reset", ""),
    )


def delay(told: Mapping[str, float], drawn: float) -> float:
    """The seconds that a distribution has at a place between 0 and 1: fixed, uniform, normal or log-normal."""
    drawn = min(max(drawn, _EDGE), 1 - _EDGE)
    kind = next(name for name in DISTRIBUTIONS if name in told)
    return min(max(DISTRIBUTIONS[kind](told, drawn), 0.0), LONGEST)


DISTRIBUTIONS: Mapping[str, Callable[[Mapping[str, float], float], float]] = {  # by the property that tells it
    "seconds": lambda told, _drawn: told["seconds"],
    "max": lambda told, drawn: told.get("min", 0) + (told["max"] - told.get("min", 0)) * drawn,
    "mean": lambda told, drawn: told["mean"] + told.get("deviation", 0) * _NORMAL.inv_cdf(drawn),
    "median": lambda told, drawn: told["median"] * math.exp(told.get("sigma", 0) * _NORMAL.inv_cdf(drawn)),
}
