import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from tests.effort import examples

ms = 0.001
CALLS = "published Erlang C example"

# 500/s × 40 ms (a = 20), and call centres in calls per half hour.
ORACLES = [
    (f.littles_law, (500, 0.040), 20, 1e-12, "worked apart"),
    (f.utilisation, (29, 500, 0.040), 0.690, 5e-4, "worked apart"),
    (f.utilisation, (38, 500, 0.040), 0.526, 5e-4, "worked apart"),
    (f.mm1_mean_response_s, (0.5, 1), 2, 1e-12, "worked apart"),
    (f.mm1_mean_response_s, (0.7, 1), 3.33, 5e-3, "worked apart"),
    (f.mm1_mean_response_s, (0.8, 1), 5, 1e-9, "worked apart"),
    (f.mm1_mean_response_s, (0.9, 1), 10, 1e-9, "worked apart"),
    (f.mm1_mean_response_s, (0.95, 1), 20, 1e-9, "worked apart"),
    (f.md1_mean_wait_s, (0.7, 1), 1.167, 5e-4, "worked apart"),
    (f.erlang_c, (1, 0.5), 0.5, 1e-12, "worked apart"),
    (f.erlang_c, (2, 1), 0.3333, 5e-5, "worked apart"),
    (f.erlang_c, (5, 4), 0.5541, 5e-5, "worked apart"),
    (f.erlang_c, (10, 8), 0.4092, 5e-5, "worked apart"),
    (f.erlang_c, (10, 7), 0.2217, 5e-5, "worked apart"),
    (f.erlang_c, (50, 40), 0.0870, 5e-5, "worked apart"),
    (f.erlang_c, (21, 20), 0.7606, 5e-5, "worked apart"),
    (f.mean_wait_s, (21, 500, 0.040), 30.4 * ms, 0.05 * ms, "worked apart"),
    (f.wait_percentile_s, (21, 500, 0.040), 173 * ms, 0.5 * ms, "worked apart"),
    (f.erlang_c, (22, 20), 0.568, 5e-4, "worked apart"),
    (f.mean_wait_s, (22, 500, 0.040), 11.4 * ms, 0.05 * ms, "worked apart"),
    (f.wait_percentile_s, (22, 500, 0.040), 80.8 * ms, 0.05 * ms, "worked apart"),
    (f.erlang_c, (25, 20), 0.209, 5e-4, "worked apart"),
    (f.mean_wait_s, (25, 500, 0.040), 1.67 * ms, 5e-3 * ms, "worked apart"),
    (f.wait_percentile_s, (25, 500, 0.040), 24.3 * ms, 0.05 * ms, "worked apart"),
    (f.erlang_c, (29, 20), 0.040, 5e-4, "worked apart"),
    (f.mean_wait_s, (29, 500, 0.040), 0.178 * ms, 5e-4 * ms, "worked apart"),
    (f.wait_percentile_s, (29, 500, 0.040), 6.2 * ms, 0.05 * ms, "worked apart"),
    (f.random_split_mean_response_s, (29, 500, 0.040), 128.9 * ms, 0.05 * ms, "worked apart"),
    (f.random_split_response_percentile_s, (29, 500, 0.040), 593.6 * ms, 0.05 * ms, "worked apart"),
    (f.random_split_mean_response_s, (38, 500, 0.040), 84.4 * ms, 0.05 * ms, "worked apart"),
    (f.random_split_response_percentile_s, (38, 500, 0.040), 388.9 * ms, 0.05 * ms, "worked apart"),
    (f.random_split_response_percentile_s, (21, 500, 0.040), 3.868, 5e-4, "21 servers: 0.84 s × ln 100"),
    (f.erlang_c, (55, 48), 0.239, 5e-4, CALLS),
    (f.mean_wait_s, (55, 360 / 1800, 240), 8.2, 0.05, CALLS),
    (f.share_served_within, (55, 360 / 1800, 240, 15), 0.846, 5e-4, CALLS),
    (f.erlang_c, (14, 10), 0.174, 5e-4, CALLS),
    (f.mean_wait_s, (14, 100 / 1800, 180), 7.8, 0.05, CALLS),
    (f.share_served_within, (14, 100 / 1800, 180, 20), 0.888, 5e-4, CALLS),
    (f.mean_response_s, (3, 6 / 3600, 1200), 28.9 * 60, 3, "M/M/3, 6 and 3 an hour"),
    (f.mmck_blocking, (10, 15, 8, 1), 0.03004, 5e-6, "M/M/10/15"),
    (f.mmck_blocking, (10, 11, 8, 1), 0.08870, 5e-6, "M/M/10/11"),
    (f.mdc_mean_wait_s, (10, 8, 1), 0.10983, 5e-6, "M/D/10, Crommelin"),
    (f.mdc_mean_wait_s, (5, 4, 1), 0.28906, 5e-6, "M/D/5, Crommelin"),
    (f.servers_for_wait, (10, 0.100, 0.050), 4, 0, "the rule gives 2"),
    (f.servers_for_wait, (100, 0.050, 0.025), 10, 0, "the rule gives 10"),
    (f.servers_for_wait, (1_000, 0.050, 0.025), 57, 0, "the rule gives 93"),
    (f.servers_for_wait, (10_000, 0.050, 0.025), 509, 0, "the rule gives 929"),
    (f.wait_percentile_s, (2, 10, 0.100), 351 * ms, 0.5 * ms, "the rule at 10/s × 100 ms"),
    (f.halfin_whitt_wait_probability, (0.5,), 0.5045, 1e-3, "Halfin & Whitt: about a half at 0.5"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[float, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


servers = st.integers(1, 200)
busy = st.floats(0.01, 0.99)
service_time_s = st.floats(1e-4, 100)
percentile = st.floats(0.01, 0.9999)
quick = settings(max_examples=examples(60), deadline=None)


def erlang_c_by_logarithms(count: int, load: float) -> float:
    terms = [k * math.log(load) - math.lgamma(k + 1) for k in range(count + 1)]
    terms[-1] -= math.log(1 - load / count)
    largest = max(terms)
    return math.exp(terms[-1] - largest) / math.fsum(math.exp(term - largest) for term in terms)


@pytest.mark.parametrize("count", [1, 2, 17, 100, 1_000, 10_000])
@pytest.mark.parametrize("utilisation", [0.05, 0.5, 0.9, 0.999])
def test_erlang_c_agrees_with_the_sum_of_logarithms(count: int, utilisation: float) -> None:
    expected = erlang_c_by_logarithms(count, count * utilisation)
    assert f.erlang_c(count, count * utilisation) == pytest.approx(expected, rel=1e-8, abs=1e-300)


@given(servers, busy, service_time_s)
@quick
def test_one_more_server_shortens_the_wait(count: int, rho: float, time_s: float) -> None:
    arrivals = rho * count / time_s
    assert f.mean_wait_s(count + 1, arrivals, time_s) <= f.mean_wait_s(count, arrivals, time_s)


@given(servers, busy, service_time_s, percentile)
@quick
def test_the_share_served_within_a_percentile_is_that_percentile(
    count: int, rho: float, time_s: float, share: float
) -> None:
    arrivals = rho * count / time_s
    wait_s = f.wait_percentile_s(count, arrivals, time_s, share)
    served = f.share_served_within(count, arrivals, time_s, wait_s)
    assert served == pytest.approx(share, abs=1e-9) if wait_s else served >= share


@given(servers, busy, service_time_s, percentile, st.floats(1e-3, 1e3))
@quick
def test_the_unit_of_time_does_not_matter(
    count: int, rho: float, time_s: float, share: float, factor: float
) -> None:
    arrivals = rho * count / time_s
    scaled_s = f.response_percentile_s(count, arrivals / factor, time_s * factor, share)
    assert scaled_s == pytest.approx(
        f.response_percentile_s(count, arrivals, time_s, share) * factor, rel=1e-6
    )


@given(st.floats(0.01, 5_000), service_time_s, st.floats(0, 3), percentile)
@quick
def test_servers_for_a_wait_are_enough_and_one_fewer_is_not(
    load: float, time_s: float, waits: float, share: float
) -> None:
    arrivals, wait_s = load / time_s, waits * time_s
    count = f.servers_for_wait(arrivals, time_s, wait_s, share)
    assert f.wait_percentile_s(count, arrivals, time_s, share) <= wait_s * (1 + 1e-9)
    assume(count - 1 > arrivals * time_s)
    assert f.wait_percentile_s(count - 1, arrivals, time_s, share) > wait_s * (1 - 1e-9)


@given(busy, service_time_s, percentile)
@quick
def test_one_server_responds_as_m_m_1(rho: float, time_s: float, share: float) -> None:
    expected = f.mm1_response_percentile_s(rho / time_s, time_s, share)
    assert f.response_percentile_s(1, rho / time_s, time_s, share) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "load"), [(2, 1.0), (2, 1.9), (10, 8.0), (10, 9.0), (40, 20.0), (3, 2.999)]
)
def test_the_response_is_the_wait_and_the_service_folded_together(count: int, load: float) -> None:
    time_s = f.response_percentile_s(count, load, 1.0, 0.95)
    waits, drain, steps = f.erlang_c(count, load), count - load, 20_000
    width = time_s / steps
    middles = [(step + 0.5) * width for step in range(steps)]
    folded = math.fsum(drain * math.exp(-drain * w - (time_s - w)) for w in middles) * width
    slower = (1 - waits) * math.exp(-time_s) + waits * (folded + math.exp(-drain * time_s))
    assert slower == pytest.approx(0.05, abs=1e-6)


@given(servers, st.integers(0, 50), st.floats(0.01, 300))
@quick
def test_blocking_is_the_share_of_time_that_the_system_is_full(count: int, queue: int, load: float) -> None:
    weights = [0.0]
    for place in range(1, count + queue + 1):
        weights.append(weights[-1] + math.log(load / min(place, count)))
    largest = max(weights)
    full = math.exp(weights[-1] - largest) / math.fsum(math.exp(weight - largest) for weight in weights)
    assert f.mmck_blocking(count, count + queue, load, 1) == pytest.approx(full, rel=1e-9, abs=1e-300)
    assert f.mmck_blocking(count, count, load, 1) == f.erlang_b(count, load)


def crommelin_series(count: int, load: float) -> float:
    def poisson_at_least(least: int, mean: float) -> float:
        below = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(least))
        return 1 - math.fsum(below)

    return math.fsum(
        poisson_at_least(i * count, i * load) - poisson_at_least(i * count + 1, i * load) * count / load
        for i in range(1, 60)
    )


