"""From a design's capacity plan to a scenario: its load, service time, fleet, and incidents by name.

Where a design decides nothing, the scenario assumes what the formulas do: an exponential service time and a
central queue.
"""

import math
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from mlsd_helpers import formulas
from mlsd_helpers.analysis.paths import burstiness_of, cold_load_rps, peak_rps, together
from mlsd_helpers.analysis.prediction import Service as Predicted
from mlsd_helpers.analysis.rates import mean_at_once
from mlsd_helpers.analysis.sizing import FLOPS_UTILISATION, Sizing, largest_zone, sizings
from mlsd_helpers.analysis.surroundings import callers_of, longest_held_s
from mlsd_helpers.design import Design, FleetPlan
from mlsd_helpers.design import Generation as GenerationPlan
from mlsd_helpers.design.capacity import ServiceTime
from mlsd_helpers.errors import DesignError, RangeError
from mlsd_helpers.simulation.generation import Engine, GenerationRouting, GenerationScenario, Tokens
from mlsd_helpers.simulation.scenario import (
    Autoscaler,
    Batching,
    Bursty,
    Clients,
    Constant,
    Cut,
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
    Service,
    Surge,
    ZoneLoss,
)

IncidentName = Literal["surge", "zone loss", "rolling restart", "cold cache", "stale pipeline"]
INCIDENTS: tuple[IncidentName, ...] = get_args(IncidentName)
STALE = "A stale pipeline makes features older and no request slower: latencies are those without it."
RESTART_S = 60.0
_USUAL_TARGET = 0.7

_MOST_BYTES = 5_000_000  # in a file of measured times


def from_design(
    design: Design,
    incidents: Sequence[IncidentName] = (),
    *,
    at_s: float = 0.0,
    folder: Path | None = None,
    fleet: str | None = None,
) -> Scenario | GenerationScenario:
    """Return the scenario that the plan of a fleet describes, with incidents that begin `at_s` and last.

    `fleet` is its place in the design, such as ``capacity.fleets.ranker``; the first one when left out. A file of
    measured times is read from `folder`, by default the working folder. Calls of the fleet's component have the
    timeout and the retries of their flow.

    - surge: arrivals rise by the headroom's `surge`;
    - zone loss: the largest zone is gone;
    - rolling restart: `unavailable_in_restart` of the replicas at a time, a minute each, once round; nothing where
      that is less than one replica, or where new replicas start first (`max_surge`);
    - cold cache: the fleet also gets the requests that the caches of the paths answer, or the whole required peak;
    - stale pipeline: makes features older and no request slower, so it adds no incident; `report` gives the ages.

    What the design does not decide is assumed as everywhere; see `mlsd_helpers.analysis.sizing`.

    Raises ``DesignError`` where the design lacks a number, and ``RangeError`` where it cannot be simulated.
    """
    return scenario_of(design, sizing_at(design, fleet), incidents, at_s=at_s, folder=folder)


def sizing_at(design: Design, fleet: str | None) -> Sizing:
    """Return what the plan of a fleet comes to, by its place or its id; the first one when left out."""
    found = sizings(design)
    if not found:
        raise DesignError("The design has no capacity to simulate. Write its part `capacity`.")
    if fleet is None:
        return next(iter(found.values()))
    known = found | {one.plan.id: one for one in found.values() if one.plan.id}
    if fleet not in known:
        raise DesignError(f"There is no fleet {fleet!r}. Name one of: {', '.join(found)}.")
    return known[fleet]


def scenario_of(
    design: Design,
    sizing: Sizing,
    incidents: Sequence[IncidentName] = (),
    *,
    at_s: float = 0.0,
    folder: Path | None = None,
) -> Scenario | GenerationScenario:
    """Return the scenario of one fleet; see `from_design`."""
    for name in incidents:
        if name not in INCIDENTS:
            raise RangeError(f"There is no incident {name!r}. Name some of: {', '.join(INCIDENTS)}.")
    if sizing.plan.generation:
        return _generation(design, sizing, sizing.plan.generation, incidents)
    happening = [incident for name in incidents for incident in _incidents(name, design, sizing, at_s)]
    return Scenario(
        arrivals(design, sizing),
        _cut(_service(sizing, folder or Path()), longest_held_s(design, sizing.plan)),
        _fleet(sizing),
        _clients(design, sizing.plan),
        incidents=tuple(happening),
    )


# ---------------------------------------------------------------- load, service, fleet


