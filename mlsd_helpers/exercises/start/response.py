"""Exercise 4: put the response to an incident in order."""

import random
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from typing import Any

from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step

Card = dict[str, str]
Pairs = tuple[tuple[str, str], ...]

USEFUL = ("declare", "stop", "restore_one", "restore_all", "cause", "gate", "resume", "review")
USELESS = ("retrain", "scale", "delete_logs")
_FIRST: Pairs = tuple(("declare", later) for later in USEFUL[2:])
"""Whoever is on call may stop a job at once, and declare the incident right after."""
_SOURCE: Pairs = (("stop", "restore_one"), ("stop", "restore_all"))
_ONE: Pairs = (("restore_one", "restore_all"),)
_CAUSE: Pairs = (("restore_all", "cause"),)
_GATE: Pairs = (("gate", "resume"), ("restore_all", "resume"))
"""A check of size needs no cause, so it may come before the cause is known."""


def _in_order(cards: Sequence[Card], order: Sequence[str]) -> list[str]:
    """Return the ids of the cards whose action is in `order`, in that order."""
    by_action = {card["does"]: card["id"] for card in cards}
    return [by_action[action] for action in order if action in by_action]


def respond(cards: Sequence[Card]) -> list[str]:
    """Lead, stop the source, restore one, restore all; then ask why, put a gate there, start again, learn."""
    return _in_order(cards, USEFUL)


def respond_review_early(cards: Sequence[Card]) -> tuple[str, ...]:
    """Write the review as soon as the cause is known."""
    early = ("declare", "stop", "restore_one", "restore_all", "cause", "review", "gate", "resume")
    return tuple(_in_order(cards, early))


def respond_gate_first(cards: Sequence[Card]) -> list[str]:
    """Stop the job before all else, and put the gate in while the cause is still looked for."""
    early = ("stop", "declare", "restore_one", "restore_all", "gate", "resume", "cause", "review")
    return _in_order(cards, early)


def respond_by_constraints(cards: Sequence[Card]) -> list[str]:
    """Let a topological sort find an order from what has to come before what."""
    graph: dict[str, set[str]] = {action: set() for action in USEFUL}
    for before, after in (*_FIRST, *_SOURCE, *_ONE, *_CAUSE, *_GATE, ("cause", "review")):
        graph[after].add(before)
    return _in_order(cards, tuple(TopologicalSorter(graph).static_order()))


def asked_why_first(cards: Sequence[Card]) -> list[str]:
    """You look for the cause while customers see errors. The cause is interesting, and can wait; the last good file
    is there now. How long does a search take that nobody has begun?
    """
    order = ("declare", "stop", "cause", "restore_one", "restore_all", "gate", "resume", "review")
    return _in_order(cards, order)


def restored_under_a_running_job(cards: Sequence[Card]) -> list[str]:
    """You put the good file back while the job that makes the bad one is still running. What lies there after its
    next run? Stop the source first.
    """
    order = ("declare", "restore_one", "restore_all", "stop", "cause", "gate", "resume", "review")
    return _in_order(cards, order)


def all_machines_at_once(cards: Sequence[Card]) -> list[str]:
    """You change all machines at once, and look at one of them afterwards. That is how the faulty file got there. If
    the "good" file is not good either, who is left?
    """
    order = ("declare", "stop", "restore_all", "restore_one", "cause", "gate", "resume", "review")
    return _in_order(cards, order)


def resumed_without_a_gate(cards: Sequence[Card]) -> list[str]:
    """You start the job again before anything has changed. The same input makes the same faulty file. What would stop
    it this time?
    """
    order = ("declare", "stop", "restore_one", "restore_all", "resume", "cause", "gate", "review")
    return _in_order(cards, order)


def treated_the_model(cards: Sequence[Card]) -> list[str]:
    """You blame the model, or something else that was not broken. Its file was: a new model reads the same file,
    more machines read it too, and without logs nobody learns why. What in your list makes the errors stop?
    """
    return _in_order(cards, ("declare", "stop", *USELESS, *USEFUL[2:]))


def told_nobody(cards: Sequence[Card]) -> list[str]:
    """You declare the incident at the end. Until then nobody leads, two people undo each other's changes, and
    customers guess. Who decides the first step?
    """
    return _in_order(cards, (*USEFUL[1:], "declare"))


def _cards(ids: Sequence[str], actions: Sequence[str]) -> Case:
    return {"cards": [{"id": card, "does": action} for card, action in zip(ids, actions, strict=True)]}


def _draw(rng: random.Random) -> Case:
    """Draw cards with fresh names, shuffled; now and then one that could be useful is missing."""
    spared = rng.choice([(), (), ("restore_one",), ("review",)])
    actions = [*(a for a in USEFUL if a not in spared), *rng.sample(USELESS, 2)]
    rng.shuffle(actions)
    return _cards([f"c{n}" for n in rng.sample(range(10, 100), len(actions))], actions)


