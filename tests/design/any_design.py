"""Any design at all, drawn from the fields' own types, so that a new field is tested by being there."""

from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from mlsd_helpers.design import (
    Assumption,
    Component,
    DataFlow,
    Design,
    Evidence,
    FailureMode,
    Feature,
    Parallel,
    Pattern,
    Planes,
    Requirements,
)
from mlsd_helpers.design.dataflow import Scalar
from mlsd_helpers.design.quantities import Quantity
from mlsd_helpers.design.value import Value

IDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,5}", fullmatch=True)
AWKWARD = st.sampled_from(
    ["no", "null", "8e9", "0x1F", "12:30", "- a", "a: b", "#", "{", "'", '"', "*a", "…", "1\n2"]
)
TEXTS = AWKWARD | st.text(min_size=1, max_size=20).map(str.strip).filter(
    lambda text: text and all(char.isprintable() or char in "\n\t" for char in text)
)


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


def entries(hint: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Draw a short list, without repeated ids."""
    by_id = (lambda value: value.id) if "id" in getattr(hint, "model_fields", ()) else None
    return st.lists(of(hint), max_size=2, unique_by=by_id).map(tuple)


@cache
def of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field with this type may hold."""
    arguments = get_args(hint)
    if hint is Scalar or hint == Scalar:
        return TEXTS | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15)
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
    if base is str:
        return IDS if any(getattr(mark, "pattern", None) for mark in marks) else TEXTS
    return of(base)


def values(kind: type[Value], **chosen: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any value of this kind; what has to refer to something is chosen."""
    if not chosen and kind in SPECIAL:
        return SPECIAL[kind]()
    hints = get_type_hints(kind, include_extras=True)
    if "id" in kind.model_fields and not kind.model_fields["id"].is_required():
        chosen.setdefault("id", st.just(kind.model_fields["id"].default))
    fields = {name: of(hints[name]) for name in kind.model_fields if name not in chosen}
    return st.fixed_dictionaries(fields | chosen).map(lambda drawn: kind(**drawn))


@st.composite
def requirements(draw: st.DrawFn) -> Requirements:
    names = draw(st.lists(IDS.map(lambda name: f"X{name}"), max_size=4, unique=True))
    modes = tuple(draw(values(FailureMode, id=st.just(name))) for name in names[::2])
    beliefs = tuple(draw(values(Assumption, id=st.just(name))) for name in names[1::2])
    return draw(values(Requirements, failure_modes=st.just(modes), assumptions=st.just(beliefs)))


@st.composite
def planes(draw: st.DrawFn) -> Planes:
    components = draw(entries(Component))
    names = st.sampled_from([component.id for component in components]) if components else st.nothing()
    hints = get_type_hints(Planes, include_extras=True)
    flow, alert = get_args(hints["flows"])[0], get_args(hints["alerts"])[0]
    flows = st.lists(values(flow, start=names, end=names), max_size=3)
    free = IDS.filter(lambda name: all(name != component.id for component in components))
    alerts = st.lists(values(alert, raised_by=names, id=free), max_size=2, unique_by=lambda alert: alert.id)
    return draw(
        values(
            Planes,
            components=st.just(components),
            flows=flows if components else st.just(()),
            alerts=alerts if components else st.just(()),
        )
    )


@st.composite
def dataflow(draw: st.DrawFn) -> DataFlow:
    stages = draw(entries(get_args(get_type_hints(DataFlow, include_extras=True)["stages"])[0]))
    names = [stage.id for stage in stages]
    paths = st.permutations(names).flatmap(path_over) if names else st.just(())
    feature = values(Feature, path=paths, source=IDS if names else st.just("request"))
    features = st.lists(feature, max_size=3, unique_by=lambda feature: feature.id)
    return draw(values(DataFlow, stages=st.just(stages), features=features))


def path_over(names: list[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    series = st.just(tuple(names))
    return series | st.just((Parallel(parallel=[[name] for name in names]),)) | st.just(names[0])


@st.composite
def pattern(draw: st.DrawFn) -> Pattern:
    hints = get_type_hints(Pattern, include_extras=True)
    paths = draw(entries(get_args(hints["paths"])[0]))
    named = st.none() | (st.sampled_from([path.id for path in paths]) if paths else st.nothing())
    rejected = st.lists(values(get_args(hints["rejected"])[0], path=named), max_size=3)
    return draw(values(Pattern, paths=st.just(paths), rejected=rejected))


@st.composite
def designs(draw: st.DrawFn, part: str) -> Design:
    """Any design that has this part and no other, with evidence for some of what it holds."""
    empty = {name: st.none() for name in PARTS if name != part}
    bare = draw(values(Design, evidence=st.just(()), **empty))
    held = [name for name in Design.model_fields if getattr(bare, name)]
    sources = st.sampled_from([source.id for source in bare.sources]) if bare.sources else st.none()
    note = values(Evidence, figure=st.sampled_from(held), source=sources, assumption=st.none())
    return bare.changed(evidence=draw(st.lists(note, max_size=2)))


SPECIAL = {Requirements: requirements, Planes: planes, DataFlow: dataflow, Pattern: pattern}
PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity")
