"""The review as a function: on any design, of any size, whatever was imported first."""

import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlsd_helpers as mlsd
from mlsd_helpers import cases
from mlsd_helpers.design import Component, Design, Flow, Planes, Requirements
from mlsd_helpers.review import Finding, review
from tests.design import any_design
from tests.effort import examples, some
from tests.review.mutations import MUTATIONS, STARTS

SLOW = settings(
    deadline=None,
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity")


def is_well_formed(found) -> bool:
    return all(isinstance(one, Finding) and one.message and one.fix and one.where for one in found)


@pytest.mark.parametrize("part", PARTS)
@given(data=st.data())
@SLOW
def test_a_review_never_fails_on_any_part(part, data):
    assert is_well_formed(review(data.draw(any_design.designs(part))))


@given(mistakes=st.lists(st.sampled_from(MUTATIONS), max_size=6), start=st.sampled_from(sorted(STARTS)))
@SLOW
def test_a_review_never_fails_on_a_design_near_to_a_sound_one(mistakes, start):
    design = STARTS[start]()
    for mistake in mistakes:
        try:
            design = mistake.change(design)
        except (AssertionError, AttributeError, TypeError, ValueError, LookupError, StopIteration):
            continue  # what it changes has gone already
        assert is_well_formed(review(design))


@given(data=st.data())
@SLOW
def test_a_review_never_fails_when_one_part_is_any(data):
    part = data.draw(st.sampled_from(PARTS))
    drawn = getattr(data.draw(any_design.designs(part)), part)
    assert is_well_formed(review(cases.load("harbour_pay").with_part(**{part: drawn})))


def row(length: int) -> Design:
    names = [f"c{number}" for number in range(length)]
    calls = [Flow(start=a, end=b, carries="request") for a, b in pairwise(names)]
    planes = Planes(components=[Component(id=name, kind="model server") for name in names], flows=calls)
    return cases.load("harbour_pay").with_part(planes=planes)


@pytest.mark.thorough
def test_a_row_of_three_thousand_components_is_no_matter_of_recursion():
    found = review(row(3_000))
    assert sum(one.code == "PLANE005" for one in found) == 2_999


@pytest.mark.thorough
def test_a_ring_of_three_thousand_components_is_one_circle():
    design = row(3_000)
    back = Flow(start="c2999", end="c0", carries="request")
    ring = design.with_part(planes=design.planes.changed(flows=(*design.planes.flows, back)))
    assert [one.code for one in review(ring)].count("PLANE011") == 1


@pytest.mark.thorough
def test_twice_the_design_is_about_twice_the_work():
    def seconds(length: int) -> float:
        design = row(length)
        times = []
        for _ in range(3):
            start = time.process_time()
            review(design)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(4_000) < 10 * seconds(1_000)  # a straight line is 4 times, and a square 16


_WORDS = ("kind", "plane", "carries", "watches", "triggers", "versioned_together", "rollback_takes_back")
"""Keys of which the values may look like the name of a component."""


def _renamed(told, new):
    """Return parts of a design as plain data, with each name of a component replaced."""
    if isinstance(told, dict):
        return {key: value if key in _WORDS else _renamed(value, new) for key, value in told.items()}
    if isinstance(told, list):
        return [_renamed(value, new) for value in told]
    return new.get(told, told) if isinstance(told, str) else told


def test_renaming_the_components_changes_no_finding():
    for mistake in some(one for one in MUTATIONS if one.breaks.startswith("PLANE")):
        design = mistake.change(STARTS[mistake.start]())
        if design.planes is None:
            continue
        new = {one.id: f"x{number}-{one.id[::-1]}" for number, one in enumerate(design.planes.components)}
        told = design.planes.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        renamed = Planes(**_renamed(told, new) | {"components": _renamed(told["components"], new)[::-1]})
        # No other part may name the components.
        others = {"dataflow": None, "pattern": None, "capacity": None, "data": None, "operations": None}
        lists = dict.fromkeys(("experiments", "evidence", "accepted", "does_not_apply"), ())
        planes_only = {"requirements": Requirements(goal="More sales"), **others, **lists}
        codes = [one.code for one in review(design.with_part(**planes_only)) if one.severity != "info"]
        assert codes == [
            one.code
            for one in review(design.with_part(planes=renamed, **planes_only))
            if one.severity != "info"
        ]


def test_findings_are_the_public_kind():
    found = mlsd.review(Design(name="nothing yet"))
    assert found
    assert all(isinstance(one, mlsd.Finding) for one in found)


@pytest.mark.processes
@pytest.mark.parametrize(
    "first",
    [
        "pass",
        "import mlsd_helpers.review",
        "import mlsd_helpers.review.rule",
        "from mlsd_helpers.review import RULES",
    ],
)
def test_mlsd_review_is_the_function_whatever_was_imported_first(first):
    code = f"{first}\nimport mlsd_helpers as mlsd\nassert mlsd.review(mlsd.cases.load('harbour_pay')) == ()"
    subprocess.run([sys.executable, "-c", code], check=True)
