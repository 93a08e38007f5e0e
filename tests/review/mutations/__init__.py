"""Known mistakes of a design: a change of a sound one that breaks one rule and no other.

A mistake is a function from design to design. Its name says what somebody did; `breaks` is the code of the rule
that finds it, and `start` names the sound design that it is made from. One module for each module of rules.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mlsd_helpers import cases
from mlsd_helpers.design import Design, load_design
from tests.review.mutations import (
    capacity,
    data,
    dataflow,
    experiments,
    fuller,
    pattern,
    planes,
    requirements,
    security,
    services,
    workloads,
)
from tests.review.mutations.mutation import Mutation

__all__ = ["MUTATIONS", "STARTS", "Mutation"]

STARTS: dict[str, Callable[[], Design]] = {
    "as published": partial(cases.load, "harbour_pay"),
    "nightly": partial(load_design, Path(__file__).parent.with_name("nightly_batch.yaml")),
    **planes.STARTS,
    **dataflow.STARTS,
    **pattern.STARTS,
    **capacity.STARTS,
    **fuller.STARTS,
    **workloads.STARTS,
}
"""Sound designs that mistakes are made from, by name."""

MUTATIONS: tuple[Mutation, ...] = tuple(
    one
    for module in (
        requirements,
        workloads,
        planes,
        dataflow,
        pattern,
        capacity,
        data,
        security,
        services,
        experiments,
    )
    for one in vars(module).values()
    if isinstance(one, Mutation)
)
"""Every known mistake, in the order of the rules."""
