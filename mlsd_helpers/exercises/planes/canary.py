"""Exercise 7: put the cards of a release and of a rollback in order, and leave the wrong cards out."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, quoted

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


def _swapped(plan: str, cards: Sequence[str], first: str, then: str) -> Cards:
    """Put one card directly before another that should precede it."""
    dealt = [card for card in order(plan, cards) if card != first]
    if first not in cards or then not in dealt:
        return order(plan, cards)
    dealt.insert(dealt.index(then), first)
    return dealt


def _kept(plan: str, cards: Sequence[str], wrong: str, before: str) -> Cards:
    """Leave a wrong card in, before another one."""
    dealt = order(plan, cards)
    if wrong in cards and before in dealt:
        dealt.insert(dealt.index(before), wrong)
    return dealt


def validated_on_users(plan: str, cards: Sequence[str]) -> Cards:
    """You let users meet the model before the gate has. A canary limits who is hurt; the gate is there so that
    nobody is. What does the canary test that the gate cannot?
    """
    return _swapped(plan, cards, "one_percent", "validate")  # C21


def no_way_back_at_first(plan: str, cards: Sequence[str]) -> Cards:
    """You make the old version ready after users have met the new one. The first bad answer comes before that.
    What would you go back to?
    """
    return (
        _swapped(plan, cards, "compare", "keep_old_ready") if plan == "rollback" else _late_old(plan, cards)
    )


def _late_old(plan: str, cards: Sequence[str]) -> Cards:
    dealt = [card for card in order(plan, cards) if card != "keep_old_ready"]
    dealt.insert(dealt.index("one_percent") + 1, "keep_old_ready")
    return dealt


def compared_at_the_end(plan: str, cards: Sequence[str]) -> Cards:
    """You compare when everybody has the new model. By then a canary has protected nobody. Whom is the new model
    compared with, when the old one answers no more?
    """
    return _swapped(plan, cards, "everybody", "compare")


def promoted_on_the_alert(plan: str, cards: Sequence[str]) -> Cards:
    """You let an alert retrain and promote. The alert may come from bad data, and then bad data make the next model.
    What does every model have to pass, whatever started its training?
    """
    return _kept(plan, cards, "promote_on_alert", "validate")  # C21


def watched_the_machines(plan: str, cards: Sequence[str]) -> Cards:
    """You ask the CPU and the status codes whether the canary is good. A model that is wrong about everything returns
    200, quickly. What would show it?
    """
    return _kept(plan, cards, "watch_cpu", "everybody")  # C13


def rolled_back_the_model_only(plan: str, cards: Sequence[str]) -> Cards:
    """You bring back the model file alone. It was trained on features of another shape, and reads today's as if they
    were yesterday's. What has to go back with it?
    """
    return _kept(plan, cards, "old_model_only", "old_version")  # C16


def debugged_on_users(plan: str, cards: Sequence[str]) -> Cards:
    """You look for the fault while the model serves. Users pay for every minute of it; a model that is switched off
    can be examined as long as you like. What ends the harm first?
    """
    return _kept(plan, cards, "debug_live", "stop_release")


def retrained_the_fault(plan: str, cards: Sequence[str]) -> Cards:
    """You put a freshly trained model in. It is new, unvalidated, and made from the data of the incident. Which model
    is known to have worked?
    """
    return _kept(plan, cards, "retrain_now", "verify")  # C21


def trusted_the_command(plan: str, cards: Sequence[str]) -> Cards:
    """You write the report before you have looked whether the old version answers everywhere. One replica that missed
    the command goes on as before. How would you know?
    """
    return _swapped(plan, cards, "extend_gate", "verify")


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
    return [str(card).strip() for card in value] if isinstance(value, list | tuple) else []


def _right_cards(case: Case, value: Any, _: Given) -> bool:
    return sorted(_names(value)) == sorted(order(**case))


def _in_order(plan: str) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        dealt = _names(value)
        return set(order(**case)) <= set(dealt) <= set(case["cards"]) and not _broken(plan, dealt)

    def explain(case: Case, value: Any) -> str:
        broken = _broken(plan, _names(value))
        return f"In this order, {broken}." if broken else "A card is missing that belongs there."

    return Step(
        f"{plan}_order", 1, right, applies=lambda case: case["plan"] == plan, part="", explain=explain
    )


def _broken(plan: str, dealt: Sequence[str]) -> str:
    at = {card: place for place, card in enumerate(dealt)}
    pairs = ((a, b, words) for a, b, words in _BEFORE[plan] if a in at and b in at)
    return next((words for a, b, words in pairs if at[a] > at[b]), "")


def _explain_cards(case: Case, value: Any) -> str:
    dealt = _names(value)
    if not dealt:
        return "Expected a list of cards, in their order."
    surplus = next((card for card in dealt if card not in order(**case)), None)
    if surplus is not None:
        return f"{quoted(surplus)} does not belong there. What would it do to users?"
    twice = next((card for card in dealt if dealt.count(card) > 1), None)
    if twice is not None:
        return f"{quoted(twice)} is in your list more than once."
    return f"Cards that belong there and are not in your list: {len(set(order(**case)) - set(dealt))}."


EXERCISE = Exercise(
    id="02-canary",
    assignment="02_planes",
    title="Order a canary and a rollback",
    kind="order",
    outcome="Release a model so that few users meet its faults, and take it back whole.",
    minutes=16,
    steps=(
        Step("cards", 1, _right_cards, part="", explain=_explain_cards),
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
        compared_at_the_end,
        promoted_on_the_alert,
        watched_the_machines,
        rolled_back_the_model_only,
        debugged_on_users,
        retrained_the_fault,
        trusted_the_command,
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
)  # fmt: skip
