"""Any design at all, drawn from the fields' own types, so that a new field is tested by being there."""

from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from mlsd_helpers.design import (
    KINDS,
    Acceptance,
    Alert,
    Assumption,
    BudgetPart,
    CapacityPlan,
    Component,
    Constraint,
    Cost,
    DataFlow,
    Design,
    DoesNotApply,
    Evidence,
    FailureMode,
    Feature,
    FleetPlan,
    Flow,
    Gate,
    Latency,
    ModelShape,
    Parallel,
    Pattern,
    Planes,
    Promise,
    RejectedPattern,
    Release,
    ReleaseStage,
    Requirements,
    Schedule,
    ServingPath,
    Training,
    Workload,
)
from mlsd_helpers.design.dataflow import Scalar
from mlsd_helpers.design.decisions import Day, RuleCode
from mlsd_helpers.design.quantities import Quantity
from mlsd_helpers.design.requirements import AXES, time_of_day
from mlsd_helpers.design.value import Value

IDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,5}", fullmatch=True)
AWKWARD = st.sampled_from(
    ["no", "null", "8e9", "0x1F", "12:30", "- a", "a: b", "#", "{", "'", '"', "*a", "…", "1\n2"]
)
TEXTS = AWKWARD | st.text(
    st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" \n\t"), min_size=1, max_size=20
).map(str.strip).filter(bool)


WRITTEN = {
    Day: st.dates(date(1000, 1, 1)),
    RuleCode: st.sampled_from(["PLANE012", "REQ002"]),
    Scalar: TEXTS | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15),
}


def numbers(kind: Quantity, least: float) -> st.SearchStrategy[float]:
    """Any number of this kind, and those that people write."""
    if kind.whole:
        return st.integers(int(least), 1_000) | st.integers(int(least), int(kind.most))
    written = st.builds(
        lambda figure, unit: figure / 100 * unit, st.integers(1, 9_999), st.sampled_from(sizes(kind))
    )
    anything = st.floats(least, kind.most, exclude_min=least > 0, allow_subnormal=False)
    return anything | written.filter(lambda number: number <= kind.most)


def sizes(kind: Quantity) -> list[float]:
    return list(kind.dimension.units.values())


def by_id(value: Any) -> Any:
    """Tell entries with the same id apart from none: what has no id is like nothing else."""
    return getattr(value, "id", None) or object()


