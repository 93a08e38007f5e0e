"""What the notebook of lesson 02 shows beside the cases is what its exercises judge."""

from mlsd_helpers.design import PLANE_OF, Planes
from mlsd_helpers.exercises import kit
from mlsd_helpers.exercises.planes.canary import CARDS
from mlsd_helpers.exercises.planes.repair import EXERCISE as REPAIR
from mlsd_helpers.exercises.planes.repair import found_in, gave_up_without_an_answer
from mlsd_helpers.figures.planes import DOES


def test_each_kind_that_is_to_be_placed_has_a_line_on_what_it_does():
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
