"""Numbers of the lessons' prose and of their questions' reasons that no cell gives, each with what holds it.

A phrase stands word for word in the text; beside it stands a comparison that fails when the number is no longer so.
"""

import math

import numpy as np

from mlsd_helpers import cases, formulas, samples
from mlsd_helpers.analysis import patterns
from mlsd_helpers.analysis.request import requests_of
from mlsd_helpers.cases import traffic
from mlsd_helpers.testbed.experiments import recording
from mlsd_helpers.units import day, minute, ms

CHANGE_MIN, END_MIN = samples._CHANGE_MIN, samples._END_MIN  # of the lab in lesson 02
SKETCH = cases.load("harbour_pay").planes
ANSWERED = requests_of(SKETCH)[0].availability
NEEDS = cases.load("harbour_pay").requirements
PAYMENTS, OUTCOMES = samples.disputed_payments()
LOOPS = samples.loops_beside_a_stall()
PLAN = cases.load("harbour_pay").capacity


def percentile_of_stalling_steps_ms(share, at=0.99):
    """Return the percentile of two independent steps of 10 ms that take 1,000 ms in a share of calls."""
    shares = {20: (1 - share) ** 2, 1_010: 2 * share * (1 - share), 2_000: share**2}
    below = 0.0
    for time_ms, chance in shares.items():
        below += chance
        if below >= at:
            return time_ms
    raise AssertionError("the shares add up to one")


def canary_alarms_well(served, usual=0.001, bad=0.002):
    """Tell whether a one-sided alarm that is false in 1 of 20 cases finds a bad rate in 8 of 10."""

    def at_least(errors, rate):
        term, below = (1 - rate) ** served, 0.0
        for seen in range(errors):
            below, term = below + term, term * (served - seen) / (seen + 1) * rate / (1 - rate)
        return 1 - below

    limit = next(errors for errors in range(1, served) if at_least(errors, usual) <= 0.05)
    return at_least(limit, bad) >= 0.8


def waits_s(start, end):
    """Return how long a call of the worked sketch waits."""
    return next(flow.timeout for flow in SKETCH.flows if (flow.start, flow.end) == (start, end))


def falls_back(start, end):
    """Return what a call of the worked sketch does when no answer comes."""
    return next(flow.fallback for flow in SKETCH.flows if (flow.start, flow.end) == (start, end))


