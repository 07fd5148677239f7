"""Recorded exchanges, held against the contracts.

`recorded` reads them, `reading` finds the operation of each, `judging` says what is wrong with it, `usage` which parts of the
contract it uses, `telling` writes both down, `command` does all of it.
"""
