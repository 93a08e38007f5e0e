"""What a known mistake is."""

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
