"""A request for an API -> its answer: forced, spoiled or delayed where somebody asked for that, and noted in the journal."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect

from mock_server import arming, delivery, prefer, spoiling
from mock_server.bridge import Bridge, bodies
from mock_server.bridge.routing import Route
from mock_server.bridge.scope import CALL, IDENTITY, METHOD, READING, REFUSAL, REPLY, ROUTE, WORLD
from mock_server.bridge.security import NAME, reader
from mock_server.call import Call
from mock_server.contract import Contract, Json
from mock_server.delivery import PLAIN, Answer, Manner, Receive, Scope, Send
from mock_server.documented import Documented, Undeclared
from mock_server.faults import Asked, Fault
from mock_server.journal import Exchange
from mock_server.prefer import Preference, WrongPreference
from mock_server.refusals import Internal, InvalidParameter, Refusal, Violation
from mock_server.reply import Reply, blamed, refused
from mock_server.schemas import MISSING
from mock_server.situations import Start
from mock_server.spoiling import answered
from mock_server.worlds import World, Worlds, hidden

ID = b"x-mock-request"
APPLIED = b"preference-applied"
PREFER = b"prefer"
VARY = (b"vary", b"Accept-Encoding")  # of what could be packed, to a client that does not take it packed: caches have to know
WORTH_PACKING = 1024  # bytes

logger = logging.getLogger("mock_server")


@dataclass(slots=True)
class Received:
    """A request's body as it comes in: kept, and given again."""

    receive: Receive
    parts: list[bytes] = field(default_factory=list)
    complete: bool = False

    async def __call__(self) -> Any:
        message = await self.receive()
        if message["type"] == "http.request":
            self.parts.append(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        return message

    async def whole(self, limit: int) -> bytes:
        """The body, read to its end or beyond the limit (bytes).

        Raises ClientDisconnect.
        """
        while not self.complete and sum(map(len, self.parts)) <= limit:
            if (await self())["type"] != "http.request":
                raise ClientDisconnect
        return self.body

    def again(self) -> Receive:
        """The same request for one more reader: what has come in already, then the rest."""
        waiting = [{"type": "http.request", "body": self.body, "more_body": not self.complete}] if self.parts else []

        async def receive() -> Any:
            return waiting.pop() if waiting else await self()

        return receive

    @property
    def body(self) -> bytes:
        """What has come in."""
        return b"".join(self.parts)


@dataclass(slots=True)
class Ordered:
    """One request on its way, and what somebody ordered to be done to it."""

    contract: Contract
    world: World
    scope: Scope
    received: Received
    query: bytes  # as it was sent
    preference: str = ""
    fault: str = ""
    manner: Manner = PLAIN


class Exchanges:
    """What stands between the front and the bridge."""

    def __init__(  # everything that an exchange meets
        self,
        bridge: Bridge,
        documented: Mapping[str, Documented],
        every: Worlds,
        start: Start,
        max_body: int,
        kept: int,
    ) -> None:
        self._bridge = bridge
        self._every = every
        self._start = start
        self._max_body = max_body  # bytes
        self._kept = kept  # exchanges; 0: there is no journal
        self._documented = documented  # by API

    async def __call__(  # ASGI's own three, and what the front knows
        self, scope: Scope, receive: Receive, send: Send, contract: Contract, *, prefers: bool, varies: bool
    ) -> None:
        """Answer a request for an API. With a refusal in the scope, it is turned down.

        It may have a Prefer header (`prefers`), and its answer may have been packed for another client (`varies`).
        """
        started = time.perf_counter()
        received = Received(receive)
        manner = PLAIN
        try:
            world = self._every.get(scope[WORLD])
            self._every.store.refresh(world)
            order = Ordered(contract, world, scope, received, scope["query_string"])
            if prefers or world.armed.faults or b"__" in order.query:
                answer = await self._ordered(order)
            else:
                answer = await self._asked(contract, scope, received)
            if world.armed.limits:
                answer = _told_limits(world, contract, scope, answer)
            if self._kept:
                self._note(order, answer, time.perf_counter() - started)
            if varies and len(answer.body) >= WORTH_PACKING:
                answer.headers.append(VARY)
            manner = order.manner
        except ClientDisconnect:
            return
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            answer = answered(refused(contract, Internal()))
        await delivery.delivered(answer, manner, scope, received, send)

    async def _asked(self, contract: Contract, scope: Scope, receive: Receive) -> Answer:
        """What the API answers.

        Raises ClientDisconnect.
        """
        lost: Refusal | None = scope.get(REFUSAL)
        if lost is not None:
            return answered(refused(contract, lost, method=scope["method"]))
        reply = await self._bridge.reply(scope, receive)
        return await self._through(scope, receive) if reply is None else answered(reply)

    async def _through(self, scope: Scope, receive: Receive) -> Answer:
        """What Connexion's own stack answers.

        Raises ClientDisconnect.
        """
        start: Any = None
        body = b""

        async def send(message: Any) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self._bridge.app(scope, receive, send)
        if start is None:
            raise ClientDisconnect
        return Answer(start["status"], list(start["headers"]), body)

    async def _plain(self, order: Ordered) -> Answer:
        """What the API answers to a request whose body may have been looked at already."""
        return await self._asked(order.contract, order.scope, order.received.again())

    # What somebody ordered

    async def _ordered(self, order: Ordered) -> Answer:
        """The answer with the preferences of the request and the faults of the world."""
        try:
            wanted = self._preferred(order.scope)
        except WrongPreference as wrong:
            return self._refused(order, wrong.violations)
        values: list[Json] = []
        route = self._route(order.scope, values)
        if route is None:  # No operation declares anything for it.
            return await self._plain(order)
        if wanted is not None:
            order.preference = wanted.applied
            order.manner = Manner(wait=wanted.wait)
        if wanted is not None and wanted.forced:
            return self._forced(order, route, wanted)
        path = dict(zip(route.names, values, strict=True))
        fault = await self._acting(order, route, path) if order.world.armed.faults else None
        answer = await (self._faulty(order, route, fault) if fault is not None else self._plain(order))
        return answer.having(APPLIED, order.preference.encode("latin-1")) if order.preference else answer

    @staticmethod
    def _preferred(scope: Scope) -> Preference | None:
        """What the request asks for; its query loses that.

        Raises WrongPreference.
        """
        header = b", ".join(value for name, value in scope["headers"] if name == PREFER)
        wanted, scope["query_string"] = prefer.preferred(header.decode("latin-1"), scope["query_string"])
        return wanted

    def _route(self, scope: Scope, values: list[Json]) -> Route | None:
        try:
            return None if REFUSAL in scope else self._bridge.routes.route(scope, values)
        except Refusal:
            return None

    def _forced(self, order: Ordered, route: Route, wanted: Preference) -> Answer:
        """What the contract shows, whatever was sent and whatever the state is."""
        order.scope[ROUTE] = route
        documented = self._documented[order.contract.name]
        try:
            reply = documented.reply(
                route.operation, wanted.code, example=wanted.example, dynamic=wanted.dynamic is True, seed=order.world.seed
            )
        except Undeclared as undeclared:
            order.preference, order.manner = "", PLAIN
            return self._refused(
                order,
                (Violation("query" if b"__" in order.query else "header", "", f"{undeclared} For another status, arm a fault."),),
            )
        return answered(reply).having(APPLIED, order.preference.encode("latin-1"))

    def _refused(self, order: Ordered, violations: tuple[Violation, ...]) -> Answer:
        refusal = order.scope[REFUSAL] = InvalidParameter(violations=violations)
        return answered(refused(order.contract, refusal, method=order.scope["method"]))

    async def _acting(self, order: Ordered, route: Route, path: Mapping[str, Json]) -> Fault | None:
        """The fault that acts on a request, if any."""
        world = order.world
        wanted = {part for fault in world.armed.faults.values() for part in fault.told.get("when", ())}
        asked = Asked(
            route.operation,
            path,
            parse_qs(order.scope["query_string"].decode("latin-1"), keep_blank_values=True) if "query" in wanted else {},
            dict(order.scope["headers"]),
            await self._read(order) if "body" in wanted and route.operation.body is not None else MISSING,
            self._credential(order) if "credential" in wanted else "",
            world.clock.now(),
        )
        with self._every.store.writing(world):
            return world.armed.acting(asked, world.seed)

    async def _read(self, order: Ordered) -> Json:
        """The value of the body; MISSING if it has none that can be read."""
        sent = await order.received.whole(self._max_body)
        try:
            return bodies.parsed(sent) if sent and len(sent) <= self._max_body else MISSING
        except bodies.Unreadable:
            return MISSING

    def _credential(self, order: Ordered) -> str:
        """The name of the credential that a request was sent with; "" if it is not known."""
        api = order.contract.name
        known = order.world.known_credentials(api)
        for scheme, told in order.contract.security_schemes.items():
            try:
                return known.identity(scheme, reader({**told, NAME: scheme})(order.scope), order.world).name
            except Refusal:
                continue
        return ""

    async def _faulty(self, order: Ordered, route: Route, fault: Fault) -> Answer:
        """The answer with a fault's effects."""
        contract, operation, seed = order.contract, route.operation, order.world.seed
        answer = spoiling.instead(fault, self._documented[contract.name], operation, order.world)
        order.scope[ROUTE] = route
        acts = True
        if answer is None:
            answer, acts = await self._handled(order, fault)
        changed = spoiling.spoiled(fault, contract, operation, answer) if acts else None
        if changed is None:  # There was nothing for it to do.
            self._take_back(order, fault)
            return answer
        order.fault, order.manner = fault.name, order.manner.joined(spoiling.manner(fault, seed))
        return changed

    async def _handled(self, order: Ordered, fault: Fault) -> tuple[Answer, bool]:
        """What the API answers to a request as the fault has it handled, and whether the fault had anything to do."""
        if "stale" in fault.told:
            return await self._stale(order, fault)
        if "duplicate" not in fault.told:
            return await self._plain(order), True
        await order.received.whole(self._max_body)
        first_scope = dict(order.scope)
        first = await self._asked(order.contract, first_scope, order.received.again())
        second = await self._plain(order)
        if fault.told["duplicate"] == "first":
            order.scope.update(first_scope)
            return first, True
        return second, True

    async def _stale(self, order: Ordered, fault: Fault) -> tuple[Answer, bool]:
        """The answer as things were when the fault was armed, and whether it is another one than now."""
        name = hidden(order.world.name, fault.name)
        fresh_scope, stale_scope = dict(order.scope), {**order.scope, READING: name}
        fresh = await self._asked(order.contract, fresh_scope, order.received.again())
        if name not in self._every.store.names():  # It was armed by the situation that the world began with.
            world = order.world
            arming.keep(self._every, world, fault.name, self._start.world(world, world.situation, world.seed, world.scale))
        stale = await self._asked(order.contract, stale_scope, order.received.again())
        acts = (stale.status, stale.body) != (fresh.status, fresh.body)
        order.scope.update(stale_scope if acts else fresh_scope)
        return (stale if acts else fresh), acts

    def _take_back(self, order: Ordered, fault: Fault) -> None:
        """A fault that changed nothing has not fired."""
        with self._every.store.writing(order.world):
            standing = order.world.armed.faults.get(fault.name)
            if standing is not None:
                standing.fired -= 1

    # The journal

    def _note(self, order: Ordered, answer: Answer, seconds: float) -> None:
        """Note the exchange in the journal; the answer says where."""
        exchange = _exchange(order, answer, seconds)
        self._every.store.record(order.world, exchange)
        answer.headers.append((ID, b"%s/%d" % (order.world.name.encode(), exchange.number)))


def _exchange(order: Ordered, answer: Answer, seconds: float) -> Exchange:
    scope, world = order.scope, order.world
    route: Route | None = scope.get(ROUTE)
    refusal: Refusal | None = scope.get(REFUSAL)
    reply: Reply | None = scope.get(REPLY)
    call: Call | None = scope.get(CALL)
    method: str = scope.get(METHOD) or scope["method"]
    target: bytes = scope["raw_path"]
    return Exchange(  # By position: by name it would take twice the time.
        world.name,
        world.clock.at(world.used),
        seconds + order.manner.wait,
        order.contract.name,
        "" if route is None else route.operation.operation_id,
        method,
        (target + b"?" + order.query if order.query else target).decode("latin-1"),
        tuple(scope["headers"]),
        order.received.body or None,
        answer.status,
        tuple(answer.headers),
        None if method == "HEAD" else answer.body or None,
        "" if refusal is None else refusal.reason,
        () if refusal is None else refusal.violations or blamed(refusal, str(refusal)),
        None if reply is None or reply.read is None else (reply.read[0], tuple(reply.read[1])),
        () if reply is None else tuple(reply.written),
        () if call is None else call.ignored,
        order.fault,
        order.preference,
    )


def _told_limits(world: World, contract: Contract, scope: Scope, answer: Answer) -> Answer:
    """The answer with the header fields of the API's rate limit, if the world has one."""
    limit, identity = world.armed.limits.get(contract.name), scope.get(IDENTITY)
    if limit is None or identity is None:
        return answer
    for name, value in limit.fields(identity.name, world.clock.now()):
        answer = answer.having(name.lower().encode("latin-1"), value.encode("latin-1"))
    return answer
