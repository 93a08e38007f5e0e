"""Rules on experiments and offline metrics, on decisions, risks and open questions, and on accepted findings."""

import math
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from statistics import NormalDist

from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Acceptance, Design, Experiment, Gate
from mlsd_helpers.design.decisions import OF_SIMULATION
from mlsd_helpers.design.value import step_to
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas.statistics import ab_sample_size
from mlsd_helpers.review.acceptance import OF_ACCEPTANCES, covers, has_same_figures
from mlsd_helpers.review.rule import Fault, Finding, Rule, rule
from mlsd_helpers.review.words import mentions, points, unsaid
from mlsd_helpers.units import day, show_seconds

ARMITAGE = (
    "Armitage, McPherson & Rowe, Repeated significance tests on accumulating data (Journal of the Royal "
    "Statistical Society A, 1969)."
)
RARE = 0.1  # a class below this share hides behind accuracy; our threshold
_MOST_FALSE_ALARMS = 0.055  # a test at 5% with room for rounding
_MOST_LOOKS = 50  # more give at least as many false alarms, and take longer to compute
_SEQUENTIAL = (
    r"sequential|alpha.spending|spending function|always.valid|o.?brien|pocock|haybittle|msprt|bayes"
)
_UNTIL_IT_WINS = (
    r"\b(stop|end|decid|launch|roll|ship|releas|run)\w*\b.{0,40}\b(as soon as|until|once|when)\b.{0,30}"
    r"\b(significan|wins?\b|better|p ?<)"
    r"|\b(look|read|check|watch|review)\w*\b.{0,20}\b((every|each) (day|morning|hour)|daily)"
)
_CLUSTERS = (
    r"city|cities|region|market|cluster|area|shop|store|hour|day|week|switchback|geo|country|zone|depot|group|team"
    r"|school|clinic|hospital|warehouse|network|communit|pair"
)
_DEALT_WITH = (
    r"report|compared? by|drawn from|adjust|correct|separat|exclud|measured|\b(its|their) own\b|\bsplit|divided"
    r"|isolat|(each|per) arm\b|of (an|the) arm\b|in proportion|switchback"
    r"|different (shop|store|city|region|warehouse)"
)
"""Words that say what is done about units that affect each other."""
_HIDES_RARE = r"\baccuracy\b|\bau-?c\b|\bauroc\b|\broc\b|area under"
_SHOWS_RARE = (
    r"recall|precision|sensitivity|\bpr\b|auprc|f1|f.?score|\blift\b|\bat \d|@|false (positive|alarm|negative)"
    r"|cost|loss|calibrat|balanced|caught|found|missed|matthews|brier"
)


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"


# ---- experiments


@rule(
    "EXP001",
    "warning",
    title="Experiment not decided before it starts",
    prevents="a result that everybody reads as they like",
    wrong_when="Acceptable for an idea that has no date yet; list it under 'questions'.",
)
def experiment_undecided(design: Design) -> Iterator[Fault]:
    """Unit, metric, effect, size, duration and guardrails of an experiment are decided before its result is known."""
    for one in design.experiments:
        missing = [name for name in ("unit", "metric") if not says_something(getattr(one, name))]
        missing += [] if one.units_per_day or one.units else ["units_per_day"]
        missing += [name for name in ("effect", "duration") if not getattr(one, name)]
        missing += [] if one.baseline or one.variation else ["baseline"]
        missing += [] if any(says_something(text) for text in one.guardrails) else ["guardrails"]
        if not missing and not any(
            mentions(_BY_HOW_MUCH, re.sub(r"\bp\d+", "", text)) for text in one.guardrails
        ):
            yield Fault(
                f"experiments.{one.id}.guardrails",
                f"No guardrail of the experiment {one.id} says by how much it may get worse.",
                "Write the limit beside each: latency p99 below 300 ms, complaints at most 2% more.",
            )
        if missing:
            yield Fault(
                f"experiments.{one.id}.{missing[0]}",
                f"The experiment {one.id} does not state {', '.join(missing)}.",
                "State the unit that is put into an arm, the one metric that decides and its value today (the baseline "
                "of a share, the variation of a mean), the smallest effect that matters, how many units come in a day, "
                "how long it runs, and what must not get worse.",
            )


_BY_HOW_MUCH = (
    r"\d|\b(not?|never|zero|nothing|none|above|below|within|less|more|most|least|worse|higher|lower)\b"
    r"|\b(rise|fall)s?\b"
)


