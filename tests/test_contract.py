# ruff: noqa: E501  # In the table of mistakes a row is a line.
"""contract.load: what a small contract becomes, and what is said of each way to break it."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import contract, documents, schemas
from mock_server.contract import BrokenContract, Contract, Joined, Origin
from mock_server.documents import Mistake

SHOP = """\
openapi: 3.0.3
info: {title: Shop, version: v1}
x-origin: seed
servers:
  - url: http://localhost:8080/shop/api/v1
  - url: https://shop.example/api/v1
security:
  - bearer: []
x-semantics:
  aliases: [/v1]
  times: {zone: none, precision: milliseconds}
  unset: {string: ""}
  envelopes:
    one: {data: $record}
    page: {data: $records, meta: {page: $page, total: $total}}
    orders: {of: $parent.name, data: $records}
    login: {token: $session}
  refusals:
    body: {code: $code, message: $message, details: $violations}
    violation: {in: $in, pointer: $pointer, message: $message}
    statuses: {invalid_body: 422}
    messages: {not_found: "{resource} is not here"}
  sessions: {scheme: session, lifetime: 60, credentials: [user]}
  resources:
    customer:
      schema: "#/components/schemas/Customer"
      id: {property: id, pattern: "c-{n:03}"}
      numbers:
        - {property: number, from: 100, settable: true}
      references:
        branch_id:
          resource: branch
          show:
            branch: {id: id, where: {join: [/address/street, /address/city]}}
      children: {orders: {resource: order, writable: true}}
      unique:
        - {property: email, case: insensitive}
      initial: {active: true}
      created: created_at
      deletion:
        trash: true
        cascades: [note]
        guards:
          - {resource: order, property: customer_id, unless: {state: [shipped]}, message: Ship it.}
    order:
      title: Sales order
      schema: "#/components/schemas/Order"
      id: {property: id}
      parent: {resource: customer, property: customer_id, show: {customer_name: name}}
      exclusive:
        - {property: express}
      order: newest-first
    note:
      x-origin: {inferred: "Nothing is said of notes."}
      schema: "#/components/schemas/Note"
      id: {property: id}
      parent: {resource: customer, property: customer_id}
    branch:
      schema: "#/components/schemas/Branch"
      id: {property: id}
