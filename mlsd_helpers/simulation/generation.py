"""The engine for generation: replicas that decode many sequences together (continuous batching).

One replica repeats: if the next request's key–value cache fits, admit it and read its prompt (prefill), which
gives the first token and stops the other sequences; otherwise do one decoding step, which gives every active
sequence one token. A step reads the weights once and the cache of every active sequence, so steps grow longer
with each token. Admission is first come, first served, and reserves cache for the prompt and the whole answer.

Between two arrivals only that growth changes a step's time. So all steps up to the next arrival or the next
finished sequence are done at once: their times are an arithmetic series. The cost of a simulation grows with
requests and not with tokens, and the result equals that of single steps.
"""

# mypy: disable-error-code="no-any-return"
# A row is a record or an object, which no type of ours describes: what is read from it is Any.

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.simulation import draws, running
from mlsd_helpers.simulation.compiled import COMPILED, compiled, objects_of, write_back
from mlsd_helpers.simulation.fleet import SERVED, SHED, Floats
from mlsd_helpers.simulation.result import Counts, Result, Tally
from mlsd_helpers.simulation.running import Rows
from mlsd_helpers.simulation.scenario import Arrivals, OverloadError

GenerationRouting = Literal["random", "round robin", "join the shortest queue"]
_ROUTINGS: tuple[GenerationRouting, ...] = get_args(GenerationRouting)
BITS = 7  # as in `quick`
_KEPT = 100_000  # requests, in each of as many replications as a run has if nothing is said


@dataclass(frozen=True)
class Tokens:
    """How many tokens: lognormal around `mean`, rounded, at least 1; all alike with an `scv` of 0."""

    mean: float
    scv: float = 1.0

    def __post_init__(self) -> None:
        _ranges.positive(mean=self.mean)
        _ranges.not_negative(scv=self.scv)
        if self.mean < 1:
            raise RangeError(f"mean {self.mean:.6g} must be at least 1 token.")


@dataclass(frozen=True)
class Engine:
    """One replica: what fits, and what a step and a prompt take.

    `kv_tokens` fit in its key–value cache, and `most_sequences` may be active. A decoding step takes `step_s`,
    and for each active sequence `step_per_sequence_s`, and for each token in the cache `step_per_token_s`. A
    prompt takes `prefill_s` and for each token `prefill_per_token_s`.
    """

    kv_tokens: int
    step_s: float
    step_per_token_s: float = 0.0
    step_per_sequence_s: float = 0.0
    prefill_per_token_s: float = 0.0
    prefill_s: float = 0.0
    most_sequences: int = 256

    def __post_init__(self) -> None:
        _ranges.whole(kv_tokens=self.kv_tokens)
        _ranges.countable(most_sequences=self.most_sequences)
        _ranges.positive(step_s=self.step_s)
        _ranges.not_negative(
            step_per_token_s=self.step_per_token_s,
            step_per_sequence_s=self.step_per_sequence_s,
            prefill_per_token_s=self.prefill_per_token_s,
            prefill_s=self.prefill_s,
        )


@dataclass(frozen=True)
class GenerationScenario:
    """What is simulated: requests with a prompt and an answer, and replicas with a key–value cache.

    A request whose prompt and answer exceed `kv_tokens` is shed. A load above the capacity that the replicas reach
    with full batches is a `RangeError`. One seed gives every engine and fleet the same requests, so that they can
    be compared.
    """

    arrivals: Arrivals
    prompt: Tokens
    output: Tokens
    engine: Engine
    replicas: int = 1
    routing: GenerationRouting = "join the shortest queue"

    def __post_init__(self) -> None:
        _ranges.countable(replicas=self.replicas)
        if self.routing not in _ROUTINGS:
            raise RangeError(f"routing {self.routing!r} is unknown. Use one of: {', '.join(_ROUTINGS)}.")
        tokens = self.prompt.mean + self.output.mean
        if tokens > self.engine.kv_tokens:
            raise RangeError(
                f"kv_tokens {self.engine.kv_tokens} must hold a mean request, {tokens:g} tokens. Take a smaller "
                "model, more memory or shorter prompts."
            )
        if self.utilisation >= 1:
            raise OverloadError(self.utilisation, self.arrivals.rate_rps)

    @property
    def utilisation(self) -> float:
        """Offered load over capacity, where each step holds as many sequences as are allowed and fit."""
        return self.arrivals.rate_rps * self._time_each_s / self.replicas

    @property
    def longest_mean_latency_s(self) -> float:
        """The mean time of a request in a replica that is full: all prompts and steps of those beside it."""
        return self._together * self._time_each_s

    @property
    def _together(self) -> float:
        tokens = self.prompt.mean + self.output.mean
        return max(1.0, min(self.engine.most_sequences, self.engine.kv_tokens / tokens))

    @property
    def _time_each_s(self) -> float:
        engine, context = self.engine, self.prompt.mean + self.output.mean / 2
        step_s = (
            engine.step_s / self._together + engine.step_per_sequence_s + engine.step_per_token_s * context
        )
        prefill_s = engine.prefill_s + engine.prefill_per_token_s * self.prompt.mean
        return prefill_s + step_s * (self.output.mean - 1)


