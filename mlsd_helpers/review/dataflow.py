"""Rules on the dataflow of a design: the age of features, where they are stored, and how training reads them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from math import isclose

from mlsd_helpers.analysis import ages
from mlsd_helpers.design import REQUEST, DataFlow, Design, Feature, Planes, Stage
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import Stage as AgeingStage
from mlsd_helpers.formulas import largest_period_s
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.units import show_seconds

_SIMILAR = 1e-12  # relative: an age that is its SLA but for the last bits meets it
_MOST_STARTS = 20  # missing flows into one component that are named one by one
_FEW_CALLS = 3  # fewer look-ups than this are not worth a finding
_DATA = {"events", "batch", "labels", "predictions"}  # what arrows carry features along, to be read later


def _flow(design: Design) -> DataFlow | None:
    return design.dataflow


def _read(flow: DataFlow) -> Iterator[Feature]:
    """Yield the features that are read from somewhere, and do not come with the request."""
    return (feature for feature in flow.features if feature.path)


@rule("FLOW001", "info", title="Dataflow missing", prevents="a model with inputs that nobody has traced")
def dataflow_missing(design: Design) -> Iterator[Fault]:
    """Each input of a model has a source and an age."""
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
    stages = ages.stages_by_id(flow)
    for feature in flow.features:
        sla_s = _allowed_s(design, feature)
        worst_s = ages.worst_s(feature, stages)
        if sla_s is not None and worst_s > sla_s and not isclose(worst_s, sla_s, rel_tol=_SIMILAR):
            yield Fault(
                f"dataflow.features.{feature.id}.{'path' if feature.sla is None else 'sla'}",
                f"{feature.id} is up to {show_seconds(worst_s)} old when the model reads it, and may be "
                f"{show_seconds(sla_s)}: the periods, delays and copies on its path add up.",
                _repair(feature, stages, sla_s),
            )


def _allowed_s(design: Design, feature: Feature) -> float | None:
    if feature.sla is not None:
        return feature.sla
    stated = design.requirements and design.requirements.freshness
    return stated.features if stated else None


def _repair(feature: Feature, stages: Mapping[str, AgeingStage], sla_s: float) -> str:
    if (period := longest_period(feature, stages, sla_s)) is not None:
        stage, period_s = period
        return f"Run {stage} every {show_seconds(period_s)} at most."
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
    wrong_when="Wrong for batch scoring that reads the offline store itself.",
    needs=_flow,
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
    title="Store of a feature not stated",
    prevents="a feature that is in no store when serving asks for it",
    needs=_flow,
)
def last_store_not_stated(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """The store at the end of a path decides whether serving can read the feature."""
    for stage, features in _last_stages(flow).items():
        if stage.store is None:
            yield Fault(
                f"dataflow.stages.{stage.id}.store",
                f"{_named(features)} ends in {stage.id}, which does not state its store.",
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
    title="Stage without a duration",
    prevents="an age that is computed too low because a stage was not measured",
    wrong_when="Acceptable for a stage that takes next to no time; write a small delay, such as 1 ms.",
    needs=_flow,
)
def stage_without_duration(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Every stage adds to the age of what passes it: a period, a delay or a time-to-live."""
    for stage in flow.stages:
        if stage.period is None and not stage.delays and stage.ttl is None:
            yield Fault(
                f"dataflow.stages.{stage.id}",
                f"{stage.id} has no period, no delay and no time-to-live, so it counts as 0 s.",
                "Measure it, and state under delays how long it takes.",
            )


@rule(
    "FLOW006",
    "warning",
    title="Stage without a feature",
    prevents="a job that is paid for and whose result nobody reads",
    wrong_when="Wrong if the stage makes something that is no model input, such as a report, a block "
    "list or an index.",
    needs=_flow,
)
def stage_without_feature(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """A stage without a feature costs money and has no effect on the model."""
    passed = {name for feature in flow.features for name in feature.stage_ids()}
    for stage in flow.stages:
        if stage.id not in passed:
            yield Fault(
                f"dataflow.stages.{stage.id}",
                f"No feature passes {stage.id}, so no model input needs it.",
                "Name it in the path of the features that it makes, or remove it.",
            )


@rule(
    "FLOW007",
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
    wrong_when="Wrong if the flow is drawn as another kind: only events, batch, labels and predictions "
    "count.",
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
        for flow in planes.flows:
            if flow.carries in _DATA:
                after[flow.start].append(flow.end)
                before[flow.end].append(flow.start)
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
    wrong_when="Wrong if the model takes named inputs, which have no positions.",
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
    wrong_when="Wrong if the model takes named inputs, or pads its input on purpose.",
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
    wrong_when="Wrong if the model takes named inputs, which have no positions.",
    needs=_flow,
)
def feature_without_position(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """A feature without a position in the model's input is not used."""
    adds_up = flow.input_width == sum(feature.width for feature in flow.features)
    for feature in flow.features:
        if feature.slot is None:
            yield Fault(
                f"dataflow.features.{feature.id}.slot",
                f"{feature.id} has no slot, so it never reaches the model.",
                "State the position where the model expects it, counted from 0.",
            )
        elif adds_up and feature.slot + feature.width > (flow.input_width or 0):
            yield Fault(
                f"dataflow.features.{feature.id}.slot",
                f"{feature.id} fills positions up to {feature.slot + feature.width - 1}, beyond the last one of "
                f"the input, {(flow.input_width or 0) - 1}.",
                "Move it to positions that are free.",
            )


@rule(
    "FLOW012",
    title="Feature without a default",
    prevents="an outage, or a guess, when one feature cannot be read",
    incident="Uber Michelangelo: a job that kept failing let features expire until there were none (Uber, 2024)",
    wrong_when="Acceptable if the model handles missing values itself, as boosted trees can, and saw "
    "them in training.",
    needs=_flow,
)
def feature_without_default(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """A store sometimes has no value, and the model needs one all the same."""
    for feature in _read(flow):
        if feature.default is None:
            yield Fault(
                f"dataflow.features.{feature.id}.default",
                f"{feature.id} has no default for a new key, an expired row or a timeout.",
                "State the value that training used for a missing one, and raise an alert on its share.",
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
    joins = [("join", flow.join)] + [(f"features.{one.id}.join", one.join) for one in flow.features]
    for where, join in joins:
        if join in _LEAKS:
            yield Fault(
                f"dataflow.{where}",
                f"Training rows are joined on {_LEAKS[join]}.",
                "Store when each value became readable, and join on that: 'availability time'.",
            )


@rule(
    "FLOW014",
    title="Training join undecided",
    prevents="a leak that follows from a default of the training job",
    wrong_when="Acceptable if features are logged at serving and training reads the log: then nothing is "
    "joined.",
    needs=_flow,
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
    wrong_when="Acceptable if a parity test compares both at every change.",
    needs=_flow,
)
def transformation_written_twice(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Two implementations of one transformation drift apart."""
    if flow.transformation == "separate":
        yield Fault(
            "dataflow.transformation",
            "Training and serving run separate implementations of the transformation.",
            "Use one implementation, or log the features at serving and train on the log.",
        )


@rule(
    "FLOW016",
    "warning",
    title="Parity test missing",
    prevents="training-serving skew, which raises no error",
    wrong_when="Acceptable if training reads the features that serving logged: they are the same values.",
    needs=_flow,
)
def parity_test_missing(_: Design, flow: DataFlow) -> Iterator[Fault]:
    """Only a test that compares them shows that training and serving compute the same features."""
    untested = [feature.id for feature in _read(flow) if feature.parity_test is None]
    if flow.parity_test is None and untested:
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
