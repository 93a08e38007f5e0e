"""Known mistakes in the requirements of a design."""

from typing import Any

from mlsd_helpers.design import Design, Requirements
from tests.review.mutations.fuller import setting
from tests.review.mutations.mutation import breaks


def _needs(design: Design) -> Requirements:
    assert design.requirements is not None, "start from a design that has requirements"
    return design.requirements


def _with(design: Design, **fields: Any) -> Design:
    return design.with_part(requirements=_needs(design).changed(**fields))


def _within(design: Design, axis: str, **fields: Any) -> Design:
    return _with(design, **{axis: getattr(_needs(design), axis).changed(**fields)})


@breaks("REQ001")
def no_requirements(design: Design) -> Design:
    return design.with_part(requirements=None)


@breaks("REQ002")
def no_availability(design: Design) -> Design:
    return _with(design, availability=None)


@breaks("REQ003")
def no_baseline(design: Design) -> Design:
    return _with(design, baseline=None)


@breaks("REQ004")
def mean_latency(design: Design) -> Design:
    return _within(design, "latency", percentile="mean")


@breaks("REQ005")
def budget_overspent(design: Design) -> Design:
    first, *others = _needs(design).latency.split  # type: ignore[union-attr]
    return _within(design, "latency", split=(first.changed(time=first.time + 0.1), *others))


@breaks("REQ006")
def mean_as_peak(design: Design) -> Design:
    return _within(design, "throughput", derivation="mean", how="Requests of last month over its seconds.")


@breaks("REQ007")
def peak_out_of_the_air(design: Design) -> Design:
    return _within(design, "throughput", derivation=None, how=None)


@breaks("REQ008")
def requests_for_scorings(design: Design) -> Design:
    explored = _within(design, "labels", explored="1%")  # what a ranking needs besides
    return _within(explored, "prediction", type="ranking", base_rate=None)


@breaks("REQ009")
def base_rate_forgotten(design: Design) -> Design:
    return _within(design, "prediction", base_rate=None)


@breaks("REQ010")
def always_available(design: Design) -> Design:
    return _within(design, "availability", target=1)


@breaks("REQ011")
def nothing_fails(design: Design) -> Design:
    return _with(design, failure_modes=())


@breaks("REQ012")
def open_or_closed(design: Design) -> Design:
    flows = [flow.changed(fails=None) for flow in design.planes.flows] if design.planes else []
    silent = design.changed(planes=design.planes.changed(flows=flows)) if design.planes else design
    modes = [one.changed(fails=None) for one in _needs(design).failure_modes]
    return _with(silent, failure_modes=modes)


@breaks("REQ013")
def nothing_assumed(design: Design) -> Design:
    return _with(design, assumptions=())


@breaks("REQ014")
def assumed_by_nobody(design: Design) -> Design:
    first, *others = _needs(design).assumptions
    return _with(design, assumptions=(first.changed(owner=None), *others))


@breaks("REQ015")
def labels_for_nothing(design: Design) -> Design:
    return _within(design, "labels", cost_per_label=None)


@breaks("REQ016", start="generating")
def no_token_times(design: Design) -> Design:
    return _within(design, "latency", first_token=None, per_token=None)


@breaks("REQ017", start="in full")
def about_people_without_law(design: Design) -> Design:
    return _with(design, constraints=())


@breaks("REQ018")
def availability_over_any_time(design: Design) -> Design:
    return _within(design, "availability", window=None)


@breaks("REQ019")
def peak_of_an_hour(design: Design) -> Design:
    return _within(design, "throughput", over="1 h", burstiness=None)


@breaks("REQ019")
def peak_without_bursts(design: Design) -> Design:
    return _within(design, "throughput", burstiness=None)


@breaks("REQ020")
def labels_of_last_quarter(design: Design) -> Design:
    return _within(design, "freshness", labelled_data="30 d")


@breaks("REQ020")
def age_of_labels_unsaid(design: Design) -> Design:
    return _within(design, "freshness", labelled_data=None)


@breaks("REQ021", start="nightly")
def no_deadline(design: Design) -> Design:
    return _within(design, "schedule", deadline=None)


@breaks("REQ022", start="nightly")
def nobody_decides_what_late_means(design: Design) -> Design:
    return _within(design, "schedule", when_late="tbd")


@breaks("REQ024", start="nightly")
def cut_off_before_a_run_ends(design: Design) -> Design:
    return _within(design, "schedule", deadline=None, starts="02:00", due="08:00", cut_off="02:10")


@breaks("REQ023")
def trained_when_somebody_thinks_of_it(design: Design) -> Design:
    return setting(design, "planes.retraining", triggers="manual", period=None)