# ---------------------------------------------------------------- the loop


class EngineSettings(NamedTuple):
    """What does not change during a run."""

    requests: int
    replicas: int
    to_shortest: bool
    kv_tokens: int
    most_sequences: int
    step_s: float
    step_per_token_s: float
    step_per_sequence_s: float
    prefill_s: float
    prefill_per_token_s: float


class Asked(NamedTuple):
    """The requests as arrays: arrival, tokens, and the engine where the routing does not depend on the state."""

    arrival_s: Any
    prompt: Any
    output: Any
    engine: Any


_OUTCOME = np.dtype(
    [
        ("latency_s", float), ("wait_s", float), ("first_token_s", float), ("per_token_s", float),
        ("link", np.uint64), ("end", np.int8),
    ],
    align=True,
)  # fmt: skip
_ENGINE = np.dtype(
    [
        ("clock", float), ("busy_s", float), ("system_s", float), ("sojourn_s", float),
        ("steps", np.int64), ("context", np.int64), ("reserved", np.int64), ("active", np.int64),
        ("waiting", np.int64), ("head", np.uint64), ("tail", np.uint64),
    ]
)  # fmt: skip
_LAST_STEP = np.dtype([("step", np.int64), ("request", np.uint64)])


class Engines(NamedTuple):
    """The rows, allocated once."""

    asked: Asked
    outcomes: Any
    engines: Any
    ends: Any  # for each engine, `most_sequences` rows: active sequences, the first to end comes last


class Work(NamedTuple):
    """The state of an engine while it works, copied from its row so that it stays in registers."""

    clock: float
    busy_s: float
    system_s: float
    sojourn_s: float
    steps: int
    context: int
    reserved: int
    active: int
    waiting: int
    head: int


@compiled
def generate(s: EngineSettings, f: Engines) -> None:
    """Process all arrivals in order, then let the engines finish."""
    for request in range(s.requests):
        engine = route(s, f, request)
        if tokens(f, request) > s.kv_tokens:
            f.outcomes[request].end = SHED
        else:
            join(f, engine, request)
    for engine in range(s.replicas):
        advance(s, f, engine, math.inf)


@compiled
def route(s: EngineSettings, f: Engines, request: int) -> int:
    """Choose an engine, after advancing those whose state matters to the arrival time."""
    now = f.asked.arrival_s[request]
    if not s.to_shortest:
        advance(s, f, f.asked.engine[request], now)
        return f.asked.engine[request]
    best = 0
    for engine in range(s.replicas):
        advance(s, f, engine, now)
        here, there = f.engines[engine], f.engines[best]
        if here.active + here.waiting < there.active + there.waiting:
            best = engine
    return best


@compiled
def tokens(f: Engines, request: int) -> int:
    """Return the tokens that a request reserves in the cache: its prompt and the whole answer."""
    return f.asked.prompt[request] + f.asked.output[request]


@compiled
def join(f: Engines, engine: int, request: int) -> None:
    """Append a request to an engine's queue."""
    here, now = f.engines[engine], f.asked.arrival_s[request]
    if here.active == 0 and here.waiting == 0 and here.clock < now:
        here.clock = now  # the engine was idle
    here.system_s += here.clock - now  # it arrived during a step
    if here.waiting == 0:
        here.head = request
    else:
        f.outcomes[here.tail].link = request
    here.tail = request
    here.waiting += 1


@compiled
def advance(s: EngineSettings, f: Engines, engine: int, until_s: float) -> None:
    """Let an engine work until it is idle, or until the first step that ends at or after `until_s`."""
    here, ends = f.engines[engine], f.ends[engine]
    w = Work(
        here.clock, here.busy_s, here.system_s, here.sojourn_s,
        here.steps, here.context, here.reserved, here.active, here.waiting, here.head,
    )  # fmt: skip
    while w.clock < until_s and w.active + w.waiting > 0:
        w = end_finished(f, ends, admit(s, f, ends, w) if may_admit(s, f, w) else decode(s, ends, w, until_s))
    here.clock, here.busy_s, here.system_s, here.sojourn_s = w.clock, w.busy_s, w.system_s, w.sojourn_s
    here.steps, here.context, here.reserved = w.steps, w.context, w.reserved
    here.active, here.waiting, here.head = w.active, w.waiting, w.head


