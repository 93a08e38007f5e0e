"""Exercise 3: what happens while the model is silent? Fail open or fail closed, with the reason."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Step, Stratum, equals

Use = Mapping[str, Any]
_REQUESTS = 1_000


def _open_loss(use: Use) -> float:
    return float(_REQUESTS * use["bad_share"] * use["loss_if_passed"])


def _closed_loss(use: Use) -> float:
    return float(_REQUESTS * (1 - use["bad_share"]) * use["loss_if_stopped"])


def _decided(use: Use, open_loss: float, closed_loss: float) -> Answer:
    """Decide by what cannot be undone, then by the smaller loss."""
    if not use["can_be_undone"]:
        fallback, reason = "closed", "cannot be undone"
    elif closed_loss < open_loss:
        fallback, reason = "closed", "passing costs more"
    else:
        fallback, reason = "open", "stopping costs more"
    return {"open_loss": open_loss, "closed_loss": closed_loss, "fallback": fallback, "reason": reason}


def fallback(use: Use) -> Answer:
    """Weigh what passes wrongly against what is stopped wrongly."""
    return _decided(use, _open_loss(use), _closed_loss(use))


def fallback_by_request(use: Use) -> Answer:
    """Go by the expected loss of one request, and multiply last."""
    bad = use["bad_share"]
    passed, stopped = bad * use["loss_if_passed"], use["loss_if_stopped"] - bad * use["loss_if_stopped"]
    return _decided(use, passed * _REQUESTS, stopped * _REQUESTS)


class Decision:
    """An answer that is an object instead of a dict."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


def fallback_as_record(use: Use) -> Decision:
    """Do the same, and answer with an object."""
    return Decision(**fallback(use))


def closed_is_always_safe(use: Use) -> Answer:
    """You close whatever happens. Closed is safe for the one who guards the door, not for the honest people before
    it: with the door shut, the whole site is down. What does that cost an hour?
    """
    return {**fallback(use), "fallback": "closed"}


def open_is_always_kind(use: Use) -> Answer:
    """You open whatever happens. An outage is then the hour to attack, and who attacks watches for it. What passes in
    that hour, and can it be taken back?
    """
    return {**fallback(use), "fallback": "open"}


def charged_every_request_as_bad(use: Use) -> Answer:
    """You charge opening for every request. A good one that passes costs nothing: only the bad ones do. How many of a
    thousand are bad?
    """
    return _decided(use, float(_REQUESTS * use["loss_if_passed"]), _closed_loss(use))


def compared_one_with_one(use: Use) -> Answer:
    """You decided by what one bad request costs and what one good one costs. Your two losses also say how often each
    comes: which of them is the smaller?
    """
    return {**fallback(use), "fallback": _by_one(use)}


def _by_one(use: Use) -> str:
    closed = not use["can_be_undone"] or use["loss_if_passed"] > use["loss_if_stopped"]
    return "closed" if closed else "open"


def chose_the_larger_loss(use: Use) -> Answer:
    """You chose the way that loses more. Each loss is what that way costs: opening costs the open loss. Which of them
    do you want to pay?
    """
    return {**fallback(use), "fallback": _by_larger(use, _open_loss(use), _closed_loss(use))}


def _by_larger(use: Use, open_loss: float, closed_loss: float) -> str:
    right: str = _decided(use, open_loss, closed_loss)["fallback"]
    return _OTHER[right] if use["can_be_undone"] else right


def opened_where_it_cannot_be_undone(use: Use) -> Answer:
    """You open where the harm cannot be undone. Open lets the bad requests pass, and what they do stays. Which way
    keeps that harm out?
    """
    right = fallback(use)
    return {**right, "fallback": right["fallback"] if use["can_be_undone"] else "open"}


def money_came_first(use: Use) -> Answer:
    """You named what cannot be undone only where money spoke for opening. It decides alone, and so it is the reason
    also where money says the same. Would another price change the decision?
    """
    return {**fallback(use), "reason": _money_first(use, _open_loss(use), _closed_loss(use))}


def _money_first(use: Use, open_loss: float, closed_loss: float) -> str:
    by_money = _decided({**use, "can_be_undone": True}, open_loss, closed_loss)
    agrees = by_money["fallback"] == "closed"
    reason: str = (by_money if agrees else _decided(use, open_loss, closed_loss))["reason"]
    return reason


