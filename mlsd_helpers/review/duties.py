"""Rules on duties: what meets a constraint is on the way, who validates, what is kept of a decision, what gives way."""

from collections.abc import Iterator

from mlsd_helpers.analysis.contents import KEEPING
from mlsd_helpers.analysis.graph import (
    WAITING,
    components_by_id,
    reached,
    steps_along,
    steps_back,
    waiting_flows,
)
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Component, Constraint, Dataset, Design, FailureMode, Flow, Planes
from mlsd_helpers.review.data import GDPR
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import (
    DATA,
    constraints_of,
    flow_places,
    is_about_answers,
    is_about_people,
    sketched,
    worked_out,
)
from mlsd_helpers.review.words import listed, mentions
from mlsd_helpers.units import show_seconds

_CHECKS = ("guardrail", "business rules", "rate limiter", "api gateway", "llm gateway", "orchestrator")
_ASKED = ("guardrail", "business rules", "rate limiter", "external service", "model server")
_ANSWERS = (
    "model server", "external service", "llm gateway", "candidate generator", "re-ranker", "business rules",
    "orchestrator",
)  # fmt: skip
_MODELS = ("model server", "llm gateway", "external service")


# ---- what meets a constraint


def _about_requests(design: Design) -> Iterator[Constraint]:
    """Yield the constraints that are met by components and say nothing of data: no region, set of data or time."""
    for one in constraints_of(design):
        about_data = one.region or one.of or one.kept_at_least is not None or one.kept_at_most is not None
        if one.met_by and not about_data:
            yield one


@rule(
    "DATA035",
    "warning",
    title="Requests or data around what meets a constraint",
    prevents="a price above the legal cap, since the new service asks the model itself",
    wrong_when="Wrong if the constraint is not about these requests; accept it with that reason. Wrong if other data "
    "take that way: name the set of data under 'without' of the flow.",
    needs=worked_out,
)
def around_what_meets_it(design: Design, planes: Planes) -> Iterator[Fault]:
    """A check or a mask has an effect only on the requests and data that pass through it."""
    yield from _data_around(design, planes, named=False)
    parts = components_by_id(planes)
    of_requests = [one.id for one in _about_requests(design)]
    for one in constraints_of(design):
        met = [parts[name] for name in one.met_by if name in parts]
        if one.id not in of_requests:  # of data, and a store or a job that meets it needs no flow into it
            met = [part for part in met if part.kind in _MASKS]
        idle = [part for part in met if _nobody_asks(part, planes)]
        loose = (
            []
            if idle or one.id not in of_requests
            else _around(planes, [part for part in met if part.kind in _CHECKS])
        )
        if idle:
            yield Fault(
                f"requirements.constraints.{one.id}.met_by",
                f"The constraint {one.id} is met by {listed([part.id for part in idle])}, which no flow of requests or "
                "data reaches.",
                "Draw who calls it, or name what meets the constraint instead.",
            )
        elif loose:
            place, flow = loose[0]
            more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
            yield Fault(
                place,
                f"The constraint {one.id} is met by {listed(one.met_by)}, and {flow.start} → {flow.end}{more} goes "
                "around it.",
                f"Let {flow.start} ask what meets the constraint too, or put that before {flow.end}.",
            )


@rule(
    "DATA041",
    title="Named data stored around what has to treat them",
    prevents="card numbers in the archive, since one of two ways leads past the component that masks them",
    wrong_when="Wrong if other data take that way: name the set of data under 'without' of the flow.",
    needs=worked_out,
)
def named_data_around(design: Design, planes: Planes) -> Iterator[Fault]:
    """A constraint on a set of data is broken by each store that gets the set without what meets the constraint."""
    yield from _data_around(design, planes, named=True)


