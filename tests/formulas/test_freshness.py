import math
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import Parallel, Stage
from mlsd_helpers.units import day, hour, minute, s, week
from tests.effort import examples

type_of_stage = Stage | Parallel

HOURLY = (Stage(hour, 3 * minute), Stage(0, 12 * minute), Stage(0, 1 * minute), Stage(0, 0, 2 * minute))
QUARTER = (Stage(15 * minute, 1 * minute), Stage(0, 3 * minute), Stage(0, 0.5 * minute, 0.5 * minute))
CHAINED = (Stage(15 * minute, 2 * minute), Stage(hour, 12 * minute))
DAILY = (Stage(day, 60 * minute), Stage(0, 45 * minute), Stage(0, 5 * minute))
JOINED = (Parallel(([Stage(0, 9 * minute)], [Stage(0, 8 * minute)])),)

# Feature, its stages, best, mean and worst age in minutes (None: not in the source), SLA in minutes.
FEATURES = [
    ("amount: in the request", (), 0, 0, 0, 0),
    ("card_tx_count_10m: stream", (Stage(0, 1 * s), Stage(0, 5 * s), Stage(0, 2 * s)), None, None, 8 / 60, 1),
    ("card_spend_24h: hourly", HOURLY, 16, 47, 78, 15),
    ("merchant_chargeback_30d: daily", DAILY, None, None, 1_550, 1_440),
    ("device_age_days: daily", DAILY, None, None, 1_550, 2_880),
    ("ip_country: weekly", (Stage(week, 30 * minute),), None, None, 10_110, 43_200),
    ("email_verified: change feed", (Stage(0, 0.5 * minute, 10 * minute),), None, None, 10.5, 15),
    ("merchant_rate_15m: the 15-minute job", QUARTER, None, 12.25, 20, 15),
    ("graph_risk: two schedules", CHAINED, None, None, 89, 60),
    ("dual_source_flag: two branches", JOINED, 9, 9, 9, 15),
]
GAPS = {"card_spend_24h", "merchant_chargeback_30d", "merchant_rate_15m", "graph_risk"}

