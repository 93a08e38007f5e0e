"""Exercise 2: turn a wish into an inequality that a test can fail."""

import contextlib
import math
import random
from collections.abc import Mapping
from typing import Any

from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Step, Stratum, is_number, same

Reply = Mapping[str, Any]

_TO_BASE: dict[str, tuple[str, float]] = {
    "ms": ("s", 1e-3), "s": ("s", 1.0), "min": ("s", 60.0), "h": ("s", 3600.0),
    "requests/s": ("requests/s", 1.0), "requests/min": ("requests/s", 1 / 60),
    "1": ("1", 1.0), "%": ("1", 0.01),
    "$": ("$", 1.0), "cents": ("$", 0.01),
}  # fmt: skip
"""Each unit, the base unit of its kind, and how many of those it is."""

_COMPARATORS = {"at most": "<=", "under": "<", "at least": ">=", "more than": ">"}
_SIGNS = {"≤": "<=", "≥": ">="}
_QUANTITIES = {
    "freshness": "worst feature age",
    "load": "peak request rate",
    "uptime": "availability",
    "labels": "cost per label",
}


def _quantity(reply: Reply) -> str:
    if reply["about"] == "latency":
        return f"p{reply['share_percent']} latency"
    return _QUANTITIES[reply["about"]]


def inequality(reply: Reply) -> Answer:
    """Name the quantity, the comparator, the number, and the unit of the number, as they were said."""
    return {
        "quantity": _quantity(reply),
        "comparator": _COMPARATORS[reply["word"]],
        "value": reply["limit"],
        "unit": reply["unit"],
    }


def inequality_in_base_units(reply: Reply) -> Answer:
    """Convert everything: seconds, requests per second, shares, dollars."""
    unit, factor = _TO_BASE[reply["unit"]]
    return {**inequality(reply), "value": reply["limit"] * factor, "unit": unit}


def inequality_with_signs(reply: Reply) -> Answer:
    """Write the comparators as one sign."""
    signs = {"at most": "≤", "under": "<", "at least": "≥", "more than": ">"}
    return {**inequality(reply), "comparator": signs[reply["word"]]}


def left_it_a_wish(reply: Reply) -> Answer:
    """That is still a wish: no measurement could fail it. Two people read a wish in two ways, and find out after the
    system is built. Which number would make you say that it was not kept?
    """
    return {"quantity": reply["about"], "comparator": "is", "value": "good", "unit": "good"}


def _renamed(reply: Reply, about: str, quantity: str) -> Answer:
    right = inequality(reply)
    return {**right, "quantity": quantity} if reply["about"] == about else right


def mean_for_the_tail(reply: Reply) -> Answer:
    """You took the mean where something was promised to nearly everybody. A mean is kept while the unlucky ones wait
    ten times as long, and it is they who complain. Whom does the promise speak of?
    """
    return _renamed(reply, "latency", "mean latency")


def mean_for_the_worst(reply: Reply) -> Answer:
    """You took the mean age where something was promised at every moment. A mean is kept while the model reads old data
    for hours of each day. Which reading would break the promise?
    """
    return _renamed(reply, "freshness", "mean feature age")


def mean_for_the_peak(reply: Reply) -> Answer:
    """You promised the mean rate where the reply spoke of the busiest minute. Quiet times are in the
    mean. What happens in that minute to a system made for the mean?
    """
    return _renamed(reply, "load", "mean request rate")


def one_percentile_for_all(reply: Reply) -> Answer:
    """You promised p99 whatever was said. The reply says in which share of the answers the limit has to hold, and
    another share is another promise. Where does it stand?
    """
    return _renamed(reply, "latency", "p99 latency")


def renamed_the_unit(reply: Reply) -> Answer:
    """You changed the unit and not the number. Value and unit are one thing: convert both, or neither. How far off is
    the promise now?
    """
    return {**inequality(reply), "unit": _TO_BASE[reply["unit"]][0]}


def changed_the_number_alone(reply: Reply) -> Answer:
    """You converted the number and kept its old unit. Value and unit are one thing: convert both, or neither. How far
    off is the promise now?
    """
    return {**inequality(reply), "value": reply["limit"] * _TO_BASE[reply["unit"]][1]}


def left_out_the_limit(reply: Reply) -> Answer:
    """You wrote a strict limit where the reply lets its own value in. "At most" and "at least" are kept by a system
    that is exactly on the limit; "under" and "more than" are not. What does your test say of it?
    """
    right = inequality(reply)
    return {**right, "comparator": right["comparator"][0]}