IN_PROSE = {
    "01_requirements": {
        "p99 latency < 500 ms |": lambda: (
            (NEEDS.latency.percentile, NEEDS.latency.budget) == ("p99", 500 * ms)
        ),
        "peak = 500 requests/s": lambda: NEEDS.throughput.peak == 500,
        "age of a count of recent payments < 15 min |": lambda: NEEDS.freshness.features == 15 * minute,
        "within which 99 of 100 answers come": lambda: math.isclose(99 / 100, 0.99),
        "real-time* below 100 ms, *near-real-time* below 2 s, *interactive* below 60 s": lambda: (
            [
                NEEDS.latency.changed(budget=limit).tier
                for limit in ("99 ms", "100 ms", "1.9 s", "2 s", "59 s", "60 s")
            ]
            == [*("real-time", "near-real-time", "near-real-time"), *("interactive", "interactive", "batch")]
        ),
        "right 999 times in 1,000": lambda: math.isclose(1_000 * (1 - NEEDS.prediction.base_rate), 999),
        "p99 latency < 500 ms, at the peak": lambda: NEEDS.latency.budget == 500 * ms,
        "age of a count of recent payments < 15 min, at every read": lambda: (
            NEEDS.freshness.features == 15 * minute
        ),
        "peak >= 500 requests/s": lambda: NEEDS.throughput.peak == 500,
        "(1 − 0.999) × 30 × 24 × 60 = 43.2 minutes": lambda: math.isclose((1 - 0.999) * 30 * 24 * 60, 43.2),
        "99.9 % over 30 days leaves": lambda: True,
        "Of 500 ms, 500 − (60 + 30 + 250 + 120 + 10) = 30 ms are left": lambda: (
            [round(hop.time / ms) for hop in NEEDS.latency.split] == [60, 30, 250, 120, 10]
            and 500 - (60 + 30 + 250 + 120 + 10) == 30
        ),
        "98 of 100 answers take 20 ms": lambda: True,
        "0.98 × 20 + 0.02 × 400 = 27.6 ms, and their p99 400 ms": lambda: (
            math.isclose(0.98 * 20 + 0.02 * 400, 27.6) and sorted([20] * 98 + [400] * 2)[98] == 400
        ),
        "1,000 ms in 0.9 % of the calls": lambda: True,
        "In 1 − 0.991² = 1.8 % of the requests": lambda: round(100 * (1 - 0.991**2), 1) == 1.8,
        "is 1,010 ms": lambda: percentile_of_stalling_steps_ms(0.009) == 1_010,
        "waits 0.1 s from one": lambda: math.isclose(LOOPS["closed"][1][0] - LOOPS["closed"][0][0], 0.1),
        "10 requests a second keep it 10 × 0.040 = 40 % busy, and an answer takes 40 / (1 − 0.4) = 67 ms": lambda: (
            math.isclose(10 * 0.040, 0.4) and round(40 / (1 - 0.4)) == 67
        ),
        "A server answers in 10 ms, and stalls once": lambda: math.isclose(LOOPS["open"][0][1], 10 * ms),
        "from 50 to 60 of a test of 100 s": lambda: 99.8 < LOOPS["open"][-1][0] < 100,
        "it is above 60 %": lambda: 615_000 * 331 / 615 / (615_000 * 331 / 615 + 186_000) > 0.6,
        "reaches below 50 %": lambda: 331 / 615 - 2 * math.sqrt(331 / 615 * 284 / 615 / 615) < 0.5,
        "Harbour Pay's 500/s are those": lambda: NEEDS.throughput.peak == 500,
        "200/s × 30 days = 518 million payments": lambda: (
            NEEDS.throughput.mean == 200 and round(200 * 30 * 24 * 3_600 / 1e6) == 518
        ),
        "availability >= 99.9 %, over 30 days": lambda: (
            (NEEDS.availability.target, NEEDS.availability.window) == (0.999, 30 * day)
        ),
    },
}

PRICED = (
    formulas.crossover_requests_per_day(1e6, day / (60 * minute - 10 * minute), 5e-6, 10e-6, 0.5e-6) / day
)
IN_PROSE["04_patterns"] = {
    "one million keys, answers up to 1 hour old, a job of 10 minutes. A million inferences cost 10 USD": lambda: (
        round(PRICED) == 175 and patterns.PatternInputs().inference_price == 10
    ),
    "a million reads cost 0.50 USD": lambda: patterns.PatternInputs().read_price == 0.5,
    "at 100 million B would make a hundred times as many answers": lambda: math.isclose(100e6 / 1e6, 100),
    "B is cheaper from about 175 requests/s on": lambda: round(PRICED) == 175,
    "keeping a job running costs 20 USD a day, a stream 100": lambda: (
        (patterns.JOB_PER_DAY, patterns.STREAM_PER_DAY) == (20, 100)
    ),
    "nine in ten are requests": lambda: patterns.PatternInputs().read_share == 0.9,
    "| B: ahead, by a job every 5 s |": lambda: (
        recording("three_patterns").column("answers")[1] == "B: ahead, by a job every 5 s"
    ),
    "1 + 1 = 2 hours old": lambda: 1 + 1 == 2,
    "So of twenty consumers on 12 partitions, 12 have something to read, and 8 are paid for and read nothing": lambda: (
        formulas.busy_consumers(20, 12) == 12 == 20 - 8
    ),
}

