"""People as part of a promise: who waits for them, what they take in a peak of days, and what they cost."""

from typing import Any

import pytest

from mlsd_helpers.analysis.cost import costs_of
from mlsd_helpers.design import Design
from mlsd_helpers.document.promises import of_latency
from mlsd_helpers.review import review


def reading(
    *, share: str = "18%", load: dict[str, Any] | None = None, until: str | None = None, **clerks: Any
) -> Design:
    parts = {
        "app": {"kind": "client"},
        "intake": {"kind": "service"},
        "jobs": {"kind": "event stream"},
        "worker": {"kind": "orchestrator"},
        "model": {"kind": "model server"},
        "clerks": {"kind": "people", "plane": "serving", "wait": "25 min", **clerks},
    }
    return Design(
        name="d",
        requirements={
            "latency": {"budget": "2 min", "percentile": "p95", "until": until},
            "throughput": {"peak": "2 rps", "mean": "0.35 rps", **(load or {})},
        },
        planes={
            "components": [{"id": name, **one} for name, one in parts.items()],
            "flows": [
                {"from": "app", "to": "intake", "carries": "request"},
                {"from": "intake", "to": "jobs", "carries": "events"},
                {"from": "jobs", "to": "worker", "carries": "events"},
                {"from": "worker", "to": "model", "carries": "request"},
                {"from": "worker", "to": "clerks", "carries": "predictions", "share": share},
            ],
        },
    )


def found(design: Design) -> set[str]:
    return {one.code for one in review(design)}


@pytest.mark.parametrize(
    ("changed", "late"),
    [({}, True), ({"share": "4%"}, False), ({"wait": "1 min"}, False), ({"until": "model"}, False)],
)
def test_a_promise_is_broken_where_more_wait_for_people_than_may_be_late(changed, late):
    design = reading(**changed)
    (promise,) = design.requirements.latency.promises
    assert ("SERV010" in found(design)) == late
    assert (of_latency(design, promise).kept is False) == late


@pytest.mark.parametrize(
    ("load", "clerks", "behind"),
    [
        ({"peak_lasts": "4 d"}, {}, True),
        ({"peak_lasts": "2 h"}, {}, False),
        ({"peak_lasts": "4 d"}, {"cases_per_day": 35_000}, False),
        ({"peak_lasts": "4 d"}, {"wait": "8 d"}, False),
    ],
)
def test_people_are_compared_with_the_load_of_a_peak_that_lasts_for_days(load, clerks, behind):
    design = reading(load=load, **{"cases_per_day": 12_000, "hours": "Mon-Fri 8-18", **clerks})
    assert ("SERV008" in found(design)) == behind


def test_people_cost_their_number_times_their_hours():
    design = reading(replicas=30, hours="Mon-Fri 8-18", price={"per_hour": "€9"})
    (row,) = (one for one in costs_of(design) if one.path.endswith("per_hour"))
    assert row.per_month == pytest.approx(30 * 9 * 720 * 50 / 168)


def test_the_cost_of_people_of_unknown_number_is_unknown():
    (row,) = (one for one in costs_of(reading(price={"per_hour": "€9"})) if one.path.endswith("per_hour"))
    assert row.per_month is None


@pytest.mark.parametrize(
    ("until", "nowhere"), [("model", False), ("clerks", False), ("app", False), ("stray", True)]
)
def test_a_promise_ends_where_its_requests_come(until, nowhere):
    design = reading(until=until)
    stray = {"id": "stray", "kind": "service"}
    design = design.changed(planes=design.planes.changed(components=(*design.planes.components, stray)))
    assert ("CAP047" in found(design)) == nowhere
