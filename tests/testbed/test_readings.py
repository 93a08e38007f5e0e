"""What is said of an experiment follows from its numbers: other numbers, other sentences."""

from dataclasses import replace

import pytest

from mlsd_helpers.testbed import experiments, readings
from mlsd_helpers.testbed.experiments import EXPERIMENTS, recording


def changed(name, place, **cells):
    found = replace(recording(name), facts={**recording(name).facts, "crowding": 1.0})
    rows = tuple(row | cells if at == place else row for at, row in enumerate(found.rows))
    return replace(found, rows=rows)


def said(found):
    return " ".join(found.conclusions())


@pytest.mark.parametrize("name", readings.OF)
def test_every_recording_has_something_to_say(name):
    assert name in EXPERIMENTS
    assert len(tuple(readings.OF[name](recording(name)))) >= 2


def test_failed_requests_are_counted():
    assert "None of" in said(changed("feature_ages", 0))
    assert "7 of" in said(changed("feature_ages", 1, failed=7))


def test_a_variance_above_the_exponentials_turns_the_sentence_round():
    calm = changed("prediction", 0)
    assert "too long" in said(replace(calm, facts=calm.facts | {"scv": 0.1}))
    assert "too short" in said(replace(calm, facts=calm.facts | {"scv": 3.0}))


def test_the_closer_prediction_is_named_at_each_rate():
    nearer = changed("prediction", 0, formula_to_measured=1.5, simulated_to_measured=1.1)
    assert "30% busy: the simulation came closer" in said(nearer)
    turned = changed("prediction", 0, formula_to_measured=1.1, simulated_to_measured=0.5)
    assert "30% busy: the formula came closer" in said(turned)


def test_ways_to_answer_are_ordered_by_what_was_measured():
    slow = changed("three_patterns", 1, p99_s=9.0, recall_share=0.99)
    assert said(slow).index("highest first: B") > 0
    assert "too close to tell apart" not in said(slow)
    same = recording("three_patterns").rows[0]["p99_s"]
    assert "too close to tell apart" in said(changed("three_patterns", 1, p99_s=same))


def test_a_cache_that_saves_nothing_is_not_said_to_pay():
    base = recording("caches").rows[0]
    assert "(+100%)" in said(changed("caches", 1, p50_s=2 * base["p50_s"]))
    assert "the same rate carried" in said(changed("caches", 1, carried_rps=base["carried_rps"]))


def test_a_disturbed_machine_draws_no_conclusion_and_shows_a_calm_recording(monkeypatch):
    calm = replace(recording("prediction"), facts=recording("prediction").facts | {"crowding": 1.1})
    monkeypatch.setattr(experiments, "recording", lambda _: calm)
    busy = replace(calm, recorded=False, facts={"scv": 3.0, "crowding": 2.7})
    assert "too busy" in said(busy)
    assert "came closer" not in said(busy)
    for shown in (str(busy), busy._repr_html_()):
        assert "2.7 times" in shown
        assert "Recorded on another machine" in shown
        assert "came closer" in shown
