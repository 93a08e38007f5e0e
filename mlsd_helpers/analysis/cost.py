"""What a design costs in 30 days: its fleets, the prices of its components, its trainings, and what else it names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isclose

from mlsd_helpers.analysis.jobs import computed_s, fleet_of
from mlsd_helpers.analysis.paths import each_workload
from mlsd_helpers.analysis.rates import calls_per_request, share_on_duty
from mlsd_helpers.analysis.sizing import HOURS_A_MONTH, fleet_names
from mlsd_helpers.analysis.surroundings import somebody_waits
from mlsd_helpers.design import Component, Design, FleetPlan, Labels
from mlsd_helpers.design.quantities import MONEY, write
from mlsd_helpers.units import day, hour, show_number

MONTH_S = HOURS_A_MONTH * hour
_SAME = 0.01  # how far two statements of one amount may differ


@dataclass(frozen=True)
class CostRow:
    """One thing that is paid for."""

    path: str
    """Where the design gives its price."""
    what: str
    per_month: float | None
    """Over 30 days; None where the design does not say how much of it is used."""
    how: str
    """The arithmetic in words, or what is missing."""
    at_most: float | None = None
    """Over 30 days with all replicas that the autoscaler may add; None where it adds none."""

    @property
    def highest(self) -> float | None:
        """The most that may have to be paid over 30 days."""
        return self.per_month if self.at_most is None else self.at_most


def costs_of(design: Design) -> tuple[CostRow, ...]:
    """Return what a design costs, item by item, in the order of the design.

    >>> from mlsd_helpers import cases
    >>> [(row.path, row.per_month) for row in costs_of(cases.load("harbour_pay"))]
    [('capacity.cost_per_replica_hour', 6912.0)]
    """
    rows = (*_fleets(design), *_prices(design), *_trainings(design), *_others(design))
    return tuple(_once(design, rows))


def _once(design: Design, rows: Sequence[CostRow]) -> Iterator[CostRow]:
    """Count what two parts of a design state of one component once: the larger amount.

    A cost beside fleets is the fixed price of its component again, or its trainings, or what a fleet or another price
    of the component comes to where the amounts are the same.
    """
    training = design.data and design.data.training
    trainers = (
        {one.id for one in design.planes.components if one.plane == "training"} if design.planes else set()
    )
    of_component = {
        f"capacity.costs.{cost.id}.per_month": cost.component
        for cost in (design.capacity.costs if design.capacity else ())
        if cost.component
    }
    left = [row for row in rows if row.path not in of_component]
    for row in (row for row in rows if row.path in of_component):
        name, same = of_component[row.path], None
        for at, other in enumerate(left):
            about = _about(design, other.path)
            trains = other.path == "data.training.cost_per_run" and (
                name in trainers if not (training and training.component) else name == training.component
            )
            fixed = about == name and other.path.endswith(".price.per_month")
            alike = about == name and isclose(other.per_month or 0.0, row.per_month or 0.0, rel_tol=_SAME)
            if other.path not in of_component and (trains or fixed or alike):
                same = at
                break
        if same is None:
            left.append(row)
            continue
        smaller, larger = sorted((left[same], row), key=lambda one: one.per_month or 0.0)
        left[same] = replace(larger, how=f"{larger.how}; {smaller.path} is the same, and counts once")
    yield from left


def _about(design: Design, path: str) -> str | None:
    """Return the component that a price or the cost of a fleet is about."""
    fleets = {f"{place}.cost_per_replica_hour": plan.component for place, plan in design.fleets.items()}
    return fleets.get(path) or (path.split(".")[2] if path.startswith("planes.components.") else None)


def total_per_month(rows: tuple[CostRow, ...]) -> float | None:
    """Return what all of it costs over 30 days; None where nothing is known."""
    known = [row.per_month for row in rows if row.per_month is not None]
    return sum(known) if known else None


def new_labels(labels: Labels, period_s: float | None) -> float:
    """Return how many labels each training needs that the one before it did not have."""
    share = min(1.0, period_s / labels.kept_for) if period_s and labels.kept_for else 1.0
    return (labels.items or 0) * (labels.labels_per_item or 1) * share


def labels_per_month(design: Design) -> float | None:
    """Return what the new labels of the trainings of 30 days cost, as if none were kept unless the design says so."""
    labels = design.requirements.labels if design.requirements else None
    if labels is None or not labels.cost_per_label:
        return None
    retraining = design.planes.retraining if design.planes else None
    period_s = retraining.period if retraining else None
    return new_labels(labels, period_s) * labels.cost_per_label * MONTH_S / max(period_s or MONTH_S, day)


def unpriced(design: Design) -> tuple[Component, ...]:
    """Return what runs or is bought and states no price: replicas of our own without a fleet, and quotas of others."""
    planned = {plan.component for plan in design.fleets.values() if plan.cost_per_replica_hour is not None}
    planned |= {cost.component for cost in (design.capacity.costs if design.capacity else ())}
    return tuple(
        one
        for one in (design.planes.components if design.planes else ())
        if one.price is None and one.id not in planned and (one.quota if one.run_by_others else one.replicas)
    )


def answers_per_month(design: Design) -> float | None:
    """Return the requests of 30 days at the mean rate, or what scheduled runs score in them; of all workloads."""
    if design.views:
        found = [number for one in design.views if (number := answers_per_month(one))]
        return sum(found) if found else None
    needs = design.requirements
    if needs and needs.throughput and needs.throughput.mean:
        return needs.throughput.mean * MONTH_S
    if needs and needs.schedule and needs.schedule.items and needs.schedule.period:
        return needs.schedule.items * MONTH_S / needs.schedule.period
    return None


def calls_per_s(design: Design) -> dict[str, float]:
    """Return the mean rate at which requests of all workloads reach each component when first attempts answer."""
    total = dict[str, float]()
    for one in each_workload(design):
        for name, rate in _own_calls_per_s(one).items():
            total[name] = total.get(name, 0.0) + rate
    return total


def _own_calls_per_s(design: Design) -> dict[str, float]:
    planes, answers = design.planes, answers_per_month(design)
    if planes is None or not answers:
        return {}
    mean = answers / MONTH_S
    return {name: calls * mean for name, calls in calls_per_request(planes).items()}


def _fleets(design: Design) -> Iterator[CostRow]:
    names = fleet_names(design)
    for path, plan in design.fleets.items():
        price = plan.cost_per_replica_hour
        if price is None:
            continue
        where = f"{path}.cost_per_replica_hour"
        what = f"Fleet of {names[path] if plan.component or plan.id else 'replicas'}"
        if plan.replicas is None:
            yield CostRow(where, what, None, f"{path}.replicas is not decided")
        else:
            release = plan.release_replicas or 0
            more = f" and {release:,} for releases" if release else ""
            highest = max(plan.replicas, (plan.autoscaler.maximum or 0) if plan.autoscaler else 0)
            up_to = f", up to {highest:,} by the autoscaler" if highest > plan.replicas else ""
            hours, why = working_hours(design, plan)
            many = "replica" if plan.replicas == 1 else "replicas"
            how = f"{plan.replicas:,} {many}{more} × {_hourly(price, hours)}{why}{up_to}"
            at_most = (highest + release) * (price * HOURS_A_MONTH) if up_to or why else None
            yield CostRow(where, what, (plan.replicas + release) * (price * hours), how, at_most)


def working_hours(design: Design, plan: FleetPlan) -> tuple[float, str]:
    """Return for how many hours of 30 days a fleet is paid, and why not for all.

    A fleet that answers nobody and works for runs by the clock alone is paid while these last. One that also computes
    a path that is not pre-computed, or that events reach, always runs. One whose component says at which hours it runs
    is paid for these.

    >>> stream = {"id": "alarms", "component": "model", "pattern": "streaming"}
    >>> nightly = {"id": "list", "pattern": "pre-computed", "precompute": {"period": "1 d", "job_time": "2 h"}}
    >>> plan = {"component": "model", "replicas": 2}
    >>> sketch = {"components": [{"id": "model", "kind": "batch scorer"}]}
    >>> paths = {"paths": [nightly]}, {"paths": [stream, nightly]}
    >>> designs = [Design(name="d", capacity=plan, planes=sketch, pattern=pattern) for pattern in paths]
    >>> [working_hours(design, design.capacity)[0] for design in designs]
    [60.0, 720.0]
    """
    known = {one.id: one for one in design.planes.components} if design.planes else {}
    component = known.get(plan.component or "")
    on_duty = share_on_duty(component.hours) if component else None
    if component and on_duty is not None and on_duty < 1:
        return HOURS_A_MONTH * on_duty, f", {component.hours}"
    workloads = each_workload(design)
    own = [
        (one, path)
        for one in workloads
        for path in (one.pattern.paths if one.pattern else ())
        if (found := fleet_of(one, path)) and found[1] == plan
    ]
    fed = any(
        flow.carries == "events" and flow.end == plan.component
        for flow in (design.planes.flows if design.planes else ())
    )
    if fed or any(path.pattern != "pre-computed" for _, path in own):
        return HOURS_A_MONTH, ""
    jobs = dict[str, float]()  # what several workloads take is one job
    for one, path in own:
        job = path.precompute
        if job and (job_s := max(job.job_time or 0.0, computed_s(one, path) or 0.0)):
            jobs[path.id] = max(jobs.get(path.id, 0.0), job_s / job.period)
    if not jobs or any(somebody_waits(one, plan) for one in workloads):
        return HOURS_A_MONTH, ""
    share = min(sum(jobs.values()), 1.0)
    return (
        HOURS_A_MONTH * share,
        f", as long as its runs last; {HOURS_A_MONTH:g} h if it is not stopped between them",
    )


def _hourly(price: float, hours: float = HOURS_A_MONTH) -> str:
    return f"{write(price, MONEY)} an hour × {hours:.4g} h"


def _prices(design: Design) -> Iterator[CostRow]:
    rates = calls_per_s(design)
    for component in design.planes.components if design.planes else ():
        for name, per_month, how in _parts(component, rates.get(component.id)):
            path = f"planes.components.{component.id}.price.{name}"
            yield CostRow(path, component.title or component.id, per_month, how)


def _parts(component: Component, rate: float | None) -> Iterator[tuple[str, float | None, str]]:
    price, tokens = component.price, component.tokens
    if price is None:
        return
    used = {
        "per_request": (1.0, "requests"),
        "per_million_input_tokens": (tokens.input / 1e6 if tokens else None, "million input tokens"),
        "per_million_output_tokens": (tokens.output / 1e6 if tokens else None, "million output tokens"),
    }
    asked = list[str]()
    for name, (each, what) in used.items():
        if (one := getattr(price, name)) is None:
            continue
        if rate is None or each is None:
            why = "how often it is called is not known" if rate is None else "its tokens are not known"
            if why in asked:
                continue  # the same is missing for two prices
            asked.append(why)
            yield (
                name,
                None,
                why,
            )
        else:
            yield (
                name,
                one * each * rate * MONTH_S,
                f"{show_number(each * rate * MONTH_S)} {what} × {write(one, MONEY)}",
            )
    if price.per_hour is not None:
        yield ("per_hour", *_by_the_hour(component, price.per_hour))
    if price.per_month is not None:
        yield "per_month", price.per_month, "fixed"


def _by_the_hour(component: Component, price: float) -> tuple[float | None, str]:
    """Return what replicas or people cost in the hours of a month in which they are there, and the arithmetic."""
    if component.kind == "people" and component.replicas is None:
        return None, "how many they are is not stated (replicas)"
    number, on_duty = component.replicas or 1, share_on_duty(component.hours)
    hours = HOURS_A_MONTH * (1.0 if on_duty is None else on_duty)
    when = f", {component.hours}" if on_duty is not None and on_duty < 1 else ""
    return price * number * hours, f"{number:,} × {_hourly(price, hours)}{when}"


def _trainings(design: Design) -> Iterator[CostRow]:
    training = design.data and design.data.training
    if not training or training.cost_per_run is None:
        return
    period_s = design.planes and design.planes.retraining and design.planes.retraining.period
    path, price = "data.training.cost_per_run", training.cost_per_run
    if not period_s:
        yield CostRow(path, "Training", None, "planes.retraining.period is not decided")
    else:
        runs = MONTH_S / period_s
        yield CostRow(path, "Training", price * runs, f"{runs:.4g} runs × {write(price, MONEY)}")


def _others(design: Design) -> Iterator[CostRow]:
    for cost in design.capacity.costs if design.capacity else ():
        yield CostRow(
            f"capacity.costs.{cost.id}.per_month", cost.text or cost.id, cost.per_month, "as stated"
        )
