"""HTML that is put together from parts: whatever is not made here is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable

from contract_tests.reports.escaping import printable

EMPTY = frozenset({"br", "col", "meta"})  # elements without an end tag


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """A text as HTML shows it, with what nobody would see made visible."""
    return text if isinstance(text, Markup) else Markup(html.escape(printable(text, kept="\n\t")))


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """The parts one after the other."""
    return Markup(escaped(between).join(map(escaped, parts)))


def tag(name: str, *parts: str, **attributes: str) -> Markup:
    """An element with its content. An attribute with an empty value is left out; `class_` is class."""
    told = "".join(f' {key.rstrip("_")}="{escaped(value)}"' for key, value in attributes.items() if value)
    return Markup(f"<{name}{told}>" if name in EMPTY else f"<{name}{told}>{joined(parts)}</{name}>")
