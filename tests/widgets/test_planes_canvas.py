import json
from typing import get_args

import pytest

from mlsd_helpers import cases, samples
from mlsd_helpers.design import Planes
from mlsd_helpers.design.planes import Carries
from mlsd_helpers.errors import DesignError
from mlsd_helpers.widgets import PlanesCanvas, Prediction

SMALL = Planes(
    components=[{"id": "door", "kind": "api gateway"}, {"id": "scorer", "kind": "model server"}],
    flows=[{"from": "door", "to": "scorer", "carries": "request"}],
)


def press(canvas, **message):
    canvas._handle_custom_msg(message, [])


def codes(canvas):
    return {finding.code for finding in canvas.findings}


def test_a_sketch_goes_in_and_comes_out_unchanged():
    planes = cases.load("harbour_pay").planes
    assert PlanesCanvas(planes).planes == planes


def test_drawing_gives_the_same_value_as_writing():
    canvas = PlanesCanvas()
    press(canvas, kind="add", id=" door ", of="api gateway")
    press(canvas, kind="add", id="scorer", of="model server")
    press(canvas, kind="connect", **{"from": "door", "to": "scorer", "carries": "request"})
    assert canvas.planes == SMALL


def test_each_edit_can_be_undone():
    canvas = PlanesCanvas(SMALL)
    press(canvas, kind="remove", id="scorer")
    assert (len(canvas.planes.components), len(canvas.planes.flows)) == (1, 0)
    press(canvas, kind="undo")
    assert canvas.planes == SMALL
    press(canvas, kind="undo")
    assert "nothing to undo" in canvas.shown["message"]


def test_the_review_follows_the_drawing():
    canvas = PlanesCanvas(SMALL)
    assert {"PLANE005", "PLANE006"} <= codes(canvas)
    press(canvas, kind="change", at=0, carries="request", timeout_ms="40", fallback="rules", check="")
    assert not {"PLANE005", "PLANE006"} & codes(canvas)
    assert canvas.planes.flows[0].timeout == 0.04
    assert canvas.planes.flows[0].check is None
    assert canvas.shown["verdict"] == canvas.verdict


@pytest.mark.parametrize("given", ["40", "40 ms", "0.04 s", " 40. "])
def test_a_timeout_is_read_with_or_without_its_unit(given):
    canvas = PlanesCanvas(SMALL)
    press(canvas, kind="change", at=0, carries="request", timeout_ms=given, fallback="", check="")
    assert canvas.planes.flows[0].timeout == pytest.approx(0.04)


def test_an_empty_field_takes_away_what_was_there():
    canvas = PlanesCanvas(SMALL)
    canvas.change_arrow(0, fallback="rules")
    press(canvas, kind="change", at=0, carries="request", timeout_ms="", fallback="", check="")
    assert canvas.planes.flows[0].fallback is None


def test_a_kill_shows_who_stops_and_a_second_one_revives():
    canvas = PlanesCanvas(SMALL)
    press(canvas, kind="kill", id="scorer")
    assert all(f">{state}<" in canvas.shown["picture"]["body"] for state in ("stops", "dead"))
    assert "Stops too: door" in canvas.shown["blast"]
    press(canvas, kind="kill", id="scorer")
    assert (canvas.shown["blast"], canvas.planes) == ("", SMALL)


def test_a_dead_box_that_is_removed_kills_nothing_any_more():
    canvas = PlanesCanvas(SMALL)
    canvas.kill("scorer")
    canvas.remove("scorer")
    assert canvas.blast is None


