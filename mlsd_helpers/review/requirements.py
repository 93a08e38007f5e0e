"""Rules on the requirements of a design: what a reader asks before they look at a single box."""

from collections.abc import Iterator
from math import inf

from mlsd_helpers.analysis.ages import labelled_data_age, writers_into
from mlsd_helpers.analysis.graph import reached, steps_along, waiting_flows
from mlsd_helpers.analysis.jobs import run_of
from mlsd_helpers.analysis.paths import MODELS, answers_requests
from mlsd_helpers.analysis.whole import split_s
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Design, FailureMode, Flow, Labels, Planes, Requirements, Schedule, Throughput
from mlsd_helpers.design.dataflow import REQUEST
from mlsd_helpers.design.workloads import begins_at
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import is_of_another, predicts
from mlsd_helpers.review.words import mentions
from mlsd_helpers.units import hour, minute, ms, show_seconds

OF_REQUESTS = ("prediction", "latency", "throughput", "freshness", "availability")
OF_A_SCHEDULE = ("prediction", "schedule", "freshness")
STORES = ("feature store", "prediction store", "vector index", "cache")
_SKETCH = 3  # axes that are missing in a first sketch
_AT_ONCE_S = 1.0
"""An answer that is whole by then keeps its reader's thought: Nielsen, Usability Engineering (1993), chapter 5."""
COARSE_S = 10 * minute
"""A peak that was counted over a longer time than this says nothing of the minutes in it."""
_ROUNDING_S = 1e-6 * ms  # sums of decimal times miss by less than this


@rule(
    "REQ001",
    "info",
    title="Requirements missing",
    prevents="a system that meets its figures and not its users' needs",
)
def requirements_missing(design: Design) -> Iterator[Fault]:
    """Every later figure of a design is judged against a requirement."""
    if design.requirements is None:
        yield Fault(
            "requirements",
            "The design has no requirements yet.",
            "State prediction, latency, throughput, freshness and availability, each with a number and a unit.",
        )


def _stated(design: Design) -> Requirements | None:
    return design.requirements


@rule(
    "REQ002",
    "warning",
    title="Requirement not stated",
    prevents="a limit that users are the first to find",
    wrong_when="Wrong if one of them does not apply; say so and why under does_not_apply.",
    needs=_stated,
)
def axis_missing(design: Design, stated: Requirements) -> Iterator[Fault]:
    """A requirement that is not written down is not tested, and seldom met."""
    axes = OF_REQUESTS if answers_requests(design) else OF_A_SCHEDULE
    missing = [axis for axis in axes if getattr(stated, axis) is None]
    if "prediction" in missing and not predicts(design):
        missing.remove("prediction")
    if "freshness" not in missing:
        missing += _ages_missing(design, stated)
    elif not _keeps_data(design):
        missing.remove("freshness")
    if len(missing) >= _SKETCH:
        missing += [
            name for name in ("goal", "baseline", "failure_modes", "assumptions") if not getattr(stated, name)
        ]
    places = [f"requirements.{axis}" for axis in missing]
    if applying := [place for place in places if not says_something(design.why_not(place))]:
        names = ", ".join(place.removeprefix("requirements.") for place in applying)
        yield Fault(
            applying[0],
            f"The requirements do not state {names}.",
            "State a number with its unit, or an assumption with an owner who will find it out.",
        )


def _beyond_a_sketch(design: Design) -> Requirements | None:
    """Return requirements that state most axes; of a sketch, one finding says what is still to come."""
    stated = design.requirements
    axes = OF_REQUESTS if answers_requests(design) else OF_A_SCHEDULE
    missing = sum(getattr(stated, axis, None) is None for axis in axes)
    return stated if missing < _SKETCH else None


def _keeps_data(design: Design) -> bool:
    """Tell whether answers rest on stored data without limits of their own; a design without data may have some."""
    if design.dataflow is None and design.planes is None:
        return True
    read = [feature for feature in design.dataflow.features if feature.path] if design.dataflow else []
    if read:
        return any(feature.sla is None for feature in read)
    if design.planes is None:
        return False
    entry = begins_at(design.planes, design.workload) if design.workload else ()
    near = reached(entry, steps_along(flow for _, flow in waiting_flows(design.planes)))
    return any(one.kind in STORES and (not entry or one.id in near) for one in design.planes.components)


