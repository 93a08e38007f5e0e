"""What the notebook of lesson 02 shows beside the cases is what its exercises judge."""

import pytest

import mlsd_helpers as mlsd
from mlsd_helpers.design import PLANE_OF, Planes
from mlsd_helpers.exercises import kit
from mlsd_helpers.exercises.planes import canary, gate, lint
from mlsd_helpers.exercises.planes.canary import CARDS
from mlsd_helpers.exercises.planes.place import EXERCISE as PLACE
from mlsd_helpers.exercises.planes.place import PARTS
from mlsd_helpers.exercises.planes.repair import EXERCISE as REPAIR
from mlsd_helpers.exercises.planes.repair import found_in, gave_up_without_an_answer
from mlsd_helpers.figures.planes import DOES


def test_each_kind_has_a_line_on_what_it_does():
    assert list(DOES) == list(PLANE_OF)


def test_the_notebook_lists_every_card_as_it_is(root):
    text = (root / "source" / "02_planes" / "02_planes.py").read_text(encoding="utf-8")
    assert [f"| `{card}` | {says} |" in text for card, says in CARDS.items()] == [True] * len(CARDS)


def test_what_is_left_in_a_repair_is_told_by_the_name_of_its_arrow():
    step = next(step for step in REPAIR.steps if step.name == "calls")
    for case in REPAIR.cases:
        value = kit.run(gave_up_without_an_answer, case).value
        left = [one.message for one in found_in(Planes(**value)) if one.code == "PLANE006"]
        assert left
        assert all(message in step.explain(case, value) for message in left)


def test_what_a_component_does_is_in_no_table_of_the_package():
    shown = {box["does"] for case in PLACE.cases for box in case["components"]}
    assert shown <= set(PARTS)
    assert not set(PARTS) & {*PLANE_OF, *DOES.values()}
    assert not any("kind" in box for case in PLACE.cases for box in case["components"])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "score"), [("heard_by_any_way", 1.5), ("logged_by_anybody", 2.5), ("asked_for_either", 2)]
)
def test_a_rule_that_leaves_out_one_of_its_conditions_loses_points(name, score, seed):
    for fresh in (False, True):
        verdict = mlsd.check("02-lint", getattr(lint, name), fresh=fresh, seed=seed)
        assert (verdict.mistake, verdict.score) == (name, score)


def test_a_card_that_is_there_twice_is_named():
    def doubled(plan, cards):
        dealt = canary.order(plan, cards)
        return [*dealt, dealt[0]]

    def short(plan, cards):
        return canary.order(plan, cards)[1:]

    assert "more than once" in mlsd.check("02-canary", doubled).message
    assert "'stop_release'" in mlsd.check("02-canary", short).message


def test_a_gate_that_lets_in_or_refuses_wrongly_is_told_which():
    def opposite(**case):
        return {**gate.gate(**case), "accept": False}

    assert "refuse this file" in mlsd.check("02-gate", opposite).message