def _data_around(design: Design, planes: Planes, *, named: bool) -> Iterator[Fault]:
    """Yield the constraints that a store's data go around: those on named sets, or those that name none.

    What is not about named data may be about the stores into which a guardrail that meets it writes.
    """
    parts = components_by_id(planes)
    datasets = {one.id: one for one in (design.data.datasets if design.data else ())}
    for one in constraints_of(design):
        met = [] if one.region else [parts[name] for name in one.met_by if name in parts]
        timed = one.demands or one.kept_at_least is not None or one.kept_at_most is not None
        if named:
            met = [part for part in met if part.kind in _MASKS or (part.kind in _PASSED_ON and not timed)]
        else:
            met = [part for part in met if part.kind == "guardrail"]
        written = {flow.end for part in met for flow in planes.flows if flow.start == part.id}
        sets = one.of if named else [] if one.of else [kept.id for kept in datasets.values() if kept.personal]
        for kept in (datasets[name] for name in sets if name in datasets):
            way = _stored_around(planes, kept, met, any_will_do=one.needs == "any")
            if way and (named or way[-1] in written):
                yield Fault(
                    way[0],
                    f"The constraint {one.id} is met by {listed(one.met_by)}, and {kept.id} gets into "
                    f"{way[-1]} without passing {way[1]}: {' → '.join(way[2:])}.",
                    f"Let these data pass {way[1]} before {way[-1]} keeps them, or take the flow out. If other data "
                    f"take this way, name {kept.id} under 'without' of the flow.",
                )
                break


_MASKS = ("guardrail", "business rules")
_PASSED_ON = (
    "service", "api gateway", "orchestrator", "ingestion", "stream processor", "batch pipeline", "device fleet",
)  # fmt: skip


def _stored_around(planes: Planes, kept: Dataset, met: list[Component], *, any_will_do: bool) -> list[str]:
    """Return a way by which data reach a store around what is to be passed: the path in the design, what, the way.

    The way begins at a component whose data pass it elsewhere.
    """
    known, stores = components_by_id(planes), {*kept.kept_in}
    ways = [
        (place, flow)
        for place, flow in flow_places(planes)
        if flow.carries in DATA
        and kept.id not in flow.without
        and not (kept.personal and flow.personal is False)
        and not (flow.carries in WAITING and known[flow.end].kind in KEEPING)  # it asks, and brings nothing
    ]
    steps = steps_along(flow for _, flow in ways)
    before = {part.id: reached([part.id], steps_back(flow for _, flow in ways)) for part in met}
    passed = [part.id for part in met if part.id not in stores and stores & reached([part.id], steps)]
    for names in [passed] if any_will_do and passed else [[name] for name in passed]:
        beside = {  # who asks it and gets the answer back has passed it
            flow.start
            for _, flow in ways
            if flow.end in names
            and flow.carries == "request"
            and all(other.carries == "request" for _, other in ways if other.start == flow.end)
        }
        closed = {*names, *beside}
        from_it = set().union(*(before[name] for name in names)) - closed
        came: dict[str, tuple[str, str]] = {}
        open_ones = sorted(from_it - reached(closed, steps))  # a cycle leads back to what has passed
        for name in open_ones:
            for place, flow in (one for one in ways if one[1].start == name):
                if flow.end in closed or flow.end in came or (flow.end in from_it and flow.end not in stores):
                    continue
                came[flow.end] = (name, place)
                if flow.end not in stores:
                    open_ones.append(flow.end)
                    continue
                way, at = [flow.end], flow.end
                while at in came and came[at][0] not in way:
                    at = came[at][0]
                    way.insert(0, at)
                return [came[way[1]][1], listed(names), *way]
    return []


@rule(
    "DATA042",
    "warning",
    title="Answers fetched beside what meets a constraint",
    prevents="last week's stored list, shown around the check that each fresh answer passes",
    wrong_when="Wrong if the constraint is not about these answers; accept it with that reason.",
    needs=sketched,
)
def answers_beside_the_check(design: Design, planes: Planes) -> Iterator[Fault]:
    """A check that comes after some answers sees these, and not what the same caller fetches beside it."""
    parts, places = components_by_id(planes), list(flow_places(planes))
    calls = [(places[position][0], flow) for position, flow in waiting_flows(planes)]
    by_id = {flow.id: flow for _, flow in calls if flow.id}
    told = dict[str, tuple[Flow, Flow, list[str]]]()
    for one in _about_requests(design):
        if one.source not in {"law", "contract"} or one.held_without:
            continue
        checks = [flow for _, flow in calls if flow.end in one.met_by and parts[flow.end].kind in _MASKS]
        for check in (flow for flow in checks if flow.after):
            seen = _before(check, by_id)
            for place, flow in calls:
                stored = flow.start == check.start and parts[flow.end].kind == "prediction store"
                passes = flow.end in one.met_by or any(other.start == flow.end for other in checks)
                if stored and not passes and flow.id not in seen:
                    told.setdefault(place, (flow, check, []))[2].append(one.id)
    for place, (flow, check, names) in told.items():
        yield Fault(
            place,
            f"{listed(list(dict.fromkeys(names)))}: met by {check.end}, which {check.start} asks after "
            f"{listed(list(check.after))}; what {flow.start} → {flow.end} brings is not among that.",
            f"Name this call in 'after' of {check.start} → {check.end} too, or let what is stored pass {check.end} "
            "when it is read.",
        )


