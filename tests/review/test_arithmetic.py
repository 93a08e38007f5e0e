"""Arithmetic of the rules that is easy to get wrong, worked by hand."""

import re
from itertools import product

import pytest

from mlsd_helpers import cases, formulas, units
from mlsd_helpers.analysis import ages, paths
from mlsd_helpers.design import CapacityPlan, DataFlow, Design, Feature
from mlsd_helpers.formulas import AgeBounds
from mlsd_helpers.review import RULES, capacity, dataflow, pattern


def fleet(replicas, **changes):
    """Harbour Pay's plan with another number of replicas: 28.57 at the peak, so 29."""
    plan = cases.load("harbour_pay").capacity.changed(
        replicas=replicas, replicas_per_zone=None, autoscaler=None, component=None, **changes
    )
    return cases.load("harbour_pay").with_part(capacity=plan)


def codes(rules, design):
    return [finding.code for one in rules for finding in one(design)]


def flow(*stages, path, **feature):
    """Return a dataflow with one feature over these stages."""
    one = {"id": "f", "source": "s", "path": path, "slot": 0, "default": 0} | feature
    return Design(name="d", dataflow={"stages": list(stages), "features": [one]})


def worst_s(design):
    return ages.worst_age_s(design, design.dataflow.features[0])


def stage(name, **fields):
    return {"id": name, "store": "online", **fields}


def test_44_in_uneven_zones_survive_a_zone_and_43_do_not():
    zone = [capacity.zone_loss_overloads, capacity.replicas_rounded_over_zones]
    assert not codes(zone, fleet(44, headroom={"share": "50%", "pays_for": "zone loss"}))
    assert codes(zone, fleet(43, headroom={"share": "50%", "pays_for": "zone loss"})) == ["CAP016"]
    assert codes(zone, fleet(42, headroom={"share": "40%", "pays_for": "zone loss"})) == ["CAP015"]


def test_38_replicas_pay_for_a_rolling_restart_and_37_do_not():
    headroom = {"share": "0%", "pays_for": "rolling restart", "unavailable_in_restart": "25%"}
    assert not codes([capacity.restart_overloads], fleet(38, headroom=headroom))
    assert codes([capacity.restart_overloads], fleet(37, headroom=headroom)) == ["CAP017"]


def test_a_zone_needs_a_second_one():
    alone = fleet(45, zones=1, headroom={"share": "50%", "pays_for": "zone loss"})
    assert codes([capacity.zone_loss_overloads, capacity.replicas_rounded_over_zones], alone) == ["CAP015"]


def test_replicas_that_work_on_several_requests_are_fewer():
    headroom = {"share": "0%", "pays_for": "surge", "surge": "0%"}
    assert not codes([capacity.too_few_replicas], fleet(8, concurrency_per_replica=4, headroom=headroom))
    assert codes([capacity.too_few_replicas], fleet(7, concurrency_per_replica=4, headroom=headroom))


def test_a_mean_load_is_found_where_nothing_keeps_requests_away():
    assert codes([capacity.sized_below_the_peak], fleet(45, load="200 rps")) == ["CAP005"]
    assert not codes([capacity.sized_below_the_peak], fleet(45, load="500 rps"))


def test_a_cache_keeps_its_hits_from_the_model_until_it_is_cold():
    design = cases.load("harbour_pay")
    cached = design.pattern.paths[0].changed(cache={"key": "card", "hit_ratio": "40%"})
    design = design.with_part(pattern={"paths": [cached]})
    assert paths.warm_rps(design) == pytest.approx(300)
    assert paths.cold_rps(design) == 500


def test_answers_made_ahead_do_not_reach_the_model():
    ways = [
        {"id": "a", "pattern": "request-time", "share": "60%"},
        {"id": "b", "pattern": "pre-computed", "share": "40%"},
    ]
    assert paths.warm_rps(cases.load("harbour_pay").with_part(pattern={"paths": ways})) == pytest.approx(300)


def test_a_fleet_that_carries_an_empty_cache_need_not_say_what_holds_then():
    design = fleet(29, load="300 rps")
    cached = design.pattern.paths[0].changed(cache={"key": "card", "hit_ratio": "40%"})
    design = design.with_part(pattern={"paths": [cached]})
    assert not codes([pattern.cold_cache_unplanned], design)
    fewer = design.with_part(capacity=design.capacity.changed(replicas=28))
    assert codes([pattern.cold_cache_unplanned], fewer) == ["PATTERN020"]


def test_periods_delays_and_copies_add_up():
    hourly = flow(
        stage("job", period="60 min", delays=["3 min", "12 min", "1 min"]),
        stage("copy", ttl="2 min"),
        path=["job", "copy"],
    )
    assert worst_s(hourly) == 78 * 60


def test_parallel_branches_count_with_the_oldest_and_not_with_their_sum():
    stages = [
        stage("a", delays="8 min"),
        stage("b", period="1 min", delays="6 min"),
        stage("c", delays="2 s"),
    ]
    assert worst_s(flow(*stages, path=[{"parallel": ["a", "b"]}, "c"])) == 8 * 60 + 2


def test_a_branch_of_several_stages_is_as_old_as_all_of_them():
    stages = [stage("a", delays="5 min"), stage("b", delays="6 min"), stage("c", delays="8 min")]
    assert worst_s(flow(*stages, path=[{"parallel": [["a", "b"], "c"]}])) == 11 * 60


def test_a_synchronised_stage_adds_its_delays_and_no_wait():
    first = stage("a", period="15 min", delays="2 min")
    second = stage("b", period="30 min", delays="12 min")
    assert worst_s(flow(first, second, path=["a", "b"])) == 59 * 60
    assert worst_s(flow(first, second | {"synchronised": True}, path=["a", "b"])) == 29 * 60


