"""What the review finds in an answer's design, computed once for each content.

The steps of an exercise and its known mistakes ask for the same sketches again and again.
"""

from datetime import UTC, date, datetime
from functools import lru_cache

from mlsd_helpers.design import Design
from mlsd_helpers.review import Finding, in_order, rules_called

_KEPT = 256  # reviews: what a few answers to one exercise ask for


class _Content:
    """A design that is equal to every other one with the same fields."""

    __slots__ = ("design", "text")

    def __init__(self, design: Design) -> None:
        self.design = design
        self.text = design.model_dump_json(exclude_unset=True)  # rules ask which fields were given

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self.text == other.text


def found_in(design: Design, codes: str = "") -> tuple[Finding, ...]:
    """Return what the rules whose codes begin so, by default all, find in a design: errors first, then by rule.

    >>> [one.code for one in found_in(Design(name="x"), "REQ")]
    ['REQ001']
    """
    return _found(_Content(design), codes, datetime.now(UTC).date())


@lru_cache(maxsize=_KEPT)
def _found(content: _Content, codes: str, day: date) -> tuple[Finding, ...]:
    return in_order(one for rule in rules_called([codes]) for one in rule(content.design, day))
