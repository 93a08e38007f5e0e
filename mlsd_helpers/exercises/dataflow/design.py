"""Exercise 8: repair a data flow until the review has nothing to say."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from mlsd_helpers.analysis import ages
from mlsd_helpers.design import DataFlow, Design, Stage
from mlsd_helpers.errors import MlsdError
from mlsd_helpers.exercises import reviewed
from mlsd_helpers.exercises.kit import Case, Exercise, Given, Step, Stratum
from mlsd_helpers.review import Finding

Flow = dict[str, Any]
Entry = dict[str, Any]
SHORTEST_PERIOD_S = 60
REQUIREMENTS: dict[str, dict[str, Any]] = {"latency": {"budget": 0.03, "percentile": "p99"}}
"""A request waits 30 ms for its features and no longer."""
_PARITY = "Replays logged payments through training's code and compares every feature"


def faults(flow: Any) -> tuple[Finding, ...]:
    """Return the errors that the review finds in a data flow."""
    design = Design(name="exercise", requirements=REQUIREMENTS, dataflow=flow)
    found = reviewed.found_in(design)
    return tuple(one for one in found if one.severity == "error" and one.where.startswith("dataflow"))


# ---- the flow that is to be repaired --------------------------------------------------------------


def _flow(
    rate_s: int, sla_s: int, delays_s: list[int], ttl_s: int, join: str, transformation: str, calls: int = 23
) -> Flow:
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
        "lookup": {"calls": calls, "time_per_call": 0.002},
        "input_width": 5,
    }


def _feature(name: str, path: list[str], sla_s: int, slot: int) -> Entry:
    return {"id": name, "source": "payments", "path": path, "sla": sla_s, "slot": slot, "default": 0}


def _draw_flow(rng: random.Random) -> Case:
    """Draw a flow in which the same kinds of fault have other numbers."""
    sla_s = rng.choice([600, 720, 900, 1_200])
    delays_s = [rng.randrange(30, 120), rng.randrange(30, 120)]
    join, code = rng.choice(["event time", "latest value"]), rng.choice(["separate", "shared"])
    return {"flow": _flow(sla_s, sla_s, delays_s, rng.choice([30, 60]), join, code, rng.randrange(18, 40))}


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
    lookup = {**flow["lookup"], "at_once": how.get("at_once", True)}
    join = how.get("join", "availability time")
    return {**mended, "join": join, "transformation": "shared", "parity_test": _PARITY, "lookup": lookup}


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
    """You raised the age limit until the pipeline met it. The age limit says what the decision needs, and whoever asked
    for it has not changed their mind: repair the flow, or go and ask.
    """
    return _repaired(flow, lambda feature, _job, _left: feature.update(sla=86_400))


def wished_the_delays_away(flow: Flow) -> Flow:
    """You shortened delays by writing smaller numbers. They were measured, and tomorrow's run takes as long as
    yesterday's. Which of a stage's numbers are settings, and which are facts?
    """
    return _repaired(flow, lambda _feature, job, _left: job.update(period=60, delays=[1]))


def period_set_to_the_sla(flow: Flow) -> Flow:
    """You set the period to the age limit. The delays and the cache come on top, so that the unlucky read is still too
    old: leave the period only what they leave of it.
    """
    return _repaired(flow, lambda feature, job, _left: job.update(period=feature["sla"]))  # C23


def as_often_as_can_be(flow: Flow) -> Flow:
    """You run everything late once a minute. One job takes longer than the age limit allows in all, and stays too old
    however often it starts. Where else do its data come by?
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


def one_read_after_the_other(flow: Flow) -> Flow:
    """You left the features to be read one by one. Each read is quick, and they add up while the customer waits: ask
    the store for all of them at once. Which clock is this, the age of the data or the time to read them?
    """
    return _repaired(flow, at_once=False)  # C31


def counted_fewer_calls(flow: Flow) -> Flow:
    """You wrote down fewer calls. How many there are follows from the features that are looked up, and `calls` is not
    among the settings: what makes many calls take the time of one?
    """
    mended = _repaired(flow, at_once=False)
    return {**mended, "lookup": {**mended["lookup"], "calls": 5}}


# ---- the judgement --------------------------------------------------------------------------------


def _typed(flow: Any) -> DataFlow:
    return flow if isinstance(flow, DataFlow) else DataFlow(**flow)


def _kept(case: Case, value: Any, _: Given) -> bool:
    """Hold what is asked for and what is a fact; a flow that is handed back as it was has repaired nothing."""
    return not _not_kept(case, value)


def _not_kept(case: Case, value: Any) -> str:
    try:
        before, after = _typed(case["flow"]), _typed(value)
    except MlsdError as error:
        return str(error)
    except TypeError:
        return "That is no data flow: return the flow as a dict, or as an mlsd.design.DataFlow."
    asked = [{(f.id, f.source, f.sla, f.slot) for f in flow.features} for flow in (before, after)]
    if asked[0] != asked[1]:
        return "The features, their sources, age limits and slots have to stay as they were asked for."
    if changed := next(_changed_facts(before, after), ""):
        return f"{changed} has changed, and is no setting of yours."
    if too_often := next((stage.id for stage in after.stages if _too_often(before, stage)), ""):
        return f"{too_often} gets a period, or loses it, or starts more than once a minute."
    return "Nothing has changed." if after == before else ""


_SETTINGS = {"join", "transformation", "parity_test"}


