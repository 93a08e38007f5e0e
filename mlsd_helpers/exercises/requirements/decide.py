"""Exercise 6: two requirements clash. Which gives way, by how much is that better, and why?"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Step, Stratum, equals, is_number

Clash = Mapping[str, Any]

KEEP, LOOSEN, DROP = "keep the limit", "loosen the limit", "drop the feature"
_REASONS = {
    KEEP: "freshness pays for itself",
    LOOSEN: "freshness costs more than it adds",
    DROP: "neither pays for itself",
}
_FORBIDDEN = "not allowed"


def _nets(clash: Clash) -> dict[str, float]:
    """Return what each way out leaves a day, in dollars."""
    return {
        KEEP: float(clash["worth_fresh"] - clash["stream_cost"]),
        LOOSEN: float(clash["worth_old"] - clash["job_cost"]),
        DROP: 0.0,
    }


def _decided(clash: Clash, nets: Mapping[str, float], *, allowed: bool) -> Answer:
    best = max(nets, key=lambda way: nets[way])
    second = max(net for way, net in nets.items() if way != best)
    if not allowed:
        best = DROP
    reason = _REASONS[best] if allowed else _FORBIDDEN
    return {**_net_worths(clash), "decision": best, "reason": reason, "margin": nets[best] - second}


def _net_worths(clash: Clash) -> Answer:
    nets = _nets(clash)
    return {"net_fresh": nets[KEEP], "net_old": nets[LOOSEN]}


def decide(clash: Clash) -> Answer:
    """Take the way out that leaves most, among those that are allowed."""
    return _decided(clash, _nets(clash), allowed=clash["allowed"])


def decide_step_by_step(clash: Clash) -> Answer:
    """Compare pair by pair, in whole dollars; the margin only where there is a choice."""
    fresh, old = clash["worth_fresh"] - clash["stream_cost"], clash["worth_old"] - clash["job_cost"]
    first = {"net_fresh": fresh, "net_old": old}
    if not clash["allowed"]:
        return {**first, "decision": DROP, "reason": _FORBIDDEN, "margin": 0}
    if fresh < 0 and old < 0:
        return {**first, "decision": DROP, "reason": _REASONS[DROP], "margin": -max(fresh, old)}
    way = KEEP if fresh > old else LOOSEN
    return {
        **first,
        "decision": way.upper(),
        "reason": _REASONS[way],
        "margin": max(fresh, old) - max(min(fresh, old), 0),
    }


class Decision:
    """An answer that is an object instead of a dict."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


def decide_as_record(clash: Clash) -> Decision:
    """Do the same, and answer with an object."""
    return Decision(**decide(clash))


def the_product_said_so(clash: Clash) -> Answer:
    """You keep the limit because it was asked for. A requirement has a price, and who asked for it may not know that
    price: tell them what a looser one would lose, and let them choose. What do your own two numbers say?
    """
    return {**decide(clash), **_chosen(clash, KEEP)}


def cheapest_to_run(clash: Clash) -> Answer:
    """You took the way that costs least to run, and left out what it loses. An older count finds less fraud, and that
    is money too. What does each way leave when both are counted?
    """
    return {**decide(clash), **_chosen(clash, _cheapest(clash))}


def _cheapest(clash: Clash) -> str:
    return LOOSEN if clash["job_cost"] < clash["stream_cost"] else KEEP


def _chosen(clash: Clash, way: str) -> Answer:
    """Return a way with its reason, where there is a choice."""
    if not clash["allowed"]:
        return {"decision": DROP, "reason": _FORBIDDEN}
    return {"decision": way, "reason": _REASONS[way]}


def left_out_the_costs(clash: Clash) -> Answer:
    """You compared what the feature finds, without what it costs to have. Fresher is then always better, at any price.
    What is left of the worth after the bill?
    """
    nets = {KEEP: float(clash["worth_fresh"]), LOOSEN: float(clash["worth_old"]), DROP: 0.0}
    return {
        **_decided(clash, nets, allowed=clash["allowed"]),
        "net_fresh": nets[KEEP],
        "net_old": nets[LOOSEN],
    }


