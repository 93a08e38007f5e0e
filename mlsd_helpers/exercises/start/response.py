"""Exercise 4: put the response to an incident in order."""

import random
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum

Card = dict[str, str]
Pairs = tuple[tuple[str, str], ...]

USEFUL = ("declare", "stop", "restore_one", "restore_all", "cause", "gate", "resume", "review")
USELESS = ("retrain", "scale", "delete_logs")
_FIRST: Pairs = tuple(("declare", later) for later in USEFUL[2:])
"""Whoever is on call may stop a job at once, and declare the incident right after."""
_SOURCE: Pairs = (("stop", "restore_one"), ("stop", "restore_all"))
_ONE: Pairs = (("restore_one", "restore_all"),)
_CAUSE: Pairs = (("restore_all", "cause"), ("restore_all", "review"), ("cause", "review"))
_GATE: Pairs = (("gate", "resume"), ("restore_all", "resume"))
"""A check of size needs no cause, so it may come before the cause is known."""

_EARLY = {
    "declare": "before anybody leads. Who decides what is done, and tells customers?",
    "stop": "while the job still makes and sends files. What does it do to what you restore?",
    "restore_one": "before the file was tried on one machine. How would you know that it is good?",
    "restore_all": "while every machine still fails. Do customers have to wait for it?",
    "cause": "before the cause is known. What is there to write down?",
    "gate": "before the check is there. What refuses the next faulty file?",
}
"""What is said of a card that comes before one that it has to wait for."""


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
    for before, after in (*_FIRST, *_SOURCE, *_ONE, *_CAUSE, *_GATE):
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


def resumed_while_machines_fail(cards: Sequence[Card]) -> list[str]:
    """You start the job again while machines still fail. Whatever it sends now comes on top of the trouble, and nobody
    can tell the two apart. What has to be over first?
    """
    order = ("declare", "stop", "gate", "resume", "restore_one", "restore_all", "cause", "review")
    return _in_order(cards, order)


def reviewed_before_the_cause(cards: Sequence[Card]) -> list[str]:
    """You write the review before the cause is known. It says what happened and what will change: what would you put
    there now?
    """
    order = ("declare", "stop", "restore_one", "restore_all", "review", "cause", "gate", "resume")
    return _in_order(cards, order)


def retrained_the_model(cards: Sequence[Card]) -> list[str]:
    """You train the model again. It was not broken, its file was: a new model reads the same file. What in your list
    makes the errors stop?
    """
    return _in_order(cards, ("declare", "stop", "retrain", *USEFUL[2:]))


def added_machines(cards: Sequence[Card]) -> list[str]:
    """You double the machines. All that read the faulty file fail, and so do the new ones. What in your list makes the
    errors stop?
    """
    return _in_order(cards, ("declare", "stop", "scale", *USEFUL[2:]))


def deleted_the_evidence(cards: Sequence[Card]) -> list[str]:
    """You delete the logs. Nothing here says that room is short, and without them nobody learns why the file was
    faulty. Who reads them tomorrow?
    """
    return _in_order(cards, ("declare", "stop", "delete_logs", *USEFUL[2:]))


def told_nobody(cards: Sequence[Card]) -> list[str]:
    """You act before you declare the incident. Until then nobody leads, two people undo each other's changes, and
    customers guess. Who decides the first step?
    """
    return _in_order(cards, (*USEFUL[1:], "declare"))


_MAY_BE_MISSING = ("declare", "restore_one", "cause", "gate", "review")


def _cards(ids: Sequence[str], actions: Sequence[str]) -> Case:
    return {"cards": [{"id": card, "does": action} for card, action in zip(ids, actions, strict=True)]}


def _draw(rng: random.Random) -> Case:
    """Draw cards with fresh names, shuffled; now and then one that could be useful is missing."""
    spared = rng.choice([(), (), *((card,) for card in _MAY_BE_MISSING)])
    actions = [*(a for a in USEFUL if a not in spared), *rng.sample(USELESS, 2)]
    rng.shuffle(actions)
    return _cards([f"c{n}" for n in rng.sample(range(10, 100), len(actions))], actions)


def _actions(case: Case, value: Any) -> list[str] | None:
    """Return the actions behind an ordering, or None where it is no ordering of these cards."""
    if isinstance(value, str | set | frozenset | Mapping) or not isinstance(value, Iterable):
        return None
    known = {card["id"]: card["does"] for card in case["cards"]}
    ids = list(map(str, value))
    return [known[card] for card in ids] if len(set(ids)) == len(ids) and set(ids) <= set(known) else None


