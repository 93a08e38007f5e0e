"""How often components are called for a request, and when people are there."""

import pytest

from mlsd_helpers.analysis.rates import calls_per_request, is_of_each, share_on_duty
from mlsd_helpers.design import Component, Flow, Planes
from mlsd_helpers.design.planes import Asked


def planes(*flows: Flow, **kinds: str) -> Planes:
    names = dict.fromkeys(name for flow in flows for name in (flow.start, flow.end))
    return Planes(components=[Component(id=n, kind=kinds.get(n, "service")) for n in names], flows=flows)


def call(start: str, end: str, **fields) -> Flow:
    return Flow(**{"start": start, "end": end, "carries": "request", **fields})


def test_shares_multiply_along_a_chain_and_add_up_where_calls_meet():
    drawn = planes(call("a", "b", share="50%"), call("b", "d", share="50%"), call("a", "c"), call("c", "d"))
    assert calls_per_request(drawn) == {"a": 1, "b": 0.5, "c": 1, "d": 1.25}


def test_retries_and_alternatives_make_no_calls_while_all_is_well():
    drawn = planes(call("a", "b", id="x", otherwise="y", retries=2), call("a", "c", id="y"))
    assert calls_per_request(drawn) == {"a": 1, "b": 1}


def test_a_cache_lets_less_through_to_what_stands_behind():
    drawn = planes(call("a", "b"), call("b", "c"))
    assert calls_per_request(drawn, {"b": 0.1}) == {"a": 1, "b": 0.1, "c": 0.1}


def test_requests_enter_at_the_gateway_and_other_callers_are_not_counted():
    drawn = planes(call("job", "model"), call("gate", "model"), gate="api gateway")
    assert calls_per_request(drawn) == {"gate": 1, "model": 1}


@pytest.mark.parametrize("flows", [(), (call("a", "b"), call("b", "a"))])
def test_nothing_is_known_without_an_entry(flows):
    assert calls_per_request(planes(*flows)) == {}


def test_with_several_entries_a_component_gets_at_least_what_each_of_them_brings():
    drawn = planes(call("a", "c"), call("b", "c", share="50%"), call("b", "d"))
    assert calls_per_request(drawn) == {"c": 0.5}


def test_a_start_that_reaches_no_model_does_not_hide_the_one_that_does():
    drawn = planes(call("admin", "b"), call("app", "c"), c="model server")
    assert calls_per_request(drawn) == {"app": 1, "c": 1}


def test_jobs_that_write_features_and_trainings_that_read_them_are_no_entries():
    drawn = planes(
        call("job", "store", carries="features"),
        call("store", "trainer", carries="features"),
        call("gate", "model"),
        call("model", "store", carries="features"),
        job="stream processor",
        store="feature store",
        trainer="training pipeline",
        gate="service",
        model="model server",
    )
    assert calls_per_request(drawn) == {"store": 1, "gate": 1, "model": 1}


def test_requests_come_from_outside_and_pass_a_queue_on_their_way_to_the_model():
    drawn = planes(
        call("cameras", "intake"),
        call("intake", "queue", carries="events"),
        call("queue", "model", carries="events", share="50%"),
        call("model", "rules", carries="predictions"),
        cameras="raw source",
        queue="event stream",
        model="model server",
        rules="business rules",
    )
    assert calls_per_request(drawn) == {
        "cameras": 1, "intake": 1, "queue": 1, "model": 0.5, "rules": 0.5,
    }  # fmt: skip


def test_events_beside_a_request_come_to_who_works_on_them_later():
    drawn = planes(
        call("gate", "model"),
        call("model", "queue", carries="events"),
        call("queue", "pacing", carries="events"),
        model="model server",
        queue="event stream",
    )
    assert calls_per_request(drawn) == {"gate": 1, "model": 1, "queue": 1, "pacing": 1}


@pytest.mark.parametrize("carries", ["events", "predictions", "batch", "request", "alert"])
@pytest.mark.parametrize("onward", ["events", "request"])
def test_load_passes_through_a_queue_whatever_the_flows_carry(carries, onward):
    drawn = planes(
        call("gate", "model"),
        call("gate", "queue", carries=carries, share="10%"),
        call("queue", "worker", carries=onward),
        call("worker", "provider", share="50%"),
        gate="api gateway",
        model="model server",
        queue="event stream",
        provider="external service",
    )
    found = calls_per_request(drawn)
    assert (found["worker"], found["provider"]) == (0.1, 0.05)


