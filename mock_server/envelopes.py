"""An envelope's template -> its bytes, with the tokens' values in their places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import orjson

from mock_server.schemas import Json

_TOKEN = re.compile(rb'"(\$[a-z]+(?:\.[A-Za-z0-9_]+)?)"')


class Envelope:
    """A compiled template: the bytes between the tokens, and which token stands behind each."""

    __slots__ = ("_last", "_only", "_parts", "of_parent", "tokens")

    def __init__(self, template: Json) -> None:
        *pieces, self._last = _TOKEN.split(orjson.dumps(template))
        self._parts = [(text, token.decode()) for text, token in zip(pieces[::2], pieces[1::2], strict=True)]
        self.tokens = frozenset(token for _, token in self._parts)
        bare = len(self._parts) == 1 and not self._parts[0][0] and not self._last
        self._only = self._parts[0][1] if bare else ""  # the token, where it is the whole template
        self.of_parent = tuple(token for _, token in self._parts if token.startswith("$parent."))

    def sealed(self, values: Mapping[str, bytes]) -> bytes:
        """The template with each token replaced by its JSON."""
        if self._only:
            return values[self._only]
        return b"".join([part for text, token in self._parts for part in (text, values[token])]) + self._last


def array(items: Iterable[bytes]) -> bytes:
    """A JSON array of values that are JSON already."""
    return b"[%b]" % b",".join(items)