def test_moving_a_box_changes_the_picture_and_not_the_sketch():
    canvas = PlanesCanvas(SMALL)
    before, other = canvas.shown["boxes"]
    across, _ = canvas.shown["pitch"]
    press(canvas, kind="move", id="door", x=before["x"] + 1.6 * across, y=before["y"] + 9)
    after, stayed = canvas.shown["boxes"]
    assert (after["x"], after["y"]) == (pytest.approx(before["x"] + 2 * across), before["y"])
    assert stayed == other
    press(canvas, kind="move", id="door", x=other["x"], y=other["y"])
    assert [(box["x"], box["y"]) for box in canvas.shown["boxes"]] == [
        (other["x"], other["y"]),
        (after["x"], after["y"]),
    ]
    assert canvas.planes == SMALL


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "add", "id": "door", "of": "api gateway"},
        {"kind": "add", "id": "no id", "of": "api gateway"},
        {"kind": "add", "id": "x", "of": "oven"},
        {"kind": "connect", "from": "door", "to": "door", "carries": "request"},
        {"kind": "connect", "from": "door", "to": "scorer", "carries": "request"},
        {"kind": "connect", "from": "door", "to": "nobody", "carries": "request"},
        {"kind": "change", "at": 0, "carries": "request", "timeout_ms": "soon", "fallback": "", "check": ""},
        {"kind": "change", "at": 9, "carries": "request", "timeout_ms": "", "fallback": "", "check": ""},
        {"kind": "kill", "id": "nobody"},
        {"kind": "move", "id": "door", "x": "left", "y": 0},
        {"kind": "dance"},
        {},
    ],
)
def test_an_edit_that_cannot_be_is_explained_and_changes_nothing(message):
    canvas = PlanesCanvas(SMALL)
    press(canvas, **message)
    assert canvas.planes == SMALL
    assert canvas.shown["message"]
    json.dumps(canvas.shown, allow_nan=False)


@pytest.mark.parametrize("name", ["", "a b", "door", "x" * 80])
def test_what_is_wrong_with_a_new_box_is_an_error_that_names_no_class(name):
    canvas = PlanesCanvas(SMALL)
    press(canvas, kind="add", id=name, of="api gateway")
    assert canvas.shown["failed"]
    assert "New box: " in canvas.shown["message"]
    assert "Component" not in canvas.shown["message"]
    press(canvas, kind="add", id="other", of="api gateway")
    assert not canvas.shown["failed"]


def test_every_error_and_warning_is_listed():
    canvas = PlanesCanvas(SMALL)
    for at in range(9):
        canvas.connect("scorer", "door", get_args(Carries)[at])
    listed = [one for one in canvas.findings if one.severity != "info"]
    assert len(listed) > 6
    assert len(canvas.shown["findings"]) == len(listed)


def test_in_code_such_an_edit_is_an_error():
    with pytest.raises(DesignError, match="itself"):
        PlanesCanvas(SMALL).connect("door", "door")


def test_nothing_of_the_sketch_leaves_python_before_the_prediction_is_locked():
    prediction = Prediction("How many stop?", truth=1, because="the door waits")
    canvas = PlanesCanvas(SMALL, prediction=prediction)
    canvas.kill("scorer")
    assert canvas.get_state(["ready", "shown"]) == {"ready": False, "shown": {}}
    prediction.lock(1)
    assert canvas.shown["killed"] == "scorer"


def test_without_a_kernel_a_figure_tables_and_a_sentence_stand_in():
    shown, _ = PlanesCanvas(SMALL)._repr_mimebundle_()
    assert all(part in shown["text/html"] for part in ("<img alt", "<table", "PLANE006"))
    assert "serving: door, scorer" in shown["text/plain"]
    closed = PlanesCanvas(SMALL, prediction=Prediction("?", truth=1, because="so"))
    html = closed._repr_mimebundle_()[0]["text/html"]
    assert html.index("<details>") < html.index("<img")


def test_an_arrow_from_a_monitor_that_is_drawn_as_a_call_is_said_to_be_perhaps_an_alert():
    canvas = PlanesCanvas(samples.sketch_with_holes())
    canvas.connect("quality", "pager")
    about = [found for found in canvas.findings if found.message.startswith("quality → pager")]
    assert {found.code for found in about} == {"PLANE005", "PLANE006"}
    assert all("carry an alert" in found.fix for found in about)
    assert not any("carry an alert" in found.fix for found in canvas.findings if found not in about)
