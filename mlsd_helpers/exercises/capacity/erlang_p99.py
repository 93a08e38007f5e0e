"""Exercise 3: as many replicas as the p99 of the wait needs."""

import math
import random

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Slip, Stratum, equals


def servers_for_p99(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Add replicas until the p99 wait fits."""
    servers = math.floor(arrival_rps * service_time_s) + 1
    while formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.99) > wait_budget_s:
        servers += 1
    return {
        "servers": servers,
        "p99_wait_s": formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.99),
    }


def servers_for_p99_by_hand(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Solve the tail of the wait, C · exp(−(c − a)·t / S) = 1 %, with Erlang C from its recursion."""
    load = arrival_rps * service_time_s
    blocking, servers = 1.0, 0
    while True:
        servers += 1
        blocking = load * blocking / (servers + load * blocking)
        if servers <= load:
            continue
        waits = servers * blocking / (servers - load * (1 - blocking))
        tail_s = max(0.0, math.log(waits / 0.01) * service_time_s / (servers - load))
        if tail_s <= wait_budget_s:
            return {"servers": servers, "p99_wait_s": tail_s}


def servers_for_p99_by_bisection(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Halve the interval: the p99 wait falls with every replica."""
    low = math.floor(arrival_rps * service_time_s) + 1
    high = 2 * low + 100
    while low < high:
        middle = (low + high) // 2
        fits = formulas.wait_percentile_s(middle, arrival_rps, service_time_s, 0.99) <= wait_budget_s
        low, high = (low, middle) if fits else (middle + 1, high)
    return {"servers": low, "p99_wait_s": formulas.wait_percentile_s(low, arrival_rps, service_time_s, 0.99)}


def _with_wait(servers: int, arrival_rps: float, service_time_s: float) -> Answer:
    return {
        "servers": servers,
        "p99_wait_s": formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.99),
    }


def sized_for_stability(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """That is the smallest fleet that does not fall behind for ever. A fleet close to 100 % busy is stable
    and slow: look at the wait that goes with your number, and add replicas until it fits.
    """
    return _with_wait(math.floor(arrival_rps * service_time_s) + 1, arrival_rps, service_time_s)  # C53


def sized_for_the_mean(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Your fleet keeps the *mean* wait within the budget. One request in a hundred waits much longer than
    the mean, and the budget is about that one: use the 99th percentile.
    """
    servers = math.floor(arrival_rps * service_time_s) + 1
    while formulas.mean_wait_s(servers, arrival_rps, service_time_s) > wait_budget_s:
        servers += 1
    return _with_wait(servers, arrival_rps, service_time_s)


def sized_for_the_95th(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Your fleet keeps the 95th percentile of the wait within the budget. Then up to five requests in a hundred wait
    longer, and one may: use the 99th.
    """
    servers = math.floor(arrival_rps * service_time_s) + 1
    while formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.95) > wait_budget_s:
        servers += 1
    return _with_wait(servers, arrival_rps, service_time_s)


def trusted_the_rule(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """That is the rule's number: 0.7 busy, plus 30 %. The rule promises a utilisation, not a wait; for a
    small service it is too few, for a large one far too many. Here the wait decides.
    """
    return _with_wait(
        formulas.replicas(arrival_rps, service_time_s, 0.7, 0.3), arrival_rps, service_time_s
    )  # C54


def budgeted_the_response(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """You took the service time out of the budget. The budget here is for the wait in the queue alone; the
    service time comes after it.
    """
    servers = math.floor(arrival_rps * service_time_s) + 1
    left_s = max(wait_budget_s - service_time_s, 0.0)
    while formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.99) > left_s:
        servers += 1
    return _with_wait(servers, arrival_rps, service_time_s)


def reported_the_response(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Your fleet is right, and your p99 is that of the *response*, which has the service time in it. Asked for is the
    p99 of the wait alone.
    """
    right = servers_for_p99(arrival_rps, service_time_s, wait_budget_s)
    p99_s = formulas.response_percentile_s(right["servers"], arrival_rps, service_time_s, 0.99)
    return {**right, "p99_wait_s": p99_s}


def sized_by_the_response(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """You held the *response* against the budget, and the budget is for the wait alone. With exponential service times
    the p99 of the service itself is 4.6 mean service times, so below that no fleet ever fits, and a search for one does
    not end.
    """
    smallest = math.floor(arrival_rps * service_time_s) + 1
    for servers in range(smallest, 2 * smallest + _TRIED):
        p99_s = formulas.response_percentile_s(servers, arrival_rps, service_time_s, 0.99)
        if p99_s <= wait_budget_s:
            break
    return _with_wait(servers, arrival_rps, service_time_s)


_TRIED = 50  # sizes beyond twice the smallest; where none fits, the last of them


def waited_less_than_nothing(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Your p99 of the wait is below zero, and no wait is. The logarithm is negative where fewer than 1 % wait at all:
    then 99 of 100 requests do not wait, and the p99 of the wait is 0.
    """
    right = servers_for_p99(arrival_rps, service_time_s, wait_budget_s)
    return {**right, "p99_wait_s": _signed_wait_s(right["servers"], arrival_rps, service_time_s)}


def _signed_wait_s(servers: int, arrival_rps: float, service_time_s: float) -> float:
    load = arrival_rps * service_time_s
    return math.log(formulas.erlang_c(servers, load) / 0.01) * service_time_s / (servers - load)


def let_nobody_wait(arrival_rps: float, service_time_s: float, wait_budget_s: float) -> Answer:
    """Your fleet makes at most 1 % of requests wait at all. They may wait, as long as the budget allows:
    that costs fewer replicas.
    """
    servers = math.floor(arrival_rps * service_time_s) + 1
    while formulas.erlang_c(servers, arrival_rps * service_time_s) > 0.01:
        servers += 1
    return _with_wait(servers, arrival_rps, service_time_s)


_MOST_SERVERS = 10_000  # with as many nobody waits here, and Erlang's recursion takes a step for each


def _own_fleet(case: Case, given: Given) -> tuple[int, float, float]:
    return min(int(given["servers"]), _MOST_SERVERS), case["arrival_rps"], case["service_time_s"]


def _wait_of_own(case: Case, given: Given) -> float:
    return formulas.wait_percentile_s(*_own_fleet(case, given), 0.99)


def _response_of_own(case: Case, given: Given) -> float:
    return formulas.response_percentile_s(*_own_fleet(case, given), 0.99)


def _signed_wait_of_own(case: Case, given: Given) -> float:
    return _signed_wait_s(*_own_fleet(case, given))


def _draw_wait(rng: random.Random) -> Case:
    return {
        "arrival_rps": rng.choice([5, 10, 20, 50, 100, 200, 400, 800]),
        "service_time_s": rng.choice([0.02, 0.03, 0.04, 0.05, 0.08, 0.1]),
        "wait_budget_s": rng.choice([0.01, 0.02, 0.05, 0.1, 0.15]),
    }


def _is_stable_enough(case: Case) -> bool:
    """Tell whether the smallest stable fleet keeps the promise."""
    return bool(
        servers_for_p99(**case)["servers"] == math.floor(case["arrival_rps"] * case["service_time_s"]) + 1
    )


EXERCISE = Exercise(
    id="05-erlang-p99",
    assignment="05_capacity",
    title="As many replicas as the p99 needs",
    kind="code",
    outcome="Size for a percentile of the wait with Erlang C instead of for a utilisation.",
    minutes=10,
    steps=(
        equals("servers", 2, lambda c, _: servers_for_p99(**c)["servers"]),
        equals("p99_wait_s", 1, _wait_of_own, tolerance=1e-3),
    ),
    cases=(
        {"arrival_rps": 10, "service_time_s": 0.1, "wait_budget_s": 0.05},
        {"arrival_rps": 100, "service_time_s": 0.05, "wait_budget_s": 0.1},
        {"arrival_rps": 500, "service_time_s": 0.04, "wait_budget_s": 0.02},
        {"arrival_rps": 1000, "service_time_s": 0.05, "wait_budget_s": 0.025},
        {"arrival_rps": 5, "service_time_s": 0.02, "wait_budget_s": 0.01},
    ),
    reference=servers_for_p99,
    alternatives=(servers_for_p99_by_hand, servers_for_p99_by_bisection),
    mistakes=(
        sized_for_stability,
        sized_for_the_mean,
        sized_for_the_95th,
        trusted_the_rule,
        budgeted_the_response,
        sized_by_the_response,
        Slip(reported_the_response, {"p99_wait_s": _response_of_own}),
        Slip(waited_less_than_nothing, {"p99_wait_s": _signed_wait_of_own}),
        let_nobody_wait,
    ),
    hints=(
        "Look at what the budget limits: the wait in the queue, for the slowest one in a hundred.",
        (
            "Start at the smallest fleet that is stable (more replicas than busy ones) and ask "
            "`mlsd.formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.99)` for each size."
        ),
        (
            "A neighbour: 4 busy replicas of 1 s. Five are stable and their p99 wait is about 4 s; the wait "
            "falls with each one more. Stop at the first that fits."
        ),
    ),
    draw=_draw_wait,
    strata=(
        Stratum("where fewer than 1 % wait, the p99 is 0", lambda c: servers_for_p99(**c)["p99_wait_s"] == 0),
        Stratum("The budget is for the wait alone", lambda c: c["wait_budget_s"] > c["service_time_s"]),
        Stratum("a short budget is kept by no fleet", lambda c: c["wait_budget_s"] < c["service_time_s"] / 2),
        Stratum("the fewest replicas that keep the promise", _is_stable_enough),
        Stratum(
            "one request in a hundred may queue longer than `wait_budget_s`",
            lambda c: c["wait_budget_s"] == 0,
            lambda rng: {**_draw_wait(rng), "wait_budget_s": 0},
        ),
    ),
    general=(
        "The rule promises a utilisation",
        "Arrivals are Poisson",
        "Use the calculators",
    ),
)
