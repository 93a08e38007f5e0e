"""What kind of system a design describes, as far as rules ask for things that not every system needs."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from mlsd_helpers.analysis.contents import carried_to
from mlsd_helpers.analysis.graph import (
    alternatives,
    own_flows,
    reached,
    steps_along,
    steps_back,
    waiting_flows,
)
from mlsd_helpers.analysis.paths import MODELS
from mlsd_helpers.analysis.rates import days_on_duty, share_on_duty
from mlsd_helpers.analysis.surroundings import reaches
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Component, Constraint, Dataset, Design, FleetPlan, Flow, Planes, Release
from mlsd_helpers.design.release import Gate
from mlsd_helpers.design.value import step_to
from mlsd_helpers.units import day

DATA = ("request", "features", "predictions", "events", "batch", "labels")
"""What a flow carries that may say something about a person."""
_STORED = ("predictions", "events", "batch", "labels")  # what the end of a flow may keep
_ENOUGH = 6  # components; fewer are a first sketch, of which nobody expects the rest


def sketched(design: Design) -> Planes | None:
    """Return the planes once they have components."""
    return design.planes if design.planes is not None and design.planes.components else None


def worked_out(design: Design) -> Planes | None:
    """Return the planes of a design that has got beyond its first sketch: what is missing then, is missing."""
    planes = sketched(design)
    enough = planes is not None and len(planes.components) >= _ENOUGH and bool(planes.flows)
    return planes if enough and design.requirements is not None else None


def generates(design: Design) -> bool:
    """Tell whether a model of the system, or of any of its workloads, writes text, images or code."""
    if design.views:
        return any(map(generates, design.views))
    wanted = design.requirements.prediction if design.requirements else None
    return bool(wanted and wanted.type == "generation") or any(
        plan.generation and reaches(design, plan) for plan in design.fleets.values()
    )


def is_confidential(design: Design, kept: Dataset) -> bool:
    """Tell whether a set of data is secret: by its own word, as tenants own it, or as a contract limits its place."""
    if kept.confidential is not None:
        return kept.confidential
    demands = [one for one in constraints_of(design) if one.source == "contract"]
    unsaid = kept.personal is None and any(one.region and not one.of for one in demands)
    return says_something(kept.belongs_to) or unsaid or any(kept.id in one.of for one in demands)


def constraints_of(design: Design) -> tuple[Constraint, ...]:
    """Return what law, contracts and policies demand."""
    return design.requirements.constraints if design.requirements else ()


def is_about_answers(design: Design, planes: Planes, one: Constraint) -> bool:
    """Tell whether a constraint may be about what a workload answers: not if its sets of data keep other answers.

    A set keeps the workload's answers where predictions flow from what gives them to a store of the set.
    """
    mine = design.workload
    paths = design.pattern.paths if design.pattern else ()
    given = {
        path.component
        for path in paths
        if path.component and mine and (not path.workload or mine.id in path.workload)
    }
    if not one.of or not given:
        return True
    told = reached(given, steps_along(flow for flow in planes.flows if flow.carries == "predictions"))
    return any(
        told & {*kept.kept_in} for kept in (design.data.datasets if design.data else ()) if kept.id in one.of
    )


def predicts(design: Design) -> bool:
    """Tell whether requests or runs of a workload may make predictions; False where they only read what others store.

    They do not where they reach no model, though the sketch shows one, and the workload says nothing of a prediction.

    >>> parts = [("clock", "batch scorer"), ("page", "service"), ("scores", "prediction store")]
    >>> flows = [("clock", "scores", "predictions"), ("page", "scores", "request")]
    >>> design = Design(
    ...     name="d",
    ...     requirements={"workloads": [{"id": "run", "entry": "clock"}, {"id": "list", "entry": "page"}]},
    ...     planes={
    ...         "components": [{"id": name, "kind": kind} for name, kind in parts],
    ...         "flows": [{"from": start, "to": end, "carries": carries} for start, end, carries in flows],
    ...     },
    ... )
    >>> [predicts(view) for view in design.views]
    [True, False]
    """
    planes = design.planes
    stated = design.requirements
    if planes is None or planes.asked is None or (stated and stated.prediction):
        return True
    entries = planes.named_entries
    models = {one.id for one in planes.components if one.kind in (*MODELS, "business rules", "device fleet")}
    models |= {flow.end for flow in planes.flows if flow.carries == "model"}
    calls = [flow for _, flow in waiting_flows(planes)]
    kinds = {one.id: one.kind for one in planes.components}
    handed = [
        flow
        for _, flow in own_flows(planes)
        if flow.carries in {"events", "batch", "features", "predictions"} and kinds[flow.start] not in _KEPT
    ]
    told = {flow.end for flow in handed if flow.carries == "predictions"} - {flow.end for flow in calls}
    models -= {name for name in told if kinds[name] == "external service"}  # it gets answers, and gives none
    return not entries or not models or bool(reached(entries, steps_along([*calls, *handed])) & models)


_KEPT = (
    "prediction store",
    "prediction log",
    "offline store",
    "label store",
    "feature store",
    "vector index",
    "cache",
    "people",
)
"""What is handed on from here is no part of the request or run that wrote it."""


def is_of_another(design: Design, name: str) -> bool:
    """Tell whether requests of other workloads alone reach a component."""
    return not reaches(design, FleetPlan(component=name))


def gates_of(design: Design, release: Release) -> tuple[Gate, ...]:
    """Return the gates on what a workload's requests reach; those that name no component are on all."""
    return tuple(
        gate
        for gate in release.gates
        if not gate.of or not all(is_of_another(design, name) for name in gate.of)
    )


