"""Rules on experiments and offline metrics, on decisions, risks and open questions, and on accepted findings."""

import math
from collections.abc import Iterator
from datetime import date
from functools import cache

from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Acceptance, Design, Experiment
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas.statistics import ab_sample_size
from mlsd_helpers.review.acceptance import OF_ACCEPTANCES, covers, in_force
from mlsd_helpers.review.rule import Fault, Finding, Rule, rule
from mlsd_helpers.review.words import mentions
from mlsd_helpers.units import day, show_seconds

ARMITAGE = (
    "Armitage, McPherson & Rowe, Repeated significance tests on accumulating data (Journal of the Royal "
    "Statistical Society A, 1969)."
)
RARE = 0.01  # a class below this share hides behind accuracy; our threshold
_MOST_FALSE_ALARMS = 0.055  # a test at 5% with room for rounding
_MOST_LOOKS = 50  # more give at least as many false alarms, and take longer to compute
_SEQUENTIAL = (
    r"sequential|alpha.spending|spending function|always.valid|o.?brien|pocock|haybittle|msprt|bayes"
)
_CLUSTERS = (
    r"city|cities|region|market|cluster|area|shop|store|hour|day|week|switchback|geo|country|zone|depot|group|team"
    r"|school|clinic|hospital|warehouse|network|communit|pair"
)
_DEALT_WITH = (
    r"report|compared? by|drawn from|adjust|correct|separat|exclud|measured"
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
        missing += [name for name in ("units_per_day", "effect", "duration") if not getattr(one, name)]
        missing += [] if any(says_something(text) for text in one.guardrails) else ["guardrails"]
        if missing:
            yield Fault(
                f"experiments.{one.id}.{missing[0]}",
                f"The experiment {one.id} does not state {', '.join(missing)}.",
                "State the unit that is put into an arm, the one metric that decides, the smallest effect that "
                "matters, how many units come in a day, how long it runs, and what must not get worse.",
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
        needed, units_per_arm_day = _needed_per_arm(one), _units_per_arm_day(one)
        if needed is None or units_per_arm_day is None or one.duration is None:
            continue
        got = units_per_arm_day * one.duration / day
        if got < needed:
            longer = f"{math.ceil(needed / units_per_arm_day):,} d" if units_per_arm_day else "longer"
            yield Fault(
                f"experiments.{one.id}.duration",
                f"To see a change of {_percent(one.effect or 0)} on {_percent(one.baseline or 0)} at a "
                f"significance of {_percent(one.significance)} with a power of {_percent(one.power)}, each of "
                f"{one.arms} arms needs {needed:,} units; in {show_seconds(one.duration)} each gets {got:,.0f}.",
                f"Run it for {longer}, give it a larger share, or decide on a larger effect.",
            )


def _needed_per_arm(one: Experiment) -> int | None:
    """Return the units that each arm needs: each changed arm is compared with the unchanged one (Bonferroni)."""
    if one.baseline is None or one.effect is None or one.arms < 2:
        return None
    difference = one.baseline * one.effect
    if not difference > 1e-9 or one.baseline + difference > 1:
        return None
    try:
        return ab_sample_size(one.baseline, difference, one.significance / (one.arms - 1), one.power)
    except RangeError:
        return None  # such as a significance of 100%: there is nothing to size


def _units_per_arm_day(one: Experiment) -> float | None:
    if one.units_per_day is None:
        return None
    return one.units_per_day * (1.0 if one.share is None else one.share) / one.arms


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
        if one.looks == 1 or mentions(
            _SEQUENTIAL, one.question, one.metric, one.interference, *one.guardrails
        ):
            continue
        alarms = false_alarms(one.significance, min(one.looks, _MOST_LOOKS))
        if alarms > _MOST_FALSE_ALARMS:
            yield Fault(
                f"experiments.{one.id}.looks",
                f"The result is looked at {one.looks:,} times at a significance of {_percent(one.significance)} "
                f"each: without any effect, at least one look shows one in {_percent(alarms)} of "
                f"experiments{' or more' if one.looks > _MOST_LOOKS else ''}.",
                "Look once at the end, name the sequential test in 'question', or state a 'significance' for "
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
        dealt_with = mentions(_DEALT_WITH, one.interference)
        if said and one.unit and not dealt_with and not mentions(_CLUSTERS, one.unit):
            yield Fault(
                f"experiments.{one.id}.unit",
                f"The unit of {one.id} is {one.unit!r}, and units affect each other: {_sentence(one.interference)}",
                "Put whole groups that do not share anything into an arm, such as cities, or a city by the hour.",
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
    if not rate or min(rate, 1 - rate) >= RARE or release is None:
        return
    tested = [gate.metric for gate in release.gates] + ([release.validation] if release.validation else [])
    if mentions(_HIDES_RARE, *tested) and not mentions(_SHOWS_RARE, *tested):
        always = max(rate, 1 - rate)
        yield Fault(
            f"planes.release.{'gates' if release.gates else 'validation'}",
            f"The base rate is {_percent(rate)}: a model that always says the same is right in "
            f"{_percent(always)} of cases, and the release is judged by accuracy or the area under a curve "
            "alone.",
            "Judge by recall at the number of alerts that can be handled, or by precision and recall, or by money.",
        )


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
    for one in design.decisions:
        missing = [] if any(says_something(text) for text in one.over) else ["over"]
        missing += [name for name in ("because", "flips_when") if not says_something(getattr(one, name))]
        if missing:
            yield Fault(
                f"decisions.{one.id}.{missing[0]}",
                f"The decision {one.id} does not state {', '.join(missing)}.",
                "State in 'over' what was not chosen, in 'because' the reason with its figure, and in "
                "'flips_when' the change that would make another choice the better one.",
            )


@rule(
    "DEC002",
    "warning",
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
        elif missing := [name for name in ("owner", "until") if getattr(one, name) is None]:
            yield Fault(
                f"{place}.{missing[0]}",
                f"The question {one.id} has no {' and no '.join(missing)}.",
                "Name who finds the answer, and by which day.",
            )


@rule(
    "DEC003",
    "warning",
    title="Risk without an answer",
    prevents="a list of risks that nobody acts on",
    wrong_when="Acceptable if the risk is taken knowingly; write that as its answer, with who takes it.",
)
def risk_without_answer(design: Design) -> Iterator[Fault]:
    """A risk that is written down needs an answer: avoid it, make it smaller, or take it knowingly."""
    for one in design.risks:
        if not says_something(one.answer) and not one.likelihood == one.impact == "low":
            yield Fault(
                f"risks.{one.id}.answer",
                f"The risk {one.id} has no answer.",
                "Write what is done about it, or who takes it and why, and which risk is left.",
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
)
def acceptance_expired(design: Design, today: date) -> Iterator[Fault]:
    """What was accepted for a time is looked at again when that time is over."""
    for place, one in _accepted(design):
        if not in_force(one, today) and one.until:
            yield Fault(
                f"{place}.until",
                f"{one.rule} was accepted until {one.until.isoformat()} by {one.by}, and counts again since.",
                "Mend what the finding says, or let somebody accept it again with a new day.",
            )


@rule("DEC005", title="Acceptance of an unknown rule", prevents="an acceptance that has no effect")
def acceptance_of_unknown_rule(design: Design) -> Iterator[Fault]:
    """Only a finding of a rule that there is can be accepted."""
    for place, one in _accepted(design):
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
)
def acceptance_without_finding(design: Design, today: date) -> Iterator[Fault]:
    """An acceptance whose finding is gone would silently take the next one."""
    found = dict[str, tuple[Finding, ...]]()
    for place, one in _accepted(design):
        known = None if one.rule in OF_ACCEPTANCES or not in_force(one, today) else _called(one.rule)
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
    "DEC007",
    title="Acceptance without a reason",
    prevents="findings that are switched off to get a clean review",
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