def _before(check: Flow, by_id: dict[str, Flow]) -> set[str | None]:
    """Return the calls whose answers a check sees: those it comes after, theirs, and what stands in for each."""
    seen, open_ones = set[str | None](), [*check.after, check.otherwise]
    while open_ones:
        name = open_ones.pop()
        flow = by_id.get(name or "")
        if name not in seen and flow is not None:
            seen.add(name)
            open_ones += [*flow.after, flow.otherwise]
    return seen


def _nobody_asks(part: Component, planes: Planes) -> bool:
    """Tell whether a component that acts on what it gets, gets nothing."""
    into = [flow for flow in planes.flows if flow.end == part.id]
    out = [flow for flow in planes.flows if flow.start == part.id]
    if part.kind in _ASKED:
        asks = any(flow.carries == "request" for flow in out)  # it may be the first that a request meets
        sends = part.kind == "external service" and any(flow.carries in DATA for flow in out)
        return not asks and not sends and not any(flow.carries in {*DATA, "alert"} for flow in into)
    return part.kind in {"people", "service"} and not into and not out


def _around(planes: Planes, met: list[Component]) -> list[tuple[str, Flow]]:
    """Return the calls that lead to what a check stands before, or is asked beside, without passing the check."""
    places = list(flow_places(planes))
    calls = [places[position] for position, _ in waiting_flows(planes)]
    parts = components_by_id(planes)
    checks = {part.id for part in met}
    called = {flow.end for _, flow in calls}
    entries = {flow.start for _, flow in calls} - called
    behind = {flow.end for _, flow in calls if flow.start in checks and parts[flow.end].kind in _ANSWERS}
    passing = checks & (called | entries)
    if not behind - checks:  # it is asked beside the model: who asks it passes
        asking = {
            flow.start for _, flow in calls if flow.end in checks and parts[flow.end].kind == "guardrail"
        }
        behind = {flow.end for _, flow in calls if flow.start in asking and parts[flow.end].kind in _MODELS}
        passing |= asking
    if not passing:
        return []
    free = [flow for _, flow in calls if flow.start not in passing and flow.end not in passing]
    unchecked = reached(entries - passing, steps_along(free))
    return [
        (place, flow)
        for place, flow in calls
        if flow.end in behind - checks and flow.start in unchecked - passing
    ]


@rule(
    "DATA036",
    "warning",
    title="Failure mode that its flows contradict",
    prevents="a product that refuses on paper, and lets everything through on the day that it fails",
    wrong_when="Wrong if the failure is one of another component; name it in the failure mode's 'of'.",
    needs=sketched,
)
def flows_contradict_the_mode(design: Design, planes: Planes) -> Iterator[Fault]:
    """Whether a failure lets requests through is decided once, and the flows do as decided."""
    alternatives = {flow.id: flow for flow in planes.flows if flow.id}
    places = {id(flow): place for place, flow in flow_places(planes)}
    modes = design.requirements.failure_modes if design.requirements else ()
    for mode in modes:
        closer = {  # what fails alone is decided in a mode of fewer components
            name for one in modes if len(one.of) < len(mode.of) for name in one.of
        }
        failing = set() if mode.to_region else _failing(mode, planes) - closer
        for flow in planes.flows:
            last = _last_resort(flow, alternatives)
            against = {mode.fails, last.fails} == {"open", "closed"}
            if last is not flow and mode.fails == "open":
                continue  # the alternative answers, and is closed for when it fails itself
            if flow.end in failing and against:
                yield Fault(
                    f"{places[id(last)]}.fails",
                    f"When {flow.end} fails, {mode.id} says that requests "
                    f"{'are refused' if mode.fails == 'closed' else 'pass'}, and {last.start} → {last.end} says "
                    f"'fails: {last.fails}'.",
                    "Decide on one of them, and write it in both places.",
                )
                break