def judges_answers(design: Design, gate: Gate) -> bool:
    """Tell whether a gate is on the model that answers: one that the paths of the pattern name, or what calls it.

    Any gate may be where the paths name no model.
    """
    paths = design.pattern.paths if design.pattern else ()
    if design.planes is None or not gate.of:
        return True
    kinds = {one.id: one.kind for one in design.planes.components}
    models = {path.component for path in paths if path.component and kinds.get(path.component) in MODELS}
    calls = steps_back(flow for _, flow in waiting_flows(design.planes))
    return not models or bool({*gate.of} & reached(models, calls))


def contents_of(design: Design, planes: Planes, kept: Dataset, stores: Collection[str]) -> dict[str, Flow]:
    """Return where a set of data gets to from some of its stores, with the flow that brings it there."""
    secret = kept.personal is False or is_confidential(design, kept)
    return carried_to(
        planes,
        stores,
        lambda flow: kept.id in flow.without or (flow.personal is False and not secret),
    )


def is_about_people(design: Design) -> bool:
    """Tell whether the design says that it decides about people."""
    return bool(
        design.requirements and design.requirements.prediction and design.requirements.prediction.about_people
    )


def providers(planes: Planes) -> tuple[Component, ...]:
    """Return the services of others."""
    return tuple(one for one in planes.components if one.kind == "external service")


def cases_per_s(one: Component) -> float | None:
    """Return the cases a second that people take on average over a week; with unknown hours, day and night."""
    share, days = share_on_duty(one.hours), days_on_duty(one.hours)
    if one.cases_per_day is not None:
        return one.cases_per_day / day * days / 7
    return None if one.rate is None else one.rate * (1.0 if share is None else share)


def flow_places(planes: Planes) -> Iterator[tuple[str, Flow]]:
    """Yield each flow with its path."""
    return ((f"planes.flows.{step_to(position, flow)}", flow) for position, flow in enumerate(planes.flows))


@dataclass(frozen=True)
class PersonalData:
    """Where personal data go, by what the flows say."""

    matters: bool
    """Whether the system handles personal data, or may well do so and does not say that it does not."""
    said: bool
    """Whether some flow, feature or set of data is marked as personal."""
    sure: tuple[Flow, ...]
    """The flows that are marked."""
    maybe: tuple[Flow, ...]
    """Flows of data that say nothing, from components that have personal data."""
    passed_on: tuple[Flow, ...]
    """Calls that say nothing, by which a personal request may be passed on, however many calls later."""
    asking: tuple[Flow, ...]
    """Flows that ask, whatever they carry: the alternatives of calls."""

    @cached_property
    def stored_in(self) -> set[str]:
        """Where what these flows carry may be kept, if it is a place that keeps anything."""
        return {
            flow.end
            for flow in (*self.sure, *self.maybe)
            if flow.carries in _STORED and flow not in self.asking
        }


def personal_data(design: Design, planes: Planes) -> PersonalData:
    """Tell where personal data go, and where they may go since nothing is said.

    Those who mark flows, or list what is kept where, are taken at their word but for one step: what a component with
    personal data sends on. Where nothing is marked, all flows of data of a system that decides about people, or that
    answers texts of users, may be personal. Predictions about people are.
    """
    features = design.dataflow.features if design.dataflow else ()
    datasets = design.data.datasets if design.data else ()
    marks = {flow.personal for flow in planes.flows} | {one.personal for one in features}
    marks = (marks | {one.personal for one in datasets}) - {None}
    said, about_people = True in marks, is_about_people(design)
    texts_of_users = generates(design) and any(waiting_flows(planes)) and not marks
    sure = tuple(flow for flow in planes.flows if flow.personal)
    having = {name for flow in sure for name in (flow.start, flow.end)}
    having |= {name for one in datasets if one.personal for name in one.kept_in}
    maybe = [flow for flow in planes.flows if flow.personal is None and flow.carries in DATA]
    if having:
        maybe = [
            flow
            for flow in maybe
            if (flow.start in having and flow.carries != "labels")
            or (about_people and flow.carries == "predictions")
        ]
    elif not (said or about_people or texts_of_users):
        maybe = []
    unsaid = [flow for flow in planes.flows if flow.personal is None and flow.carries == "request"]
    asked = reached({flow.end for flow in sure if flow.carries == "request"}, steps_along(unsaid))
    passed_on = tuple(flow for flow in unsaid if flow.start in asked)
    asking = alternatives(planes)
    return PersonalData(said or about_people or texts_of_users, said, sure, tuple(maybe), passed_on, asking)