@rule(
    "EXP002",
    title="Experiment too small for its effect",
    prevents="a good change that is dropped, because the experiment could not have seen its effect",
    wrong_when="Wrong if a covariate such as last month's value removes a good part of the variance; state the "
    "effect that it lets you see.",
)
def experiment_too_small(design: Design) -> Iterator[Fault]:
    """An experiment has to run until the smallest effect that matters would be seen."""
    for one in design.experiments:
        needed, got = _needed_per_arm(one), _units_per_arm(one)
        if needed is None or got is None or one.duration is None or got >= needed or not _counted_s(one):
            continue  # where no outcome is known in time, EXP010 says so
        counted_s = _counted_s(one)
        if one.units_per_day and got > 0:
            longer = (
                f"Run it for {math.ceil((needed / got * counted_s + one.duration - counted_s) / day):,} d"
            )
        else:
            longer = "Take more units"
        of = (
            _percent(one.baseline)
            if one.baseline is not None
            else f"a mean with a variation of {one.variation:.3g}"
        )
        yield Fault(
            f"experiments.{one.id}.{'duration' if one.units_per_day else 'units'}",
            f"To see a change of {_percent(one.effect or 0)} on {of} at a "
            f"significance of {_percent(one.significance)} with a power of {_percent(one.power)}, each of "
            f"{one.arms} arms needs {needed:,} units{_in_clusters(one)}; in {show_seconds(counted_s)} each gets "
            f"{got:,.0f}{_with_outcome(one)}.",
            f"{longer}, give it a larger share, or decide on a larger effect.",
        )


def _in_clusters(one: Experiment) -> str:
    factor = _design_effect(one)
    return (
        f" ({factor:.3g} times as many as if they were alone, in clusters of {one.cluster_size})"
        if factor > 1
        else ""
    )


def _with_outcome(one: Experiment) -> str:
    return f" whose outcome is known, {show_seconds(one.outcome_after)} later" if one.outcome_after else ""


def _design_effect(one: Experiment) -> float:
    """Return by how much clusters raise the units needed: 1 + (size - 1) x correlation (Kish 1965, Survey Sampling)."""
    return (
        1.0
        if not one.cluster_size or one.correlation is None
        else 1 + (one.cluster_size - 1) * one.correlation
    )


def _needed_per_arm(one: Experiment) -> int | None:
    """Return the units that each arm needs: each changed arm is compared with the unchanged one (Bonferroni)."""
    if one.effect is None or one.arms < 2:
        return None
    significance = one.significance / (one.arms - 1)
    if one.variation is not None:
        alone = _needed_for_a_mean(one.variation, one.effect, significance, one.power)
    else:
        difference = (one.baseline or 0.0) * one.effect
        if one.baseline is None or not difference > 1e-9 or one.baseline + difference > 1:
            return None
        try:
            alone = ab_sample_size(one.baseline, difference, significance, one.power)
        except RangeError:
            return None  # such as a significance of 100%: there is nothing to size
    return None if alone is None else math.ceil(alone * _design_effect(one))


def _needed_for_a_mean(variation: float, effect: float, significance: float, power: float) -> int | None:
    """Return the units in each of two arms that show a relative change of a mean, by the normal approximation.

    2 (z of significance / 2 + z of power)^2 (variation / effect)^2. Source: any text on sample size, such as van Belle
    (2008), Statistical Rules of Thumb, chapter 2.
    """
    if not (0 < significance / 2 < 0.5 and 0 < power < 1):  # half of the smallest float is 0
        return None
    z = NormalDist().inv_cdf(power) - NormalDist().inv_cdf(significance / 2)
    needed = 2 * (z * variation / effect) ** 2
    return math.ceil(needed) if needed < 1e15 else None


def _units_per_arm(one: Experiment) -> float | None:
    """Return how many units of each arm have an outcome when the experiment ends."""
    share = 1.0 if one.share is None else one.share
    if one.units is not None:
        return one.units * share / one.arms
    if one.units_per_day is None or one.duration is None:
        return None
    return one.units_per_day * share / one.arms * _counted_s(one) / day


def _counted_s(one: Experiment) -> float:
    """Return for how long units enter whose outcome is known when the result is read, in seconds."""
    read_s = max(one.read_after or 0.0, one.duration or 0.0)
    return max(min(one.duration or 0.0, read_s - (one.outcome_after or 0.0)), 0.0)


@rule(
    "EXP003",
    "warning",
    title="Repeated looks at a test for one look",
    prevents="a change without effect that is released because one of the looks was lucky",
    incident=ARMITAGE,
    wrong_when="Wrong if the looks only watch guardrails, and the metric is read once at the end; then 'looks' is 1.",
)
def repeated_looks(design: Design) -> Iterator[Fault]:
    """Each look at a running test is another chance to see an effect that is not there."""
    for one in design.experiments:
        words = (one.question, one.metric, one.interference, *one.guardrails)
        if says_something(one.sequential) or mentions(_SEQUENTIAL, *words):
            continue
        if one.looks == 1:
            if mentions(_UNTIL_IT_WINS, one.question, one.metric):
                yield Fault(
                    f"experiments.{one.id}.looks",
                    f"The result of {one.id} is read while it runs ({_sentence(one.question)[:-1]}), and "
                    "'looks' says that it is looked at once.",
                    "State under 'looks' how often its result is read, and name the test in 'sequential'.",
                )
            continue
        alarms = false_alarms(one.significance, min(one.looks, _MOST_LOOKS))
        if alarms > _MOST_FALSE_ALARMS:
            yield Fault(
                f"experiments.{one.id}.looks",
                f"The result is looked at {one.looks:,} times at a significance of {_percent(one.significance)} "
                f"each: without any effect, at least one look shows one in {_percent(alarms)} of "
                f"experiments{' or more' if one.looks > _MOST_LOOKS else ''}.",
                "Look once at the end, name the test in 'sequential', or state a 'significance' for "
                f"each look, such as {_percent(one.significance / one.looks)}.",
            )


