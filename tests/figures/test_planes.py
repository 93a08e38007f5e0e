from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from mlsd_helpers import cases, figures
from mlsd_helpers.design import Planes
from mlsd_helpers.figures.plane_layout import BOX_HIGH, BOX_WIDE, NAMES_WIDE, WIDE, layout

SKETCHES = {name: cases.load(name).planes for name in cases.names()}


def boxes_of(placed, planes):
    """Return each box as its name, left, top, right and bottom."""
    return [
        (one.id, x, y, x + BOX_WIDE, y + BOX_HIGH)
        for one in planes.components
        for x, y in [placed.boxes[one.id]]
    ]


@pytest.mark.parametrize("name", SKETCHES)
def test_every_box_stands_in_the_lane_of_its_plane_and_none_on_another(name):
    planes = SKETCHES[name]
    first = planes.components[0].id
    for wanted in ({}, {first: (7, 2)}, {one.id: (0, 0) for one in planes.components}):
        placed = layout(planes, wanted)
        lanes = {lane.plane: lane for lane in placed.lanes}
        for one in planes.components:
            x, y = placed.boxes[one.id]
            lane = lanes[one.plane]
            assert NAMES_WIDE < x < x + BOX_WIDE < WIDE
            assert lane.top < y < y + BOX_HIGH <= lane.top + lane.high
        assert len(set(placed.boxes.values())) == len(planes.components)


@pytest.mark.parametrize("name", SKETCHES)
def test_no_arrow_runs_through_a_box_or_over_the_name_of_a_plane(name):
    planes = SKETCHES[name]
    placed = layout(planes)
    boxes = boxes_of(placed, planes)
    for corners in placed.arrows:
        assert min(x for x, _ in corners) > NAMES_WIDE
        for (x, y), (x_2, y_2) in pairwise(corners):
            assert x == x_2 or y == y_2
            (low, high), (up, down) = sorted((x, x_2)), sorted((y, y_2))
            inside = [box for box, a, b, c, d in boxes if low < c and high > a and up < d and down > b]
            assert not inside


@pytest.mark.parametrize("name", SKETCHES)
def test_an_arrow_begins_and_ends_at_the_border_of_its_boxes(name):
    planes = SKETCHES[name]
    placed = layout(planes)
    for flow, corners in zip(planes.flows, placed.arrows, strict=True):
        for end, (x, y) in ((flow.start, corners[0]), (flow.end, corners[-1])):
            left, top = placed.boxes[end]
            assert (x in {left, left + BOX_WIDE} and top <= y <= top + BOX_HIGH) or (
                y in {top, top + BOX_HIGH} and left <= x <= left + BOX_WIDE
            )


def test_no_two_arrows_lie_on_each_other():
    placed = layout(SKETCHES["harbour_pay"])
    flat = [
        (y, *sorted((x, x_2)))
        for corners in placed.arrows
        for (x, y), (x_2, y_2) in pairwise(corners)
        if y == y_2
    ]
    assert not [
        (one, other)
        for one, other in combinations(flat, 2)
        if one[0] == other[0] and one[1] < other[2] and other[1] < one[2]
    ]


def test_in_a_chain_each_box_stands_to_the_right_of_the_one_before():
    ids = ["source", "stream", "counts", "store"]
    kinds = ["raw source", "event stream", "stream processor", "feature store"]
    planes = Planes(
        components=[
            {"id": one, "kind": kind} for one, kind in zip(reversed(ids), reversed(kinds), strict=True)
        ],
        flows=[{"from": one, "to": other, "carries": "events"} for one, other in pairwise(ids)],
    )
    placed = layout(planes)
    assert [placed.cells[one] for one in ids] == [(0, 0), (0, 1), (0, 2), (0, 3)]


def test_a_sketch_says_in_words_what_it_shows():
    planes = cases.load("harbour_pay").planes
    figure = figures.sketch(planes, killed="features")
    arrows = f"{len(planes.flows)} arrows"
    assert all(
        said in figure.alt for said in (arrows, "serving: gateway, scorer, rules", "Falls back: scorer")
    )
    states = dict(zip(figure.data["component"], figure.data["state"], strict=True))
    assert (states["features"], states["scorer"], states["gateway"]) == ("dead", "falls back", "")
    assert ">falls back<" in figure.svg


def test_an_empty_sketch_draws():
    assert "data: nothing" in figures.sketch(Planes()).alt


def test_what_a_learner_types_into_a_sketch_stays_text():
    typed = '"><script>alert(1)</script>'
    flow = {"from": "door", "to": "scorer", "carries": "request", "fallback": typed}
    boxes = [{"id": "door", "kind": "api gateway"}, {"id": "scorer", "kind": "model server"}]
    drawn = ET.fromstring(figures.sketch(Planes(components=boxes, flows=[flow])).svg)  # noqa: S314 - our own output
    assert not [node for node in drawn.iter() if node.tag.endswith("script")]
    assert any(typed in node.get("aria-label", "") for node in drawn.iter())


def test_a_picture_says_in_words_what_is_tried_otherwise_and_what_others_run():
    planes = Planes(
        components=[
            {"id": "hub", "kind": "orchestrator"},
            {"id": "vendor", "kind": "external service"},
            {"id": "own", "kind": "model server"},
        ],
        flows=[
            {"from": "hub", "to": "vendor", "carries": "request", "id": "first", "otherwise": "second"},
            {"from": "hub", "to": "own", "carries": "request", "id": "second", "fails": "closed"},
        ],
    )
    drawn = figures.sketch(planes).svg
    assert "otherwise: second" in drawn
    assert "fails: closed" in drawn
    assert "vendor, external service, serving plane, run by others" in drawn
