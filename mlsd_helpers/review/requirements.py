"""Rules on the requirements of a design: what a reader asks before they look at a single box."""

from collections.abc import Iterator

from mlsd_helpers.design import Design, Requirements
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.units import ms, show_seconds

AXES = ("prediction", "latency", "throughput", "freshness", "availability")
_ROUNDING_S = 1e-6 * ms  # sums of decimal times miss by less than this


@rule(
    "REQ001",
    "info",
    title="Requirements missing",
    prevents="a system that is built, and then asked what it is for",
)
def no_requirements(design: Design) -> Iterator[Fault]:
    """Every later number is judged against a requirement."""
    if design.requirements is None:
        yield Fault(
            "requirements",
            "The design has no requirements yet.",
            "Write prediction, latency, throughput, freshness and availability, each as an inequality.",
        )


def _stated(design: Design) -> Requirements | None:
    return design.requirements


@rule(
    "REQ002",
    title="Requirement not stated",
    prevents="a design whose limits are found by its users",
    wrong_when="Wrong if an axis does not apply: a batch job has no request rate, and a model without "
    "stored features has no feature age.",
    needs=_stated,
)
def axis_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A requirement that nobody wrote is one that nobody meets."""
    if missing := [axis for axis in AXES if getattr(stated, axis) is None]:
        yield Fault(
            f"requirements.{missing[0]}",
            f"Nothing is said about {', '.join(missing)}.",
            "Write a number with its unit, or an assumption with an owner who will find it out.",
        )


@rule(
    "REQ003",
    "warning",
    title="Goal or baseline missing",
    prevents="a model that is worse than the rules that it replaces",
    wrong_when="Acceptable for a first system of its kind; its baseline is to do nothing.",
    needs=_stated,
)
def baseline_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Without a baseline nobody can say whether the model is worth its cost."""
    if missing := [name for name in ("goal", "baseline") if getattr(stated, name) is None]:
        yield Fault(
            f"requirements.{missing[0]}",
            f"The requirements have no {' and no '.join(missing)}.",
            "Write what is to get better, and what is done today without a model.",
        )