def load_rps(sizing: Sizing) -> float:
    """Return the load of the replicas at the peak, in requests per second."""
    if sizing.load_rps is None:
        raise DesignError(
            f"Neither {sizing.path}.load nor a peak from which it follows is given. Write the load: '500 rps'."
        )
    return sizing.load_rps


def arrivals(design: Design, sizing: Sizing) -> Poisson | Bursty:
    """Return the arrivals at the peak, with the burstiness of the requirement."""
    burstiness = burstiness_of(design)
    rate_rps = load_rps(sizing)
    return Bursty(rate_rps, burstiness) if burstiness and burstiness > 1 else Poisson(rate_rps)


def _cut(service: Service, longest_s: float) -> Service:
    """Return service times that end where all that is waited for has timed out, with the same mean."""
    if not isinstance(service, Exponential | Lognormal) or math.isinf(longest_s):
        return service
    given = Predicted(service.mean_s, service.scv, isinstance(service, Exponential), longest_s)
    return Cut(replace(service, mean_s=given.uncut_mean_s), longest_s, service.mean_s)


def _service(sizing: Sizing, folder: Path) -> Service:
    plan, path = sizing.plan, f"{sizing.path}.service_time"
    if plan.batching:
        return PerBatch(plan.batching.fixed_time, plan.batching.time_per_item)
    given = plan.service_time
    if given is None:
        raise DesignError(f"{path} is missing. Write the mean of one inference, such as '40 ms'.")
    if given.file:
        return Measured(_measured_s(given, folder, path))
    if given.distribution == "measured" and given.scv is None:
        raise DesignError(
            f"{path} is measured, and simulating it needs its spread. Write the file of the measured "
            "times, one a line in seconds, or their scv, variance over squared mean."
        )
    scv = given.known_scv
    if scv == 0:
        return Constant(given.mean)
    if given.distribution in {"exponential", None} and scv in {1.0, None}:
        return Exponential(given.mean)
    return Lognormal(given.mean, 1.0 if scv is None else scv)


def _measured_s(given: ServiceTime, folder: Path, where: str) -> tuple[float, ...]:
    path = folder / str(given.file)
    try:
        _refuse_other_files(path, folder)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as problem:
        unreadable = "it is not text" if isinstance(problem, UnicodeDecodeError) else str(problem)
        reason = getattr(problem, "strerror", None) or unreadable
        raise DesignError(
            f"{where}.file: {str(path)!r} cannot be read: {reason}. Write the measured times there, "
            "one a line in seconds, or take the file out of the design and write their scv."
        ) from problem
    written = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not written:
        raise DesignError(f"{str(path)!r} holds no times. Write the measured times, one a line in seconds.")
    return tuple(_time_s(line, f"{str(path)!r}, line {number}") for number, line in written)


