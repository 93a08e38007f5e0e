"""Exercise 7: put the cards of a release and of a rollback in order, and leave the wrong cards out."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum, quoted

Cards = list[str]

RELEASE = (
    "validate",
    "keep_old_ready",
    "shadow",
    "one_percent",
    "compare",
    "half",
    "everybody",
    "retire_old",
)
ROLLBACK = ("stop_release", "kill_switch", "old_version", "verify", "switch_on", "extend_gate")
WRONG = {
    "release": ("promote_on_alert", "watch_cpu", "delete_old_first", "everybody_first"),
    "rollback": ("old_model_only", "retrain_now", "debug_live"),
}
OPTIONAL = ("shadow", "half", "kill_switch", "switch_on")
"""Cards that a deck may lack."""
CARDS: Mapping[str, str] = {
    "validate": "The new model passes the gate: every slice no worse than the model in use",
    "keep_old_ready": "Keep the old version ready, with its feature schema and configuration",
    "shadow": "The new model answers beside the old one, unseen",
    "one_percent": "The new model answers 1 % of the requests",
    "compare": "When the canary has seen enough, compare its errors, latency and scores with the rest",
    "half": "The new model answers half of the requests",
    "everybody": "The new model answers all requests",
    "retire_old": "The old version is no longer kept ready",
    "promote_on_alert": "A drift alert retrains the model and promotes it by itself",
    "watch_cpu": "The canary is good when its CPU is low and it returns no 5xx",
    "delete_old_first": "Delete the old version, to make room",
    "everybody_first": "All requests at once, to learn fastest",
    "stop_release": "Stop the release: the share of the new model grows no further",
    "kill_switch": "Switch the model off: the rules decide",
    "old_version": "Bring back the old model with its feature schema and its configuration",
    "verify": "See on every replica that the old version answers, and answers well",
    "switch_on": "Switch the model on again",
    "extend_gate": "Write down what happened, and let the gate refuse it next time",
    "old_model_only": "Bring back the old model file, and leave features and configuration as they are",
    "retrain_now": "Retrain on the newest data, and put that model in",
    "debug_live": "Find the fault in the new model first, while it serves",
}
"""What stands on each card."""

_BEFORE = {
    "release": (
        ("validate", "shadow", "an unchecked model runs beside every request"),
        ("validate", "one_percent", "users meet a model that has passed nothing"),
        ("keep_old_ready", "one_percent", "the first bad answer finds no way back"),
        ("shadow", "one_percent", "the shadow comes after users have already met the model"),
        ("one_percent", "compare", "there is nothing yet to compare"),
        ("compare", "half", "the share grows before anybody has looked"),
        ("compare", "everybody", "everybody gets it before anybody has looked"),
        ("half", "everybody", "half comes after all"),
        ("everybody", "retire_old", "the way back is gone while the release goes on"),
    ),
    "rollback": (
        ("stop_release", "old_version", "the release goes on and brings the new one back"),
        ("kill_switch", "old_version", "users wait for the rollback with a bad model"),
        ("old_version", "verify", "there is nothing yet to verify"),
        ("verify", "switch_on", "the model is switched on before anybody knows which one it is"),
        ("old_version", "switch_on", "the switch brings the bad model back"),
        ("verify", "extend_gate", "the report is written while users still wait"),
        ("switch_on", "extend_gate", "the report is written while the rules still decide"),
    ),
}


def order(plan: str, cards: Sequence[str]) -> Cards:
    """Take the cards that belong there, in the order of the list above."""
    return _dealt({"release": RELEASE, "rollback": ROLLBACK}[plan], cards)


def _dealt(wanted: Sequence[str], cards: Sequence[str]) -> Cards:
    return [card for card in wanted if card in cards]


def order_by_rank(plan: str, cards: Sequence[str]) -> tuple[str, ...]:
    """Sort by rank, with the old version made ready before the gate is asked."""
    rank = {card: at for at, card in enumerate(("keep_old_ready", *RELEASE[:1], *RELEASE[2:], *ROLLBACK))}
    return tuple(sorted((card for card in cards if card in rank), key=rank.__getitem__))


def order_by_constraints(plan: str, cards: Sequence[str]) -> Cards:
    """Take, again and again, the last card that nothing else has to precede."""
    left = [card for card in cards if card not in WRONG[plan]]
    dealt: Cards = []
    while left:
        free = [c for c in left if not any(a in left and b == c for a, b, _ in _BEFORE[plan])]
        dealt.append(free[-1])
        left.remove(free[-1])
    return dealt


Mistake = Callable[[str, Sequence[str]], Cards]


def _moved(card: str, behind: str) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a known mistake of a name and its feedback: one card stands directly behind another."""

    def made(described: Callable[..., Any]) -> Mistake:
        @wraps(described)
        def answer(plan: str, cards: Sequence[str]) -> Cards:
            dealt = order(plan, cards)
            if {card, behind} <= {*dealt}:
                dealt.remove(card)
                dealt.insert(dealt.index(behind) + 1, card)
            return dealt

        return answer

    return made


