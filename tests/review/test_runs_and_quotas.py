"""What a run asks of services and of people: calls for each item, and cases until its result is due."""

import pytest

from mlsd_helpers.design import Design
from mlsd_helpers.review import rules_called


def found(text: str, code: str) -> list[str]:
    return [one.message for one in rules_called([code])[0](Design.parse("name: d\n" + text))]


QUOTA = """
requirements:
  workloads:
  - {{id: scoring, entry: scorer, schedule: {{period: 1 h, deadline: 3 min, items: 1800}}}}
  - {{id: catch_up, entry: backfill, schedule: {{period: 1 d, deadline: 20 h, items: 10}}}}
planes:
  components:
  - {{id: weather, kind: external service, plane: data, quota: {{requests: 5 rps}}}}
  - {{id: intake, kind: ingestion}}
  - {{id: features, kind: batch pipeline}}
  - {{id: scorer, kind: batch scorer}}
  - {{id: limiter, kind: rate limiter, plane: serving}}
  - {{id: records, kind: external service, plane: serving, quota: {{requests: 100 rps}}}}
  - {{id: backfill, kind: batch pipeline}}
  - {{id: scores, kind: prediction store}}
  flows:
  - {{from: intake, to: features, carries: batch}}
  - {{from: features, to: scorer, carries: batch}}
  - {{from: scorer, to: scores, carries: predictions}}
  - {{from: limiter, to: records, carries: request}}
  - {0}
"""


@pytest.mark.parametrize(
    ("flow", "calls"),
    [
        ("{from: weather, to: intake, carries: batch}", None),
        ("{from: scorer, to: weather, carries: batch}", None),
        ("{from: weather, to: scorer, carries: features}", "1,800 calls of weather"),
        ("{from: scorer, to: weather, carries: request}", "1,800 calls of weather"),
        ("{from: scorer, to: weather, carries: request, share: 60%}", "1,080 calls of weather"),
        ("{from: scorer, to: weather, carries: request, share: 10%}", None),
        ("{from: backfill, to: weather, carries: request}", None),
        ("{from: scorer, to: weather, carries: request, workload: catch_up}", None),
        ("{from: scorer, to: limiter, carries: request, calls: 10}", None),
        ("{from: scorer, to: limiter, carries: request, calls: 20}", "36,000 calls of records"),
    ],
)
def test_a_run_makes_the_calls_that_its_own_jobs_make_for_an_item_and_a_file_is_one(flow, calls):
    messages = found(QUOTA.format(flow), "PATTERN034")
    assert len(messages) == (calls is not None)
    assert all(calls in message for message in messages)


def test_calls_through_a_limiter_add_up_and_alternatives_are_none():
    both = "{from: scorer, to: limiter, carries: request, calls: 7}\n  - "
    direct = "{id: more, from: scorer, to: records, carries: request, calls: 7}"
    assert not found(QUOTA.format(both + direct.replace("calls: 7", "calls: 2")), "PATTERN034")
    assert "25,200 calls" in found(QUOTA.format(both + direct), "PATTERN034")[0]
    instead = "{from: scorer, to: limiter, carries: request, calls: 7, otherwise: more}\n  - "
    assert not found(QUOTA.format(instead + direct), "PATTERN034")


CONFIRMED = """
requirements: {{schedule: {{period: 1 d, starts: "08:55", due: "10:30", items: 2300}}}}
planes:
  components:
  - {{id: scorer, kind: batch scorer}}
  - {{id: room, kind: people, plane: serving, hours: "Mon-Sun 0-24", {1}}}
  - {{id: web, kind: service, plane: serving}}
  flows:
  - {{from: scorer, to: room, carries: predictions, share: {0}{2}}}
  - {{from: room, to: web, carries: request}}
pattern:
  paths: [{{id: ahead, component: scorer, pattern: pre-computed, precompute: {{period: 1 d, job_time: 25 min}}}}]
"""
SENT_ANYWAY = ", fallback: Unconfirmed values go out as they are"


@pytest.mark.parametrize(
    ("share", "pace", "waits", "late"),
    [
        ("8%", "rate: 40 per h", SENT_ANYWAY, True),  # 184 cases, and 70 minutes for 47
        ("8%", "cases_per_day: 960", SENT_ANYWAY, True),
        ("8%", "rate: 40 per h", "", False),  # they may be taken until tomorrow
        ("2%", "rate: 40 per h", SENT_ANYWAY, False),
        ("8%", "rate: 160 per h", SENT_ANYWAY, False),
    ],
)
def test_what_people_confirm_before_a_result_is_due_has_to_fit_into_the_time_left(share, pace, waits, late):
    messages = found(CONFIRMED.format(share, pace, waits), "SERV008")
    assert len(messages) == late
    assert all("184 cases of a run" in message for message in messages)
