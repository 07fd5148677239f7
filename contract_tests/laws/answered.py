"""Laws of HTTP: who may call, what is refused and how, and what every answer looks like."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from contract_tests import envelopes
from contract_tests.callers import NOBODY, REFUSALS, WITHOUT_BODY, Handle, Ids
from contract_tests.comparing import same
from contract_tests.exchanges import Answer, Exchange
from contract_tests.laws.bench import ANYWHERE, Bench
from contract_tests.laws.touched import refusals_origin
from contract_tests.shapes import UNDECLARED, Flaw, Shape, fits, shortened
from contract_tests.trials import Premise, Trial, needed, unanswered
from mock_server.contract import Json, Operation, Origin, Parameter, Schema, declared_as, json_type
from mock_server.credentials import Credential
from mock_server.schemas import followed, merged, resolved

WRITES = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"
SHOULD = Origin("inferred", "RFC 9110 says that HEAD should be answered with the header fields of GET, not that it must.")
NOT_THERE = ("not_found", "invalid_parameter", "unauthenticated", "forbidden")  # how a record that is not there is not shown
NO_JSON = object()
NO_JSON_PLEASE = "text/html, application/json;q=0"  # as a browser says it, and that it takes no JSON
PARENTS = 8  # among which one with several children is looked for
CODES = 2  # of one record that are tried as ids
_CODE = re.compile(r"(?=.*\d)(?!\d{4}-\d\d-\d\d)[A-Za-z0-9._-]{2,40}")  # no date
LARGE = 20_000  # bytes of an answer
MOST = 3  # large answers of an operation whose envelopes are looked at
HUGE = 20_000_000  # bytes; more than any API takes that says it has a limit
ODD_IDS = ("0", "-1", "nobody-has-this", "%", "é", "a b", "'", "null", "1 OR 1=1", "x" * 300, "99999999999999999999", "..")


def ids_for(bench: Bench, operation: Operation) -> Ids:
    """Ids of records that exist, for every parameter of the path."""
    if operation.resource is None:
        return {}
    caller = bench.caller
    if operation.identifier or operation.target:
        home = caller.home(operation.resource)
        return home.ids
    found: dict[str, Json] = dict(caller.home_of(operation.resource)) if operation.action == "create" else {}
    for parameter in operation.ancestors:
        found |= caller.home(caller.contract.resources[str(parameter.identifies)]).ids
    return found


def body_for(bench: Bench, operation: Operation, ids: Ids) -> Json:
    """A valid body, or none where the operation takes none."""
    if operation.body is None:
        return WITHOUT_BODY
    if operation.action in ("login", "renew"):
        return dict(next((c.login for c in bench.caller.credentials if c.login), {}))
    return bench.caller.body(operation, ids, {})


def callable_(bench: Bench) -> Iterator[Operation]:
    """The operations that this run may call."""
    for operation in bench.contract.operations.values():
        if bench.caller.can_write or operation.method in ("GET", "HEAD"):
            yield operation


# ----------------------------------------------------------------------------------------------------------------- who may call


def credentials_are_needed(bench: Bench) -> None:
    """Without a credential, and with a wrong one, nothing is answered."""
    caller = bench.caller
    strangers = (
        ("no credential", NOBODY),
        ("an unknown credential", Credential("stranger", "nobody-knows-this")),
        ("an empty credential", Credential("empty", "")),
    )
    for operation in callable_(bench):
        demands = caller.demands(operation)
        if not demands:
            continue
        for what, who in strangers:
            with bench.trial(operation, what) as trial:
                exchange = _harmless(bench, operation, who)
                _kept_out(bench, operation, trial, exchange, f"{what} is sent")
                if "WWW-Authenticate" in _headers(bench, operation, exchange.answer.status):
                    told = exchange.answer.header("www-authenticate")
                    trial.hold(bool(told), "WWW-Authenticate, which says how to log in", "it is missing", exchange)
        _first_of_all(bench, operation)
    _near_misses(bench)


def _headers(bench: Bench, operation: Operation, status: int) -> Mapping[str, Json]:
    """The header fields that an answer declares."""
    document = bench.contract.document
    response = followed(bench.caller.definition(operation)["responses"].get(str(status)), document) or {}
    found: Mapping[str, Json] = response.get("headers") or {}
    return found


def _kept_out(bench: Bench, operation: Operation, trial: Trial, exchange: Exchange, why: str) -> None:
    """Who is let in shows that the operation is there, whoever has inferred it; and what is asked of all is asked of it."""
    of_all = bench.caller.demands(operation) in bench.contract.document.get("security", ())
    origin = ANYWHERE if of_all and 200 <= exchange.answer.status < 300 else None
    trial.answered(exchange, bench.caller.status_of("unauthenticated"), why, origin=origin)


def _near_misses(bench: Bench) -> None:
    """Part of a known secret, or more than it, is not the secret; nor is the secret in another place."""
    caller = bench.caller
    operation = next((o for o in callable_(bench) if o.method == "GET" and caller.demands(o)), None)
    credential = next((c for c in caller.credentials if c.secret or c.login), None)
    known = credential and (credential.secret or caller.session(credential))
    if operation is None or not isinstance(known, str) or len(known) < 2:
        return
    own = caller.request(operation, ids_for(bench, operation), query={})
    carried = dict(own.headers)
    for what, secret in (
        ("a secret cut short", known[:-1]),
        ("a secret and more", known + "x"),
        ("a secret in another case", known.swapcase()),
        ("a secret of no signs", ""),
    ):
        with bench.trial(operation, what) as trial:
            headers = tuple((name, value.replace(known, secret)) for name, value in own.headers)
            if headers != own.headers:
                exchange = caller.send(replace(own, headers=headers), operation.operation_id)
                _kept_out(bench, operation, trial, exchange, f"{what} is sent")
    for what, name, value in (
        ("the secret as a password", "Authorization", f"Basic {known}"),
        ("the secret without a scheme", "Authorization", known),
        ("the secret as a token", "Authorization", f"Bearer {known}"),
        ("the secret as an API key", "X-API-Key", known),
    ):
        if carried.get(name) == value or (name != "Authorization" and name.lower() in map(str.lower, carried)):
            continue
        with bench.trial(operation, what) as trial:
            bare = caller.request(operation, ids_for(bench, operation), query={}, who=NOBODY)
            exchange = caller.send(replace(bare, headers=(*bare.headers, (name, value))), operation.operation_id)
            _kept_out(bench, operation, trial, exchange, f"{what} is no credential of this API")
    scheme, _, rest = carried.get("Authorization", "").partition(" ")
    if rest and scheme:
        with bench.trial(operation, "the scheme in another case") as trial:
            needed(caller.send(own, operation.operation_id), operation.status)
            headers = tuple((n, f"{scheme.swapcase()} {rest}" if n == "Authorization" else v) for n, v in own.headers)
            exchange = caller.send(replace(own, headers=headers), operation.operation_id)
            trial.answered(exchange, operation.status, "the name of a scheme has no case (RFC 9110)")


def _first_of_all(bench: Bench, operation: Operation) -> None:
    """Who is not known is told so first, and learns nothing of what is there or of what else is wrong."""
    caller = bench.caller
    nothing: Ids = {str(one.identifies): "1999999999" for one in operation.parameters if one.where == "path"}
    body: Json = b"{" if operation.body is not None else WITHOUT_BODY
    with bench.trial(operation, "nobody asks amiss") as trial:
        exchange = caller.call(operation, nothing, body=body, query=_amiss(operation), who=NOBODY)
        trial.answered(exchange, caller.status_of("unauthenticated"), "no credential is sent, whatever else is wrong")
    if nothing:
        with bench.trial(operation, "nobody asks for what is not there") as trial:
            valid = body_for(bench, operation, ids_for(bench, operation))
            exchange = caller.call(operation, nothing, body=valid, who=NOBODY)
            trial.answered(exchange, caller.status_of("unauthenticated"), "no credential is sent, whether or not it is there")


def _amiss(operation: Operation) -> dict[str, Json]:
    """A query in which every value is refused."""
    asked = {one.name: next(out_of_bounds(one), None) for one in operation.parameters if one.where == "query"}
    return {name: wrong[1] for name, wrong in asked.items() if wrong is not None}


def _harmless(bench: Bench, operation: Operation, who: Credential) -> Exchange:
    """A call that changes nothing of worth if it is let in after all."""
    caller = bench.caller
    resource = operation.resource
    if operation.action == "delete" and resource is not None and caller.of("create", resource=resource):
        ids: Ids = caller.make(resource).ids
    else:
        ids = ids_for(bench, operation)
    return caller.call(operation, ids, body=body_for(bench, operation, ids), who=who)


def scopes_are_needed(bench: Bench) -> None:
    """A credential may do what its scopes say, and nothing else."""
    caller = bench.caller
    for operation in callable_(bench):
        scopes = {scope for scopes in caller.demands(operation).values() for scope in scopes}
        if not scopes:
            continue
        for credential in caller.credentials:
            with bench.trial(operation, f"credential {credential.name}") as trial:
                exchange = _harmless(bench, operation, credential)
                if scopes <= credential.scopes:
                    trial.answered(exchange, operation.status, f"the credential has {', '.join(sorted(scopes))}")
                else:
                    trial.answered(
                        exchange,
                        caller.status_of("forbidden"),
                        f"the credential lacks {', '.join(sorted(scopes - credential.scopes))}",
                    )


def sessions_work(bench: Bench) -> None:
    """A login opens a session that works; wrong credentials open none."""
    caller, sessions = bench.caller, bench.contract.sessions
    if sessions is None:
        return
    login = next((dict(c.login) for c in caller.credentials if c.login), None)
    for operation in caller.of("login", "renew"):
        with bench.trial(operation) as trial:
            if login is None:
                raise Premise("there is nothing to log in with")
            exchange = caller.call(operation, body=login)
            trial.answered(exchange, operation.status, "the credentials are known")
            _opens(bench, operation, exchange, trial)
        if login is None:
            continue
        for name in sessions.credentials:
            with bench.trial(operation, name) as trial:
                right = str(login.get(name, ""))
                for value in dict.fromkeys((f"{right}-wrong", right[:-1], right.swapcase(), "")):
                    if value != right:
                        exchange = caller.call(operation, body={**login, name: value})
                        trial.answered(exchange, caller.status_of("login_failed"), f"{name} is wrong: {shortened(value)}")
        if operation.fold_names:
            with bench.trial(operation, "names in another case") as trial:
                folded = {name.swapcase(): value for name, value in login.items()}
                trial.answered(caller.call(operation, body=folded), operation.status, "names are matched whatever their case")


def _opens(bench: Bench, operation: Operation, exchange: Exchange, trial: Trial) -> None:
    caller = bench.caller
    session = envelopes.taken(operation, exchange.answer, "$session")
    trial.hold(isinstance(session, str) and session != "", "a session", shortened(exchange.answer.json()), exchange)
    who = Credential("session", session)
    for alive in caller.of("alive"):
        trial.answered(caller.call(alive, who=who), alive.status, "the session is open", exchange)
    listing = next((o for o in caller.of("list") if not o.ancestors), None)
    if listing is not None:
        trial.answered(caller.call(listing, who=who), listing.status, "the session is open", exchange)
    another = caller.call(operation, body=body_for(bench, operation, {}))
    other = envelopes.taken(operation, another.answer, "$session")
    trial.hold(other != session, "another session", "the same one", exchange, another)
    for alive in caller.of("alive") if operation.action == "login" else ():
        trial.answered(caller.call(alive, who=who), alive.status, "another login ends no session", exchange, another)


# -------------------------------------------------------------------------------------------------------------- what is refused


def unknown_ids_are_not_found(bench: Bench) -> None:
    """An id that names nothing is not found, however odd it is."""
    for operation in callable_(bench):
        for parameter in operation.parameters:
            if parameter.where == "path" and parameter.identifies:
                with bench.trial(operation, parameter.name, origin=parameter.origin, place=parameter.place) as trial:
                    _unknown(bench, operation, parameter, trial)
        if operation.target and operation.resource is not None:
            with bench.trial(operation, operation.target) as trial:
                ids = ids_for(bench, operation)
                nobody: Json = "nobody-has-this" if operation.resource.id.pattern else 1_999_999_999
                told = f"there is no {operation.resource.title} {nobody}"
                exchange = bench.caller.call(
                    operation, {**ids, operation.resource.name: nobody}, body=body_for(bench, operation, ids)
                )
                trial.answered(exchange, bench.caller.status_of("not_found"), told)


def _unknown(bench: Bench, operation: Operation, parameter: Parameter, trial: Trial) -> None:
    caller = bench.caller
    ids = ids_for(bench, operation)
    body = body_for(bench, operation, ids)
    whole = json_type(parameter.schema) == "integer"
    plain: Json = 1_999_999_999 if whole else "nobody-has-this"
    missing, invalid = caller.status_of("not_found"), caller.status_of("invalid_parameter")
    name = str(parameter.identifies)
    trial.answered(caller.call(operation, {**ids, name: plain}, body=body), missing, f"there is no {name} {plain}")
    known = ids.get(name)
    near = [f"{known}x", f"{known}".swapcase(), f"0{known}", f" {known}"] if isinstance(known, str) else []
    counter = bench.contract.resources[name].id
    if isinstance(known, str) and len(known) > 1 and counter.pattern and counter.number(known[:-1]) is None:
        near.append(known[:-1])
    if isinstance(known, str) and known.isdigit():
        near.append(f"{known}.0")
    others = _other_names(bench, Handle(bench.contract.resources[name], known, ids)) if operation.action == "get" else []
    for id in (*near, *others, *(ODD_IDS if operation.method == "GET" else ODD_IDS[3:5])):
        if id == known:
            continue
        if not fits(parameter.schema, id) and not whole:
            continue
        exchange = caller.call(operation, {**ids, name: id}, body=body)
        if id in others and _has(operation, exchange, id):  # By chance it is the id of another record.
            continue
        if whole and id.lstrip("-").isdigit() and len(id) < 10:
            trial.answered(exchange, missing, f"there is no {name} {id}")
        else:
            status = exchange.answer.status
            redirects = id == ".." and status in (404, 400, 405, 301, 307, 308, 401, 403)
            trial.hold(
                status in (missing, invalid) or redirects,
                f"{missing} or {invalid}: there is no {name} {shortened(id, 60)}",
                str(status),
                exchange,
            )


def _has(operation: Operation, exchange: Exchange, id: str) -> bool:
    record = envelopes.record(operation, exchange.answer)
    return record is not None and operation.resource is not None and record.get(operation.resource.id.property) == id


def _other_names(bench: Bench, handle: Handle) -> list[str]:
    """What else of a record tells it from others, as far as that looks like an id: its numbers, and codes of any kind."""
    if not isinstance(handle.id, str):
        return []
    try:
        record, _ = bench.caller.seen(handle)
    except Premise:
        return []
    first = [counter.property for counter in handle.resource.numbers]
    values = [record.get(name) for name in dict.fromkeys((*first, *record))]
    return [value for value in values if isinstance(value, str) and value != handle.id and _CODE.fullmatch(value)][:CODES]


def limits_are_kept(bench: Bench) -> None:
    """A parameter out of its bounds, or of the wrong form, is refused."""
    for operation in callable_(bench):
        for parameter in operation.parameters:
            if parameter.where not in ("query", "path"):
                continue
            for what, value in out_of_bounds(parameter):
                with bench.trial(operation, f"{parameter.name}: {what}", origin=parameter.origin, place=parameter.place) as trial:
                    ids = ids_for(bench, operation)
                    query = {parameter.name: value} if parameter.where == "query" else {}
                    path = {**ids, str(parameter.identifies): value} if parameter.where == "path" else ids
                    exchange = bench.caller.call(operation, path, query=query, body=body_for(bench, operation, ids))
                    _refused(bench, parameter, value, trial, exchange)


def _refused(bench: Bench, parameter: Parameter, value: Json, trial: Trial, exchange: Exchange) -> None:
    """A path with what is no id may as well be called unknown."""
    refusal = bench.caller.status_of("invalid_parameter")
    allowed = {refusal, bench.caller.status_of("not_found")} if parameter.where == "path" else {refusal}
    status, told = exchange.answer.status, " or ".join(map(str, sorted(allowed)))
    trial.hold(status in allowed, f"{told}: {parameter.name} must not be {shortened(value)}", str(status), exchange)


_NO_INTEGERS = (("no whole number", "1.5"), ("a hexadecimal number", "0x1"))


def out_of_bounds(parameter: Parameter) -> Iterator[tuple[str, Json]]:
    schema = merged(parameter.schema)
    if json_type(schema) == "array":
        schema = merged(schema.get("items", {}))
    kind = json_type(schema)
    if kind in ("integer", "number"):
        if "minimum" in schema:
            yield "below its minimum", schema["minimum"] - 1
        if "maximum" in schema:
            yield "above its maximum", schema["maximum"] + 1
        yield "no number", "abc"
        if parameter.where == "query":
            yield "empty", ""
        if kind == "integer":
            yield from _NO_INTEGERS if parameter.where == "query" else _NO_INTEGERS[:1]
        if schema.get("minimum", -1) > -1 and schema["minimum"] != 0:
            yield "negative", -1
    if kind == "boolean":
        yield "no boolean", "maybe"
    if "enum" in schema:
        yield "not in the enum", "nobody-has-this"
    if schema.get("format") in ("date", "date-time"):
        if parameter.where == "query":
            yield "an empty date", ""
        yield "no date", "yesterday"
        yield "no such day", "2024-02-30" + ("T00:00:00Z" if schema["format"] == "date-time" else "")
        yield "no such month", "2024-13-01" + ("T00:00:00Z" if schema["format"] == "date-time" else "")
        if schema["format"] == "date":
            yield from (("another form of date", "01/02/2024"), ("a date with slashes", "2024/01/02"))
            yield from (("a date without dashes", "20240102"), ("a time", "2024-01-02T00:00:00Z"))
            yield "a month of one digit", "2024-1-02"


def bodies_are_read(bench: Bench) -> None:
    """What is no JSON, or of another media type, is refused."""
    for operation in callable_(bench):
        if operation.body is None:
            continue
        with bench.trial(operation, "a record"):
            _unreadable(bench, operation, ids_for(bench, operation))


def _unreadable(bench: Bench, operation: Operation, ids: Ids) -> None:
    caller = bench.caller
    cases: tuple[tuple[str, Json, str, str], ...] = (
        ("no JSON", b'{"name": ', JSON, "malformed"),
        ("no UTF-8", b'{"name": "\xff\xfe"}', JSON, "malformed"),
        ("JSON with a comma too many", _json(bench, operation, ids)[:-1] + b",}", JSON, "malformed"),
        ("JSON and more", _json(bench, operation, ids) + b" {}x", JSON, "malformed"),
        ("JSON with single quotes", b"{'nobody_has_this': 'x'}", JSON, "malformed"),
        ("JSON with NaN", _json(bench, operation, ids)[:-1] + b', "nobody_has_this": NaN}', JSON, "malformed"),
        ("a list", [body_for(bench, operation, ids)], JSON, "invalid_body"),
        ("a text", "text", JSON, "invalid_body"),
        ("null", None, JSON, "invalid_body"),
        ("another media type", b"name=x", "application/x-www-form-urlencoded", "unsupported_media_type"),
        ("XML", b"<name/>", "application/xml", "unsupported_media_type"),
        ("JSON called a text", _json(bench, operation, ids), "text/plain", "unsupported_media_type"),
        ("JSON of another kind", _json(bench, operation, ids), "application/vnd.api+json", "unsupported_media_type"),
    )
    note = f"too large for {operation.action}"
    if caller.status_of("too_large") in operation.statuses and note not in caller.notes:
        caller.notes.add(note)  # Once is enough: it takes long.
        with bench.trial(operation, "a huge body") as trial:
            huge = b'{"x": "' + b"x" * HUGE + b'"}'
            trial.answered(caller.call(operation, ids, body=huge), caller.status_of("too_large"), f"the body has {HUGE} bytes")
    for what, body, media, reason in cases:
        if reason == "unsupported_media_type" and caller.status_of(reason) not in operation.statuses:
            continue
        with bench.trial(operation, what) as trial:
            exchange = caller.call(operation, ids, body=body, headers=(("Content-Type", media),))
            trial.answered(exchange, caller.status_of(reason), f"the body is {what}")
    if operation.body_required:
        allowed = {caller.status_of("malformed"), caller.status_of("invalid_body")}
        with bench.trial(operation, "no body") as trial:
            exchange = caller.call(operation, ids)
            unnamed = {caller.status_of("unsupported_media_type")} & set(operation.statuses)  # A body of no media type.
            _one_of(trial, exchange, allowed | unnamed, "a body is required")
        with bench.trial(operation, "an empty body") as trial:
            exchange = caller.call(operation, ids, body=b"")
            _one_of(trial, exchange, allowed, "an empty body is no JSON")


def _one_of(trial: Trial, exchange: Exchange, allowed: Set[int], why: str) -> None:
    status = exchange.answer.status
    trial.hold(status in allowed, f"{' or '.join(map(str, sorted(allowed)))}: {why}", str(status), exchange)


def _json(bench: Bench, operation: Operation, ids: Ids) -> bytes:
    """A valid body that has something."""
    body = body_for(bench, operation, ids)
    return json.dumps(body if isinstance(body, dict) and body else {"nobody_has_this": 1}).encode()


def only_json_is_answered(bench: Bench) -> None:
    """Who accepts no JSON is told so; whoever accepts anything gets it."""
    caller = bench.caller
    refusal = caller.status_of("not_acceptable")
    for operation in callable_(bench):
        if operation.action == "delete":
            continue
        with bench.trial(operation, "Accept") as trial:
            ids = ids_for(bench, operation)
            body = body_for(bench, operation, ids) if operation.action != "create" else caller.body(operation, ids, {})
            if refusal in operation.statuses:
                exchange = caller.call(operation, ids, body=body, headers=(("Accept", NO_JSON_PLEASE),))
                trial.answered(exchange, refusal, "JSON is not accepted")
            if operation.method == "GET":
                for accept in ("*/*", "application/*", "application/json;q=0.5, text/html;q=0.1"):
                    trial.answered(
                        caller.call(operation, ids, headers=(("Accept", accept),)), operation.status, f"Accept is {accept}"
                    )


def methods_are_known(bench: Bench) -> None:
    """A method that a path does not have is refused, and Allow names those it has."""
    _options_are_told(bench)
    caller = bench.caller
    paths: dict[str, set[str]] = defaultdict(set)
    for operation in bench.contract.operations.values():
        paths[_shape(operation.path)].add(operation.method)
    for operation in {_shape(o.path): o for o in bench.contract.operations.values()}.values():
        methods = paths[_shape(operation.path)]
        for method in METHODS:
            if method in methods or (method != "GET" and not caller.can_write):
                continue
            with bench.trial(operation, method) as trial:
                ids = ids_for(bench, operation)
                request = caller.request(
                    operation, ids, query={}, body={} if method in ("POST", "PUT", "PATCH") else WITHOUT_BODY
                )
                exchange = caller.send(replace(request, method=method), "")
                trial.answered(
                    exchange, caller.status_of("method_not_allowed"), f"{operation.path} has {', '.join(sorted(methods))}"
                )
                _allows(trial, exchange, methods)


def _options_are_told(bench: Bench) -> None:
    """OPTIONS is answered with the methods of a path, or refused as a method that it does not have."""
    caller = bench.caller
    paths: dict[str, set[str]] = defaultdict(set)
    for operation in bench.contract.operations.values():
        paths[_shape(operation.path)].add(operation.method)
    for operation in {_shape(o.path): o for o in callable_(bench)}.values():
        with bench.trial(operation, "OPTIONS") as trial:
            request = caller.request(operation, ids_for(bench, operation), query={})
            exchange = caller.send(replace(request, method="OPTIONS"))
            status = exchange.answer.status
            allowed = 200 <= status < 300 or status == caller.status_of("method_not_allowed")
            expected = f"success, or {caller.status_of('method_not_allowed')}: the path is there"
            trial.hold(allowed, expected, str(status), exchange)
            if exchange.answer.header("allow") is not None:
                _allows(trial, exchange, paths[_shape(operation.path)])


def _allows(trial: Trial, exchange: Exchange, methods: Set[str]) -> None:
    """Allow names the methods of a path; whether HEAD and OPTIONS are among them does not matter."""
    told = listed(exchange.answer, "allow")
    right = {name.upper() for name in told} - {"HEAD", "OPTIONS"} == methods
    trial.hold(right, f"Allow: {', '.join(sorted(methods))}", f"Allow: {', '.join(told) or 'none'}", exchange)


def listed(answer: Answer, name: str) -> list[str]:
    """The members of a header whose value is a list, on however many lines it comes (RFC 9110, section 5.3)."""
    lines = [value for own, value in answer.headers if own.lower() == name]
    return [member for line in lines for part in line.split(",") if (member := part.strip())]


def _shape(path: str) -> str:
    """A path whatever its parameters are called."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def paths_are_known(bench: Bench) -> None:
    """A path that the contract does not have is not found."""
    caller = bench.caller
    listing = next((o for o in callable_(bench) if o.method == "GET" and not o.ancestors and not o.identifier), None)
    if listing is None:
        return
    request = caller.request(listing, {}, query={})
    for path in ("/nobody-has-this", f"{listing.path}/x/y/z/nobody", f"{listing.path}x"):
        with bench.trial(None, path) as trial:
            exchange = caller.send(replace(request, target=path))
            trial.answered(exchange, caller.status_of("no_such_path"), "the contract has no such path")


