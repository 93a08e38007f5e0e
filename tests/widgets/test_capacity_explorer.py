import json

import pytest

from mlsd_helpers.analysis import CapacityInputs, capacity_view
from mlsd_helpers.errors import RangeError
from mlsd_helpers.widgets import CapacityExplorer, Choice, Prediction


def closed():
    prediction = Prediction("How many?", truth=38, because="the rule")
    return prediction, CapacityExplorer(prediction=prediction)


def test_it_opens_on_the_running_case_with_both_sizes():
    explorer = CapacityExplorer()
    assert (explorer.view.rule.replicas, explorer.view.exact.replicas) == (38, 26)
    assert [row[1] for row in explorer.shown["table"]["rows"]] == ["38", "26"]


def test_everything_shown_moves_together():
    explorer = CapacityExplorer()
    explorer.set_state({"peak_rps": 1_000})
    view = capacity_view(CapacityInputs(peak_rps=1_000))
    assert explorer.view == view
    assert explorer.shown["formula"] == view.formula
    assert explorer.shown["picture"]["alt"] == view.alt
    assert f"the rule: {view.rule}" in explorer.shown["picture"]["body"]


def test_the_wait_budget_moves_with_the_service_time_unless_it_is_given():
    moving, fixed = CapacityExplorer(), CapacityExplorer(wait_budget_s=0.020)
    for explorer in (moving, fixed):
        explorer.service_time_s = 0.100
    assert (moving.view.inputs.budget_s, fixed.view.inputs.budget_s) == (0.050, 0.020)


def test_nothing_of_the_view_leaves_python_before_the_prediction_is_locked():
    prediction, explorer = closed()
    assert explorer.get_state(["ready", "shown"]) == {"ready": False, "shown": {}}
    explorer.peak_rps = 700
    assert explorer.shown == {}
    prediction.lock(20)
    assert explorer.ready
    assert explorer.shown["formula"] == capacity_view(CapacityInputs(700)).formula


def test_a_choice_opens_the_view_too():
    choice = Choice("Which?", ["a", "b"], answer="a", because="so")
    explorer = CapacityExplorer(prediction=choice)
    choice.choose("b")
    assert explorer.ready


def test_a_prediction_locked_before_leaves_the_view_open():
    prediction, _ = closed()
    prediction.lock(20)
    assert CapacityExplorer(prediction=prediction).ready


@pytest.mark.parametrize("wrong", [{"peak_rps": -5}, {"target_utilisation": 1.2}, {"wait_budget_s": -1}])
def test_inputs_out_of_range_are_refused(wrong):
    with pytest.raises(RangeError):
        CapacityExplorer(**wrong)


def test_a_slider_set_out_of_range_stays_where_it_was():
    explorer = CapacityExplorer()
    with pytest.raises(RangeError):
        explorer.headroom = -1
    assert explorer.headroom == 0.3
    assert explorer.view.rule.replicas == 38


def test_what_the_page_gets_is_json_even_where_the_queue_has_no_end():
    explorer = CapacityExplorer(target_utilisation=1, headroom=0)
    assert "without end" in json.dumps(explorer.shown, allow_nan=False, ensure_ascii=False)


def test_without_a_kernel_a_figure_a_table_and_a_sentence_stand_in():
    shown, _ = CapacityExplorer()._repr_mimebundle_()
    assert all(part in shown["text/html"] for part in ("<figure", "<img alt", "<table"))
    assert "38 replicas" in shown["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_without_a_kernel_a_closed_view_is_folded_away():
    shown, _ = closed()[1]._repr_mimebundle_()
    assert shown["text/html"].index("<details>") < shown["text/html"].index("<figure")
    assert "38" not in shown["text/plain"]
