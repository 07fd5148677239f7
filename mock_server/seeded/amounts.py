"""Amounts of money, exact to the cent: JSON numbers outside, integers of cents inside."""

from __future__ import annotations

from mock_server.contract import Json


def cents(amount: int) -> int | float:
    """Cents as an amount."""
    return amount // 100 if amount % 100 == 0 else amount / 100


def in_cents(amount: Json) -> int:
    return amount * 100 if amount.__class__ is int else round((amount or 0) * 100)


def product(one: Json, other: Json, per: int = 1) -> int | float:
    """Two amounts multiplied, the second as so many parts of a whole, halves of a cent up."""
    one = one * 100 if one.__class__ is int else round((one or 0) * 100)  # `in_cents` and `cents`, written out: most of the time
    other = other * 100 if other.__class__ is int else round((other or 0) * 100)
    amount: int = (one * other + 50 * per) // (100 * per)
    return amount // 100 if amount % 100 == 0 else amount / 100