def _refuse_other_files(path: Path, folder: Path) -> None:
    """Raise ValueError for anything but a regular file beside the design, which may come from somebody else."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"it lies outside of {str(folder)!r}, the folder of the design")
    kind = path.stat()
    if not stat.S_ISREG(kind.st_mode):
        raise ValueError("it is not a regular file")
    if kind.st_size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES // 10**6} MB")


def _time_s(line: str, where: str) -> float:
    with suppress(ValueError):
        if 0 < (time_s := float(line)) < math.inf:
            return time_s
    raise DesignError(f"{where}: that is not a time. Write seconds above 0, one time a line, as 0.042.")


def _fleet(sizing: Sizing) -> Fleet:
    plan, replicas = sizing.plan, _replicas(sizing)
    routing = plan.routing or "central queue"
    limit = plan.queue_limit
    return Fleet(
        replicas=replicas,
        zones=min(plan.zones or 1, replicas),
        concurrency=plan.concurrency_per_replica,
        routing=routing,
        queue_limit=limit * replicas if limit is not None and routing == "central queue" else limit,
        batching=Batching(plan.batching.largest, plan.batching.longest_wait) if plan.batching else None,
        autoscaler=_autoscaler(plan, replicas),
    )


def _clients(design: Design, plan: FleetPlan) -> Clients:
    """Return the callers with their retries; how long they pause is not stated, so that they try again at once."""
    callers = callers_of(design, plan)
    return Clients(callers.timeout_s, callers.retries, retry_budget=callers.budget)


def _replicas(sizing: Sizing) -> int:
    if not sizing.plan.replicas:
        raise DesignError(
            f"{sizing.path}.replicas is missing. Write how many replicas the fleet has, such as 45."
        )
    return sizing.plan.replicas


def _autoscaler(plan: FleetPlan, replicas: int) -> Autoscaler | None:
    given = plan.autoscaler
    if given is None:
        return None
    return Autoscaler(
        target=given.target if given.target is not None else plan.target_utilisation or _USUAL_TARGET,
        delay_s=given.delay,
        minimum=min(given.minimum or replicas, replicas),
        maximum=max(given.maximum or replicas, replicas),
    )


# ---------------------------------------------------------------- incidents


def _incidents(name: IncidentName, design: Design, sizing: Sizing, at_s: float) -> tuple[Incident, ...]:
    if name == "surge":
        return (Surge(at_s, 1 + sizing.surge.value),)
    if name == "zone loss":
        return (_zone_loss(sizing, at_s),)
    if name == "rolling restart":
        restart = RollingRestart(at_s, sizing.restart_share.value, RESTART_S)
        return (restart,) if sizing.down_in_restart else ()
    return (_cold_cache(design, sizing, at_s),) if name == "cold cache" else ()


def _zone_loss(sizing: Sizing, at_s: float) -> Incident:
    replicas, zones = _replicas(sizing), sizing.plan.zones or 1
    if zones < 2 or sizing.largest_zone == largest_zone(replicas, zones):
        return ZoneLoss(at_s)
    return ReplicaFailure(at_s, sizing.largest_zone)  # the plan puts more into a zone than an even share


def _cold_cache(design: Design, sizing: Sizing, at_s: float) -> Incident:
    load = load_rps(sizing)
    at_once = mean_at_once(design.planes, sizing.plan.component)
    cold = cold_load_rps(design, load, at_once) or together(design, peak_rps)
    if cold is None or not 0 < load < cold:
        raise RangeError(
            f"A cold cache changes nothing: {load:g} requests a second, the whole peak, reach {sizing.path} anyway. "
            "Write the hit_ratio of the cache in pattern.paths, or leave the incident out."
        )
    return Surge(at_s, cold / load)


# ---------------------------------------------------------------- generation


def _generation(
    design: Design, sizing: Sizing, given: GenerationPlan, incidents: Sequence[IncidentName]
) -> GenerationScenario:
    for name in incidents:
        if name not in {"surge", "zone loss", "stale pipeline"}:
            raise RangeError(f"{name!r} is not simulated for generation. Use surge or zone loss.")
    replicas = _replicas(sizing)
    if "zone loss" in incidents:
        replicas -= sizing.largest_zone
        if not replicas:
            raise RangeError(
                f"zones {sizing.plan.zones or 1}: no replica remains. Spread them over two or three zones."
            )
    usual = arrivals(design, sizing)
    factor = 1 + sizing.surge.value if "surge" in incidents else 1
    routings: dict[str | None, GenerationRouting] = {"random": "random", "round robin": "round robin"}
    engine = _engine(sizing, given)
    try:
        return GenerationScenario(
            arrivals=replace(usual, rate_rps=usual.rate_rps * factor),
            prompt=Tokens(given.prompt_tokens),
            output=Tokens(given.output_tokens),
            engine=engine,
            replicas=replicas,
            routing=routings.get(sizing.plan.routing, "join the shortest queue"),
        )
    except OverloadError as error:
        raise OverloadError(error.utilisation, error.rate_rps, sizing.sequences.assumption) from None
    except RangeError as error:
        raise RangeError(f"{error} {sizing.sequences.assumption}".rstrip()) from None


def _engine(sizing: Sizing, given: GenerationPlan) -> Engine:
    memory = sizing.memory
    if memory is None or not memory.bandwidth or not memory.compute:
        raise DesignError(
            f"{sizing.path}.generation.accelerator needs bandwidth and compute to simulate, from its data sheet: "
            "bandwidth as '3.35 TB/s', dense compute as '989 TFLOP/s'."
        )
    prefill = (memory.used_parameters, 1, memory.compute, FLOPS_UTILISATION)
    each_pass = memory.bandwidth * max(given.tokens_per_pass or 1.0, 1.0)
    return Engine(
        kv_tokens=formulas.kv_cache_tokens(
            memory.whole_bytes, memory.weights_bytes, memory.bytes_per_token, memory.usable
        ),
        step_s=memory.weights_bytes / each_pass,
        step_per_token_s=memory.bytes_per_token / each_pass,
        prefill_per_token_s=formulas.time_to_first_token_s(*prefill) * (1 - (given.prefix_cache or 0.0)),
        most_sequences=int(sizing.sequences.value),
    )
