"""Known mistakes in the planes of a design."""

from mlsd_helpers.review.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
