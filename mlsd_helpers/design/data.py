"""What is right about data: whose it is, where it is kept and for how long; and how a training can be made again.

Labels are among the requirements, since the product has to pay for them and wait for them.
"""

from typing import Literal, Self

from pydantic import model_validator

from mlsd_helpers.design.quantities import Count, Money, Seconds
from mlsd_helpers.design.value import Id, Several, Text, Value, ids_of, refuse, repeated

LegalBasis = Literal[
    "consent", "contract", "legal obligation", "vital interests", "public task", "legitimate interests"
]
"""The six bases of Article 6 of the General Data Protection Regulation."""
Separation = Literal["own store", "own namespace", "filter of the store", "filter of the caller", "nothing"]
"""What keeps tenants apart. A store filters by the identity of who asks; a caller may forget its filter."""


class Dataset(Value):
    """Data that the system keeps: what it is for, where it is, for how long, and who may read it."""

    id: Id
    what: Text | None = None
    """What one record is."""
    personal: bool | None = None
    """Whether it says something about persons who can be identified, by a pseudonym or an id too."""
    confidential: bool | None = None
    """Whether it is secret besides, such as customers' code, prices or contracts."""
    belongs_to: Text | None = None
    """Whose it is, where it belongs to several tenants: "customers"."""
    separated_by: Separation | None = None
    """What keeps the parts of its tenants from each other."""
    training_allowed_by: Text | None = None
    """What gives the right to train models on it: a clause of the contract, a consent."""
    purpose: Text | None = None
    """What it is used for."""
    basis: LegalBasis | None = None
    """The legal basis, for personal data."""
    kept_in: Several[Id] = ()
    """Every component that keeps a copy: stores, logs, indexes, caches, providers."""
    region: Several[Text] = ()
    """The regions in which it may be kept and read."""
    retention: Seconds | None = None
    """How long it is kept."""
    backups: Seconds | None = None
    """How much longer a deleted record stays in backups and snapshots."""
    kept_as_long_as: Text | None = None
    """In place of a retention: what has to last for it to be kept, such as "the contract"."""
    deleted_by: Id | None = None
    """The component that deletes it when its time is over or a person asks for it."""
    deletion: Text | None = None
    """How a person's data are found and deleted in every copy, models included."""
    readers: Several[Text] = ()
    """Who may read it: teams and roles."""


class Training(Value):
    """What is recorded so that a training can be made again and gives the same model."""

    component: Id | None = None
    """The component of the planes that trains."""
    trained_on: Several[Id] = ()
    """The sets of data that it is trained on; what the flows bring there when left out."""
    extraction: Text | None = None
    """What keeps the model from giving out what it has learnt of one tenant or person, and how that is tested."""
    snapshot: Text | None = None
    """How the data are fixed: a version, a table as of a time."""
    code: Text | None = None
    """How the code is fixed: the commit."""
    seed: Count | None = None
    """Of the random numbers."""
    environment: Text | None = None
    """How libraries and hardware are fixed: a lock file, an image with its digest."""
    lineage: Text | None = None
    """Where it is recorded which data, code and run a model in use comes from."""
    run_time: Seconds | None = None
    """How long one training takes."""
    cost_per_run: Money | None = None
    """What one training costs."""


class Data(Value):
    """The data that the system keeps, and how its models can be trained again."""

    datasets: tuple[Dataset, ...] = ()
    """What is kept."""
    training: Training | None = None

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        refuse(repeated(ids_of("datasets", self.datasets)))
        return self
