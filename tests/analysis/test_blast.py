import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import analysis, cases
from mlsd_helpers.analysis.contents import carried_to
from mlsd_helpers.design import Planes
from mlsd_helpers.errors import DesignError


def chain(*fallbacks, carries="request"):
    """Give a row of components, each of which calls the next, with or without a fallback."""
    names = [f"c{at}" for at in range(len(fallbacks) + 1)]
    flows = [
        {"from": a, "to": b, "carries": carries, "fallback": fallback}
        for a, b, fallback in zip(names, names[1:], fallbacks, strict=False)
    ]
    return Planes(components=[{"id": name, "kind": "business rules"} for name in names], flows=flows)


def test_a_failure_travels_back_to_the_first_fallback():
    hit = analysis.blast_radius(chain(None, "a default", None, None), "c4")
    assert (hit.stops, hit.falls_back) == (("c4", "c2", "c3"), ("c1",))
    assert hit.entries == {"c0": "are answered by a fallback"}


def test_a_fallback_on_one_call_does_not_save_another():
    planes = Planes(
        components=[{"id": name, "kind": "business rules"} for name in ("a", "b", "c")],
        flows=[
            {"from": "a", "to": "b", "carries": "request", "fallback": "a default"},
            {"from": "a", "to": "c", "carries": "request"},
        ],
    )
    assert analysis.blast_radius(planes, "c").stops == ("c", "a")
    assert analysis.blast_radius(planes, "b").stops == ("b",)


def test_who_stops_does_not_fall_back_as_well():
    planes = chain(None, None).changed(
        flows=[
            {"from": "c0", "to": "c1", "carries": "request", "fallback": "a default"},
            {"from": "c0", "to": "c2", "carries": "request"},
            {"from": "c1", "to": "c2", "carries": "request"},
        ]
    )
    hit = analysis.blast_radius(planes, "c2")
    assert (hit.stops, hit.falls_back) == (("c2", "c0", "c1"), ())


def with_calls(*flows):
    names = dict.fromkeys(name for flow in flows for name in (flow["from"], flow["to"]))
    calls = [{"carries": "request", **flow} for flow in flows]
    return Planes(components=[{"id": name, "kind": "service"} for name in names], flows=calls)


def test_an_alternative_answers_until_it_fails_too():
    planes = with_calls(
        {"from": "hub", "to": "vendor", "id": "first", "otherwise": "second"},
        {"from": "hub", "to": "own", "id": "second"},
        {"from": "vendor", "to": "net"},
        {"from": "own", "to": "net"},
    )
    for killed in ("vendor", "own"):
        hit = analysis.blast_radius(planes, killed)
        assert (hit.stops, hit.falls_back) == ((killed,), ("hub",))
    assert set(analysis.blast_radius(planes, "net").stops) == {"net", "vendor", "own", "hub"}


def test_a_call_that_fails_open_stops_nobody_and_a_fallback_of_none_is_none():
    planes = with_calls(
        {"from": "hub", "to": "guard", "fails": "open"}, {"from": "hub", "to": "model", "fallback": "none"}
    )
    assert analysis.blast_radius(planes, "guard").stops == ("guard",)
    assert analysis.blast_radius(planes, "model").stops == ("model", "hub")


def test_what_is_fed_goes_on_and_ages():
    hit = analysis.blast_radius(cases.load("harbour_pay").planes, "payments")
    assert hit.stops == ("payments",)
    assert {"features", "history", "velocity"} <= set(hit.older)
    assert hit.entries == {"gateway": "are answered from older data"}


def test_calls_in_a_circle_are_followed_once():
    planes = chain(None, None)
    around = planes.changed(flows=[*planes.flows, {"from": "c2", "to": "c0", "carries": "request"}])
    assert set(analysis.blast_radius(around, "c1").stops) == {"c0", "c1", "c2"}


@given(st.lists(st.sampled_from([None, "a default"]), max_size=8), st.data())
def test_a_fallback_more_never_stops_more(fallbacks, data):
    planes = chain(*fallbacks)
    killed = data.draw(st.sampled_from([one.id for one in planes.components]))
    guarded = planes.changed(flows=[flow.changed(fallback="a default") for flow in planes.flows])
    before, after = (analysis.blast_radius(one, killed) for one in (planes, guarded))
    assert set(after.stops) <= set(before.stops)
    assert not set(before.stops) & {*before.falls_back, *before.older}


def test_a_component_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(DesignError, match="Did you mean 'gateway'"):
        analysis.blast_radius(cases.load("harbour_pay").planes, "gatway")


def two_ways(**second):
    flows = [
        {"id": "first", "from": "a", "to": "b", "carries": "request", "otherwise": "second"},
        {"id": "second", "from": "a", "to": "c", "carries": "request", **second},
    ]
    components = [{"id": name, "kind": "business rules"} for name in "abcd"]
    return Planes(components=components, flows=[*flows, {"from": "c", "to": "d", "carries": "request"}])


@pytest.mark.parametrize("killed", ["b", "c", "d"])
def test_an_alternative_answers_in_the_place_of_a_call(killed):
    hit = analysis.blast_radius(two_ways(), killed)
    assert "a" not in hit.stops
    assert hit.falls_back == ("a",)


def test_alternatives_that_need_the_same_component_fail_together():
    both = two_ways()
    planes = both.changed(flows=[*both.flows, {"from": "b", "to": "d", "carries": "request"}])
    assert analysis.blast_radius(planes, "d").stops == ("d", "a", "b", "c")


def test_a_fallback_that_says_none_is_none():
    assert analysis.blast_radius(chain("none"), "c1").stops == ("c1", "c0")


def test_features_made_of_labels_get_older_when_nobody_labels():
    hit = analysis.blast_radius(cases.load("harbour_pay").planes, "disputes")
    assert {"merchant_jobs", "features", "training", "quality"} <= set(hit.older)
    assert hit.entries == {"gateway": "are answered from older data"}


STORES = ("feature store", "external service", "cache", "vector index")


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("reader", ["model server", "batch scorer"])
def test_features_are_read_by_whoever_gets_them_however_the_arrow_is_drawn(kind, reader):
    boxes = [{"id": "source", "kind": kind}, {"id": "reader", "kind": reader}]
    asked = {"from": "reader", "to": "source", "carries": "features"}
    delivered = {"from": "source", "to": "reader", "carries": "features"}
    for flow in (asked, delivered):
        planes = Planes(components=boxes, flows=[flow])
        assert analysis.blast_radius(planes, "source").stops == ("source", "reader")
        assert analysis.blast_radius(planes, "reader").stops == ("reader",)
        assert "reader" in carried_to(planes, ["source"], stays=lambda _: False)
        assert bool(carried_to(planes, ["reader"], stays=lambda _: False)) is (kind == "external service")


@pytest.mark.parametrize("writer", ["batch pipeline", "stream processor", "external service"])
def test_a_store_whose_writer_is_dead_goes_on_with_older_features(writer):
    boxes = [{"id": "job", "kind": writer}, {"id": "store", "kind": "feature store"}]
    planes = Planes(components=boxes, flows=[{"from": "job", "to": "store", "carries": "features"}])
    hit = analysis.blast_radius(planes, "job")
    assert (hit.stops, hit.older) == (("job",), ("store",))
    assert analysis.blast_radius(planes, "store").stops == ("store",)
