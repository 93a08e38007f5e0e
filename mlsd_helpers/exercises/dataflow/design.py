"""Exercise 7: repair a data flow until the review has nothing to say."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from mlsd_helpers.design import DataFlow, Design
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step
from mlsd_helpers.review import review

Flow = dict[str, Any]
Entry = dict[str, Any]
SHORTEST_PERIOD_S = 60
_PARITY = "Replays logged payments through training's code and compares every feature"


def findings(flow: Any) -> set[str]:
    """Return the codes of what the review finds in a data flow, errors and warnings."""
    freshness = {"freshness": {"features": 900}}
    found = review(Design(name="exercise", requirements=freshness, dataflow=flow))
    return {one.code for one in found if one.code.startswith("FLOW") and one.severity != "info"}


# ---- the flow that is to be repaired --------------------------------------------------------------


def _flow(rate_s: int, sla_s: int, delays_s: list[int], ttl_s: int, join: str, transformation: str) -> Flow:
    """Return a flow with a late schedule, a path that no schedule can save, a store that nobody can read."""
    return {
        "stages": [
            {"id": "card_stream", "period": 1, "delays": [5, 2], "store": "online"},
            {"id": "spend_job", "period": 3600, "delays": [180, sla_s, 60]},
            {"id": "spend_cache", "ttl": 120, "store": "online"},
            {"id": "rate_job", "period": rate_s, "delays": delays_s},
            {"id": "rate_cache", "ttl": ttl_s, "store": "online"},
            {"id": "nightly", "period": 86_400, "delays": [3_600, 2_700], "store": "online"},
            {"id": "click_job", "period": 300, "delays": [20], "store": "offline"},
        ],
        "features": [
            {"id": "amount", "source": "request", "sla": 0, "slot": 0, "default": 0},
            _feature("card_spend_24h", ["spend_job", "spend_cache"], sla_s, 1),
            _feature("merchant_rate_15m", ["rate_job", "rate_cache"], sla_s, 2),
            _feature("avg_ticket_90d", ["nightly"], 604_800, 3),
            _feature("session_clicks", ["click_job"], 600, 4),
        ],
        "join": join,
        "transformation": transformation,
        "input_width": 5,
    }


def _feature(name: str, path: list[str], sla_s: int, slot: int) -> Entry:
    return {"id": name, "source": "payments", "path": path, "sla": sla_s, "slot": slot, "default": 0}


def _draw_flow(rng: random.Random) -> Case:
    """Draw a flow in which the same kinds of fault have other numbers."""
    sla_s = rng.choice([600, 720, 900, 1_200])
    delays_s = [rng.randrange(30, 120), rng.randrange(30, 120)]
    join, code = rng.choice(["event time", "latest value"]), rng.choice(["separate", "shared"])
    return {"flow": _flow(sla_s, sla_s, delays_s, rng.choice([30, 60]), join, code)}


# ---- right answers --------------------------------------------------------------------------------


def _late(flow: Flow) -> Iterator[tuple[Entry, Entry, float]]:
    """Give each feature that is too old, its job, and what the delays and the cache leave for the period."""
    stages = {stage["id"]: stage for stage in flow["stages"]}
    for feature in flow["features"]:
        way = [stages[name] for name in feature.get("path", ())]
        spent = sum(sum(stage.get("delays", ())) + stage.get("ttl", 0) for stage in way)
        period = sum(stage.get("period", 0) for stage in way)
        if period + spent > feature["sla"]:
            yield feature, next(stage for stage in way if "period" in stage), feature["sla"] - spent


def _shorten(feature: Entry, job: Entry, left_s: float) -> None:
    """Run the job as often as is needed; where nothing is left for a period, take the stream."""
    if left_s >= SHORTEST_PERIOD_S:
        job["period"] = left_s
    else:
        feature["path"] = ["card_stream"]


def _repaired(flow: Flow, mend: Callable[[Entry, Entry, float], None] = _shorten, **how: Any) -> Flow:
    mended = copy.deepcopy(flow)
    for feature, job, left_s in list(_late(mended)):
        mend(feature, job, left_s)
    for stage in mended["stages"]:
        stage.update({"store": how.get("store", "online")} if stage.get("store") == "offline" else {})
    return {**mended, "join": how.get("join", "availability time"), "parity_test": _PARITY}


def repaired(flow: Flow) -> Flow:
    """Shorten the period where that can help, take another path where not, and mend store, join and parity."""
    return _repaired(flow)


def repaired_by_stream(flow: Flow) -> DataFlow:
    """Put all that is late on the stream, and hand back the typed value."""
    mended = _repaired(flow, lambda feature, _job, _left: feature.update(path="card_stream"))
    return DataFlow(**mended)


def repaired_without_caches(flow: Flow) -> Flow:
    """Read the store itself, so that the caches' time goes to the period, and put the clicks on the stream."""
    mended = copy.deepcopy(flow)
    for stage in mended["stages"]:
        stage.update({"ttl": 0} if "ttl" in stage else {})
    for feature in mended["features"]:
        if feature["id"] == "session_clicks":
            feature["path"] = ["card_stream"]
    mended = _repaired(mended)
    return {**mended, "features": [{**f, "parity_test": _PARITY} for f in mended["features"]]}