def head_is_get_without_a_body(bench: Bench) -> None:
    """HEAD answers as GET does, without a body, or is refused as any method is."""
    caller = bench.caller
    for operation in callable_(bench):
        if operation.method != "GET":
            continue
        with bench.trial(operation, "HEAD") as trial:
            request = caller.request(operation, ids_for(bench, operation), query={})
            got = caller.send(request, operation.operation_id)
            exchange = caller.send(replace(request, method="HEAD"))
            allowed = {got.answer.status, caller.status_of("method_not_allowed")}
            trial.hold(
                exchange.answer.status in allowed, f"{got.answer.status}, as for GET", str(exchange.answer.status), got, exchange
            )
            trial.hold(not exchange.answer.body, "no body", f"{len(exchange.answer.body)} bytes", exchange)
            if exchange.answer.status == got.answer.status:
                _same_headers(trial, got, exchange)
            if caller.demands(operation):
                bare = caller.request(operation, ids_for(bench, operation), query={}, who=NOBODY)
                exchange = caller.send(replace(bare, method="HEAD"))
                allowed = {caller.status_of("unauthenticated"), caller.status_of("method_not_allowed")}
                told = f"{' or '.join(map(str, sorted(allowed)))}: no credential is sent"
                trial.hold(exchange.answer.status in allowed, told, str(exchange.answer.status), exchange)

        if any(one.where == "path" and one.identifies for one in operation.parameters):
            with bench.trial(operation, "HEAD of what is not there") as trial:
                nothing: Ids = {str(one.identifies): "1999999999" for one in operation.parameters if one.where == "path"}
                request = caller.request(operation, nothing, query={})
                exchange = caller.send(replace(request, method="HEAD"))
                allowed = {caller.status_of(reason) for reason in (*NOT_THERE, "method_not_allowed")}
                _one_of(trial, exchange, allowed, "there is no such record")