IN_PROSE["05_capacity"] = {
    "300 requests/s of 20 ms each": lambda: math.isclose(300 * 20 * ms, 6),
    "300/s × 0.020 s = 6": lambda: math.isclose(300 * 0.020, 6),
    "here 30 %": lambda: math.isclose(1.3 - 1, 0.3),
    "For the small service 6 / 0.7 × 1.3 = 11.1, so 12": lambda: (
        round(6 / 0.7 * 1.3, 1) == 11.1 and formulas.replicas(300, 20 * ms, 0.7, 0.3) == 12
    ),
    "surviving the loss of a zone costs 18 % more, 1.25 instead of 1.06 cents for 1,000 predictions": lambda: (
        round(100 * (45 / 38 - 1)) == 18
        and [round(100 * formulas.cost_per_thousand_predictions(n, 0.2, 200), 2) for n in (45, 38)]
        == [1.25, 1.06]
    ),
    "18 % more for surviving a zone": lambda: round(100 * (45 / 38 - 1)) == 18,
    "30 % pays for a surge of 30 %": lambda: math.isclose(1.3, 1 + 0.3),
    "1.8 times as many as needed for a thousand": lambda: (
        round(
            formulas.replicas(20_000, 0.05, 0.7, 0.3) / formulas.servers_for_wait(20_000, 0.05, 0.025, 0.99),
            1,
        )
        == 1.8
    ),
    "gets 500 requests/s at the peak, and each takes 40 ms": lambda: (
        (PLAN.load, PLAN.service_time.mean) == (NEEDS.throughput.peak, 40 * ms) == (500, 40 * ms)
    ),
    "(99 % of the requests are answered within it)": lambda: math.isclose(1 - 1 / 100, 0.99),
    "the mean rate of 200 requests/s": lambda: NEEDS.throughput.mean == 200,
    "50 × 0.90 / 0.75 = 60": lambda: math.isclose(50 * 0.90 / 0.75, 60),
    "a restart leaves 29 of 38 replicas. At their limit they serve 29 / 0.040 = 725 requests/s": lambda: (
        math.isclose(29 / 0.040, 725) and formulas.replicas(500, 40 * ms, 0.7, 0) == 29
    ),
    "with a target of 75 %": lambda: math.isclose(75 / 100, 0.75),
    "3 × 3 × 3 = 27 calls": lambda: formulas.retry_amplification(attempts=3, layers=3) == 3 * 3 * 3 == 27,
    "divided the 500 ms: 250 ms are for waiting, and 0.250 / 0.040 = 6.25, so 6": lambda: (
        math.isclose(0.250 / 0.040, 6.25)
        and PLAN.queue_limit == int(0.250 / PLAN.service_time.mean) == 6
        and (NEEDS.latency.budget, NEEDS.latency.split[2].time) == (500 * ms, 250 * ms)
    ),
    "The 120 ms for inference": lambda: NEEDS.latency.split[3].time == 120 * ms,
    "9.5 is rounded down to 9, and the 37.1": lambda: 38 * 0.25 == 9.5 and round(20 / 0.7 * 1.3, 1) == 37.1,
    "the first of about 18 minutes": lambda: True,
    "1.3 × 0.75 = 0.975": lambda: math.isclose(1.3 * 0.75, 0.975),
    "at 1,000/s of 40 ms the rule orders 75, a restart leaves 57, and 58 are needed": lambda: (
        formulas.replicas(1_000, 40 * ms, 0.7, 0.3) == 75
        and 75 - int(0.25 * 75) == 57
        and formulas.replicas(1_000, 40 * ms, 0.7, 0) == 58
    ),
    "45 to 38": lambda: PLAN.replicas == 45 and formulas.replicas(500, 40 * ms, 0.7, 0.3) == 38,
}