def charged_for_stopping_the_bad(use: Use) -> Answer:
    """You charge closing for every request. To stop a bad one costs nothing, it is what the model was there for: only
    the good ones that are stopped are a loss.
    """
    return _decided(use, _open_loss(use), float(_REQUESTS * use["loss_if_stopped"]))


def weighed_both_by_the_bad(use: Use) -> Answer:
    """You weighed both losses by the share of the bad requests. Closing stops the *good* ones, and that is the loss:
    how many of a thousand are good?
    """
    return _decided(use, _open_loss(use), float(_REQUESTS * use["bad_share"] * use["loss_if_stopped"]))


def gave_money_as_the_reason(use: Use) -> Answer:
    """You gave money as the reason where the harm cannot be undone. What decides there is not the price: which of the
    three reasons would still hold if the other way were cheaper?
    """
    by_money = _decided({**use, "can_be_undone": True}, _open_loss(use), _closed_loss(use))
    return {**fallback(use), "reason": by_money["reason"]}


def put_a_price_on_everything(use: Use) -> Answer:
    """You decided by money where the harm cannot be undone. A sum of money can be paid back; an injury or a leak
    cannot, and then the mean loss says nothing. Who would sign that decision?
    """
    by_money = _decided({**use, "can_be_undone": True}, _open_loss(use), _closed_loss(use))
    return {**fallback(use), "fallback": by_money["fallback"]}


def one_request_each(use: Use) -> Answer:
    """You held one bad request against one good one. The losses that are asked for are those of a thousand requests:
    how many of each kind are among them?
    """
    return _decided(use, use["loss_if_passed"], use["loss_if_stopped"])


def swapped_open_and_closed(use: Use) -> Answer:
    """You have the two words the wrong way round. Open lets everything *pass* while the model is silent, as an open
    door does; closed stops everything.
    """
    right = fallback(use)
    return {**right, "fallback": _OTHER[right["fallback"]]}


_OTHER = {"open": "closed", "closed": "open"}

_USES = (
    "bot score before a web shop",
    "fraud score at the till",
    "spam filter",
    "dose check in a clinic",
    "comment filter",
    "login risk score",
)


def _draw(rng: random.Random) -> Case:
    """Draw a use in which one way is clearly cheaper."""
    while True:
        use = {
            "name": rng.choice(_USES),
            "bad_share": rng.choice([0.0004, 0.0015, 0.002, 0.0125, 0.05, 0.2, 0.3]),
            "loss_if_passed": float(rng.randrange(2, 200)),
            "loss_if_stopped": rng.choice([0.02, 0.05, 0.2, 0.5, 1.0, 4.0]),
            "can_be_undone": rng.random() < 0.7,
        }
        ratio = _open_loss(use) / _closed_loss(use)
        if not 0.6 < ratio < 1.6:
            return {"use": use}


def _followed(case: Case, given: Given) -> Answer:
    """Decide by the learner's own losses."""
    return _decided(case["use"], given["open_loss"], given["closed_loss"])


def _by_money(case: Case, given: Given) -> Answer:
    return _followed({"use": {**case["use"], "can_be_undone": True}}, given)


def _explain(words: Mapping[str, str]) -> Any:
    def explain(_: Case, value: Any) -> str:
        known = words.get(str(value).strip().casefold())
        return known or f"Expected one of {', '.join(map(repr, words))}."

    return explain


_FALLBACK_WORDS = {
    "open": "Open lets everything pass. Hold that against your own two losses, and against what can be undone.",
    "closed": "Closed stops the honest ones too. Hold that against your own two losses.",
}
_REASON_WORDS = {
    "cannot be undone": "Here it can be: look at `can_be_undone`.",
    "passing costs more": "Do your own numbers say so? And is it money that decides here?",
    "stopping costs more": "Do your own numbers say so? And is it money that decides here?",
}


def _choice(name: str, words: Mapping[str, str]) -> Step:
    return replace(equals(name, 1, lambda case, given: _followed(case, given)[name]), explain=_explain(words))


def _is(case: Case, *, undone: bool, closing_costs_more: bool) -> bool:
    use = case["use"]
    return use["can_be_undone"] == undone and (_closed_loss(use) > _open_loss(use)) == closing_costs_more


