"""Generation: replicas that write tokens for many sequences at once (continuous batching).

One replica repeats: admit the next sequence in line if its key–value cache fits, read its prompt (prefill,
which gives the first token and during which nobody else advances); otherwise do one decoding step, which gives
every active sequence one token. A step reads the weights once and the cache of every active sequence, so its
time grows with each token. Admission is in order of arrival and reserves the prompt and the whole answer.

Between two arrivals nothing changes from step to step but that growth, so that all steps up to the next arrival
or the next finished sequence are done at once: their times are an arithmetic series. The cost of a simulation is
per request and not per token, and the result is that of the steps one by one.
"""

# mypy: disable-error-code="no-any-return"
# A row is a record or an object, which no type of ours describes: what is read from it is Any.

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.simulation import draws, running
from mlsd_helpers.simulation.compiled import COMPILED, compiled, objects_of, record, write_back
from mlsd_helpers.simulation.fleet import SERVED, SHED
from mlsd_helpers.simulation.result import Counts, Result, Tally
from mlsd_helpers.simulation.scenario import Arrivals

GenerationRouting = Literal["random", "round robin", "join the shortest queue"]
_ROUTINGS: tuple[GenerationRouting, ...] = get_args(GenerationRouting)
BITS = 7  # as in `quick`
AT_RANDOM, IN_TURN, TO_SHORTEST = range(3)


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

    A request whose prompt and answer exceed `kv_tokens` is turned away. A load that the replicas cannot carry
    is a `RangeError`, as far as it can be told beforehand: with as many sequences in a step as may and fit.
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
        _ranges.below_saturation(self.utilisation)

    @property
    def utilisation(self) -> float:
        """Share of the time that the replicas need at least, with as many sequences in a step as may and fit."""
        engine, tokens = self.engine, self.prompt.mean + self.output.mean
        together = max(1.0, min(engine.most_sequences, engine.kv_tokens / tokens))
        context = self.prompt.mean + self.output.mean / 2
        step_s = engine.step_s / together + engine.step_per_sequence_s + engine.step_per_token_s * context
        prefill_s = engine.prefill_s + engine.prefill_per_token_s * self.prompt.mean
        return self.arrivals.rate_rps * (prefill_s + step_s * (self.output.mean - 1)) / self.replicas


# ---------------------------------------------------------------- the loop


class EngineSettings(NamedTuple):
    """What does not change during a run."""

    requests: int
    replicas: int
    routing: int
    kv_tokens: int
    most_sequences: int
    step_s: float
    step_per_token_s: float
    step_per_sequence_s: float
    prefill_s: float
    prefill_per_token_s: float


_PROMPT_AND_ANSWER = np.dtype(
    [
        ("arrival_s", float), ("pick", float),
        ("latency_s", float), ("wait_s", float), ("first_token_s", float), ("per_token_s", float),
        ("prompt", np.int32), ("output", np.int32), ("link", np.int32), ("end", np.int8),
    ],
    align=True,
)  # fmt: skip
_ENGINE = np.dtype(
    [
        ("clock", float), ("busy_s", float), ("system_s", float), ("sojourn_s", float),
        ("steps", np.int64), ("context", np.int64), ("reserved", np.int64), ("active", np.int64),
        ("head", np.int64), ("tail", np.int64), ("waiting", np.int64),
    ]
)  # fmt: skip
_LAST_STEP = np.dtype([("step", np.int64), ("request", np.int64)])


class Engines(NamedTuple):
    """The rows, made once."""

    requests: Any
    engines: Any
    ends: Any  # `most_sequences` rows for each engine: what is active, the first to end as the last


@compiled
def generate(settings: NDArray[np.void], f: Engines) -> None:
    """Let every request arrive, in order, and then let the engines finish."""
    s = settings[0]
    for request in range(s.requests):
        asked = f.requests[request]
        engine = route(s, f, request, asked.arrival_s)
        if asked.prompt + asked.output > s.kv_tokens:
            asked.end = SHED
        else:
            join(f, engine, request, asked.arrival_s)
    for engine in range(s.replicas):
        advance(s, f, engine, math.inf)


