"""A promise of latency spans the queues on the way of its answer."""

import re

import pytest

from mlsd_helpers.analysis.paths import promised
from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.analysis.surroundings import is_timed, required_rps, somebody_waits
from mlsd_helpers.analysis.whole import answers_of
from mlsd_helpers.design import Design
from mlsd_helpers.document import document
from mlsd_helpers.document.promises import of_latency
from mlsd_helpers.review import review

_BOXES = {"mail": "external service", "api": "api gateway", "intake": "ingestion", "jobs": "event stream",
          "worker": "orchestrator", "model": "model server", "results": "prediction store"}  # fmt: skip


def _design(carries: str = "events", replicas: int = 9, budget: str = "2 min", **latency: object) -> Design:
    ways = [("mail", "intake", "request"), ("api", "intake", "request"), ("intake", "jobs", carries),
            ("jobs", "worker", carries), ("worker", "model", "request"), ("worker", "results", "events")]  # fmt: skip
    return Design(
        name="d",
        requirements={
            "latency": {"budget": budget, "percentile": "p95", **latency},
            "throughput": {"peak": "5 rps"},
        },
        planes={
            "components": [{"id": name, "kind": kind} for name, kind in _BOXES.items()],
            "flows": [{"from": start, "to": end, "carries": what} for start, end, what in ways],
        },
        capacity={
            "component": "model",
            "load": "5 rps",
            "service_time": {"mean": "1.4 s", "distribution": "exponential"},
            "replicas": replicas,
        },
    )


def test_a_promise_reaches_a_model_that_only_a_queue_leads_to() -> None:
    design = _design()
    assert somebody_waits(design, design.capacity)
    assert required_rps(design, design.capacity) == 5
    assert calls_per_request(design.planes)["model"] == 1


def test_a_promise_that_ends_before_the_queue_is_about_nothing_behind_it() -> None:
    design = _design(until="intake")
    assert promised(design) is design
    assert not somebody_waits(design, design.capacity)
    assert not is_timed(design, design.capacity)


def test_a_promise_ends_where_it_says() -> None:
    design = _design(until="results")
    assert somebody_waits(design, design.capacity)


def test_a_queue_may_take_a_peak_that_is_shorter_than_the_promise() -> None:
    design = _design(budget="6 h")
    assert of_latency(design, design.requirements.latency.promises[0]).kept is None


@pytest.mark.parametrize("replicas", [4, 6, 7, 8, 9, 12, 20])
@pytest.mark.parametrize("budget", ["2 s", "6 s", "2 min"])
def test_drawing_a_call_as_events_never_turns_missed_into_kept(replicas: int, budget: str) -> None:
    called, handed = (_design(carries, replicas, budget) for carries in ("request", "events"))
    verdicts = [of_latency(one, one.requirements.latency.promises[0]).kept for one in (called, handed)]
    assert not (verdicts[0] is False and verdicts[1])


def test_requests_that_a_queue_hands_on_belong_to_their_workload() -> None:
    design = _design()
    needs = design.requirements.model_dump(include={"latency", "throughput"}, exclude_none=True)
    workloads = [{"id": "reading", "entry": ["mail", "api"], **needs}]
    split = design.changed(requirements={"workloads": workloads})
    assert "WORK002" not in {finding.code for finding in review(split)}


def _claims(until: str = "model", **of_flow: object) -> Design:
    """Return a way over a queue, at whose end a worker waits longer for the model than the promise lasts."""
    row = [("app", "gateway", "request"), ("gateway", "jobs", "events"), ("jobs", "worker", "events"),
           ("worker", "model", "request"), ("worker", "people", "command")]  # fmt: skip
    kinds = {"app": "client", "gateway": "api gateway", "jobs": "event stream", "worker": "orchestrator",
             "model": "model server", "people": "people"}  # fmt: skip
    flows: list[dict[str, object]]
    flows = [{"from": start, "to": end, "carries": carries} for start, end, carries in row]
    flows[3] |= {"timeout": "400 s", "fallback": "A person decides", "answered": True}
    flows[4] |= of_flow
    needs = {"latency": {"budget": "5 min", "percentile": "p95", "until": until}, "entry": ["app"]}
    return Design(
        name="d",
        requirements={"workloads": [{"id": name, **needs} for name in ("everyday", "hail")]},
        planes={
            "components": [
                {"id": name, "kind": kind, "availability": "99%" if name != "app" else None}
                for name, kind in kinds.items()
            ],
            "flows": flows,
        },
    )


def _codes(design: Design) -> set[str]:
    return {finding.code for finding in review(design)}


@pytest.mark.parametrize(("until", "late"), [("model", True), ("gateway", False)])
def test_a_timeout_behind_the_queue_has_to_fit_into_a_promise_that_ends_there(until: str, late: bool) -> None:
    assert ("PLANE007" in _codes(_claims(until))) is late


def test_workloads_that_part_behind_a_queue_can_be_told_apart() -> None:
    assert "WORK003" in _codes(_claims())
    assert "WORK003" not in _codes(_claims(workload="hail"))


def test_what_is_answered_is_the_same_at_the_entry_as_in_all_and_never_less_than_without_a_fallback() -> None:
    view = _claims().views[0]
    at_entry, in_all = answers_of(view, entry="app"), answers_of(view)
    assert at_entry == in_all
    (said,) = re.findall(r"\*\*Answers\.\*\* .*", str(document(view)))
    answered, in_full = (float(share) for share in re.findall(r"([\d.]+)%", said))
    assert answered == pytest.approx(100 * in_all.most, abs=0.1)
    assert in_full == pytest.approx(99 * 0.99**3, abs=0.1)
    assert in_full < answered


def test_a_fallback_behind_the_queue_is_named_where_nothing_says_whether_it_counts_as_an_answer() -> None:
    design = _claims()
    flows = [one.changed(answered=None) if one.fallback else one for one in design.planes.flows]
    first, other = design.requirements.workloads
    asked = [first.changed(availability={"target": "96.5%", "window": "30 d"}), other]
    open_ = design.changed(
        requirements=design.requirements.changed(workloads=asked), planes=design.planes.changed(flows=flows)
    )
    said = [finding for finding in review(open_) if finding.code == "SERV035"]
    assert ["worker → model" in finding.message for finding in said] == [True]