def pays_for_both(clash: Clash) -> Answer:
    """You charged the stream on top of the job. Once a stream makes the counts, nobody needs the job any more: a cost
    that ends with a choice does not count against it.
    """
    dearer = {**clash, "stream_cost": clash["stream_cost"] + clash["job_cost"]}
    return _decided(dearer, _nets(dearer), allowed=clash["allowed"])


def counted_what_the_stream_adds(clash: Clash) -> Answer:
    """You took from the worth of fresh counts that of old ones. That is what freshness adds; asked is what the stream
    leaves by itself. What would it leave if there were no job?
    """
    dearer = {**clash, "stream_cost": clash["stream_cost"] + clash["worth_old"]}
    return _decided(dearer, _nets(dearer), allowed=clash["allowed"])


def forgot_to_do_without(clash: Clash) -> Answer:
    """You weighed the two limits against each other alone. There is a third way out: to do without the feature, which
    leaves exactly nothing. Is that not more than any loss?
    """
    return {**decide(clash), **_chosen(clash, _better_limit(_nets(clash)))}


def _better_limit(nets: Mapping[str, float]) -> str:
    return KEEP if nets[KEEP] > nets[LOOSEN] else LOOSEN


def margin_between_the_limits(clash: Clash) -> Answer:
    """You compared the two limits alone. What does dropping the feature leave, and is that the next best?"""
    right = decide(clash)
    return {**right, "margin": abs(right["net_fresh"] - right["net_old"])}


def margin_over_nothing(clash: Clash) -> Answer:
    """You held your decision against doing nothing. The margin is what it has over the *next best* of the three: put
    what they leave in order. Which comes second?
    """
    return {**decide(clash), "margin": max(_nets(clash).values())}


def money_forbids_it(clash: Clash) -> Answer:
    """You gave money as the reason where the use is not allowed. It would be no more allowed if it paid. What would you
    say to somebody who offers to pay the difference?
    """
    right = decide(clash)
    return {**right, "reason": right["reason"] if clash["allowed"] else _REASONS[DROP]}


def put_a_price_on_the_law(clash: Clash) -> Answer:
    """You weighed by money what is not allowed. A constraint is not a requirement with a high price: nobody on the team
    can trade it, and who finds it late has built for nothing. What is left to decide then?
    """
    by_money = _decided(clash, _nets(clash), allowed=True)
    return {**decide(clash), "decision": by_money["decision"], "reason": by_money["reason"]}


def _clash(fresh: int, old: int, stream: int, job: int, *, allowed: bool = True) -> Case:
    return {
        "clash": {
            "worth_fresh": fresh, "worth_old": old, "stream_cost": stream, "job_cost": job, "allowed": allowed,
        }
    }  # fmt: skip


def _draw(rng: random.Random) -> Case:
    """Draw a clash in which one way is clearly best."""
    while True:
        fresh = rng.randrange(100, 1_500, 10)
        old = round(fresh * rng.uniform(0.1, 0.95))
        case = _clash(
            fresh, old, rng.randrange(50, 900, 10), rng.randrange(20, 300, 10), allowed=rng.random() < 0.75
        )
        *_, second, best = sorted(_nets(case["clash"]).values())
        if best - second > 15:
            return case


def _followed(case: Case, given: Given) -> Answer:
    """Decide by the learner's own numbers."""
    return _decided(case["clash"], _own(given), allowed=case["clash"]["allowed"])


def _own(given: Given) -> dict[str, float]:
    return {KEEP: float(given["net_fresh"]), LOOSEN: float(given["net_old"]), DROP: 0.0}


def _words(name: str, known: tuple[str, ...], question: str) -> Step:
    def explain(_: Case, value: Any) -> str:
        if not isinstance(value, str) or value.strip().casefold() not in known:
            return f"Expected one of {', '.join(map(repr, known))}."
        return question

    return replace(equals(name, 1, lambda case, given: _followed(case, given)[name]), explain=explain)


def _explain_margin(_: Case, value: Any) -> str:
    if not is_number(value):
        return "Expected a number: dollars a day."
    return "Put what each of the three ways leaves in order. How far apart are the first two?"