@compiled
def may_admit(s: EngineSettings, f: Engines, w: Work) -> bool:
    """Tell whether the next request in the queue fits."""
    return w.waiting > 0 and w.active < s.most_sequences and w.reserved + tokens(f, w.head) <= s.kv_tokens


@compiled
def admit(s: EngineSettings, f: Engines, ends: Any, w: Work) -> Work:
    """Prefill the next request in the queue, which gives its first token."""
    outcome, prompt = f.outcomes[w.head], f.asked.prompt[w.head]
    took_s = s.prefill_s + s.prefill_per_token_s * prompt
    outcome.wait_s = w.clock - f.asked.arrival_s[w.head]
    outcome.first_token_s = w.clock + took_s - f.asked.arrival_s[w.head]
    put_in_order(ends, w.active, w.steps + f.asked.output[w.head] - 1, w.head)
    return Work(
        clock=w.clock + took_s,
        busy_s=w.busy_s + took_s,
        system_s=w.system_s + (w.active + w.waiting) * took_s,
        sojourn_s=w.sojourn_s,
        steps=w.steps,
        context=w.context + prompt + 1,
        reserved=w.reserved + tokens(f, w.head),
        active=w.active + 1,
        waiting=w.waiting - 1,
        head=outcome.link,  # meaningless when the queue is empty
    )


@compiled
def decode(s: EngineSettings, ends: Any, w: Work, until_s: float) -> Work:
    """Do all steps up to the next finished sequence, or the first that ends at or after `until_s`."""
    growth_s = s.step_per_token_s * w.active  # each step takes this much longer than the one before
    first_s = s.step_s + s.step_per_sequence_s * w.active + s.step_per_token_s * w.context
    steps = ends[w.active - 1].step - w.steps
    took_s = series_s(first_s, growth_s, steps)
    if took_s >= until_s - w.clock:
        steps = steps_to_fill(first_s, growth_s, until_s - w.clock)
        took_s = series_s(first_s, growth_s, steps)
    return Work(
        clock=w.clock + took_s,
        busy_s=w.busy_s + took_s,
        system_s=w.system_s + (w.active + w.waiting) * took_s,
        sojourn_s=w.sojourn_s,
        steps=w.steps + steps,
        context=w.context + steps * w.active,
        reserved=w.reserved,
        active=w.active,
        waiting=w.waiting,
        head=w.head,
    )


@compiled
def series_s(first_s: float, growth_s: float, steps: int) -> float:
    """Add up steps of which each takes `growth_s` longer than the one before."""
    return steps * first_s + growth_s * (steps * (steps - 1) / 2)


@compiled
def steps_to_fill(first_s: float, growth_s: float, gap_s: float) -> int:
    """Return the smallest number of steps that lasts at least `gap_s`: the root of the series, rounded up."""
    alike = gap_s / first_s  # how many steps if none grew, and how many fewer because they do
    fewer = growth_s / first_s * alike * (alike - 1) / 2
    if fewer < 0.5:  # to first order, which is faster than the root and never above it
        steps = int(alike - fewer)
    else:
        linear = first_s - growth_s / 2
        steps = int(2 * gap_s / (linear + math.sqrt(linear * linear + 2 * growth_s * gap_s)))
    while series_s(first_s, growth_s, steps) < gap_s:
        steps += 1
    return steps


@compiled
def end_finished(f: Engines, ends: Any, w: Work) -> Work:
    """Complete the requests whose last token was just written."""
    sojourn_s, context, reserved, active = w.sojourn_s, w.context, w.reserved, w.active
    while active > 0 and ends[active - 1].step <= w.steps:
        active -= 1
        request = ends[active].request
        outcome, more = f.outcomes[request], f.asked.output[request] - 1
        outcome.latency_s = w.clock - f.asked.arrival_s[request]
        outcome.per_token_s = (outcome.latency_s - outcome.first_token_s) / more if more > 0 else -1.0
        outcome.end = SERVED
        sojourn_s += outcome.latency_s
        context -= tokens(f, request)
        reserved -= tokens(f, request)
    return Work(
        w.clock, w.busy_s, w.system_s, sojourn_s, w.steps, context, reserved, active, w.waiting, w.head
    )


@compiled
def put_in_order(ends: Any, active: int, step: int, request: int) -> None:
    """Insert the step in which a sequence ends, in descending order."""
    place = active
    while place > 0 and ends[place - 1].step < step:
        ends[place].step, ends[place].request = ends[place - 1].step, ends[place - 1].request
        place -= 1
    ends[place].step, ends[place].request = step, request


# ---------------------------------------------------------------- runs


