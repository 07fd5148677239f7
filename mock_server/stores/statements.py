"""The tables of the SQL store, and the statements on them. A statement's values have the names of their columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

METADATA = MetaData()
ALONE = select(func.pg_advisory_xact_lock(0x6D6F636B))  # PostgreSQL's: until the transaction ends, no other server gets past it
_COUNTING = BigInteger().with_variant(Integer, "sqlite")  # There only an INTEGER counts up.
WORLDS = Table(
    "mock_worlds",
    METADATA,
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
RECORDS = Table(
    "mock_records",
    METADATA,
    Column("world", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("record", LargeBinary),  # JSON; NULL: deleted
    Column("trashed", LargeBinary),  # JSON: what the trash keeps of it
    Index("mock_records_by_version", "world", "version"),
)
SESSIONS = Table(
    "mock_sessions",
    METADATA,
    Column("world", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Index("mock_sessions_by_version", "world", "version"),
)
JOURNAL = Table(
    "mock_journal",
    METADATA,
    Column("number", _COUNTING, primary_key=True, autoincrement=True),
    Column("world", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes
    Column("exchange", LargeBinary, nullable=False),
    Index("mock_journal_by_world", "world", "number", "size"),  # The size too: what is beyond the bounds is found in it alone.
    sqlite_autoincrement=True,  # No number is given twice, even after the highest was deleted.
)
SNAPSHOTS = Table(
    "mock_snapshots", METADATA, Column("name", Text, primary_key=True), Column("export", LargeBinary, nullable=False)
)


class Known(NamedTuple):
    """What a world's row says of it; of the same epoch and version, nothing but its last use can differ."""

    epoch: int
    version: int
    seed: int
    scale: int
    situation: str
    frozen: int | None
    offset: int
    armed: str | None
    used: int


_WORLD, _SNAPSHOT = WORLDS.c.name == bindparam("name"), SNAPSHOTS.c.name == bindparam("name")

NAMES, COUNT, HIGHEST = select(WORLDS.c.name), select(func.count()).select_from(WORLDS), select(func.max(WORLDS.c.epoch))
LOOK = select(*(WORLDS.c[name] for name in Known._fields)).where(_WORLD)
LOCK = LOOK.with_for_update()
EPOCH = select(WORLDS.c.epoch).where(_WORLD)
SAVE = update(WORLDS).where(_WORLD).values({name: bindparam(name) for name in Known._fields})
USE = update(WORLDS).where(_WORLD).values(used=bindparam("used"))
IDLE = (
    select(WORLDS.c.name)
    .where(WORLDS.c.used < bindparam("before"), WORLDS.c.name != bindparam("kept"))
    .with_for_update(skip_locked=True)  # What another process has locked, it uses.
)
DELETE = delete(WORLDS).where(_WORLD)
CLEAR = [delete(table).where(table.c.world == bindparam("world")) for table in (JOURNAL, RECORDS, SESSIONS)]

RECORDS_SINCE = (
    select(RECORDS.c.api, RECORDS.c.resource, RECORDS.c.number, RECORDS.c.record, RECORDS.c.trashed)
    .where(RECORDS.c.world == bindparam("world"), RECORDS.c.version > bindparam("version"))
    .order_by(RECORDS.c.version, RECORDS.c.number)
)
SESSIONS_SINCE = select(SESSIONS.c.api, SESSIONS.c.id, SESSIONS.c.ends).where(
    SESSIONS.c.world == bindparam("world"), SESSIONS.c.version > bindparam("version")
)
END_SESSIONS = delete(SESSIONS).where(
    SESSIONS.c.world == bindparam("world"),
    SESSIONS.c.api == bindparam("api"),
    SESSIONS.c.ends <= bindparam("now"),
    SESSIONS.c.id != bindparam("id"),
)

_NOTED = {name: bindparam(name, type_=JOURNAL.c[name].type) for name in ("world", "size", "exchange")}
_RELAXED = text("set_config('synchronous_commit', 'off', true)")  # for the one transaction that the statement is
NOTE = insert(JOURNAL).values(_NOTED).returning(JOURNAL.c.number)
_NOTE_RELAXED = insert(JOURNAL).from_select([*_NOTED], select(*_NOTED.values()).select_from(_RELAXED)).returning(JOURNAL.c.number)
NOTE_READING = {"postgresql": _NOTE_RELAXED, "sqlite": NOTE}  # what keeps an exchange that changed nothing, by dialect
ERASE = CLEAR[0]
NEWEST = (
    select(JOURNAL.c.number, JOURNAL.c.exchange)
    .where(JOURNAL.c.world == bindparam("world"))
    .order_by(JOURNAL.c.number.desc())
    .limit(bindparam("kept", type_=Integer))
)
_OWN = JOURNAL.c.world == bindparam("world")
_OLDEST_BEYOND = (
    select(JOURNAL.c.number).where(_OWN).order_by(JOURNAL.c.number.desc()).limit(1).offset(bindparam("kept", type_=Integer))
)
TRIM_COUNT = delete(JOURNAL).where(_OWN, JOURNAL.c.number <= _OLDEST_BEYOND.scalar_subquery())
_NEWEST = select(func.max(JOURNAL.c.number)).where(_OWN)  # It is kept, however large it is.
SIZE = select(func.sum(JOURNAL.c.size)).where(_OWN)
_SIZES = (
    select(JOURNAL.c.number, func.sum(JOURNAL.c.size).over(order_by=JOURNAL.c.number.desc()).label("size")).where(_OWN).subquery()
)
TRIM_SIZE = delete(JOURNAL).where(
    JOURNAL.c.number.in_(
        select(_SIZES.c.number).where(_SIZES.c.size > bindparam("size"), _SIZES.c.number < _NEWEST.scalar_subquery())
    )
)

SNAPSHOT_NAMES, SNAPSHOT = select(SNAPSHOTS.c.name), select(SNAPSHOTS.c.export).where(_SNAPSHOT)
DROP_SNAPSHOT = delete(SNAPSHOTS).where(_SNAPSHOT)

_INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def put(table: Table, dialect: str) -> Insert:
    """The statement that keeps a row, in the place of one with the same key."""
    made = _INSERTS[dialect](table).values({column.name: bindparam(column.name) for column in table.columns})
    changed = {column.name: made.excluded[column.name] for column in table.columns if not column.primary_key}
    return made.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)


def put_new(table: Table, dialect: str) -> Insert:
    """The statement that keeps a row if there is none with its key, and then answers the key."""
    made = _INSERTS[dialect](table).values({column.name: bindparam(column.name) for column in table.columns})
    return made.on_conflict_do_nothing().returning(*table.primary_key)