@cache
def false_alarms(significance: float, looks: int) -> float:
    """Return the probability that one of some equally spaced two-sided looks is significant without any effect.

    By numerical integration, to about three digits. Source: Armitage, McPherson & Rowe (1969), Repeated significance
    tests on accumulating data, Journal of the Royal Statistical Society A 132.

    >>> [round(false_alarms(0.05, looks), 2) for looks in (1, 2, 5, 10)]
    [0.05, 0.08, 0.14, 0.19]
    """
    limit = _two_sided_limit(significance)
    points = 60
    before: list[tuple[float, float]] = [
        (0.0, 1.0)
    ]  # where the sum of the data so far is, with its probability
    for look in range(1, looks + 1):
        edge = limit * math.sqrt(look)
        width = 2 * edge / points
        middles = [-edge + (place + 0.5) * width for place in range(points)]
        before = [
            (
                at,
                width
                * math.fsum(share * math.exp(-((at - was) ** 2) / 2) for was, share in before)
                / math.sqrt(2 * math.pi),
            )
            for at in middles
        ]
    return min(max(1 - math.fsum(share for _, share in before), 0.0), 1.0)


def _two_sided_limit(significance: float) -> float:
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > significance else (low, middle)
    return low


@rule(
    "EXP004",
    "warning",
    title="Units of an experiment that affect each other",
    prevents="an effect that is measured twice too large, or with the wrong sign",
    wrong_when="Acceptable if the interference is too small to change the decision; say by how much, and cite "
    "it in 'accepted'.",
)
def interfering_units(design: Design) -> Iterator[Fault]:
    """Where one arm takes from the other, single users are the wrong unit."""
    for one in design.experiments:
        said = says_something(one.interference) and not mentions(r"^\W*(no|none|not)\b", one.interference)
        dealt_with = says_something(one.isolated_by) or mentions(_DEALT_WITH, one.interference)
        if said and one.unit and not dealt_with and not mentions(_CLUSTERS, one.unit):
            yield Fault(
                f"experiments.{one.id}.unit",
                f"The unit of {one.id} is {one.unit!r}, and units affect each other: {_sentence(one.interference)}",
                "Put whole groups that do not share anything into an arm, such as cities, or a city by the hour; or "
                "say in 'isolated_by' what keeps the arms apart, such as a budget or a stock for each.",
            )


def _sentence(text: str | None) -> str:
    return f"{(text or '').rstrip(' .')}."


@rule(
    "EXP005",
    "warning",
    title="Experiment shorter than a week",
    prevents="a result that holds on the days of the experiment only",
    wrong_when="Wrong if the days of a week are alike for these units, as for machines.",
)
def shorter_than_a_week(design: Design) -> Iterator[Fault]:
    """People behave otherwise at weekends, and a short experiment sees some days only."""
    for one in design.experiments:
        if one.duration is not None and one.duration < 7 * day:
            yield Fault(
                f"experiments.{one.id}.duration",
                f"The experiment {one.id} runs for {show_seconds(one.duration)}, which leaves out some days of "
                "the week.",
                "Let it run for whole weeks, one at least.",
            )