def _ages_missing(design: Design, stated: Requirements) -> Iterator[str]:
    """Yield the ages that matter to what is stored: features without an SLA of their own, and answers."""
    ages, features = stated.freshness, design.dataflow.features if design.dataflow else ()
    if ages is None:
        return
    stages = {stage.id: stage for stage in (design.dataflow.stages if design.dataflow else ())}
    indexed = writers_into(design, {"vector index"})
    unlimited = [one for one in features if one.path and one.sla is None]
    if ages.features is None and any(
        stages[one.stage_ids()[-1]].component not in indexed for one in unlimited
    ):
        yield "freshness.features"
    kept = [
        path
        for path in (design.pattern.paths if design.pattern else ())
        if path.precompute or (path.cache and path.cache.ttl is None)  # a time to live is a limit already
    ]
    if ages.predictions is None and kept and answers_requests(design):
        yield "freshness.predictions"


@rule(
    "REQ003",
    "warning",
    title="Goal or baseline missing",
    prevents="a model that is worse than the rules that it replaces",
    wrong_when="Acceptable for a first system of its kind; its baseline is to do nothing.",
    needs=_beyond_a_sketch,
)
def goal_or_baseline_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Without a baseline it cannot be said whether the model is worth its cost."""
    if missing := [name for name in ("goal", "baseline") if not says_something(getattr(stated, name))]:
        yield Fault(
            f"requirements.{missing[0]}",
            f"The requirements have no {' and no '.join(missing)}.",
            "State what should get better, and what is done today without a model.",
        )


@rule(
    "REQ004",
    title="Latency budget at the mean or median",
    prevents="complaints about the slowest requests while the mean looks good",
    wrong_when="Acceptable if nobody waits for a single answer, as in a batch job.",
    needs=_stated,
)
def latency_at_mean_or_median(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A mean or a median says nothing about the slow requests that users complain about."""
    if stated.latency and {one.percentile for one in stated.latency.promises} <= {"mean", "p50"}:
        yield Fault(
            "requirements.latency.percentile",
            f"The latency budget of {show_seconds(stated.latency.budget)} is a {stated.latency.percentile}: "
            "it does not limit slow requests.",
            "State the budget at p95, p99 or p99.9.",
        )


@rule(
    "REQ005",
    title="Latency split exceeds the budget",
    prevents="parts that each keep their share while the whole exceeds its budget",
    wrong_when="Wrong if parts run at the same time: name their components, and let whoever calls them say "
    "'calls: at once', or their paths name each other under parallel_to.",
    needs=_stated,
)
def split_exceeds_budget(design: Design, stated: Requirements) -> Iterator[Fault]:
    """The parts of a request that run one after another share one latency budget."""
    if not stated.latency:
        return
    spent_s = split_s(design)
    if spent_s > stated.latency.budget + _ROUNDING_S:
        yield Fault(
            "requirements.latency.split",
            f"The parts add up to {show_seconds(spent_s)}, and the latency budget is "
            f"{show_seconds(stated.latency.budget)}.",
            "Shorten or remove a part, or agree on a larger budget with the product.",
        )


