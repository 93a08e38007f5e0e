"""What the notebook of lesson 02 shows beside the cases is what its exercises judge."""

from mlsd_helpers.exercises.planes.canary import CARDS


def test_the_notebook_lists_every_card_as_it_is(root):
    text = (root / "source" / "02_planes" / "02_planes.py").read_text(encoding="utf-8")
    assert [f"| `{card}` | {says} |" in text for card, says in CARDS.items()] == [True] * len(CARDS)
