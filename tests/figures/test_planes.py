from xml.etree import ElementTree as ET

from mlsd_helpers import cases, figures
from mlsd_helpers.design import Planes
from mlsd_helpers.figures.planes import BOX_HIGH, WIDE, layout


def test_every_box_stands_in_the_lane_of_its_plane_and_none_on_another():
    planes = cases.load("harbour_pay").planes
    placed = layout(planes, {"features": (-50, 900), "gateway": (2_000, -3)})
    lanes = {lane.plane: lane for lane in placed.lanes}
    for one in planes.components:
        x, y = placed.boxes[one.id]
        lane = lanes[one.plane]
        assert 0 < x < WIDE
        assert lane.top < y < y + BOX_HIGH <= lane.top + lane.high
    assert len(set(layout(planes).boxes.values())) == len(planes.components)


def test_a_sketch_says_in_words_what_it_shows():
    figure = figures.sketch(cases.load("harbour_pay").planes, killed="features")
    assert all(
        said in figure.alt for said in ("36 arrows", "serving: gateway, scorer, rules", "Falls back: scorer")
    )
    states = dict(zip(figure.data["component"], figure.data["state"], strict=True))
    assert (states["features"], states["scorer"], states["gateway"]) == ("dead", "falls back", "")
    assert ">falls back<" in figure.svg


def test_an_empty_sketch_draws():
    assert "data: nothing" in figures.sketch(Planes()).alt


def test_the_titles_of_the_planes_stand_over_the_arrows():
    planes = cases.load("harbour_pay").planes
    below, _, _ = figures.sketch(planes).svg.partition(">data: ")
    assert below.count("marker-end") == len(planes.flows)


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
