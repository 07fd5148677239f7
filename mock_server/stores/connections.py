"""Connections to a database that stay open, and statements on them as the database's own driver takes them.

SQLAlchemy opens the connections, and writes each statement once. It is not asked again for every request: its way to the driver
and back takes longer than the database needs to answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection as Opened
from sqlalchemy import Delete, Dialect, Engine, Insert, Select, Update

Statement = Select[Any] | Insert | Update | Delete
Value = str | int | bytes | None
Values = Mapping[str, Value]
NONE: Values = {}

BEGIN = {"sqlite": "BEGIN IMMEDIATE"}  # It has no lock for a row: whoever may write takes the file's from the start.


class Texts:
    """Statements as a driver takes them, each written once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: dict[Statement, tuple[str, Values]] = {}

    def of(self, statement: Statement, values: Values) -> tuple[str, Values]:
        """Its text, and all values in it: those that are given, and those that it brings along."""
        known = self._known.get(statement)
        if known is None:
            made = statement.compile(dialect=self._dialect)
            known = self._known[statement] = str(made), {name: value for name, value in made.params.items() if value is not None}
        text, own = known
        return text, {**own, **values} if own else values


class Connection:
    """One connection. A statement is a transaction of its own, unless one was begun."""

    def __init__(self, opened: Opened, texts: Texts) -> None:
        self._opened = opened
        self._texts = texts
        self._begin = BEGIN.get(opened.dialect.name, "BEGIN")
        self._cursor = opened.connection.cursor()  # Kept: to make one takes as long as to ask for a row.

    def run(self, statement: Statement, values: Values = NONE) -> None:
        """Have a statement take effect."""
        self._cursor.execute(*self._texts.of(statement, values))

    def run_each(self, statement: Statement, every: Sequence[Values]) -> None:
        """The same for each of some values."""
        if len(every) == 1:
            self.run(statement, every[0])
        elif every:
            text, _ = self._texts.of(statement, every[0])
            self._cursor.executemany(text, every)

    def rows(self, statement: Statement, values: Values = NONE) -> Sequence[Any]:
        """The rows that a statement answers, as tuples."""
        self.run(statement, values)
        return self._cursor.fetchall()  # To the end: SQLite commits no sooner.

    def row(self, statement: Statement, values: Values = NONE) -> Any:
        """The row that a statement answers, as a tuple; None if there is none."""
        found = self.rows(statement, values)
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is said meanwhile takes effect at the end, or after an error not at all."""
        self._cursor.execute(self._begin)
        try:
            yield
            self._cursor.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # The connection may be lost, and the transaction with it.
                self._cursor.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._opened.invalidate()  # No last word is said: it may be lost.
        self._opened.close()


class Connections:
    """As many connections as are in use at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._texts = Texts(engine.dialect)
        self._failures = engine.dialect.loaded_dbapi.Error
        self._idle: list[Connection] = []

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """A connection that nobody else uses meanwhile."""
        connection = self._taken()
        try:
            yield connection
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, self._failures):
                self._idle.append(connection)  # It is nothing that the database said.
            else:
                connection.close()
                self.close()  # What it met, such as the database's restart, the others would meet as well.
            raise
        self._idle.append(connection)

    def _taken(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return Connection(self._engine.connect(), self._texts)

    def close(self) -> None:
        """Close those that are not in use."""
        while self._idle:
            self._idle.pop().close()
