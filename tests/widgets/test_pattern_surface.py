import json

import pytest

from mlsd_helpers.analysis import PatternInputs, pattern_view
from mlsd_helpers.errors import RangeError
from mlsd_helpers.widgets import PatternSurface, Prediction


def closed():
    prediction = Prediction("Below which age?", truth=45, because="the map")
    return prediction, PatternSurface(prediction=prediction)


def test_what_is_shown_is_the_view_of_the_inputs():
    surface = PatternSurface()
    surface.set_state({"key_count": 1e8})
    view = pattern_view(PatternInputs(key_count=1e8))
    assert surface.view == view
    assert (surface.shown["verdict"], surface.shown["picture"]["alt"]) == (view.verdict, view.alt)


def test_costs_flips_and_reasons_stand_in_the_tables():
    shown = PatternSurface(listable=False).shown
    assert [row[0] for row in shown["costs"]["rows"]] == [
        "A, request-time",
        "B, pre-computed",
        "C, streaming",
        "H, hybrid",
    ]
    assert "no list and no event" in shown["costs"]["rows"][1][2]
    flips = {row[0]: row[1:] for row in PatternSurface().shown["flips"]["rows"]}
    assert flips["Allowed age"] == ["45 min: H, hybrid", "–"]


def test_nothing_of_the_view_leaves_python_before_the_prediction_is_locked():
    prediction, surface = closed()
    assert surface.get_state(["ready", "shown"]) == {"ready": False, "shown": {}}
    surface.rate_rps = 50
    assert surface.shown == {}
    prediction.lock(20)
    assert surface.shown["verdict"] == pattern_view(PatternInputs(rate_rps=50)).verdict


@pytest.mark.parametrize("wrong", [{"rate_rps": -5}, {"read_share": 0}, {"key_count": 0}])
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        PatternSurface(**wrong)


def test_a_slider_set_out_of_range_stays_where_it_was():
    surface = PatternSurface()
    with pytest.raises(RangeError):
        surface.read_share = 2
    assert surface.read_share == 0.9


def test_what_the_page_gets_is_json():
    assert json.dumps(PatternSurface(max_age_s=1).shown, allow_nan=False)


def test_without_a_kernel_a_map_two_tables_and_a_sentence_stand_in():
    shown, _ = PatternSurface()._repr_mimebundle_()
    assert shown["text/html"].count("<table") == 2
    assert "<img alt" in shown["text/html"]
    assert "pre-computed" in shown["text/plain"]


def test_without_a_kernel_a_closed_view_is_folded_away():
    shown, _ = closed()[1]._repr_mimebundle_()
    assert shown["text/html"].index("<details>") < shown["text/html"].index("<figure")
    assert "45 min" not in shown["text/plain"]