paths:
  /customers:
    get:
      operationId: listCustomers
      x-semantics: {action: list, resource: customer, envelope: page}
      parameters:
        - $ref: "#/components/parameters/Page"
        - name: search
          in: query
          x-semantics: {filters: [name, orders/*/state], match: contains, case: insensitive}
          schema: {type: string}
        - name: since
          in: query
          x-semantics: {filters: [created_at], match: from}
          schema: {type: string, format: date-time}
        - name: numbers
          in: query
          explode: false
          x-semantics: {filters: [number], match: in}
          schema: {type: array, items: {type: integer}}
        - name: active
          in: query
          x-semantics: {filters: [active], match: flag}
          schema: {type: integer, enum: [0, 1]}
      responses:
        "200": {$ref: "#/components/responses/Page"}
        401: {description: Not known.}
    post:
      operationId: createCustomer
      x-semantics: {action: create, resource: customer, envelope: one}
      security:
        - oauth: [write]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name]
              properties: {name: {type: string}, email: {type: string}, secret: {type: string}, orders: {type: array, items: {}}}
      responses:
        "201": {$ref: "#/components/responses/One"}
  /customers/{id}:
    summary: One customer.
    parameters:
      - $ref: "#/components/parameters/Id"
      - {name: X-Trace, in: header, schema: {type: string}}
    get:
      operationId: getCustomer
      x-semantics: {action: get, resource: customer, envelope: one}
      parameters:
        - {name: X-Trace, in: header, required: true, schema: {type: integer}}
      responses:
        "200": {$ref: "#/components/responses/One"}
    delete:
      operationId: deleteCustomer
      x-semantics: {action: delete, resource: customer}
      responses:
        "204": {description: Gone.}
  /customers/{id}/orders:
    get:
      operationId: listOrders
      x-origin: {docs: "https://shop.example/docs"}
      x-semantics: {action: list, resource: order, envelope: orders}
      parameters:
        - $ref: "#/components/parameters/Id"
      responses:
        "200":
          description: The orders.
          content:
            application/json:
              schema:
                type: object
                properties:
                  of: {type: string}
                  data: {type: array, items: {$ref: "#/components/schemas/Order"}}
  /orders:
    put:
      operationId: updateOrder
      x-semantics: {action: update, resource: order, merge: replace, target: id}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
      responses:
        "204": {description: Done.}
  /login:
    post:
      operationId: login
      x-semantics: {action: login, envelope: login, names: case-insensitive}
      security: []
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, properties: {user: {type: string}}}}}
      responses:
        "200":
          description: A session.
          content: {application/json: {schema: {type: object, properties: {token: {type: string}}}}}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    session: {type: apiKey, in: header, name: X-Session}
    oauth:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: "https://shop.example/token", scopes: {write: Write.}}}
  parameters:
    Id: {name: id, in: path, required: true, x-semantics: {identifies: customer}, schema: {type: string}}
    Page: {name: page, in: query, x-semantics: {paging: number}, schema: {type: integer, minimum: 1, default: 1}}
  responses:
    One:
      description: One customer.
      content:
        application/json:
          schema:
            type: object
            required: [data]
            properties: {data: {$ref: "#/components/schemas/Customer"}}
    Page:
      description: Customers.
      content:
        application/json:
          schema:
            type: object
            properties:
              data: {type: array, items: {$ref: "#/components/schemas/Summary"}}
              meta: {type: object, properties: {page: {type: integer}, total: {type: integer}}}
  schemas:
    Summary:
      type: object
      required: [id]
      properties:
        id: {type: string, pattern: "^c-[0-9]+$"}
        name: {type: string, maxLength: 80}
    Customer:
      allOf:
        - $ref: "#/components/schemas/Summary"
        - type: object
          required: [name]
          properties:
            number: {type: integer}
            email: {type: string, nullable: true}
            active: {type: boolean}
            branch: {type: object, properties: {id: {type: integer}, where: {type: string}}}
            orders: {type: array, items: {$ref: "#/components/schemas/Order"}}
            created_at: {type: string, format: date-time}
    Order:
      type: object
      properties:
        id: {type: integer}
        state: {type: string, enum: [open, shipped]}
        express: {type: boolean}
        customer_name: {type: string}
        replaces: {$ref: "#/components/schemas/Order"}
    Note: {type: object, properties: {id: {type: integer}, text: {type: string}}}
    Branch:
      type: object
      properties:
        id: {type: integer}
        address: {type: object, properties: {street: {type: string}, city: {type: string}}}
"""

Loader = Callable[[str], Contract]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    """Loads a text as the contract `shop`."""

    def loaded(text: str) -> Contract:
        file = tmp_path / "shop" / "openapi.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return contract.load(file, "shop")

    return loaded


@pytest.fixture
def shop(load: Loader) -> Contract:
    return load(SHOP)


# What a contract becomes


def test_a_contract_knows_its_addresses(shop: Contract) -> None:
    """The first server's path is where the API answers; aliases stand beside it."""
    assert (shop.base_path, shop.aliases) == ("/shop/api/v1", ("/shop/v1",))
    assert (shop.title, shop.version, shop.text) == ("Shop", "v1", SHOP.encode())


def test_the_root_of_the_semantics_is_read(shop: Contract) -> None:
    assert not shop.times.zoned
    assert shop.times.milliseconds
    assert shop.unset == {"string": "", "integer": None, "number": None, "boolean": None, "array": [], "object": None}
    assert shop.sessions == contract.Sessions("session", "X-Session", 60, ("user",))
    assert shop.refusals.statuses == {"invalid_body": 422}
    assert shop.refusals.violation == {"in": "$in", "pointer": "$pointer", "message": "$message"}


def test_operations_stand_in_the_order_of_the_document(shop: Contract) -> None:
    assert list(shop.operations) == [
        "listCustomers", "createCustomer", "getCustomer", "deleteCustomer", "listOrders", "updateOrder", "login",
    ]  # fmt: skip
    created = shop.operations["createCustomer"]
    assert (created.method, created.path, created.status, created.body_required) == ("POST", "/customers", 201, True)
    assert shop.operations["listCustomers"].statuses == {200, 401}
    assert shop.operations["deleteCustomer"].envelope is None
    assert shop.operations["updateOrder"].target == "id"
    assert shop.operations["updateOrder"].merge == "replace"
    assert shop.operations["login"].fold_names


def test_an_operation_overrides_the_parameters_of_its_path(shop: Contract) -> None:
    """A parameter of the same name and place is the operation's; the path's others stay."""
    got = {(p.name, p.where): p for p in shop.operations["getCustomer"].parameters}

    assert set(got) == {("id", "path"), ("X-Trace", "header")}
    assert got["X-Trace", "header"].required
    assert got["X-Trace", "header"].schema == {"type": "integer"}


def test_parameters_know_what_they_do(shop: Contract) -> None:
    got = {p.name: p for p in shop.operations["listCustomers"].parameters}

    assert got["page"].paging == "number"
    assert got["page"].default == 1
    assert got["search"].filter == contract.Filter((("name",), ("orders", "*", "state")), "contains", fold=True)
    assert (got["numbers"].explode, got["search"].explode, got["search"].style) == (False, True, "form")
    identifier = shop.operations["getCustomer"].identifier
    assert identifier is not None
    assert (identifier.name, identifier.explode, identifier.style) == ("id", False, "simple")
    assert [p.name for p in shop.operations["listOrders"].ancestors] == ["id"]


def test_a_view_is_the_schema_where_the_envelope_has_the_record(shop: Contract) -> None:
    """A list shows what its rows have, a single answer all that its schema has, allOf included."""
    listed, got = shop.operations["listCustomers"].view, shop.operations["getCustomer"].view

    assert listed is not None
    assert list(listed["properties"]) == ["id", "name"]
    assert got is not None
    assert list(got["properties"]) == ["id", "name", "number", "email", "active", "branch", "orders", "created_at"]
    assert got["required"] == ["id", "name"]
    assert shop.operations["deleteCustomer"].view is None


def test_a_resource_stores_what_is_not_computed(shop: Contract) -> None:
    """Its schema's properties, then its bodies', then the ids of what it refers and belongs to."""
    assert list(shop.resources["customer"].stored) == [
        "id", "name", "number", "email", "active", "created_at", "secret", "branch_id",
    ]  # fmt: skip
    assert shop.resources["customer"].stored["branch_id"] == {"type": "integer"}
    assert list(shop.resources["order"].stored) == ["id", "state", "express", "replaces", "customer_id"]
    assert shop.resources["order"].stored["customer_id"] == {"type": "string", "pattern": "^c-[0-9]+$"}


def test_resources_know_their_rules(shop: Contract) -> None:
    customer, order = shop.resources["customer"], shop.resources["order"]

    assert (customer.title, order.title) == ("Customer", "Sales order")
    assert customer.id == contract.Counter("id", "c-{n:03}", 1)
    assert customer.numbers == (contract.Counter("number", None, 100, settable=True),)
    assert customer.references[0].show == {
        "branch": {"id": ("id",), "where": Joined((("address", "street"), ("address", "city")), ", ")}
    }
    assert customer.children == (contract.Children("orders", "order", writable=True),)
    assert customer.unique[0].fold
    assert customer.initial == {"active": True}
    assert (customer.trash, customer.cascades) == (True, ("note",))
    assert customer.guards[0].unless == {"state": ("shipped",)}
    assert order.parent is not None
    assert order.parent.show == {"customer_name": ("name",)}
    assert (order.exclusive, order.newest_first) == (("express",), True)


def test_an_origin_is_inherited(shop: Contract) -> None:
    """What says nothing of its origin has that of what it stands in."""
    assert shop.operations["listCustomers"].origin == Origin("seed")
    assert shop.operations["listOrders"].origin == Origin("docs", "https://shop.example/docs")
    assert shop.resources["note"].origin == Origin("inferred", "Nothing is said of notes.")


def test_recursive_schemas_become_cyclic_mappings(shop: Contract) -> None:
    order = shop.resources["order"].schema
    assert order["properties"]["replaces"] is order
    assert "$ref" in shop.document["components"]["schemas"]["Order"]["properties"]["replaces"]


def test_a_part_of_the_document_knows_its_line(shop: Contract) -> None:
    place = shop.operations["createCustomer"].place
    assert SHOP.splitlines()[place.line - 1].strip() == "post:"
    assert str(place).endswith(f"shop/openapi.yaml:{place.line}")


# What is said of a broken one

CASES: dict[str, tuple[str, str, str, str]] = {  # name -> text, what replaces it, the line to blame, a part of the message
    # OpenAPI
    "another version": ("openapi: 3.0.3", "openapi: 3.1.0", "openapi: 3.1.0", "is 3.1.0; only OpenAPI 3.0 is read"),
    "swagger": ("openapi: 3.0.3", "swagger: '2.0'", "swagger:", "Swagger 2.0"),
    "no version": ("openapi: 3.0.3", "x-nothing: 1", "x-nothing", "lacks openapi"),
    "an unknown word": ("version: v1}", "version: v1, titel: x}", "titel", "titel: is not known here; did you mean title?"),
    "a wrong type": ("explode: false", "explode: nope", "explode: nope", "must be a boolean, not 'nope'"),
    "no description": ("description: Gone.", "x-nothing: 1", "\"204\": {x", "lacks description"),
    "an undeclared path parameter": ("/customers/{id}/orders:", "/customers/{key}/orders:", "get:\n      operationId: listOrders", "'id'"),
    "a default of another type": ("minimum: 1, default: 1", "minimum: 1, default: one", "default: one", "'one' is not of type"),
    "a remote reference": ('"#/components/schemas/Summary"}', '"https://x.example/y"}', "x.example", "must be a place in this document"),
    "a file": ('"#/components/schemas/Summary"}', "/etc/passwd}", "/etc/passwd", "must be a place in this document"),
    "a dangling reference": ("responses/Page", "responses/Pages", "responses/Pages", "names nothing: #/components/responses/Pages; did you mean Page?"),
    "beside a reference": ('{$ref: "#/components/responses/Page"}', '{$ref: "#/components/responses/Page", x-why: 1}', "x-why", "beside a $ref"),
    "a function to call": ("scheme: bearer}", "scheme: bearer, x-bearerInfoFunc: os.system}", "os.system", "would run code"),
    "a controller": ("operationId: login", "operationId: login\n      x-openapi-router-controller: os", "controller", "would run code"),
    "an operation without id": ("operationId: getCustomer", "description: One.", "get:\n      description: One.", "lacks an operationId"),
    "an operationId twice": ("operationId: getCustomer", "operationId: listCustomers", "get:\n      operationId: listCustomers\n      x-semantics: {action: get", ""),
    "two paths alike": ("/login:", "/customers/{name}:\n    x-nothing: 1\n  /login:", "/customers/{name}:", "cannot be told from /customers/{id}"),
    "basic authentication": ("scheme: bearer", "scheme: basic", "scheme: basic", "only bearer is supported"),
    "a header with a space": ("name: X-Session}", "name: X Session}", "name: X Session}", "is no name of a header field"),
    "openIdConnect": ("type: http, scheme: bearer", "type: openIdConnect, openIdConnectUrl: 'https://x.example'", "openIdConnect,", "supported are"),
    "an unknown scheme": ("- bearer: []", "- baerer: []", "baerer", "is no security scheme; did you mean bearer?"),
    "an unknown scope": ("oauth: [write]", "oauth: [wriet]", "wriet", "wriet is no scope of oauth; did you mean write?"),
    "a broken pattern": ("^c-[0-9]+$", "^c-[0-9+$", "^c-[0-9+$", "is not a regular expression"),
    # The form of x-semantics
    "no semantics": ("x-semantics:\n  aliases: [/v1]", "x-nothing:\n  aliases: [/v1]", "openapi: 3.0.3", "lacks x-semantics"),
    "a misspelt word": ("envelopes:", "envelops:", "envelops:", "is not known here; did you mean envelopes?"),
    "a missing word": ("scheme: session, ", "", "sessions:", "lacks scheme"),
    "an unknown action": ("action: list, resource: customer", "action: lst, resource: customer", "lst", "cannot be 'lst'; did you mean list?"),
    "an unknown reason": ("invalid_body: 422", "invalid_bdy: 422", "invalid_bdy", "did you mean invalid_body?"),
    "a login with a resource": ("action: login,", "action: login, resource: customer,", "action: login", "does not belong here"),
    "an incomplete filter": ("filters: [created_at], match: from", "filters: [created_at]", "filters: [created_at]", "lacks match"),
    "two roles at once": ("{paging: number}", "{paging: number, identifies: customer}", "paging: number", "exclude each other"),
    "an origin misspelt": ('{docs: "https', '{dosc: "https', "dosc", "did you mean docs?"),
    "a joint misspelt": ("{join: [/address/street", "{jion: [/address/street", "jion", "must be"),
    "semantics in a schema": ("type: string, maxLength: 80", "type: string, x-semantics: {paging: size}", "x-semantics: {paging: size}", "nothing reads it"),
    # The root
    "a foreign address": ("8080/shop/api", "8080/store/api", "8080/store", "starts with /shop"),
    "no session scheme": ("scheme: session", "scheme: bearer", "scheme: bearer, life", "bearer is no security scheme of type apiKey"),
    "an unknown credential": ("credentials: [user]", "credentials: [usr]", "usr", "usr is not in the body of login; did you mean user?"),
    "no sessions": ("  sessions: {scheme: session, lifetime: 60, credentials: [user]}\n", "", "action: login", "needs sessions"),
    "an unknown token in a refusal": ("message: $message, details", "message: $mesage, details", "$mesage", "did you mean $message?"),
    "an unknown word in a message": ('"{resource} is', '"{resorce} is', "resorce", "did you mean resource?"),
    "no form of a violation": ("    violation: {in: $in, pointer: $pointer, message: $message}\n", "", "refusals:", "lacks violation"),
    # Resources
    "no such schema": ("schemas/Note\"", "schemas/Nota\"", "schemas/Nota", "did you mean #/components/schemas/Note?"),
    "an id that is not there": ("{property: id, pattern", "{property: key, pattern", "property: key", "customer has no property key"),
    "an id of another type": ('{property: id, pattern: "c-{n:03}"}', "{property: id}", "id: {property: id}\n      numbers", "is of type string"),
    "an unknown parent": ("parent: {resource: customer, property: customer_id, ", "parent: {resource: custmer, property: customer_id, ", "custmer", "custmer is no resource; did you mean customer?"),
    "its own ancestor": ("children: {", "parent: {resource: order, property: o}\n      children: {", "parent: {resource: order", "its own ancestor"),
    "an unknown child": ("resource: order, writable", "resource: ordr, writable", "ordr", "ordr is no resource"),
    "a child of somebody else": ("resource: order, writable", "resource: branch, writable", "resource: branch, writable", "customer is not the parent of branch"),
    "children nobody sees": ("children: {orders:", "children: {ordres:", "ordres", "no view of customer has ordres; did you mean orders?"),
    "an unknown reference": ("resource: branch\n", "resource: brnch\n", "brnch", "brnch is no resource; did you mean branch?"),
    "a reference by what is not unique": ("resource: branch\n", "resource: branch\n          by: address\n", "by: address", "does not identify a branch"),
    "showing what is not there": ("/address/city]", "/address/town]", "/address/town", "branch has nothing at /address/town"),
    "shown nowhere": ("show: {customer_name", "show: {costumer_name", "costumer_name", "no view of order has costumer_name"),
    "unique nothing": ("property: email, case", "property: emial, case", "emial", "customer has no property emial; did you mean email?"),
    "initially nothing": ("initial: {active", "initial: {aktive", "aktive", "did you mean active?"),
    "initially computed": ("initial: {active: true}", "initial: {branch: 1}", "branch: 1", "branch is computed from branch_id"),
    "created nowhere": ("created: created_at", "created: created_on", "created: created_on", "did you mean created_at?"),
    "exclusive text": ("property: express", "property: state", "property: state", "state is not a boolean"),
    "an unrelated cascade": ("cascades: [note]", "cascades: [branch]", "cascades", "branch neither belongs nor refers to customer"),
    "an unknown guard": ("{resource: order, property: customer_id, unless", "{resource: oder, property: customer_id, unless", "oder,", "oder is no resource"),
    "a guard on another property": ("property: customer_id, unless", "property: state, unless", "property: state", "state of order does not hold the id of a customer"),
    "a guard's unknown value": ("[shipped]", "[sent]", "[sent]", "state is never sent"),
    # Operations
    "an operation without semantics": ("      x-semantics: {action: delete, resource: customer}\n", "", "delete:", "lacks x-semantics"),
    "an unknown resource": ("action: get, resource: customer", "action: get, resource: custmer", "custmer", "did you mean customer?"),
    "an unknown envelope": ("envelope: page}", "envelope: pge}", "pge", "pge is no envelope; did you mean page?"),
    "an envelope without a body": ("action: delete, resource: customer}", "action: delete, resource: customer, envelope: one}", "action: delete", "204 has no JSON body"),
    "a body without an envelope": ("resource: order, envelope: orders}", "resource: order}", "action: list, resource: order", "lacks envelope"),
    "a token the action cannot give": ("total: $total", "total: $session", "envelope: page", "page has $session, which list does not give"),
    "a list without its records": ("data: $records, meta", "data: [], meta", "envelope: page", "page has no place for $records"),
    "an unknown token": ("{data: $record}", "{data: $rekord}", "envelope: one", "did you mean $record?"),
    "a parent's unknown property": ("$parent.name", "$parent.nam", "envelope: orders", "customer has no property nam; did you mean name?"),
    "no place for the records": ("data: {type: array, items: {$ref: \"#/components/schemas/Summary\"}}", "rows: {type: array, items: {}}", "schema:\n            type: object\n            properties:\n              rows", "does not have data"),
    "records that are no array": ("data: {type: array, items: {$ref: \"#/components/schemas/Summary\"}}", "data: {type: string}", "schema:\n            type: object\n            properties:\n              data", "data is no array"),
    "more than the answer gives": ("required: [data]", "required: [data, meta]", "schema:\n            type: object\n            required", "requires meta"),
    "nothing identified": ("action: delete, resource: customer", "action: delete, resource: order", "delete:", "has no path parameter that identifies the order"),
    "an unknown target": ("target: id", "target: idd", "target: idd", "the body has no property idd; did you mean id?"),
    "no body": ("      requestBody:\n        required: true\n        content: {application/json: {schema: {$ref: \"#/components/schemas/Order\"}}}\n", "", "put:", "has no JSON body"),
    "nobody to belong to": ("action: create, resource: customer", "action: create, resource: note", "post:\n      operationId: createCustomer", "names no customer that the note belongs to"),
    # Parameters
    "a silent parameter": ("          x-semantics: {filters: [created_at], match: from}\n", "", "- name: since", "says nothing about what it does"),
    "a stranger identified": ("{identifies: customer}", "{identifies: branch}", "identifies: branch", "branch is neither customer nor a parent of it"),
    "identified by a query": ("{paging: number}", "{identifies: customer}", "identifies: customer}, schema: {type: integer", "path parameters only"),
    "a body that may be absent": ("        required: true\n        content: {application/json: {schema: {$ref: \"#/components/schemas/Order\"}}}\n", "        content: {application/json: {schema: {$ref: \"#/components/schemas/Order\"}}}\n", "requestBody:\n        content", "must be required"),
    "pages without a first": ("schema: {type: integer, minimum: 1, default: 1}", "schema: {type: integer, default: 1}", "paging: number", "needs a minimum of 1"),
    "paged by a text": ("schema: {type: integer, minimum: 1, default: 1}", "schema: {type: string}", "paging: number", "needs an integer, not type string"),
    "an unknown filter": ("filters: [name, ", "filters: [nam, ", "filters: [nam,", "customer has no property nam; did you mean name?"),
    "a computed filter": ("filters: [name, ", "filters: [branch/id, ", "filters: [branch", "branch is computed from branch_id"),
    "a filter on no child's property": ("orders/*/state", "orders/*/stat", "orders/*/stat]", "order has no property stat"),
    "a filter on children": ("orders/*/state", "orders/state", "orders/state]", "write orders/*/"),
    "in without an array": ("{type: array, items: {type: integer}}", "{type: integer}", "match: in}", "in needs an array, not type integer"),
    "a date without format": ("schema: {type: string, format: date-time}", "schema: {type: string}", "match: from", "needs a text of format date"),
    "a flag of text": ("schema: {type: integer, enum: [0, 1]}", "schema: {type: string}", "match: flag", "not type string"),
    "a flag on a text": ("filters: [active], match: flag", "filters: [name], match: flag", "match: flag", "flag is for booleans"),
    "one value of an array": ("match: in}", "match: equals}", "match: equals", "needs one value, not type array"),
    # YAML
    "a key twice": ("info: {", "openapi: 3.0.3\ninfo: {", "openapi: 3.0.3\ninfo", "is there twice; the first is on line 1"),
    "no YAML": ("info: {title: Shop, version: v1}", "info: {title: Shop, version: v1", "x-origin: seed\nservers", "is not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_named_with_its_line(load: Loader, case: str) -> None:
    """Whoever breaks a contract is told where and what would be right."""
    old, new, line, message = CASES[case]
    assert old in SHOP
    text = SHOP.replace(old, new)
    expected = text[: text.index(line)].count("\n") + 1

    with pytest.raises(BrokenContract) as caught:
        load(text)

    told = [mistake for mistake in caught.value.mistakes if message in str(mistake)]
    assert expected in {mistake.place.line for mistake in told}, str(caught.value)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(load: Loader) -> None:
    """Nobody mends a contract one start at a time."""
    text = SHOP.replace("version: v1}", "titel: x}").replace("scheme: bearer}", "scheme: basic}").replace("[note]", "[nota]")

    with pytest.raises(BrokenContract) as caught:
        load(text)

    lines = str(caught.value).splitlines()
    assert [line.split("shop/openapi.yaml:")[1] for line in lines] == [
        "2: /info: lacks version",
        "2: /info/titel: is not known here; did you mean title?",
        "42: /x-semantics/resources/customer/deletion/cascades/0: nota is no resource; did you mean note?",
        "160: /components/securitySchemes/bearer: uses HTTP basic; of HTTP only bearer is supported",
    ]


def test_two_resources_may_count_alike(shop: Contract) -> None:
    """Ids are those of one resource: order 1 and note 1 are two records."""
    assert shop.resources["note"].id == shop.resources["order"].id


# Whatever the text, a contract or its mistakes

SHOP_DOCUMENT = documents.read(SHOP.encode(), "shop.yaml").value
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["customer", "$records", "#/components/schemas/Order"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("$ref"), inner, max_size=3),
    max_leaves=5,
)


def _tried(text: bytes) -> Contract | tuple[Mistake, ...]:
    """The contract, or what is wrong with it."""
    try:
        return contract.compiled(documents.read(text, "shop.yaml"), Path("shop.yaml"), "shop")
    except BrokenContract as broken:
        return broken.mistakes


def _paths(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [path, *(below for step, part in steps for below in _paths(part, (*path, step)))]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_text_fails_in_another_way(text: bytes) -> None:
    """Any bytes are a contract or a list of mistakes, never a traceback."""
    assert _tried(text)


@given(st.data())
@settings(max_examples=300)
def test_no_change_of_a_value_fails_in_another_way(data: st.DataObject) -> None:
    """Whatever stands at whichever place of a contract, it is a contract or a list of mistakes."""
    document = copy.deepcopy(SHOP_DOCUMENT)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(_paths(document)[1:]))
        schemas.at(document, tuple(above))[last] = data.draw(JSON)
    assert _tried(json.dumps(document).encode())


@given(st.integers(0, len(SHOP)), st.integers(0, 200), st.text(max_size=4))
@settings(max_examples=200)
def test_no_slip_of_the_hand_fails_in_another_way(start: int, length: int, text: str) -> None:
    """A stretch of the text that is lost or overwritten is a list of mistakes, or changes nothing."""
    assert _tried((SHOP[:start] + text + SHOP[start + length :]).encode())


# openapi-spec-validator's verdict

VALIDATES = """
import sys
from pathlib import Path
from mock_server import contract
contract.load(Path(sys.argv[1]), "shop")
print("openapi_spec_validator" in sys.modules)
"""


def _validates(file: Path, cache: Path) -> bool:
    """Whether loading the contract in a process of its own asks openapi-spec-validator."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(Path(contract.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", VALIDATES, str(file)], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip() == "True"


def test_a_document_is_validated_once(tmp_path: Path) -> None:
    """The slow validator is asked again only when the text, or the validator, is another."""
    file = tmp_path / "openapi.yaml"
    file.write_text(SHOP, encoding="utf-8")

    assert _validates(file, tmp_path)
    assert not _validates(file, tmp_path)

    file.write_text(SHOP + "\n", encoding="utf-8")
    assert _validates(file, tmp_path)


def test_a_spoilt_cache_is_not_believed(tmp_path: Path, load: Loader) -> None:
    """Nothing that is kept is needed: what cannot be used is made again."""
    made = load(SHOP)
    kept = {file: file.read_bytes() for file in (tmp_path / "cache" / "mock-server").iterdir()}
    assert len(kept) == 3

    for text in ("", "{", "[]", "{}", '{"value": [], "marks": {}}'):
        for file in kept:
            file.write_text(text, encoding="utf-8")

        assert load(SHOP).document == made.document
        assert {file: file.read_bytes() for file in kept} == kept


def test_a_cache_that_cannot_be_written_is_no_mistake(tmp_path: Path, load: Loader) -> None:
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    assert load(SHOP).name == "shop"


# Several contracts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("shop", "another"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "openapi.yaml").write_text(SHOP.replace("8080/shop", f"8080/{name}"), encoding="utf-8")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_every_folder_with_a_document_is_an_api(folder: Path) -> None:
    assert list(contract.load_all(folder)) == ["another", "shop"]
    assert list(contract.load_all(folder, ["shop"])) == ["shop"]


def test_an_unknown_api_is_told_with_those_there_are(folder: Path) -> None:
    with pytest.raises(contract.UnknownContract, match=r"no contract called shoe in .*; there are another, shop\."):
        contract.load_all(folder, ["shoe"])


def test_a_folder_without_contracts_is_told(tmp_path: Path) -> None:
    with pytest.raises(contract.UnknownContract, match="There is no contract in"):
        contract.load_all(tmp_path)


def test_the_mistakes_of_all_contracts_are_told_together(folder: Path) -> None:
    for name in ("shop", "another"):
        (folder / name / "openapi.yaml").write_text("openapi: 3.1.0", encoding="utf-8")

    with pytest.raises(BrokenContract) as caught:
        contract.load_all(folder)

    assert [Path(mistake.place.file).parent.name for mistake in caught.value.mistakes] == ["another", "shop"]


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match="cannot be read"):
        contract.load(tmp_path / "openapi.yaml", "shop")


# Schemas


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer"}, "integer"),
        ({"allOf": [{"type": "object"}], "nullable": True}, "object"),
        ({"properties": {}}, "object"),
        ({"items": {}}, "array"),
        ({"enum": [None, 1]}, "integer"),
        ({"oneOf": [{"type": "number"}, {"type": "string"}]}, "string"),
        ({"minimum": 1}, "number"),
        ({}, "string"),
    ],
)
def test_a_schema_has_a_type_even_if_it_names_none(schema: contract.Schema, kind: str) -> None:
    assert contract.json_type(schema) == kind


def test_properties_include_those_of_all_of() -> None:
    """In the order of the document; a property said twice has what both say."""
    first = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    whole = {"allOf": [first, {"allOf": [{"properties": {"c": {}}}]}], "properties": {"a": {"maxLength": 3}}}
    assert contract.properties(whole) == {"a": {"type": "string", "maxLength": 3}, "b": {"type": "string"}, "c": {}}


def test_a_schema_that_contains_itself_has_properties() -> None:
    schema: dict[str, object] = {"properties": {"a": {}}}
    schema["allOf"] = [schema]
    assert contract.properties(schema) == {"a": {}}
