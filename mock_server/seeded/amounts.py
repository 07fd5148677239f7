"""Amounts of money, exact to the cent: JSON numbers outside, integers of cents inside."""

from __future__ import annotations

from mock_server.contract import Json


def cents(amount: int) -> int | float:
    """Cents as an amount."""
    return amount // 100 if amount % 100 == 0 else amount / 100


def in_cents(amount: Json) -> int:
    return amount * 100 if amount.__class__ is int else round((amount or 0) * 100)


def product(one: Json, other: Json) -> int | float:
    """Two amounts multiplied, halves of a cent up."""
    return cents((in_cents(one) * in_cents(other) + 50) // 100)