def _on_the_table(case: Case, pairs: Pairs) -> list[tuple[str, str]]:
    there = {card["does"] for card in case["cards"]}
    return [pair for pair in pairs if set(pair) <= there]


def _too_early(case: Case, actions: Sequence[str], pairs: Pairs) -> list[tuple[str, str]]:
    both = [pair for pair in _on_the_table(case, pairs) if set(pair) <= set(actions)]
    return [(before, after) for before, after in both if actions.index(before) > actions.index(after)]


def _missing(case: Case, actions: Sequence[str]) -> list[Card]:
    return [card for card in case["cards"] if card["does"] in USEFUL and card["does"] not in actions]


def _left_out(case: Case, actions: Sequence[str]) -> str:
    cards = [f"`{card['id']}` ({card['does']})" for card in _missing(case, actions)]
    if not cards:
        return ""
    more = f", and {len(cards) - 1} more that help" if cards[1:] else ""
    return f"{cards[0]} is not in your list{more}."


_NO_ORDER = "Expected a list of the cards' ids, each at most once, in the order in which you act."


def _nothing_useless(case: Case, value: Any, _: Given) -> bool:
    actions = _actions(case, value)
    return bool(actions) and not set(actions or ()) & set(USELESS)


def _explain_useless(case: Case, value: Any) -> str:
    actions = _actions(case, value)
    if actions is None:
        return _NO_ORDER
    useless = next((card for card in case["cards"] if card["does"] in {*USELESS} & {*actions}), None)
    mends = f"`{useless['id']}` ({useless['does']}) mends nothing here. " if useless else ""
    return f"{mends}{_left_out(case, actions)}".strip()


def _useless(case: Case, value: Any) -> set[str]:
    return set(_actions(case, value) or ()) & set(USELESS)


def _order_step(name: str, pairs: Pairs) -> Step:
    """Make a step that asks each pair to be in order; a card that is on the table has to be in the list."""

    def right(case: Case, value: Any, _: Given) -> bool:
        actions = _actions(case, value)
        if actions is None:
            return False
        wanted = {card for pair in _on_the_table(case, pairs) for card in pair}
        return wanted <= set(actions) and not _too_early(case, actions, pairs)

    def explain(case: Case, value: Any) -> str:
        actions = _actions(case, value)
        if actions is None:
            return _NO_ORDER
        early = _too_early(case, actions, pairs)
        if not early:
            return _left_out(case, actions)
        ids = {card["does"]: card["id"] for card in case["cards"]}
        before, after = min(early, key=lambda pair: actions.index(pair[1]))
        return f"`{ids[after]}` ({after}) comes {_EARLY[before]} {_left_out(case, actions)}".strip()

    def shows(case: Case, value: Any) -> set[str]:
        """Say what waits too short for what, whatever else does."""
        actions = _actions(case, value)
        early = _too_early(case, actions or (), pairs)
        faults = {f"early {after}" if pairs is _CAUSE else before for before, after in early}
        return faults | {f"no {card['does']}" for card in _missing(case, actions or ())}

    def applies(case: Case) -> bool:
        return bool(_on_the_table(case, pairs))

    return Step(name, 1, right, applies=applies, part="", explain=explain, shows=shows)


def _there(action: str) -> Stratum:
    return Stratum(f"| `{action}` |", lambda case: any(card["does"] == action for card in case["cards"]))


def _not_there(action: str) -> Stratum:
    return Stratum("some may be missing", lambda case: all(card["does"] != action for card in case["cards"]))


EXERCISE = Exercise(
    id="00-response",
    assignment="00_start_here",
    title="Order the response",
    kind="order",
    outcome="Order the response to an incident: lead, contain, restore with care, and only then ask why.",
    minutes=12,
    steps=(
        _order_step("lead_first", _FIRST),
        _order_step("source_before_restore", _SOURCE),
        _order_step("one_before_all", _ONE),
        _order_step("restore_before_cause", _CAUSE),
        _order_step("gate_before_resume", _GATE),
        Step("nothing_useless", 1, _nothing_useless, part="", explain=_explain_useless, shows=_useless),
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
        resumed_while_machines_fail,
        reviewed_before_the_cause,
        retrained_the_model,
        added_machines,
        deleted_the_evidence,
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
    strata=(*map(_there, (*_MAY_BE_MISSING, *USELESS)), *map(_not_there, _MAY_BE_MISSING)),
    general=(
        "A job makes", "Its last one", "The last good file", "On the table", "| `does` |", "| `restore_all` |",
        "| `resume` |", "| `stop` |", "Write `respond`", "Leave out", "More than one order", "Grading shuffles",
    ),
)  # fmt: skip
