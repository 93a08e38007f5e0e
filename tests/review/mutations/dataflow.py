"""Known mistakes in the dataflow of a design."""

from collections.abc import Callable
from typing import Any

from mlsd_helpers import cases
from mlsd_helpers.design import DataFlow, Design, Planes
from tests.review.mutations.fuller import setting
from tests.review.mutations.mutation import breaks


def _with_planes(design: Design, **fields: Any) -> Design:
    return design.with_part(planes=(design.planes or Planes()).changed(**fields))


def searching() -> Design:
    """Look up similar merchants in an index that a job fills every night."""
    design = cases.load("harbour_pay")
    planes, needs = design.planes, design.requirements
    assert planes is not None
    assert needs is not None
    assert needs.freshness is not None
    index = {"id": "similar", "kind": "vector index", "owner": "Data platform", "replicas": 3, "zones": 3}
    flows = [
        {
            "from": "scorer",
            "to": "similar",
            "carries": "features",
            "timeout": "20 ms",
            "fallback": "No neighbours",
        },
        {
            "from": "merchant_jobs",
            "to": "similar",
            "carries": "batch",
            "check": "Row count, no vector of zeros, closed merchants removed",
        },
    ]
    stages = [{"id": "build_index", "period": "1 d", "delays": "2 h", "component": "similar"}]
    freshness = needs.freshness.changed(
        index="2 d", also=[{"what": "A closed merchant", "component": "similar", "within": "10 d"}]
    )
    drawn = _with_planes(design, components=(*planes.components, index), flows=(*planes.flows, *flows))
    drawn = drawn.with_part(requirements=needs.changed(freshness=freshness))
    return _with_flow(drawn, stages=(*_flow(drawn).stages, *stages))


STARTS: dict[str, Callable[[], Design]] = {"searching": searching}


def _flow(design: Design) -> DataFlow:
    return design.dataflow or DataFlow()


def _with_flow(design: Design, **fields: Any) -> Design:
    return design.with_part(dataflow=_flow(design).changed(**fields))


def _with_stage(design: Design, stage_id: str, **fields: Any) -> Design:
    stages = (one.changed(**fields) if one.id == stage_id else one for one in _flow(design).stages)
    return _with_flow(design, stages=tuple(stages))


def _with_feature(design: Design, feature_id: str, **fields: Any) -> Design:
    features = (one.changed(**fields) if one.id == feature_id else one for one in _flow(design).features)
    return _with_flow(design, features=tuple(features))


@breaks("FLOW001")
def no_dataflow(design: Design) -> Design:
    """Leave the dataflow out."""
    return design.with_part(dataflow=None)


@breaks("FLOW002")
def hourly_for_a_quarter(design: Design) -> Design:
    """Compute a feature each hour that may be 15 minutes old."""
    return _with_stage(design, "merchant_rate", period="1 h")


@breaks("FLOW002")
def period_for_age(design: Design) -> Design:
    """Take the period for the age, as if delays and the cache took no time."""
    return _with_stage(design, "merchant_rate", period="15 min")


@breaks("FLOW002")
def last_hop_only(design: Design) -> Design:
    """Promise what the last stage alone can keep."""
    return _with_feature(design, "graph_risk", sla="45 min")


@breaks("FLOW003")
def clicks_in_the_warehouse(design: Design) -> Design:
    """End a feature in a table that only analysts can read."""
    return _with_stage(design, "click_stream", store="offline")


@breaks("FLOW004")
def somewhere_in_a_store(design: Design) -> Design:
    """Say nothing about where a feature is read."""
    return _with_stage(design, "graph_scores", store=None, component=None)


@breaks("FLOW005")
def timeless_stage(design: Design) -> Design:
    """Let a stage take no time at all."""
    return _with_stage(design, "write_flag", delays=())


@breaks("FLOW006")
def job_for_nobody(design: Design) -> Design:
    """Keep a job whose feature is gone."""
    job = {
        "id": "postcodes",
        "period": "1 d",
        "delays": "1 h",
        "store": "online",
        "component": "merchant_jobs",
    }
    return _with_flow(design, stages=(*_flow(design).stages, job))


@breaks("FLOW007")
def source_off_the_sketch(design: Design) -> Design:
    """Take a feature from a system that nobody has drawn."""
    return _with_feature(design, "ip_country", source="address_book")


@breaks("FLOW008")
def flow_not_drawn(design: Design) -> Design:
    """Forget the arrow that brings disputes to the jobs."""
    planes = design.planes or Planes()
    kept = tuple(flow for flow in planes.flows if (flow.start, flow.end) != ("disputes", "merchant_jobs"))
    return design.with_part(planes=planes.changed(flows=kept))


