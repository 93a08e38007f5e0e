"""Each experiment has a recording, says where its numbers are from, and falls back aloud."""

import platform
import re

import pytest

from mlsd_helpers import testbed
from mlsd_helpers.errors import MeasurementError, RangeError
from mlsd_helpers.testbed import experiments
from mlsd_helpers.testbed.experiments import EXPERIMENTS, Measurement, recording
from mlsd_helpers.testbed.tradeoffs import Point, unbeaten

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_recording_that_is_labelled_as_one(name):
    found = EXPERIMENTS[name](recorded=True)
    assert found.recorded
    assert found.rows
    assert re.match(r"Recorded on another machine: \d+ cores, \w+, Python", found.source)
    assert platform.node() not in str(found)
    assert found.source in found._repr_html_()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_without_the_extra_an_experiment_shows_its_recording_and_says_why(name, monkeypatch):
    monkeypatch.setattr(experiments, "missing", lambda: ("aiohttp",))
    found = EXPERIMENTS[name]()
    assert found.rows == recording(name).rows
    assert "aiohttp" in found.notes[-1]


def test_the_environment_can_ask_for_recordings(monkeypatch):
    monkeypatch.setattr(experiments, "start", None)
    monkeypatch.setenv("MLSD_TESTBED", "recorded")
    assert testbed.three_patterns().recorded


def test_what_fails_while_measuring_falls_back_aloud_unless_measuring_was_asked_for(monkeypatch):
    def broken(*_, **__):
        raise MeasurementError("no port is free")

    monkeypatch.setattr(experiments, "start", broken)
    found = testbed.open_and_closed()
    assert found.recorded
    assert "no port is free" in found.notes[-1]
    with pytest.raises(MeasurementError, match="no port"):
        testbed.open_and_closed(recorded=False)


def test_what_is_saved_is_what_is_read(monkeypatch, tmp_path):
    monkeypatch.setattr(experiments, "_RECORDED", tmp_path / "recorded")
    made = Measurement("One", "2 cores", ({"what": "x", "p99_s": 0.25, "oldest_s": None},), notes=("Calm.",))
    made.save("one")
    found = recording("one")
    assert (found.rows, found.notes, found.recorded) == (made.rows, made.notes, True)
    assert "250 ms" in str(found)


def test_a_request_that_never_came_back_is_kept_as_such(monkeypatch, tmp_path):
    monkeypatch.setattr(experiments, "_RECORDED", tmp_path)
    Measurement("One", "2 cores", ({"p99_s": float("inf")},)).save("one")
    assert "no answer" in str(recording("one"))


def test_the_figure_says_in_words_what_it_shows_and_joins_only_who_is_not_beaten():
    figure = testbed.pareto(recording("three_patterns"))
    assert all(name in figure.alt for name in figure.data["answers"])
    assert "no recent state" in figure.alt
    given = [Point("A", 1, 0.2), Point("B", 2, 0.1), Point("C", 3, 0.5)]
    assert [point.name for point in unbeaten(given)] == ["A", "C"]


def test_a_column_that_is_not_there_names_those_that_are():
    with pytest.raises(RangeError, match="p99_s"):
        recording("three_patterns").column("p98_s")


def test_the_public_names_load():
    assert all(getattr(testbed, name) is not None for name in testbed.__all__)
    with pytest.raises(AttributeError, match="three_patterns"):
        _ = testbed.four_patterns