@pytest.mark.parametrize(("count", "load"), [(1, 0.3), (2, 1.0), (3, 1.5), (10, 6.0)])
def test_constant_service_agrees_with_crommelins_series(count: int, load: float) -> None:
    assert f.mdc_mean_wait_s(count, load, 1) == pytest.approx(crommelin_series(count, load), abs=1e-9)


@given(servers, busy, service_time_s)
@quick
def test_constant_service_waits_less_than_exponential_and_more_than_half_of_it(
    count: int, rho: float, time_s: float
) -> None:
    arrivals = rho * count / time_s
    exponential, noise = f.mean_wait_s(count, arrivals, time_s), 1e-9 * time_s
    assert exponential / 2 - noise <= f.mdc_mean_wait_s(count, arrivals, time_s) <= exponential + noise


@given(busy, service_time_s)
@quick
def test_one_server_with_exponential_service_is_m_m_1(rho: float, time_s: float) -> None:
    waited = f.mg1_mean_wait_s(rho / time_s, time_s, service_scv=1)
    assert waited + time_s == pytest.approx(f.mm1_mean_response_s(rho / time_s, time_s))
    approximate = f.allen_cunneen_mean_wait_s(1, rho / time_s, time_s, arrival_scv=1, service_scv=3)
    assert approximate == pytest.approx(f.mg1_mean_wait_s(rho / time_s, time_s, service_scv=3))


