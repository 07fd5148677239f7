"""How a text may be changed on its way into another one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

_SLUGGED = {code: char if (char := chr(code)).isalnum() else "-" if char in " -&,/" else None for code in range(128)}


@lru_cache(1024)
def slug(text: str) -> str:
    """The text as it stands in a domain: small letters, digits and hyphens."""
    plain = text.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    plain = plain.translate(_SLUGGED).strip("-")
    return re.sub("--+", "-", plain) if "--" in plain else plain


CHANGES: dict[str, Callable[[str], str]] = {
    "slug": slug,
    "upper": str.upper,
    "lower": str.lower,
    "initial": lambda text: text[:1],
    "word": lambda text: text.split()[0].strip(",-") if text.split() else text,
    "digits": lambda text: "".join(filter(str.isdigit, text)),
    "year": lambda text: text[:4],
    "day": lambda text: text[:10],
}
