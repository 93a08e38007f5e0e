import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import figures, formulas
from mlsd_helpers.analysis import PatternInputs, pattern_view
from mlsd_helpers.analysis.patterns import (
    ASSUMPTIONS,
    JOB_PER_DAY,
    JOB_S,
    LAG_S,
    cheapest,
    costs,
    flips,
    head_worth_making,
    places,
    why_not,
)
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import day

inputs = st.builds(
    PatternInputs,
    rate_rps=st.floats(1, 1e5),
    max_age_s=st.floats(1, 6e5),
    key_count=st.floats(100, 1e9),
    read_share=st.floats(0.05, 1),
    inference_price=st.floats(0.1, 1e4),
    read_price=st.floats(0.01, 100),
    listable=st.booleans(),
)


def test_request_time_and_pre_computed_cost_what_the_formulas_say():
    given_, runs = PatternInputs(), day / (3_600 - JOB_S)
    requests = 2_000 * day
    assert costs(given_)["A"] == pytest.approx(formulas.request_time_cost_per_day(requests, 10e-6))
    ahead = formulas.precompute_cost_per_day(1e6, runs, 5e-6, requests, 0.5e-6)
    assert costs(given_)["B"] == pytest.approx(ahead + JOB_PER_DAY)


def test_the_hybrids_popular_keys_have_the_share_that_zipf_gives_them():
    given_ = PatternInputs(rate_rps=500, max_age_s=3_600)
    head = head_worth_making(given_, 3_600 - JOB_S)
    share = formulas.top_keys_share(int(head), 1_000_000, 1)
    made = head * 5e-6 * day / (3_600 - JOB_S)
    by_hand = made + 500 * day * (0.5e-6 + (1 - share) * 10e-6) + 2 * JOB_PER_DAY
    assert costs(given_)["H"] == pytest.approx(by_hand, rel=1e-4)


@given(inputs)
def test_a_pattern_has_a_cost_or_a_reason_why_not(given_):
    assert set(costs(given_)) | set(why_not(given_)) == set("ABCH")
    assert not set(costs(given_)) & set(why_not(given_))


@given(inputs)
def test_no_pattern_costs_less_when_inferences_cost_more(given_):
    dearer = costs(replace(given_, inference_price=2 * given_.inference_price))
    assert all(cost >= costs(given_)[name] for name, cost in dearer.items())


def test_few_keys_and_a_generous_age_are_made_ahead_at_any_high_rate():
    assert cheapest(PatternInputs(rate_rps=2_000, key_count=10_000, max_age_s=day)) == "B"


def test_what_cannot_be_listed_or_has_to_be_new_is_computed_when_asked():
    assert set(costs(PatternInputs(listable=False))) == {"A"}
    assert set(costs(PatternInputs(max_age_s=LAG_S / 2))) == {"A"}
    assert set(costs(PatternInputs(max_age_s=2 * JOB_S - 1))) == {"A", "C"}


@given(inputs)
def test_beyond_a_flip_another_pattern_is_the_cheapest_and_before_it_none(given_):
    for flip in flips(given_):
        at = flip.assumption.field
        nudge = 0.999 if flip.below else 1.001
        here = replace(given_, **{at: flip.value})
        before = replace(
            given_, **{at: min(max(flip.value / nudge, flip.assumption.low), flip.assumption.high)}
        )
        assert cheapest(here) == flip.pattern != cheapest(given_)
        assert cheapest(before) == cheapest(given_) or abs(math.log(getattr(given_, at) / flip.value)) < 0.01


def test_the_map_shows_all_four_and_each_by_name():
    view = pattern_view(PatternInputs())
    assert set("".join(view.surface)) == set("ABCH") == set(places(view.surface))
    svg = figures.decision_surface().svg
    assert all(name in svg for name in ("A request-time", "B pre-computed", "C streaming", "H hybrid"))
    assert all(f"{name} " in view.alt for name in "ABCH")


def test_a_name_stands_inside_its_region():
    surface = pattern_view(PatternInputs()).surface
    for name, (column, row) in places(surface).items():
        assert surface[row][column] == name


@pytest.mark.parametrize(
    "wrong",
    [{"rate_rps": 0}, {"max_age_s": math.nan}, {"key_count": 0.5}, {"read_share": 1.1}, {"read_price": -1}],
)
def test_impossible_inputs_are_refused_by_name(wrong):
    with pytest.raises(RangeError, match=next(iter(wrong))):
        PatternInputs(**wrong)


@pytest.mark.parametrize("assumption", ASSUMPTIONS, ids=lambda assumption: assumption.field)
def test_an_assumption_says_its_value_with_a_unit(assumption):
    assert any(char.isalpha() for char in assumption.say(assumption.low))


def test_costs_by_rate_are_those_of_the_view():
    figure = figures.cost_by_rate()
    last = dict(zip("ABCH", (figure.data[name][-1] for name in "ABCH"), strict=True))
    assert last == costs(PatternInputs(rate_rps=figure.data["rate_rps"][-1]))


def test_hit_ratios_are_ches_and_lie_above_the_share_that_fits():
    figure = figures.lru_hit_ratio(keys=1_000)
    tenth = figure.data["share"].index(0.1)
    assert figure.data["exponent 1"][tenth] == formulas.che_hit_ratio(100, 1_000, 1)
    assert 100 * figure.data["exponent 1"][tenth] == pytest.approx(57.7, abs=0.1)


def test_a_stream_is_up_again_before_it_has_caught_up():
    figure = figures.stream_after_outage(events_rps=4_500, consumed_rps=6_000, outage_s=600)
    assert figure.data["time_s"][:3] == (0, 600, 600 + 1_800)
    assert "30 min later" in figure.alt


def test_a_stream_that_never_catches_up_is_refused():
    with pytest.raises(RangeError):
        figures.stream_after_outage(5_000, 5_000, 60)
