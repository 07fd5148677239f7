"""How a text may be changed on its way into another one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache


@lru_cache(8192)
def slug(text: str) -> str:
    """The text as it stands in a domain: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub("-+", "-", "".join(char if char.isalnum() else "-" if char in " -&,/" else "" for char in plain)).strip("-")


CHANGES: dict[str, Callable[[str], str]] = {
    "slug": slug,
    "upper": str.upper,
    "lower": str.lower,
    "initial": lambda text: text[:1],
    "word": lambda text: text.split()[0].strip(",-") if text.split() else text,
    "digits": lambda text: "".join(char for char in text if char.isdigit()),
    "year": lambda text: text[:4],
    "day": lambda text: text[:10],
}