def _same_headers(trial: Trial, got: Exchange, exchange: Exchange) -> None:
    """HEAD must not tell another length than GET (RFC 9110, section 8.6), and should tell the same media type (9.3.2)."""
    for name, origin in (("content-length", None), ("content-type", SHOULD)):
        expected, seen = got.answer.header(name), exchange.answer.header(name)
        if expected is not None and (seen is not None or origin is not None):
            trial.hold(seen == expected, f"{name}: {expected}, as for GET", f"{name}: {seen}", got, exchange, origin=origin)


def reading_changes_nothing(bench: Bench) -> None:
    """The same question twice gets the same answer."""
    caller = bench.caller
    for operation in callable_(bench):
        if operation.method == "GET":
            with bench.trial(operation) as trial:
                ids = ids_for(bench, operation)
                first = needed(caller.call(operation, ids), operation.status)
                second = caller.call(operation, ids)
                trial.hold(first.answer.json() == second.answer.json(), "the same answer as before", "another one", first, second)


def unknown_parameters_do_no_harm(bench: Bench) -> None:
    """A parameter that the contract does not have is passed over, or refused; it changes nothing."""
    caller = bench.caller
    for operation in callable_(bench):
        if operation.method != "GET":
            continue
        with bench.trial(operation, "an unknown parameter") as trial:
            ids, plain = _telling(bench, operation)
            exchange = caller.call(operation, ids, query={"nobody_has_this": "1", "_": "%", **_of_siblings(bench, operation)})
            refused = exchange.answer.status == caller.status_of("invalid_parameter")
            alike = exchange.answer.status == operation.status and exchange.answer.json() == plain.answer.json()
            trial.hold(refused or alike, "the same answer as without it", f"{exchange.answer.status}", plain, exchange)


