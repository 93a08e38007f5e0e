"""Both logs keep what they are given, and a consumer that dies anywhere loses nothing and counts nothing twice."""

import sqlite3
import subprocess
import time
from collections import Counter

import pytest

from mlsd_helpers.testbed import guard, running, stream
from mlsd_helpers.testbed.logs import CardState, Event, Progress, open_log

pytestmark = pytest.mark.processes

EVENTS = [Event(at_s=1000.0 + place, card=place % 7, merchant=1, amount=2.5) for place in range(60)]


@pytest.fixture(params=["sqlite", "redis"])
def log(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("l")
    if request.param == "sqlite":
        yield open_log(f"sqlite:{folder / 'log.db'}")
        return
    executable = running.redis_server()
    assert executable, running.NO_REDIS
    with subprocess.Popen(guard.redis_command(executable, folder), stdout=subprocess.DEVNULL) as server:
        running._wait_for(folder / "redis.sock")
        time.sleep(0.05)
        yield open_log(f"redis:{folder / 'redis.sock'}")
        server.kill()


class DeathError(Exception):
    """The consumer's end, at a moment of the test's choice."""


def consume(log, most):
    """Apply all there is, `most` at a time, from where the log says that the last consumer was."""
    progress = log.progress()
    while entries := log.read(progress.position, most, wait_s=0):
        progress = stream.advance(log, progress, entries, read_s=time.time())


def totals(log):
    return {card: state.total for card, state in enumerate(log.states(range(7)))}


def test_what_is_appended_is_read_in_order_from_any_position(log):
    log.append(EVENTS)
    entries = log.read("0", 1_000, wait_s=0)
    assert [event for _, event in entries] == EVENTS
    assert [event for _, event in log.read(entries[9][0], 5, wait_s=0)] == EVENTS[10:15]
    assert log.appended() == len(EVENTS)
    assert log.read(entries[-1][0], 5, wait_s=0.01) == []


def test_a_card_without_payments_is_one_without_payments(log):
    assert log.states([3]) == [CardState(0, [])]
    assert log.progress() == Progress()


@pytest.mark.parametrize("dies", ["before the commit", "after the commit"])
def test_a_consumer_that_dies_anywhere_loses_no_payment_and_counts_none_twice(log, dies, monkeypatch):
    log.append(EVENTS)
    commit, commits = log.commit, []

    def dying(states, progress):
        commits.append(progress)
        if dies == "after the commit" or len(commits) < 3:
            commit(states, progress)
        if len(commits) == 3:
            raise DeathError

    monkeypatch.setattr(log, "commit", dying)
    with pytest.raises(DeathError):
        consume(log, most=9)
    monkeypatch.setattr(log, "commit", commit)
    consume(log, most=9)
    assert totals(log) == Counter(event.card for event in EVENTS)
    assert log.progress().applied == log.appended()


def test_state_and_position_are_written_both_or_neither(log, monkeypatch):
    log.append(EVENTS[:5])
    consume(log, most=5)
    before = totals(log), log.progress()
    with pytest.raises((TypeError, sqlite3.Error)):  # each log fails in its own words
        log.commit({1: CardState(99, [])}, Progress(object(), 1, 2.0))
    assert (totals(log), log.progress()) == before


def test_a_card_forgets_what_left_its_window():
    state = CardState(0, [])
    for at_s in (0.0, 10.0, 45.0):
        state = stream.applied(state, Event(at_s, 1, 2, 3.0))
    assert state.total == 3
    assert [at_s for at_s, _, _ in state.recent] == [45.0]
