"""The log of payments and the state derived from it: in Redis Streams, or in SQLite where no Redis can run.

A consumer writes the state of the cards *and its position in the log* in one transaction. So wherever it is
killed, the two agree: after a restart it loses no payment and counts none twice.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from mlsd_helpers.testbed.payments import Recent

SQLITE_POLL_S = 0.005
START = "0"


class Event(NamedTuple):
    """A payment, made at `at_s` of the wall clock."""

    at_s: float
    card: int
    merchant: int
    amount: float


class CardState(NamedTuple):
    """The state of a card: its number of payments ever, and the recent ones."""

    total: int
    recent: list[Recent]


@dataclass(frozen=True)
class Progress:
    """The progress of a consumer: position, payments applied, and the time up to which it has applied all."""

    position: str = START
    applied: int = 0
    complete_to_s: float = 0.0


class Log(Protocol):
    """A log of payments, and the state that a consumer derives from it."""

    def append(self, events: Sequence[Event]) -> None:
        """Add payments at the end."""

    def read(self, after: str, most: int, wait_s: float) -> list[tuple[str, Event]]:
        """Return payments after a position, and their positions; wait for one if there is none."""

    def states(self, cards: Sequence[int]) -> list[CardState]:
        """Return the state of each card."""

    def commit(self, states: Mapping[int, CardState], progress: Progress) -> None:
        """Store states and progress, both or neither."""

    def progress(self) -> Progress:
        """Return the progress that was committed last."""

    def appended(self) -> int:
        """Return the number of payments in the log."""


def packed(state: CardState) -> str:
    """Write the state of a card."""
    return json.dumps(state, separators=(",", ":"))


def unpacked(text: str | bytes | None) -> CardState:
    """Read the state of a card; None means a card without payments."""
    if text is None:
        return CardState(0, [])
    total, recent = json.loads(text)
    return CardState(total, [(at, amount, merchant) for at, amount, merchant in recent])


def open_log(address: str) -> Log:
    """Open a log: `redis:` and a socket, or `sqlite:` and a file."""
    kind, _, path = address.partition(":")
    return RedisLog(path) if kind == "redis" else SqliteLog(Path(path))


# ---------------------------------------------------------------- Redis

_STREAM, _CARD, _PROGRESS = "payments", "card:", "progress"


class RedisLog:
    """A stream of Redis, and a key for each card."""

    def __init__(self, socket: str) -> None:
        import redis  # noqa: PLC0415 - not needed for SQLite

        self._redis: Any = redis.Redis(unix_socket_path=socket, decode_responses=True)

    def append(self, events: Sequence[Event]) -> None:
        """Add payments at the end."""
        pipe = self._redis.pipeline(transaction=False)
        for event in events:
            pipe.xadd(_STREAM, {"event": json.dumps(event)})
        pipe.execute()

    def read(self, after: str, most: int, wait_s: float) -> list[tuple[str, Event]]:
        """Return payments after a position; Redis wakes us when there is one."""
        found = self._redis.xread({_STREAM: after}, count=most, block=max(1, round(wait_s * 1e3)))
        if not found:
            return []
        ((_, entries),) = found.items() if isinstance(found, dict) else found
        entries = entries[0] if entries and isinstance(entries[0], list) else entries
        return [(position, Event(*json.loads(fields["event"]))) for position, fields in entries]

    def states(self, cards: Sequence[int]) -> list[CardState]:
        """Return the state of each card."""
        return [unpacked(text) for text in self._redis.mget([f"{_CARD}{card}" for card in cards])]

    def commit(self, states: Mapping[int, CardState], progress: Progress) -> None:
        """Store states and progress in one MULTI."""
        pipe = self._redis.pipeline(transaction=True)
        for card, state in states.items():
            pipe.set(f"{_CARD}{card}", packed(state))
        pipe.set(_PROGRESS, json.dumps(list(vars(progress).values())))
        pipe.execute()

    def progress(self) -> Progress:
        """Return the progress that was committed last."""
        text = self._redis.get(_PROGRESS)
        return Progress(*json.loads(text)) if text else Progress()

    def appended(self) -> int:
        """Return the number of payments in the stream."""
        return int(self._redis.xlen(_STREAM))


class RedisReader:
    """Reads the state of a card without blocking other requests."""

    def __init__(self, socket: str) -> None:
        import redis.asyncio  # noqa: PLC0415 - not needed for SQLite

        self._redis: Any = redis.asyncio.Redis(unix_socket_path=socket)

    async def card(self, card: int) -> tuple[CardState, float]:
        """Return the state of a card, and the time up to which it is complete."""
        state, progress = await self._redis.mget(f"{_CARD}{card}", _PROGRESS)
        return unpacked(state), json.loads(progress)[2] if progress else 0.0

    async def get(self, key: str) -> str | None:
        """Return a cached value."""
        found: bytes | None = await self._redis.get(key)
        return None if found is None else found.decode()

    async def set(self, key: str, value: str, ttl_s: float) -> None:
        """Store a value in the cache, with a time to live."""
        await self._redis.set(key, value, px=round(ttl_s * 1e3))


# ---------------------------------------------------------------- SQLite

_TABLES = """
CREATE TABLE IF NOT EXISTS payments
    (position INTEGER PRIMARY KEY, at_s REAL, card INTEGER, merchant INTEGER, amount REAL);
