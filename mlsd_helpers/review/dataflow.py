"""Rules on the dataflow of a design: the age of features, where they are stored, and how training reads them."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from math import fsum, isclose
from typing import NamedTuple

from mlsd_helpers.analysis import ages
from mlsd_helpers.analysis.graph import waiting_flows
from mlsd_helpers.analysis.paths import LIVE, answers_requests, each_workload, peak_rps, together
from mlsd_helpers.analysis.rates import shares_reaching
from mlsd_helpers.analysis.surroundings import lookups_s
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import REQUEST, DataFlow, Design, Feature, Planes, Stage
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import Stage as AgeingStage
from mlsd_helpers.formulas import largest_period_s
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import worked_out
from mlsd_helpers.review.sketch import KEPT_IN
from mlsd_helpers.review.words import listed, mentions
from mlsd_helpers.units import show_seconds

_SIMILAR = 1e-12  # relative: an age that is its SLA but for the last bits meets it
_MOST_STARTS = 20  # missing flows into one component that are named one by one
_FEW_CALLS = 3  # fewer look-ups than this are not worth a finding
_ONLINE = ("feature store", "vector index", "prediction store", "cache")
_MANY_READS = 100_000
"""Key reads a second above which the limit of a store should be known; some hundred thousand is what one node of an
in-memory store serves in its makers' own benchmarks. Our estimate."""


def _flow(design: Design) -> DataFlow | None:
    return design.dataflow


def _served(design: Design) -> DataFlow | None:
    """Return the data flow where features are read while somebody waits; a job reads any store."""
    if design.views:
        return _read_by_those(design, _served)
    patterns = {path.pattern for path in design.pattern.paths} if design.pattern else set()
    return design.dataflow if answers_requests(design) and patterns != {"pre-computed"} else None


def _read_by_those(design: Design, needs: Callable[[Design], DataFlow | None]) -> DataFlow | None:
    """Return the data flow with the features of those workloads for which something is needed."""
    read = {one.id for view in design.views if (flow := needs(view)) for one in flow.features}
    if design.dataflow is None or not read:
        return None
    features = tuple(one for one in design.dataflow.features if one.id in read)
    return design.dataflow.model_copy(update={"features": features})


def _with_defaults(design: Design) -> DataFlow | None:
    """Return the data flow, but where texts are generated: what is missing is left out of the prompt."""
    if design.views:
        return _read_by_those(design, _with_defaults)
    asked = design.requirements.prediction if design.requirements else None
    return None if asked and asked.type == "generation" else design.dataflow


def _trained(design: Design) -> DataFlow | None:
    """Return the data flow where a model is trained; a bought one is not, and a sketch does not say."""
    planes = design.planes
    trains = planes is None or any(
        one.kind in {"training pipeline", "training compute"} for one in planes.components
    )
    return design.dataflow if trains or (planes and planes.retraining) else None


def _told_or_worked_out(design: Design) -> Planes | None:
    """Return the planes beside a data flow, or where none is drawn if the sketch is worked out."""
    return design.planes if design.dataflow else worked_out(design)


def _planes(design: Design) -> Planes | None:
    return design.planes


def _read(flow: DataFlow) -> Iterator[Feature]:
    """Yield the features that are read from somewhere, and do not come with the request."""
    return (feature for feature in flow.features if feature.path)


@rule(
    "FLOW001",
    "info",
    title="Dataflow missing",
    prevents="a model with inputs that nobody has traced",
    whole=True,
)
def dataflow_missing(design: Design) -> Iterator[Fault]:
    """Each input of a model has a source and an age."""
    if design.requirements is None or design.planes is None:
        return  # they come first
    if design.dataflow is None:
        yield Fault("dataflow", "The design has no dataflow yet.", "State its stages, features and look-up.")
    elif not design.dataflow.features:
        yield Fault(
            "dataflow.features",
            "The dataflow has no feature.",
            "List each input of the model and its path.",
        )