def _failing(mode: FailureMode, planes: Planes) -> set[str]:
    """Return the components that fail in a mode: as it says, or the one that its words name."""
    if mode.of:
        return {*mode.of}
    words = f" {mode.failure} ".casefold().replace("_", " ").replace("-", " ")
    named = {one.id for one in planes.components if f" {one.id.casefold().replace('_', ' ')} " in words}
    return named if len(named) == 1 else set()


def _last_resort(flow: Flow, alternatives: dict[str, Flow]) -> Flow:
    """Return what is tried last when a flow gives no answer."""
    for _ in alternatives:
        if flow.otherwise not in alternatives:
            break
        flow = alternatives[flow.otherwise]
    return flow


@rule(
    "DATA039",
    "warning",
    title="Duty to keep against duty to erase",
    prevents="a record that is erased on request and asked for by the supervisor a year later",
    wrong_when="Wrong if they are about different data; name them in each one's 'of'.",
)
def keep_against_erase(design: Design) -> Iterator[Fault]:
    """Where one law demands that data are kept and another that they are erased, somebody decides which goes first."""
    demands = constraints_of(design)
    for keep in (one for one in demands if one.kept_at_least is not None):
        for erase in demands:
            asks = "erasure" in erase.demands or (not erase.demands and mentions(_ERASED, erase.text))
            same = not keep.of or not erase.of or {*keep.of} & {*erase.of}
            decided = erase.id in keep.goes_before or keep.id in erase.goes_before
            if erase is keep or not asks or not same or decided or erase.kept_at_most is not None:
                continue
            if mentions(_GIVES_WAY, keep.text, keep.how, erase.text, erase.how):
                continue
            yield Fault(
                f"requirements.constraints.{keep.id}.goes_before",
                f"{keep.id} keeps data for {show_seconds(keep.kept_at_least or 0)} at least, and {erase.id} erases "
                "them sooner: it is not said which of the two gives way.",
                "Let legal decide, and name the one that gives way in 'goes_before' of the other; or name in 'of' the "
                "data that each is about.",
            )


_ERASED = (
    r"\beras|right to be forgotten|\bdelet\w* (\w+ ){0,4}(on request|when|if|whenever)"
    r"|(on|at) request\b.{0,20}\bdelet"
)
_GIVES_WAY = (
    r"\b(first|unless|except|prevail|overrid|gives? way|legal hold|lock(ed|s)?\b|not before|duty to keep|until then"
    r"|as long as the law|where no law)"
)


# ---- decisions about people


@rule(
    "DATA037",
    "warning",
    title="About persons, and said not to be about people",
    prevents="a score of persons to which none of the duties for decisions about people were applied",
    incident=GDPR.format("Articles 4(4) and 22, on profiling"),
    wrong_when="Wrong if what is decided touches nobody's money, work, health or rights; write what it is about as "
    "'subject'.",
)
def not_about_people(design: Design) -> Iterator[Fault]:
    """A score that is made from data about a person decides about that person, whatever it is used for."""
    wanted = design.requirements.prediction if design.requirements else None
    if wanted is None or wanted.about_people or wanted.type in {"ranking", "generation"}:
        return
    features = design.dataflow.features if design.dataflow else ()
    read = [one.id for one in features if one.protected or one.personal]
    of_persons = wanted.subject in {"person", "household"}
    denied = wanted.about_people is False
    acts = wanted.used_as is not None or wanted.acted_on is not None
    if acts and not denied:
        read += [one.id for one in (design.data.datasets if design.data else ()) if one.personal]
    if of_persons or ((denied or acts) and read and wanted.subject is None):
        said = f"is about one {wanted.subject}" if of_persons else f"is made from {listed(read)}, of persons"
        yield Fault(
            "requirements.prediction.about_people",
            f"The prediction {said}, and {'says' if denied else 'does not say'} "
            f"{repr('about_people: false') if denied else 'whether it decides about people'}.",
            "Write 'about_people: true', with what follows from it: an explanation, people who review, groups in the "
            "gate. Or state the 'subject', such as thing or place, if no person is decided about.",
        )