@rule(
    "EXP006",
    "warning",
    title="Metric that hides a rare class",
    prevents="a model that passes its gate and never finds a positive",
    incident="Saito & Rehmsmeier, The precision-recall plot is more informative than the ROC plot (PLOS ONE, 2015).",
    wrong_when="Acceptable if only the order of the cases counts, and as many are looked at as the people can "
    "take; then say recall among those.",
)
def metric_hides_rare_class(design: Design) -> Iterator[Fault]:
    """At a low base rate, accuracy and the area under the ROC curve are high for models that are of no use."""
    rate = (
        design.requirements.prediction.base_rate
        if design.requirements and design.requirements.prediction
        else None
    )
    release = design.planes.release if design.planes else None
    wanted = design.requirements.prediction if design.requirements else None
    if not rate or release is None or wanted is None or wanted.type == "ranking":
        return
    always = max(rate, 1 - rate)
    for position, gate in enumerate(release.gates):
        if gate.at_least and gate.at_least <= always and mentions(r"\baccuracy\b", gate.metric):
            yield Fault(
                f"planes.release.gates.{step_to(position, gate)}.at_least",
                f"The gate {gate.id} asks for {_percent(gate.at_least)} accuracy, and a model that always says the "
                f"same reaches {_percent(always)}.",
                "Judge by recall and precision at the threshold that is used, or by money.",
            )
            return
    if 1 - always >= RARE:
        return
    gated = [gate for gate in release.gates if not _is_of_something_else(design, gate.of)]
    figures = release.validation and (not gated or re.search(r"\d", release.validation))
    tested = [gate.metric for gate in gated] + (
        [release.validation] if release.validation and figures else []
    )
    if mentions(_HIDES_RARE, *tested) and not mentions(_SHOWS_RARE, *tested):
        yield Fault(
            f"planes.release.{'gates' if gated else 'validation'}",
            f"The base rate is {_percent(rate)}: a model that always says the same is right in "
            f"{_percent(always)} of cases, and the release is judged by accuracy or the area under a curve "
            "alone, which say nothing of how many alarms are false at the threshold that is used.",
            "Judge by recall at the number of alerts that can be handled, or by precision and recall at the threshold, "
            "or by money.",
        )


def _is_of_something_else(design: Design, of: tuple[str, ...]) -> bool:
    """Tell whether a gate is of parts that answer nothing themselves, such as an index."""
    parts = [design.planes.component(name) for name in of] if design.planes else []
    return bool(parts) and all(one is not None and one.kind in {"vector index", "embedder"} for one in parts)


@rule(
    "EXP007",
    "warning",
    title="Offline metric never compared with users",
    prevents="years of gains offline that no user notices",
    wrong_when="Acceptable if experiments are not possible; say why under 'does_not_apply'.",
)
def no_online_experiment(design: Design) -> Iterator[Fault]:
    """A ranking that is better on logged data need not be better for users."""
    wanted = design.requirements.prediction if design.requirements else None
    planes = design.planes
    if design.experiments or planes is None or design.why_not("experiments") is not None:
        return
    platform = next((one.id for one in planes.components if one.kind == "experiment platform"), None)
    gated = wanted and wanted.type == "ranking" and planes.release and planes.release.gates
    if platform or gated:
        said = (
            f"There is an experiment platform, {platform},"
            if platform
            else "The ranking passes offline gates,"
        )
        yield Fault(
            "experiments",
            f"{said} and no experiment is designed that says what users get from it.",
            "State the first experiment: unit, metric, smallest effect, duration and guardrails.",
        )


_VALUE_USED = (
    r"\bbid(s|ding)?\b|auction|\bpric(e|es|ing)\b|premium|expected (value|loss|revenue|cost|profit)|pacing"
    r"|\breserve"
)
_CALIBRATED = (
    r"calibrat|log.?loss|cross.?entropy|brier|reliab|observed (over|against|and|to)|expected (over|against)"
    r" observed"
)


def _value_is_used(design: Design) -> bool:
    """Tell whether the number that the model gives is used itself: as the field says, or by the words of the output."""
    wanted = design.requirements.prediction if design.requirements else None
    if wanted is None or wanted.type in {"regression", "generation"}:
        return False  # what is predicted is no probability
    if wanted.used_as is not None:
        return wanted.used_as == "number"
    texts = [wanted.output, design.summary]
    texts += [
        text for one in (design.planes.components if design.planes else ()) for text in (one.does, one.title)
    ]
    is_share = wanted.type in {"binary classification", "ranking"} and mentions(
        r"probabilit|likelihood|\brate\b", *texts[:2]
    )
    return is_share and mentions(_VALUE_USED, *texts)


@rule(
    "EXP008",
    "warning",
    title="Probability used as a number, and no gate on calibration",
    prevents="bids and prices that are wrong by a factor, from a model that ranks better than the last",
    incident="Guo et al., On Calibration of Modern Neural Networks (ICML 2017): accurate models can be badly "
    "calibrated.",
    wrong_when="Wrong if only the order or a threshold of the answers is used; write 'used_as: order'.",
)
def calibration_untested(design: Design) -> Iterator[Fault]:
    """What is multiplied with money has to be right as a number, and not only in its order."""
    release = design.planes.release if design.planes else None
    if release is None or not _value_is_used(design):
        return
    gates = release.gates
    good = [gate for gate in gates if mentions(_CALIBRATED, gate.metric)]
    if not good and not mentions(_CALIBRATED, release.validation):
        yield Fault(
            f"planes.release.{'gates' if gates else 'validation'}",
            "The model's number itself is used, as in a bid or a price, and no gate tests whether predicted and "
            "observed frequencies agree.",
            "Add a gate on calibration (observed over predicted, log loss) with 'slices', for what answers in its "
            "place too; and an alert on the same ratio.",
        )