def run(
    scenario: GenerationScenario,
    *,
    seed: int,
    requests: int = 100_000,
    replications: int = 10,
    warm_up: float = 0.1,
    progress: running.Progress | None = None,
) -> Result:
    """Simulate generation; the arguments are those of `running.run`."""
    each = running.requests_each(requests, replications, warm_up)
    _ranges.whole(0, seed=seed)
    first = int(each * warm_up)
    tally, runs = Tally(4, replications, BITS), []
    for number in range(replications):
        asked = requests_of(scenario, each, seed, number)
        outcomes, engines = serve(scenario, asked)
        runs.append(_statistics_of(asked.arrival_s[first:], engines))
        tally.add(
            number, running.times_s(outcomes[first:], "latency_s", "per_token_s"), outcomes["end"][first:]
        )
        if progress:
            progress(number + 1, replications)
    return _result_of(scenario, seed, each - first, runs, tally, running.too_few(each, warm_up))


def requests_of(scenario: GenerationScenario, requests: int, seed: int, number: int) -> Asked:
    """Return the requests of one replication: the same seed gives the same requests, whatever the engine.

    Up to 100,000 requests, those of the last ten replications are cached.
    """
    draw = _drawn if requests <= _KEPT else _drawn.__wrapped__
    asked = draw(scenario.arrivals, scenario.prompt, scenario.output, requests, seed, number)
    if scenario.routing == "random":
        return asked._replace(
            engine=draws.generator(seed, number, 1).integers(scenario.replicas, size=requests)
        )
    if scenario.routing == "round robin":
        return asked._replace(engine=np.arange(requests) % scenario.replicas)
    return asked


@lru_cache(maxsize=10)
def _drawn(
    arrivals: Arrivals, prompt: Tokens, output: Tokens, requests: int, seed: int, number: int
) -> Asked:
    rng = draws.generator(seed, number)
    prompts, answers = draws.tails(2 * requests, rng).reshape(2, requests)
    return Asked(
        arrival_s=draws.arrival_times_s(arrivals, requests, rng),
        prompt=draws.lengths(prompt.mean, prompt.scv, prompts),
        output=draws.lengths(output.mean, output.scv, answers),
        engine=np.zeros(0, np.int64),
    )


def serve(scenario: GenerationScenario, asked: Asked) -> tuple[Rows, Rows]:
    """Serve the requests; return an outcome for each request, and the final state of the engines."""
    engine = scenario.engine
    settings = EngineSettings(
        len(asked.arrival_s),
        scenario.replicas,
        scenario.routing == "join the shortest queue",
        engine.kv_tokens,
        engine.most_sequences,
        *map(float, (engine.step_s, engine.step_per_token_s, engine.step_per_sequence_s)),
        *map(float, (engine.prefill_s, engine.prefill_per_token_s)),
    )
    outcomes = np.empty(
        len(asked.arrival_s), _OUTCOME
    )  # every row is written: each request that joins also ends
    engines = np.zeros(scenario.replicas, _ENGINE)
    ends = np.zeros((scenario.replicas, engine.most_sequences), _LAST_STEP)
    if COMPILED:
        generate(settings, Engines(asked, outcomes, engines, ends))
        return outcomes, engines
    objects = Engines(
        Asked(*(each.tolist() for each in asked)),
        objects_of(outcomes),
        objects_of(engines),
        [objects_of(each) for each in ends],
    )
    generate(settings, objects)
    write_back(outcomes, objects.outcomes)
    write_back(engines, objects.engines)
    return outcomes, engines


@dataclass(frozen=True)
class _Run:
    span_s: float
    utilisation: float
    littles_law_error: float


def _statistics_of(arrival_s: Floats, engines: Rows) -> _Run:
    return _Run(
        span_s=float(arrival_s[-1] - arrival_s[0]),
        utilisation=float(engines["busy_s"].sum() / (len(engines) * max(engines["clock"].max(), 1e-300))),
        littles_law_error=running.gap(engines["system_s"].sum(), engines["sojourn_s"].sum()),
    )


def _result_of(
    scenario: GenerationScenario,
    seed: int,
    each: int,
    runs: list[_Run],
    tally: Tally,
    result_notes: tuple[str, ...],
) -> Result:
    latency, wait, first_token, per_token = tally.distributions()
    served, arrived = latency.counts.sum(axis=1), each * len(runs)
    return Result(
        scenario=scenario,
        seed=seed,
        replications=len(runs),
        latency=latency,
        wait=wait,
        counts=Counts(arrived, latency.size, arrived - latency.size),
        served=running.averaged((served / each).tolist(), most=1.0),
        goodput_rps=running.averaged(
            [count / run.span_s for count, run in zip(served.tolist(), runs, strict=True)]
        ),
        utilisation=running.averaged([run.utilisation for run in runs], most=1.0),
        hit_ratio=None,
        attempts=arrived,
        wasted=0,
        littles_law_error=max(run.littles_law_error for run in runs),
        arrived_each=(each,) * len(runs),
        notes=result_notes,
        first_token=first_token,
        per_token=per_token,
    )
