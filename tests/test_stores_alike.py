"""A store changes where worlds are kept, and nothing that they answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mock_server import clock
from mock_server.settings import Settings
from tests.conftest import NOW, serving

ADMIN = {"Authorization": "Bearer test-admin"}
LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}
EXAMPLES = 15
STEPS_TAKEN = 20
LATE = "9999-12-31T23:00:00Z"


@dataclass(frozen=True)
class Step:
    """One request; WORLD stands for the name of the world that it is about."""

    method: str
    path: str
    body: Any = None


def fentu(method: str, path: str, body: Any = None) -> Step:
    return Step(method, f"/w/WORLD/fentu/api/v1/customers{path}", body)


def control(method: str, path: str = "", body: Any = None) -> Step:
    return Step(method, f"/_mock/worlds/WORLD{path}", body)


LOG_IN, LOGGED_IN = Step("POST", "/w/WORLD/lemonsoft/api/auth/login", LOGIN), Step("GET", "/w/WORLD/lemonsoft/api/auth/alive")
MADE, DELETED = fentu("POST", "", {"name": "Made", "email": "made@alike.example"}), control("DELETE")
FORTH, BACK = (control("POST", "/clock/advance", {"seconds": seconds}) for seconds in (7200, -7200))
SEEN = [control("GET"), control("GET", "/export"), control("GET", "/trash"), control("GET", "/clock")]
IDS = ("cust-001", "cust-002", "cust-060", "cust-061", "cust-062", "cust-901")
STEPS = [
    MADE,
    DELETED,
    LOG_IN,
    LOGGED_IN,
    *SEEN,
    fentu("GET", "?per_page=100&search=made"),
    *(fentu("GET", f"/{id}") for id in IDS),
    *(fentu("PUT", f"/{id}", {"email": "MADE@alike.example"}) for id in IDS),
    *(fentu("DELETE", f"/{id}") for id in IDS),
    *(fentu("POST", f"/{id}/contacts", {"name": "Ann", "is_primary": True}) for id in IDS),
    *(control("POST", "/trash/restore", {"api": "fentu", "resource": "customer", "id": id}) for id in IDS),
    control("POST", "/trash/purge"),
    control("POST", "/trash/purge", {"resource": "contact"}),
    control("POST", "/reset"),
    control("POST", "/reset", {"seed": 7, "scale": 61}),
    control("POST", "/reset", {"situation": "blocked"}),
    control("POST", "/reset", {"situation": "expired-session"}),
    control("POST", "/reset", {"situation": "many-contacts", "scale": 0}),
    control("POST", "/snapshot", {"name": "WORLD"}),
    control("POST", "/restore", {"name": "WORLD"}),
    control("POST", "/fork", {"from": "WORLD"}),
    control("POST", "/fork", {"from": "WORLD-2"}),
    Step("POST", "/_mock/worlds/WORLD-2/fork", {"from": "WORLD"}),
    control("PUT", "/clock", {"frozen": True, "at": LATE}),
    FORTH,
    BACK,
]


class Asked:
    """Servers that are asked in turn, as if they were one."""

    def __init__(self, servers: list[httpx.Client], world: str) -> None:
        self._servers = itertools.cycle(servers)
        self._world = world
        self._session = "none"

    def answers(self, steps: list[Step]) -> Iterator[tuple[Step, int, Any]]:
        """Each step with its status and the rest that must be alike."""
        for step in steps:
            body = None if step.body is None else {name: self._in(value) for name, value in step.body.items()}
            headers = {"Session-Id": self._session} if "lemonsoft" in step.path else {}
            answer = next(self._servers).request(step.method, self._in(step.path), json=body, headers=headers)
            told = answer.json() if answer.content else None
            if isinstance(told, dict):
                told.pop("used", None)  # by the machine's clock
                self._session = told.pop("session_id", self._session)  # opaque
            yield step, answer.status_code, told

    def _in(self, value: Any) -> Any:
        return value.replace("WORLD", self._world) if isinstance(value, str) else value


def test_servers_on_one_store_answer_as_one_in_memory(store: str) -> None:
    """Whatever they are asked, in turn: records, totals, refusals, trash, clocks, sessions, snapshots, forks."""
    names = itertools.count()
    with ExitStack() as stack:
        alone = Settings(clock=clock.read(NOW), check_replies="all", log="off")
        shared = replace(alone, store=store)
        roots = [stack.enter_context(serving(one)) for one in (alone, shared, shared)]
        memory, *servers = (stack.enter_context(httpx.Client(base_url=root, headers=ADMIN)) for root in roots)

        @settings(max_examples=EXAMPLES)
        @example([control("PUT", "/clock", {"frozen": True, "at": LATE}), control("GET"), DELETED, MADE, *SEEN])
        @example([control("POST", "/reset", {"situation": "many-contacts", "scale": 0}), *SEEN])
        @example([LOG_IN, FORTH, MADE, LOGGED_IN, BACK, LOGGED_IN, LOGGED_IN])
        @example([fentu("DELETE", "/cust-002"), fentu("DELETE", "/cust-001"), *SEEN, *SEEN])
        @given(st.lists(st.sampled_from(STEPS), max_size=STEPS_TAKEN))
        def alike(steps: list[Step]) -> None:
            world = f"{store[:6]}-{next(names)}"
            assert list(Asked(servers, world).answers(steps)) == list(Asked([memory], world).answers(steps))

        alike()
