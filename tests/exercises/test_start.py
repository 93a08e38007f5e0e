"""What the exercises of lesson 00 can draw, and what they accept beyond their references."""

import itertools

import pytest

from mlsd_helpers.exercises import kit
from mlsd_helpers.exercises.start import inequality, kill, response

SUSPECTS = [
    kill.Suspect(1, fault, edge)
    for faults in kill.GROUPS.values()
    for fault in faults
    for edge in kill._EDGES.get(fault, (0.0,))
]


@pytest.mark.parametrize("suspect", SUSPECTS, ids=lambda suspect: f"{suspect._fault} {suspect._edge:g}")
@pytest.mark.parametrize("find", [kill.telling_inputs, kill.telling_inputs_by_grid])
def test_every_suspect_that_can_be_drawn_is_found_out(suspect, find):
    inputs = find(kill.Right(), suspect)
    assert kill.Right()(*inputs) != suspect(*inputs)


def test_a_suspect_does_not_show_its_fault():
    assert not any(
        fault in repr(kill.Suspect(7, fault)) for faults in kill.GROUPS.values() for fault in faults
    )


def test_inputs_out_of_range_tell_nothing():
    for odd in ((-500, 0.04, 0.7, 0.3), (500, 0.04, 0, 0.3), (500, 0.04, 7, 0.3), (500, 0.04, 0.7)):
        assert kit.judge(kill.EXERCISE, odd).score == 0


LENT = [kill.Right(), *SUSPECTS]
ODD = ["x" * 1_000, [0] * 1_000, 10**400, float("nan"), float("inf"), -1, 1e300, None, True, {}]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:9])
@pytest.mark.parametrize("at", range(4))
def test_a_function_that_a_case_lends_takes_numbers_in_range_alone(at, odd):
    inputs = [500, 0.04, 0.7, 0.3]
    inputs[at] = odd
    for function in LENT:
        with pytest.raises(ValueError, match=kill.NAMES[at]):
            function(*inputs)


def test_a_search_may_ask_beyond_what_it_may_answer():
    for inputs in ((0, 0.04, 0.7, 0.3), (1e9, 600, 0.001, 5), (0.5, 1e-6, 1, 0)):
        assert all(isinstance(function(*inputs), int) for function in LENT)


def value_is_right(reply, value, unit):
    step = inequality.EXERCISE.steps[-1]
    return step.right({"reply": reply}, {"value": value, "unit": unit}, {})


def test_a_number_is_right_in_every_unit_of_its_kind_and_in_no_other():
    reply = {"about": "freshness", "word": "at most", "limit": 15, "unit": "min"}
    assert value_is_right(reply, 900, "s")
    assert value_is_right(reply, 0.25, "h")
    assert not value_is_right(reply, 900, "requests/s")
    assert not value_is_right(reply, 15, "s")


BEFORE = [
    *(("declare", later) for later in ("restore_one", "restore_all", "cause", "gate", "resume", "review")),
    ("stop", "restore_one"),
    ("restore_one", "restore_all"),
    ("restore_all", "cause"),
    ("cause", "review"),
    ("gate", "resume"),
    ("restore_all", "resume"),
]


def test_every_order_that_keeps_what_has_to_come_before_what_is_right():
    case = response.EXERCISE.cases[1]
    ids = {card["does"]: card["id"] for card in case["cards"]}
    useful = [action for action in response.USEFUL if action in ids]
    for order in itertools.permutations(useful):
        kept = all(order.index(one) < order.index(other) for one, other in BEFORE if {one, other} <= {*order})
        answer = [ids[action] for action in order]
        judged = [step.right(case, answer, {}) for step in response.EXERCISE.steps if step.applies(case)]
        assert all(judged) == kept


def said_of(exercise, answer):
    return kit.judge(exercise, answer).message


def ordered(*actions):
    """Answer with cards of these actions, in this order, where there are such."""
    return lambda cards: response._in_order(cards, actions)


GOOD = response.USEFUL


@pytest.mark.parametrize("left_out", GOOD)
def test_of_a_response_without_a_card_only_that_is_said(left_out):
    message = said_of(response.EXERCISE, ordered(*(action for action in GOOD if action != left_out)))
    assert f"({left_out}) is not in your list" in message
    assert not any(one in message for one in ("anybody leads", "still makes", "was tried", "still fails"))


def test_of_a_response_that_looks_for_the_cause_first_nobody_is_said_to_change_machines():
    message = said_of(response.EXERCISE, ordered("cause", *(a for a in GOOD if a not in {"cause", "review"})))
    assert "(cause)" in message
    assert "machine" not in message


def test_an_answer_that_comes_to_no_return_is_not_called_unwritten():
    def telling_inputs(right, suspect):
        inputs = (500, 0.040, 0.7, 0.3)
        return inputs if right(*inputs) != suspect(*inputs) else None

    def half_written(right, suspect):
        if suspect._fault in kill.GROUPS["formula"]:
            return (500, 0.040, 0.7, 0.3)
        raise NotImplementedError

    assert "None" in said_of(kill.EXERCISE, telling_inputs)
    assert "not written" in said_of(kill.EXERCISE, half_written)


def test_an_order_may_be_any_sequence_of_ids_and_no_set():
    def keys(cards):
        return dict.fromkeys(response.respond(cards)).keys()

    assert kit.judge(response.EXERCISE, keys).passed
    assert kit.judge(response.EXERCISE, lambda cards: set(response.respond(cards))).score == 0