@compiled
def route(s: EngineSettings, f: Engines, request: int, now: float) -> int:
    """Choose an engine, and bring those up to date whose state matters."""
    if s.routing == TO_SHORTEST:
        best = 0
        for engine in range(s.replicas):
            advance(s, f, engine, now)
            here = f.engines[engine]
            if here.active + here.waiting < f.engines[best].active + f.engines[best].waiting:
                best = engine
        return best
    engine = request % s.replicas if s.routing == IN_TURN else int(f.requests[request].pick * s.replicas)
    advance(s, f, engine, now)
    return engine


@compiled
def join(f: Engines, engine: int, request: int, now: float) -> None:
    """Put a request in an engine's line."""
    here = f.engines[engine]
    if here.active == 0 and here.waiting == 0 and here.clock < now:
        here.clock = now  # it was idle
    here.system_s += here.clock - now  # it came while the engine was at work
    if here.waiting == 0:
        here.head = request
    else:
        f.requests[here.tail].link = request
    here.tail = request
    here.waiting += 1


@compiled
def advance(s: EngineSettings, f: Engines, engine: int, until_s: float) -> None:
    """Let an engine work until its first pause, between two steps, at or after a time, or until it is idle."""
    here = f.engines[engine]
    while here.clock < until_s:
        if may_admit(s, f, engine):
            admit(s, f, engine)
        elif here.active > 0:
            decode(s, f, engine, until_s)
        else:
            return


@compiled
def may_admit(s: EngineSettings, f: Engines, engine: int) -> bool:
    """Tell whether the next in line fits."""
    here = f.engines[engine]
    if here.waiting == 0 or here.active == s.most_sequences:
        return False
    first = f.requests[here.head]
    return here.reserved + first.prompt + first.output <= s.kv_tokens


@compiled
def admit(s: EngineSettings, f: Engines, engine: int) -> None:
    """Read the prompt of the next in line, which gives its first token."""
    here = f.engines[engine]
    request = here.head
    asked = f.requests[request]
    here.head = asked.link
    here.waiting -= 1
    asked.wait_s = here.clock - asked.arrival_s
    took_s = s.prefill_s + s.prefill_per_token_s * asked.prompt
    here.active += 1
    pass_time(f, engine, took_s)
    asked.first_token_s = here.clock - asked.arrival_s
    here.context += asked.prompt + 1
    here.reserved += asked.prompt + asked.output
    put_in_order(s, f, engine, here.steps + asked.output - 1, request)
    end_finished(s, f, engine)


@compiled
def decode(s: EngineSettings, f: Engines, engine: int, until_s: float) -> None:
    """Do all steps up to the next finished sequence, or the first that ends at or after a time."""
    here = f.engines[engine]
    growth_s = s.step_per_token_s * here.active  # each step takes this much longer than the one before
    first_s = s.step_s + s.step_per_sequence_s * here.active + s.step_per_token_s * here.context
    steps = f.ends[engine * s.most_sequences + here.active - 1].step - here.steps
    took_s = series_s(first_s, growth_s, steps)
    if took_s >= until_s - here.clock:
        steps = steps_to_fill(first_s, growth_s, until_s - here.clock)
        took_s = series_s(first_s, growth_s, steps)
    pass_time(f, engine, took_s)
    here.steps += steps
    here.context += steps * here.active
    end_finished(s, f, engine)


@compiled
def pass_time(f: Engines, engine: int, took_s: float) -> None:
    """Let an engine work for some time, and add up who was in the system."""
    here = f.engines[engine]
    here.clock += took_s
    here.busy_s += took_s
    here.system_s += (here.active + here.waiting) * took_s


@compiled
def series_s(first_s: float, growth_s: float, steps: int) -> float:
    """Add up steps of which each takes `growth_s` longer than the one before."""
    return steps * first_s + growth_s * (steps * (steps - 1) / 2)


@compiled
def steps_to_fill(first_s: float, growth_s: float, gap_s: float) -> int:
    """Count the steps that it takes to reach the end of a gap: the root of the series, made whole and checked."""
    linear = first_s - growth_s / 2
    steps = max(1, int(2 * gap_s / (linear + math.sqrt(linear * linear + 2 * growth_s * gap_s))))
    while series_s(first_s, growth_s, steps) < gap_s:
        steps += 1
    while steps > 1 and series_s(first_s, growth_s, steps - 1) >= gap_s:
        steps -= 1
    return steps