def _of_own(made: Callable[[Clash, Mapping[str, float]], Answer]) -> dict[str, Callable[[Case, Given], Any]]:
    """Return what a belief makes of the learner's own two numbers: a decision and a reason."""

    def part(name: str) -> Callable[[Case, Given], Any]:
        return lambda case, given: made(case["clash"], _own(given))[name]

    return {name: part(name) for name in ("decision", "reason")}


def _best_is(way: str, second: str) -> Stratum:
    def holds(case: Case) -> bool:
        nets = _nets(case["clash"])
        order = sorted(nets, key=lambda one: -nets[one])
        return bool(case["clash"]["allowed"]) and order[:2] == [way, second]

    return Stratum("There are three ways out", holds)


EXERCISE = Exercise(
    id="01-decide",
    assignment="01_requirements",
    title="Which requirement gives way?",
    kind="decide and justify",
    outcome="Decide which of two clashing requirements gives way, with the reason and the margin.",
    minutes=14,
    steps=(
        equals("net_fresh", 0.5, lambda case, _: _nets(case["clash"])[KEEP], tolerance=1e-6),
        equals("net_old", 0.5, lambda case, _: _nets(case["clash"])[LOOSEN], tolerance=1e-6),
        _words("decision", tuple(_REASONS), "Hold it against your two numbers, against zero, and against `allowed`."),
        _words("reason", (*_REASONS.values(), _FORBIDDEN), "Do your own numbers say so? And do numbers decide here?"),
        replace(
            equals(
                "margin", 1, lambda case, given: _followed(case, given)["margin"], tolerance=1e-6,
                applies=lambda case: bool(case["clash"]["allowed"]),
            ),
            explain=_explain_margin,
        ),
    ),
    cases=(
        _clash(900, 500, 350, 40),
        _clash(620, 540, 300, 90),
        _clash(240, 60, 310, 110),
        _clash(1_200, 300, 200, 50, allowed=False),
        _clash(700, 520, 280, 150),
        _clash(400, 30, 200, 60),
    ),
    reference=decide,
    alternatives=(decide_step_by_step, decide_as_record),
    mistakes=(
        left_out_the_costs,
        pays_for_both,
        counted_what_the_stream_adds,
        Slip(the_product_said_so, _of_own(lambda clash, _: _chosen(clash, KEEP))),
        Slip(cheapest_to_run, _of_own(lambda clash, _: _chosen(clash, _cheapest(clash)))),
        Slip(forgot_to_do_without, _of_own(lambda clash, nets: _chosen(clash, _better_limit(nets)))),
        Slip(put_a_price_on_the_law, _of_own(lambda clash, nets: _decided(clash, nets, allowed=True))),
        Slip(
            money_forbids_it,
            {"reason": lambda c, g: _followed(c, g)["reason"] if c["clash"]["allowed"] else _REASONS[DROP]},
        ),
        Slip(margin_between_the_limits, {"margin": lambda _, g: abs(g["net_fresh"] - g["net_old"])}),
        Slip(margin_over_nothing, {"margin": lambda _, g: max(_own(g).values())}),
    ),
    hints=(
        "Look first at what no number decides. Then there are three ways out, not two.",
        "Start with what each way leaves a day: what it finds, less what it costs. Doing without leaves 0.",
        (
            "A neighbour: a taxi saves an hour worth $30 and costs $45; the bus saves half of it and costs $3. Bus: it "
            "leaves $12, walking leaves $0, the taxi loses $15. The margin is $12."
        ),
    ),
    draw=_draw,
    strata=(
        _best_is(KEEP, LOOSEN),
        _best_is(KEEP, DROP),
        _best_is(LOOSEN, KEEP),
        _best_is(LOOSEN, DROP),
        _best_is(DROP, KEEP),
        _best_is(DROP, LOOSEN),
        Stratum(
            "Where it is not `allowed` to use these data",
            lambda c: not c["clash"]["allowed"] and max(_nets(c["clash"]).values()) > 0,
        ),
        Stratum(
            "Where it is not `allowed` to use these data",
            lambda c: not c["clash"]["allowed"] and max(_nets(c["clash"]).values()) == 0,
        ),
    ),
    general=(
        "A count may be", "A `clash` says", "Write `decide`", "- `net_fresh`", "With the stream,", "- `decision`",
        "- `reason`", "- `margin`", "Any number",
    ),
)  # fmt: skip
