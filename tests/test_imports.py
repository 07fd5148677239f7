"""Imports run one way, and what belongs at the edges stays there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from mock_server import verdicts

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mock_server"


def modules() -> dict[str, ast.Module]:
    """Each module of the package by its name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text())
    return found


def imported(node: ast.AST) -> Iterator[str]:
    """What a module imports when it is loaded: not what only the type checker reads, nor what a function imports when called."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield str(child.module)
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from imported(child)


def test_imports_run_one_way() -> None:
    """No module needs one that needs it."""
    known = modules()
    graph = {
        name: {other for other in imported(tree) if other in known and not name.startswith(other)} for name, tree in known.items()
    }

    TopologicalSorter(graph).prepare()


def test_a_verdict_that_is_kept_names_all_that_judged() -> None:
    """A change of any module that the rules need makes the verdicts of before void."""
    known = modules()
    judging, waiting = set[str](), ["mock_server.openapi_rules", "mock_server.semantics_rules"]
    while waiting:
        judging.add(name := waiting.pop())
        waiting += {other for other in imported(known[name]) if other in known} - judging - {"mock_server"}

    assert {judge.__name__ for judge in verdicts.JUDGES} == judging


def test_only_the_bridge_knows_connexion() -> None:
    """HTTP and Connexion end there."""
    knowing = {name for name, tree in modules().items() if any(other.split(".")[0] == "connexion" for other in imported(tree))}

    assert {name.split(".")[1] for name in knowing} == {"bridge"}


def test_no_code_knows_one_api() -> None:
    """An API is documents: its name stands in no line that runs."""
    names = {path.parent.name for path in (ROOT / "openapi").glob("*/openapi.yaml")} - {"control"}
    knowing = [
        f"{module}: {node.value}"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() in names
    ]

    assert knowing == []


def test_time_and_chance_come_from_the_world() -> None:
    """Nothing but the clock looks at the time, nothing draws from random or uuid."""
    allowed = {
        "mock_server.clock": {"time"},
        "mock_server.front": {"time"},  # how long a request took, for the log
        "mock_server.exchanges": {"time"},  # how long an answer took, for the journal
        "mock_server.pytest_plugin": {"secrets"},  # no part of the server
    }
    found = {
        name: {other for other in imported(tree) if other in {"random", "uuid", "secrets", "time"}} - allowed.get(name, set())
        for name, tree in modules().items()
    }

    assert {name: used for name, used in found.items() if used} == {}