_SHARED_BY_ARMS = (
    r"\bauction|campaign|\bpacing\b|marketplace|\bcouriers?\b|\bdrivers?\b|(?<!best )(?<!best-)\bsellers?\b"
    r"|\binventory|\b(in|limited) stock\b|stock level"
)
_ALONE_UNITS = r"\buser|customer|request|session|visitor|query|rider|driver|order|account|impression|search"


@rule(
    "EXP009",
    "warning",
    title="Shared resource between the arms not considered",
    prevents="an arm that looks better because it takes the budget, the stock or the couriers of the other",
    incident="Blake & Coey, Why marketplace experimentation is harder than it seems (EC 2014).",
    wrong_when="Acceptable if arms share nothing that runs out; write 'interference: none, …' with the reason.",
)
def interference_not_considered(design: Design) -> Iterator[Fault]:
    """Where users share what can run out, an arm changes what is left for the other."""
    parts = design.planes.components if design.planes else ()
    names = [text for one in parts for text in (one.id.replace("_", " "), one.title, one.does)]
    needs = design.requirements
    texts = [design.summary, needs.goal if needs else None, *names]
    for one in design.experiments:
        open_ = one.interference is None and not says_something(one.isolated_by)
        if open_ and mentions(_ALONE_UNITS, one.unit) and mentions(_SHARED_BY_ARMS, *texts):
            found = next(
                found[0]
                for text in texts
                if text and (found := re.search(_SHARED_BY_ARMS, text, re.IGNORECASE))
            )
            yield Fault(
                f"experiments.{one.id}.interference",
                f"The unit of {one.id} is {one.unit!r}, units of both arms share what may run out ({found.lower()}), "
                "and nothing is said about it.",
                "Say in 'interference' what the arms share, and in 'isolated_by' what keeps them apart: a budget for "
                "each arm, whole cities, hours in turn.",
            )


@rule(
    "EXP010",
    "warning",
    title="Experiment ends before its outcomes are known",
    prevents="a decision on the few outcomes that came early, which are not like the others",
    wrong_when="Wrong if the metric is something that is known sooner than the label; state 'outcome_after'.",
)
def ends_before_outcomes(design: Design) -> Iterator[Fault]:
    """A unit counts when its outcome is known, and those of the last days come after the end."""
    labels = design.requirements.labels if design.requirements else None
    for one in design.experiments:
        after_s = one.outcome_after
        told = "its outcome is known"
        if (
            after_s is None
            and labels
            and labels.delay
            and _same_thing(one.metric, labels.source, labels.definition)
        ):
            after_s, told = labels.delay, "the labels that its metric counts come"
        read_s = max(one.read_after or 0.0, one.duration or 0.0)
        if after_s and read_s and after_s >= read_s:
            yield Fault(
                f"experiments.{one.id}.{'read_after' if one.read_after else 'duration'}",
                f"The result of {one.id} is read {show_seconds(read_s)} after it starts, and {told} "
                f"{show_seconds(after_s)} after a unit has entered.",
                f"Read it {show_seconds(after_s)} after the last unit has entered ('outcome_after', 'read_after'), or "
                "decide on a metric that is known sooner, and say how it follows the other.",
            )


_COMMON = {
    "share",
    "number",
    "count",
    "requests",
    "users",
    "within",
    "after",
    "their",
    "which",
    "every",
    "those",
    "people",
}


def _same_thing(metric: str | None, *texts: str | None) -> bool:
    """Tell whether a metric and some texts speak of one thing: two words of five letters or more, in any form."""
    stems = [
        {word[:6] for word in re.findall(r"[a-z]{5,}", (text or "").lower()) if word not in _COMMON}
        for text in (metric, " ".join(filter(None, texts)))
    ]
    return len(stems[0] & stems[1]) > 1


_CHEAP_SIGNAL = r"\bclick|\bview|\bopen(s|ed)?\b|dwell|impression|\blikes?\b|thumbs?|watch|scroll|\bvisit"
_REAL_VALUE = (
    r"\border(s|ed)?\b|purchas|revenue|\bsales?\b|\bsold\b|booking|subscri|retention|churn"
    r"|return(s|ing)? (rate|user|visit)|conversion|margin|profit|satisf|solved|resolved|complain|\bcancel"
)


@rule(
    "EXP011",
    "warning",
    title="Label is a substitute for what decides",
    prevents="a model that gets more clicks each month, while orders fall",
    wrong_when="Acceptable if the substitute was compared with the real metric; say so in 'labels.stands_for'.",
)
def label_is_a_substitute(design: Design) -> Iterator[Fault]:
    """What is easy to observe is learnt, and what was meant is measured only in the experiment."""
    needs = design.requirements
    labels = needs.labels if needs else None
    if needs is None or labels is None or says_something(labels.stands_for):
        return
    if labels.rest_on in {"outcome", "judgement"}:
        return
    learnt = (labels.source, labels.definition)
    meant = [one.metric for one in design.experiments] or [needs.goal]
    if mentions(_CHEAP_SIGNAL, *learnt) and not mentions(_REAL_VALUE, *learnt):
        decided = next(
            (text for text in meant if mentions(_REAL_VALUE, text) and not mentions(_CHEAP_SIGNAL, text)),
            None,
        )
        if decided:
            yield Fault(
                "requirements.labels.stands_for",
                f"The model learns from {labels.source.rstrip('.')!r}, and what decides is {decided.rstrip('.')!r}: "
                "one can rise while the other falls.",
                "Say in 'stands_for' what the label stands for and how the two were compared, or learn from the real "
                "outcome too, and watch it as a guardrail.",
            )


