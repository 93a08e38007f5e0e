"""Simulation of a fleet that answers requests, with intervals for every figure.

>>> from mlsd_helpers.simulation import Exponential, Fleet, Poisson, Scenario, simulate
>>> result = simulate(Scenario(Poisson(500), Exponential(0.040), Fleet(25)), seed=1, requests=20_000)
>>> result.counts.served == result.counts.arrived == 18_000
True
>>> 0.09 < result.p95_s.low < result.p95_s.value < result.p95_s.high < 0.16
True

A `Scenario` describes what is simulated. `simulate` runs it, `quick` runs it fast enough for a slider, and
`report` compares a design with its requirements. `prepare` compiles everything beforehand.

There are three engines, because no single one has every feature and is fast enough:

* `fleet`, an event loop with every feature: limits, timeouts, retries, batching, caches, incidents, autoscaling.
  `simulate` and `report` use it for a `Scenario`.
* `quick`, without events: for a plain queue it computes the start of each request from the times at which replicas
  become free. A slider needs an answer in milliseconds. Scenarios with other features go to `fleet`.
* `generation`, for models that write tokens. There a replica works on many sequences in common steps, and the time
  of a step depends on all of them, so that a request has no service time of its own. `simulate` and `report` use it
  for a `GenerationScenario`.

The tests compare `fleet` and `quick` with each other, and all three with theory.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from mlsd_helpers.design import Design
from mlsd_helpers.errors import RangeError
from mlsd_helpers.simulation import generation, running
from mlsd_helpers.simulation.compiled import COMPILED
from mlsd_helpers.simulation.from_design import INCIDENTS, STALE, IncidentName, from_design
from mlsd_helpers.simulation.generation import Engine, GenerationScenario, Tokens
from mlsd_helpers.simulation.grid import erlang_c_grid, wait_percentile_grid_s
from mlsd_helpers.simulation.quick import quick
from mlsd_helpers.simulation.report import (
    Beside,
    Comparison,
    Report,
    Verdict,
    expected_time_s,
    report,
    reports,
)
from mlsd_helpers.simulation.requirements import RequirementResult
from mlsd_helpers.simulation.result import Counts, Distribution, Estimate, Result
from mlsd_helpers.simulation.running import Progress
from mlsd_helpers.simulation.scenario import (
    ROUTINGS,
    Autoscaler,
    Batching,
    Bursty,
    Cache,
    Clients,
    ColdCache,
    Constant,
    Diurnal,
    Exponential,
    Fleet,
    Incident,
    Lognormal,
    Measured,
    OverloadError,
    PerBatch,
    Poisson,
    ReplicaFailure,
    RollingRestart,
    Scenario,
    Surge,
    Trace,
    ZoneLoss,
    describe,
)

__all__ = [
    "COMPILED",
    "INCIDENTS",
    "ROUTINGS",
    "Autoscaler",
    "Batching",
    "Beside",
    "Bursty",
    "Cache",
    "Clients",
    "ColdCache",
    "Comparison",
    "Constant",
    "Counts",
    "Distribution",
    "Diurnal",
    "Engine",
    "Estimate",
    "Exponential",
    "Fleet",
    "GenerationScenario",
    "Incident",
    "IncidentName",
    "Lognormal",
    "Measured",
    "OverloadError",
    "PerBatch",
    "Poisson",
    "ReplicaFailure",
    "Report",
    "RequirementResult",
    "Result",
    "RollingRestart",
    "Scenario",
    "Surge",
    "Tokens",
    "Trace",
    "Verdict",
    "ZoneLoss",
    "describe",
    "erlang_c_grid",
    "expected_time_s",
    "from_design",
    "prepare",
    "quick",
    "report",
    "reports",
    "simulate",
    "wait_percentile_grid_s",
]


def simulate(
    what: Scenario | GenerationScenario | Design,
    *,
    seed: int,
    requests: int = 100_000,
    replications: int = 10,
    warm_up: float = 0.1,
    incidents: Sequence[IncidentName | Incident] = (),
    folder: Path | None = None,
    fleet: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Simulate a scenario or a design, and return percentiles with intervals, counts and notes.

    `requests` are shared among `replications` independent runs, and the first `warm_up` share of each is
    not measured. For a design, `incidents` are names and begin when measuring does; for a scenario they are values
    with times. A file that a design names is read from `folder`, by default the working folder.
    `fleet` is the place of one of several fleets, the first when left out.
    `progress(done, of)` is called after each replication. The same seed gives the same result. Raises
    ``RangeError`` and ``DesignError`` for what cannot be simulated.
    """
    each = running.requests_each(requests, replications, warm_up)
    scenario = _scenario(what, incidents, each * warm_up, folder, fleet)
    run: Callable[..., Result] = generation.run if isinstance(scenario, GenerationScenario) else running.run
    result = run(
        scenario, seed=seed, requests=requests, replications=replications, warm_up=warm_up, progress=progress
    )
    return replace(result, notes=(*result.notes, STALE)) if "stale pipeline" in incidents else result


def _scenario(
    what: Scenario | GenerationScenario | Design,
    incidents: Sequence[IncidentName | Incident],
    warm_up: float,
    folder: Path | None,
    fleet: str | None,
) -> Scenario | GenerationScenario:
    named = [incident for incident in incidents if isinstance(incident, str)]
    if isinstance(what, Design) and len(named) == len(incidents):
        rate_rps = from_design(what, folder=folder, fleet=fleet).arrivals.rate_rps
        return from_design(what, named, at_s=warm_up / rate_rps, folder=folder, fleet=fleet)
    if isinstance(what, Scenario) and not named:
        return replace(what, incidents=(*what.incidents, *cast("Sequence[Incident]", incidents)))
    if isinstance(what, GenerationScenario) and not incidents:
        return what
    raise RangeError(
        f"{type(what).__name__} with incidents {list(incidents)!r} cannot be simulated. Give a design with "
        "incidents by name, a Scenario with incidents such as ZoneLoss(at_s=60), or a GenerationScenario without."
    )


def prepare() -> None:
    """Compile every loop and cache the machine code on disk, so that the first run does not wait."""
    plain, few = Scenario(Poisson(8), Exponential(1), Fleet(10)), 400
    simulate(plain, seed=0, requests=few)
    simulate(Scenario(Poisson(8), Exponential(1), Fleet(10), cache=Cache(2, 4)), seed=0, requests=few)
    quick(plain, seed=0, requests=few)
    quick(Scenario(Poisson(8), Exponential(1), Fleet(10, routing="random")), seed=0, requests=few)
    engine = Engine(kv_tokens=10_000, step_s=0.01)
    simulate(GenerationScenario(Poisson(1), Tokens(100), Tokens(10), engine), seed=0, requests=few)