@given(st.floats(0.1, 0.95))
@quick
def test_two_choices_are_between_chance_and_one_queue(rho: float) -> None:
    two = f.power_of_two_mean_response_s(500, 500 * rho, 1)
    assert f.mean_response_s(500, 500 * rho, 1) <= two <= f.random_split_mean_response_s(500, 500 * rho, 1)


def test_square_root_staffing_comes_near_its_limit() -> None:
    assert f.square_root_staffing(400, quality=1, forecast_error=0.05) == 400 + 20 + 20
    count = f.square_root_staffing(10_000, quality=1)
    assert f.erlang_c(count, 10_000) == pytest.approx(f.halfin_whitt_wait_probability(1), abs=0.005)


CENTRAL = (f.mean_wait_s, f.wait_percentile_s, f.response_percentile_s, f.mdc_mean_wait_s)
ROUTED = (f.random_split_mean_response_s, f.power_of_two_mean_response_s)
ONE_SERVER = (f.mm1_mean_response_s, f.mm1_response_percentile_s, f.md1_mean_wait_s)


@pytest.mark.parametrize("rho", [1, 1.25])
def test_a_queue_without_end_is_refused(rho: float) -> None:
    calls: list[tuple[Callable[..., float], tuple[float, ...]]] = [(f.erlang_c, (2, 2 * rho))]
    calls += [(formula, (2, 2 * rho, 1)) for formula in CENTRAL + ROUTED]
    calls += [(formula, (rho, 1)) for formula in ONE_SERVER]
    for formula, inputs in calls:
        with pytest.raises(RangeError, match=r"utilisation 1.*Add replicas"):
            formula(*inputs)


def test_a_load_beyond_counting_is_refused_at_once() -> None:
    for arrivals in (1e12, 1e308):
        with pytest.raises(RangeError, match="offered_load"):
            f.servers_for_wait(arrivals, 10, 1)