@rule(
    "REQ006",
    title="Mean load stated as the peak",
    prevents="an outage in the busiest hour of the day",
    wrong_when="Wrong if the rate is fixed, such as a camera's frame rate: write 'burstiness: 0', or "
    "'derivation: contract' for a limit that is enforced.",
    needs=_stated,
)
def mean_as_peak(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A fleet is sized for its busiest period, and the mean load is lower."""
    load = stated.throughput
    if load is None or _is_fixed(load):
        return
    if load.derivation == "mean" or (load.mean is not None and load.peak <= load.mean):
        yield Fault(
            "requirements.throughput.peak",
            f"The peak of {load.peak:,.4g} requests a second is the mean load, which busy hours exceed.",
            "State the rate of the busiest five minutes of a year, or the mean times the factor of the busiest hour.",
        )


def _is_fixed(load: Throughput) -> bool:
    """Tell whether requests come at one rate, by nature or by a limit that is enforced."""
    return load.derivation == "contract" or load.burstiness == 0


@rule(
    "REQ007",
    "info",
    title="Peak load without a derivation",
    prevents="a fleet sized for a figure that nobody can trace",
    wrong_when="Acceptable if the peak is an enforced limit, such as a quota; name the limit under 'how'.",
    needs=_stated,
)
def peak_without_derivation(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A peak load can be checked only if it is known where it comes from."""
    load = stated.throughput
    if (
        load
        and load.derivation != "estimate"
        and load.burstiness != 0
        and (load.derivation is None or not says_something(load.how))
    ):
        yield Fault(
            "requirements.throughput.how" if load.derivation else "requirements.throughput.derivation",
            f"The design does not state how the peak of {load.peak:,.4g} requests a second was found.",
            "State in 'derivation' and 'how' from which period or factor it comes; 'over' says how long the period is.",
        )


@rule(
    "REQ008",
    title="Ranking with one scoring per request",
    prevents="a fleet sized for requests that each hold a hundred scorings",
    wrong_when="Wrong if the model scores the whole list in one call, as listwise rankers do; state the length "
    "of the list under pattern.paths.items.",
    needs=_stated,
)
def ranking_with_one_scoring(design: Design, stated: Requirements) -> Iterator[Fault]:
    """A ranking scores every candidate of a request."""
    load = stated.throughput
    if any(path.items for path in (design.pattern.paths if design.pattern else ())):
        return
    if load and stated.prediction and stated.prediction.type == "ranking" and load.scorings_per_request == 1:
        yield Fault(
            "requirements.throughput.scorings_per_request",
            "The prediction is a ranking, which scores many items a request, and scorings_per_request is 1.",
            "State how many candidates a request has.",
        )


@rule(
    "REQ009",
    "warning",
    title="Base rate missing",
    prevents="a model with 99.9% accuracy that never finds a positive",
    incident="Stripe Radar: about one payment in a thousand is fraud (Stripe engineering blog, 2023).",
    wrong_when="Acceptable before any label exists; write it as an assumption with an owner.",
    needs=_stated,
)
def base_rate_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Precision depends on the base rate as well as on the model."""
    asked = stated.prediction
    if asked and asked.type == "binary classification" and asked.base_rate is None:
        yield Fault(
            "requirements.prediction.base_rate",
            "The base rate is not stated, so precision cannot be computed from recall and the false positive rate.",
            "State the share of positives in the last months.",
        )


@rule(
    "REQ010",
    title="Availability target of 100%",
    prevents="a target that forbids every release and every repair",
    needs=_stated,
)
def availability_target_100_percent(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A target of 100% leaves no error budget, and no system meets it."""
    if stated.availability and stated.availability.target >= 1:
        yield Fault(
            "requirements.availability.target",
            "An availability target of 100% leaves an error budget of 0 s for failures and changes.",
            "Agree on the share that may fail, such as 0.1% in 30 days, which is 43 minutes.",
        )


@rule(
    "REQ011",
    "warning",
    title="No failure modes",
    prevents="an outage in which this decision is made for the first time",
    incident="Most outages of a large pipeline were not specific to machine learning (Papasian & Underwood, "
    "OpML 2020).",
    needs=_beyond_a_sketch,
)
def no_failure_modes(_: Design, stated: Requirements) -> Iterator[Fault]:
    """What users get during a failure is a product decision, to be made before the failure."""
    if not stated.failure_modes:
        yield Fault(
            "requirements.failure_modes",
            "The requirements list no failure mode.",
            "Start with three: no answer in time, stale features, bad generated data.",
        )


@rule(
    "REQ012",
    "warning",
    title="Failure mode without a decided behaviour",
    prevents="a fallback that lets fraud through, or refuses every customer, by accident",
    wrong_when="Wrong for a failure that only delays work, or leaves less to judge by: no request is passed or refused "
    "meanwhile; write 'fails: delayed' or 'fails: degraded'.",
    needs=_stated,
)
def failure_mode_undecided(design: Design, stated: Requirements) -> Iterator[Fault]:
    """Each use decides for itself whether a failure lets requests through or refuses them."""
    decides = bool(stated.prediction and stated.prediction.type == "binary classification")
    asked = ["meanwhile", "fails"] if decides and answers_requests(design) else ["meanwhile"]
    decided = any(mode.fails for mode in stated.failure_modes)
    open_ones = {
        mode.id: missing
        for mode in stated.failure_modes
        if (missing := [name for name in asked if _is_open(mode, name)])
        and (missing[0] != "fails" or _lets_pass_or_not(design, mode, decided=decided))
    }
    for field in asked:
        if modes := [mode for mode, missing in open_ones.items() if missing[0] == field]:
            yield Fault(
                f"requirements.failure_modes.{modes[0]}.{field}",
                f"These failure modes do not state {_UNSAID[field]}: {', '.join(modes)}.",
                "State what the user gets meanwhile, and whether it fails open or closed; 'delayed' where "
                "nothing passes and answers come later, 'degraded' where what is left still judges each.",
            )


def _lets_pass_or_not(design: Design, mode: FailureMode, *, decided: bool) -> bool:
    """Tell whether a failure leaves requests without an answer of which no flow says whether they pass.

    What a mode without `of` is about is not known: it is asked only where nothing at all is `decided`. Where one of
    several sources of features fails, and it is said what is done meanwhile, the model judges by the others.
    """
    planes = design.planes
    calls = [flow for _, flow in waiting_flows(planes)] if planes else []
    if not mode.of:
        return not (decided or any(flow.fails for flow in calls))
    if says_something(mode.meanwhile) and _leaves_other_sources(design, mode):
        return False
    into = [flow for flow in calls if flow.end in mode.of]
    return any(
        flow.fails is None and flow.otherwise is None and not (planes and _still_judged(planes, mode, flow))
        for flow in into
    )


def _still_judged(planes: Planes, mode: FailureMode, failed: Flow) -> bool:
    """Tell whether a caller goes on without data, by a fallback that is stated, and asks a model or rules as before."""
    kinds = {*MODELS, "business rules"} - {"external service"}
    judges = {one.id for one in planes.components if one.kind in kinds}
    if failed.end in judges or not says_something(failed.fallback):
        return False
    left = [flow for _, flow in waiting_flows(planes) if flow.end not in mode.of]
    return bool(judges & reached([failed.start], steps_along(left)))


def _leaves_other_sources(design: Design, mode: FailureMode) -> bool:
    """Tell whether what fails only brings features, and others come from elsewhere."""
    flow = design.dataflow
    if flow is None:
        return False
    done_by = {stage.id: stage.component for stage in flow.stages}
    failing = set(mode.of)
    lost = [
        one for one in flow.features if failing & {one.source, *(done_by[name] for name in one.stage_ids())}
    ]
    sources = {one.source for one in lost} | {done_by[name] for one in lost for name in one.stage_ids()}
    return failing <= sources and any(one not in lost and one.source != REQUEST for one in flow.features)


def _is_open(mode: FailureMode, field: str) -> bool:
    return mode.fails is None if field == "fails" else not says_something(mode.meanwhile)


_UNSAID = {
    "meanwhile": "what the user gets meanwhile",
    "fails": "whether requests pass without a prediction or are refused",
}


@rule(
    "REQ013",
    "info",
    title="No assumptions",
    prevents="a wrong assumption that is found in production",
    incident="Zillow Offers: a forecast error beyond the business margin, and a write-down of $304 million "
    "(third quarter of 2021).",
    wrong_when="Acceptable if every figure was measured and names its source.",
    needs=_beyond_a_sketch,
)
def no_assumptions(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Assumptions that are written down can be checked."""
    if not stated.assumptions:
        yield Fault(
            "requirements.assumptions",
            "The requirements list no assumption.",
            "List what is assumed about load, labels, failures and service times.",
        )


@rule(
    "REQ014",
    "info",
    title="Assumption without an owner or a check",
    prevents="an assumption that everybody believes somebody else has checked",
    wrong_when="Acceptable if a contract or a standard fixes the value; cite it as a source, not as an "
    "assumption.",
    needs=_stated,
)
def assumption_without_owner_or_check(_: Design, stated: Requirements) -> Iterator[Fault]:
    """An assumption without an owner and a check is never checked."""
    lacks = {
        one.id: missing
        for one in stated.assumptions
        if (missing := [name for name in ("owner", "check") if not says_something(getattr(one, name))])
    }
    if lacks:
        first = next(iter(lacks))
        listed = ", ".join(f"{name} (no {' and no '.join(missing)})" for name, missing in lacks.items())
        yield Fault(
            f"requirements.assumptions.{first}.{lacks[first][0]}",
            f"These assumptions will not be checked: {listed}.",
            "State who checks each, how, and by when.",
        )


@rule(
    "REQ015",
    "warning",
    title="Label facts missing",
    prevents="a project that runs out of labels, or of the money for them",
    wrong_when="Acceptable if outcomes give the labels without anybody's work; then the price is $0 and "
    "the yield can be measured later.",
    needs=_stated,
)
def label_facts_missing(design: Design, stated: Requirements) -> Iterator[Fault]:
    """Labels come late, for a share of the predictions, and at a cost."""
    if stated.labels is None:
        generates = stated.prediction is not None and stated.prediction.type == "generation"
        unasked = design.workload and (stated.prediction is None or _labelled_elsewhere(design))
        if _is_trained(design) and not generates and not unasked:
            yield Fault(
                "requirements.labels",
                "A model is trained here, and the requirements do not state where its labels come from, nor when.",
                "State source, definition, delay, yield and cost of the labels.",
            )
        return
    asked = {"delay": "delay"}
    if _by_hand(design, stated.labels):  # what users do gives labels without anybody's work
        asked |= {"cost_per_label": "cost_per_label", "quality": "quality"}
    elif stated.labels.rest_on in {None, "behaviour"} and stated.labels.items is None:
        asked |= {"label_yield": "yield"}
    if missing := [key for name, key in asked.items() if getattr(stated.labels, name) is None]:
        yield Fault(
            f"requirements.labels.{missing[0]}",
            f"The labels do not state {', '.join(missing)}.",
            "State when they arrive, for which share, at what price, and how they are checked; $0 is a price.",
        )


def _is_trained(design: Design) -> bool:
    """Tell whether a model is trained here that requests or runs reach, as far as the sketch shows where models go."""
    planes = design.planes
    trainers = {one.id for one in planes.components if one.kind == "training pipeline"} if planes else set()
    if planes is None or not trainers:
        return False
    given = [flow for flow in planes.flows if flow.carries == "model"]
    plane_of = {one.id: one.plane for one in planes.components}
    used = {name for name in reached(trainers, steps_along(given)) if plane_of[name] == "serving"}
    return not used or any(not is_of_another(design, name) for name in used)


def _labelled_elsewhere(design: Design) -> bool:
    """Tell whether the labels of the model are stated by a workload that asks it for the same type of prediction."""
    wanted = design.requirements.prediction if design.requirements else None
    stated = [one.requirements for one in design.others if one.requirements and _is_trained(one)]
    return any(
        one.labels and one.prediction and wanted and one.prediction.type == wanted.type for one in stated
    )


def _by_hand(design: Design, labels: Labels) -> bool:
    """Tell whether people give the labels, who are paid and make mistakes."""
    if labels.labels_per_item is not None or labels.cost_per_label or labels.negatives == "judged":
        return True
    if labels.negatives is not None:
        return False
    parts = {one.id: one for one in (design.planes.components if design.planes else ())}
    flows = [flow for flow in (design.planes.flows if design.planes else ()) if flow.carries == "labels"]
    if not flows:
        return mentions(_LABELLED, labels.source)
    return any(parts[flow.start].kind in {"people", "external service"} for flow in flows)


_LABELLED = (
    r"annotat|label+ers?\b|expert|review(er|ed)|read(er)?s? by|by hand|manual|agency|crowd|radiolog|doctor|analyst"
    r"|investigat|moderator|raters?\b"
)


@rule(
    "REQ016",
    "warning",
    title="Token latency limits missing",
    prevents="an assistant that is fast on average and feels slow to its readers",
    wrong_when="Wrong if nobody reads the answer while it is generated, as in a nightly job.",
    needs=_stated,
)
def token_limits_missing(design: Design, stated: Requirements) -> Iterator[Fault]:
    """A reader of a generated answer waits for its first token, and then for each further one."""
    if not (stated.latency and stated.prediction and stated.prediction.type == "generation"):
        return
    promised = {one.what for one in stated.latency.promises}
    if stated.latency.budget <= _AT_ONCE_S:
        return
    wanted = {"first_token": "first token", "per_token": "gap between tokens"}
    missing = [
        name
        for name, what in wanted.items()
        if what not in promised and not says_something(design.why_not(f"requirements.latency.{name}"))
    ]
    if "first_token" in missing:
        yield Fault(
            f"requirements.latency.{missing[0]}",
            f"Answers are generated token by token, and these times have no limit: {', '.join(missing)}.",
            "State the longest time to the first token, and for each further token.",
        )


@rule(
    "REQ017",
    "info",
    title="Constraints missing",
    prevents="a law or a contract that is read after the system is built",
    wrong_when="Wrong if neither law nor contract nor policy binds the system; say so under does_not_apply.",
    needs=_stated,
)
def constraints_missing(design: Design, stated: Requirements) -> Iterator[Fault]:
    """What decides about people, or uses what is known about them, is bound by law: where, how long, how explained."""
    about = bool(stated.prediction and stated.prediction.about_people)
    marks = [feature.personal for feature in (design.dataflow.features if design.dataflow else ())]
    marks += [dataset.personal for dataset in (design.data.datasets if design.data else ())]
    marks += [flow.personal for flow in (design.planes.flows if design.planes else ())]
    if (about or True in marks) and not stated.constraints:
        yield Fault(
            "requirements.constraints",
            f"The system {'decides about people' if about else 'uses personal data'}, and no constraint is stated.",
            "State what law, contract and policy demand, such as regions, retention, explanations, and what meets it.",
        )


@rule(
    "REQ018",
    "warning",
    title="Availability without a window",
    prevents="a target that is met over a year and missed for a day",
    wrong_when="Acceptable if a contract that is cited names the window.",
    needs=_stated,
)
def availability_without_window(design: Design, stated: Requirements) -> Iterator[Fault]:
    """A share of the requests is a target only together with the time over which it is counted."""
    kept = stated.availability
    if kept and kept.window is None and kept.target < 1 and answers_requests(design):
        allowed_s = [(1 - kept.target) * days * 24 * hour for days in (30, 365)]
        yield Fault(
            "requirements.availability.window",
            f"An availability of {100 * kept.target:.6g}% allows {show_seconds(allowed_s[0])} without answers if it is "
            f"counted over 30 d, and {show_seconds(allowed_s[1])} at once if over a year; the window is not stated.",
            "State the window, such as 30 d.",
        )


@rule(
    "REQ019",
    "info",
    title="Peak without its bursts",
    prevents="queues that fill within seconds while the mean of the hour looks fine",
    wrong_when="Acceptable if a limiter in front smooths the bursts; state 'derivation: contract'.",
    needs=_stated,
)
def peak_without_bursts(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A peak is a mean too: of the period over which it was counted."""
    load = stated.throughput
    if load is None or load.burstiness is not None or load.derivation in {None, "mean", "contract"}:
        return  # where a peak comes from is asked first, and a mean is none
    if load.over is not None and load.over > COARSE_S:
        what = f"is the mean of {show_seconds(load.over)}: minutes in it are busier"
    elif load.over is None and load.derivation in {"busiest period", "mean times factor"}:
        what = "does not state over which period it was counted, nor how bursty arrivals are"
    else:
        return
    yield Fault(
        "requirements.throughput.over",
        f"The peak of {load.peak:,.4g} requests a second {what}.",
        "State the busiest 5 min or less with 'over: 5 min', how long it lasts (peak_lasts), and the variance over the "
        "mean of the arrivals in each second (burstiness).",
    )


@rule(
    "REQ020",
    "warning",
    title="Labelled data older than allowed",
    prevents="a model that was trained last week on what was labelled last quarter",
    wrong_when="Acceptable if what is predicted changes slowly; state under freshness.labelled_data how old the "
    "newest labels may be.",
    needs=_stated,
)
def labelled_data_too_old(design: Design, stated: Requirements) -> Iterator[Fault]:
    """What a model has learnt is as old as its labels: their delay, the training and the release add up."""
    age, limits = labelled_data_age(design), stated.freshness
    if age is None or limits is None:
        return
    too_old = (
        limits.model is not None and age.training_s + age.release_s > limits.model
    )  # has a rule of its own
    if too_old and age.label_s + (limits.model or 0.0) <= (limits.labelled_data or inf):
        return
    sum_ = (
        f"labels are decided after {show_seconds(age.label_s)}, a training comes every "
        f"{show_seconds(age.training_s)}, a release takes {show_seconds(age.release_s)}"
    )
    worst = f"the newest labelled example in the model in use is up to {show_seconds(age.worst_s)} old"
    if limits.labelled_data is not None and age.worst_s > limits.labelled_data * (1 + 1e-9):
        yield Fault(
            "requirements.freshness.labelled_data",
            f"It may be {show_seconds(limits.labelled_data)}, and {worst}: {sum_}.",
            "Find earlier labels, such as reviews of a sample, train more often, or release faster.",
        )
    elif limits.labelled_data is None and limits.model is not None and age.label_s > limits.model:
        yield Fault(
            "requirements.freshness.labelled_data",
            f"The model may be {show_seconds(limits.model)} old, and {worst}: {sum_}.",
            "State under freshness.labelled_data how old the newest labels may be, or find labels that come earlier.",
        )


@rule(
    "REQ023",
    "warning",
    title="Age of the model that nothing keeps",
    prevents="a model that is trained when somebody thinks of it, and is two years old when they do",
    wrong_when="Acceptable if an alert on the age itself calls the person who trains.",
    needs=_stated,
)
def model_age_unkept(design: Design, stated: Requirements) -> Iterator[Fault]:
    """A limit on the age of a model is kept by what starts a training in time."""
    limit_s = stated.freshness.model if stated.freshness else None
    training = design.planes.retraining if design.planes else None
    if not limit_s or training is None or not training.triggers or training.period:
        return
    watched = any(
        mentions(r"\bage\b|\bold\b|days since", one.metric)
        for one in (design.planes.alerts if design.planes else ())
    )
    if set(training.triggers) <= {"manual", "drift", "quality", "volume"} and not watched:
        how = ", ".join(training.triggers)
        yield Fault(
            "planes.retraining.triggers",
            f"The model may be {show_seconds(limit_s)} old, and trainings are started by {how} alone: nothing starts "
            "one because that time is over.",
            "Add a schedule with its period, or an alert on the model's age with who trains it.",
        )


# ---- what runs by the clock


def _by_the_clock(design: Design) -> Schedule | None:
    return design.requirements.schedule if design.requirements else None


@rule(
    "REQ021",
    "warning",
    title="Schedule without a deadline, a period or a volume",
    prevents="a run that grows with the data until it is late every day",
    wrong_when="Wrong if a run starts on an event and its volume has a limit; write the event as the calendar.",
    needs=_by_the_clock,
)
def schedule_incomplete(_: Design, schedule: Schedule) -> Iterator[Fault]:
    """Whether a run fits is decided by three numbers: how much there is to do, how often, and by when."""
    names = ("deadline", "items") if says_something(schedule.calendar) else ("deadline", "period", "items")
    if missing := [
        name
        for name in names
        if getattr(schedule, name) is None and not (name == "deadline" and schedule.by_the_clock)
    ]:
        yield Fault(
            f"requirements.schedule.{missing[0]}",
            f"The schedule does not state its {', '.join(missing)}.",
            "State how long a run may take (deadline, or starts and due), how often it starts (period or calendar), "
            "and how many items it scores.",
        )


@rule(
    "REQ022",
    "warning",
    title="Late run without a decided behaviour",
    prevents="readers who act on yesterday's list and do not know it",
    wrong_when="Acceptable if nobody reads the result before a fixed later time that a second run still meets.",
    needs=_by_the_clock,
)
def late_run_undecided(_: Design, schedule: Schedule) -> Iterator[Fault]:
    """Sooner or later a run is late, and whoever reads its result gets the old one, a part of it, or nothing."""
    if not says_something(schedule.when_late) and not schedule.cut_off and not schedule.fallback:
        yield Fault(
            "requirements.schedule.when_late",
            "The schedule does not state what the readers of its result get when a run is late.",
            "State it: the last complete result with its date, the part that is done, the rules; and who is told. "
            "'cut_off' says when what is there is handed over, 'fallback' whose last result is used.",
        )


@rule(
    "REQ024",
    title="Cut-off outside of the time that a run has",
    prevents="a cut-off that keeps nothing: the result is late before it comes, or no run is ever complete",
    wrong_when="Acceptable before a run's end if the first part of it is all that readers need.",
    needs=_by_the_clock,
)
def cut_off_outside(design: Design, schedule: Schedule) -> Iterator[Fault]:
    """A cut-off keeps a deadline if it comes after what a run takes and before the result is due."""
    cut_s, allowed_s, run = schedule.until_cut_off, schedule.allowed, run_of(design)
    if cut_s is None or run is None:
        return
    if allowed_s is not None and cut_s > allowed_s + _ROUNDING_S:
        why = f"the result has to be there {show_seconds(allowed_s)} after the start"
    elif run.scoring_known and run.time_s > cut_s * (1 + _ROUNDING_S):
        why = f"a run takes {show_seconds(run.time_s)}, so that each is cut"
    else:
        return
    yield Fault(
        "requirements.schedule.cut_off",
        f"What is there is handed over at {schedule.cut_off}, {show_seconds(cut_s)} after the start; {why}.",
        "Set it between the end of a run and the time at which the result is due, with time left to hand it over.",
    )
