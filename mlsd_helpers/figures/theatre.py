"""The queue theatre: two routings of the same requests side by side, as values, as words and as a picture."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mlsd_helpers import formulas
from mlsd_helpers.errors import RangeError
from mlsd_helpers.figures import drawing, waiting
from mlsd_helpers.figures.base import Figure, show_number
from mlsd_helpers.figures.drawing import WIDE, Axis, Drawing, Plot, tag, words
from mlsd_helpers.simulation import (
    Batching,
    Bursty,
    Cache,
    Estimate,
    Exponential,
    Fleet,
    Incident,
    PerBatch,
    Poisson,
    ReplicaFailure,
    RollingRestart,
    Scenario,
    ZoneLoss,
    draws,
    fleet,
    running,
)
from mlsd_helpers.simulation.result import Distribution, Tally
from mlsd_helpers.simulation.scenario import ROUTINGS, Routing
from mlsd_helpers.units import ms, show_seconds

Event = Literal["nothing", "rolling restart", "zone loss"]
EVENTS: tuple[Event, ...] = get_args(Event)
NAMES: dict[str, str] = {
    "central queue": "one queue",
    "random": "at random",
    "round robin": "in turn",
    "power of two": "the less busy of two",
    "join the shortest queue": "the least busy of all",
}
"""How the page names each routing."""
PHRASES: dict[str, str] = {
    "central queue": "with one queue",
    "random": "at random",
    "round robin": "in turn",
    "power of two": "with the less busy of two",
    "join the shortest queue": "with the least busy of all",
}
MEANINGS: dict[str, str] = {
    "central queue": "all requests wait in one queue, from which replicas take them in their order",
    "random": "each request goes to a replica drawn at random, and waits there",
    "round robin": "requests go to the replicas one after the other (round robin), and wait there",
    "power of two": "of two replicas drawn at random, the one with fewer requests gets it (power of two)",
    "join the shortest queue": "of all replicas, the one with the fewest requests gets it (join the shortest queue)",
}
REQUESTS, RUNS, WARM_UP = 100_000, 8, 0.2
KEYS, ZONES = 10_000, 3
LONGEST_WAIT_S = 5 * ms
"""How long a replica waits for a batch to fill."""
_FIXED_SHARE = 0.8  # of the service time, whatever the batch; the rest is paid for each item
_POINTS = 240
_SEEN, _SEEN_LONG = 1_000, 6_000  # requests in the recorded window
_WINDOW = 10_000  # the number of the run that is recorded: none of those that are measured


@dataclass(frozen=True)
class TheatreInputs:
    """What a learner moves: traffic, fleet, two routings, batch, cache, and what happens to the fleet.

    `routing` and `beside` are shown side by side; where they are the same there is one. `burstiness` is the variance
    over the mean of the counts per second (Poisson has 1), `cached_share` the share of all keys that a cache in front
    of the fleet holds. A batch of n takes 0.8 + 0.2·n times as long as one request.
    """

    peak_rps: float = 500.0
    service_time_s: float = 0.040
    replicas: int = 29
    routing: Routing = "random"
    beside: Routing = "central queue"
    burstiness: float = 1.0
    batch: int = 1
    cached_share: float = 0.0
    event: Event = "nothing"
    seed: int = 5

    def __post_init__(self) -> None:
        for name, routing in (("routing", self.routing), ("beside", self.beside)):
            if routing not in ROUTINGS:
                raise RangeError(f"{name} {routing!r} is unknown. Use one of: {', '.join(ROUTINGS)}.")
        if min(self.peak_rps, self.service_time_s, self.replicas, self.batch) <= 0 or self.burstiness < 1:
            raise RangeError("Rate, service time, replicas and batch must be above 0, burstiness at least 1.")
        if self.event not in EVENTS:
            raise RangeError(f"event {self.event!r} is unknown. Use one of: {', '.join(EVENTS)}.")
        if not 0 <= self.cached_share <= 1:
            raise RangeError(f"cached_share {self.cached_share!r} must be from 0 to 1, a share of all keys.")

    @property
    def routings(self) -> tuple[Routing, ...]:
        """The routings that are shown, without a repetition."""
        return (self.beside,) if self.beside == self.routing else (self.beside, self.routing)

    @property
    def lost(self) -> int:
        """How many replicas the event takes away at once: the fullest zone, or a quarter, but at least one."""
        if self.event == "zone loss":
            return math.ceil(self.replicas / ZONES)
        return max(1, int(self.replicas * 0.25)) if self.event == "rolling restart" else 0

    @property
    def left(self) -> int:
        """How many replicas serve while the event lasts."""
        return self.replicas - self.lost

    @property
    def is_plain(self) -> bool:
        """Whether the formulas hold: Poisson arrivals, no batches, no cache."""
        return self.burstiness == 1 and self.batch == 1 and not self._cached

    @property
    def _cached(self) -> int:
        return round(self.cached_share * KEYS)

    def batch_time_s(self, size: int) -> float:
        """Return the mean time that a batch of `size` takes."""
        return self.service_time_s * (_FIXED_SHARE + (1 - _FIXED_SHARE) * size)

    def scenario(self, replicas: int, routing: Routing, incidents: Sequence[Incident] = ()) -> Scenario:
        """Return what is simulated. No queue is limited in effect, so that an overload can be watched."""
        rate_rps, fixed_s = self.peak_rps, _FIXED_SHARE * self.service_time_s
        return Scenario(
            Bursty(rate_rps, self.burstiness) if self.burstiness > 1 else Poisson(rate_rps),
            PerBatch(fixed_s, self.service_time_s - fixed_s)
            if self.batch > 1
            else Exponential(self.service_time_s),
            Fleet(
                replicas,
                zones=min(ZONES, replicas),
                routing=routing,
                batching=Batching(self.batch, LONGEST_WAIT_S) if self.batch > 1 else None,
                queue_limit=10 * REQUESTS,
            ),
            cache=Cache(self._cached, KEYS, 1.0, starts_warm=True) if self._cached else None,
            incidents=tuple(incidents),
        )


@dataclass(frozen=True)
class Percentile:
    """A percentile of the response: its name, its share of the requests, and its estimate in seconds."""

    name: str
    share: float
    estimate: Estimate


@dataclass(frozen=True)
class Lane:
    """One routing: its percentiles and its curve, or nothing where a run does not settle.

    `curve` holds latencies in seconds and the share of requests answered within each.
    """

    routing: Routing
    percentiles: tuple[Percentile, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    busy: float = math.nan
    """Measured: the share of time in which a replica serves."""
    formula_p99_s: float | None = None
    """The p99 of the long run, where a formula gives it."""

    @property
    def phrase(self) -> str:
        """How a sentence names the routing."""
        return PHRASES[self.routing]

    @property
    def name(self) -> str:
        """How the page names the routing."""
        return NAMES[self.routing]

    @property
    def p99_s(self) -> Estimate | None:
        """The p99 of the response, or None where the run did not settle."""
        return self.percentiles[-1].estimate if self.percentiles else None


@dataclass(frozen=True, eq=False)
class TheatreView:
    """What the inputs give: a lane for each routing, and the recorded queues of each.

    `busy` is the offered load over what the replicas that are left can serve, the cache's hits subtracted; from 1 on
    the queue grows, and no lane has a percentile.
    """

    inputs: TheatreInputs
    busy: float
    hit_ratio: float
    lanes: tuple[Lane, ...]
    recordings: tuple[waiting.Recording, ...]

    @property
    def overloaded(self) -> bool:
        """Whether more arrives than the replicas that are left can serve."""
        return self.busy >= 1

    @property
    def offered_rps(self) -> float:
        """The requests per second that reach the fleet."""
        return self.inputs.peak_rps * (1 - self.hit_ratio)

    @property
    def growth_rps(self) -> float:
        """By how many requests a second the queue grows; 0 where it does not."""
        return max(0.0, self.offered_rps * (1 - 1 / self.busy))

    @property
    def moment(self) -> int:
        """The column of the recordings that the picture marks."""
        last = self.recordings[-1]
        if self.overloaded:
            return len(last.at_s) - 1
        begun = np.flatnonzero(last.out.any(axis=0))
        return waiting.worst_moment(last, int(begun[0]) if len(begun) else 0)

    @property
    def fleet(self) -> str:
        """The fleet and its load in one line."""
        given = self.inputs
        load = f"{show_number(self.offered_rps)} requests/s"
        time = show_seconds(given.service_time_s)
        busy = f"{self._shown_busy:.0%} busy"
        held = "" if not self.hit_ratio else f" The cache answers {self.hit_ratio:.0%} of all requests."
        if not given.lost:
            return f"{_replicas(given.replicas)} for {load} of {time}: {busy}.{held}"
        while_ = "While the zone is out" if given.event == "zone loss" else "During the restart"
        left = f"{given.left} of {_replicas(given.replicas)} {'is' if given.left == 1 else 'are'} left"
        if not given.left:
            return f"{while_}, none of {_replicas(given.replicas)} is left.{held}"
        return f"{while_}, {left} for {load} of {time}: {busy}.{held}"

    @property
    def _shown_busy(self) -> float:
        """With batches how busy replicas are depends on how full the batches get, so it is measured."""
        measured = self.lanes[0].busy
        return self.busy if self.inputs.batch == 1 or math.isnan(measured) else measured

    @property
    def verdict(self) -> str:
        """What stands out, in one sentence or two."""
        if self.overloaded:
            return self._overload
        known = [(lane, lane.p99_s) for lane in self.lanes if lane.p99_s]
        unsettled = " ".join(self._too_short(lane) for lane in self.lanes if not lane.p99_s)
        values = ", ".join(f"{show_seconds(p99_s.value)} {lane.phrase}" for lane, p99_s in known)
        if len(known) < 2:
            return " ".join(filter(None, [f"The p99 is {values}." if known else "", unsettled]))
        (first, one), (second, other) = known
        ratio = other.value / one.value
        if abs(ratio - 1) < 0.05:
            return f"The p99 is {values}: much the same."
        longer, times = (second, ratio) if ratio > 1 else (first, 1 / ratio)
        return f"The p99 is {values}: {show_number(float(f'{times:.2g}'))} times as long {longer.phrase}."

    def _too_short(self, lane: Lane) -> str:
        """Say that a percentile exists and this run does not measure it, with its formula where there is one."""
        run_s = show_seconds(float(f"{REQUESTS / RUNS / self.inputs.peak_rps:.2g}"))
        long_run = f": {show_seconds(lane.formula_p99_s)} by its formula" if lane.formula_p99_s else ""
        return (
            f"{lane.phrase[0].upper() + lane.phrase[1:]} there is a p99 in the long run{long_run}. A run of {run_s} is "
            "too short to measure it: this close to their limit, queues take longer than that to settle."
        )

    @property
    def _overload(self) -> str:
        given = self.inputs
        least = f"The queue grows by {show_number(float(f'{self.growth_rps:.3g}'))} requests a second"
        lasts = "for as long as this lasts"
        if not self.growth_rps:
            return "Overloaded: as much arrives as can be served, and the queue never settles. There is no percentile."
        served = show_number(float(f"{self.offered_rps - self.growth_rps:.3g}"))
        return (
            f"Overloaded: {_replicas(given.left)} can serve {served} of "
            f"{show_number(float(f'{self.offered_rps:.3g}'))} requests/s. {least} {lasts}: there is no percentile, "
            "only a wait that gets longer."
        )

    @property
    def bursts(self) -> str:
        """What the index of burstiness means for this rate, and for a small and a large one."""
        index = self.inputs.burstiness
        if index == 1:
            return ""
        rate_rps = self.inputs.peak_rps
        here, few, many = (math.sqrt(index / rps) for rps in (rate_rps, 5, 5_000))
        spare = max(0.0, 1 / self.busy - 1)
        return (
            f"A burstiness of {index:.3g} at {show_number(rate_rps)}/s: the requests of one second spread by "
            f"√({index:.3g} / {show_number(rate_rps)}) = {here:.0%} of their mean (one standard deviation; those of "
            f"Poisson by {math.sqrt(1 / rate_rps):.0%}), and the fleet could serve {spare:.0%} more than the mean. At "
            f"5/s the same index spreads them by {few:.0%}, at 5,000/s by {many:.0%}: a small service needs far more "
            "to spare for it. "
            "Each burst lasts one second here; longer ones hurt more."
        )

    @property
    def batches(self) -> str:
        """What a batch costs, in words; nothing where there are none."""
        given = self.inputs
        if given.batch == 1:
            return ""
        return (
            f"A batch of n takes (0.8 + 0.2 n) × {show_seconds(given.service_time_s)} on average: "
            f"{show_seconds(given.batch_time_s(1))} for one request, {show_seconds(given.batch_time_s(given.batch))} "
            f"for {given.batch}, and every request in it takes as long as the batch. The times of batches vary as "
            f"those of single requests do. A batch starts when it is full, or when its first request has waited "
            f"{show_seconds(LONGEST_WAIT_S)}: so requests wait beside idle replicas too. {self._filling}"
        )

    @property
    def _filling(self) -> str:
        """Why one queue fills larger batches than many queues do, in numbers."""
        rate_rps, replicas = self.offered_rps, max(1, self.inputs.left)
        joined, apart = (rate * LONGEST_WAIT_S for rate in (rate_rps, rate_rps / replicas))
        return (
            f"In one queue all requests fill the same batch: while the first waits, about "
            f"{show_number(float(f'{joined:.2g}'))} more come. In a queue for each replica come "
            f"{show_number(float(f'{apart:.1g}'))}. So one queue makes larger, longer batches, which carry more and "
            "keep each request longer: with replicas to spare it can be the slower one."
        )

    @property
    def seen(self) -> str:
        """What the recorded queues look like at the marked moment."""
        return waiting.sentence(self.recordings, self.moment)

    @property
    def alt(self) -> str:
        """The picture in words."""
        values = "; ".join(
            f"{lane.name}: "
            + ", ".join(f"{p.name} {p.estimate.as_text()}" for p in lane.percentiles)
            for lane in self.lanes if lane.percentiles
        )  # fmt: skip
        return " ".join(
            filter(None, [f"Requests that wait, over time. {self.fleet} {self.seen}", self.verdict, values])
        )


def _replicas(number: int) -> str:
    return f"{number or 'no'} replica{'' if number == 1 else 's'}"


def theatre_view(inputs: TheatreInputs) -> TheatreView:
    """Simulate `REQUESTS` requests for each routing, and return what to show. The same inputs give the same view."""
    if not inputs.left:
        return TheatreView(inputs, math.inf, 0.0, _empty(inputs), _recordings(inputs, math.inf))
    steady = inputs.scenario(inputs.left, inputs.routing)
    hit_ratio = steady.cache.expected_hit_ratio(inputs.peak_rps) if steady.cache else 0.0
    lanes = _empty(inputs) if steady.utilisation >= 1 else _lanes(inputs)
    return TheatreView(
        inputs,
        steady.utilisation,
        hit_ratio,
        lanes,
        _recordings(inputs, steady.utilisation),
    )


def _empty(inputs: TheatreInputs) -> tuple[Lane, ...]:
    return tuple(Lane(routing) for routing in inputs.routings)


def _lanes(inputs: TheatreInputs) -> tuple[Lane, ...]:
    """Measure each routing with the replicas that are left, on the same arrivals, service times and keys."""
    scenarios = [inputs.scenario(inputs.left, routing) for routing in inputs.routings]
    tallies, each = [Tally(1, RUNS) for _ in scenarios], REQUESTS // RUNS
    busy: list[list[float]] = [[] for _ in scenarios]
    warm_up = int(each * WARM_UP)
    for number in range(RUNS):
        drawn = _drawn(inputs, inputs.left, each, number)
        for scenario, tally, shares in zip(scenarios, tallies, busy, strict=True):
            state, sums = _run(scenario, drawn)
            shares.append(float(sums["busy_s"] / sums["up_s"]))
            rows = state.requests[warm_up:]
            tally.add(number, running.times_s(rows, "latency_s", "latency_s"), rows["end"])
    return tuple(
        Lane(scenario.fleet.routing, formula_p99_s=_formula_s(inputs, scenario.fleet.routing))
        if running.settling_time_s(scenario) > warm_up / inputs.peak_rps
        else _lane(inputs, scenario.fleet.routing, tally.distributions()[0], float(np.mean(shares)))
        for scenario, tally, shares in zip(scenarios, tallies, busy, strict=True)
    )


def _lane(inputs: TheatreInputs, routing: Routing, latency: Distribution, busy: float) -> Lane:
    percentiles = tuple(
        Percentile(name, share, latency.percentile(share))
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    )
    return Lane(routing, percentiles, _curve(latency), busy, _formula_s(inputs, routing))


def _drawn(inputs: TheatreInputs, replicas: int, requests: int, number: int) -> waiting.Rows:
    """Draw what the runs of all routings share, with as many draws as the routing that takes most."""
    rng = draws.generator(inputs.seed, number)
    rows = draws.draw(inputs.scenario(replicas, "power of two"), requests, rng)
    if inputs.batch > 1:
        rows["work"] = rng.standard_exponential(requests)  # a batch's time varies as a request's does
    return rows


def _run(scenario: Scenario, drawn: waiting.Rows) -> tuple[fleet.Fleet, np.void]:
    settings = running.settings_of(scenario, len(drawn), 0)
    state = fleet.new_fleet(settings, drawn.copy(), running.plan_of(scenario), scenario.fleet.replicas)
    sums: np.void = fleet.simulate_fleet(settings, state, warm_cache=scenario.cache is not None)[0]
    return state, sums


def _recordings(inputs: TheatreInputs, busy: float) -> tuple[waiting.Recording, ...]:
    """Record a window of one run of each routing; an event begins a quarter into it."""
    requests = _SEEN_LONG if busy >= 1 or inputs.lost else _SEEN
    window_s = requests / inputs.peak_rps
    from_s = 0.0 if busy >= 1 and not inputs.lost else window_s / 2
    at_s = from_s + window_s / 4
    incidents: tuple[Incident, ...] = ()
    if inputs.event == "zone loss":
        incidents = (ZoneLoss(at_s) if inputs.replicas > 1 else ReplicaFailure(at_s),)
    elif inputs.event == "rolling restart":
        incidents = (RollingRestart(at_s, share=0.25, each_s=window_s / 6),)
    drawn = _drawn(inputs, inputs.replicas, 2 * requests, _WINDOW)
    zones = min(ZONES, inputs.replicas)
    found = []
    for routing in inputs.routings:
        scenario = inputs.scenario(inputs.replicas, routing, incidents)
        state, sums = _run(scenario, drawn)
        recording = waiting.record(
            NAMES[routing], state.requests, state.attempts[: sums["attempts"]], _away(scenario), inputs.replicas,
            routing == "central queue", (from_s, from_s + window_s),
        )  # fmt: skip
        found.append(waiting.ordered(recording, sorted(range(inputs.replicas), key=lambda i: (i % zones, i))))
    return tuple(found)


def _away(scenario: Scenario) -> list[tuple[int, float, float]]:
    """Return which replica an incident takes away, from when, and until when."""
    away: list[tuple[int, float, float]] = []
    gone: dict[int, float] = {}
    for at_s, what, number in running.plan_of(scenario).tolist():
        if what == fleet.RETURN:
            away.append((number, gone.pop(number), at_s))
        else:
            gone[number] = at_s
    return [*away, *((number, at_s, math.inf) for number, at_s in gone.items())]


def _formula_s(inputs: TheatreInputs, routing: Routing) -> float | None:
    """Return the p99 of a fleet with one queue (M/M/c) or random routing (M/M/1 each), or None where none holds."""
    exact = {
        "central queue": formulas.response_percentile_s,
        "random": formulas.random_split_response_percentile_s,
    }
    if routing not in exact or not inputs.is_plain:
        return None
    return exact[routing](inputs.left, inputs.peak_rps, inputs.service_time_s, 0.99)


def _curve(latency: Distribution) -> tuple[tuple[float, float], ...]:
    """Thin the curve out, up to the first time within which all but one in 2,000 are answered."""
    times_s, shares = latency.curve()
    points = list(zip(times_s.tolist(), shares.tolist(), strict=True))
    last = next((at for at, (_, share) in enumerate(points) if share > 0.9995), len(points) - 1)
    return (*points[: last : max(1, last // _POINTS)], points[last])


def queue_theatre(inputs: TheatreInputs | None = None) -> Figure:
    """Show where requests wait under two routings of the same traffic, and how long the answers take.

    Data: routing, time_s, share, a row for each point of a curve; nothing where the fleet is overloaded.
    """
    return theatre_figure(theatre_view(inputs or TheatreInputs()))


def theatre_figure(view: TheatreView) -> Figure:
    """Show a view that is already computed, as `queue_theatre` does."""
    points = [(lane.name, *point) for lane in view.lanes for point in lane.curve]
    names, times_s, shares = zip(*points, strict=True) if points else ((), (), ())
    data = {"routing": names, "time_s": times_s, "share": shares}
    return draw_theatre(view).figure(view.alt, f"{view.fleet} {view.seen} {view.verdict}", data)


_COLOURS = ((drawing.EXACT, ""), (drawing.RULE, "7 4"))


def draw_theatre(view: TheatreView, predicted_s: float | None = None) -> Drawing:
    """Draw the queues over time; below, where there are percentiles, the share answered within a time."""
    away = {"zone loss": "the lost zone", "rolling restart": "replicas that restart"}
    upper = waiting.draw_waiting(view.recordings, view.moment, away.get(view.inputs.event, ""))
    if not any(lane.curve for lane in view.lanes):
        return upper
    lower = _draw_latency(view, predicted_s)
    moved = tag("g", lower.body, transform=f"translate(0 {upper.high + 10:.1f})")
    return Drawing(upper.body + moved, upper.high + 10 + lower.high)


def _draw_latency(view: TheatreView, predicted_s: float | None) -> Drawing:
    high, known = 210, [(at, lane) for at, lane in enumerate(view.lanes) if lane.curve]
    longest_s = max(lane.curve[-1][0] for _, lane in known)
    shows = predicted_s is not None and predicted_s < 3 * longest_s
    plot = Plot(Axis(0, 1.05 * max(longest_s, predicted_s if shows and predicted_s else 0)), Axis(0, 1), high,
                left=62, right=28, top=30, foot=40)  # fmt: skip
    parts = [
        *plot.axes(
            [(time_s, show_seconds(time_s)) for time_s in plot.across.steps(6)],
            [(share, f"{share:.0%}") for share in (0, 0.5, 1)],
            ("answered within", "share of requests"),
        )
    ]
    for at, lane in known:
        colour, dash = _COLOURS[at]
        parts.append(_steps([plot.at(*point) for point in lane.curve], colour, dash))
    for at, lane in known:
        parts += _p99(plot, lane, _COLOURS[at][0], plot.y(0.72 - 0.2 * at))
    if shows and predicted_s is not None:
        parts.append(_upright(plot, f"your prediction {show_seconds(predicted_s)}", predicted_s))
    return Drawing("".join(parts), high)


def _steps(points: list[drawing.Point], colour: str, dash: str) -> str:
    """Draw a curve of steps: a share holds until the next time; where many requests take equally long, it jumps."""
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}" + "".join(f"H{to:.1f}V{level:.1f}" for to, level in rest)
    dashed: dict[str, float | str] = {"stroke_dasharray": dash} if dash else {}
    return tag("path", d=path, fill="none", stroke=colour, stroke_width=2, **dashed)


def _p99(plot: Plot, lane: Lane, colour: str, y: float) -> Iterator[str]:
    """Draw a lane's p99 with its interval, and its words on a line of their own."""
    estimate = lane.percentiles[-1].estimate
    x, level = at = plot.at(estimate.value, 0.99)
    low, high = ((plot.x(end), level) for end in (estimate.low, min(estimate.high, plot.across.high)))
    yield drawing.line(low, high, colour, 6, opacity=0.35)
    yield drawing.disc(at, colour, radius=4.5)
    yield drawing.line(at, (x, y + 2), colour, 1, stroke_dasharray="2 2")
    yield _beside(f"p99 {lane.name}: {show_seconds(estimate.value)}", x, y, colour)


def _upright(plot: Plot, name: str, at_s: float) -> str:
    """Draw a time as a line from top to floor, with its name."""
    colour, x = drawing.OTHER, plot.x(at_s)
    return plot.upright(at_s, plot.top - 8, colour, 1.5, stroke_dasharray="1 3") + _beside(
        name, x, plot.y(0.14), colour
    )


def _beside(name: str, x: float, y: float, colour: str) -> str:
    left = x > WIDE / 2
    return words(
        name, x + (-6 if left else 6), y, halo=drawing.PANEL, fill=colour, font_weight=600,
        text_anchor="end" if left else "start",
    )  # fmt: skip