def test_the_worst_age_is_the_one_of_the_bounds():
    design = cases.load("harbour_pay")
    worst = ages.worst_ages_s(design.dataflow)
    for feature in design.dataflow.features:
        bounds = ages.bounds(design, feature)
        assert bounds.worst_s == worst[feature.id] == ages.worst_age_s(design, feature)
        assert bounds.best_s <= bounds.mean_s <= bounds.worst_s


def test_what_comes_with_the_request_has_no_age():
    assert ages.bounds(Design(name="d"), Feature(id="f", source="request")) == AgeBounds(0, 0, 0)


def test_an_age_of_exactly_its_sla_is_kept():
    exact = flow(stage("job", delays=["100 ms", "200 ms"]), path="job", sla="300 ms")  # 0.1 + 0.2 > 0.3
    assert not codes([dataflow.feature_older_than_allowed], exact)


@pytest.mark.parametrize(
    ("period", "delay", "sla"),
    list(product(["7 s", "1 h", "1 d"], ["1 s", "271 s", "37 min"], ["331 s", "12359 s", "25 h"])),
)
def test_the_repair_names_a_period_that_meets_its_sla(period, delay, sla):
    stale = flow(
        stage("job", period=period, delays=delay), stage("copy", ttl="3 s"), path=["job", "copy"], sla=sla
    )
    found = list(dataflow.feature_older_than_allowed(stale))
    assert bool(found) == (worst_s(stale) > stale.dataflow.features[0].sla)
    for finding in found:
        if named := re.search(r"every (\S+ \w+) at most", finding.fix):
            repaired = stage("job", period=named[1], delays=delay)
            assert worst_s(flow(repaired, stage("copy", ttl="3 s"), path=["job", "copy"])) <= units.read(
                sla, units.SECONDS
            )
        else:
            assert worst_s(flow(stage("job", delays=delay), path="job")) + 3 >= units.read(sla, units.SECONDS)


def test_a_repair_by_one_period_is_not_named_where_two_are_too_long():
    stages = [stage("a", period="1 h"), stage("b", period="1 h")]
    (finding,) = dataflow.feature_older_than_allowed(flow(*stages, path=["a", "b"], sla="30 min"))
    assert "every" not in finding.fix


def test_a_flow_is_drawn_through_others_and_around_a_circle():
    components = [{"id": name, "kind": "ingestion"} for name in "abcd"]
    ways = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")]
    arrows = [{"from": start, "to": end, "carries": "batch"} for start, end in ways]

    def drawn(start, end):
        made = {"id": "j", "delays": "1 s", "component": end}
        design = flow(made, path="j", source=start).with_part(
            planes={"components": components, "flows": arrows}
        )
        return not codes([dataflow.path_without_flow], design)

    reached = {(start, end) for start, end in product("abcd", repeat=2) if start != end and drawn(start, end)}
    assert reached == {(start, end) for start, end in product("abcd", "bcd") if start != end}


def test_a_wide_feature_covers_the_slots_behind_it():
    wide = {"id": "w", "source": "request", "slot": 0, "width": 4}
    inside = [
        {"id": name, "source": "request", "slot": slot} for name, slot in (("x", 1), ("y", 3), ("z", 4))
    ]
    design = Design(name="d", dataflow=DataFlow(features=(wide, *inside)))
    assert [finding.where for finding in dataflow.input_positions_overlap(design)] == [
        "dataflow.features.x.slot",
        "dataflow.features.y.slot",
    ]


def test_hits_are_bounded_by_size_and_by_life():
    path = (
        cases.load("harbour_pay")
        .pattern.paths[0]
        .changed(
            keys=1_000,
            cache={"key": "card", "size": 100, "zipf_exponent": 1, "hit_ratio": "57%", "ttl": "1 d"},
        )
    )
    design = cases.load("harbour_pay")

    def found(cache):
        return codes(
            [pattern.hit_ratio_out_of_reach], design.with_part(pattern={"paths": [path.changed(cache=cache)]})
        )

    assert not found(path.cache)  # 57.7% for a tenth of the keys
    assert found(path.cache.changed(hit_ratio="69%")) == ["PATTERN017"]
    assert found(path.cache.changed(ttl="100 ms")) == ["PATTERN017"]
    assert formulas.che_hit_ratio(100, 1_000, 1) == pytest.approx(0.577, abs=5e-4)


def test_no_more_hits_are_advised_than_the_cache_can_give():
    path = (
        cases.load("harbour_pay")
        .pattern.paths[0]
        .changed(keys=1_000, cache={"key": "card", "size": 100, "zipf_exponent": 1, "hit_ratio": "69%"})
    )
    [finding] = pattern.hit_ratio_out_of_reach(Design(name="d", pattern={"paths": [path]}))
    advised = int(re.search(r"(\d+)%", finding.fix)[1])
    assert advised == 57  # of 57.7%


@pytest.mark.parametrize(
    "fields", [{}, {"replicas": 0, "zones": 3}, {"replicas": 5, "headroom": {"share": "2000%"}}]
)
def test_a_plan_without_its_figures_is_no_error(fields):
    bare = {"service_time": "40 ms", "load": "0 rps", "target_utilisation": "70%", "routing": "random"}
    for given in (fields, bare | fields, bare | fields | {"concurrency_per_replica": 2}):
        design = cases.load("harbour_pay").with_part(capacity=CapacityPlan(**given))
        for one in RULES:
            list(one(design))
