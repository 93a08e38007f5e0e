"""What is said of an experiment follows from its numbers: other numbers, other sentences."""

from dataclasses import replace

import pytest

from mlsd_helpers.testbed import experiments, readings
from mlsd_helpers.testbed.experiments import EXPERIMENTS, recording
from mlsd_helpers.testbed.results import Load


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


def test_recalls_are_compared_at_one_rate_of_false_alarms_and_told_apart_only_where_intervals_do_not_overlap():
    found = recording("three_patterns")
    words = said(found)
    assert "The intervals of B: ahead, by a job every 5 s and C: ahead, by event overlap" in words
    assert "overlap" not in said(
        replace(
            found, rows=tuple(row | {"recall_share": 0.1 + 0.25 * at} for at, row in enumerate(found.rows))
        )
    )


def test_the_threshold_of_a_rate_of_false_alarms_lets_at_most_that_share_of_the_honest_through():
    run = Load(
        loop="open", rate_rps=1, requests=103, failed={}, took_s=1, latency_s={}, late_s={}, age_s={},
        server_cpu_s=1, client_cpu_s=1,
        scores=(*(at / 100 for at in range(100)), 0.985, 0.5, None), fraud=(*[False] * 100, True, True, True),
    )  # fmt: skip
    assert run.recall_at(0.01) == 1 / 3
    assert run.recall_at(0.6) == 2 / 3