ORACLES = [
    (f.share_stale, (QUARTER, 15 * minute), 0.317, 5e-4, "worked apart"),
    (f.share_stale, ((Stage(15 * minute, 5 * minute),), 15 * minute), 1 / 3, 1e-12, "one period: 5 of 15"),
    (f.share_stale, (HOURLY, 15 * minute), 1, 0, "never younger than 16 min"),
    (f.largest_period_s, ((*QUARTER[1:], Stage(0, 1 * minute)), 15 * minute), 10 * minute, 0, "C23"),
    (f.consumer_lag_s, (30_000, 5_000), 6, 0, "C42"),
    (f.busy_consumers, (20, 12), 12, 0, "C43"),
    (f.busy_consumers, (5, 12), 5, 0, "C43"),
    (f.partitions_needed, (120, 10, 20), 12, 0, "worked apart"),
    (f.catch_up_s, (600, 4_500, 5_000), 5_400, 0, "2.7 million events at 500/s"),
    (f.worst_age_in_outage_s, (HOURLY, 2 * hour), 198 * minute, 1e-9, "78 + 120"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[object, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


@pytest.mark.parametrize(("feature", "stages", "best", "mean", "worst", "sla"), FEATURES)
def test_the_features_of_the_running_case_have_their_ages(
    feature: str,
    stages: Sequence[type_of_stage],
    best: float | None,
    mean: float | None,
    worst: float,
    sla: float,
) -> None:
    ages = f.age_bounds(stages)
    assert ages.worst_s == pytest.approx(worst * minute)
    assert best is None or ages.best_s == pytest.approx(best * minute)
    assert mean is None or ages.mean_s == pytest.approx(mean * minute)
    assert (ages.worst_s > sla * minute) == (feature.split(":", maxsplit=1)[0] in GAPS)
    assert (f.share_stale(stages, sla * minute) > 0) == (ages.worst_s > sla * minute)


def test_no_period_repairs_delays_above_the_sla() -> None:
    with pytest.raises(RangeError, match="No period can meet it"):
        f.largest_period_s((*HOURLY[1:], Stage(0, 3 * minute)), 15 * minute)


def test_the_largest_period_just_meets_the_sla() -> None:
    others = (*QUARTER[1:], Stage(0, 1 * minute))
    period_s = f.largest_period_s(others, 15 * minute)
    assert f.share_stale([Stage(period_s), *others], 15 * minute) == 0
    assert f.share_stale([Stage(period_s * 1.01), *others], 15 * minute) > 0


lengths_s = st.floats(0, 1e5)
stage = st.builds(Stage, lengths_s, lengths_s, lengths_s)
anything = st.recursive(
    stage,
    lambda inner: st.builds(Parallel, st.lists(st.lists(inner, max_size=2), min_size=1, max_size=2)),
    max_leaves=3,
)
quick = settings(max_examples=examples(50), deadline=None)


@given(st.lists(stage, max_size=3), anything)
@quick
def test_one_more_stage_makes_nothing_fresher(stages: list[type_of_stage], extra: type_of_stage) -> None:
    before, after = f.age_bounds(stages), f.age_bounds([*stages, extra])
    noise = 1e-9 * (1 + after.worst_s)
    assert before.best_s <= after.best_s + noise
    assert before.mean_s <= after.mean_s + noise
    assert before.worst_s <= after.worst_s + noise
    assert after.best_s - noise <= after.mean_s <= after.worst_s + noise


@given(st.lists(stage, min_size=2, max_size=4), st.randoms())
@quick
def test_the_order_of_stages_does_not_matter(stages: list[Stage], shuffled: random.Random) -> None:
    again = shuffled.sample(stages, len(stages))
    assert f.age_bounds(again).worst_s == pytest.approx(f.age_bounds(stages).worst_s)


@given(st.lists(anything, max_size=2), st.floats(0, 1), st.floats(0, 1))
@quick
def test_a_stricter_sla_is_never_met_more_often(
    stages: list[type_of_stage], one: float, other: float
) -> None:
    worst_s = f.age_bounds(stages).worst_s
    strict, loose = sorted((one * worst_s, other * worst_s))
    assert 1 >= f.share_stale(stages, strict) >= f.share_stale(stages, loose) >= 0


def simulated_age_s(stages: Sequence[type_of_stage], draws: random.Random) -> float:
    def one(stage: type_of_stage) -> float:
        if isinstance(stage, Parallel):
            return max(simulated_age_s(branch, draws) for branch in stage.branches)
        return draws.uniform(0, stage.period_s) + stage.delay_s + draws.uniform(0, stage.ttl_s)

    return sum(map(one, stages))


TWO_SPEEDS = (Parallel(([Stage(hour, 60)], [Stage(2 * hour), Stage(30, 5, 600)])), Stage(900, 10))
TWICE_JOINED = (Parallel((TWO_SPEEDS, [Stage(3 * hour)])), Parallel(([Stage(600)], [Stage(900)])))


@pytest.mark.parametrize("stages", [QUARTER, CHAINED, HOURLY, TWO_SPEEDS, TWICE_JOINED])
def test_simulated_ages_keep_the_bounds_and_reach_them(stages: Sequence[type_of_stage]) -> None:
    draws = random.Random(20_250_101)
    ages_s = [simulated_age_s(stages, draws) for _ in range(20_000)]
    bounds = f.age_bounds(stages)
    assert bounds.best_s <= min(ages_s)
    assert 0.9 * bounds.worst_s < max(ages_s) <= bounds.worst_s
    assert sum(ages_s) / len(ages_s) == pytest.approx(bounds.mean_s, rel=0.02)
    for sla_s in (0.4 * bounds.worst_s, 0.75 * bounds.worst_s):
        stale = sum(age_s > sla_s for age_s in ages_s) / len(ages_s)
        assert f.share_stale(stages, sla_s) == pytest.approx(stale, abs=0.02)


@pytest.mark.parametrize("phase_s", [0, 1, 100, 899, 1_800])
def test_the_phase_of_schedules_does_not_break_the_bound(phase_s: int) -> None:
    first, second = CHAINED

    def age_s(read_s: int) -> float:
        run_s = (read_s - int(second.delay_s) - phase_s) // int(second.period_s) * int(
            second.period_s
        ) + phase_s
        seen_s = (run_s - int(first.delay_s)) // int(first.period_s) * int(first.period_s)
        return read_s - seen_s

    oldest_s = max(age_s(read_s) for read_s in range(100_000, 100_000 + int(4 * hour)))
    assert oldest_s <= f.age_bounds(CHAINED).worst_s


def test_stages_of_a_second_and_of_a_week_keep_their_digits() -> None:
    stages = [Stage(week), Stage(1), Stage(0.001), Stage(day)]
    within_s = 0.0005  # of the worst: all four waits together lack less than that, the corner of a box
    corner = within_s**4 / (math.factorial(4) * week * 1 * 0.001 * day)
    stale = f.share_stale(stages, f.age_bounds(stages).worst_s - within_s)
    assert stale == pytest.approx(corner, rel=1e-4, abs=0)
    assert f.share_stale(stages, 0) == 1


def test_a_join_needs_a_branch() -> None:
    with pytest.raises(RangeError, match="at least one branch"):
        Parallel(())