def blurred_the_boundary(reply: Reply) -> Answer:
    """You wrote a limit that includes its own value where the reply left it out. "Under" and "more than" are
    strict; "at most" and "at least" are not. What does your test say of a system that is exactly on the limit?
    """
    right = inequality(reply)
    return {**right, "comparator": {"<": "<=", ">": ">="}.get(right["comparator"], right["comparator"])}


def let_the_limit_in_after(word: str, reply: Reply) -> Answer:
    """Include the limit after one of the strict words alone."""
    return blurred_the_boundary(reply) if reply["word"] == word else inequality(reply)


def under_lets_the_limit_in(reply: Reply) -> Answer:
    """You wrote "under" as "at most". A system that is exactly on the limit is not under it: what would your test say
    of it?
    """
    return let_the_limit_in_after("under", reply)


def more_than_lets_the_limit_in(reply: Reply) -> Answer:
    """You wrote "more than" as "at least". A system that is exactly on the limit is not above it: what would your test
    say of it?
    """
    return let_the_limit_in_after("more than", reply)


def cut_the_percentile(reply: Reply) -> Answer:
    """You made a whole number of the share. Of a thousand answers, p99 lets ten be slow and p99.9 one: which of them
    was promised?
    """
    return inequality({**reply, "share_percent": int(reply.get("share_percent", 0))})


def turned_it_round(reply: Reply) -> Answer:
    """Your comparator points the other way. Read it aloud: what is promised has to make the system *better* when it
    is kept by far. Would this test pass for a system that never answers?
    """
    right = inequality(reply)
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
    return {**right, "comparator": turned[right["comparator"]]}


def _case(wish: str, about: str, word: str, limit: float, unit: str, **more: Any) -> Case:
    return {"reply": {"wish": wish, "about": about, **more, "word": word, "limit": limit, "unit": unit}}


def _latency(rng: random.Random) -> Case:
    limit, unit = rng.choice([(rng.randrange(50, 900, 10), "ms"), (rng.choice([1, 2, 3]), "s")])
    share = rng.choice([95, 99, 99.9])
    word = rng.choice(["at most", "under"])
    return _case("It has to feel instant.", "latency", word, limit, unit, share_percent=share)


def _freshness(rng: random.Random) -> Case:
    limit, unit = rng.choice([(rng.randrange(5, 60, 5), "min"), (rng.choice([1, 2, 6, 24]), "h")])
    return _case("We need current data.", "freshness", rng.choice(["at most", "under"]), limit, unit)


def _load(rng: random.Random) -> Case:
    limit = rng.randrange(600, 60_000, 300)
    return _case("It must not break at Christmas.", "load", rng.choice(["at least", "more than"]), limit,
                 "requests/min")  # fmt: skip


def _uptime(rng: random.Random) -> Case:
    limit = rng.choice([99, 99.5, 99.9, 99.95])
    return _case("It is always there.", "uptime", rng.choice(["at least", "more than"]), limit, "%")


def _labels(rng: random.Random) -> Case:
    limit = rng.randrange(2, 40)
    return _case("Labels should be cheap.", "labels", rng.choice(["at most", "under"]), limit, "cents")


def _draw(rng: random.Random) -> Case:
    """Draw a wish, and the numbers that came out when somebody asked."""
    return rng.choice((_latency, _freshness, _load, _uptime, _labels))(rng)


def _right_quantity(case: Case, value: Any, _: Given) -> bool:
    return same(_quantity_in_words(value), _quantity(case["reply"]))


def _quantity_in_words(value: str) -> str:
    """Return a quantity without spare spaces, and with the percentile in its shortest form: p99, not p99.0."""
    first, *rest = value.casefold().split()
    with contextlib.suppress(ValueError):
        first = f"p{float(first.removeprefix('p')):g}"
    return " ".join([first, *rest])


def _sign(value: Any) -> Any:
    value = value.strip() if isinstance(value, str) else value
    return _SIGNS.get(value, value)


def _unit(value: Any) -> str:
    return str(value).strip().casefold()


def _right_comparator(case: Case, value: Any, _: Given) -> bool:
    return bool(_sign(value) == _COMPARATORS[case["reply"]["word"]])


def _field(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, Mapping) else getattr(answer, name, None)


def _right_value(case: Case, answer: Any, _: Given) -> bool:
    """Tell whether number and unit together say what was said, in any unit of its kind."""
    value, unit = _field(answer, "value"), _unit(_field(answer, "unit"))
    if not is_number(value) or unit not in _TO_BASE:
        return False
    base, factor = _TO_BASE[case["reply"]["unit"]]
    mine, my_factor = _TO_BASE[unit]
    expected = case["reply"]["limit"] * factor
    return mine == base and math.isclose(float(value) * my_factor, expected, rel_tol=1e-6)