IN_PROSE["02_planes"] = {
    "and the canary, 1 % of the traffic, shall show whether the new model has 0.2 %": lambda: (
        (SKETCH.release.canary_share, (0.001 + 0.002) / 2, 0.002 - 0.001) == (0.01, 0.0015, 0.001)
    ),
    "has fallen from 60 to 50 %": lambda: (
        math.isclose((0.6 + 0.5) / 2, 0.55) and math.isclose(0.6 - 0.5, 0.1)
    ),
    "| `gateway` | `scorer` | 420 ms |": lambda: waits_s("gateway", "scorer") == 420 * ms,
    "| `gateway` | `rules` | 20 ms |": lambda: waits_s("gateway", "rules") == 20 * ms,
    "| `scorer` | `features` | 40 ms |": lambda: waits_s("scorer", "features") == 40 * ms,
    "| `scorer` | `rules` | 20 ms |": lambda: waits_s("scorer", "rules") == 20 * ms,
    "pass below $50; ask for a code above": lambda: (
        falls_back("gateway", "rules") == "Pass below $50; ask for a code above"
    ),
    "1 − (1 − 0.99)² = 99.99 %": lambda: math.isclose(1 - (1 - 0.99) ** 2, 0.9999),
    "Of two copies of 99 %": lambda: True,
    "Three required parts of 99.95 % each, and a required store of two copies of 99 %": lambda: True,
    "up 0.9995³ = 99.85 %": lambda: round(100 * 0.9995**3, 2) == 99.85,
    "(1 − 0.1 × 1 %) × (1 − (0.9 × 1 %)²) = 99.892 %": lambda: (
        round(100 * (1 - 0.1 * 0.01) * (1 - (0.9 * 0.01) ** 2), 3)
        == round(100 * formulas.common_cause_availability(0.99, 2, 0.1), 3)
        == 99.892
    ),
    "A score needs the gateway and the scorer": lambda: math.isclose(
        requests_of(SKETCH)[0].in_full,
        math.prod(SKETCH.component(one).availability for one in ("gateway", "scorer", "features", "rules")),
    ),
    "asks for 198 labelled frauds": lambda: round(formulas.canary_sample_size(0.5, 0.6) / 2) == 198,
    "198 / 0.001 / (0.01 × 500/s) = 11 hours at the peak, and their labels another 30 days": lambda: (
        round(
            198 / NEEDS.prediction.base_rate / (SKETCH.release.canary_share * NEEDS.throughput.peak) / 3_600
        )
        == 11
        and NEEDS.labels.delay == 30 * day
    ),
    "holds at most 200": lambda: samples._HOLDS_ROWS == 200,
    "has 108 to 112 rows": lambda: {*samples._rows_of_a_day(np.random.default_rng(0))} >= {*range(108, 113)},
    "of 108 to 112 rows, 6 of 25 pairs differ by three rows or more": lambda: (
        sum(abs(one - other) >= 3 for one in range(108, 113) for other in range(108, 113)) == 6
        and 2 / 108 < 0.02 < 3 / 112
    ),
    "means over 400 days": lambda: True,
    "43.2 − 25.9 = 17.3 minutes": lambda: (
        math.isclose(43.2 - 25.9, 17.3)
        and round(
            (1 - SKETCH.component("gateway").availability * SKETCH.component("scorer").availability) * 43_200,
            1,
        )
        == 25.9
    ),
    "43.2 − 34.6 = 8.6 minutes": lambda: (
        math.isclose(43.2 - 34.6, 8.6) and round((1 - requests_of(SKETCH)[0].in_full) * 43_200, 1) == 34.6
    ),
    "the other 99 % are as good as known": lambda: math.isclose(1 - SKETCH.release.canary_share, 0.99),
    "From 11:20 on": lambda: CHANGE_MIN == 11 * 60 + 20,
    "At 17:06 the change is taken back": lambda: END_MIN == 17 * 60 + 6,
    "out for 346 minutes, from 11:20 to 17:06": lambda: END_MIN - CHANGE_MIN == 346,
    "for 99.9 % of the payments over 30 days": lambda: (
        (NEEDS.availability.target, NEEDS.availability.window) == (0.999, 30 * day)
    ),
    "An answer of either kind needs the gateway alone": lambda: math.isclose(
        ANSWERED, SKETCH.component("gateway").availability
    ),
    "Harbour Pay's takes 2 h": lambda: SKETCH.release.canary_time == 2 * 3_600,
}

