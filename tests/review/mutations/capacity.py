"""Known mistakes in the capacity of a design."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mlsd_helpers import cases
from mlsd_helpers.design import CapacityPlan, Component, Design, FailureMode, Flow, Generation, Requirements
from tests.review.mutations.fuller import adding, setting
from tests.review.mutations.mutation import breaks

STARTS: dict[str, Callable[[], Design]] = {
    "generating": partial(cases.load, "azure_assistant"),
    "by event": partial(cases.load, "shopify_products"),
    "three sources": partial(cases.load, "shop_recommender"),
}


def _plan(design: Design) -> CapacityPlan:
    return design.capacity or CapacityPlan()


def _with_plan(design: Design, **fields: Any) -> Design:
    return design.with_part(capacity=_plan(design).changed(**fields))


def _with_headroom(design: Design, **fields: Any) -> Design:
    headroom = _plan(design).headroom
    return _with_plan(design, headroom=headroom.changed(**fields) if headroom else fields)


def _with_autoscaler(design: Design, **fields: Any) -> Design:
    scaler = _plan(design).autoscaler
    return _with_plan(design, autoscaler=scaler.changed(**fields) if scaler else None)


def _with_axis(design: Design, axis: str, **fields: Any) -> Design:
    needs = design.requirements or Requirements()
    return design.with_part(requirements=needs.changed(**{axis: getattr(needs, axis).changed(**fields)}))


def _generation(design: Design) -> Generation:
    made = _plan(design).generation
    assert made is not None, "start from a design that generates"
    return made


def _generating(design: Design, **fields: Any) -> Design:
    return _with_plan(design, generation=_generation(design).changed(**fields))


def resized(design: Design, replicas: int, per_zone: int | None) -> Design:
    """Change the number of replicas wherever it stands: plan, autoscaler and sketch."""
    plan, planes = _plan(design), design.planes
    scaler = plan.autoscaler.changed(minimum=replicas, maximum=replicas + 3) if plan.autoscaler else None
    changed = plan.changed(replicas=replicas, replicas_per_zone=per_zone, autoscaler=scaler)
    if planes is None:
        return design.with_part(capacity=changed)
    components = tuple(
        one.changed(replicas=replicas) if one.id == plan.component else one for one in planes.components
    )
    return design.with_part(capacity=changed, planes=planes.changed(components=components))


@breaks("CAP047")
def promise_ends_at_the_training(design: Design) -> Design:
    return _with_axis(design, "latency", until="training")


@breaks("CAP001")
def no_plan(design: Design) -> Design:
    """Leave the plan out."""
    return design.with_part(capacity=None)


@breaks("CAP002")
def no_headroom(design: Design) -> Design:
    """Run what the peak needs and plan for no failure."""
    return resized(_with_plan(design, headroom=None), 30, 10)


@breaks("CAP003")
def two_figures(design: Design) -> Design:
    """Change the plan and leave the sketch as it was."""
    return _with_autoscaler(_with_plan(design, replicas=48, replicas_per_zone=16), minimum=48)


@breaks("CAP004")
def zones_of_fourteen(design: Design) -> Design:
    """Put 45 replicas into three zones of fourteen."""
    return _with_plan(design, replicas_per_zone=14)


@breaks("CAP005")
def sized_for_the_mean(design: Design) -> Design:
    """Carry the mean and not the peak."""
    return _with_plan(design, load="200 rps")


@breaks("CAP006")
def too_few(design: Design) -> Design:
    """Run fewer replicas than the peak needs while nothing fails."""
    return resized(design, replicas=27, per_zone=9)


@breaks("CAP007")
def headroom_forgotten(design: Design) -> Design:
    """Promise a headroom of 60% and run half as much again as is needed."""
    return _with_headroom(design, share="60%")


@breaks("CAP008")
def always_busy(design: Design) -> Design:
    """Keep replicas busy 96% of the time."""
    return _with_plan(design, target_utilisation="96%")


@breaks("CAP009")
def model_too_slow(design: Design) -> Design:
    """Promise 500 ms with a model that takes 600."""
    slow = {"mean": "600 ms", "distribution": "lognormal", "scv": 0.25}
    return resized(_with_plan(design, service_time=slow, cost_per_replica_hour="$0.01"), 645, 215)


@breaks("CAP010")
def random_routing(design: Design) -> Design:
    """Send each request to a replica drawn at random."""
    return _with_plan(design, routing="random", service_time={"mean": "40 ms", "distribution": "exponential"})


@breaks("CAP011")
def bursts_ignored(design: Design) -> Design:
    """Size bursty traffic as if it came evenly."""
    return _with_axis(design, "throughput", burstiness=13.2)


@breaks("CAP012")
def endless_queue(design: Design) -> Design:
    """Let requests wait without a limit."""
    return _with_plan(design, queue_limit=None)


@breaks("CAP013")
def large_batches(design: Design) -> Design:
    """Collect requests until the budget is gone."""
    batching = {"largest": 64, "longest_wait": "100 ms", "fixed_time": "50 ms", "time_per_item": "8 ms"}
    return _with_plan(design, batching=batching)


@breaks("CAP014")
def headroom_for_nothing(design: Design) -> Design:
    """Add half as much again and say nothing of what it pays for."""
    return _with_headroom(design, pays_for=())


@breaks("CAP015")
def zone_on_thirty_percent(design: Design) -> Design:
    """Let the usual 30% pay for a zone."""
    return resized(_with_headroom(design, share="30%"), 39, 13)


@breaks("CAP016")
def rounded_over_all_zones(design: Design) -> Design:
    """Round 28.57 × 1.5 up once, to 43, and not in each zone."""
    return resized(design, 43, None)


@breaks("CAP017")
def restart_of_many(design: Design) -> Design:
    """Restart six replicas in ten at once."""
    return _with_headroom(design, pays_for=["zone loss", "rolling restart"], unavailable_in_restart="60%")


@breaks("CAP018")
def surge_of_a_festival(design: Design) -> Design:
    """Let a headroom of half pay for three times the peak."""
    return _with_headroom(design, pays_for=["zone loss", "surge"], surge="200%")


@breaks("CAP019", start="cached")
def cold_cache_on_paper(design: Design) -> Design:
    """Say that the headroom pays for a cold cache, without counting."""
    path = design.at("pattern.paths")[0]
    cached = path.changed(cache=path.cache.changed(hit_ratio="60%", hit_ratio_is="measured"))
    warm = design.with_part(pattern=design.at("pattern").changed(paths=(cached,)))
    paid = _with_headroom(_with_plan(warm, load="200 rps"), pays_for=["zone loss", "cold cache"])
    return resized(paid, 18, 6)


@breaks("CAP020")
def autoscaler_too_late(design: Design) -> Design:
    """Wait two minutes for help against more than all replicas answer."""
    return _with_autoscaler(design, fastest_rise="800 rps")


@breaks("CAP021")
def autoscaler_below_plan(design: Design) -> Design:
    """Stop the autoscaler before it gets to the plan."""
    return _with_autoscaler(design, minimum=30, maximum=40)


@breaks("CAP021")
def autoscaler_above_plan(design: Design) -> Design:
    """Keep more replicas than are planned and paid for."""
    return _with_autoscaler(design, minimum=47, maximum=48)


@breaks("CAP022")
def autoscaler_waits(design: Design) -> Design:
    """Add replicas when those that run are full."""
    return _with_autoscaler(design, target="90%")


@breaks("CAP023")
def over_budget(design: Design) -> Design:
    """Spend more than there is."""
    return _with_plan(design, budget_per_month="$6,000")


@breaks("CAP024", start="generating")
def weights_too_large(design: Design) -> Design:
    """Load a model that is larger than its accelerator."""
    smaller = {"name": "T4", "memory": "16 GB"}
    return _generating(design, accelerator=smaller)


@breaks("CAP025", start="generating")
def memory_is_weights(design: Design) -> Design:
    """Plan sequences as if only weights took memory."""
    return _generating(design, concurrent_sequences=350)


@breaks("CAP026", start="generating")
def above_the_roofline(design: Design) -> Design:
    """Believe a brochure: 211 tokens in half a second for each of 32 sequences."""
    return _with_plan(design, service_time={"mean": "500 ms", "distribution": "lognormal", "scv": 1})


@breaks("CAP027", start="generating")
def prompt_for_nothing(design: Design) -> Design:
    """Promise the first token before the prompt can be read, whatever comes before the model."""
    sketch = design.planes
    assert sketch is not None, "start from a design that has planes"
    timeless = sketch.changed(components=tuple(one.changed(latency=None) for one in sketch.components))
    return _with_axis(
        design.with_part(planes=timeless),
        "latency",
        first_token="15 ms",  # noqa: S106 - of a language model
    )


@breaks("CAP028", start="generating")
def long_answer(design: Design) -> Design:
    """Leave 45 tokens of context to an answer of 211."""
    return _generating(design, context_tokens=1_200)


@breaks("CAP029")
def times_that_vary(design: Design) -> Design:
    """Measure the mean of times that vary nine times as much as exponential ones."""
    return _with_plan(design, service_time={"mean": "40 ms", "distribution": "lognormal", "scv": 9})


@breaks("CAP030")
def routing_left_open(design: Design) -> Design:
    """Leave it to the load balancer where requests queue."""
    return _with_plan(design, routing=None, service_time={"mean": "40 ms", "distribution": "exponential"})


@breaks("CAP031")
def long_queue(design: Design) -> Design:
    """Let twenty requests wait where eight are answered in time."""
    return _with_plan(design, queue_limit=20)


@breaks("CAP032")
def door_without_a_queue(design: Design) -> Design:
    """Let requests in by a door that refuses one in twenty, with nobody before it who would answer instead."""
    changes = {"gateway": {"replicas": 45}, "scorer": {"managed": True}}
    planes = design.at("planes")
    parts = [one.changed(**changes.get(one.id, {})) for one in planes.components]
    drawn = design.with_part(planes=planes.changed(components=parts))
    time = {"mean": "4 ms", "distribution": "lognormal", "scv": 0.25}
    return _with_plan(drawn, component="gateway", service_time=time, queue_limit=0, routing="random")


@breaks("CAP033")
def zone_forgotten(design: Design) -> Design:
    """Plan for restarts and run three zones that only carry the peak together."""
    paid = _with_headroom(design, share="5%", pays_for="rolling restart", unavailable_in_restart="0%")
    return resized(paid, 30, 10)


@breaks("SERV032")
def region_without_room(design: Design) -> Design:
    """Send the load of a lost region to two others that only carry the peak together with it."""
    regions = ("eu-west-1", "eu-west-3", "eu-north-1")
    lost = FailureMode(
        id="region_lost", failure="A region", meanwhile="The others answer", fails="closed", to_region=regions
    )
    design = setting(
        zone_forgotten.change(design), f"planes.components.{design.capacity.component}", region=regions
    )
    return adding(design, "requirements.failure_modes", lost)


@breaks("CAP034", start="generating")
def slow_pace(design: Design) -> Design:
    """Promise a pace at which a long answer takes nearly two minutes."""
    return _with_axis(design, "latency", per_token="100 ms")  # noqa: S106 - a token of a language model


@breaks("CAP035")
def nowhere_to_shadow(design: Design) -> Design:
    """Let the shadow run where the users' requests do."""
    return _with_plan(design, release_replicas=None)