def _explain_quantity(_: Case, value: Any) -> str:
    known = {*_QUANTITIES.values(), "mean latency", "mean feature age", "mean request rate"}
    if not isinstance(value, str) or not (value in known or value.startswith("p")):
        return "That is none of the quantities in the table. Something that nobody measures cannot be tested."
    return "Of whom does the reply speak: of all together, of the slowest, of the busiest moment?"


def _explain_comparator(_: Case, value: Any) -> str:
    if _sign(value) not in _COMPARATORS.values():
        return "Expected one of '<', '<=', '>' and '>='."
    return "Which way does it point, and is the limit itself still allowed?"


def _explain_value(_: Case, answer: Any) -> str:
    if not is_number(_field(answer, "value")):
        return "`value` has to be a number: without one, no measurement can fail the sentence."
    if _unit(_field(answer, "unit")) not in _TO_BASE:
        return f"`unit` has to be one of {', '.join(map(repr, _TO_BASE))}."
    return "`value` and `unit` together are not what was said. Did you convert one of them alone?"


def _said(_: Case, answer: Any) -> list[str]:
    return [f"{_field(answer, 'value'):.6g} {_field(answer, 'unit')}"]


def _about(says: str, about: str, **more: Any) -> Stratum:
    wanted = {"about": about, **more}.items()
    return Stratum(says, lambda case: wanted <= case["reply"].items())


def _says(word: str) -> Stratum:
    return Stratum("the `word` before the number", lambda case: bool(case["reply"]["word"] == word))


EXERCISE = Exercise(
    id="00-inequality",
    assignment="00_start_here",
    title="From a wish to an inequality",
    kind="rewrite",
    outcome="State an assumption as an inequality: quantity, comparator, number, unit.",
    minutes=11,
    steps=(
        Step("quantity", 1, _right_quantity, explain=_explain_quantity),
        Step("comparator", 1, _right_comparator, explain=_explain_comparator),
        Step("value_and_unit", 1, _right_value, part="", explain=_explain_value, shows=_said),
    ),
    cases=(
        _case("It has to feel instant.", "latency", "at most", 300, "ms", share_percent=99),
        _case("We need current data.", "freshness", "under", 15, "min"),
        _case("It must not break at Christmas.", "load", "at least", 30_000, "requests/min"),
        _case("It is always there.", "uptime", "more than", 99.9, "%"),
        _case("Labels should be cheap.", "labels", "at most", 8, "cents"),
        _case("Nobody should wait.", "latency", "under", 2, "s", share_percent=95),
        _case("It must never hang.", "latency", "at most", 5, "s", share_percent=99.9),
    ),
    reference=inequality,
    alternatives=(inequality_in_base_units, inequality_with_signs),
    mistakes=(
        left_it_a_wish,
        mean_for_the_tail,
        mean_for_the_worst,
        mean_for_the_peak,
        one_percentile_for_all,
        renamed_the_unit,
        changed_the_number_alone,
        left_out_the_limit,
        blurred_the_boundary,
        under_lets_the_limit_in,
        more_than_lets_the_limit_in,
        cut_the_percentile,
        turned_it_round,
    ),
    hints=(
        "Leave `wish` aside: it is what people say before anybody has asked. The rest of the reply is what they meant.",
        (
            "Start with two small dicts: one from `about` to the quantity, one from `word` to the comparator. A "
            "latency takes its percentile from `share_percent`: an f-string writes it."
        ),
        (
            'A neighbour: "97 of 100 letters arrive in under 2 days" is p97 delivery time < 2 d, or < 48 h. It is not '
            "mean delivery time <= 2 s, which is wrong three times."
        ),
    ),
    draw=_draw,
    strata=(
        _about("for a latency also the `share_percent` of the answers", "latency", share_percent=95),
        _about("for a latency also the `share_percent` of the answers", "latency", share_percent=99.9),
        _about("A load is what has to be carried in the busiest minute", "load"),
        _about("a freshness holds whenever the model reads", "freshness"),
        _about("then comes what it is `about`", "uptime"),
        _about("then comes what it is `about`", "labels"),
        *map(_says, _COMPARATORS),
        Stratum("the `limit` and its `unit`", lambda case: case["reply"]["unit"] in {"ms", "min"}),
        Stratum("Units: `ms`, `s`, `min`, `h`", lambda case: case["reply"]["unit"] in {"s", "h"}),
    ),
    general=(
        "No measurement",
        "Somebody asked",
        "Write `inequality`",
        "- `quantity`",
        "- `comparator`",
        "- `value` and `unit`",
        "Read aloud",
    ),
)
