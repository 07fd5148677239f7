"""The store in a SQL database: SQLite in a file, or PostgreSQL for several processes and machines.

Each world has a row with a version that every write counts up, and a row for each record written, with the version of its last
write: whoever knows version 7 reads the rows after 7. A writer locks the world's row, catches up, writes, and commits before it
answers; so writes to one world follow each other, wherever they come from, and none is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from mock_server import armed, journal
from mock_server.clock import MICROSECONDS, Clock
from mock_server.refusals import Refusal
from mock_server.state import Session, Trashed
from mock_server.stores import UnknownStore

if TYPE_CHECKING:
    from mock_server.journal import Exchange
    from mock_server.worlds import World

_METADATA = MetaData()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # There only an INTEGER counts up.
_WORLDS = Table(
    "mock_worlds",
    _METADATA,
    Column("name", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),  # another one after a reset: what was known of the world is void
    Column("version", BigInteger, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("scale", Integer, nullable=False),
    Column("situation", Text, nullable=False),
    Column("frozen", BigInteger),  # the clock: microseconds
    Column("offset", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),  # microseconds
    Column("armed", Text),  # JSON: faults and rate limits with their counts
)
_RECORDS = Table(
    "mock_records",
    _METADATA,
    Column("world", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("record", LargeBinary),  # JSON; NULL: deleted
    Column("trashed", LargeBinary),  # JSON: what the trash keeps of it
    Index("mock_records_by_version", "world", "version"),
)
_SESSIONS = Table(
    "mock_sessions",
    _METADATA,
    Column("world", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Index("mock_sessions_by_version", "world", "version"),
)
_JOURNAL = Table(
    "mock_journal",
    _METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("world", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes
    Column("exchange", LargeBinary, nullable=False),  # JSON
    Index("mock_journal_by_world", "world", "number"),
)
_NOTE = insert(_JOURNAL).returning(_JOURNAL.c.number)  # Made once: every request executes it.
_SNAPSHOTS = Table(
    "mock_snapshots", _METADATA, Column("name", Text, primary_key=True), Column("export", LargeBinary, nullable=False)
)

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
TRIM_STEP = 64  # exchanges after which those beyond the bounds are deleted
USED_STEP = 60 * MICROSECONDS  # how exactly a world's last use is kept where none ends
USED_STEPS = 60  # where worlds end: so many steps in a lifetime


class Sql:
    """Worlds live in a database."""

    shared = True

    def __init__(self, address: str, kept: int, lifetime: int) -> None:
        self._kept = kept  # exchanges of a world
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
        self._engine = create_engine(url)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        self._put_records, self._put_session, self._put_snapshot = map(self._putting, (_RECORDS, _SESSIONS, _SNAPSHOTS))
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepared)
            event.listen(self._engine, "begin", _locked)
        try:
            with self._engine.begin() as connection:
                _METADATA.create_all(connection)
                self._check(connection, url.render_as_string())
        except IntegrityError:  # Another process has just made them.
            pass
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
            raise UnknownStore(f"--store {url.render_as_string()} cannot be opened: {reason}") from None

    @staticmethod
    def _check(connection: Connection, address: str) -> None:
        """Raise UnknownStore for tables of another version of this server."""
        there = inspect(connection)
        for table in _METADATA.sorted_tables:
            missing = {column.name for column in table.columns} - {column["name"] for column in there.get_columns(table.name)}
            if missing:
                raise UnknownStore(
                    f"--store {address} was made by another version: {table.name} lacks {', '.join(sorted(missing))}; "
                    "name a new one"
                )

    def refresh(self, world: World) -> None:
        with self._reading.connect() as connection:
            if self._caught_up(connection, world):
                return
        with self.writing(world):  # It is new.
            pass

    @contextmanager
    def writing(self, world: World) -> Iterator[None]:
        try:
            with self._engine.begin() as connection:
                if not self._caught_up(connection, world, lock=True):
                    self._create(connection, world)
                yield
                self._save(connection, world)
        except Refusal:  # It has taken back what it had done.
            raise
        except BaseException:
            world.void()  # What is kept is not known: it is read again.
            raise
        finally:
            world.saved()

    def names(self) -> list[str]:
        with self._reading.connect() as connection:
            return sorted(connection.scalars(select(_WORLDS.c.name)))  # Here: a database may sort as people do.

    def count(self) -> int:
        with self._reading.connect() as connection:
            return connection.scalar(select(func.count()).select_from(_WORLDS)) or 0

    def forget(self, name: str) -> None:
        with self._engine.begin() as connection:
            self._delete(connection, name)

    def expire(self, before: int, kept: str) -> list[str]:
        with self._engine.begin() as connection:
            # What another process has locked, it uses.
            idle = select(_WORLDS.c.name).where(_WORLDS.c.used < before - self._step, _WORLDS.c.name != kept)
            gone = list(connection.scalars(idle.with_for_update(skip_locked=True)))
            for name in gone:
                self._delete(connection, name)
        return gone

    def record(self, world: World, exchange: Exchange) -> None:
        values = {"world": world.name, "size": exchange.size, "exchange": journal.encoded(exchange)}
        with self._reading.connect() as connection:
            exchange.number = connection.scalar(_NOTE, values) or 0
            if exchange.number % TRIM_STEP == 0:
                self._trim(connection, world.name)

    def journal(self, world: World) -> list[Exchange]:
        wanted = select(_JOURNAL).where(_JOURNAL.c.world == world.name).order_by(_JOURNAL.c.number.desc()).limit(self._kept)
        with self._reading.connect() as connection:
            rows = connection.execute(wanted).all()
        return [journal.decoded(row.exchange, world.name, row.number) for row in reversed(rows)]

    def erase(self, world: World) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(_JOURNAL).where(_JOURNAL.c.world == world.name))

    def snapshots(self) -> list[str]:
        with self._reading.connect() as connection:
            return sorted(connection.scalars(select(_SNAPSHOTS.c.name)))

    def snapshot(self, name: str) -> bytes | None:
        with self._reading.connect() as connection:
            found: bytes | None = connection.scalar(select(_SNAPSHOTS.c.export).where(_SNAPSHOTS.c.name == name))
        return found

    def keep(self, name: str, export: bytes | None) -> None:
        with self._engine.begin() as connection:
            if export is None:
                connection.execute(delete(_SNAPSHOTS).where(_SNAPSHOTS.c.name == name))
            else:
                connection.execute(self._put_snapshot, {"name": name, "export": export})

    def close(self) -> None:
        self._engine.dispose()

    def _caught_up(self, connection: Connection, world: World, *, lock: bool = False) -> bool:
        """Read what others wrote since; False if there is no such world."""
        wanted = select(_WORLDS).where(_WORLDS.c.name == world.name)
        row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
        if row is None:
            if world.epoch is not None:
                world.void()
            return False
        if row.epoch != world.epoch:
            world.void()
            world.epoch, world.version = row.epoch, 0
        world.seed, world.scale, world.situation = row.seed, row.scale, row.situation
        world.clock = Clock(row.frozen, row.offset, world.clock.system)
        if row.armed != world.armed.text():
            world.armed = armed.read(row.armed, world.contracts)
        world.used = max(world.used, row.used)
        if row.version > world.version:
            self._read_since(connection, world)
            world.version = row.version
            if connection.scalar(select(_WORLDS.c.epoch).where(_WORLDS.c.name == world.name)) != row.epoch:
                return self._caught_up(connection, world, lock=lock)  # It was set anew between the one reading and the other.
        if world.used - row.used > self._step:
            connection.execute(update(_WORLDS).where(_WORLDS.c.name == world.name).values(used=world.used))
        return True

    def _read_since(self, connection: Connection, world: World) -> None:
        later = _RECORDS.c.world == world.name, _RECORDS.c.version > world.version
        for row in connection.execute(select(_RECORDS).where(*later).order_by(_RECORDS.c.version, _RECORDS.c.number)):
            state = world.state(row.api)
            record = None if row.record is None else orjson.loads(row.record)
            trashed = None if row.trashed is None else _trashed(orjson.loads(row.trashed), row)
            state.restore(row.resource, row.number, record, trashed)
        for row in connection.execute(
            select(_SESSIONS).where(_SESSIONS.c.world == world.name, _SESSIONS.c.version > world.version)
        ):
            state = world.state(row.api)
            # A login lets go of those that have ended, here as where it was made.
            state.sessions = {id: session for id, session in state.sessions.items() if session.ends > world.clock.now()}
            state.sessions[row.id] = Session(row.id, row.ends)

    def _create(self, connection: Connection, world: World) -> None:
        highest = connection.scalar(select(func.coalesce(func.max(_WORLDS.c.epoch), 0))) or 0
        epoch = max(highest + 1, world.clock.system())  # One that no world of this name had before.
        values = {"name": world.name, "epoch": epoch, "version": 0, "used": world.used} | _settings(world)
        made = connection.scalar(self._insert(_WORLDS).values(values).on_conflict_do_nothing().returning(_WORLDS.c.name))
        self._caught_up(connection, world, lock=True)
        if made is not None:  # Else another process was faster.
            world.begin(world)
            world.cleared = False

    def _save(self, connection: Connection, world: World) -> None:
        version = world.version + 1
        if world.cleared:
            self._delete(connection, world.name, records_only=True)
            world.epoch = (world.epoch or 0) + 1
        keys = dict.fromkeys(write.key for write in world.unsaved)
        rows = [{"world": world.name, "version": version} | _row(world, *key) for key in keys]
        if rows:
            connection.execute(self._put_records, rows)
        for api, session in world.unsaved_sessions:
            kept = {"world": world.name, "api": api, "id": session.id, "version": version, "ends": session.ends}
            connection.execute(self._put_session, kept)
            ended = _SESSIONS.c.world == world.name, _SESSIONS.c.api == api, _SESSIONS.c.ends <= world.clock.now()
            connection.execute(delete(_SESSIONS).where(*ended, _SESSIONS.c.id != session.id))
        values = {"version": version, "epoch": world.epoch, "used": world.used} | _settings(world)
        connection.execute(update(_WORLDS).where(_WORLDS.c.name == world.name).values(values))
        world.version = version

    def _trim(self, connection: Connection, name: str) -> None:
        """Delete the exchanges beyond the bounds."""
        newest = _JOURNAL.c.number.desc()
        ranked = (
            select(
                _JOURNAL.c.number,
                func.row_number().over(order_by=newest).label("place"),
                func.sum(_JOURNAL.c.size).over(order_by=newest).label("bytes"),
            )
            .where(_JOURNAL.c.world == name)
            .subquery()
        )
        beyond = select(ranked.c.number).where((ranked.c.place > self._kept) | (ranked.c.bytes > journal.BYTES))
        connection.execute(delete(_JOURNAL).where(_JOURNAL.c.number.in_(beyond)))

    def _putting(self, table: Table) -> Insert:
        """The statement that keeps a row, in the place of one with the same key."""
        made = self._insert(table)
        changed = {column.name: made.excluded[column.name] for column in table.columns if not column.primary_key}
        return made.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)

    @staticmethod
    def _delete(connection: Connection, name: str, *, records_only: bool = False) -> None:
        if not records_only:
            connection.execute(delete(_WORLDS).where(_WORLDS.c.name == name))
        connection.execute(delete(_JOURNAL).where(_JOURNAL.c.world == name))
        connection.execute(delete(_RECORDS).where(_RECORDS.c.world == name))
        connection.execute(delete(_SESSIONS).where(_SESSIONS.c.world == name))


def _row(world: World, api: str, resource: str, number: int) -> dict[str, Any]:
    """What is kept of a record that was written."""
    state = world.state(api)
    record, trashed = state.collections[resource].written.get(number), state.trash.get((resource, number))
    binned = trashed and {"record": trashed.record, "deleted": trashed.deleted, "root": trashed.root}
    return {
        "api": api,
        "resource": resource,
        "number": number,
        "record": None if record is None else orjson.dumps(record),
        "trashed": None if binned is None else orjson.dumps(binned),
    }


def _settings(world: World) -> dict[str, Any]:
    return {
        "seed": world.seed,
        "scale": world.scale,
        "situation": world.situation,
        "frozen": world.clock.frozen,
        "offset": world.clock.offset,
        "armed": world.armed.text(),
    }


def _trashed(kept: dict[str, Any], row: Any) -> Trashed:
    resource, number = kept["root"]
    return Trashed(row.resource, row.number, kept["record"], kept["deleted"], (resource, number))


def _prepared(connection: Any, _: object) -> None:
    """A new connection to SQLite: transactions are begun by `_locked` alone, writers wait for each other."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 30000"):
        connection.execute(f"PRAGMA {pragma}")


def _locked(connection: Connection) -> None:
    """SQLite has no lock for a row: a transaction that may write takes the file's from the start."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