def _changed_facts(before: DataFlow, after: DataFlow) -> Iterator[str]:
    """Name what differs and is none of the settings that the task lists; a stage that is not used may go."""
    yield from _changed("The flow's", before, after, _SETTINGS | {"stages", "features", "lookup"})
    yield from _changed("The lookup's", before.lookup, after.lookup, {"at_once"})
    stages = {stage.id: stage for stage in before.stages}
    for stage in after.stages:
        if stage.id not in stages:
            yield f"The list of stages ({stage.id} is new)"
        yield from _changed(f"{stage.id}:", stages.get(stage.id), stage, {"period", "ttl", "store"})
    features = {feature.id: feature for feature in before.features}
    for feature in after.features:
        yield from _changed(f"{feature.id}:", features.get(feature.id), feature, _SETTINGS | {"path"})


def _changed(whose: str, before: Any, after: Any, settings: set[str]) -> Iterator[str]:
    facts = [part.model_dump(exclude=settings) if part is not None else {} for part in (before, after)]
    for field in {**facts[0], **facts[1]}:
        if facts[0].get(field) != facts[1].get(field):
            yield f"{whose} `{field}`"


def _too_often(before: DataFlow, stage: Stage) -> bool:
    """Tell whether a stage starts more than once a minute, or has a schedule where there was none."""
    was_s = next((one.period for one in before.stages if one.id == stage.id), None)
    return (stage.period is None) != (was_s is None) or (
        stage.period != was_s and (stage.period or 0) < SHORTEST_PERIOD_S
    )


def _too_old(flow: DataFlow) -> Iterator[str]:
    """Say which features are older than their age limit at the worst."""
    worst_s = ages.worst_ages_s(flow)
    for feature in flow.features:
        if feature.sla is None or worst_s[feature.id] > feature.sla + 1e-6:
            yield f"{feature.id} may still be too old when it is read: add up its path again."


def _out_of_reach(flow: DataFlow) -> Iterator[str]:
    stores = {stage.id: stage.store for stage in flow.stages}
    for feature in flow.features:
        if feature.path and stores[feature.stage_ids()[-1]] != "online":
            yield f"{feature.id} ends where no request can read it."


def _slow_to_read(flow: DataFlow) -> Iterator[str]:
    if flow.lookup is None or flow.lookup.time_s > REQUIREMENTS["latency"]["budget"]:
        yield "A request waits too long for its features: count the calls that follow each other."


def _dishonest(flow: DataFlow) -> Iterator[str]:
    joins = {feature.join or flow.join for feature in flow.features}
    if joins != {"availability time"}:
        yield "Training rows hold something that serving could not have read at the time."
    if flow.transformation != "shared":
        yield "Training and serving each have code of their own for the same features."
    if not all(feature.parity_test or flow.parity_test for feature in flow.features):
        yield "Nothing compares the features in training and in serving."


def _found_by_review(flow: DataFlow) -> Iterator[str]:
    return (f"The review still says: {fault.message}" for fault in faults(flow))


def _step(name: str, points: float, find: Callable[[DataFlow], Iterator[str]]) -> Step:
    """Make a step that holds when nothing is found, and says the first thing that is."""

    def explain(_case: Case, value: Any) -> str:
        return next(find(_typed(value)), "")

    def right(case: Case, value: Any, _: Given) -> bool:
        return bool(_typed(value).features) and not explain(case, value)

    return Step(
        name, points, right, part="", explain=explain, shows=lambda _, value: set(find(_typed(value)))
    )


def _change(case: Case, value: Any) -> list[str]:
    return [_not_kept(case, value)]


EXERCISE = Exercise(
    id="03-design",
    assignment="03_dataflow",
    title="Repair a data flow",
    kind="repair a design",
    outcome="Bring a whole data flow within its age limits, and make its training rows honest.",
    minutes=34,
    steps=(
        Step("kept", 0, _kept, part="", explain=_not_kept, shows=_change, gate=True),
        _step("fresh", 1.5, _too_old),
        _step("readable", 0.5, _out_of_reach),
        _step("in_time", 0.5, _slow_to_read),
        _step("honest", 1, _dishonest),
        _step("reviewed", 0.5, _found_by_review),
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
        one_read_after_the_other,
        counted_fewer_calls,
    ),
    hints=(
        "Look at what the review says of the flow, finding by finding: each names the field, and what to do there.",
        (
            "Start with the features that are too old. For each, take the delays and TTLs of its path from its age "
            "limit: is anything left for the period? If not, which other stage could its path name?"
        ),
        (
            "A neighbour: a job with a period of 300 s, delays of 100 s and an age limit of 250 s may run every 150 s; "
            "with delays of 250 s it has to leave its path for one that is fast enough, at any period."
        ),
    ),
    draw=_draw_flow,
    strata=(
        Stratum(
            "Delays, the calls and the time per call are measured",
            lambda c: c["flow"]["lookup"]["calls"] > 30,
        ),
        Stratum(
            "`event time`, `latest value` or `availability time`",
            lambda c: c["flow"]["join"] == "latest value",
        ),
        Stratum("`separate` or `shared` code", lambda c: c["flow"]["transformation"] == "shared"),
    ),
    general=(
        "Now a whole data flow",
        "A request may wait 30 ms",
        "This is what the rules say",
        "Write `repaired`",
        "You may change periods",
        "The faults are of the same kinds",
        "`parity_test` is a text",
        "`at_once` is `True`",
        "A repair that changes one",
        "shows what there is to work with",
    ),
)
