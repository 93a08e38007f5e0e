"""What is computed once for a design is asked for by many, and changed by none."""

import pytest

from mlsd_helpers import cases, document
from mlsd_helpers.analysis import graph, paths, rates, request, sizing, whole
from mlsd_helpers.analysis.once import once
from mlsd_helpers.design import Component, Planes
from mlsd_helpers.review import review

OF_PLANES = (
    graph.components_by_id,
    graph.waiting_flows,
    paths.entries_of,
    paths.with_queues,
    rates.calls_per_request,
    request.calls_by_component,
    whole.waiting_entries,
)


def test_a_result_belongs_to_one_object_and_not_to_its_equal():
    asked = []
    ask = once(lambda planes, word="": asked.append(planes) or (planes.components, word))
    first, same = (Planes(components=[Component(id="a", kind="cache")]) for _ in range(2))
    assert first == same
    assert ask(first) == ask(first) == ask(same)
    assert [one is first for one in asked] == [True, False]
    assert ask(first, "b") == ask(first, word="b") == (first.components, "b")


def test_a_changed_design_is_computed_anew():
    design = cases.load("harbour_pay")
    (before,) = sizing.sizings(design).values()
    (after,) = sizing.sizings(design.with_part(capacity=design.capacity.changed(load="2000 rps"))).values()
    assert (before.load_rps, after.load_rps) == (design.capacity.load, 2000)


@pytest.mark.parametrize("name", ["harbour_pay", "support_assistant"])
def test_no_reader_changes_what_was_computed_once(name):
    design = cases.load(name)
    fresh = type(design).parse(design.to_yaml())
    review(design)
    document(design)
    for function in OF_PLANES:
        assert function(design.planes) == function(fresh.planes)
    assert [(one.path, one.load_rps) for one in sizing.sizings(design).values()] == [
        (one.path, one.load_rps) for one in sizing.sizings(fresh).values()
    ]
