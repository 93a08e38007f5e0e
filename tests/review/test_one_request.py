"""A request is read alike everywhere: its time, who waits for it, and what its client does without an answer."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers.analysis.paths import order_of
from mlsd_helpers.analysis.request import requests_of
from mlsd_helpers.analysis.whole import Elsewhere, answers_of
from mlsd_helpers.design import Design
from mlsd_helpers.review import review

SURE = {"availability": "100%", "zones": 3, "replicas": 3}
FLEET = {
    "component": "model",
    "load": "100 rps",
    "service_time": {"mean": "20 ms", "scv": 0.25, "distribution": "lognormal"},
    "target_utilisation": "70%",
    "replicas": 20,
    "zones": 3,
    "routing": "central queue",
}


def box(name, kind="service", **fields):
    return {"id": name, "kind": kind} | SURE | fields


def call(start, end, **fields):
    return {"from": start, "to": end, "carries": "request"} | fields


def system(boxes, calls, *, times_s, budget="2 s", **parts):
    split = [{"component": name, "time": f"{time_s} s"} for name, time_s in times_s.items()]
    needs = {
        "latency": {"budget": budget, "percentile": "p95", "split": split},
        "throughput": {"peak": "100 rps", "mean": "50 rps"},
        "availability": {"target": "99.9%"},
    }
    planes = {"components": boxes, "flows": calls}
    return Design(**{"name": "d", "requirements": needs, "planes": planes, "capacity": FLEET} | parts)


def codes(design):
    return {one.code for one in review(design)}


# ---- one latency

NAMES = ("model", "a", "b", "c")


@st.composite
def hubs(draw):
    """Draw a hub that calls up to four components in an order of any kind, with the true time of a request."""
    names = NAMES[: draw(st.integers(1, 4))]
    times_s = {name: draw(st.integers(1, 9)) / 10 for name in names}
    how = draw(st.sampled_from(["at once", "one after another"]))
    stage = {name: draw(st.integers(1, 2)) for name in names}
    by = draw(st.sampled_from(["nothing", "after", "paths", "predictions"]))
    stages = [[times_s[name] for name in names if stage[name] == number] for number in (1, 2)]
    flows: list[dict[str, Any]] = []
    paths: list[dict[str, Any]] = []
    for name in names:
        later = [other for other in names if stage[other] < stage[name]] if by == "after" else []
        carries = "predictions" if by == "predictions" and stage[name] == 2 and stages[0] else "request"
        flows.append(call("hub", name, id=f"to_{name}", timeout="9 s", after=[f"to_{one}" for one in later]))
        flows[-1]["carries"] = carries
        beside = [other for other in names if stage[other] == stage[name] and other != name]
        paths.append({"id": name, "component": name, "pattern": "request-time", "share": "100%"})
        paths[-1] |= {"stage": stage[name], "parallel_to": beside}
    if by == "paths" or (how == "at once" and by != "nothing"):
        truth_s = sum(max(part, default=0.0) for part in stages)
    else:
        truth_s = (max if how == "at once" else sum)(times_s.values())
    if draw(st.booleans()):  # what is tried only when the first one fails takes no time
        flows[0]["otherwise"] = "instead"
        flows.append(call("hub", "spare", id="instead", timeout="1 s"))
    boxes = [box("gate", "api gateway"), box("hub", "orchestrator", calls=how), box("spare")]
    boxes += [box(name, "model server" if name == "model" else "service") for name in names]
    split = {"gate": 0.1, "hub": 0.1} | times_s
    parts = {"pattern": {"paths": paths}} if by == "paths" else {}
    calls = [call("gate", "hub", timeout="9 s"), *flows]
    return boxes, calls, split, parts, truth_s + 0.2


@settings(max_examples=25, deadline=None)
@given(hubs())
def test_check_simulate_and_document_read_the_same_time_of_a_request(drawn):
    boxes, calls, times_s, parts, truth_s = drawn
    for budget_s, is_late in ((truth_s + 0.01, False), (truth_s - 0.01, True)):
        design = system(boxes, calls, times_s=times_s, budget=f"{budget_s} s", **parts)
        assert ("REQ005" in codes(design)) is is_late
    elsewhere = Elsewhere.of(design, design.capacity)
    assert elsewhere.whole(times_s["model"]).most_s == pytest.approx(truth_s)
    stated = [one | {"latency": f"{times_s.get(one['id'], 0.3)} s"} for one in boxes]
    drawn_again = system(stated, calls, times_s=times_s, **parts)
    (entry,) = requests_of(drawn_again.planes, order=order_of(drawn_again.pattern))
    assert entry.time.most_s == pytest.approx(truth_s)


def test_a_call_cannot_come_after_itself_or_a_flow_elsewhere():
    boxes = [box("gate", "api gateway"), box("model", "model server"), box("other")]
    for wrong in ("own", "elsewhere"):
        flows = [
            call("gate", "model", id="own", after=[wrong]),
            call("other", "model", id="elsewhere"),
        ]
        with pytest.raises(ValueError, match="after"):
            system(boxes, flows, times_s={})


# ---- work behind a queue


def queued(*more, worker="service", **parts):
    boxes = [
        box("app", "client"),
        box("gate", "api gateway", latency="10 ms"),
        box("model", "model server", latency="20 ms"),
        box("queue", "event stream"),
        box("worker", worker, latency="5 ms", availability=None),
        box("large", "external service", latency="3 s", availability="90%"),
    ]
    flows = [
        call("app", "gate", timeout="200 ms"),
        call("gate", "model", timeout="100 ms"),
        call("gate", "queue", carries="events", share="10%"),
        call("queue", "worker", carries="events"),
        call("worker", "large", timeout="10 s", retries=1),
        *more,
    ]
    return system(boxes, flows, times_s={"gate": 0.01, "model": 0.05}, budget="200 ms", **parts)


@pytest.mark.parametrize("worker", ["service", "orchestrator", "stream processor"])
def test_what_a_worker_behind_a_queue_calls_is_not_held_against_the_promise_to_users(worker):
    design = queued(worker=worker)
    assert not codes(design) & {"PLANE007", "PLANE043", "PLANE010", "PLANE014", "REQ005", "CAP029", "CAP030"}
    assert answers_of(design).least == pytest.approx(1.0)


def test_a_fleet_behind_a_queue_is_not_held_against_the_promise_to_users():
    slow = FLEET | {"id": "slow", "component": "large", "load": "10 rps", "replicas": 90}
    slow["service_time"] = {"mean": "3 s", "scv": 0.25, "distribution": "lognormal"}
    design = queued(capacity={"fleets": [FLEET | {"id": "fast"}, slow]})
    assert "CAP009" not in codes(design)
    asked = queued(call("gate", "large", timeout="10 s"), capacity={"fleets": [FLEET | {"id": "fast"}, slow]})
    assert "CAP009" in codes(asked)


# ---- what a client does by itself


@pytest.mark.parametrize(
    "words", ["The app keeps the post as a draft and sends it again", "Shows yesterday's list"]
)
@pytest.mark.parametrize("kind", ["client", "people", "external service"])
def test_what_a_client_does_by_itself_is_no_answer_of_the_system(words, kind):
    boxes = [box("app", kind), box("gate", "api gateway", availability="50%"), box("model", "model server")]
    flows = [call("app", "gate", timeout="1 s", fallback=words), call("gate", "model", timeout="100 ms")]
    design = system(boxes, flows, times_s={})
    assert answers_of(design).most == pytest.approx(0.5)
    assert "PLANE014" in codes(design)
    flows[0]["answered"] = True
    assert answers_of(system(boxes, flows, times_s={})).least == pytest.approx(1.0)
    flows[0] |= {"answered": None, "fallback": None}
    said = [one.where for one in review(system(boxes, flows, times_s={})) if one.code == "PLANE006"]
    assert "planes.flows.0.fallback" not in said
