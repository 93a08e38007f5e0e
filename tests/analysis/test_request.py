"""What a request takes: brute force over small sketches, and the shapes that a chain of rules gets wrong."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers.analysis.request import (
    Call,
    calls_by_component,
    counts_as_answered,
    has_fallback,
    requests_of,
)
from mlsd_helpers.design import Component, Flow, Planes


def sketch(*flows, **components):
    names = dict.fromkeys(name for flow in flows for name in (flow.start, flow.end))
    made = [Component(id=name, **{"kind": "service", **components.get(name, {})}) for name in names]
    return Planes(components=made, flows=flows)


def call(start, end, **more):
    return Flow(start=start, end=end, carries="request", **more)


def one(planes):
    (request,) = requests_of(planes)
    return request


STAR = [call("hub", name) for name in "abcde"]


@pytest.mark.parametrize(
    ("calls", "least_s", "most_s"),
    [("one after another", 0.4, 0.4), ("at once", 0.08, 0.08), (None, 0.08, 0.4)],
)
def test_calls_add_one_after_another_and_not_at_once(calls, least_s, most_s):
    parts = {name: {"latency": "80 ms"} for name in "abcde"}
    time = one(sketch(*STAR, hub={"calls": calls}, **parts)).time
    assert (time.least_s, time.most_s) == pytest.approx((least_s, most_s))


def test_a_star_of_needed_services_is_as_available_as_their_product():
    parts = {name: {"availability": "99.9%"} for name in "abcde"}
    assert one(sketch(*STAR, **parts)).availability == pytest.approx(0.999**5)


def test_what_two_callers_need_counts_once():
    flows = [call("hub", "a"), call("hub", "b"), call("a", "store"), call("b", "store")]
    assert one(sketch(*flows, store={"availability": "99%"})).availability == pytest.approx(0.99)


def test_what_has_a_fallback_is_not_needed():
    flows = [call("hub", "store", fallback="Defaults"), call("store", "disk")]
    request = one(sketch(*flows, store={"availability": "90%"}, disk={"availability": "90%"}))
    assert (request.availability, request.needs) == (1.0, ("hub",))
    assert request.in_full == pytest.approx(0.81)


def test_alternatives_fail_together_only_when_both_fail():
    flows = [call("hub", "vendor", id="v", otherwise="o"), call("hub", "own", id="o")]
    request = one(sketch(*flows, vendor={"availability": "99%"}, own={"availability": "90%"}))
    assert request.availability == pytest.approx(1 - 0.01 * 0.1)


def test_alternatives_are_tried_one_after_the_other():
    flows = [
        call("hub", "vendor", id="v", otherwise="o", timeout="14.4 s"),
        call("hub", "own", id="o", timeout="14.4 s"),
    ]
    assert one(sketch(*flows)).longest_s.most_s == pytest.approx(28.8)


def test_a_call_that_a_tenth_of_the_requests_makes_fails_a_tenth():
    request = one(sketch(call("hub", "a", share="10%"), a={"availability": "90%"}))
    assert request.availability == pytest.approx(0.99)


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "None.",
        "-",
        "n/a",
        "Fail the request",
        "Return an error",
        "fail fast",
        "503",
        "The page waits",
        "Try again",
        'We show "Something went wrong, please try again"',
        "Tell the user to try again later",
        "Show an error page",
    ],
)
def test_words_that_name_no_answer_are_no_fallback(text):
    assert not has_fallback(call("a", "b", fallback=text))


@pytest.mark.parametrize(
    "text",
    [
        "Nothing is shown in that slot, the page comes without it",
        "Keep the order",
        "Popular items",
        "Decline the payment",
        "Normal price",
        "Rules alone",
        "Notify an agent",
        "Hand over to a person",
        "Last good value, at most 5 min old",
        "Show stored results, and say that live prices are unavailable",
    ],
)
def test_an_answer_of_its_own_is_a_fallback(text):
    assert has_fallback(call("a", "b", fallback=text))


def test_a_call_that_fails_open_is_answered():
    assert has_fallback(call("a", "b", fails="open"))
    assert not has_fallback(call("a", "b", fails="open", fallback="none"))
    assert not has_fallback(call("a", "b", fails="closed"))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"fallback": "Show the last good value"}, True),
        ({"fallback": "The payment is refused"}, None),
        ({"fallback": "The payment is refused", "fails": "closed"}, False),
        ({"fallback": "The payment is refused", "fails": "closed", "answered": True}, True),
        ({"fallback": "Twelve rules judge it", "fails": "closed"}, None),
        ({"fallback": "Twelve rules judge it", "answered": False}, False),
        ({"fallback": None, "fails": "open"}, True),
        ({"fallback": None, "fails": "closed"}, False),
    ],
)
def test_a_refusal_counts_as_answered_only_where_the_design_says_so(stated, expected):
    refused = call("a", "b", **stated)
    assert counts_as_answered(refused) is expected
    found = one(sketch(refused, b={"availability": "99%"}))
    assert found.availability == pytest.approx(0.99 if expected is False else 1.0)


def test_the_last_alternative_says_whether_all_together_are_answered():
    first = call("a", "b", id="first", otherwise="second", fails="closed")
    refused = call("a", "c", id="second", fallback="It is refused", fails="closed")
    assert Call(first, (refused,)).answered_without is False
    assert Call(first, (refused.changed(answered=True),)).answered_without is True


def test_calls_of_different_requests_do_not_add_up():
    flows = [call("hub", "a", share="60%"), call("hub", "b", share="40%"), call("hub", "c")]
    parts = {name: {"latency": "80 ms"} for name in "abc"}
    assert one(sketch(*flows, hub={"calls": "one after another"}, **parts)).time.most_s == pytest.approx(0.16)
    overlapping = [call("hub", "a", share="60%"), call("hub", "b", share="60%"), call("hub", "c")]
    both = one(sketch(*overlapping, hub={"calls": "one after another"}, **parts))
    assert both.time.most_s == pytest.approx(0.24)


NAMES = "abcdef"
calls_down = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 5), st.booleans()).filter(lambda pair: pair[0] < pair[1]),
    min_size=1,
    max_size=8,
    unique_by=lambda pair: pair[:2],
)


@given(calls_down, st.lists(st.sampled_from([0.5, 0.9, 1.0]), min_size=6, max_size=6))
def test_the_availability_is_that_of_every_state_tried_out(pairs, shares):
    flows = [call(NAMES[a], NAMES[b], fallback="Defaults" if safe else None) for a, b, safe in pairs]
    up = dict(zip(NAMES, shares, strict=True))
    planes = sketch(*flows, **{name: {"availability": share} for name, share in up.items()})
    calls = calls_by_component(planes)

    def answers(name, state):
        return state[name] and all(c.has_fallback or answers(c.flow.end, state) for c in calls.get(name, ()))

    for request in requests_of(planes):
        exact = 0.0
        for states in product([True, False], repeat=len(NAMES)):
            state = dict(zip(NAMES, states, strict=True))
            weight = 1.0
            for name, ok in state.items():
                weight *= up[name] if ok else 1 - up[name]
            exact += weight * answers(request.entry, state)
        assert request.availability == pytest.approx(exact)


def test_a_long_chain_and_a_wide_lattice_take_no_time_and_no_recursion():
    chain = [call(f"c{i}", f"c{i + 1}") for i in range(3_000)]
    lattice = [call(f"l{i}x{a}", f"l{i + 1}x{b}") for i in range(60) for a in range(2) for b in range(2)]
    assert len(requests_of(sketch(*chain))) == 1
    assert len(requests_of(sketch(*lattice))) == 2


@pytest.mark.parametrize("carries", ["request", "predictions", "events", "batch", "alert"])
def test_an_alternative_that_nobody_waits_for_is_an_answer_too(carries):
    boxes = [
        Component(id="job", kind="batch scorer"),
        Component(id="exchange", kind="external service"),
        Component(id="desk", kind="people", stands_in="serving"),
    ]
    sent = Flow(start="job", end="exchange", carries="predictions", timeout="1 min", otherwise="by_hand")
    by_hand = Flow(id="by_hand", start="job", end="desk", carries=carries, fallback="The list of yesterday")
    (call,) = calls_by_component(Planes(components=boxes, flows=[sent, by_hand]))["job"]
    assert call.has_fallback
