"""Known mistakes in the requirements of a design."""

from typing import Any

from mlsd_helpers.design import Design, Requirements
from tests.review.mutations.mutation import Mutation


def _needs(design: Design) -> Requirements:
    assert design.requirements is not None, "start from a design that has requirements"
    return design.requirements


def _with(design: Design, **fields: Any) -> Design:
    return design.with_part(requirements=_needs(design).changed(**fields))


def _within(design: Design, axis: str, **fields: Any) -> Design:
    return _with(design, **{axis: getattr(_needs(design), axis).changed(**fields)})


def no_requirements(design: Design) -> Design:
    return design.with_part(requirements=None)


def no_availability(design: Design) -> Design:
    return _with(design, availability=None)


def no_baseline(design: Design) -> Design:
    return _with(design, baseline=None)


def mean_latency(design: Design) -> Design:
    return _within(design, "latency", percentile="mean")


def budget_overspent(design: Design) -> Design:
    first, *others = _needs(design).latency.split  # type: ignore[union-attr]
    return _within(design, "latency", split=(first.changed(time=first.time + 0.1), *others))


def mean_as_peak(design: Design) -> Design:
    return _within(design, "throughput", derivation="mean", how="Requests of last month over its seconds.")


def peak_out_of_the_air(design: Design) -> Design:
    return _within(design, "throughput", derivation=None, how=None)


def requests_for_scorings(design: Design) -> Design:
    return _within(design, "prediction", type="ranking", base_rate=None)


def base_rate_forgotten(design: Design) -> Design:
    return _within(design, "prediction", base_rate=None)


def always_available(design: Design) -> Design:
    return _within(design, "availability", target=1)


def nothing_fails(design: Design) -> Design:
    return _with(design, failure_modes=())


def open_or_closed(design: Design) -> Design:
    first, *others = _needs(design).failure_modes
    return _with(design, failure_modes=(first.changed(fails=None), *others))


def nothing_assumed(design: Design) -> Design:
    return _with(design, assumptions=())


def assumed_by_nobody(design: Design) -> Design:
    first, *others = _needs(design).assumptions
    return _with(design, assumptions=(first.changed(owner=None), *others))


def labels_for_nothing(design: Design) -> Design:
    return _within(design, "labels", cost_per_label=None)


def no_token_times(design: Design) -> Design:
    return _within(design, "latency", first_token=None, per_token=None)


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("REQ001", no_requirements),
    Mutation("REQ002", no_availability),
    Mutation("REQ003", no_baseline),
    Mutation("REQ004", mean_latency),
    Mutation("REQ005", budget_overspent),
    Mutation("REQ006", mean_as_peak),
    Mutation("REQ007", peak_out_of_the_air),
    Mutation("REQ008", requests_for_scorings),
    Mutation("REQ009", base_rate_forgotten),
    Mutation("REQ010", always_available),
    Mutation("REQ011", nothing_fails),
    Mutation("REQ012", open_or_closed),
    Mutation("REQ013", nothing_assumed),
    Mutation("REQ014", assumed_by_nobody),
    Mutation("REQ015", labels_for_nothing),
    Mutation("REQ016", no_token_times, start="generating"),
)