def _actions(case: Case, value: Any) -> list[str] | None:
    """Return the actions behind an ordering, or None where it is no ordering of these cards."""
    if not isinstance(value, list | tuple) or not value:
        return None
    known = {card["id"]: card["does"] for card in case["cards"]}
    ids = [str(card) for card in value]
    return [known[card] for card in ids] if len(set(ids)) == len(ids) and set(ids) <= set(known) else None


def _kept(case: Case, value: Any, pairs: Pairs) -> bool:
    """Tell whether each pair is in order; a card that is on the table has to be in the list."""
    actions = _actions(case, value)
    there = {card["does"] for card in case["cards"]}
    if actions is None:
        return False
    wanted = [pair for pair in pairs if set(pair) <= there]
    return all(set(pair) <= set(actions) for pair in wanted) and all(
        actions.index(before) < actions.index(after) for before, after in wanted
    )


def _nothing_useless(case: Case, value: Any, _: Given) -> bool:
    actions = _actions(case, value)
    return actions is not None and not set(actions) & set(USELESS)


def _left_out(case: Case, actions: Sequence[str]) -> str:
    missing = {card["does"] for card in case["cards"]} & set(USEFUL) - set(actions)
    return f" Cards that help here and are not in your list: {len(missing)}." if missing else ""


def _explain(pairs: Pairs, words: str, ask: str) -> Callable[[Case, Any], str]:
    """Say which card comes too early, as `words` on its place in the order, and `ask`; or that cards are left out."""

    def explain(case: Case, value: Any) -> str:
        actions = _actions(case, value)
        if actions is None:
            return "Expected a list of the cards' ids, each at most once, in the order in which you act."
        ids = {card["does"]: card["id"] for card in case["cards"]}
        both = [pair for pair in pairs if set(pair) <= set(actions)]
        early = [after for before, after in both if actions.index(before) > actions.index(after)]
        if early:
            first = min(early, key=actions.index)
            return f"`{ids[first]}` ({first}) comes {words}. {ask}{_left_out(case, actions)}"
        return _left_out(case, actions).strip()

    return explain


def _explain_useless(case: Case, value: Any) -> str:
    actions = _actions(case, value)
    if actions is None:
        return "Expected a list of the cards' ids, each at most once, in the order in which you act."
    return f"One of these mends nothing.{_left_out(case, actions)}"


def _order_step(name: str, pairs: Pairs, words: str, ask: str) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        return _kept(case, value, pairs)

    def applies(case: Case) -> bool:
        there = {card["does"] for card in case["cards"]}
        return any(set(pair) <= there for pair in pairs)

    return Step(name, 1, right, applies=applies, part="", explain=_explain(pairs, words, ask))


EXERCISE = Exercise(
    id="00-response",
    assignment="00_start_here",
    title="Order the response",
    kind="order",
    outcome="Order the response to an incident: lead, contain, restore with care, and only then ask why.",
    minutes=12,
    steps=(
        _order_step("lead_first", _FIRST, "before anybody leads", "Who decides what is done, and tells customers?"),
        _order_step("source_before_restore", _SOURCE, "while the job still makes and sends files",
                    "What does it do to what you restore?"),
        _order_step("one_before_all", _ONE, "before the file was tried on one machine",
                    "How would you know that it is good?"),
        _order_step("restore_before_cause", _CAUSE, "while every machine still fails",
                    "Do customers have to wait until the cause is known?"),
        _order_step("gate_before_resume", _GATE, "before the check is there and the machines are back",
                    "What refuses the next faulty file?"),
        Step("nothing_useless", 1, _nothing_useless, part="", explain=_explain_useless),
    ),
    cases=(
        _cards(
            "abcdefghij",
            ("cause", "resume", "restore_all", "retrain", "declare", "review", "gate", "stop", "scale",
             "restore_one"),
        ),
        _cards(
            "qrstuvwxy",
            ("stop", "delete_logs", "gate", "restore_all", "cause", "retrain", "resume", "declare", "restore_one"),
        ),
    ),
    reference=respond,
    alternatives=(respond_review_early, respond_gate_first, respond_by_constraints),
    mistakes=(
        asked_why_first,
        restored_under_a_running_job,
        all_machines_at_once,
        resumed_without_a_gate,
        treated_the_model,
        told_nobody,
    ),
    hints=(
        "Look for pairs first: which card makes another one useless, or dangerous, when it comes later?",
        (
            "Start with a list of actions in your order. Then turn each into the id of its card, where there is such "
            "a card, and leave out what mends nothing."
        ),
        (
            "A neighbour: water runs from the ceiling. Call out, shut the tap, mop one room and see whether it stays "
            "dry, mop the others; then look for the leak, mend it, open the tap."
        ),
    ),
    draw=_draw,
)  # fmt: skip
