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
    title="Requirement not stated",
    prevents="a limit that users are the first to find",
    wrong_when="Wrong if an axis does not apply: a batch job has no request rate, and a model without "
    "stored features has no feature age.",
    needs=_stated,
)
def axis_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A requirement that is not written down is not tested, and seldom met."""
    if missing := [axis for axis in AXES if getattr(stated, axis) is None]:
        yield Fault(
            f"requirements.{missing[0]}",
            f"The requirements do not state {', '.join(missing)}.",
            "State a number with its unit, or an assumption with an owner who will find it out.",
        )


@rule(
    "REQ003",
    "warning",
    title="Goal or baseline missing",
    prevents="a model that is worse than the rules that it replaces",
    wrong_when="Acceptable for a first system of its kind; its baseline is to do nothing.",
    needs=_stated,
)
def goal_or_baseline_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Without a baseline it cannot be said whether the model is worth its cost."""
    if missing := [name for name in ("goal", "baseline") if getattr(stated, name) is None]:
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
    if stated.latency and stated.latency.percentile in {"mean", "p50"}:
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
    wrong_when="Wrong if parts run at the same time, or if they are percentiles, which do not add up to "
    "the percentile of the whole.",
    needs=_stated,
)
def split_exceeds_budget(_: Design, stated: Requirements) -> Iterator[Fault]:
    """The parts of a request that run one after another share one latency budget."""
    if not stated.latency:
        return
    spent_s = sum(part.time for part in stated.latency.split)
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
    wrong_when="Wrong if the rate is fixed, such as a camera's frame rate: its peak is its mean.",
    needs=_stated,
)
def mean_as_peak(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A fleet is sized for its busiest period, and the mean load is lower."""
    load = stated.throughput
    if load and (load.derivation == "mean" or (load.mean is not None and load.peak <= load.mean)):
        yield Fault(
            "requirements.throughput.peak",
            f"The peak of {load.peak:,.4g} requests a second is the mean load, which busy hours exceed.",
            "State the rate of the busiest five minutes of a year, or the mean times the factor of the busiest hour.",
        )


@rule(
    "REQ007",
    "warning",
    title="Peak load without a derivation",
    prevents="a fleet sized for a figure that nobody can trace",
    wrong_when="Acceptable if the peak is an enforced limit, such as a quota; name the limit under 'how'.",
    needs=_stated,
)
def peak_without_derivation(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A peak load can be checked only if it is known where it comes from."""
    load = stated.throughput
    if load and (load.derivation is None or load.how is None):
        yield Fault(
            "requirements.throughput.how" if load.derivation else "requirements.throughput.derivation",
            f"The design does not state how the peak of {load.peak:,.4g} requests a second was found.",
            "State in 'derivation' and 'how' from which period or factor it comes.",
        )


@rule(
    "REQ008",
    title="Ranking with one scoring per request",
    prevents="a fleet sized for requests that each hold a hundred scorings",
    wrong_when="Wrong if the model scores the whole list in one call, as listwise rankers do.",
    needs=_stated,
)
def ranking_with_one_scoring(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A ranking scores every candidate of a request."""
    load = stated.throughput
    if load and stated.prediction and stated.prediction.type == "ranking" and load.scorings_per_request == 1:
        yield Fault(
            "requirements.throughput.scorings_per_request",
            "The prediction is a ranking, which scores many items a request, and scorings_per_request is 1.",
            "State how many candidates a request has.",
        )


@rule(
    "REQ009",
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
    title="No failure modes",
    prevents="an outage in which this decision is made for the first time",
    incident="Most outages of a large pipeline were not specific to machine learning (Papasian & Underwood, "
    "OpML 2020).",
    needs=_stated,
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
    title="Failure mode without a decided behaviour",
    prevents="a fallback that lets fraud through, or refuses every customer, by accident",
    wrong_when="Acceptable for a failure that only delays work: no request is passed or refused meanwhile.",
    needs=_stated,
)
def failure_mode_undecided(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Each use decides for itself whether a failure lets requests through or refuses them."""
    for mode in stated.failure_modes:
        if missing := [name for name in ("meanwhile", "fails") if getattr(mode, name) is None]:
            yield Fault(
                f"requirements.failure_modes.{mode.id}.{missing[0]}",
                f"The failure mode {mode.id} does not state {_UNSAID[missing[0]]}.",
                "State what the user gets meanwhile, and whether it fails open or closed.",
            )


_UNSAID = {
    "meanwhile": "what the user gets meanwhile",
    "fails": "whether requests pass without a prediction or are refused",
}


@rule(
    "REQ013",
    "warning",
    title="No assumptions",
    prevents="a wrong assumption that is found in production",
    incident="Zillow Offers: a forecast error beyond the business margin, and a write-down of $304 million "
    "(third quarter of 2021).",
    wrong_when="Acceptable if every figure was measured and names its source.",
    needs=_stated,
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
    "warning",
    title="Assumption without an owner or a check",
    prevents="an assumption that everybody believes somebody else has checked",
    wrong_when="Acceptable if a contract or a standard fixes the value; cite it as a source, not as an "
    "assumption.",
    needs=_stated,
)
def assumption_without_owner_or_check(_: Design, stated: Requirements) -> Iterator[Fault]:
    """An assumption without an owner and a check is never checked."""
    for belief in stated.assumptions:
        if missing := [name for name in ("owner", "check") if getattr(belief, name) is None]:
            yield Fault(
                f"requirements.assumptions.{belief.id}.{missing[0]}",
                f"The assumption {belief.id} has no {' and no '.join(missing)}.",
                "State who checks it, how, and by when.",
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
def label_facts_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """Labels come late, for a share of the predictions, and at a cost."""
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
            f"The labels do not state {', '.join(missing)}.",
            "State when they arrive, for which share, at what price, and how they are checked; $0 is a price.",
        )


@rule(
    "REQ016",
    title="Token latency limits missing",
    prevents="an assistant that is fast on average and feels slow to its readers",
    wrong_when="Wrong if nobody reads the answer while it is generated, as in a nightly job.",
    needs=_stated,
)
def token_limits_missing(_: Design, stated: Requirements) -> Iterator[Fault]:
    """A reader of a generated answer waits for its first token, and then for each further one."""
    if not (stated.latency and stated.prediction and stated.prediction.type == "generation"):
        return
    times = ("first_token", "per_token")
    if missing := [name for name in times if getattr(stated.latency, name) is None]:
        yield Fault(
            f"requirements.latency.{missing[0]}",
            f"Answers are generated token by token, and {' and '.join(missing)} are not limited.",
            "State the longest time to the first token, and for each further token.",
        )