CREATE TABLE IF NOT EXISTS cards (card INTEGER PRIMARY KEY, state TEXT);
CREATE TABLE IF NOT EXISTS progress
    (id INTEGER PRIMARY KEY CHECK (id = 1), position TEXT, applied INTEGER, complete_to_s REAL);
CREATE TABLE IF NOT EXISTS scores (card INTEGER PRIMARY KEY, score REAL);
"""


def connect(file: Path) -> sqlite3.Connection:
    """Open a database in which readers do not wait for writers, in autocommit mode."""
    database = sqlite3.connect(file, isolation_level=None, timeout=10, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=OFF")  # the testbed's data need not survive a loss of power
    database.executescript(_TABLES)
    return database


class SqliteLog:
    """A table of payments that a consumer polls, and a row for each card."""

    def __init__(self, file: Path) -> None:
        self._database = connect(file)

    def append(self, events: Sequence[Event]) -> None:
        """Add payments at the end."""
        with self._transaction():
            self._database.executemany(
                "INSERT INTO payments (at_s, card, merchant, amount) VALUES (?, ?, ?, ?)", events
            )

    def read(self, after: str, most: int, wait_s: float) -> list[tuple[str, Event]]:
        """Return payments after a position; look again every few milliseconds while there is none."""
        ends_s = time.monotonic() + wait_s
        while True:
            rows = self._database.execute(
                "SELECT position, at_s, card, merchant, amount FROM payments WHERE position > ? LIMIT ?",
                (int(after), most),
            ).fetchall()
            if rows or time.monotonic() >= ends_s:
                return [(str(position), Event(*rest)) for position, *rest in rows]
            time.sleep(SQLITE_POLL_S)

    def since(self, at_s: float) -> list[Event]:
        """Return the payments made since a time: what a batch job reads."""
        rows = self._database.execute(
            "SELECT at_s, card, merchant, amount FROM payments WHERE at_s >= ?", (at_s,)
        )
        return [Event(*row) for row in rows]

    def states(self, cards: Sequence[int]) -> list[CardState]:
        """Return the state of each card."""
        found = (self._database.execute("SELECT state FROM cards WHERE card = ?", (card,)) for card in cards)
        return [unpacked((cursor.fetchone() or [None])[0]) for cursor in found]

    def commit(self, states: Mapping[int, CardState], progress: Progress) -> None:
        """Store states and progress in one transaction."""
        with self._transaction():
            rows = [(card, packed(state)) for card, state in states.items()]
            self._database.executemany("INSERT OR REPLACE INTO cards VALUES (?, ?)", rows)
            self._database.execute(
                "INSERT OR REPLACE INTO progress VALUES (1, ?, ?, ?)", (*vars(progress).values(),)
            )

    def publish(self, scores: Iterable[tuple[int, float]], as_of_s: float) -> None:
        """Replace all scores in one transaction; readers see the old ones until it commits."""
        with self._transaction():
            self._database.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?)", scores)
            self._database.execute("INSERT OR REPLACE INTO progress VALUES (1, '0', 0, ?)", (as_of_s,))

    def score(self, card: int) -> tuple[float, float] | None:
        """Return the stored score of a card, and the time of the data it was made from."""
        found: tuple[float, float] | None = self._database.execute(
            "SELECT score, complete_to_s FROM scores, progress WHERE card = ?", (card,)
        ).fetchone()
        return found

    def progress(self) -> Progress:
        """Return the progress that was committed last."""
        row = self._database.execute("SELECT position, applied, complete_to_s FROM progress").fetchone()
        return Progress(*row) if row else Progress()

    def appended(self) -> int:
        """Return the number of payments in the table."""
        return int(self._database.execute("SELECT count(*) FROM payments").fetchone()[0])

    async def card(self, card: int) -> tuple[CardState, float]:
        """Return the state of a card, and the time up to which it is complete; takes microseconds."""
        return self.states([card])[0], self.progress().complete_to_s

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