@rule(
    "EXP012",
    "warning",
    title="Too few positives for the gate's limit",
    prevents="a release that passed by one case out of twelve",
    wrong_when="Wrong if the set holds more positives than the base rate would give; state 'positives'.",
)
def too_few_positives(design: Design) -> Iterator[Fault]:
    """Recall is a share of the positives alone, and in each slice of those in the slice."""
    wanted = design.requirements.prediction if design.requirements else None
    release = design.planes.release if design.planes else None
    for position, gate in enumerate(release.gates if release else ()):
        limit = gate.at_least if gate.at_least is not None else gate.at_most
        positives = _positives(gate, wanted.base_rate if wanted else None)
        of_positives = gate.share_of == "positives" if gate.share_of else mentions(_OF_POSITIVES, gate.metric)
        if positives is None or not of_positives:
            continue
        said = _too_few_positives(gate, limit, positives)
        if said is None:
            continue
        about = "less than one positive" if positives < 1 else f"about {positives:,.0f} positives"
        field = (
            "smallest_slice" if gate.smallest_slice else "cases" if gate.positives is None else "positives"
        )
        yield Fault(
            f"planes.release.gates.{step_to(position, gate)}.{field}",
            f"The gate {gate.id} judges {gate.metric!r} on {about}"
            f"{' in its smallest slice' if gate.smallest_slice else ''}: {said}.",
            _MORE_POSITIVES,
        )


def _too_few_positives(gate: Gate, limit: float | None, positives: float) -> str | None:
    """Tell why some positives cannot show what a gate asks for, or nothing where they can."""
    if limit and limit < 1 and gate.cases and gate.cases * min(limit, 1 - limit) < _FEWEST_WRONG:
        return None  # too few cases of any kind: PLANE052 says so
    if positives < 1:
        return "whatever the model does, nothing can be read from it"
    if limit is None:
        return _too_few_for_a_difference(gate, positives)
    if not 0 < limit < 1:
        return None
    error, room = _chance(limit, positives), min(_MOST_ROOM, max(_LEAST_ROOM, min(limit, 1 - limit)))
    if error > room or positives * min(limit, 1 - limit) < 1:
        return f"at {_percent(limit)} chance alone moves it by {points(min(error, 1.0))}"
    return None


def _too_few_for_a_difference(gate: Gate, positives: float) -> str | None:
    worse = gate.worse_by_at_most
    error = _chance(_ASSUMED, positives) * math.sqrt(2)  # of the difference of two independent shares
    if not worse:
        few = positives < _FEWEST_POSITIVES and says_something(gate.baseline)
        one = (
            f"one of them is {points(1 / positives)}, and decides whether it is better than {gate.baseline!r}"
        )
        return one if few else None
    if positives * worse < _FEWEST_WRONG:
        return (
            f"to get worse by {_percent(worse)} at most is {positives * worse:.2g} of them, and one more or less is "
            "chance"
        )
    if not gate.paired and error > max(worse, _LEAST_ROOM):
        return (
            f"for two models that each find {_percent(_ASSUMED)}, chance alone moves the difference by "
            f"{points(error)}, and it is to show {points(worse)}"
        )
    return None


def _chance(share: float, cases: float) -> float:
    """Return the half width of the 95% interval of a share of some cases, by the normal approximation."""
    return 1.96 * math.sqrt(share * (1 - share) / cases)


_MORE_POSITIVES = (
    "Add positives, such as all that are known of the last year, and state how many under 'positives'; or set a limit "
    "that so many can show."
)
_OF_POSITIVES = (
    r"recall|sensitivity|\btpr\b|true positive|caught|found|detect(ed|ion) rate|missed|false negative|\bfnr\b"
)
_FEWEST_WRONG = 5  # as in PLANE052
_FEWEST_POSITIVES = 30  # one of them is 3 points; our estimate
_ASSUMED = 0.9  # the recall of a good model, where no limit says it; at lower ones chance is larger
_LEAST_ROOM, _MOST_ROOM = 0.05, 0.1  # a gate that cannot tell 95% from 90%, or 80% from 70%; our estimate


