"""What a design costs in 30 days: its fleets, the prices of its components, its trainings, and what else it names."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.analysis.sizing import HOURS_A_MONTH
from mlsd_helpers.design import Component, Design
from mlsd_helpers.design.quantities import MONEY, write
from mlsd_helpers.units import hour, show_number

MONTH_S = HOURS_A_MONTH * hour


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
    return (*_fleets(design), *_prices(design), *_trainings(design), *_others(design))


def total_per_month(rows: tuple[CostRow, ...]) -> float | None:
    """Return what all of it costs over 30 days; None where nothing is known."""
    known = [row.per_month for row in rows if row.per_month is not None]
    return sum(known) if known else None


def answers_per_month(design: Design) -> float | None:
    """Return the requests of 30 days at the mean rate, or what scheduled runs score in them."""
    needs = design.requirements
    if needs and needs.throughput and needs.throughput.mean:
        return needs.throughput.mean * MONTH_S
    if needs and needs.schedule and needs.schedule.items and needs.schedule.period:
        return needs.schedule.items * MONTH_S / needs.schedule.period
    return None


def calls_per_s(design: Design) -> dict[str, float]:
    """Return the mean rate at which requests reach each component when first attempts answer."""
    needs, planes = design.requirements, design.planes
    mean = needs and needs.throughput and needs.throughput.mean
    if planes is None or not mean:
        return {}
    return {name: calls * mean for name, calls in calls_per_request(planes).items()}


def _fleets(design: Design) -> Iterator[CostRow]:
    for path, plan in design.fleets.items():
        price = plan.cost_per_replica_hour
        if price is None:
            continue
        where = f"{path}.cost_per_replica_hour"
        what = f"Fleet of {plan.component or plan.id or 'replicas'}"
        if plan.replicas is None:
            yield CostRow(where, what, None, f"{path}.replicas is not decided")
        else:
            release = plan.release_replicas or 0
            more = f" and {release:,} for releases" if release else ""
            highest = max(plan.replicas, (plan.autoscaler.maximum or 0) if plan.autoscaler else 0)
            up_to = f", up to {highest:,} by the autoscaler" if highest > plan.replicas else ""
            how = f"{plan.replicas:,} replicas{more} × {_hourly(price)}{up_to}"
            month = price * HOURS_A_MONTH
            at_most = (highest + release) * month if up_to else None
            yield CostRow(where, what, (plan.replicas + release) * month, how, at_most)


def _hourly(price: float) -> str:
    return f"{write(price, MONEY)} an hour × {HOURS_A_MONTH:g} h"


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
    for name, (each, what) in used.items():
        if (one := getattr(price, name)) is None:
            continue
        if rate is None or each is None:
            yield (
                name,
                None,
                "how often it is called is not known" if rate is None else "its tokens are not known",
            )
        else:
            yield (
                name,
                one * each * rate * MONTH_S,
                f"{show_number(each * rate * MONTH_S)} {what} × {write(one, MONEY)}",
            )
    if price.per_hour is not None:
        number = component.replicas or 1
        yield (
            "per_hour",
            price.per_hour * number * HOURS_A_MONTH,
            f"{number:,} × {_hourly(price.per_hour)}",
        )
    if price.per_month is not None:
        yield "per_month", price.per_month, "fixed"


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