DAY = samples.payments_of_a_day()
FRAUD = DAY["fraud"].to_numpy()
PATHS_MIN = (
    (0, 1 / 60),
    (0.5, 0.5),
    (3, 2),
    (10, 5),
    (60, 15),
)  # period and delay, in the order of the table
OVER_THE_DAY = [samples.flagged_over_the_day(DAY, *path) for path in PATHS_MIN]
RECALLS = [flagged[FRAUD].mean() for flagged in OVER_THE_DAY]
ALARMS = [flagged[~FRAUD].mean() for flagged in OVER_THE_DAY]


def margin_by_card(flagged):
    """Return half the width of the 95 % interval of a recall, by the cards that were stolen."""
    by_card = DAY.assign(flagged=flagged)[FRAUD].groupby("card")["flagged"].mean()
    return 1.96 * by_card.std() / math.sqrt(len(by_card))


BRANCHES = formulas.Parallel(
    [[formulas.Stage(period_s=1, delay_s=8)], [formulas.Stage(period_s=1, delay_s=7)]]
)

IN_PROSE["03_dataflow"] = {
    "the hourly spend was up to 78 minutes old": lambda: sum((60, 3, 12, 1, 2)) == 78,
    "in series, 89 minutes for two jobs": lambda: samples.ways_to_start()["worst age"].iloc[0] == 89,
    "features at most 15 minutes old": lambda: NEEDS.freshness.features == 15 * minute,
    "for a feature to be at most 15 minutes old": lambda: True,
    "Follow a payment made at 10:01": lambda: True,
    "of branches of 1 + 8 and 1 + 7 minutes, 9 minutes": lambda: formulas.age_bounds([BRANCHES]).worst_s == 9,
    "Here are 20,000 payments of 90 days": lambda: (
        len(PAYMENTS) == 20_000 and 89 < PAYMENTS["paid_at"].max() <= 90
    ),
    "5 to 30 days later": lambda: (OUTCOMES["readable_at"] - OUTCOMES["happened_at"]).between(5, 30).all(),
    "a day of 2,000 cards. 60 of them are stolen and used 30 times, on average every 72 seconds": lambda: (
        DAY["card"].max() < 2_000
        and DAY[FRAUD].groupby("card").size().tolist() == [30] * 60
        and math.isclose(DAY[FRAUD].groupby("card")["at_min"].diff().mean() * 60, 72, rel_tol=0.05)
    ),
    "7 % over the day": lambda: round(100 * RECALLS[-1]) == 7,
    "over twelve phases": lambda: True,
    "just short of the floor in this sample of 60 stolen cards. The micro-batch is the cheapest": lambda: (
        0 < 0.8 - RECALLS[2] < 2 * margin_by_card(OVER_THE_DAY[2]) and RECALLS[1] > 0.8
    ),
    "on the other paths the false alarms are nearly alike": lambda: (
        max(ALARMS[:4]) / min(ALARMS[:4]) < 1.05 and ALARMS[4] < min(ALARMS[:4]) * 0.7
    ),
    "Flagging one read in eighteen at random": lambda: (
        round(1 / samples.gaps_between_payments()["gap_s"].isna().mean()) == 18
    ),
    "crosses 80 % between 1 and 5 minutes": lambda: (
        samples.flagged_at_age(DAY, 1)[FRAUD].mean() > 0.8 > samples.flagged_at_age(DAY, 5)[FRAUD].mean()
    ),
}

