"""What a check says of a wrong answer is true of all its cases, and of the case that the notebook shows."""

import math
from fractions import Fraction

import pytest

import mlsd_helpers as mlsd
from mlsd_helpers.exercises import find, kit
from mlsd_helpers.exercises.dataflow.design import joined_on_event_time
from mlsd_helpers.exercises.patterns import design as pattern_design
from tests.effort import seeds


def test_of_cases_too_long_to_show_the_first_is_named_by_the_code_that_gives_it():
    said = mlsd.check("03-design", joined_on_event_time).message
    assert said.startswith("With `mlsd.exercises.inputs('03-design')[0]`: ")


def test_a_critique_that_names_nothing_is_not_told_that_a_kind_is_right():
    said = mlsd.check("04-critique", lambda statements: set()).message
    assert " right," not in said


def test_a_reason_of_one_word_is_no_reason():
    def curt(**case):
        mended = pattern_design.repaired(**case)
        mended["paths"][1]["reason"] = "Dear."
        return mended

    assert mlsd.check("04-design", curt).score == 4


def test_a_repair_that_changes_what_was_measured_earns_nothing_and_is_told_what_changed():
    verdict = mlsd.check("04-design", pattern_design.shortened_the_job)
    assert (verdict.score, verdict.mistake) == (0, "shortened_the_job")

    def fewer_events(**case):
        mended = pattern_design.repaired(**case)
        return {
            **mended,
            "paths": [
                {**path, "stream": {**path["stream"], "events": 1}} if "stream" in path else path
                for path in mended["paths"]
            ],
        }

    other = mlsd.check("04-design", fewer_events)
    assert other.score == 0
    assert "`events`" in other.message


def said(exercise_id, answer):
    """Return what the check says of an answer."""
    return mlsd.check(exercise_id, answer).message


def right(exercise_id, **case):
    """Return the course's own answer to a case."""
    return mlsd.exercises.find(exercise_id).reference(**case)


def changed(exercise_id, change):
    """Return the course's answer with a change made to it."""
    return lambda **case: change(right(exercise_id, **case), **case)


def test_a_feature_of_the_request_that_is_called_a_gap_is_a_matter_of_its_store():
    def unless_online(features):
        return right("03-gaps", features=features) | {f["name"] for f in features if f["store"] != "online"}

    message = said("03-gaps", unless_online)
    assert "worst age" not in message
    assert "`store`" in message


def test_features_in_place_of_their_names_are_not_counted_as_gaps():
    def as_dicts(features):
        found = right("03-gaps", features=features)
        return [feature for feature in features if feature["name"] in found]

    assert "`name`" in said("03-gaps", as_dicts)


def test_a_number_that_may_be_below_zero_is_not_asked_to_be_above_it():
    def period_off_too(answer, feature, **_):
        return {**answer, "left_min": answer["left_min"] - feature["period_min"]}

    assert "above zero" not in said("03-repair", changed("03-repair", period_off_too))


def test_a_repair_of_what_fits_is_asked_whether_there_is_a_gap():
    def always_buys(answer, repairs, **_):
        bought = repairs[-1]["name"] if answer["repair"] == "none" else answer["repair"]
        return {**answer, "repair": bought}

    assert "a gap, as it is?" in said("03-repair", changed("03-repair", always_buys))


def test_of_a_wrong_list_the_first_wrong_entry_is_named():
    def not_capped(answer, cap_s, training_s, **_):
        fill_s = answer["fill_s"]
        return {**answer, "training": [(fill_s if v is None else v) / cap_s for v in training_s]}

    message = said("03-parity", changed("03-parity", not_capped))
    assert "Entry 2 of 4 is `1.33333`: too large." in message


def test_a_missing_number_in_a_join_is_told_from_a_missing_entry():
    def with_nan(answer, default, **_):
        return [math.nan if value == default else value for value in answer]

    assert "no number" in said("03-join", changed("03-join", with_nan))
    assert "you return 0" in said("03-join", lambda **_: [])


def test_a_job_on_the_way_of_a_stream_is_no_matter_of_lists():
    def with_its_job(**case):
        return right("04-choose", **{**case, "lag_s": case["lag_s"] + case["job_s"]})

    assert mlsd.check("04-choose", with_its_job).mistake == "job_ages_the_stream"


def test_a_pattern_dropped_for_its_age_is_not_told_of_bills():
    def never_on_request(answer, **_):
        return {**answer, "feasible": set(answer["feasible"]) - {"A"}}

    assert "bill" not in said("04-choose", changed("04-choose", never_on_request))


def test_a_wrong_limit_of_a_claim_is_told_which_side_it_is_on_and_what_it_is():
    def lowest_layer_once(answer, claim):
        return {**answer, "limit": claim["attempts"]} if claim["kind"] == "retries" else answer

    message = said("05-audit", changed("05-audit", lowest_layer_once))
    assert "too small" in message
    assert "lowest layer" in message