@rule(
    "FLOW002",
    title="Feature older than allowed",
    prevents="decisions about the present that rest on the past",
    incident="Pinterest's home feed before 2018 ranked on features up to weeks old (Pinterest Engineering, 2018)",
    wrong_when="Wrong if a job starts when the one before it ends: with 'synchronised: true' its period "
    "adds no wait.",
    needs=_flow,
)
def feature_older_than_allowed(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """The worst age of a feature includes every period, delay and copy on its path."""
    stages = ages.stages_by_id(ages.as_read(design))
    alike: dict[tuple[object, ...], list[Feature]] = defaultdict(list)
    for feature in flow.features:
        alike[feature.path, feature.sla].append(feature)
    for features in alike.values():
        feature = features[0]
        sla_s = _allowed_s(design, feature)
        worst_s = ages.worst_s(feature, stages)
        if sla_s is not None and worst_s > sla_s and not isclose(worst_s, sla_s, rel_tol=_SIMILAR):
            yield Fault(
                f"dataflow.features.{feature.id}.{'path' if feature.sla is None else 'sla'}",
                f"{_named([one.id for one in features])} {'is' if len(features) == 1 else 'are'} up to "
                f"{show_seconds(worst_s)} old when the model reads "
                f"{'it' if len(features) == 1 else 'them'}, and may be {show_seconds(sla_s)}: the periods, delays and "
                "copies on the path add up.",
                _repair(feature, stages, sla_s),
            )


def _longest_period_s(feature: Feature, stages: Mapping[str, AgeingStage]) -> float:
    return max((stages[name].period_s for name in feature.stage_ids()), default=0.0)


def _allowed_s(design: Design, feature: Feature) -> float | None:
    if feature.sla is not None:
        return feature.sla
    stated = design.requirements and design.requirements.freshness
    return stated.features if stated else None


def _repair(feature: Feature, stages: Mapping[str, AgeingStage], sla_s: float) -> str:
    worst_s = ages.worst_s(feature, stages)
    if ages.late_by_its_work(_longest_period_s(feature, stages), worst_s, sla_s):
        return f"The limit is the period itself: allow {show_seconds(worst_s)}, or run the stage more often."
    if (period := longest_period(feature, stages, sla_s)) is not None:
        stage, period_s = period
        return f"Run {stage} every {show_seconds(period_s)} at most.{_by_starting_later(feature, stages, sla_s, stage)}"
    fixed_s = ages.delays_alone_s(feature, stages)
    if fixed_s >= sla_s:
        return (
            f"Delays and copies alone take {show_seconds(fixed_s)}, so no period is short enough: shorten them, or "
            "take another path, such as a stream."
        )
    return (
        f"Run its stages more often: delays and copies leave {show_seconds(sla_s - fixed_s)} for all periods "
        "together. Or start each when the one before it ends, with 'synchronised: true'."
    )


def _by_starting_later(
    feature: Feature, stages: Mapping[str, AgeingStage], sla_s: float, slowest: str
) -> str:
    """Say that a job may start when the one before it ends, where that alone would do."""
    names = feature.stage_ids()
    followers = [
        name for name in names[1:] if stages[name].period_s and any(stages[one].period_s for one in names[:1])
    ]
    for name in [slowest] if slowest in followers else followers:
        without = dict(stages) | {name: replace(stages[name], period_s=0.0)}
        if ages.worst_s(feature, without) <= sla_s:
            return f" Or, if {name} starts when the stage before it ends, write 'synchronised: true' there."
    return ""


def longest_period(
    feature: Feature, stages: Mapping[str, AgeingStage], sla_s: float
) -> tuple[str, float] | None:
    """Return the stage that waits longest and the longest period of it, in seconds, that meets the SLA.

    The period is rounded down to three figures, as it is shown. None where no period of that stage alone does.
    """
    path = {name: stages[name] for name in feature.stage_ids()}
    slowest = max(path, key=lambda name: path[name].period_s, default=None)
    if slowest is None or not path[slowest].period_s:
        return None
    others_s = ages.worst_s(feature, path | {slowest: replace(path[slowest], period_s=0.0)})
    try:
        return slowest, _rounded_down(largest_period_s([AgeingStage(delay_s=others_s)], sla_s))
    except RangeError:
        return None


def _rounded_down(time_s: float) -> float:
    """Round down to a time that is shown in three figures."""
    unit_s = next((size for size in (86_400, 3_600, 60) if time_s >= 2 * size), 1)
    shown = f"{time_s / unit_s:.2e}"
    step = float(f"1e{int(shown.partition('e')[2]) - 2}") * unit_s
    rounded_s = float(shown) * unit_s
    return rounded_s if rounded_s <= time_s else rounded_s - step


@rule(
    "FLOW003",
    title="Feature ends in a store that serving cannot read",
    prevents="a feature that training has and serving lacks",
    wrong_when="Wrong for batch scoring that reads the offline store itself; state the schedule, or that all paths are "
    "pre-computed.",
    needs=_served,
    whole=True,
)
def last_store_is_not_for_serving(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Serving can read only from a store that is made for it."""
    for stage, features in _last_stages(flow).items():
        if stage.store == "offline":
            yield Fault(
                f"dataflow.stages.{stage.id}.store",
                f"{_named(features)} ends in {stage.id}, an offline store that serving cannot read.",
                "Write the result to an online store, or remove the feature.",
            )


@rule(
    "FLOW004",
    "warning",
    title="Store of a feature not stated",
    prevents="a feature that is in no store when serving asks for it",
    needs=_served,
    whole=True,
)
def last_store_not_stated(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """The store at the end of a path decides whether serving can read the feature."""
    drawn = ages.writers_into(design, _ONLINE)
    serving = {one.id for one in (design.planes.in_plane("serving") if design.planes else ())}
    unsaid = {
        stage.id: features
        for stage, features in _last_stages(flow).items()
        if stage.store is None
        and (stage.component is None or stage.component not in drawn)
        and not (stage.ttl is not None and stage.component in serving)  # a copy in what serves
    }
    if unsaid:
        features = list(dict.fromkeys(chain.from_iterable(unsaid.values())))
        yield Fault(
            f"dataflow.stages.{next(iter(unsaid))}.store",
            f"{_named(features)} {'ends' if len(features) == 1 else 'end'} in {', '.join(unsaid)}, without a store "
            "that is stated.",
            "State 'store: online' if serving can read it there; if not, add the stage that copies it there.",
        )


def _last_stages(flow: DataFlow) -> dict[Stage, list[str]]:
    """Return the stages that features are read from, each with the features."""
    stages = {stage.id: stage for stage in flow.stages}
    ends: dict[str, list[str]] = defaultdict(list)
    for feature in _read(flow):
        for branch in ages.branches_of(feature)[-1]:
            for name in branch[-1:]:
                ends[name].append(feature.id)
    return {stages[name]: features for name, features in ends.items()}


def _named(features: list[str]) -> str:
    return features[0] if len(features) == 1 else f"{features[0]} and {len(features) - 1} more"


@rule(
    "FLOW005",
    "warning",
    title="Stage without a duration",
    prevents="an age that is computed too low because a stage was not measured",
    wrong_when="Acceptable for a stage that takes next to no time; write a small delay, such as 1 ms.",
    needs=_flow,
)
def stage_without_duration(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Every stage adds to the age of what passes it: a period, a delay or a time-to-live."""
    timeless = [one.id for one in flow.stages if one.period is None and not one.delays and one.ttl is None]
    if timeless:
        yield Fault(
            f"dataflow.stages.{timeless[0]}",
            f"Without a period, a delay or a time-to-live, these count as 0 s: {', '.join(timeless)}.",
            "Measure each, and state under delays how long it takes.",
        )


@rule(
    "FLOW006",
    "warning",
    title="Stage without a feature",
    prevents="a job that is paid for and whose result nobody reads",
    wrong_when="Wrong if the stage makes something that is no model input, such as a block list: name the component "
    "that holds it under requirements.freshness.also.",
    needs=_flow,
    whole=True,
)
def stage_without_feature(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """A stage without a feature costs money and has no effect on the model."""
    flows = [flow, *(one.dataflow for one in design.others if one.dataflow)]
    passed = {name for each in flows for feature in each.features for name in feature.stage_ids()}
    views = (*each_workload(design), *design.others)
    limits = [view.requirements.freshness for view in views if view.requirements]
    named = {one.component for limit in limits if limit for one in limit.also}
    others = ages.writers_into(design, ("vector index", "prediction store", "label store"), named)
    others |= {
        one.id for one in (design.planes.components if design.planes else ()) if one.kind == "batch scorer"
    }
    others |= ages.writers_into(
        design, ("candidate generator", "business rules", "cache", "external service")
    )
    for stage in flow.stages:
        if stage.id not in passed and (stage.component is None or stage.component not in others):
            yield Fault(
                f"dataflow.stages.{stage.id}",
                f"No feature passes {stage.id}, so no model input needs it.",
                "Name it in the path of the features that it makes, or remove it.",
            )


@rule(
    "FLOW007",
    "warning",
    title="Source or stage not among the components",
    prevents="a feature from a system whose owner does not know that it is needed",
    wrong_when="Wrong if the system stands in the planes under another id; use that id.",
    needs=_flow,
)
def not_among_the_components(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """Every source and every stage belongs to a component, with an owner and flows."""
    known = {component.id for component in design.planes.components} if design.planes else set()
    if not known:
        return
    for feature in flow.features:
        if feature.source != REQUEST and feature.source not in known:
            yield _off_the_sketch(f"features.{feature.id}.source", feature.source, f"{feature.id} comes from")
    for stage in flow.stages:
        if stage.component is not None and stage.component not in known:
            yield _off_the_sketch(f"stages.{stage.id}.component", stage.component, f"{stage.id} runs on")


def _off_the_sketch(where: str, missing: str, what: str) -> Fault:
    return Fault(
        f"dataflow.{where}",
        f"{what} {missing}, which is not a component of the planes and so has no owner, alert or flow.",
        f"Add {missing} to planes.components with its flows, or correct the name.",
    )


@rule(
    "FLOW008",
    title="Feature path without a flow",
    prevents="a path that exists in the table of features and in no system",
    wrong_when="Wrong if the flow is drawn as another kind: events, batch, labels, predictions and features count, and "
    "what a call returns.",
    needs=_flow,
)
def path_without_flow(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """Each step of a feature's path needs a flow of data between its components."""
    if design.planes is None:
        return
    stages = {stage.id: stage for stage in flow.stages}
    passed = {stage.component for stage in stages.values()} | {one.source for one in flow.features}
    sketch = _Sketch(design.planes, passed)
    seen = dict.fromkeys(sketch.bit, 0)
    for feature in flow.features:
        for starts, end in _hops(feature, stages, sketch.bit):
            missing = starts & ~seen[end] & ~sketch.leading[end]
            seen[end] |= starts
            named = list(islice(sketch.names(missing), _MOST_STARTS))
            more = missing.bit_count() - len(named)
            for start in [*named, *([f"{more} more components"] if more else [])]:
                yield Fault(
                    f"dataflow.features.{feature.id}.path",
                    f"{feature.id} goes from {start} to {end}, and no flows of data in the planes lead there.",
                    f"Add the flow from {start} to {end} to planes.flows, or correct the path.",
                )


def _hops(feature: Feature, stages: Mapping[str, Stage], bit: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """Yield from which components, as bits, to which one the feature goes, stage by stage; those drawn alone count."""
    before = bit.get(feature.source, 0)
    for branches in ages.branches_of(feature):
        after = 0
        for branch in branches:
            here = before
            for component in filter(None, (stages[name].component for name in branch)):
                if component in bit:
                    yield here & ~bit[component], component
                here = bit.get(component, 0)
            after |= here
        before = after


class _Sketch:
    """The wanted components, each a bit, and for each component those from which flows of data lead there.

    The components of a cycle are one group, so that one pass over the groups is enough.
    """

    def __init__(self, planes: Planes, wanted: set[str | None]) -> None:
        known = [component.id for component in planes.components]
        self._sorted = sorted(name for name in known if name in wanted)
        self.bit = {name: 1 << place for place, name in enumerate(self._sorted)}
        after, before = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for start, end in _moved(planes):
            after[start].append(end)
            before[end].append(start)
        ends_first = chain.from_iterable(_walked(known, after))
        self.leading = dict[str, int]()
        for knot in _walked(reversed(list(ends_first)), before):  # Kosaraju: each walk back is a knot
            own = set(knot)
            starts = [start for name in knot for start in before[name]]
            bits = 0
            for start in starts:
                bits |= self.bit.get(start, 0) | (0 if start in own else self.leading[start])
            self.leading |= dict.fromkeys(knot, bits)

    def names(self, bits: int) -> Iterator[str]:
        """Yield the components of some bits."""
        while bits:
            lowest = bits & -bits
            yield self._sorted[lowest.bit_length() - 1]
            bits ^= lowest


def _moved(planes: Planes) -> Iterator[tuple[str, str]]:
    """Yield from where to where flows bring data: what is sent, and what a call of another component returns."""
    for flow in planes.flows:
        if flow.carries in ages.CARRY_DATA or flow.carries == "features":
            yield flow.start, flow.end
        if flow.carries in {"request", "features"}:
            yield flow.end, flow.start


def _walked(roots: Iterable[str], steps: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Walk from each root to what no earlier walk has found; yield what each finds, the furthest first."""
    seen: set[str] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        found: list[str] = []
        ways = [(root, iter(steps[root]))]
        while ways:
            if (following := next((one for one in ways[-1][1] if one not in seen), None)) is None:
                found.append(ways.pop()[0])
            else:
                seen.add(following)
                ways.append((following, iter(steps[following])))
        yield found


@rule(
    "FLOW009",
    title="Overlapping input positions",
    prevents="a model that reads one feature in place of another",
    wrong_when="Wrong if the model takes named inputs, which have no positions; leave out 'slot'.",
    needs=_flow,
)
def input_positions_overlap(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Each position of the model's input belongs to one feature."""
    end, holder = 0, ""
    for slot, feature in _slots(flow):
        if slot < end:
            yield Fault(
                f"dataflow.features.{feature.id}.slot",
                f"{feature.id} starts at position {slot}, and {holder} fills the input up to {end - 1}.",
                "Give each feature its own positions.",
            )
        if slot + feature.width > end:
            end, holder = slot + feature.width, feature.id


def _slots(flow: DataFlow) -> list[tuple[int, Feature]]:
    placed = [(feature.slot, feature) for feature in flow.features if feature.slot is not None]
    return sorted(placed, key=lambda pair: pair[0])


@rule(
    "FLOW010",
    title="Input width mismatch",
    prevents="inputs that are shifted, cut off or never filled",
    incident="Cloudflare, 18 November 2025: over 200 features in place of 60 passed a fixed limit, and proxies stopped",
    wrong_when="Wrong if the model takes named inputs, which have no width, or pads its input on purpose.",
    needs=_flow,
)
def input_width_mismatch(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """The widths of all features add up to the width of the model's input."""
    width = sum(feature.width for feature in flow.features)
    if flow.features and flow.input_width is not None and width != flow.input_width:
        yield Fault(
            "dataflow.input_width",
            f"The features fill {width} positions, and the model's input has {flow.input_width}.",
            f"Correct the feature that is missing or too wide, or set input_width to {width}.",
        )


@rule(
    "FLOW011",
    title="Feature without an input position",
    prevents="a feature that is computed, stored, read, and never used",
    wrong_when="Wrong if the model takes named inputs, which have no positions: leave out 'slot' for all features of "
    "its workload, and 'input_width' where no model has positions.",
    needs=_flow,
    whole=True,
)
def feature_without_position(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """A feature without a position in the model's input is not used."""
    if flow.input_width is None and all(feature.slot is None for feature in flow.features):
        return  # named inputs
    adds_up = flow.input_width == sum(feature.width for feature in flow.features)
    placed = {feature.workload for feature in flow.features if feature.slot is not None}
    if unplaced := [
        feature.id
        for feature in flow.features
        if feature.slot is None and (adds_up or not feature.workload or feature.workload in placed)
    ]:
        yield Fault(
            f"dataflow.features.{unplaced[0]}.slot",
            f"Without a slot, these never reach the model: {', '.join(unplaced)}.",
            "State the position where the model expects each, counted from 0.",
        )
    for feature in flow.features:
        if feature.slot is not None and adds_up and feature.slot + feature.width > (flow.input_width or 0):
            yield Fault(
                f"dataflow.features.{feature.id}.slot",
                f"{feature.id} fills positions up to {feature.slot + feature.width - 1}, beyond the last one of "
                f"the input, {(flow.input_width or 0) - 1}.",
                "Move it to positions that are free.",
            )


@rule(
    "FLOW012",
    "warning",
    title="Feature without a default",
    prevents="an outage, or a guess, when one feature cannot be read",
    incident="Uber Michelangelo: a job that kept failing let features expire until there were none (Uber, 2024)",
    wrong_when="Acceptable if the model handles missing values itself, as boosted trees can, and saw "
    "them in training; write 'default: missing'.",
    needs=_with_defaults,
    whole=True,
)
def feature_without_default(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """A store sometimes has no value, and the model needs one all the same."""
    if bare := [feature.id for feature in _read(flow) if feature.default is None]:
        yield Fault(
            f"dataflow.features.{bare[0]}.default",
            f"No default is stated for a new key, an expired row or a timeout: {', '.join(bare)}.",
            "State the value that training used for a missing one, and raise an alert on its share.",
        )


_HONEST_JOIN = (
    "Store when each value became readable, and join on that: 'availability time'. As a probe, join each row's own "
    "label like a feature: it has to be missing in every row."
)
_LEAKS = {
    "latest value": "the latest value: a label of 10:00 is joined with what became known after it",
    "event time": "event time: what happened by 10:00 and was published at 10:12 could not be read at 10:05",
}


@rule(
    "FLOW013",
    title="Training join leaks the future",
    prevents="a model that is good offline because it was trained on the future",
    wrong_when="Acceptable for a feature that never changes, such as the country that issued a card.",
    needs=_flow,
)
def join_leaks_the_future(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Training may see of each feature only what serving could have read at that moment."""
    joined = [one for one in _read(flow) if one.join is None]  # what comes with the request is logged with it
    if flow.join in _LEAKS and (joined or not flow.features):
        yield Fault("dataflow.join", f"Training rows are joined on {_LEAKS[flow.join]}.", _HONEST_JOIN)
    for join, leak in _LEAKS.items():
        if features := [one.id for one in _read(flow) if one.join == join]:
            yield Fault(
                f"dataflow.features.{features[0]}.join",
                f"Training rows get {', '.join(features)} by {leak}.",
                _HONEST_JOIN,
            )


@rule(
    "FLOW014",
    "warning",
    title="Training join undecided",
    prevents="a leak that follows from a default of the training job",
    wrong_when="Acceptable if features are logged at serving and training reads the log: then nothing is "
    "joined.",
    needs=_trained,
)
def join_undecided(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """How training rows get their features decides whether they leak the future."""
    undecided = [feature.id for feature in _read(flow) if feature.join is None]
    if flow.join is None and undecided:
        yield Fault(
            "dataflow.join",
            f"The dataflow does not state how training rows are joined with {_named(undecided)}.",
            "Join on availability time, so that training sees only what serving could read.",
        )


@rule(
    "FLOW015",
    title="Separate code for training and serving",
    prevents="training-serving skew: a feature that means one thing in training and another in serving",
    incident="Airbnb built Chronon because jobs written again as streams differed from training (Airbnb, 2023)",
    wrong_when="Wrong if a parity test compares both at every change; name it under parity_test.",
    needs=_flow,
    whole=True,
)
def transformation_written_twice(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Two implementations of one transformation drift apart."""
    if flow.transformation == "separate" and (untested := _untested(flow)):
        yield Fault(
            "dataflow.transformation",
            f"Training and serving run separate implementations, and no test compares {_named(untested)}.",
            "Use one implementation, train on the features that serving logged, or compare both at every change.",
        )


def _untested(flow: DataFlow) -> list[str]:
    """Return the features that no test compares in training and in serving."""
    if says_something(flow.parity_test):
        return []
    return [feature.id for feature in _read(flow) if not says_something(feature.parity_test)]


@rule(
    "FLOW016",
    "warning",
    title="Parity test missing",
    prevents="training-serving skew, which raises no error",
    wrong_when="Acceptable if training reads the features that serving logged: they are the same values.",
    needs=_trained,
)
def parity_test_missing(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """Only a test that compares them shows that training and serving compute the same features."""
    untested = _untested(flow)
    same_job = flow.transformation == "shared" and not answers_requests(design)
    if untested and flow.transformation != "separate" and not same_job:
        yield Fault(
            "dataflow.parity_test",
            f"No parity test compares training and serving for {_named(untested)}.",
            "Replay logged requests through training's code and compare every feature.",
        )


@rule(
    "FLOW017",
    "warning",
    title="Feature look-ups one after another",
    prevents="a latency budget that is spent on round trips",
    wrong_when="Acceptable if one look-up needs the result of another.",
    needs=_flow,
)
def sequential_lookups(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Look-ups one after another each pay for a round trip."""
    read = sum(1 for _ in _read(flow))
    look_up = flow.lookup
    if look_up and not look_up.at_once and read and look_up.calls >= max(_FEW_CALLS, read):
        yield Fault(
            "dataflow.lookup.calls",
            f"{look_up.calls} look-ups for {read} features take {show_seconds(look_up.time_s)} one after another, and "
            f"about {show_seconds(look_up.time_per_call)} at the same time.",
            "Read all features of a request in one call, or start the look-ups at the same time ('at_once: true').",
        )


@rule(
    "FLOW018",
    "warning",
    title="Separate code kept equal by a test alone",
    prevents="skew in what the test does not cover: time zones, late events, rare values",
    wrong_when="Acceptable if the test runs at every change of either, on logged requests, with a limit that blocks.",
    needs=_flow,
)
def transformation_kept_equal_by_a_test(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """A parity test finds skew between two implementations only in the cases that it has."""
    if flow.transformation == "separate" and flow.features and not _untested(flow):
        yield Fault(
            "dataflow.transformation",
            "Training and serving run separate implementations, which a parity test holds together.",
            "Use one implementation, or train on the features that serving logged; until then let the test block.",
        )


# ---- what serving reads and the model does not take as an input: an index, a block list


@rule(
    "FLOW019",
    title="Index or list older than allowed",
    prevents="answers from documents that were changed, and items on sale that were deleted",
    wrong_when="Wrong if changes come on another way; draw it with its flows and its stage.",
    needs=_flow,
)
def index_older_than_allowed(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """What is looked up gets as old as the freshest way to it is slow."""
    ages_s = ages.least_worst_ages_s(design)
    said = _told_as_features(design, flow)
    for where, what, component, within_s in chain(_limits(design), _deadlines(design)):
        age_s = ages_s.get(component, 0.0)
        if (component, age_s) in said:
            continue  # FLOW002 says so of the feature that is read there
        if age_s > within_s and not isclose(age_s, within_s, rel_tol=_SIMILAR):
            yield Fault(
                where,
                f"{what} in {component} gets at least {show_seconds(age_s)} old, and may be {show_seconds(within_s)}: "
                "period and delays on the freshest way to it add up.",
                "Run the job that fills it more often, update it by event, or agree on another limit.",
            )


def _told_as_features(design: Design, flow: DataFlow) -> set[tuple[str, float]]:
    """Return where features are read that are older than allowed, and how old they get."""
    stages = ages.stages_by_id(ages.as_read(design))
    found = set[tuple[str, float]]()
    for one in flow.features:
        read = next((stage for stage in flow.stages if one.path and stage.id == one.stage_ids()[-1]), None)
        sla_s, worst_s = _allowed_s(design, one), ages.worst_s(one, stages)
        if read and read.component and sla_s is not None and worst_s > sla_s:
            found.add((read.component, worst_s))
    return found


def _limits(design: Design) -> Iterator[tuple[str, str, str, float]]:
    """Yield the limits on the age of what is no feature: place, what, component, seconds."""
    limits = design.requirements.freshness if design.requirements else None
    if limits is None:
        return
    for position, limit in enumerate(limits.also):
        if limit.component is not None:
            yield f"requirements.freshness.also.{position}.within", limit.what, limit.component, limit.within
    for one in design.planes.components if design.planes else ():
        if one.kind == "vector index" and limits.index is not None:
            yield "requirements.freshness.index", "A document", one.id, limits.index


def _deadlines(design: Design) -> Iterator[tuple[str, str, str, float]]:
    """Yield the constraints that have to be met in time by what each of some components knows."""
    for one in design.requirements.constraints if design.requirements else ():
        for name in one.met_by if one.within is not None and one.needs == "all" else ():
            yield (
                f"requirements.constraints.{one.id}.within",
                f"What {one.id} is about",
                name,
                one.within or 0.0,
            )


@rule(
    "FLOW020",
    "warning",
    title="Age of an index or list unknown",
    prevents="a limit on freshness that nobody can keep or miss",
    wrong_when="Wrong if a provider fills it and states how fast; write a stage on its component with that delay.",
    needs=_told_or_worked_out,
)
def age_of_index_unknown(design: Design, _planes: Planes) -> Iterator[Fault]:
    """A limit on an age says something once the jobs that decide about it are stated."""
    ages_s = ages.least_worst_ages_s(design)
    at_once = _written_by_calls(design)
    if open_ones := [one for one in _limits(design) if not ages_s.get(one[2]) and one[2] not in at_once]:
        where, _, _, within_s = open_ones[0]
        names = ", ".join(dict.fromkeys(component for _, _, component, _ in open_ones))
        yield Fault(
            where,
            f"The limit is {show_seconds(within_s)}, and no stage of the dataflow says how long a change takes to "
            f"reach {names}.",
            "Add the stage that fills it, with its component, period and delays; or draw what writes it, as a command "
            "or as events.",
        )


_KEEPING = ("cache", *KEPT_IN)


def _written_by_calls(design: Design) -> set[str]:
    """Return the components that nothing but calls and events of what serves leads to: they know a change at once.

    A request writes where something is kept; to what answers, it brings no change.
    """
    planes = design.planes
    serving = {one.id for one in (planes.in_plane("serving") if planes else ())}
    changing = ("events", "command", "configuration")  # each change by itself, whoever sends it
    slow = {
        flow.end
        for flow in (planes.flows if planes else ())
        if flow.carries in {"batch", "features", "predictions"}
        or (flow.carries not in {"request", "metrics", "model", *changing} and flow.start not in serving)
    }
    kept = {one.id for one in (planes.components if planes else ()) if one.kind in _KEEPING}
    written = {
        flow.end for flow in (planes.flows if planes else ()) if flow.carries in changing or flow.end in kept
    }
    return (serving & written) - slow


# ---- the load of the store that requests read


@rule(
    "FLOW021",
    "warning",
    title="Feature reads without a stated limit",
    prevents="a feature store that is the first to fail in the busiest hour",
    wrong_when="Wrong if the features of the candidates are held in the replicas' own memory; state under lookup.keys "
    "how many keys a request reads from the store.",
    needs=_served,
)
def feature_reads_without_limit(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """A request that scores many items reads a row for each, so that a store gets many times the requests."""
    reads = _reads(design, flow)
    if reads is None or reads.rps < _MANY_READS or reads.quota_rps is not None:
        return
    counted = f"{reads.keys:,} keys a request" + (
        "" if reads.stated else ", one for each item that is scored, at least"
    )
    yield Fault(
        "dataflow.lookup.keys" if flow.lookup else "dataflow.lookup",
        f"At the peak, {_rate(reads.peak_rps)} requests a second look features up, {counted}; the store serves "
        f"{_rate(reads.rps)} key reads a second, and no limit of it is stated.",
        f"State what {reads.store or 'the store'} is built for, as its quota in requests (key reads) a second, and how "
        "it was tested; read in bulk, cache hot keys, or keep the items' features in memory.",
    )


@rule(
    "FLOW022",
    title="Feature reads exceed the store's limit",
    prevents="timeouts of the feature store that reach every request",
    wrong_when="Wrong if the quota counts calls and each call reads many keys; state it in key reads.",
    needs=_served,
)
def feature_reads_exceed_limit(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """A store that gets more reads than it accepts refuses some of every request."""
    reads = _reads(design, flow)
    if reads is None or reads.quota_rps is None or reads.rps <= reads.quota_rps * (1 + _SIMILAR):
        return
    yield Fault(
        f"planes.components.{reads.store}.quota",
        f"At the peak, {_rate(reads.peak_rps)} requests a second look up {reads.keys:,} keys each, so "
        f"{reads.store} gets {_rate(reads.rps)} key reads a second, and accepts {_rate(reads.quota_rps)}.",
        "Raise the limit, read fewer keys a request, or cache hot keys in front of it.",
    )


def _rate(rps: float) -> str:
    return f"{rps:,.0f}" if rps >= 1_000 else f"{rps:.4g}"


class _Reads(NamedTuple):
    """Key reads at the peak: how many, of how many keys a request, and what the store accepts."""

    rps: float
    peak_rps: float
    keys: int
    stated: bool
    store: str | None
    quota_rps: float | None


def _scored(design: Design) -> int:
    load = design.requirements.throughput if design.requirements else None
    return load.scorings_per_request if load else 1


def _reads(design: Design, flow: DataFlow) -> _Reads | None:
    """Return the key reads of the stores that requests read; None where the load or the keys are not known."""
    ends = _last_stages(flow)
    if not ends or peak_rps(design) is None:
        return None
    stated = flow.lookup.keys if flow.lookup else None
    keys = stated if stated is not None else _scored(design)
    live = [path for path in (design.pattern.paths if design.pattern else ()) if path.pattern in LIVE]
    if design.pattern and not live:
        return None
    parts = design.planes.components if design.planes else ()
    read_from = {stage.component for stage in ends}
    stores = [one for one in parts if one.kind == "feature store"]
    stores = (
        [one for one in stores if one.id in read_from]
        or stores
        or [one for one in parts if one.id in read_from]
    )
    limited = next((one for one in stores if one.quota and one.quota.requests), None)
    named = limited or next(iter(stores), None)

    def coming_rps(one: Design) -> float:
        """Return the requests that look their features up; all, where the sketch does not show who does."""
        reaching = shares_reaching(one.planes).get(named.id, 1.0) if one.planes and named else 1.0
        return (peak_rps(one) or 0.0) * min(reaching, 1.0)

    return _Reads(
        together(design, lambda one: coming_rps(one) * (stated or _scored(one))) or 0.0,
        together(design, coming_rps) or 0.0,
        keys,
        stated is not None,
        named.id if named else None,
        limited.quota.requests if limited and limited.quota else None,
    )


@rule(
    "FLOW023",
    "warning",
    title="Contract that lets data change without notice",
    prevents="a column that is renamed on a Friday and read as missing from then on",
    wrong_when="Acceptable if the reader checks the schema and stops; write that as the check of the flow.",
    needs=_planes,
)
def contract_allows_breaks(_: Design, planes: Planes) -> Iterator[Fault]:
    """Schemas change, and a reader goes on only with changes that its contract allows."""
    loose = [
        (position, flow)
        for position, flow in enumerate(planes.flows)
        if flow.contract and flow.contract.compatibility in {None, "none"} and not says_something(flow.check)
    ]
    if loose:
        position = loose[0][0]
        names = ", ".join(f"{flow.start} → {flow.end}" for _, flow in loose)
        yield Fault(
            f"planes.flows.{position}.contract",
            f"The contract does not state which changes of the schema are allowed, or allows any: {names}.",
            "State 'compatibility: backward' (readers change first) or another, with the version that readers expect.",
        )


_ON_SILENCE = (
    r"missing|absent|silen|without|null|default|stale|\bage\b|fresh|late|\blag\b|gap|complete|coverage|row.?count"
    r"|\brows\b|volume|heartbeat|sign of life|online|offline|last seen|arriv|accepted|\bno (data|reading|event)"
)


@rule(
    "FLOW024",
    "warning",
    title="Silent source taken for a quiet one",
    prevents="a dead sensor or job whose features look like those of a healthy machine or a calm customer",
    wrong_when="Acceptable if the model sees that a value is missing and acts on it: write 'default: missing'.",
    needs=_flow,
    whole=True,
)
def silence_unwatched(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """Where a number stands in for what is not there, only an alert tells silence from a quiet time."""
    alerts = design.planes.alerts if design.planes else ()
    said = [text for alert in alerts for text in (alert.metric, str(alert.threshold or ""), alert.action)]
    if worked_out(design) is None or mentions(_ON_SILENCE, *said):
        return
    if filled := [one.id for one in _read(flow) if _is_number(one.default)]:
        yield Fault(
            f"dataflow.features.{filled[0]}.default",
            f"A number stands in for what could not be read ({listed(filled)}), and no alert watches the share that is "
            "missing or late: a source that fell silent looks like a quiet one.",
            "Add an alert on the share of missing or old values of each source, or let the model see that a value is "
            "missing.",
        )


def _is_number(default: object) -> bool:
    return bool(re.fullmatch(r"-?[\d.,]+\s*%?", str(default)))


@rule(
    "FLOW025",
    title="Feature look-ups do not fit",
    prevents="a caller that gives up on its features in every request, or a budget that look-ups alone exceed",
    wrong_when="Wrong if the look-ups are not those of one request; state under lookup what one request makes.",
    needs=_served,
)
def lookups_do_not_fit(design: Design, flow: DataFlow) -> Iterator[Fault]:
    """The look-ups of a request take time of its budget and of its part for them, and each that of its timeout."""
    latency, lookup = design.requirements.latency if design.requirements else None, flow.lookup
    for store, time_s in lookups_s(design).items() if lookup else ():
        parts_s = [one.time for one in (latency.split if latency else ()) if one.component == store]
        limits = [
            (f"the part of {store} in the latency budget is", fsum(parts_s)),
            ("the latency budget is", latency.budget if latency else 0.0),
        ]
        each_s = lookup.time_per_call if lookup else 0.0
        hasty = [
            one for _, one in (waiting_flows(design.planes) if design.planes else ()) if one.end == store
        ]
        broken = [
            f"{words} {show_seconds(limit)}" for words, limit in limits if 0 < limit * (1 + _SIMILAR) < time_s
        ]
        broken += [
            f"one alone, of {show_seconds(each_s)}, is given up by {one.start} after {show_seconds(one.timeout)}"
            for one in hasty
            if one.timeout and each_s > one.timeout * (1 + _SIMILAR)
        ]
        if broken and lookup:
            yield Fault(
                "dataflow.lookup",
                f"The {lookup.calls:,} look-ups of a request in {store} take {show_seconds(time_s)}, and "
                f"{listed(broken)}.",
                "Read all features in one call or at once ('at_once: true'), or give them more of the budget.",
            )