EXERCISE = Exercise(
    id="00-fallback",
    assignment="00_start_here",
    title="When the model is silent",
    kind="decide and justify",
    outcome="Choose fail-open or fail-closed for one use, and give the reason.",
    minutes=12,
    steps=(
        equals("open_loss", 1, lambda case, _: _open_loss(case["use"]), tolerance=1e-3),
        equals("closed_loss", 1, lambda case, _: _closed_loss(case["use"]), tolerance=1e-3),
        _choice("fallback", _FALLBACK_WORDS),
        _choice("reason", _REASON_WORDS),
    ),
    cases=(
        {"use": {"name": "bot score before a web shop", "bad_share": 0.2, "loss_if_passed": 0.5, "loss_if_stopped": 4.0,
         "can_be_undone": True}},
        {"use": {"name": "fraud score at the till", "bad_share": 0.01, "loss_if_passed": 90.0, "loss_if_stopped": 0.2,
         "can_be_undone": True}},
        {"use": {"name": "dose check in a clinic", "bad_share": 0.001, "loss_if_passed": 150.0, "loss_if_stopped": 0.5,
         "can_be_undone": False}},
        {"use": {"name": "comment filter", "bad_share": 0.002, "loss_if_passed": 20.0, "loss_if_stopped": 1.0,
         "can_be_undone": True}},
        {"use": {"name": "login risk score", "bad_share": 0.0125, "loss_if_passed": 80.0, "loss_if_stopped": 0.5,
         "can_be_undone": False}},
    ),
    reference=fallback,
    alternatives=(fallback_by_request, fallback_as_record),
    mistakes=(
        Slip(closed_is_always_safe, {"fallback": lambda _, __: "closed"}),
        Slip(open_is_always_kind, {"fallback": lambda _, __: "open"}),
        charged_every_request_as_bad,
        charged_for_stopping_the_bad,
        Slip(compared_one_with_one, {"fallback": lambda case, _: _by_one(case["use"])}),
        Slip(
            chose_the_larger_loss,
            {"fallback": lambda case, given: _by_larger(case["use"], given["open_loss"], given["closed_loss"])},
        ),
        opened_where_it_cannot_be_undone,
        Slip(
            money_came_first,
            {"reason": lambda case, given: _money_first(case["use"], given["open_loss"], given["closed_loss"])},
        ),
        weighed_both_by_the_bad,
        one_request_each,
        Slip(put_a_price_on_everything, {"fallback": lambda case, given: _by_money(case, given)["fallback"]}),
        Slip(gave_money_as_the_reason, {"reason": lambda case, given: _by_money(case, given)["reason"]}),
        Slip(
            swapped_open_and_closed, {"fallback": lambda case, given: _OTHER[_followed(case, given)["fallback"]]}
        ),
    ),
    hints=(
        "Look at who is hurt each way: open, by the bad ones that pass; closed, by the good ones that are stopped.",
        (
            "Start with a thousand requests: how many of them are bad, and how many good? Each loss is a count times "
            "what one of them costs. Before you compare the two, look whether the harm can be undone."
        ),
        (
            "A neighbour: a lift whose camera is blind. 5 of 1,000 riders carry something forbidden, at $10 each; "
            "995 walk, at $1 each. Open loses $50, closed $995: open, because stopping costs more."
        ),
    ),
    draw=_draw,
    strata=(
        Stratum(
            "Harm that cannot be undone decides alone", lambda c: _is(c, undone=False, closing_costs_more=True)
        ),
        Stratum("whether the harm of a bad request", lambda c: _is(c, undone=False, closing_costs_more=False)),
        Stratum("otherwise the smaller loss does", lambda c: _is(c, undone=True, closing_costs_more=True)),
        Stratum("otherwise the smaller loss does", lambda c: _is(c, undone=True, closing_costs_more=False)),
        Stratum("the share of requests that are bad", lambda c: c["use"]["bad_share"] > 0.1),
    ),
    general=(
        "The model gives a score",
        "**Fail open**",
        "Neither is safe",
        "Often there is",
        "Write `fallback`",
        "- `loss_if_passed`",
        "- `loss_if_stopped`",
        "and returns a dict:",
        "- `open_loss`",
        "- `fallback`",
        "- `reason`",
    ),
)  # fmt: skip
