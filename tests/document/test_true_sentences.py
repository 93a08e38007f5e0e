"""Sentences of the document that a builder acts on: what happens in which order, what it costs, what is not known."""

import re
from typing import Any

from mlsd_helpers.analysis.cost import labels_per_month
from mlsd_helpers.design import CapacityPlan, Design, Planes, Requirements
from mlsd_helpers.document import document
from mlsd_helpers.review import report as reports
from mlsd_helpers.review import review

BOXES = [
    {"id": "gateway", "kind": "api gateway", "calls": "at once", "latency": "5 ms", "replicas": 3},
    {"id": "features", "kind": "feature store", "latency": "5 ms"},
    {"id": "model", "kind": "model server", "latency": "20 ms", "availability": "99.9%"},
]
CALLS: list[dict[str, Any]] = [
    {"from": "gateway", "to": "model", "carries": "request", "id": "score", "after": ["read"]},
    {"from": "gateway", "to": "features", "carries": "request", "id": "read"},
]


def system(*, calls=CALLS, **parts):
    needs: dict[str, Any] = {
        "latency": {"budget": "100 ms", "percentile": "p99"},
        "throughput": {"peak": "100 rps", "mean": "10 rps"},
    }
    needs["labels"] = {
        "source": "Two people",
        "items": 20_000,
        "labels_per_item": 2,
        "cost_per_label": "$0.50",
    }
    plan: dict[str, Any] = {
        "component": "model",
        "replicas": 4,
        "cost_per_replica_hour": "$1",
        "budget_per_month": "$5000",
    }
    plan |= {"service_time": "10 ms"}
    return Design(
        name="system",
        requirements=Requirements(**needs),
        planes=Planes(components=BOXES, flows=calls),
        capacity=CapacityPlan(**plan),
        **parts,
    )


def drawn(design):
    return re.findall(r"(p\d+)->>(p\d+): \w+|^\s*(par|and)", document(design), re.MULTILINE)


def test_a_call_is_drawn_after_what_it_waits_for():
    names = dict(re.findall(r"participant (p\d+) as (\w+)", document(system())))
    order = [names[end] for start, end, _ in drawn(system()) if start]
    assert order == ["features", "model"]
    assert "par at once" not in document(system())
    free = [{**call, "after": []} for call in CALLS]
    assert "par at once" in document(system(calls=free))


def test_the_time_of_a_request_counts_its_look_ups():
    lookup = {"calls": 30, "time_per_call": "6 ms"}
    slow = system(dataflow={"lookup": lookup})
    time = re.search(r"\*\*Time\.\*\*[^\n]*", document(slow))[0]
    assert "come to 205 ms" in time
    assert "looked up" in time


def test_the_cost_names_what_the_sum_leaves_out():
    text = document(system())
    line = re.search(r"\*\*Not in the sum:\*\*[^\n]*", text)[0]
    assert labels_per_month(system()) == 20_000
    assert "20,000" in line
    assert "gateway" in line
    assert "so far within" in text
    beside = system().capacity.changed(costs=[{"id": "logs", "per_month": "$10"}])
    (finding,) = (one for one in review(system().with_part(capacity=beside)) if one.code == "DATA017")
    assert "20,000" in finding.message


def test_findings_are_counted_in_plain_words():
    found = review(system())
    words = reports.counted([one for one in found if one.severity == "error"][:1])
    assert "severity" not in words
    assert words.startswith(("1 error", "0 errors")) or not words


def test_a_share_of_which_the_least_is_open_is_said_to_be_at_most():
    text = document(system())
    assert "0% to" not in text
    assert re.search(r"timeouts, at most [\d.]+% of requests", text)