def _left_out(card: str) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a known mistake of a name and its feedback: one card is left out."""
    return lambda described: wraps(described)(
        lambda plan, cards: [dealt for dealt in order(plan, cards) if dealt != card]
    )


def _left_in(card: str) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a known mistake of a name and its feedback: one wrong card stays."""
    return lambda described: wraps(described)(
        lambda plan, cards: [*order(plan, cards), *(one for one in cards if one == card)]
    )


@_moved("validate", "one_percent")
def validated_on_users() -> None:
    """You let users meet the model before the gate has. A canary limits who is hurt; the gate is there so that
    nobody is. What does the canary test that the gate cannot?
    """  # C21


@_moved("keep_old_ready", "one_percent")
def no_way_back_at_first() -> None:
    """You make the old version ready after users have met the new one. The first bad answer comes before that. What
    would you go back to?
    """


@_moved("shadow", "one_percent")
def shadowed_after_the_canary() -> None:
    """You let users meet the model before it has answered unseen. A shadow shows, without harm to anybody, how
    often it decides otherwise. What is left for it to show afterwards?
    """


@_moved("validate", "shadow")
def shadowed_before_the_gate() -> None:
    """You let the model answer beside every request before the gate has seen it. The gate takes minutes and no
    traffic, and refuses what the shadow need not run. Which of the two is cheaper to ask first?
    """


@_moved("compare", "half")
def compared_after_half() -> None:
    """You let half of the requests have the model before anybody has compared. One per cent was to show whether
    that is safe. What has the canary limited?
    """


@_moved("compare", "everybody")
def compared_at_the_end() -> None:
    """You compare when everybody has the new model. By then a canary has protected nobody. Whom is the new model
    compared with, when the old one answers no more?
    """


@_moved("half", "everybody")
def half_after_everybody() -> None:
    """You go from all requests to half of them. The share of a release grows step by step, and each step is looked
    at. Which of the two comes first?
    """


@_moved("everybody", "retire_old")
def retired_too_early() -> None:
    """You give the old version up before the new one answers everybody. The last step of the share can fail as
    well. What would you go back to then?
    """


@_left_out("validate")
def left_out_validate() -> None:
    """You release a model that has passed no gate. Users would be the first to test every slice of it. What has a
    model to show before anybody meets it?
    """


@_left_out("keep_old_ready")
def left_out_keep_old_ready() -> None:
    """You keep no old version ready. When the canary shows a fault, there is nothing to go back to in minutes. What
    does a way back need beside the model file?
    """


@_left_out("shadow")
def left_out_shadow() -> None:
    """You left the shadow out, which costs no user anything and shows how the model decides on real requests. Why
    should users be the first to see that?
    """


@_left_out("one_percent")
def left_out_one_percent() -> None:
    """You left the canary out: all at once meet what only few should. Whom does a first small share protect?"""


@_left_out("compare")
def left_out_compare() -> None:
    """You run a canary and never look at it. A share that grows by the clock shows nothing. What has to be known
    before it grows?
    """


@_left_out("half")
def left_out_half() -> None:
    """You go from one per cent to everybody in one step. Load and rare faults show at half, while half of the users
    are safe. Why not use that card?
    """


@_left_out("everybody")
def left_out_everybody() -> None:
    """Your release never comes to its end: the new model answers some of the requests for ever. What is the aim of
    a release?
    """


@_left_out("retire_old")
def left_out_retire_old() -> None:
    """You keep the old version for ever. It costs machines, and its features have to be fed. When is it no longer
    needed?
    """


@_left_in("promote_on_alert")
def promoted_on_the_alert() -> None:
    """You let an alert retrain and promote. The alert may come from bad data, and then bad data make the next
    model. What does every model have to pass, whatever started its training?
    """  # C21


@_left_in("watch_cpu")
def watched_the_machines() -> None:
    """You ask the CPU and the status codes whether the canary is good. A model that is wrong about everything
    returns 200, quickly. What would show it?
    """  # C13


@_left_in("delete_old_first")
def deleted_the_way_back() -> None:
    """You delete the old version before the new one has shown anything. Room is cheap, and an hour without a way
    back is not. What would you go back to?
    """


@_left_in("everybody_first")
def learned_from_everybody() -> None:
    """You show the model to everybody at once. That learns fastest, and harms everybody whom a fault meets. How
    many requests does it take to see one?
    """


