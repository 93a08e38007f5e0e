"""Open-loop load generator with a clock of its own. The testbed runs it as `python -m mlsd_helpers.testbed.load`.

It has a process of its own, so that a busy notebook does not add to latencies. A latency counts from the moment at
which the request was *meant* to be sent, so that a late generator or a stalled server cannot hide the requests that it
delayed. The duration of a run, the number of requests, those in flight and the time of each are limited.
"""

import asyncio
import json
import selectors
import time
from collections import Counter
from typing import Any

import aiohttp
import numpy as np

from mlsd_helpers.testbed import child
from mlsd_helpers.testbed.payments import Payments, asked
from mlsd_helpers.testbed.results import MOST_REQUESTS, TIMEOUT_S
from mlsd_helpers.testbed.times import Times

MOST_UNDER_WAY = 500  # select() takes file descriptors below 1,024
_SAMPLE = 20_000


class Run:
    """Records the outcome of each request of one run."""

    def __init__(self, stream: Payments, url: str) -> None:
        self.stream, self.url = stream, url
        self.latency, self.lateness = Times(), Times()
        self.sample: list[tuple[float, float]] = []
        self.failed: Counter[str] = Counter()
        self.scores = np.full(len(stream), np.nan)
        self.ages = Times()
        self.done = 0

    async def ask(self, session: Any, place: int, intended_s: float) -> None:
        """Ask about one payment; its latency counts from the intended send time."""
        try:
            body = json.dumps(self.stream.question(place)).encode()
            async with session.post(self.url, data=body, headers=_JSON) as response:
                answer = await response.read()
                if response.status != 200:
                    self.failed[f"HTTP {response.status}"] += 1
                    return
        except TimeoutError:
            self.failed["no answer in time"] += 1
            return
        except aiohttp.ClientError:
            self.failed["connection lost or refused"] += 1
            return
        finally:
            self.done += 1
        took_s = time.perf_counter() - intended_s
        self.latency.add(took_s)
        if len(self.sample) < _SAMPLE:
            self.sample.append((float(self.stream.at_s[place]), took_s))
        found = json.loads(answer)
        self.scores[place] = found["score"]
        if found["age_s"] is not None:
            self.ages.add(found["age_s"])


_JSON = {"Content-Type": "application/json"}


async def open_loop(run: Run, session: Any, starts_s: float) -> None:
    """Send each request at its time, whether or not earlier ones were answered."""
    under_way: set[asyncio.Task[None]] = set()
    for place, at_s in enumerate(run.stream.at_s.tolist()):
        intended_s = starts_s + at_s
        wait_s = intended_s - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        elif place % 20 == 0:
            await asyncio.sleep(0)  # late: let answers in all the same
        run.lateness.add(max(0.0, time.perf_counter() - intended_s))
        if len(under_way) >= MOST_UNDER_WAY:
            run.failed["too many under way"] += 1
            run.done += 1
            continue
        task = asyncio.create_task(run.ask(session, place, intended_s))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    if under_way:
        await asyncio.wait(under_way)


async def closed_loop(run: Run, session: Any, clients: int, ends_s: float) -> None:
    """Let each client send a request, wait for the answer and send the next."""
    places = iter(range(MOST_REQUESTS))

    async def client() -> None:
        for place in places:
            now_s = time.perf_counter()
            if now_s > ends_s:
                return
            await run.ask(session, place % len(run.stream), now_s)

    await asyncio.gather(*(client() for _ in range(clients)))


async def generate(settings: dict[str, Any]) -> dict[str, Any]:
    """Wait for the settings of a run, run it, and return its result."""
    run = Run(asked(settings), settings["url"])
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        child.report(ready=True)
        begins_s = child.settings()["starts_s"]
        child.exit_with_the_testbed()
        await asyncio.sleep(max(0.0, begins_s - time.time()))
        starts_s, used_s = time.perf_counter(), time.process_time()
        reporting = asyncio.create_task(_report(run))
        if settings["loop"] == "open":
            await open_loop(run, session, starts_s)
        else:
            await closed_loop(run, session, settings["clients"], starts_s + settings["lasts_s"])
        reporting.cancel()
        took_s, used_s = time.perf_counter() - starts_s, time.process_time() - used_s
    return {
        "requests": run.done,
        "failed": dict(run.failed),
        "took_s": took_s,
        "client_cpu_s": used_s,
        "latency_s": run.latency.grid(),
        "mean_s": run.latency.mean_s if len(run.latency) else None,
        "late_s": run.lateness.grid(),
        "age_s": run.ages.grid(),
        "sample_s": sorted(run.sample),
        "scores": [None if np.isnan(score) else score for score in run.scores[: run.done].tolist()],
    }


async def _report(run: Run) -> None:
    while True:
        await asyncio.sleep(0.5)
        child.report(done=run.done)


def _precise() -> asyncio.AbstractEventLoop:
    """Return an event loop that wakes to the microsecond; epoll, the default, rounds up to milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_precise) as runner:
        child.report(result=runner.run(generate(child.settings())))