def test_what_two_flows_bring_to_a_queue_is_added():
    drawn = planes(
        call("gate", "model"),
        call("gate", "queue", carries="events", share="10%"),
        call("model", "queue", carries="predictions", share="20%"),
        call("queue", "worker", carries="events"),
        model="model server",
        queue="event stream",
    )
    assert calls_per_request(drawn)["worker"] == pytest.approx(0.3)


def test_what_is_handed_on_without_a_share_or_a_queue_is_not_guessed():
    drawn = planes(call("gate", "model"), call("gate", "later", carries="batch"), model="model server")
    assert "later" not in calls_per_request(drawn)


@pytest.mark.parametrize(
    ("hours", "a_week"),
    [
        ("Mon-Fri 8-20", 60),
        ("Monday to Friday 08:30–17:00", 42.5),
        ("24/7", 168),
        ("9-17 on working days", 40),
        ("22-6", 56),
        ("Sat, Sun 10-14", 8),
    ],
)
def test_hours_are_read_as_people_write_them(hours, a_week):
    assert share_on_duty(hours) == pytest.approx(a_week / 168)


@pytest.mark.parametrize("hours", [None, "office hours", "8-12 and 14-18", "9am-5pm"])
def test_hours_that_cannot_be_read_are_not_guessed(hours):
    assert share_on_duty(hours) is None


def test_an_alternative_with_a_share_of_its_own_is_called_so_often_while_all_is_well():
    drawn = planes(call("a", "b", id="x", otherwise="y"), call("a", "c", id="y", share="3%"))
    assert calls_per_request(drawn) == {"a": 1, "b": 1, "c": 0.03}


def test_shares_of_the_flows_from_several_entries_say_how_requests_are_divided():
    drawn = planes(
        call("app", "b", share="70%"), call("shop", "b", share="20%"), call("shop", "c", share="10%")
    )
    found = calls_per_request(drawn)
    assert found["b"] == pytest.approx(0.9)
    assert found["c"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "word", ["developer", "seat", "installation", "API key of each customer", "user account"]
)
def test_a_word_for_a_kind_of_caller_means_each_of_them(word):
    assert is_of_each(word)


@pytest.mark.parametrize("word", [None, "key", "our account", "all callers together", "organisation"])
def test_a_quota_of_our_own_counts_all_callers(word):
    assert not is_of_each(word)


def test_a_command_within_serving_is_a_call_by_its_share_or_its_timeout():
    drawn = planes(
        call("gate", "rules"),
        call("rules", "payout", carries="command", share="45%"),
        call("payout", "bank", carries="command", timeout="10 s"),
        call("rules", "log", carries="command"),
        bank="external service",
    )
    assert calls_per_request(drawn) == pytest.approx({"gate": 1, "rules": 1, "payout": 0.45, "bank": 0.45})


def test_a_command_that_starts_or_switches_something_is_no_call():
    drawn = planes(
        call("gate", "model"),
        call("undo", "model", carries="command", timeout="1 s"),
        undo="rollback",
    )
    assert calls_per_request(drawn) == {"gate": 1, "model": 1}


def test_an_offer_that_is_sent_to_a_client_is_no_request_of_the_client():
    drawn = planes(
        call("rounds", "matcher"),
        call("matcher", "app", carries="command", timeout="1 s"),
        call("app", "model"),
        rounds="client",
        app="client",
        model="model server",
    )
    assert "model" not in calls_per_request(drawn)


def test_a_command_to_where_the_work_came_from_is_no_request_from_there():
    drawn = planes(
        call("app", "places", carries="events"),
        call("places", "matcher", carries="events"),
        call("matcher", "scorer"),
        call("matcher", "app", carries="command", timeout="1 s"),
        call("app", "model"),
        places="event stream",
        model="model server",
    )
    rounds = drawn.of_workload(Asked("rounds", {"rounds": ("matcher",)}))
    assert calls_per_request(rounds) == {"matcher": 1, "scorer": 1}
