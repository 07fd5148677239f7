"""Integers that look random and are the same everywhere: pure functions of what they are asked about."""

from __future__ import annotations

from hashlib import blake2b

MASK = (1 << 64) - 1
BITS_48 = (1 << 48) - 1
ODD = 0x9E3779B97F4A7C15


def mix(number: int) -> int:
    """64 bits that depend on every bit of `number` (splitmix64)."""
    number = (number + ODD) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def drawn(key: int, number: int) -> int:
    """48 bits for one of many questions about the same key: quicker than `mix`, which has to have made the key."""
    return (key ^ number) * ODD >> 16 & BITS_48


def salt(text: str) -> int:
    """64 bits for a name or a JSON pointer; slow beside `mix`, so taken once at start."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


_POWERS = tuple(10**length for length in range(20))


def digits(key: int, length: int) -> str:
    """`length` decimal digits, at most 19, the first of which may be 0."""
    return str(key % _POWERS[length]).zfill(length)