def _positives(gate: Gate, rate: float | None) -> float | None:
    """Return the positives that a gate judges: of its smallest slice where that is stated, at the rate of the whole."""
    positives = (
        float(gate.positives)
        if gate.positives is not None
        else None
        if gate.cases is None or rate is None
        else gate.cases * rate
    )
    if gate.smallest_slice is None:
        return positives
    of_all = positives / gate.cases if positives is not None and gate.cases else rate
    return None if of_all is None else gate.smallest_slice * of_all


_RANDOM_SPLIT = (
    r"random(ly)?\b.{0,25}(\d+ ?%|split|sample(?! of (the |all |last )*(\d+ )?(hours?|days?|weeks?|months?|traffic"
    r"|requests?|items?|posts?|decisions?|answers?|predictions?|payments?|orders?))|hold.?out|held|rows|records|subset|part|fold|tenth|fifth)"
    r"|\d+ ?% (random|at random)|k.?fold|cross.?validation|train_test_split|shuffl"
)
_APART = (
    r"\bby (patient|user|customer|person|site|shop|store|hospital|device|account|group|household|merchant|seller"
    r"|time|date|week|month|day)|newer|later|after|last (day|week|month|quarter|hour)|newest|out.of.time|grouped"
    r"|held.?out (by|sites|shops|stores|hospitals|users|patients)|time.?split|not trained|next (day|week|month)"
    r"|unseen (patient|user|site|shop|customer)"
)


@rule(
    "EXP013",
    "warning",
    title="Evaluation set drawn at random from the training period",
    prevents="a model that knows the patients, shops and days that it is tested on",
    incident="Kapoor & Narayanan, Leakage and the reproducibility crisis in machine-learning-based science "
    "(Patterns, 2023).",
    wrong_when="Acceptable if rows have nothing in common, neither a person nor a day; say so under 'on'.",
)
def split_at_random(design: Design) -> Iterator[Fault]:
    """Rows of one person, device or day resemble each other, so a random row was almost seen in training."""
    release = design.planes.release if design.planes else None
    if release is None or (design.requirements and design.requirements.prediction is None):
        return
    for position, gate in enumerate(release.gates):
        in_words = mentions(_RANDOM_SPLIT, gate.on) and not mentions(_APART, gate.on)
        if gate.drawn == "at random" or (gate.drawn is None and in_words):
            yield _random_split(f"gates.{step_to(position, gate)}.on", gate.on or "")
            return
    if (
        not release.gates
        and mentions(_RANDOM_SPLIT, release.validation)
        and not mentions(_APART, release.validation)
    ):
        yield _random_split("validation", release.validation or "")


def _random_split(place: str, said: str) -> Fault:
    return Fault(
        f"planes.release.{place}",
        f"The evaluation set is drawn at random ({said.rstrip('.')}): rows of one person, place or day may stand in it "
        "and in the training set.",
        "Test on later data than was trained on, and on persons, sites or devices that were held out; write that under "
        "'on', and in 'drawn'.",
    )


# ---- decisions, questions, risks


@rule(
    "DEC001",
    "warning",
    title="Decision without an alternative or a reason",
    prevents="a decision that is taken again each year, because nobody knows what it rested on",
    wrong_when="Acceptable if a policy leaves no choice; cite it under 'because', and what would change the policy.",
)
def decision_unreasoned(design: Design) -> Iterator[Fault]:
    """A decision can be checked later only if it says what was not chosen, why, and what would change it."""
    lacks = dict[str, list[str]]()
    for one in design.decisions:
        missing = [] if any(says_something(text) for text in one.over) else ["over"]
        missing += [name for name in ("because", "flips_when") if not says_something(getattr(one, name))]
        if missing and missing != ["flips_when"]:
            lacks[one.id] = missing
    if lacks:
        first = next(iter(lacks))
        yield Fault(
            f"decisions.{first}.{lacks[first][0]}",
            f"These decisions do not state: {unsaid(lacks)}.",
            "State in 'over' what was not chosen, in 'because' the reason with its figure, and in "
            "'flips_when' the change that would make another choice the better one.",
        )


@rule(
    "DEC002",
    "info",
    title="Open question without an owner, or past its date",
    prevents="a design that is built on an answer that nobody has looked for",
    dated=True,
)
def question_left_open(design: Design, today: date) -> Iterator[Fault]:
    """A question stays open unless somebody has to answer it by a day."""
    for one in design.questions:
        place = f"questions.{one.id}"
        if one.until is not None and one.until < today:
            yield Fault(
                f"{place}.until",
                f"The question {one.id} was to be answered by {one.until.isoformat()}, and it is still open.",
                "Write down the answer where it belongs and take the question out, or agree on a new day.",
            )
        elif one.owner is None:
            yield Fault(
                f"{place}.owner",
                f"The question {one.id} has no owner{'' if one.until else ' and no until'}.",
                "Name who finds the answer, and by which day.",
            )


