"""The load generator alone, against a session of ours: it counts from when a request was meant to be sent."""

import asyncio
import json
import time

import aiohttp
import pytest

from mlsd_helpers.testbed import load
from mlsd_helpers.testbed.payments import make_payments

pytestmark = pytest.mark.processes


class Session:
    """Answers as a test wants it to, in the generator's own process."""

    def __init__(self, status=200, blocks_s=0.0, fails=None):
        self.status, self._blocks_s, self._fails = status, blocks_s, fails
        self.under_way = self.most_under_way = 0

    def post(self, url, data, headers):
        assert json.loads(data).keys() == {"card", "merchant", "amount", "online"}
        return self

    async def __aenter__(self):
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self._fails:
            raise self._fails
        time.sleep(self._blocks_s)  # noqa: ASYNC251 - a generator that is too slow for its rate
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_):
        self.under_way -= 1

    async def read(self):
        return b'{"score": 0.5, "age_s": 1.5}'


def opened(session, rate_rps=100, lasts_s=0.5):
    run = load.Run(make_payments(1, rate_rps, lasts_s, fraud_share=0), "here")

    async def generate():
        await load.open_loop(run, session, time.perf_counter())

    asyncio.run(generate())
    return run


def test_a_latency_counts_from_when_the_request_was_meant_to_be_sent():
    run = load.Run(make_payments(1, 10, 1, fraud_share=0), "here")
    asyncio.run(run.ask(Session(), 0, intended_s=time.perf_counter() - 5))
    assert run.latency.percentile(0.5) > 4.99


def test_a_generator_that_is_too_slow_for_its_rate_says_so():
    run = opened(Session(blocks_s=0.02), rate_rps=100)  # it could send 50
    assert run.lateness.percentile(0.9) > 0.1
    assert run.latency.percentile(0.9) > run.lateness.percentile(0.5)


def test_each_request_has_a_score_and_an_age_and_is_counted():
    run = opened(Session())
    assert run.done == len(run.stream) == len(run.latency) == len(run.ages)
    assert set(run.scores) == {0.5}
    assert run.ages.percentile(0.5) == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        (Session(status=500), "HTTP 500"),
        (Session(fails=TimeoutError()), "no answer in time"),
        (Session(fails=aiohttp.ClientConnectionError()), "connection lost or refused"),
    ],
)
def test_a_request_that_fails_is_counted_and_has_no_latency(session, reason):
    run = opened(session)
    assert run.failed == {reason: len(run.stream)}
    assert len(run.latency) == 0


def test_so_many_are_under_way_at_most_and_the_others_are_counted(monkeypatch):
    class Slow(Session):
        async def read(self):
            await asyncio.sleep(0.3)
            return await super().read()

    monkeypatch.setattr(load, "MOST_UNDER_WAY", 3)
    session = Slow()
    run = opened(session, rate_rps=200, lasts_s=0.2)
    assert session.most_under_way == 3
    assert run.failed["too many under way"] + len(run.latency) == run.done == len(run.stream)


def test_a_closed_loop_asks_again_until_its_time_is_over():
    run = load.Run(make_payments(1, 10, 1, fraud_share=0), "here")
    session = Session()

    async def generate():
        await load.closed_loop(run, session, clients=2, ends_s=time.perf_counter() + 0.2)

    asyncio.run(generate())
    assert run.done > len(run.stream)
    assert session.most_under_way == 2


def test_the_generators_clock_is_finer_than_a_millisecond():
    async def sleep():
        begun_s = time.perf_counter()
        await asyncio.sleep(2e-4)
        return time.perf_counter() - begun_s

    with asyncio.Runner(loop_factory=load._precise) as runner:
        took_s = sorted(runner.run(sleep()) for _ in range(50))
    assert took_s[5] < 9e-4