@compiled
def end_finished(s: EngineSettings, f: Engines, engine: int) -> None:
    """Hand over the answers whose last token was just written."""
    here = f.engines[engine]
    base = engine * s.most_sequences
    while here.active > 0 and f.ends[base + here.active - 1].step <= here.steps:
        here.active -= 1
        asked = f.requests[f.ends[base + here.active].request]
        asked.latency_s = here.clock - asked.arrival_s
        here.sojourn_s += asked.latency_s
        more = asked.output - 1
        asked.per_token_s = (asked.latency_s - asked.first_token_s) / more if more > 0 else -1.0
        asked.end = SERVED
        here.context -= asked.prompt + asked.output
        here.reserved -= asked.prompt + asked.output


@compiled
def put_in_order(s: EngineSettings, f: Engines, engine: int, step: int, request: int) -> None:
    """Note in which step a sequence will end, behind those that end later; it is already counted as active."""
    first = engine * s.most_sequences
    place = first + f.engines[engine].active - 1
    while place > first and f.ends[place - 1].step < step:
        f.ends[place].step = f.ends[place - 1].step
        f.ends[place].request = f.ends[place - 1].request
        place -= 1
    f.ends[place].step = step
    f.ends[place].request = request


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
    for number, rng in enumerate(draws.generators(seed, replications)):
        rows, engines = one_run(scenario, each, rng)
        runs.append(_summed(rows[first:], engines))
        tally.add(number, running.times_s(rows[first:], "latency_s", "per_token_s"), rows["end"][first:])
        if progress:
            progress(number + 1, replications)
    return _gathered(scenario, seed, each - first, runs, tally, running.too_few(each, warm_up))


def one_run(
    scenario: GenerationScenario, requests: int, rng: Generator
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Draw the requests of one run, let them be served, and return their rows and the engines'."""
    rows = np.zeros(requests, _PROMPT_AND_ANSWER)
    rows["arrival_s"] = draws.arrival_times_s(scenario.arrivals, requests, rng)
    normals = draws.normal_pairs(requests, rng)
    rows["prompt"], rows["output"] = map(_drawn, (scenario.prompt, scenario.output), normals)
    if scenario.routing == "random":
        rows["pick"] = rng.random(requests)
    return rows, serve(scenario, rows)


def _drawn(tokens: Tokens, normal: draws.Singles) -> draws.Singles | int:
    if tokens.scv == 0:
        return round(tokens.mean)
    return np.maximum(1, np.rint(tokens.mean * draws.unit_lognormal(tokens.scv, normal)))


def serve(scenario: GenerationScenario, rows: NDArray[np.void]) -> NDArray[np.void]:
    """Let requests be served, write into their rows what became of them, and return the engines."""
    engine = scenario.engine
    settings = EngineSettings(
        len(rows),
        scenario.replicas,
        _ROUTINGS.index(scenario.routing),
        engine.kv_tokens,
        engine.most_sequences,
        *map(float, (engine.step_s, engine.step_per_token_s, engine.step_per_sequence_s)),
        *map(float, (engine.prefill_s, engine.prefill_per_token_s)),
    )
    engines = np.zeros(scenario.replicas, _ENGINE)
    ends = np.zeros(scenario.replicas * engine.most_sequences, _LAST_STEP)
    if COMPILED:
        generate(record(settings), Engines(rows, engines, ends))
        return engines
    objects = Engines(*map(objects_of, (rows, engines, ends)))
    generate([settings], objects)  # type: ignore[arg-type]
    write_back(rows, objects.requests)
    write_back(engines, objects.engines)
    return engines


@dataclass(frozen=True)
class _Run:
    span_s: float
    utilisation: float
    littles_law_error: float


def _summed(rows: NDArray[np.void], engines: NDArray[np.void]) -> _Run:
    return _Run(
        span_s=float(rows["arrival_s"][-1] - rows["arrival_s"][0]),
        utilisation=float(engines["busy_s"].sum() / (len(engines) * max(engines["clock"].max(), 1e-300))),
        littles_law_error=running.gap(engines["system_s"].sum(), engines["sojourn_s"].sum()),
    )


def _gathered(
    scenario: GenerationScenario,
    seed: int,
    each: int,
    runs: list[_Run],
    tally: Tally,
    told: tuple[str, ...],
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
        notes=told,
        first_token=first_token,
        per_token=per_token,
    )