@_moved("stop_release", "old_version")
def stopped_the_release_late() -> None:
    """You bring the old version back while the release still grows: it puts the new one in again. What has to stand
    still first?
    """


@_moved("kill_switch", "old_version")
def switched_off_too_late() -> None:
    """You wait for the old version and then switch the model off. The switch takes seconds, the old version five
    minutes, and the rules do less harm. Which comes first?
    """


@_moved("verify", "switch_on")
def switched_on_before_looking() -> None:
    """You switch the model on before anybody has seen which version answers. One replica that missed the command
    goes on with the bad one. How would you know?
    """


@_moved("switch_on", "kill_switch")
def switched_on_the_fault() -> None:
    """You switch the model on before the old version is back. It is the bad one that answers then. Which model
    should the switch bring back?
    """


@_moved("extend_gate", "old_version")
def trusted_the_command() -> None:
    """You write the report before you have looked whether the old version answers everywhere. One replica that
    missed the command goes on as before. How would you know?
    """


@_moved("switch_on", "extend_gate")
def reported_first() -> None:
    """You write the report while the rules still decide. They do less harm than the bad model, and more than the
    old one, which is back. What do users wait for?
    """


@_left_out("stop_release")
def left_out_stop_release() -> None:
    """You do not stop the release. Its next step brings the new model back, whatever you have undone. What has to
    stand still first?
    """


@_left_out("kill_switch")
def left_out_kill_switch() -> None:
    """You leave the bad model on until the old version is back. The switch acts within seconds, and the rules do
    less harm. Who pays for these five minutes?
    """


@_left_out("old_version")
def left_out_old_version() -> None:
    """You do not bring the old version back. Rules, or a bad model, answer from now on. Which version is known to
    have worked?
    """


@_left_out("verify")
def left_out_verify() -> None:
    """You do not look whether the old version answers. A command that was sent is not one that was carried out: one
    replica may have missed it. How would you know?
    """


@_left_out("switch_on")
def left_out_switch_on() -> None:
    """You leave the model switched off. The old version is back, and the rules go on deciding. When is the incident
    over?
    """


@_left_out("extend_gate")
def left_out_extend_gate() -> None:
    """You let the gate as it was. The same fault passes it the next time, too. What has to be different after an
    incident?
    """


@_left_in("old_model_only")
def rolled_back_the_model_only() -> None:
    """You bring back the model file alone. It was trained on features of another shape, and reads today's as if
    they were yesterday's. What has to go back with it?
    """  # C16


@_left_in("debug_live")
def debugged_on_users() -> None:
    """You look for the fault while the model serves. Users pay for every minute of it; a model that is switched off
    can be examined as long as you like. What ends the harm first?
    """


@_left_in("retrain_now")
def retrained_the_fault() -> None:
    """You put a freshly trained model in. It is new, unvalidated, and made from the data of the incident. Which
    model is known to have worked?
    """  # C21


def _draw_deck(rng: random.Random) -> Case:
    plan = rng.choice(["release", "rollback"])
    needed = RELEASE if plan == "release" else ROLLBACK
    deck = [card for card in needed if card not in OPTIONAL or rng.random() < 0.8]
    if ("kill_switch" in deck) != ("switch_on" in deck):  # what is switched off is switched on again
        deck = [card for card in needed if card not in {"kill_switch", "switch_on"}]
    deck += rng.sample(WRONG[plan], 2)
    rng.shuffle(deck)
    return {"plan": plan, "cards": deck}


def _names(value: Any) -> list[str]:
    if isinstance(value, str | Mapping) or not hasattr(value, "__len__"):
        return []
    return [str(card).strip().casefold() for card in value]


def _explain_cards(case: Case, value: Any) -> str:
    return next(iter(_wrong_cards(case, value).values()), "Expected a list of cards, in their order.")


def _wrong_cards(case: Case, value: Any) -> dict[str, str]:
    """Say what is wrong with each card that is there, or missing, without a look at the order."""
    dealt, right = _names(value), order(**case)
    if not dealt:
        return {"": "Expected a list of cards, in their order."}
    found = {
        card: f"{quoted(card)} does not belong there. What would it do to users?"
        for card in dealt
        if card not in right
    }
    found |= {
        card: f"{quoted(card)} is in your list more than once." for card in right if dealt.count(card) > 1
    }
    return found | {
        card: f"{quoted(card)} belongs there, and is not in your list." for card in right if card not in dealt
    }


