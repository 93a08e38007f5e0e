"""What a known mistake is."""

from collections.abc import Callable
from dataclasses import dataclass

from mlsd_helpers.design import Design


@dataclass(frozen=True)
class Mutation:
    """A change of a sound design, and the code of the rule that it breaks."""

    breaks: str
    change: Callable[[Design], Design]
    start: str

    @property
    def name(self) -> str:
        """What somebody did."""
        return self.change.__name__


def breaks(code: str, start: str = "as published") -> Callable[[Callable[[Design], Design]], Mutation]:
    """Make a known mistake of a function: the rule that finds it, and the sound design that it is made from."""
    return lambda change: Mutation(code, change, start)