IN_REASONS = {
    "00-ask-outage": {"First failures at 11:20, most traffic back at 14:30": lambda: 3 * 60 + 10 == 190},
    "01-ask-alarms": {
        "Of 1,000 payments one is fraud, and 0.9 of it": lambda: math.isclose(1_000 * 0.001 * 0.9, 0.9),
        "of the 999 honest ones 1 % are alarms, which is 9.99": lambda: math.isclose(999 * 0.01, 9.99),
        "0.9 / (0.9 + 9.99) = 8.3 %": lambda: (
            round(
                100
                * formulas.precision_at_base_rate(0.001, true_positive_rate=0.9, false_positive_rate=0.01),
                1,
            )
            == round(100 * 0.9 / (0.9 + 9.99), 1)
            == 8.3
        ),
    },
    "01-ask-mean": {
        "(100 × 100 − 95 × 20) / 5 = 1,620 ms": lambda: (100 * 100 - 95 * 20) / 5 == 1_620,
        "10,000 ms in all, and the 95 fast ones use 1,900": lambda: (100 * 100, 95 * 20) == (10_000, 1_900),
    },
    "01-ask-serial": {
        "1 % at 66.4 ms": lambda: (
            round((1 + 6.64) * math.exp(-6.64), 3) == 0.01
            and round(formulas.sum_of_exponentials_percentile_s([10 * ms] * 2, 0.99) / ms, 1) == 66.4
        ),
        "46 + 46 = 92 ms": lambda: round(10 * math.log(100)) == 46,
        "(1 + t/10) · e^(−t/10)": lambda: True,
    },
    "01-ask-fan-out": {"0.98^100 = 13.3 %": lambda: round(100 * 0.98**100, 1) == 13.3},
    "01-ask-peak": {  # worked out from the published counts, which are not part of the course
        "At one on Sunday, day 7": lambda: {24 * (7 - 1) + 1} == traffic.REPEATED,
        "the largest is 2.59 times the mean": lambda: True,
        "by our reading, 2.01 times the mean": lambda: True,
    },
    "01-ask-busy": {
        "24 × 0.040 = 96 % busy": lambda: math.isclose(24 * 0.040, 0.96),
        "40 / (1 − 0.96) = 1,000 ms": lambda: math.isclose(
            40 * ms + formulas.mg1_mean_wait_s(24, 40 * ms, service_scv=1), 40 * ms / (1 - 0.96)
        ),
    },
    "02-ask-series": {
        "(1 − 0.999^5) × 30 × 24 × 60 = 216 min": lambda: round((1 - 0.999**5) * 30 * 24 * 60) == 216,
        "its own 43.2 min": lambda: math.isclose(0.001 * 30 * 24 * 60, 43.2),
    },
    "02-ask-common": {
        "0.1 × 1 % = 0.1 %": lambda: math.isclose(0.1 * 0.01, 0.001),
        "(0.9 × 1 %)² = 0.0081 %": lambda: math.isclose((0.9 * 0.01) ** 2, 0.000081),
        "(1 %)² = 0.01 %": lambda: math.isclose(0.01**2, 0.0001),
        "With five copies the 0.1 % remains": lambda: math.isclose(
            1 - formulas.common_cause_availability(0.99, copies=5, common_share=0.1), 0.001, rel_tol=1e-6
        ),
    },
    "02-ask-faded": {
        "(1 − 0.9985 × 0.9989) × 43,200 min": lambda: (
            round(0.9995**3, 4) == 0.9985
            and round(formulas.common_cause_availability(0.99, copies=2, common_share=0.1), 4) == 0.9989
            and 30 * 24 * 60 == 43_200
        ),
    },
    "02-ask-canary": {
        "takes 16 · p(1 − p)/Δ² requests": lambda: formulas.canary_sample_size(0.001, 0.002) == 23_964,
        "16 × 0.0015 × 0.9985 / 0.001² = 23,964": lambda: round(16 * 0.0015 * 0.9985 / 0.001**2) == 23_964,
        "Beside 1 % of the traffic the other 99 %": lambda: math.isclose(
            1 - SKETCH.release.canary_share, 0.99
        ),
        "8 · p(1 − p)/Δ² = 11,982": lambda: round(8 * 0.0015 * 0.9985 / 0.001**2) == 11_982,
        "between 9,000 and 10,000, by the binomial": lambda: (
            [served for served in (9_000, 9_500, 10_000) if canary_alarms_well(served)] == [10_000]
        ),
    },
    "01-ask-lab": {
        "within 1 % of a cycle: the first 0.01 × 2.4 s = 24 ms": lambda: math.isclose(0.01 * 2.4, 24 * ms),
        "400 − 24 = 376 ms": lambda: 400 - 24 == 376,
    },
}
