import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import figures, formulas
from mlsd_helpers.analysis import CapacityInputs, capacity_view
from mlsd_helpers.errors import RangeError


def row(figure, column, value):
    at = figure.data[column].index(value)
    return {name: values[at] for name, values in figure.data.items()}


def test_the_wait_of_every_number_of_replicas_is_that_of_erlang_c():
    figure = figures.wait_by_replicas(500, 0.040)
    waits = dict(zip(figure.data["replicas"], figure.data["wait_s"], strict=True))
    assert waits == {n: formulas.wait_percentile_s(n, 500, 0.040) for n in range(21, 41)}
    assert 1_000 * waits[25] == pytest.approx(24.3, abs=0.05)


def test_the_wait_figure_says_both_sizes_and_the_limit():
    alt = figures.wait_by_replicas(500, 0.040).alt
    assert all(f"{number} " in alt for number in (38, 26, 20))


def test_the_wait_figure_takes_another_budget_and_percentile():
    figure = figures.wait_by_replicas(500, 0.040, wait_budget_s=0.1, percentile=0.95)
    exact = formulas.servers_for_wait(500, 0.040, 0.1, percentile=0.95)
    assert f"takes {exact} replicas" in figure.alt
    assert "p95" in figure.alt


@pytest.mark.parametrize(
    ("rps", "service_s", "rule", "exact"),
    [(10, 0.1, 2, 4), (100, 0.05, 10, 10), (1_000, 0.05, 93, 57), (10_000, 0.05, 929, 509)],
)
def test_a_view_gives_the_published_sizes(rps, service_s, rule, exact):
    view = capacity_view(CapacityInputs(rps, service_s))
    assert (view.rule.replicas, view.exact.replicas) == (rule, exact)


@given(
    rps=st.floats(10, 10_000),
    service_s=st.floats(0.001, 0.2),
    target=st.floats(0.3, 0.95),
    headroom=st.floats(0, 1),
)
def test_a_view_draws_few_points_from_the_limit_to_beyond_both_sizes(rps, service_s, target, headroom):
    view = capacity_view(CapacityInputs(rps, service_s, target, headroom))
    counts, waits = zip(*view.curve, strict=True)
    assert counts[0] == math.floor(rps * service_s) + 1
    assert counts[-1] > max(view.rule.replicas, view.exact.replicas)
    assert {view.rule.replicas, view.exact.replicas} <= set(counts)
    assert len(counts) <= 63
    assert list(waits) == sorted(waits, reverse=True)
    assert view.exact.wait_s <= view.inputs.budget_s < 0.99 * view.wait_top_s


@pytest.mark.parametrize("wrong", [{"peak_rps": 0}, {"service_time_s": -1}, {"headroom": math.nan}])
def test_a_view_of_impossible_inputs_is_refused_by_name(wrong):
    with pytest.raises(RangeError, match=next(iter(wrong))):
        capacity_view(CapacityInputs(**wrong))


def test_a_fleet_that_is_all_busy_waits_without_end():
    view = capacity_view(CapacityInputs(500, 0.040, target_utilisation=1, headroom=0))
    assert math.isinf(view.rule.wait_s)
    assert math.isfinite(view.wait_top_s)
    assert "without end" in figures.wait_by_replicas(500, 0.040, 1, 0).alt


def test_the_rule_gives_too_few_for_small_loads_and_too_many_for_large_ones():
    figure = figures.rule_against_exact()
    smallest, largest = row(figure, "peak_rps", 10), row(figure, "peak_rps", 10_000)
    assert smallest["rule"] < smallest["exact"] == formulas.servers_for_wait(10, 0.05, 0.025)
    assert (largest["rule"], largest["exact"]) == (929, 509)
    assert "929" in figure.alt
    assert "509" in figure.alt


def test_the_alternative_text_claims_no_shortage_where_there_is_none():
    assert "too few" not in figures.rule_against_exact(lowest_rps=1_000).alt
    assert "too many" not in figures.rule_against_exact(lowest_rps=10, highest_rps=20).alt


def test_responses_are_those_of_the_formulas():
    busy = row(figures.response_by_utilisation(servers=10), "utilisation", 0.9)
    assert busy["mm1"] == pytest.approx(10)
    assert busy["md1"] == pytest.approx(5.5)
    assert busy["mmc"] == formulas.mean_response_s(10, 9, 1)


def test_a_backlog_builds_up_and_drains_as_worked_by_hand():
    figure = figures.backlog(surge_rps=800, capacity_rps=725, delay_s=120, scaled_capacity_rps=1_000)
    assert figure.data["time_s"][:3] == (0, 120, 165)
    assert figure.data["queued"] == (0, 9_000, 0, 0)
    assert all(said in figure.alt for said in ("9,000", "45 s", "9 s"))


def test_a_backlog_that_never_drains_is_refused():
    with pytest.raises(RangeError):
        figures.backlog(surge_rps=800, capacity_rps=725, delay_s=120, scaled_capacity_rps=800)


def test_memory_is_shared_by_weights_cache_and_what_is_free():
    figure = figures.memory_budget(80e9, 16.06e9, 131_072, context_tokens=4_096)
    full = row(figure, "sequences", 104)
    assert full["kv_bytes"] == 104 * 4_096 * 131_072
    assert 0 <= full["free_bytes"] < 4_096 * 131_072
    parts = zip(*(figure.data[part] for part in ("weights_bytes", "kv_bytes", "free_bytes")), strict=True)
    assert {round(sum(part)) for part in parts} == {72_000_000_000}
    assert "104" in figure.alt


def test_headroom_is_held_against_each_named_failure():
    figure = figures.headroom(38, 500, 0.040)
    left, needed = figure.data["left"], figure.data["needed"]
    assert left == (38, 29, 25, 38, 38)
    assert needed == (29, 29, 29, 38, 58)
    assert "25 left, 29 needed, 4 too few" in figure.alt


def test_a_zone_is_survived_by_rounding_for_each_zone():
    figure = figures.headroom(sum(formulas.zone_layout(500, 0.040, 0.7, zones=3)), 500, 0.040)
    assert figure.data["left"][2] == figure.data["needed"][2] == 29


@pytest.mark.parametrize("wrong", [{"restart_share": 25}, {"cache_hit_ratio": 1.0}, {"zones": 0}])
def test_a_failure_that_cannot_be_is_refused_by_name(wrong):
    with pytest.raises(RangeError, match=next(iter(wrong))):
        figures.headroom(38, 500, 0.040, **wrong)


@pytest.mark.parametrize(
    "figure",
    [
        lambda: figures.backlog(100, 200, 0, 300),
        lambda: figures.memory_budget(20e9, 17.9e9, 131_072, context_tokens=4_096),
        lambda: figures.headroom(1, 1, 0.001),
        lambda: figures.response_by_utilisation(servers=1),
        lambda: figures.wait_by_replicas(0.1, 0.001, wait_budget_s=0),
    ],
)
def test_the_smallest_cases_draw(figure):
    assert figure().svg.startswith("<svg")