# ---- known mistakes -------------------------------------------------------------------------------


def relaxed_the_sla(flow: Flow) -> Flow:
    """You raised the SLA until the pipeline met it. The SLA says what the decision needs, and whoever asked for it has
    not changed their mind: repair the flow, or go and ask.
    """
    return _repaired(flow, lambda feature, _job, _left: feature.update(sla=86_400))


def wished_the_delays_away(flow: Flow) -> Flow:
    """You shortened delays by writing smaller numbers. They were measured, and tomorrow's run takes as long as
    yesterday's. Which of a stage's numbers are settings, and which are facts?
    """
    return _repaired(flow, lambda _feature, job, _left: job.update(period=60, delays=[1]))


def period_set_to_the_sla(flow: Flow) -> Flow:
    """You set the period to the SLA. The delays and the cache come on top, so that the unlucky read is still too old:
    leave the period only what they leave of it.
    """
    return _repaired(flow, lambda feature, job, _left: job.update(period=feature["sla"]))  # C23


def as_often_as_can_be(flow: Flow) -> Flow:
    """You run everything late once a minute. One job takes longer than the SLA allows in all, and stays too old however
    often it starts. Where else do its data come by?
    """
    return _repaired(flow, lambda _feature, job, _left: job.update(period=SHORTEST_PERIOD_S))


def dropped_what_was_late(flow: Flow) -> Flow:
    """You took the late features away. The model was designed with them; a repair keeps what the product asked for."""
    mended = _repaired(flow)
    late = [feature["id"] for feature, _, _ in _late(flow)]
    kept = [feature for feature in mended["features"] if feature["id"] not in late]
    return {**mended, "features": kept, "input_width": len(kept)}


def left_it_offline(flow: Flow) -> Flow:
    """A feature still ends in an offline store. It is fresh there, and no request will ever read it. Where do requests
    look?
    """
    return _repaired(flow, store="offline")


def joined_on_event_time(flow: Flow) -> Flow:
    """You join training rows on the time of the event. What happened before a payment was often published after it, and
    the model learns from what it will never see: join on when it became readable.
    """
    return _repaired(flow, join="event time")  # C29


# ---- the judgement --------------------------------------------------------------------------------


def _typed(flow: Any) -> DataFlow:
    return flow if isinstance(flow, DataFlow) else DataFlow(**flow)


def _kept(case: Case, value: Any, _: Given) -> bool:
    """Hold what is asked for and what is a fact; a flow that is handed back as it was has repaired nothing."""
    try:
        before, after = _typed(case["flow"]), _typed(value)
    except (MlsdError, TypeError):
        return False
    asked = [{(f.id, f.source, f.sla, f.slot) for f in flow.features} for flow in (before, after)]
    return asked[0] == asked[1] and _same_facts(before, after) and findings(after) < findings(before)


def _same_facts(before: DataFlow, after: DataFlow) -> bool:
    facts = {stage.id: stage for stage in before.stages}
    return all(
        stage.id in facts
        and stage.delays == facts[stage.id].delays
        and (stage.period is None) == (facts[stage.id].period is None)
        and (stage.period == facts[stage.id].period or (stage.period or 0) >= SHORTEST_PERIOD_S)
        for stage in after.stages
    )


def _free_of(*codes: str) -> Callable[[Case, Any, Given], bool]:
    def right(_case: Case, value: Any, _: Given) -> bool:
        flow = _typed(value)
        return bool(flow.features) and not findings(flow) & set(codes)

    return right


EXERCISE = Exercise(
    id="03-design",
    assignment="03_dataflow",
    title="Repair a data flow",
    kind="repair a design",
    outcome="Bring a whole data flow within its SLAs, and make its training rows honest.",
    minutes=15,
    steps=(
        Step("kept", 1, _kept, part=""),
        Step("fresh", 1.5, _free_of("FLOW002"), part=""),
        Step("readable", 0.5, _free_of("FLOW003"), part=""),
        Step("honest", 1, _free_of("FLOW014", "FLOW015", "FLOW016", "FLOW017"), part=""),
    ),
    cases=(
        {"flow": _flow(900, 900, [60, 210], 30, "latest value", "separate")},
        {"flow": _flow(600, 600, [45, 75], 60, "event time", "shared")},
    ),
    reference=repaired,
    alternatives=(repaired_by_stream, repaired_without_caches),
    mistakes=(
        relaxed_the_sla,
        wished_the_delays_away,
        period_set_to_the_sla,
        as_often_as_can_be,
        dropped_what_was_late,
        left_it_offline,
        joined_on_event_time,
    ),
    hints=(
        "Look at what the review says of the flow, finding by finding: each names the field, and what to do there.",
        (
            "Start with the features that are too old. For each, take the delays and TTLs of its path from its SLA: is "
            "anything left for the period? If not, which other stage could its path name?"
        ),
        (
            "A neighbour: a job with a period of 300 s, delays of 100 s and an SLA of 250 s may run every 150 s; with "
            "delays of 250 s it has to leave its path for one that is fast enough, at any period."
        ),
    ),
    draw=_draw_flow,
)
