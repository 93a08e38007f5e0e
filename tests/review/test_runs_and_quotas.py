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


SEAT = """
requirements:
  workloads:
  - {{id: run, entry: scorer, schedule: {{period: {period}, items: 10}}, freshness: {{predictions: {oldest}}},
     prediction: {{type: regression}}, labels: {{source: meters, delay: 1 d}}}}
  - {{id: page, entry: web, latency: {{budget: 2 s, percentile: p95}}, throughput: {{peak: 8 rps, mean: 1 rps}},
     availability: {{target: 99.5%}}, freshness: {{predictions: 1 h}}}}
planes:
  components:
  - {{id: lake, kind: offline store}}
  - {{id: scorer, kind: batch scorer}}
  - {{id: scores, kind: prediction store}}
  - {{id: web, kind: service, plane: serving}}
  - {{id: seats, kind: {who}, plane: serving}}
  - {{id: sender, kind: service, plane: serving}}
  - {{id: market, kind: external service, plane: serving}}
  - {{id: quality, kind: quality monitor}}
  flows:
  - {{from: lake, to: scorer, carries: batch}}
  - {{from: scorer, to: scores, carries: predictions}}
  - {{from: seats, to: web, carries: request}}
  - {{from: web, to: scores, carries: request}}
  - {{from: scores, to: sender, carries: predictions}}
  - {{from: sender, to: market, carries: predictions}}
  - {{from: scores, to: quality, carries: predictions}}
  release: {{canary_share: 10%, canary_time: 1 h, rollback_to: the last, rollback_time: 10 min,
    versioned_together: [model]}}
pattern:
  paths:
  - {{id: ahead, component: scorer, workload: run, pattern: pre-computed,
     precompute: {{period: {period}, window: 15 min, job_time: 10 min}}}}
capacity: {{component: web, replicas: 2, service_time: 100 ms}}
data: {{datasets: [{{id: issued, what: Scores, kept_in: scores, retention: {kept}}}]}}
"""


def seat(**fields: str) -> str:
    return SEAT.format(
        **({"period": "15 min", "oldest": "30 min", "kept": "2 years", "who": "people"} | fields)
    )


@pytest.mark.parametrize("code", ["REQ002", "PLANE031", "PLANE032", "PLANE033"])
def test_a_page_that_reads_a_store_is_asked_for_no_model(code):
    assert not [message for message in found(seat(), code) if "page" in message]
    asks = seat().replace(
        "{from: seats, to: web", "{from: web, to: market, carries: request}\n  - {from: seats, to: web"
    )
    assert code != "REQ002" or [message for message in found(asks, code) if "page" in message]


@pytest.mark.parametrize(
    ("code", "sound", "bad"),
    [
        ("PLANE016", {}, {"kept": "1 h"}),
        ("CAP012", {}, {"who": "client"}),
        ("PATTERN011", {"oldest": "40 min"}, {"oldest": "39 min"}),
        ("PLANE053", {}, {"period": "1 d"}),
    ],
)
def test_what_makes_a_run_and_its_page_sound(code, sound, bad):
    assert not found(seat(**sound).replace("kind: client, plane: serving", "kind: client"), code)
    assert found(seat(**bad).replace("kind: client, plane: serving", "kind: client"), code)


@pytest.mark.parametrize(("lasts", "needed"), [("59 h", "2.5 d with its labels"), ("60 h", None)])
def test_an_alert_on_quality_speaks_after_its_window_and_the_delay_of_labels(lasts, needed):
    text = f"""
requirements: {{labels: {{source: meters, delay: 36 h}}}}
planes:
  components: [{{id: quality, kind: quality monitor}}]
  alerts: [{{id: loss, raised_by: quality, watches: quality, metric: loss, window: 24 h}}]
  release:
    stages: [{{id: first, share: 10%, for: {lasts}, stops_on: loss}}, {{id: all, share: 100%}}]
"""
    messages = found(text, "PLANE056")
    assert len(messages) == (needed is not None)
    assert all(str(needed) in message for message in messages)


@pytest.mark.parametrize(
    ("everywhere", "vendor", "told"),
    [
        ("eu-central-1", "DE", None),
        ("eu-central-1", "Hall 4", "'Hall 4'"),
        ("Hall 4", "Germany", "'Hall 4'"),
    ],
)
def test_a_source_of_ours_is_where_everything_is_and_a_region_that_is_not_known_is_named(
    everywhere, vendor, told
):
    text = f"""
requirements: {{constraints: [{{id: eu, text: They stay in the EU, from: law, of: meters, region: EU}}]}}
planes:
  region: {everywhere}
  components:
  - {{id: source, kind: raw source}}
  - {{id: lake, kind: offline store}}
  - {{id: vendor, kind: external service, plane: data, region: {vendor}}}
  flows: [{{from: source, to: lake, carries: batch}}, {{from: lake, to: vendor, carries: batch}}]
data: {{datasets: [{{id: meters, what: Values, personal: true, kept_in: [source, lake]}}]}}
"""
    fixes = [one.fix for one in rules_called(["DATA003"])[0](Design.parse("name: d\n" + text))]
    assert len(fixes) == (told is not None)
    assert all(str(told) in fix for fix in fixes)
