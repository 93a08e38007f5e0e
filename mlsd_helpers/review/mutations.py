"""Known mistakes of a design: a change of a sound one that breaks one rule and no other.

A mistake is a function from design to design. Its name says what somebody did; `breaks` is the code of the rule
that finds it, and `start` names the sound design that it is made from. Tests prove the rules with them, and
exercises use them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mlsd_helpers.design import Design


@dataclass(frozen=True)
class Mutation:
    """A change of a sound design, and the code of the rule that it breaks."""

    breaks: str
    change: Callable[[Design], Design]
    start: str = "as published"

    @property
    def name(self) -> str:
        """What somebody did."""
        return self.change.__name__