def _telling(bench: Bench, operation: Operation) -> tuple[Ids, Exchange]:
    """A plain call that succeeds; of a list below a parent, if there is one, with so many records that some could be left out."""
    caller, ids = bench.caller, ids_for(bench, operation)
    plain = needed(caller.call(operation, ids), operation.status)
    if operation.action != "list" or not operation.ancestors or _is_long(operation, plain):
        return ids, plain
    above = bench.contract.resources[str(operation.ancestors[-1].identifies)]
    others = [handle for handle, _ in caller.existing(above) if handle.ids != ids]
    for handle in others[:PARENTS]:
        other = needed(caller.call(operation, handle.ids), operation.status)
        if _is_long(operation, other):
            return handle.ids, other
    return ids, plain


def _is_long(operation: Operation, exchange: Exchange) -> bool:
    return len(envelopes.records(operation, exchange.answer) or ()) > 1


def _of_siblings(bench: Bench, operation: Operation) -> dict[str, Json]:
    """The parameters by which other lists are cut into pages, and this operation is not."""
    own = {parameter.name for parameter in operation.parameters}
    paging = (one.name for other in bench.caller.of("list") for one in other.parameters if one.paging is not None)
    return {name: 1 for name in paging if name not in own}


# -------------------------------------------------------------------------------------------------- every answer of the whole run


