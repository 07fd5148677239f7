"""Texts of strangers -> texts that a terminal, an XML reader or a page takes for nothing but text."""

from __future__ import annotations

import re
import unicodedata

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # categories without a glyph of their own
_KEPT = frozenset({"\u200d", "\u200c"})  # joiners within emoji and words


def printable(text: str, kept: str = "") -> str:
    """The text with what a terminal would obey, or nobody would see, as an escape; the `kept` characters aside."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character in kept else _shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) in _MARKED and character not in _KEPT:
        return character.encode("unicode_escape").decode()
    return character


def xml(text: str) -> str:
    """The text with the characters that XML 1.0 cannot hold as escapes."""
    return _NOT_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shortened(text: str, longest: int) -> str:
    """The beginning of a text, and how much more there is."""
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more)"


def body(content: bytes | None) -> str:
    """A body as a person reads it; bytes that are no text as escapes."""
    return (content or b"").decode(errors="backslashreplace")