@rule(
    "DATA038",
    "warning",
    title="Reasons of decisions kept nowhere",
    prevents="an appeal a year later, and nobody who can say why the model of that day refused",
    incident=GDPR.format("Articles 5(2) and 15(1)(h), on accountability and access"),
    wrong_when="Acceptable if model, version and inputs are kept, and the same reasons are computed from them; name "
    "where those are kept.",
    needs=worked_out,
)
def reasons_not_kept(design: Design, planes: Planes) -> Iterator[Fault]:
    """The reason of a decision is that of the model and the features of its moment, so it is kept with them."""
    wanted = design.requirements.prediction if design.requirements else None
    asked = [
        one.id
        for one in constraints_of(design)
        if "reasons" in one.demands and is_about_answers(design, planes, one)
    ]
    if wanted is None or not (asked or (is_about_people(design) and says_something(wanted.explained))):
        return
    into = {flow.end for flow in planes.flows if flow.carries in {*DATA, "alert"}}
    empty = [name for name in wanted.reasons_kept_in if name not in into]
    datasets = design.data.datasets if design.data else ()
    told = any(mentions(r"\breasons?\b|explanation|\bshap\b", one.what) for one in datasets)
    logs = {one.id for one in planes.components if one.kind == "prediction log"}
    told = (
        told or wanted.type == "ranking" or bool(logs & into)
    )  # from inputs and version, they can be made again
    if wanted.reasons_kept_in and not empty:
        return
    if empty:
        said = f"Reasons are to be kept in {listed(empty)}, and no flow brings anything there"
    elif told and not asked:
        return
    else:
        said = "Decisions are explained, and it is not said where their reasons are kept, with the version of the model"
    yield Fault(
        "requirements.prediction.reasons_kept_in",
        f"{said}{f', which {listed(asked)} demands' if asked else ''}.",
        "Name in 'reasons_kept_in' the log or the store that keeps each decision's reasons with the versions of model "
        "and features, and draw the flow to it.",
    )


_INDEPENDENT = (
    r"independent\w*\b.{0,40}\b(valid|review|test|check|audit|approv)|\b(valid|review|test|audit|approv)\w*\b.{0,40}"
    r"\bindependent|second line|\bSR ?11-?7\b|\bSS ?1/23\b"
)


@rule(
    "DATA040",
    "warning",
    title="Validated by those who train",
    prevents="a model that its makers have passed, and that the supervisor passes back",
    incident="Board of Governors of the Federal Reserve System, SR 11-7 (2011): validation is independent of a model's "
    "development and use.",
    wrong_when="Acceptable if others decide on the release; name them in 'release.approved_by'.",
    needs=worked_out,
)
def validated_by_its_makers(design: Design, planes: Planes) -> Iterator[Fault]:
    """The makers of a model are the last to see its mistakes, so that somebody else validates it."""
    demanded = [
        one.id
        for one in constraints_of(design)
        if is_about_answers(design, planes, one)
        and (
            "independent validation" in one.demands
            or (not one.demands and mentions(_INDEPENDENT, one.text, one.reference))
        )
    ]
    wanted = design.requirements.prediction if design.requirements else None
    ranks = wanted is not None and wanted.type in {"ranking", "generation"}
    if not demanded and (ranks or not is_about_people(design)):
        return
    makers = _owners(planes, "training pipeline", "training compute")
    release = planes.release
    judging = _owners(planes, "validation gate", "evaluation") or {
        gate.owner.casefold(): gate.owner for gate in (release.gates if release else ()) if gate.owner
    }
    if release and release.approved_by:
        judging[release.approved_by.casefold()] = release.approved_by
    others = judging.keys() - makers.keys()
    if not makers or others or not (judging or demanded):
        return
    why = (
        f"{listed(demanded)} demands an independent validation"
        if demanded
        else "The model decides about people"
    )
    who = (
        f"{listed(list(judging.values()))} trains and validates it"
        if judging
        else "nobody is named who does that"
    )
    yield Fault(
        "planes.release.approved_by" if release else "planes.release",
        f"{why}, and {who}.",
        "Give the gate or the evaluation another owner than the training, or name who decides in "
        "'release.approved_by'.",
    )


def _owners(planes: Planes, *kinds: str) -> dict[str, str]:
    """Return the owners of some kinds of component, by their names in small letters."""
    return {one.owner.casefold(): one.owner for one in planes.components if one.owner and one.kind in kinds}
