"""M/M/10 for cimba, whose compiler wants its model at the top of a module."""

import cimba as cb
from cimba import inputs

BINS, WIDTH = 8192, 0.0025  # of a service time


class Queue(cb.Model):  # type: ignore[misc]
    """Arrival times in a store, ten servers, and waits counted in bins."""

    gap: cb.Input[float] = inputs.dist.exponential(mean=1 / 8)
    service: cb.Input[float] = inputs.dist.exponential(mean=1)
    line: cb.Store[float]
    bins: cb.Array[int] = cb.Array(BINS)
    p50: cb.Output[float]
    p99: cb.Output[float]

    @cb.process  # type: ignore[untyped-decorator]
    def arrivals(self) -> None:
        """Put each arrival time in the store."""
        while True:
            cb.hold(self.gap.next())
            self.line.put(cb.now())

    @cb.process(copies=10)  # type: ignore[untyped-decorator]
    def server(self) -> None:
        """Take the next customer, record the wait, and serve."""
        while True:
            came = self.line.get()
            place = int((cb.now() - came) / 0.0025)
            self.bins[min(place, 8191)] += 1
            cb.hold(self.service.next())

    @cb.on_end  # type: ignore[untyped-decorator]
    def count(self) -> None:
        """Read the percentiles off the bins."""
        total = 0
        for number in self.bins:
            total += number
        below = 0
        self.p50 = -1.0
        self.p99 = -1.0
        for place in range(8192):
            below += self.bins[place]
            if self.p50 < 0 and below >= 0.5 * total:
                self.p50 = place * 0.0025
            if self.p99 < 0 and below >= 0.99 * total:
                self.p99 = place * 0.0025


def run(requests: int) -> tuple[float, float]:
    """Simulate about `requests` requests in ten replications."""
    model = Queue()
    window = cb.Window(duration=requests / 8 / 10)
    results = cb.Experiment(model, replications=10, window=window, seed=1).run()[model]
    return float(results.p50.values.mean()), float(results.p99.values.mean())