def _in_order(plan: str) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        dealt, missing = _names(value), set(order(**case)) - set(_names(value))
        return len(missing) <= _MOST_MISSING and not _broken(plan, dealt)

    def explain(case: Case, value: Any) -> str:
        broken = _broken(plan, _names(value))
        return (
            f"In this order, {next(iter(broken.values()))}."
            if broken
            else "Too many cards are missing for an order."
        )

    return Step(
        f"{plan}_order",
        1,
        right,
        applies=lambda case: case["plan"] == plan,
        part="",
        explain=explain,
        shows=lambda _, value: tuple(_broken(plan, _names(value))),
    )


_MOST_MISSING = 1  # a card that is left out costs the cards, and not the order as well


def _broken(plan: str, dealt: Sequence[str]) -> dict[str, str]:
    """Say what comes of each pair of cards that stands the wrong way round."""
    at = {card: place for place, card in enumerate(dealt)}
    return {f"{a} before {b}": words for a, b, words in _BEFORE[plan] if at.get(a, -1) > at.get(b, len(at))}


def _has(card: str) -> Callable[[Case], bool]:
    return lambda case: card in case["cards"]


EXERCISE = Exercise(
    id="02-canary",
    assignment="02_planes",
    title="Order a canary and a rollback",
    kind="order",
    outcome="Release a model so that few users meet its faults, and take it back whole.",
    minutes=16,
    steps=(
        Step(
            "cards",
            1,
            lambda case, value, _: not _wrong_cards(case, value),
            part="",
            explain=_explain_cards,
            shows=lambda case, value: tuple(_wrong_cards(case, value).values()),
        ),
        _in_order("release"),
        _in_order("rollback"),
    ),
    cases=(
        {"plan": "release", "cards": ["everybody", "compare", "promote_on_alert", "validate", "retire_old",
                                      "one_percent", "keep_old_ready", "watch_cpu", "shadow"]},
        {"plan": "rollback", "cards": ["verify", "old_model_only", "extend_gate", "stop_release", "old_version",
                                       "retrain_now"]},
        {"plan": "rollback", "cards": ["switch_on", "debug_live", "kill_switch", "verify", "stop_release",
                                       "old_version", "extend_gate", "old_model_only"]},
        {"plan": "release", "cards": ["half", "delete_old_first", "validate", "everybody_first", "everybody",
                                      "retire_old", "one_percent", "compare", "keep_old_ready"]},
    ),
    reference=order,
    alternatives=(order_by_rank, order_by_constraints),
    mistakes=(
        validated_on_users,
        no_way_back_at_first,
        shadowed_after_the_canary,
        shadowed_before_the_gate,
        compared_after_half,
        compared_at_the_end,
        half_after_everybody,
        retired_too_early,
        left_out_validate,
        left_out_keep_old_ready,
        left_out_shadow,
        left_out_one_percent,
        left_out_compare,
        left_out_half,
        left_out_everybody,
        left_out_retire_old,
        promoted_on_the_alert,
        watched_the_machines,
        deleted_the_way_back,
        learned_from_everybody,
        stopped_the_release_late,
        switched_off_too_late,
        switched_on_before_looking,
        switched_on_the_fault,
        trusted_the_command,
        reported_first,
        left_out_stop_release,
        left_out_kill_switch,
        left_out_old_version,
        left_out_verify,
        left_out_switch_on,
        left_out_extend_gate,
        rolled_back_the_model_only,
        debugged_on_users,
        retrained_the_fault,
    ),
    hints=(
        "Look for the cards that would hurt users whatever their place, and leave those out first.",
        (
            "Start with one list of all good cards for a release, in your order, and one for a rollback; keep those "
            "that are in `cards`. For each pair of neighbours ask: what if the second came first?"
        ),
        (
            "A neighbour: a new bridge. It is load-tested, then a few lorries cross while somebody measures. The ferry "
            "stops only when all traffic has crossed for a while."
        ),
    ),
    draw=_draw_deck,
    strata=(
        Stratum('`"release"` or', lambda c: c["plan"] == "release"),
        Stratum("the switch acts within seconds", lambda c: "kill_switch" in c["cards"]),
        Stratum("A deck may lack a card", lambda c: c["plan"] == "release" and not {"shadow", "half"} & {*c["cards"]}),
        Stratum("A deck may lack a card", lambda c: c["plan"] == "rollback" and "kill_switch" not in c["cards"]),
        *(Stratum(f"| `{card}` |", _has(card)) for card in (*OPTIONAL, *WRONG["release"], *WRONG["rollback"])),
    ),
    general=(
        "Return a list of the cards",
        "Some cards belong nowhere",
        "All cards:",
        "| card |",
        *(f"| `{card}` |" for card in (*RELEASE, *ROLLBACK) if card not in OPTIONAL),
    ),
)  # fmt: skip
