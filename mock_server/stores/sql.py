"""The store in a SQL database: SQLite in a file, or PostgreSQL for several processes and machines.

Each world has a row with a version that every write counts up, and a row for each record written, with the version of its last
write: whoever knows version 7 reads the rows after 7, and nothing but the world's row while there are none. A writer locks that
row, catches up, writes, and commits before it answers; so writes to one world follow each other, wherever they come from, and
none is lost.

An exchange is kept before it is answered, by one statement that also numbers it: whoever has the answer finds it in the journal,
whichever process is asked. If the database's machine fails, an exchange that changed something lasts as what it changed does; of
the others PostgreSQL may lose the last second's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection as Opened
from sqlalchemy import Select, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from mock_server import armed, journal
from mock_server.clock import MICROSECONDS, Clock
from mock_server.refusals import Refusal
from mock_server.state import Session, Trashed
from mock_server.stores import UnknownStore, statements
from mock_server.stores.connections import BEGIN, Connection, Connections, Value, Values
from mock_server.stores.statements import Known

if TYPE_CHECKING:
    from mock_server.journal import Exchange
    from mock_server.worlds import World

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_STYLES = {"sqlite": "named", "postgresql+psycopg": "pyformat"}  # how a driver is given values by name
TRIM_STEP = 64  # exchanges of a world and a process after which those beyond the bounds are deleted
USED_STEP = 60 * MICROSECONDS  # how exactly a world's last use is kept where none ends
USED_STEPS = 60  # where worlds end: so many steps in a lifetime
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # methods that change nothing (RFC 9110, 9.2.1)


class Sql:
    """Worlds live in a database."""

    shared = True

    def __init__(self, address: str, kept: int, lifetime: int) -> None:
        self._kept = kept  # exchanges of a world
        self._noted: dict[str, int] = {}  # how many exchanges of a world this process has noted
        self._step = lifetime * MICROSECONDS // USED_STEPS if lifetime else USED_STEP  # how exactly a world's last use is kept
        try:
            url = make_url(address)
            url = url.set(drivername=_DRIVERS[url.drivername])
            if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
                raise KeyError(address)  # Each process would have a database of its own, which ends with it.
        except (ArgumentError, KeyError):
            raise UnknownStore(
                f"--store must be memory, sqlite:///FILE or postgresql://USER@HOST/NAME, not {address!r}"
            ) from None
        engine = create_engine(url, poolclass=NullPool, paramstyle=_STYLES[url.drivername])
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepared)
            event.listen(engine, "begin", _begun)
        try:
            with engine.begin() as opened:
                if engine.dialect.name == "postgresql":  # Processes that make the same table meet errors of several kinds.
                    opened.execute(statements.ALONE)
                statements.METADATA.create_all(opened)
                self._check(opened, url.render_as_string())
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
            raise UnknownStore(f"--store {url.render_as_string()} cannot be opened: {reason}") from None
        dialect = engine.dialect.name
        self._connections = Connections(engine)
        self._put_records, self._put_session, self._put_snapshot = (
            statements.put(table, dialect) for table in (statements.RECORDS, statements.SESSIONS, statements.SNAPSHOTS)
        )
        self._put_world = statements.put_new(statements.WORLDS, dialect)
        self._note_reading = statements.NOTE_READING[dialect]

    @staticmethod
    def _check(opened: Opened, address: str) -> None:
        """Raise UnknownStore for tables of another version of this server."""
        there = inspect(opened)
        for table in statements.METADATA.sorted_tables:
            missing = {column.name for column in table.columns} - {column["name"] for column in there.get_columns(table.name)}
            if missing:
                raise UnknownStore(
                    f"--store {address} was made by another version: {table.name} lacks {', '.join(sorted(missing))}; "
                    "name a new one"
                )

    def refresh(self, world: World) -> None:
        with self._connections.one() as connection:
            if self._caught_up(connection, world, statements.LOOK):
                return
        with self.writing(world):  # It is new.
            pass

    @contextmanager
    def writing(self, world: World) -> Iterator[None]:
        known: Known | None = None
        try:
            with self._connections.one() as connection, connection.transaction():
                known = self._caught_up(connection, world, statements.LOCK)
                if known is None:
                    self._create(connection, world)
                yield
                self._save(connection, world)
        except Refusal:  # It has taken back what it had done to records.
            if known is not None:
                _set(world, known)
            raise
        except BaseException:
            world.void()  # What is kept is not known: it is read again.
            raise
        finally:
            world.saved()

    def names(self) -> list[str]:
        with self._connections.one() as connection:
            return sorted(name for (name,) in connection.rows(statements.NAMES))  # Here: a database may sort as people do.

    def count(self) -> int:
        with self._connections.one() as connection:
            found: int = connection.row(statements.COUNT)[0]
        return found

    def forget(self, name: str) -> None:
        with self._connections.one() as connection, connection.transaction():
            self._delete(connection, name)

    def expire(self, before: int, kept: str) -> list[str]:
        with self._connections.one() as connection, connection.transaction():
            idle: Values = {"before": before - self._step, "kept": kept}
            gone = [name for (name,) in connection.rows(statements.IDLE, idle)]
            for name in gone:
                self._delete(connection, name)
        return gone

    def record(self, world: World, exchange: Exchange) -> None:
        note = statements.NOTE if _changing(exchange) else self._note_reading
        values: Values = {"world": world.name, "size": exchange.size, "exchange": journal.encoded(exchange)}
        noted = self._noted.get(world.name, 0)
        self._noted[world.name] = noted + 1
        with self._connections.one() as connection:
            exchange.number = connection.row(note, values)[0]
            if noted % TRIM_STEP == 0:  # After the first too: of many processes, none may live to its next step.
                self._trim(connection, world.name)

    def journal(self, world: World) -> list[Exchange]:
        with self._connections.one() as connection:
            rows = connection.rows(statements.NEWEST, {"world": world.name, "kept": self._kept})
        return [journal.decoded(kept, world.name, number) for number, kept in reversed(rows)]

    def erase(self, world: World) -> None:
        with self._connections.one() as connection:
            connection.run(statements.ERASE, {"world": world.name})

    def snapshots(self) -> list[str]:
        with self._connections.one() as connection:
            return sorted(name for (name,) in connection.rows(statements.SNAPSHOT_NAMES))

    def snapshot(self, name: str) -> bytes | None:
        with self._connections.one() as connection:
            found: tuple[bytes] | None = connection.row(statements.SNAPSHOT, {"name": name})
        return found[0] if found else None

    def keep(self, name: str, export: bytes | None) -> None:
        with self._connections.one() as connection:
            if export is None:
                connection.run(statements.DROP_SNAPSHOT, {"name": name})
            else:
                connection.run(self._put_snapshot, {"name": name, "export": export})

    def close(self) -> None:
        self._connections.close()

    def _caught_up(self, connection: Connection, world: World, look: Select[Any]) -> Known | None:
        """Read what others wrote since; None if there is no such world."""
        row = connection.row(look, {"name": world.name})
        if row is None:
            if world.epoch is not None:
                world.void()
            return None
        known = Known(*row)
        if (known.epoch, known.version) != (world.epoch, world.version):
            self._catch_up(connection, world, known)
            if connection.row(statements.EPOCH, {"name": world.name}) != (known.epoch,):
                return self._caught_up(connection, world, look)  # It was set anew between the one reading and the other.
        world.used = max(world.used, known.used)
        if world.used - known.used > self._step:
            connection.run(statements.USE, {"name": world.name, "used": world.used})
        return known

    @staticmethod
    def _catch_up(connection: Connection, world: World, known: Known) -> None:
        if known.epoch != world.epoch:
            world.void()
            world.epoch, world.version = known.epoch, 0
        _set(world, known)
        since: Values = {"world": world.name, "version": world.version}
        for api, resource, number, record, trashed in connection.rows(statements.RECORDS_SINCE, since):
            binned = None if trashed is None else _trashed(resource, number, orjson.loads(trashed))
            world.state(api).restore(resource, number, None if record is None else orjson.loads(record), binned)
        for api, id, ends in connection.rows(statements.SESSIONS_SINCE, since):
            state = world.state(api)
            # A login lets go of those that have ended, here as where it was made.
            state.sessions = {id: session for id, session in state.sessions.items() if session.ends > world.clock.now()}
            state.sessions[id] = Session(id, ends)
        world.version = known.version

    def _create(self, connection: Connection, world: World) -> None:
        highest = connection.row(statements.HIGHEST)[0] or 0
        epoch = max(highest + 1, world.clock.system())  # One that no world of this name had before.
        made = connection.row(self._put_world, _row(world, epoch, 0))
        self._caught_up(connection, world, statements.LOCK)
        if made is not None:  # Else another process was faster.
            world.begin(world)
            world.cleared = False

    def _save(self, connection: Connection, world: World) -> None:
        version, epoch = world.version + 1, world.epoch or 0
        if world.cleared:
            self._clear(connection, world.name)
            epoch += 1
        written = dict.fromkeys(write.key for write in world.unsaved)
        connection.run_each(self._put_records, [_record(world, version, *key) for key in written])
        for api, session in world.unsaved_sessions:
            login: dict[str, Value] = {"world": world.name, "api": api, "id": session.id}
            connection.run(self._put_session, {**login, "version": version, "ends": session.ends})
            connection.run(statements.END_SESSIONS, {**login, "now": world.clock.now()})
        connection.run(statements.SAVE, _row(world, epoch, version))
        world.epoch, world.version = epoch, version

    def _trim(self, connection: Connection, name: str) -> None:
        """Delete the exchanges beyond the bounds."""
        connection.run(statements.TRIM_COUNT, {"world": name, "kept": self._kept})
        if (connection.row(statements.SIZE, {"world": name})[0] or 0) > journal.BYTES:
            connection.run(statements.TRIM_SIZE, {"world": name, "size": journal.BYTES})

    def _delete(self, connection: Connection, name: str) -> None:
        connection.run(statements.DELETE, {"name": name})
        self._clear(connection, name)
        self._noted.pop(name, None)

    @staticmethod
    def _clear(connection: Connection, name: str) -> None:
        for statement in statements.CLEAR:
            connection.run(statement, {"world": name})


def _changing(exchange: Exchange) -> bool:
    """Whether it may have changed something."""
    return bool(exchange.written) or (exchange.status < 400 and exchange.method not in SAFE)


def _set(world: World, known: Known) -> None:
    """Have a world what its row says of it, beside its records and sessions."""
    world.seed, world.scale, world.situation = known.seed, known.scale, known.situation
    world.clock = Clock(known.frozen, known.offset, world.clock.system)
    if known.armed != world.armed.text():
        world.armed = armed.read(known.armed, world.contracts)


def _row(world: World, epoch: int, version: int) -> dict[str, Value]:
    """What is kept of a world."""
    return {
        "name": world.name,
        "epoch": epoch,
        "version": version,
        "seed": world.seed,
        "scale": world.scale,
        "situation": world.situation,
        "frozen": world.clock.frozen,
        "offset": world.clock.offset,
        "used": world.used,
        "armed": world.armed.text(),
    }


def _record(world: World, version: int, api: str, resource: str, number: int) -> dict[str, Value]:
    """What is kept of a record that was written."""
    state = world.state(api)
    record, trashed = state.collections[resource].written.get(number), state.trash.get((resource, number))
    binned = trashed and {"record": trashed.record, "deleted": trashed.deleted, "root": trashed.root}
    return {
        "world": world.name,
        "api": api,
        "resource": resource,
        "number": number,
        "version": version,
        "record": None if record is None else orjson.dumps(record),
        "trashed": None if binned is None else orjson.dumps(binned),
    }


def _trashed(resource: str, number: int, kept: dict[str, Any]) -> Trashed:
    root, root_number = kept["root"]
    return Trashed(resource, number, kept["record"], kept["deleted"], (root, root_number))


def _prepared(connection: Any, _: object) -> None:
    """A new connection to SQLite: transactions are begun as we say, writers wait for each other."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begun(opened: Opened) -> None:
    opened.exec_driver_sql(BEGIN["sqlite"])