@breaks("FLOW009")
def two_in_one_slot(design: Design) -> Design:
    """Put a feature where another one is."""
    return _with_feature(design, "graph_risk", slot=14)


@breaks("FLOW010")
def wrong_width(design: Design) -> Design:
    """Build the model for one position more than the features fill."""
    return _with_flow(design, input_width=20)


@breaks("FLOW011")
def feature_beside_the_model(design: Design) -> Design:
    """Compute and store a feature that has no place in the input."""
    return _with_feature(design, "avg_ticket_90d", slot=None)


@breaks("FLOW012")
def no_default(design: Design) -> Design:
    """Hope that a feature is never missing."""
    return _with_feature(design, "merchant_rate_15m", default=None)


@breaks("FLOW013")
def latest_value(design: Design) -> Design:
    """Train on the values that are in the store today."""
    return _with_flow(design, join="latest value")


@breaks("FLOW013")
def event_time(design: Design) -> Design:
    """Train on what had happened, whether or not it could be read."""
    return _with_flow(design, join="event time")


@breaks("FLOW014")
def joined_somehow(design: Design) -> Design:
    """Say nothing about how training rows are joined."""
    return _with_flow(design, join=None)


@breaks("FLOW015")
def written_twice(design: Design) -> Design:
    """Write each transformation once for training and once for serving."""
    return _with_flow(design, transformation="separate", parity_test="none")


@breaks("FLOW016")
def parity_untested(design: Design) -> Design:
    """Trust that training and serving agree."""
    return _with_flow(design, parity_test=None)


@breaks("FLOW016")
def parity_tested_some_day(design: Design) -> Design:
    """Fill the field and say nothing."""
    return _with_flow(design, parity_test="to be decided")


@breaks("FLOW017")
def one_read_a_feature(design: Design) -> Design:
    """Read features one after another."""
    return _with_flow(design, lookup={"calls": 11, "time_per_call": "2 ms"})


@breaks("FLOW018")
def written_twice_and_tested(design: Design) -> Design:
    """Keep two implementations equal by a test alone."""
    return _with_flow(design, transformation="separate")


@breaks("FLOW019", start="searching")
def index_built_weekly(design: Design) -> Design:
    """Fill an index once a week that may be two days old."""
    return _with_stage(design, "build_index", period="7 d")


@breaks("FLOW020", start="searching")
def index_filled_somehow(design: Design) -> Design:
    """Say nothing about when the index is filled."""
    stages = tuple(one for one in _flow(design).stages if one.id != "build_index")
    planes = design.planes or Planes()
    direct = [
        one.changed(start="payments") if one.end == "similar" and one.carries == "batch" else one
        for one in planes.flows
    ]
    return _with_flow(_with_planes(design, flows=direct), stages=stages)


def _of_hundreds(design: Design, **store: Any) -> Design:
    planes = design.planes or Planes()
    components = [one.changed(**store) if one.id == "features" else one for one in planes.components]
    lookup = {"calls": 2, "time_per_call": "15 ms", "keys": 1_000}
    return _with_flow(_with_planes(design, components=tuple(components)), lookup=lookup)


@breaks("FLOW021")
def half_a_million_reads(design: Design) -> Design:
    """Read a thousand keys a payment, and never ask what the store can do."""
    return _of_hundreds(design)


@breaks("FLOW022")
def more_reads_than_the_store_takes(design: Design) -> Design:
    """Read more than the store was built for."""
    return _of_hundreds(design, quota={"requests": "200000 rps"})


@breaks("FLOW023")
def contract_in_name_only(design: Design) -> Design:
    """Name an owner, and promise nothing."""
    planes = design.planes or Planes()
    contract = {"owner": "Payments", "compatibility": "none"}
    flows = [
        one.changed(contract=contract) if (one.start, one.end) == ("payments", "card_events") else one
        for one in planes.flows
    ]
    return _with_planes(design, flows=tuple(flows))


@breaks("FLOW024")
def silent_sources_look_calm(design: Design) -> Design:
    """Put 0 in the place of what is missing, and watch other things."""
    features = [
        one.changed(default=0) if one.default is not None else one for one in design.at("dataflow.features")
    ]
    alerts = [
        one.changed(metric="share of blocked payments", threshold="2%", action="Look at it")
        for one in design.at("planes.alerts")
    ]
    return setting(setting(design, "dataflow", features=features), "planes", alerts=alerts)


@breaks("FLOW025")
def look_ups_longer_than_their_part(design: Design) -> Design:
    """Look features up in two steps that take more than the budget has for them."""
    return _with_flow(design, lookup={"calls": 2, "time_per_call": "18 ms"})
