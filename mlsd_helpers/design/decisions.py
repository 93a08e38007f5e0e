"""What a document needs beside the system: who and when, decisions, risks, open questions, accepted findings."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from mlsd_helpers.design.problems import shown
from mlsd_helpers.design.value import Id, Several, Text, Value

Degree = Literal["low", "medium", "high"]


def _day(given: Any) -> date:
    try:
        return given if type(given) is date else date.fromisoformat(given)
    except (TypeError, ValueError):
        raise ValueError(f"{shown(given)} is not a day. Write it such as 2026-12-01.") from None


Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(date.isoformat, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-12-01"]}),
]
"""A day: ``2026-12-01``."""
RuleCode = Annotated[str, Field(pattern=r"^[A-Z]{2,12}[0-9]{3}$")]
"""The code of a rule: ``PLANE012``."""


class About(Value):
    """Whose document this is, and where it stands."""

    status: Literal["draft", "in review", "approved", "superseded"] | None = None
    """Where the document stands."""
    owner: Text | None = None
    authors: Several[Text] = ()
    """Who wrote it."""
    reviewers: Several[Text] = ()
    """Who read it."""
    approved_by: Several[Text] = ()
    """Who signed it."""
    date: Day | None = None
    """Of this version."""
    context: Text | None = None
    """What a reader has to know before the rest, in prose."""
    context_file: Text | None = None
    """The same in a Markdown file beside the design."""


class DecisionRecord(Value):
    """A choice that was made, and what would change it."""

    id: Id
    chose: Text
    """What was chosen."""
    over: Several[Text] = ()
    """What was not chosen."""
    because: Text | None = None
    """Why."""
    flips_when: Text | None = None
    """The change of an assumption that would make another choice the better one."""
    by: Text | None = None
    """Who decided."""
    date: Day | None = None
    """When it was decided."""


class Risk(Value):
    """What may go wrong, what is done about it, and what is left."""

    id: Id
    text: Text
    """What may go wrong."""
    likelihood: Degree | None = None
    """Before anything is done."""
    impact: Degree | None = None
    """What it would do."""
    answer: Text | None = None
    """What is done about it."""
    left: Degree | None = None
    """The risk that is left after that."""
    owner: Text | None = None


class OpenQuestion(Value):
    """What is not known yet, who finds out, and by when."""

    id: Id
    text: Text
    """The question."""
    owner: Text | None = None
    until: Day | None = None
    """When the answer is needed."""


OF_SIMULATION = {
    "SIM001": "latency",
    "SIM002": "first token",
    "SIM003": "per token",
    "SIM004": "answered",
    "SIM005": "utilisation",
}
"""Codes by which a promise that a simulation finds missed can be accepted, each with what the simulation calls it."""


class Acceptance(Value):
    """A finding of the review, or a promise that a simulation finds missed, that is known and accepted."""

    rule: RuleCode
    """The code of the rule; SIM001 for latency, SIM002 first token, SIM003 per token, SIM004 answered requests and
    SIM005 utilisation in a simulation."""
    where: Text | None = None
    """The id or path that it is accepted for; everywhere when left out."""
    found: Text | None = None
    """What was found when it was accepted: the message with its figures, or the simulated figure. With other figures,
    or a worse simulated one, it is accepted no longer. Any figure when left out."""
    because: Text
    """Why it is accepted."""
    by: Text
    """Who accepts it."""
    until: Day | None = None
    """When it is looked at again."""

    def in_force(self, today: date) -> bool:
        """Tell whether it still counts: until its day, that day included."""
        return self.until is None or self.until >= today


class DoesNotApply(Value):
    """A part that this system does not have, and why: an answer, where silence would be a gap."""

    where: Text
    """The path of the part: ``capacity``, ``requirements.latency``."""
    because: Text
    """Why the system does not have it."""
