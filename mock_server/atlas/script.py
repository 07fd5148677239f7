"""A recipe -> lines for a POSIX shell, with curl."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from mock_server import curl
from mock_server.atlas.recipe import SESSION, Recipe, Request

VARIABLE = '"$session"'
TAKEN = "import functools, json, sys; print(functools.reduce(lambda part, name: part[name], sys.argv[1:], json.load(sys.stdin)))"


def lines(recipe: Recipe, root: str) -> Iterator[str]:
    """The recipe in the world of its own name, on a server at this address; the last line shows the error."""
    yield f"# {recipe.api} {recipe.operation} {recipe.status}: {recipe.title}"
    for request in recipe.requests[:-1]:
        yield _line(request, f"{root}{request.addressed(recipe.name)}", "curl -s")
    yield _line(recipe.requests[-1], f"{root}{recipe.requests[-1].addressed(recipe.name)}", "curl -i")


def _line(request: Request, url: str, command: str) -> str:
    if request.padded:  # A shell's word cannot be that long.
        bare = replace(request, body=None, padded=0)
        filled = f"printf '%-{request.padded}s' {shlex.quote(request.body or '')}"
        return f"{filled} | {_line(bare, url, command)} --data-binary @-"
    line = curl.line(request.method, url, request.headers, request.body)
    line = line.replace("curl ", f"{command} ", 1).replace(SESSION, f"'{VARIABLE}'").replace(f"{VARIABLE}''", VARIABLE)
    if not request.session:
        return line
    return f"session=$({line} | python3 -c {shlex.join([TAKEN, *request.path])})"
