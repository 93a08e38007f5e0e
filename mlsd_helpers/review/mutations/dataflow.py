"""Known mistakes in the dataflow of a design."""

from collections.abc import Callable

from mlsd_helpers.design import Design
from mlsd_helpers.review.mutations.mutation import Mutation

STARTS: dict[str, Callable[[], Design]] = {}

MUTATIONS: tuple[Mutation, ...] = ()
