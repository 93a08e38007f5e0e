"""What lessons 03 to 05 say in words about their numbers is true of the formulas and the data behind them."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import analysis, figures, formulas, samples
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import Stage
from mlsd_helpers.units import day, minute
from tests.notebooks.reading import parts
from tools.notebooks import ROOT


def test_a_recalled_payment_of_the_trace_table_is_a_minute_younger_than_the_bound():
    hourly = [Stage(period_s=60, delay_s=3), Stage(delay_s=12), Stage(delay_s=1), Stage(ttl_s=2)]
    assert formulas.age_bounds(hourly).worst_s == 59 + 3 + 12 + 1 + 2 + 1
    assert formulas.age_bounds(hourly).best_s == 16
    assert formulas.share_stale(hourly, 15) == 1


def test_what_a_lesson_shows_after_the_lock_adds_up_as_its_questions_do():
    assert samples.follow_a_payment()["age_min"].iloc[-1] == 77
    ways = samples.ways_to_start()
    assert [sum(map(int, parts.split(" + "))) for parts in ways["adds up"]] == ways["worst age"].tolist()
    assert ways["runs a day"].tolist() == [24, 24, 96]


@pytest.mark.parametrize("lesson", ["03_dataflow", "04_patterns", "05_capacity"])
def test_a_locked_cell_does_not_work_its_question_out_in_plain_sight(lesson):
    """A sum or a product of the numbers to add stands in no cell that a question locks, nor in one above it."""
    code = [part.code for part in parts(ROOT / "course" / f"{lesson}.ipynb")]
    asked = [at for at, cell in enumerate(code) if "mlsd.ask(" in cell]
    locked = [at for at, cell in enumerate(code) if ".unlocks(" in cell]
    for at in locked:
        since = max(place for place in asked if place <= at)
        shown = "\n".join(code[since + 1 : at + 1])
        assert not re.search(r"\b\d[\d.e_]* [-+*/] \d[\d.]* [-+*/] \d", shown), shown


def test_clocks_keep_within_the_sum_of_a_chain_and_come_within_two_minutes_of_it():
    reads = np.arange(24 * 60, 48 * 60, 1 / 60)
    worst = []
    for starts in (0, 2, 5, 10, 16):
        scored = starts + np.floor((reads - 12 - starts) / 60 + 1e-9) * 60
        edges = np.floor((scored - 2) / 15 + 1e-9) * 15
        worst.append((reads - edges).max())
    bound = formulas.age_bounds([Stage(period_s=15, delay_s=2), Stage(period_s=60, delay_s=12)]).worst_s
    assert bound == 89
    assert bound - 2 <= max(worst) <= bound
    assert bound - min(worst) > 10


def test_the_leak_probe_is_perfect_when_it_leaks_and_chance_when_it_does_not():
    payments, outcomes = samples.disputed_payments()

    def probe_auc(joined_on):
        rows = pd.merge_asof(
            payments, outcomes.sort_values(joined_on), left_on="paid_at", right_on=joined_on, by="card"
        )
        disputed = rows["disputed"].fillna(0)
        return samples.auc(disputed[rows["fraud"]], disputed[~rows["fraud"]])

    assert probe_auc("happened_at") == 1
    assert abs(probe_auc("readable_at") - 0.5) < 0.02


def test_filling_a_gap_with_zero_flags_several_times_as_many_honest_payments():
    rows = samples.gaps_between_payments()
    trained = rows["gap_s"].fillna(rows["gap_s"].mean())
    threshold_s = trained[~rows["fraud"]].quantile(0.01)
    honest = rows[~rows["fraud"]]["gap_s"]
    assert 4 < (honest.fillna(0) < threshold_s).mean() / 0.01 < 8


def recall(day_of_payments, age_min):
    flagged = np.zeros(len(day_of_payments), bool)
    for _, rows in day_of_payments.groupby("card"):
        at = rows["at_min"].to_numpy()
        counted = np.searchsorted(at, at - age_min, "right") - np.searchsorted(at, at - age_min - 10, "right")
        flagged[rows.index] = counted >= 3
    return flagged[day_of_payments["fraud"]].mean()


def test_a_micro_batch_is_the_cheapest_path_that_keeps_the_recall():
    payments = samples.payments_of_a_day()
    found = {age_min: recall(payments, age_min) for age_min in (1 / 60, 1, 5, 15, 75)}
    assert found[1 / 60] > found[1] >= 0.8 > found[5] > found[15]
    assert found[75] < 0.01


def test_over_a_day_an_hourly_job_catches_some_fraud_and_false_alarms_stay_alike():
    payments = samples.payments_of_a_day()
    at, fraud = payments["at_min"].to_numpy(), payments["fraud"].to_numpy()
    place = payments["card"].to_numpy() * 10_000 + at

    def over_the_day(period, delay):
        ages = [delay + (at - delay - period * k / 12) % period for k in range(12)]
        counts = [np.searchsorted(place, place - a, "right") - np.searchsorted(place, place - a - 10, "right")
                  for a in ages]  # fmt: skip
        return np.mean([count >= 3 for count in counts], axis=0)

    found = {period: over_the_day(period, delay) for period, delay in ((0.5, 0.5), (3, 2), (10, 5), (60, 15))}
    assert 0.06 < found[60][fraud].mean() < 0.08
    assert found[0.5][fraud].mean() > 0.8 > found[3][fraud].mean() > 0.77
    assert all(share[~fraud].mean() < 0.001 for share in found.values())


def test_the_crossover_of_lesson_04_lies_far_below_the_rule_of_thumb():
    runs = day / (50 * minute)
    rps = formulas.crossover_requests_per_day(1e6, runs, 5e-6, 10e-6, 0.5e-6) / day
    assert rps < 1_000 / 5
    assert formulas.crossover_requests_per_day(1e8, runs, 5e-6, 10e-6, 0.5e-6) / day == pytest.approx(
        100 * rps
    )


@pytest.mark.parametrize(
    ("change", "choice"),
    [
        ({}, "B"),
        ({"key_count": 2e6}, "H"),
        ({"key_count": 100e6}, "C"),
        ({"listable": False}, "A"),
        ({"rate_rps": 2_000, "key_count": 10_000, "max_age_s": day}, "B"),
    ],
)
def test_the_answers_folded_below_the_map_of_patterns_are_the_maps_own(change, choice):
    assert analysis.pattern_view(analysis.PatternInputs(**change)).choice == choice


def test_nine_more_machines_leave_random_routing_at_twice_the_p99_of_one_queue():
    for replicas in (29, 38):
        queue_s = formulas.response_percentile_s(replicas, 500, 0.04, 0.99)
        random_s = formulas.random_split_response_percentile_s(replicas, 500, 0.04, 0.99)
        assert random_s > 2 * queue_s
        assert queue_s == pytest.approx(
            0.04 * math.log(100), rel=0.01
        )  # the slowest service time in a hundred


def test_a_fleet_that_survives_a_zone_costs_a_fifth_more_than_that_of_the_rule():
    assert 45 / formulas.replicas(500, 0.04, 0.7, 0.3) == pytest.approx(1.2, abs=0.03)


def test_power_of_two_takes_away_four_fifths_of_what_random_routing_adds_and_asking_all_nearly_everything():
    def p99_s(routing):
        lanes = figures.theatre_view(figures.TheatreInputs(routing=routing)).lanes
        return next(p.estimate.value for p in lanes[-1].percentiles if p.name == "p99")

    queue_s, random_s = p99_s("central queue"), p99_s("random")
    added = {routing: (p99_s(routing) - queue_s) / (random_s - queue_s) for routing in
             ("power of two", "join the shortest queue")}  # fmt: skip
    assert added["power of two"] == pytest.approx(1 / 5, abs=0.05)
    assert added["join the shortest queue"] < 0.03


def test_the_p99_of_a_wait_follows_from_the_share_that_waits():
    waits = formulas.erlang_c(29, 20)
    assert formulas.wait_percentile_s(29, 500, 0.04, 0.99) == pytest.approx(
        math.log(waits / 0.01) * 0.04 / (29 - 20)
    )


def test_the_replica_rule_is_within_a_factor_of_three_of_erlang_c():
    for rps in np.geomspace(10, 10_000, 25):
        exact = formulas.servers_for_wait(rps, 0.05, 0.025, 0.99)
        assert 1 / 3 <= formulas.replicas(rps, 0.05, 0.7, 0.3) / exact <= 3


def test_wait_and_a_lost_zone_together_take_nearly_what_the_rule_orders():
    waits = formulas.servers_for_wait(1_000, 0.05, 0.025, 0.99)
    assert (waits, waits - waits // 3) == (57, 38)
    assert 3 * math.ceil(waits / 2) == 87
    assert formulas.replicas(1_000, 0.05, 0.7, 0.3) == 93


def test_2_percent_more_load_saturates_the_large_fleet_that_a_known_load_needs():
    assert formulas.servers_for_wait(10_000, 0.05, 0.025, 0.99) == 509
    assert 1.02 * 10_000 * 0.05 > 509


def test_a_batch_of_32_costs_each_sequence_a_third_of_its_speed():
    weights, kv = 16.06e9, 131_072
    alone = formulas.decode_tokens_per_s(3.35e12, weights, 1, kv, 2048)
    together = formulas.decode_tokens_per_s(3.35e12, weights, 32, kv, 2048)
    assert together == pytest.approx(32 * 3.35e12 / (weights + 32 * 2048 * kv))
    assert 0.6 < together / 32 / alone < 0.7


def test_arrivals_have_the_mean_and_the_index_of_burstiness_that_were_asked_for():
    for index in (1, 13.2):
        counts, moments = samples.arrivals(2.57, index, 4 * 3600)
        assert counts.mean() == pytest.approx(2.57, rel=0.05)
        assert counts.var() / counts.mean() == pytest.approx(index, rel=0.1)
        assert len(moments) == counts.sum()
        assert (np.diff(moments) >= 0).all()


def test_a_table_of_features_says_each_path_in_words():
    table = samples.feature_table()
    assert table.loc["card_spend_24h", "path"] == (
        "every 60 min + delay 3 min, then delay 12 min, then delay 1 min + cache 2 min"
    )
    assert (
        table.loc["dual_source_flag", "path"] == "(every 1 min + delay 8 min) | (every 1 min + delay 7 min)"
    )
    assert table.loc["amount", "path"] == "with the request"
    assert table.loc["merchant_rate_15m", "age limit"] == "15 min"


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12), st.lists(st.integers(0, 5), min_size=1, max_size=12)
)
def test_an_auc_is_the_share_of_pairs_in_order_with_ties_counted_half(positives, negatives):
    pairs = [(high > low) + (high == low) / 2 for high in positives for low in negatives]
    assert samples.auc(positives, negatives) == pytest.approx(sum(pairs) / len(pairs))
    assert samples.auc(positives, negatives) + samples.auc(negatives, positives) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [([], [1]), ([1], []), ([math.nan], [1]), ([1], [math.inf])])
def test_an_auc_wants_both_kinds_and_finite_values(wrong):
    with pytest.raises(RangeError):
        samples.auc(*wrong)