def entries(hint: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Draw a short list, without repeated ids."""
    return st.lists(of(hint), max_size=2, unique_by=by_id).map(tuple)


@cache
def of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field with this type may hold."""
    arguments = get_args(hint)
    if hint in WRITTEN:
        return WRITTEN[hint]
    if get_origin(hint) is Annotated:
        return annotated(*arguments)
    if get_origin(hint) is Literal:
        return st.sampled_from(arguments)
    if get_origin(hint) is tuple:
        return entries(arguments[0])
    if hint in {bool, type(None)}:
        return st.from_type(hint)
    return values(hint) if isinstance(hint, type) else st.one_of([of(one) for one in arguments])


def annotated(base: Any, *marks: Any) -> st.SearchStrategy[Any]:
    kind = next((mark for mark in marks if isinstance(mark, Quantity)), None)
    if kind is not None:
        return numbers(kind, least=1e-9 if len(marks) > 1 and not kind.whole else len(marks) - 1)
    if any(getattr(mark, "func", None) is time_of_day for mark in marks):
        return st.sampled_from(["06:30", "22:00"])
    if base is str:
        return IDS if any(getattr(mark, "pattern", None) for mark in marks) else TEXTS
    return of(base)


def values(kind: type[Value], /, **chosen: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any value of this kind; what has to refer to something is chosen."""
    if not chosen and kind in SPECIAL:
        return SPECIAL[kind]()
    hints = get_type_hints(kind, include_extras=True)
    if "id" in kind.model_fields and not kind.model_fields["id"].is_required():
        chosen.setdefault("id", st.just(kind.model_fields["id"].default))
    if "workload" in kind.model_fields:  # a part alone has no workloads to name
        chosen.setdefault("workload", st.just(()))
    if kind is Schedule:  # nor other runs
        chosen.setdefault("fallback", st.just(()))
    fields = {name: of(hints[name]) for name in kind.model_fields if name not in chosen}
    return st.fixed_dictionaries(fields | chosen).map(lambda drawn: kind(**drawn))


@st.composite
def component(draw: st.DrawFn) -> Component:
    one = draw(st.sampled_from([*KINDS["serving"], "people", "other"]))
    plane = st.sampled_from(list(KINDS)) if one == "other" else st.none() | st.just("serving")
    does = TEXTS if one == "other" else st.none() | TEXTS
    return draw(values(Component, kind=st.just(one), stands_in=plane, does=does))


@st.composite
def part_of_budget(draw: st.DrawFn) -> BudgetPart:
    component = draw(st.none() | IDS)
    return draw(
        values(
            BudgetPart, component=st.just(component), part=TEXTS if component is None else st.none() | TEXTS
        )
    )


@st.composite
def latency(draw: st.DrawFn) -> Latency:
    bare = draw(values(Latency, also=st.just(())))
    said = {(one.what, one.percentile) for one in bare.promises}
    more = draw(st.lists(of(Promise), max_size=2, unique_by=lambda one: (one.what, one.percentile)))
    return bare.changed(also=[one for one in more if (one.what, one.percentile) not in said])


@st.composite
def shape(draw: st.DrawFn) -> ModelShape:
    whole = draw(st.integers(1, 10**12))
    active, size = st.none() | st.integers(1, whole), st.integers(1, 1_000)
    given = {"parameters": st.just(whole), "active_parameters": active}
    if draw(st.booleans()):
        given |= {"layers": size, "kv_heads": size, "head_dim": size, "kv_bytes_per_token": st.none()}
    else:
        given |= {"kv_bytes_per_token": st.integers(1, 10**9).map(float)}
    return draw(values(ModelShape, **given))


@st.composite
def capacity(draw: st.DrawFn) -> CapacityPlan:
    costs = draw(entries(Cost))
    taken = {cost.id for cost in costs}
    fleets = entries(FleetPlan).map(lambda drawn: tuple(one for one in drawn if one.id not in taken))
    return draw(values(CapacityPlan, fleets=fleets, costs=st.just(costs)))


@st.composite
def requirements(draw: st.DrawFn) -> Requirements:
    names = draw(st.lists(IDS.map(lambda name: f"X{name}"), max_size=6, unique=True))
    nothing_else: dict[str, st.SearchStrategy[Any]] = {"of": st.just(()), "goes_before": st.just(())}
    modes, beliefs, demands = (
        tuple(draw(values(kind, id=st.just(name), **more)) for name in names[start::3])
        for start, (kind, more) in enumerate(
            ((FailureMode, {}), (Assumption, {}), (Constraint, nothing_else))
        )
    )
    several = draw(st.lists(IDS.map(lambda name: f"W{name}"), max_size=2, unique=True))
    workloads = []
    for name in several:
        one = draw(values(Workload, id=st.just(name)))
        before = workloads and workloads[-1].schedule and workloads[-1]
        schedule = one.schedule and one.schedule.changed(
            id=f"S{name}", fallback=(before.id,) if before else ()
        )
        workloads.append(one.changed(schedule=schedule))
    nothing = dict.fromkeys(AXES, st.none()) if workloads else {}
    return draw(
        values(
            Requirements,
            failure_modes=st.just(modes),
            assumptions=st.just(beliefs),
            constraints=st.just(demands),
            workloads=st.just(tuple(workloads)),
            **nothing,
        )
    )


@st.composite
def planes(draw: st.DrawFn) -> Planes:
    components = draw(entries(Component))
    ids = [component.id for component in components]
    names = st.sampled_from(ids) if ids else st.nothing()
    free = IDS.map(lambda name: f"X{name}").filter(lambda name: name not in ids)
    own = draw(st.lists(free, max_size=6, unique=True))  # of flows, then of alerts
    flows = [
        draw(
            values(
                Flow,
                id=st.just(name),
                start=names,
                end=names,
                otherwise=st.none(),
                after=st.just(()),
                without=st.just(()),
            )
        )
        for name in own[::2]
        if ids
    ]
    flows += (
        draw(
            st.lists(
                values(
                    Flow,
                    id=st.none(),
                    start=names,
                    end=names,
                    otherwise=st.none(),
                    after=st.just(()),
                    without=st.just(()),
                ),
                max_size=1,
            )
        )
        if ids
        else []
    )
    flows = [led(flows, place, draw(st.booleans())) for place in range(len(flows))]
    about = st.lists(names, max_size=2, unique=True).map(tuple)
    alerts = [draw(values(Alert, raised_by=names, of=about, id=st.just(name))) for name in own[1::2] if ids]
    return draw(
        values(
            Planes,
            components=st.just(components),
            flows=st.just(flows),
            alerts=st.just(alerts),
            release=st.none() | release(ids, [alert.id for alert in alerts]),
        )
    )


def led(flows: list[Flow], place: int, alternative: bool) -> Flow:
    """Let a flow have another one from the same start, further down the list, in its place."""
    flow = flows[place]
    causes = [other.id for other in flows if other.id and other.end == flow.start]
    flow = flow.changed(after=causes[:1] if alternative else ())
    others = [other.id for other in flows[place + 1 :] if other.id and other.start == flow.start]
    return flow.changed(otherwise=others[0]) if others and alternative else flow


@st.composite
def release(draw: st.DrawFn, components: list[str], alerts: list[str]) -> Release:
    some = [
        st.lists(st.sampled_from(ids), max_size=2).map(tuple) if ids else st.just(())
        for ids in (components, alerts)
    ]
    gates = st.lists(values(Gate, of=some[0]), max_size=2, unique_by=by_id)
    stages = st.lists(values(ReleaseStage, stops_on=some[1]), max_size=2, unique_by=by_id)
    drawn_gates = draw(gates)
    taken = {gate.id for gate in drawn_gates}
    steps = [stage for stage in draw(stages) if stage.id not in taken]
    return draw(values(Release, of=some[0], gates=st.just(drawn_gates), stages=st.just(steps)))


@st.composite
def dataflow(draw: st.DrawFn) -> DataFlow:
    stages = draw(entries(get_args(get_type_hints(DataFlow, include_extras=True)["stages"])[0]))
    names = [stage.id for stage in stages]
    paths = st.permutations(names).flatmap(path_over) if names else st.just(())
    feature = values(Feature, path=paths, source=IDS if names else st.just("request"))
    features = st.lists(feature, max_size=3, unique_by=by_id)
    return draw(values(DataFlow, stages=st.just(stages), features=features))


def path_over(names: list[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    series = st.just(tuple(names))
    return series | st.just((Parallel(parallel=[[name] for name in names]),)) | st.just(names[0])


@st.composite
def pattern(draw: st.DrawFn) -> Pattern:
    names = draw(st.lists(IDS, max_size=2, unique=True))
    some = st.sampled_from(names) if names else st.nothing()
    beside = st.lists(some, max_size=1).map(tuple)
    paths = [draw(values(ServingPath, id=st.just(name), parallel_to=beside)) for name in names]
    rejected = st.lists(values(RejectedPattern, path=st.none() | some), max_size=3)
    return draw(values(Pattern, paths=st.just(paths), rejected=rejected))


@st.composite
def designs(draw: st.DrawFn, part: str) -> Design:
    """Any design that has this part and no other, with remarks on some of what it holds and does not hold."""
    lists = {name: st.just(()) for name in MORE if Design.model_fields[name].default == ()}
    empty = {name: lists.get(name, st.none()) for name in (*PARTS, *MORE) if name != part}
    remarks = dict.fromkeys(("evidence", "accepted", "does_not_apply"), st.just(()))
    bare = draw(values(Design, **empty, **remarks))
    held = [name for name in Design.model_fields if getattr(bare, name)]
    missing = st.sampled_from([name for name in PARTS if name != part])
    sources = st.sampled_from([source.id for source in bare.sources]) if bare.sources else st.none()
    note = values(Evidence, figure=st.sampled_from(held), source=sources, assumption=st.none())
    known = values(
        Acceptance, where=st.none() | st.sampled_from([*PARTS, "planes.flows", "capacity.headroom.share"])
    )
    return bare.changed(
        evidence=draw(st.lists(note, max_size=2)),
        accepted=draw(st.lists(known, max_size=2)),
        does_not_apply=draw(st.lists(values(DoesNotApply, where=missing), max_size=1)),
    )


@st.composite
def training(draw: st.DrawFn) -> Training:
    """Training that names no data set: those there are are drawn beside it."""
    return draw(values(Training, trained_on=st.just(())))


SPECIAL = {
    BudgetPart: part_of_budget,
    CapacityPlan: capacity,
    Component: component,
    DataFlow: dataflow,
    Latency: latency,
    ModelShape: shape,
    Pattern: pattern,
    Planes: planes,
    Requirements: requirements,
    Training: training,
}
PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity")
MORE = ("about", "data", "operations", "experiments", "decisions", "risks", "questions")