@rule(
    "REQ004",
    title="Latency budget at the mean or median",
    prevents="complaints from the slowest hundredth while the mean looks well",
    wrong_when="Acceptable if nobody waits for a single answer, as in a batch job.",
    needs=_stated,
)
def latency_at_the_mean(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A mean or a median hides the requests that users complain about."""
    if stated.latency and stated.latency.percentile in {"mean", "p50"}:
        yield Fault(
            "requirements.latency.percentile",
            f"The budget of {show_seconds(stated.latency.budget)} holds at the {stated.latency.percentile}: "
            "it says nothing about slow requests.",
            "State the budget at p95, p99 or p99.9.",
        )


@rule(
    "REQ005",
    title="Latency split exceeds the budget",
    prevents="hops that each keep their promise while the whole breaks its own",
    wrong_when="Wrong if parts run at the same time, or if they are percentiles, which do not add up to "
    "the percentile of the whole.",
    needs=_stated,
)
def budget_overspent(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Latency budgets add: what the hops may take together has to fit."""
    if not stated.latency:
        return
    spent_s = sum(part.time for part in stated.latency.split)
    if spent_s > stated.latency.budget + _ROUNDING_S:
        yield Fault(
            "requirements.latency.split",
            f"The parts add up to {show_seconds(spent_s)}, the budget is "
            f"{show_seconds(stated.latency.budget)}.",
            "Take time from a part, or drop a hop; a larger budget is the product's to give.",
        )


@rule(
    "REQ006",
    title="Mean load stated as the peak",
    prevents="an outage in the busiest hour of the day",
    wrong_when="Wrong if the rate is fixed, such as a camera's frame rate: its peak is its mean.",
    needs=_stated,
)
def mean_as_peak(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A fleet is sized for the busiest period, and the mean is not it."""
    load = stated.throughput
    if load and (load.derivation == "mean" or (load.mean is not None and load.peak <= load.mean)):
        yield Fault(
            "requirements.throughput.peak",
            f"The peak of {load.peak:,.4g} requests a second is the mean.",
            "Take the busiest five minutes of a year, or the mean times the factor of the busiest hour.",
        )


@rule(
    "REQ007",
    "warning",
    title="Peak load without a derivation",
    prevents="a fleet sized for a number that nobody can trace",
    wrong_when="Acceptable if the peak is an enforced limit, such as a quota; name the limit under 'how'.",
    needs=_stated,
)
def peak_without_derivation(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A peak is believed only with the way in which it was found."""
    load = stated.throughput
    if load and (load.derivation is None or load.how is None):
        yield Fault(
            "requirements.throughput.how" if load.derivation else "requirements.throughput.derivation",
            f"It is not said how the peak of {load.peak:,.4g} requests a second was found.",
            "Write in 'derivation' and 'how' which period or factor it comes from.",
        )


@rule(
    "REQ008",
    title="Ranking with one scoring per request",
    prevents="a ranking sized for its requests, a hundred times too small",
    wrong_when="Wrong if the model scores the whole list in one call, as listwise rankers do.",
    needs=_stated,
)
def requests_for_scorings(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A ranking does the work of one scoring for each candidate."""
    load = stated.throughput
    if load and stated.prediction and stated.prediction.type == "ranking" and load.scorings_per_request == 1:
        yield Fault(
            "requirements.throughput.scorings_per_request",
            "A ranking scores many items in one request, and here it scores one.",
            "Write how many candidates a request has.",
        )


@rule(
    "REQ009",
    title="Base rate missing",
    prevents="99.9% accuracy by a model that never says yes",
    incident="Stripe Radar: about one payment in a thousand is fraud (Stripe engineering blog, 2023).",
    wrong_when="Acceptable before any label exists; write it as an assumption with an owner.",
    needs=_stated,
)
def base_rate_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Precision depends on the base rate more than on the model."""
    asked = stated.prediction
    if asked and asked.type == "binary classification" and asked.base_rate is None:
        yield Fault(
            "requirements.prediction.base_rate",
            "The share of positives is not stated, so no precision follows from recall and false positives.",
            "Count the positives of the last months.",
        )


@rule(
    "REQ010",
    title="Availability target of 100%",
    prevents="a target that forbids every release and every repair",
    needs=_stated,
)
def always_available(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A target of 100% leaves no error budget, and nothing that runs meets it."""
    if stated.availability and stated.availability.target >= 1:
        yield Fault(
            "requirements.availability.target",
            "A target of 100% leaves no second in which anything may fail or change.",
            "Agree the share that may fail, such as 0.1% in 30 days, which is 43 minutes.",
        )


@rule(
    "REQ011",
    title="No failure modes",
    prevents="an outage in which the product decides what to do for the first time",
    incident="Most outages of a large pipeline were not specific to machine learning (Papasian & Underwood, "
    "OpML 2020).",
    needs=_stated,
)
def nothing_fails(_: Design, stated: Requirements) -> Iterator[Fault]:
    """What the user gets while something fails is a product decision, made ahead."""
    if not stated.failure_modes:
        yield Fault(
            "requirements.failure_modes",
            "No failure is foreseen.",
            "Begin with three: no answer in time, stale features, bad generated data.",
        )


@rule(
    "REQ012",
    title="Failure mode without a decided behaviour",
    prevents="a fallback that lets fraud through, or stops every customer, by accident",
    wrong_when="Acceptable for a failure that only delays work: no request is passed or refused meanwhile.",
    needs=_stated,
)
def open_or_closed(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Whether a failure lets requests through or refuses them has to be chosen for each use."""
    for mode in stated.failure_modes:
        if missing := [name for name in ("meanwhile", "fails") if getattr(mode, name) is None]:
            yield Fault(
                f"requirements.failure_modes.{mode.id}.{missing[0]}",
                f"For {mode.id} it is not said {_UNSAID[missing[0]]}.",
                "Write what the user gets meanwhile, and whether it fails open or closed.",
            )


_UNSAID = {
    "meanwhile": "what the user gets meanwhile",
    "fails": "whether requests pass unjudged or are refused",
}


@rule(
    "REQ013",
    "warning",
    title="No assumptions",
    prevents="a wrong belief that is found out in production",
    incident="Zillow Offers: a forecast error beyond the business margin, and a write-down of $304 million "
    "(third quarter of 2021).",
    wrong_when="Acceptable if every figure was measured and names its source.",
    needs=_stated,
)
def nothing_assumed(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Every design rests on beliefs; those that are written down can be checked."""
    if not stated.assumptions:
        yield Fault(
            "requirements.assumptions",
            "The design says of nothing that it is assumed.",
            "Write down what you believe of load, labels, failures and service times.",
        )


@rule(
    "REQ014",
    "warning",
    title="Assumption without an owner or a check",
    prevents="an assumption that everybody thinks somebody else has checked",
    wrong_when="Acceptable if a contract or a standard fixes the value; cite it as a source, not as an "
    "assumption.",
    needs=_stated,
)
def assumed_by_nobody(_: Design, stated: Requirements) -> Iterator[Fault]:
    """An assumption that nobody checks becomes a fact by being repeated."""
    for belief in stated.assumptions:
        if missing := [name for name in ("owner", "check") if getattr(belief, name) is None]:
            yield Fault(
                f"requirements.assumptions.{belief.id}.{missing[0]}",
                f"The assumption {belief.id} has no {' and no '.join(missing)}.",
                "Name who checks it, how, and by when.",
            )


@rule(
    "REQ015",
    "warning",
    title="Label facts missing",
    prevents="a project that runs out of labels, or of money for them",
    wrong_when="Acceptable if outcomes give the labels without anybody's work; then the price is $0 and "
    "the yield can be measured later.",
    needs=_stated,
)
def labels_for_nothing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Labels come late, for a share of the predictions, at a cost: items times labels each times price."""
    if stated.labels is None:
        return
    asked = {
        "delay": "delay",
        "label_yield": "yield",
        "cost_per_label": "cost_per_label",
        "quality": "quality",
    }
    if missing := [key for name, key in asked.items() if getattr(stated.labels, name) is None]:
        yield Fault(
            f"requirements.labels.{missing[0]}",
            f"Of the labels it is not said: {', '.join(missing)}.",
            "Write when they arrive, for which share, at what price, and how they are checked; $0 is a price.",
        )


@rule(
    "REQ016",
    title="Token latency limits missing",
    prevents="an assistant that is fast on average and feels slow at every word",
    wrong_when="Wrong if nobody reads the answer while it is generated, as in a nightly job.",
    needs=_stated,
)
def token_times_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Whoever reads along waits for the first token, and then for each one."""
    if not (stated.latency and stated.prediction and stated.prediction.type == "generation"):
        return
    times = ("first_token", "per_token")
    if missing := [name for name in times if getattr(stated.latency, name) is None]:
        yield Fault(
            f"requirements.latency.{missing[0]}",
            f"An answer is generated token by token, and nothing limits {' and '.join(missing)}.",
            "Limit the time to the first token, and the time for each that follows.",
        )