def every_answer_is_declared(bench: Bench) -> None:
    """Statuses, media types, headers and fields of all answers so far are those that the contract declares."""
    by_operation: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in bench.caller.exchanges:
        if exchange.operation and exchange.request.method != "HEAD":
            by_operation[exchange.operation].append(exchange)
    for name, exchanges in by_operation.items():
        operation = bench.contract.operations[name]
        _declared(bench, operation, exchanges)


def _declared(bench: Bench, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    definition = bench.caller.definition(operation)
    document = bench.contract.document
    responses = {str(code): followed(part, document) for code, part in definition["responses"].items()}
    shapes: dict[str, Shape] = {}
    wrong: dict[str, tuple[str, str, Exchange, Origin | None]] = {}
    seen_already: set[tuple[int, str | None, bytes]] = set()
    checks = 0
    for exchange in exchanges:
        if unanswered(exchange):
            continue
        checks += 1
        same = (exchange.answer.status, exchange.answer.header("content-type"), exchange.answer.body)
        if same in seen_already:
            continue
        seen_already.add(same)
        status = str(exchange.answer.status)
        code = declared_as(exchange.answer.status, responses)
        if code is None:
            known = ", ".join(sorted(responses))
            wrong.setdefault(f"status {status}", (f"one of {known}", status, exchange, None))
            continue
        for subject, expected, seen, origin in mistakes(responses[code], status, exchange, shapes, document):
            wrong.setdefault(subject, (expected, seen, exchange, origin))
    with bench.trial(operation) as trial:
        trial.checks += checks
    for subject, (expected, seen, exchange, origin) in wrong.items():
        with bench.trial(operation, subject) as trial:
            trial.hold(False, expected, seen, exchange, origin=origin)


def mistakes(
    response: Mapping[str, Json], status: str, exchange: Exchange, shapes: dict[str, Shape], document: Mapping[str, Json]
) -> Iterator[tuple[str, str, str, Origin | None]]:
    """Subject, what was expected and what was seen, and where the rule comes from if it is not from the operation."""
    content, answer = response.get("content") or {}, exchange.answer
    for name, header in (response.get("headers") or {}).items():
        definition = followed(header, document) or {}
        if definition.get("required") and answer.header(name) is None:
            yield f"header {name} of {status}", f"the header {name}", "it is missing", None
    if not content:
        if answer.body:
            yield f"body of {status}", "no body", shortened(answer.body.decode("utf-8", "replace")), None
        return
    media, _, more = (part.strip().lower() for part in (answer.header("content-type") or "").partition(";"))
    if media == JSON and more.startswith("charset=") and more[8:].strip("\"' ") not in ("utf-8", "utf8"):
        yield f"charset of {status}", "UTF-8, in which JSON is (RFC 8259)", more, None
    if media not in {name.lower() for name in content}:
        yield f"media type of {status}", " or ".join(content), media or "none", None
        return
    if media != JSON and not media.endswith("+json"):
        return
    value = answer.json()
    if value is None and (value := _slowly(answer.body)) is NO_JSON:
        yield f"body of {status}", "JSON", shortened(answer.body.decode("utf-8", "replace")), None
        return
    if status not in shapes:
        shapes[status] = Shape(resolved(next(iter(content.values())).get("schema") or {}, document, {}))
    for flaw in shapes[status].flaws(value):
        origin = _openness(shapes[status].schema, flaw, int(status)) if flaw.keyword == UNDECLARED else None
        yield f"{flaw.subject} of {status}" if flaw.subject else f"body of {status}", _wanted(flaw), str(flaw), origin


def _openness(schema: Schema, flaw: Flaw, status: int) -> Origin | None:
    """Whether an undeclared property is but a question: in refusals, which may say more, and in schemas that are inferred."""
    holder = merged(schema)
    for step in flaw.pointer.split("/")[1:-1]:
        inside = holder.get("items") if json_type(holder) == "array" else holder.get("properties", {}).get(step)
        holder = merged(inside or {})
    if status >= 400 and holder.get("additionalProperties") is not False:
        return Origin("inferred", "A refusal may say more than its schema, which is open.")
    stated = holder.get("x-origin")
    return Origin("inferred", str(stated["inferred"])) if isinstance(stated, dict) and "inferred" in stated else None


def _slowly(body: bytes) -> Json:
    """A body as JSON, with numbers and signs that are not read otherwise; NO_JSON if it is none: NaN is not, nor is UTF-16."""

    def refuse(constant: str) -> Json:
        raise ValueError(constant)

    try:
        return json.loads(body.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        return NO_JSON


def envelopes_are_kept(bench: Bench) -> None:
    """What an envelope says beside records, in refusals too: what the contract writes there, the status, and its code."""
    by_operation: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in bench.caller.exchanges:
        if exchange.operation and exchange.request.method != "HEAD" and not unanswered(exchange):
            by_operation[exchange.operation].append(exchange)
    for name, exchanges in by_operation.items():
        wrong: dict[str, tuple[str, str, Exchange]] = {}
        for exchange in _told_apart(exchanges):
            template = _template(bench, bench.contract.operations[name], exchange.answer.status)
            for subject, expected, seen in _misnamed(bench, template, exchange):
                wrong.setdefault(f"{subject} of {exchange.answer.status}", (expected, seen, exchange))
        with bench.trial(bench.contract.operations[name]) as trial:
            trial.checks += len(exchanges)
        for subject, (expected, seen, exchange) in wrong.items():
            origin = refusals_origin(bench) if exchange.answer.status >= 400 else None
            with bench.trial(bench.contract.operations[name], subject, origin=origin) as trial:
                trial.hold(False, expected, seen, exchange)
    _of_no_operation(bench)


def _of_no_operation(bench: Bench) -> None:
    """Where no operation is met, a refusal has the form of the others."""
    statuses = {bench.caller.status_of(reason) for reason in ("no_such_path", "method_not_allowed")}
    refused = [
        one
        for one in bench.caller.exchanges
        if not one.operation and one.answer.status in statuses and one.request.method not in ("HEAD", "OPTIONS")
    ]
    for exchange in _told_apart(refused):
        with bench.trial(None, f"refusal {exchange.answer.status}", origin=refusals_origin(bench)) as trial:
            found = next(_misnamed(bench, bench.contract.refusals.body, exchange), None)
            subject, expected, seen = found or ("", "", "")
            trial.hold(found is None, f"{subject}: {expected}", seen, exchange)


def _template(bench: Bench, operation: Operation, status: int) -> Json:
    return operation.envelope if status == operation.status else bench.contract.refusals.body if status >= 400 else None


def _told_apart(exchanges: Sequence[Exchange]) -> Iterator[Exchange]:
    """Each answer once, and of large ones some: it takes long to read them."""
    seen: set[tuple[int, bytes]] = set()
    large: dict[int, int] = defaultdict(int)
    for exchange in exchanges:
        status, body = exchange.answer.status, exchange.answer.body
        if len(body) > LARGE:
            large[status] += 1
        if (status, body) not in seen and (len(body) <= LARGE or large[status] <= MOST):
            seen.add((status, body))
            yield exchange


def _misnamed(bench: Bench, template: Json, exchange: Exchange) -> Iterator[tuple[str, str, str]]:
    """Where an answer does not say what its envelope has to."""
    status = exchange.answer.status
    said = [(path, expected) for path, wanted in _said(template, ()) if (expected := _expected(bench, wanted, status))]
    value: Json = exchange.answer.json() if said else None
    for path, expected in said:
        seen = envelopes.at(value, path)
        if not any(same(one, seen) for one in expected):
            told = "nothing" if seen is envelopes.MISSING else shortened(seen)
            yield "/".join(map(str, path)), " or ".join(map(shortened, expected)), told


def _said(template: Json, path: envelopes.Path) -> Iterator[tuple[envelopes.Path, Json]]:
    """The literals and the tokens of an envelope, each with its place."""
    if isinstance(template, Mapping):
        for name, part in template.items():
            yield from _said(part, (*path, name))
    else:
        yield path, template


def _expected(bench: Bench, wanted: Json, status: int) -> list[Json]:
    """What may stand at a place of an envelope; nothing where that is told by other laws."""
    if wanted == "$status":
        return [status]
    if wanted == "$code":
        reasons = (reason for reason in REFUSALS if bench.caller.status_of(reason) == status)
        codes = [bench.contract.refusals.codes.get(reason) for reason in reasons]
        return [] if None in codes else list(dict.fromkeys(codes))
    return [] if isinstance(wanted, str) and wanted.startswith("$") else [wanted]


def _wanted(flaw: Flaw) -> str:
    return "only declared fields" if flaw.keyword == UNDECLARED else "what the schema describes"


def no_server_errors(bench: Bench) -> None:
    """Nothing that a client sends makes the server fail."""
    failed: dict[str, Exchange] = {}
    tried: dict[str, int] = defaultdict(int)
    for exchange in bench.caller.exchanges:
        tried[exchange.operation] += 1
        if unanswered(exchange):
            known = failed.get(exchange.operation)
            if known is None or len(exchange.request.body or b"") < len(known.request.body or b""):
                failed[exchange.operation] = exchange
    for name, count in tried.items():
        operation = bench.contract.operations.get(name)
        trial = bench.trial(operation, "")
        if name in failed:
            exchange = failed[name]
            bench.failed(
                trial,
                exchange,
                "an answer that is no failure of the server",
                f"{exchange.answer.status or 'no answer'}: {exchange.answer.body[-300:].decode('utf-8', 'replace')}",
            )
            continue
        with trial:
            trial.checks += count


def answers_are_quick(bench: Bench) -> None:
    """No answer takes longer than the bound that was given."""
    if not bench.latency:
        return
    slowest: dict[str, Exchange] = {}
    for exchange in bench.caller.exchanges:
        known = slowest.get(exchange.operation)
        if exchange.operation and (known is None or exchange.answer.seconds > known.answer.seconds):
            slowest[exchange.operation] = exchange
    for name, exchange in slowest.items():
        with bench.trial(bench.contract.operations[name], "latency") as trial:
            trial.hold(
                exchange.answer.seconds <= bench.latency,
                f"an answer within {bench.latency * 1000:g} ms",
                f"{exchange.answer.seconds * 1000:.0f} ms",
                exchange,
            )