@rule(
    "DEC003",
    "info",
    title="Risk without an answer",
    prevents="a list of risks that nobody acts on",
    wrong_when="Acceptable if the risk is taken knowingly; write that as its answer, with who takes it.",
)
def risk_without_answer(design: Design) -> Iterator[Fault]:
    """A risk that is written down needs an answer: avoid it, make it smaller, or take it knowingly."""
    open_ones = [
        one.id
        for one in design.risks
        if not says_something(one.answer)
        and ("high" in {one.likelihood, one.impact} or {one.likelihood, one.impact} == {None})
    ]
    if open_ones:
        yield Fault(
            f"risks.{open_ones[0]}.answer",
            f"These risks have no answer: {', '.join(open_ones)}.",
            "Write what is done about each, or who takes it and why, and which risk is left.",
        )


# ---- accepted findings


def _accepted(design: Design) -> Iterator[tuple[str, Acceptance]]:
    return ((f"accepted.{position}", one) for position, one in enumerate(design.accepted))


def _called(code: str) -> Rule | None:
    from mlsd_helpers.review import RULES  # noqa: PLC0415 - this module's rules are among them

    return next((one for one in RULES if one.code == code), None)


@rule(
    "DEC004",
    title="Acceptance past its date",
    prevents="an exception for a month that stays for years",
    dated=True,
    whole=True,
)
def acceptance_expired(design: Design, today: date) -> Iterator[Fault]:
    """What was accepted for a time is looked at again when that time is over."""
    for place, one in _accepted(design):
        if not one.in_force(today) and one.until:
            yield Fault(
                f"{place}.until",
                f"{one.rule} was accepted until {one.until.isoformat()} by {one.by}, and counts again since.",
                "Mend what the finding says, or let somebody accept it again with a new day.",
            )


@rule(
    "DEC005", title="Acceptance of an unknown rule", prevents="an acceptance that has no effect", whole=True
)
def acceptance_of_unknown_rule(design: Design) -> Iterator[Fault]:
    """Only a finding of a rule that there is can be accepted."""
    for place, one in _accepted(design):
        if one.rule in OF_SIMULATION:
            continue
        if _called(one.rule) is None or one.rule in OF_ACCEPTANCES:
            fault = "cannot be accepted" if one.rule in OF_ACCEPTANCES else "is no rule"
            yield Fault(
                f"{place}.rule",
                f"{one.rule} {fault}.",
                "Write the code as the finding has it; 'mlsd rules' lists them all.",
            )


@rule(
    "DEC006",
    title="Acceptance that matches no finding",
    prevents="an acceptance that hides the next mistake at its place",
    dated=True,
    whole=True,
)
def acceptance_without_finding(design: Design, today: date) -> Iterator[Fault]:
    """An acceptance whose finding is gone would silently take the next one."""
    found = dict[str, tuple[Finding, ...]]()
    for place, one in _accepted(design):
        known = None if one.rule in OF_ACCEPTANCES or not one.in_force(today) else _called(one.rule)
        if known and one.rule not in found:
            found[one.rule] = tuple(known(design, today))
        if known and not any(covers(design, one, finding) for finding in found[one.rule]):
            at = f" at {one.where}" if one.where else ""
            yield Fault(
                f"{place}.where" if one.where else f"{place}.rule",
                f"{one.rule} finds nothing{at}, so there is nothing to accept.",
                "Take the acceptance out, or write the place as the finding has it.",
            )


@rule(
    "DEC008",
    "warning",
    title="Figures changed since the finding was accepted",
    prevents="a signature under 600 of 1,000 requests a second that still stands at 200",
    dated=True,
)
def accepted_with_other_figures(design: Design, today: date) -> Iterator[Fault]:
    """Whoever accepts a finding accepts its figures, and no worse ones that come later."""
    for place, one in _accepted(design):
        known = _called(one.rule) if one.found and one.in_force(today) else None
        places = (
            [finding for finding in known(design, today) if covers(design, one, finding)] if known else []
        )
        if places and not any(has_same_figures(one, finding) for finding in places):
            yield Fault(
                f"{place}.found",
                f"{one.rule} was accepted by {one.by} for this: {(one.found or '').rstrip('.')}. Now it says: "
                f"{places[0].message}",
                "Mend it, or let somebody accept the new figures and write them here.",
            )


@rule(
    "DEC007",
    title="Acceptance without a reason",
    prevents="findings that are switched off to get a clean review",
    whole=True,
)
def acceptance_without_reason(design: Design) -> Iterator[Fault]:
    """Whoever accepts a finding says why, so that others can judge whether that still holds."""
    for place, one in _accepted(design):
        if missing := [name for name in ("because", "by") if not says_something(getattr(one, name))]:
            yield Fault(
                f"{place}.{missing[0]}",
                f"The acceptance of {one.rule} does not say {' and '.join(missing)}.",
                "Write in 'because' why the finding is wrong here or can be lived with, and in 'by' who decided "
                "that.",
            )
