"""The stream, its features and the model, without any server."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers.errors import RangeError
from mlsd_helpers.testbed import model, payments
from mlsd_helpers.testbed.payments import WINDOW_S, asked, make_payments, window_features

ORDERS = {"seed": 3, "rate_rps": 200, "lasts_s": 20, "fraud_share": 0.0, "repeats": 0.0}


def test_a_seed_is_a_stream_and_another_seed_another():
    again, other = make_payments(1, 100, 5), make_payments(2, 100, 5)
    assert np.array_equal(make_payments(1, 100, 5).amount, again.amount)
    assert not np.array_equal(again.amount[:50], other.amount[:50])


def test_a_stream_comes_in_order_at_its_rate_with_its_share_of_fraud():
    stream = make_payments(1, rate_rps=200, lasts_s=100, fraud_share=0.04)
    assert (np.diff(stream.at_s) >= 0).all()
    assert len(stream) == pytest.approx(20_000, rel=0.05)
    assert stream.fraud.mean() == pytest.approx(0.04, rel=0.3)


def test_without_fraud_arrivals_are_poisson():
    gaps_s = np.diff(make_payments(1, 200, 100, fraud_share=0).at_s)
    assert gaps_s.std() / gaps_s.mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "wrong", [{"rate_rps": 0}, {"lasts_s": -1}, {"fraud_share": 1}, {"rate_rps": math.nan}]
)
def test_what_makes_no_stream_is_refused(wrong):
    with pytest.raises(RangeError, match="Give a rate"):
        make_payments(**{"seed": 1, "rate_rps": 1, "lasts_s": 1} | wrong)


def test_so_many_payments_as_asked_for_have_been_asked_about_before():
    stream = asked(ORDERS | {"repeats": 0.8})
    questions = [tuple(stream.question(place).values()) for place in range(len(stream))]
    assert 1 - len(set(questions)) / len(questions) == pytest.approx(0.8, abs=0.03)
    assert np.array_equal(stream.at_s, asked(ORDERS).at_s)


# ---------------------------------------------------------------- features

recents = st.lists(st.tuples(st.floats(0, 100), st.floats(0.5, 1e4), st.integers(0, 49)), max_size=30)


@given(recents, st.floats(0, 100))
def test_a_window_holds_what_is_within_it_and_nothing_later(recent, now_s):
    inside = [each for each in recent if now_s - WINDOW_S < each[0] <= now_s]
    assert window_features(recent, now_s) == window_features(inside, now_s)
    assert window_features(recent, now_s)[0] == len(inside)


@given(recents, st.floats(0, 100))
def test_the_order_in_which_payments_became_known_changes_no_feature(recent, now_s):
    found, turned = window_features(recent, now_s), window_features(recent[::-1], now_s)
    assert found == pytest.approx(turned)


def test_a_row_has_every_feature_and_says_what_it_does_not_know():
    question = {"card": 1, "merchant": 2, "amount": 3.0, "online": True}
    rows = {pattern: model.known(pattern, question, [], 0.0) for pattern in model.PATTERNS}
    unknown = {pattern: sum(map(math.isnan, row)) for pattern, row in rows.items()}
    assert unknown == {"request-time": 4, "pre-computed": 4, "streaming": 0, "by-event": 4}
    assert {len(row) for row in rows.values()} == {len(payments.FEATURES)}


def test_training_shows_the_model_what_serving_gives_it():
    stream = make_payments(6, rate_rps=50, lasts_s=4)
    for pattern, rows in model.examples(stream).items():
        first = model.known(pattern, stream.question(0), [], float(stream.at_s[0]))
        assert rows[0] == pytest.approx(first, nan_ok=True)


# ---------------------------------------------------------------- the model


@pytest.fixture(scope="module")
def rows():
    return model.examples(make_payments(5, rate_rps=100, lasts_s=30, fraud_share=0.1))


@pytest.mark.thorough
@pytest.mark.parametrize("pattern", model.PATTERNS)
def test_both_engines_give_the_same_scores(pattern, rows, tmp_path):
    trained = model.train()
    trained.save(tmp_path)
    onnx, sklearn = (model.load(tmp_path, engine).score(rows[pattern]) for engine in ("onnx", "sklearn"))
    assert np.abs(onnx - sklearn).max() < 1e-5
    assert np.array_equal(sklearn, trained.score(rows[pattern]))


def test_a_threshold_between_two_float32_sorts_both_as_the_double_does():
    below = np.float32(0.1)
    above = np.nextafter(below, np.float32(1))
    between = (float(below) + float(above)) / 2
    for value in (below, above):
        assert (value <= np.float32(model._rounded_down(between))) == (float(value) <= between)


@pytest.mark.thorough
def test_knowing_what_the_card_just_did_finds_most_fraud():
    stream = make_payments(5, rate_rps=100, lasts_s=100)
    trained = model.train()
    recall = {
        pattern: (trained.score(rows)[stream.fraud] >= trained.thresholds[pattern]).mean()
        for pattern, rows in model.examples(stream).items()
    }
    assert recall["request-time"] < recall["pre-computed"] < recall["streaming"]
