"""How the system is run. So far: what is promised to users; alerts stand in ``planes.alerts``."""

from typing import Literal, Self

from pydantic import model_validator

from mlsd_helpers.design.quantities import Fraction, Seconds
from mlsd_helpers.design.value import Id, Text, Value, ids_of, refuse, repeated


class Objective(Value):
    """What is promised to users, as a share of events that are good over a window."""

    id: Id
    indicator: Text
    """Good events over all events: "answered within the promises / asked"."""
    measures: Literal["answered", "in time", "fresh", "right", "runs done"] | None = None
    """What makes an event good: a request is answered, is answered in time, is answered from fresh data, is answered
    rightly; or a run by the clock is done."""
    target: Fraction
    """The share that is promised."""
    window: Seconds | None = None
    """The time over which it is counted."""
    owner: Text | None = None


class Operations(Value):
    """How the system is run."""

    objectives: tuple[Objective, ...] = ()
    """What is promised to users."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse(repeated(ids_of("objectives", self.objectives)))
        return self