@breaks("CAP036", start="by event")
def zone_paid_for_all_year(design: Design) -> Design:
    """Pay for a zone all year, though what comes meanwhile could wait."""
    return resized(_with_headroom(design, share="50%", pays_for="zone loss"), 600, 200)


@breaks("CAP037")
def embedder_in_no_plan(design: Design) -> Design:
    """Let each payment wait for a second model that nobody has sized."""
    planes = design.at("planes")
    model = {"id": "merchant_vector", "kind": "embedder", "owner": "Model team", "replicas": 6, "zones": 3}
    call = {"from": "scorer", "to": "merchant_vector", "carries": "request", "timeout": "20 ms"}
    parts = [*planes.components, Component(**model)]
    flows = [*planes.flows, Flow(**call, fallback="The mean of all merchants")]
    return design.with_part(planes=planes.changed(components=parts, flows=flows))


@breaks("CAP038")
def autoscaler_spends_more(design: Design) -> Design:
    """Allow the autoscaler more than the budget does."""
    return _with_autoscaler(design, maximum=60)


@breaks("CAP039")
def one_at_night(design: Design) -> Design:
    """Scale down to a single replica when few people pay."""
    return _with_autoscaler(design, minimum=1)


@breaks("CAP020")
def too_few_in_the_morning(design: Design) -> Design:
    """Let the autoscaler go down to five replicas at night, and the morning come faster than new ones start."""
    return _with_autoscaler(design, minimum=5, fastest_rise="300 rps", target="60%")


@breaks("CAP040")
def reserve_at_the_peak_only(design: Design) -> Design:
    """Keep 70% busy in three zones at night too."""
    return _with_autoscaler(design, minimum=20, fastest_rise="20 rps")


@breaks("CAP041")
def back_in_an_hour(design: Design) -> Design:
    """Promise a time to recover, and say nothing of how."""
    return _with_axis(design, "availability", rto="1 h")


@breaks("CAP042", start="three sources")
def more_than_the_ranker_takes(design: Design) -> Design:
    """Let three retrievers hand on 650 products to a ranker of 500."""
    parts = [
        one.changed(title=None, does=None) if one.kind == "orchestrator" else one
        for one in design.at("planes.components")
    ]
    paths = [path.changed(when=None) if path.stage == 2 else path for path in design.at("pattern.paths")]
    bare = setting(setting(design, "planes", components=parts), "pattern", paths=paths)
    return setting(bare, "pattern.paths.near", keeps=450)


@breaks("CAP043")
def nobody_measured_a_replica(design: Design) -> Design:
    return _with_plan(design, service_time=None)


@breaks("CAP043")
def budget_of_no_price(design: Design) -> Design:
    return _with_plan(design, cost_per_replica_hour=None)