def test_a_percentile_too_low_and_a_drain_too_fast_are_named():
    def at_95(arrival_rps, service_time_s, wait_budget_s):
        servers = int(arrival_rps * service_time_s) + 1
        while mlsd.formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.95) > wait_budget_s:
            servers += 1
        p99_s = mlsd.formulas.wait_percentile_s(servers, arrival_rps, service_time_s, 0.99)
        return {"servers": servers, "p99_wait_s": p99_s}

    def by_what_was_added(answer, capacity_rps, scaled_rps, **_):
        return {**answer, "drain_s": answer["queued"] / (scaled_rps - capacity_rps)}

    assert mlsd.check("05-erlang-p99", at_95).mistake == "sized_for_the_95th"
    drained = changed("05-backlog", by_what_was_added)
    assert mlsd.check("05-backlog", drained).mistake == "drained_by_what_was_added"


ODD = [3, 2.5, "text", [], {}, [{"name": "a"}], {1: 2}, True]


@pytest.mark.parametrize("exercise", [one for one in mlsd.exercises.ALL if one.id[:2] in {"03", "04", "05"}])
def test_each_step_has_a_word_for_a_value_of_another_type(exercise):
    for odd in ODD:
        for answer in (lambda odd=odd, **_: odd, lambda odd=odd, **case: _parts(exercise, odd, case)):
            message = said(exercise.id, answer)
            assert "It is of the type" not in message, (odd, message)


def _parts(exercise, value, case):
    """Return the right answer with one value in place of every part that is no number."""
    answer = exercise.reference(**case)
    if not isinstance(answer, dict):
        return value
    return {key: part if isinstance(part, float | int) else value for key, part in answer.items()}


def early_of_everybody(payments, today, wait_days, early_days):
    took = [p["disputed_day"] - p["paid_day"] for p in payments if p["disputed_day"] is not None]
    took = [days for days in took if days <= wait_days]
    answer = right("03-labels", payments=payments, today=today, wait_days=wait_days, early_days=early_days)
    return {**answer, "arrived": sum(days <= early_days for days in took) / len(took)}


def one_more(**case):
    answer = right("05-faded-sizing", **case)
    return {**answer, "replicas": int(answer["with_headroom"]) + 1}


def one_more_in_the_sheet(**case):
    answer = right("05-units-rounding", **case)
    return {**answer, "replicas": answer["replicas"] + _is_whole(**case)}


def fits_first(feature, repairs):
    answer = right("03-repair", feature=feature, repairs=repairs)
    return {**answer, "reason": "fits" if feature["period_min"] <= answer["left_min"] else answer["reason"]}


def five_calls(flow):
    mended = right("03-design", flow=flow)
    return {**mended, "lookup": {**mended["lookup"], "calls": 5, "at_once": False}}


def other_defaults(flow):
    mended = right("03-design", flow=flow)
    return {**mended, "features": [{**feature, "default": 7} for feature in mended["features"]]}


def narrow(flow):
    return {**right("03-design", flow=flow), "input_width": 6}


def reached_is_passed(statements):
    late = [s["id"] for s in statements if s["kind"] == "age" and s["period_h"] + s["job_h"] == s["oldest_h"]]
    return right("04-critique", statements=statements) | set(late)


@pytest.mark.parametrize(
    ("exercise_id", "wrong"),
    [
        ("03-labels", early_of_everybody),
        ("05-faded-sizing", one_more),
        ("05-units-rounding", one_more_in_the_sheet),
        ("03-repair", fits_first),
        ("03-design", five_calls),
        ("03-design", other_defaults),
        ("03-design", narrow),
        ("04-critique", reached_is_passed),
    ],
)
def test_a_wrong_answer_does_not_get_full_marks(exercise_id, wrong):
    assert not mlsd.check(exercise_id, wrong).passed
    for seed in seeds(3):
        assert not mlsd.check(exercise_id, wrong, fresh=True, seed=seed).passed


def _is_whole(requests_per_minute, service_time_ms, target_percent, headroom_percent):
    """Tell whether a sheet's row comes out whole, where cutting off and adding one goes wrong."""
    exact = Fraction(requests_per_minute * service_time_ms, 60_000) / Fraction(target_percent, 100)
    return (exact * (1 + Fraction(headroom_percent, 100))).denominator == 1


@pytest.mark.parametrize(
    ("exercise_id", "nothing"),
    [
        ("00-incidents", {"ml_specific": set(), "share": 0}),
        ("01-contradictions", set()),
        ("02-blast", {"stops": set(), "falls_back": set(), "older": set()}),
        ("02-lint", {"calls": set(), "unheard": set(), "logged": False}),
    ],
)
def test_an_empty_answer_is_told_no_mistake_that_holds_in_a_part_of_it(
    exercise_id: str, nothing: object
) -> None:
    exercise = find(exercise_id)
    for seed in range(4):
        cases = kit.CaseSet.fresh(exercise, seed)
        assert not kit.judge(exercise, lambda **_: nothing, fresh=True, case_set=cases).mistakes


def test_a_ratio_of_96_is_not_told_as_per_cent_against_a_fraction() -> None:
    def peak(counts: list[int | None], bucket_s: int, repeated: list[int]) -> dict[str, float]:
        return {"peak_rps": 96 * 50, "mean_rps": 0}

    assert "per cent" not in kit.judge(find("01-peak"), peak).message
