"""A field that is left out is a finding where it matters to this system, and none where it does not."""

import pytest

from mlsd_helpers.design import Design
from mlsd_helpers.review import rules_called

HEAD = "name: A system\n"


def found(text: str, code: str) -> list[str]:
    (rule,) = rules_called([code])
    return [one.message for one in rule(Design.parse(HEAD + text))]


LOADS = """
requirements:
  workloads:
  - {{id: words, entry: gateway, throughput: {{peak: 15k rps}}}}
  - {{id: phrases, entry: checker, latency: {{budget: 2 s, percentile: p99}}, throughput: {{peak: 900 rps}}}}
planes:
  components:
  - {{id: gateway, kind: api gateway}}
  - {{id: speech, kind: model server}}
  - {{id: bus, kind: event stream}}
  - {{id: checker, kind: model server}}
  flows:
  - {{id: chunk, from: gateway, to: speech, carries: request, timeout: 500 ms}}
  - {{id: text, from: gateway, to: bus, carries: events}}
  - {{id: segments, from: bus, to: checker, carries: events{more}}}
capacity:
  fleets:
  - {{id: first, component: speech, load: 15k rps, service_time: 100 ms, replicas: 3000}}
  - id: second
    component: checker
    load: 900 rps
    service_time: 25 ms
    target_utilisation: 60%
    replicas: 90
    zones: 2
    cost_per_replica_hour: $1
    headroom: {{share: 120%, pays_for: zone loss}}
"""


@pytest.mark.parametrize("more", ["", ", workload: phrases"])
def test_what_a_queue_brings_to_the_entry_of_a_workload_is_the_load_of_that_workload(more):
    assert not found(LOADS.format(more=more), "CAP005")


def test_more_than_the_workload_itself_brings_is_still_too_much_for_its_fleet():
    small = LOADS.format(more="").replace("load: 900 rps", "load: 90 rps")
    assert found(small, "CAP005")


def failing(mode: str, fails: str = "") -> str:
    return f"""
requirements:
  prediction: {{type: binary classification}}
  latency: {{budget: 1 s, percentile: p99}}
  failure_modes: [{{id: broken, failure: It is broken, meanwhile: The rules decide{mode}}}]
planes:
  components:
  - {{id: door, kind: api gateway}}
  - {{id: model, kind: model server}}
  - {{id: lake, kind: offline store}}
  flows:
  - {{from: door, to: model, carries: request{fails}}}
"""


@pytest.mark.parametrize(
    ("mode", "fails", "asked"),
    [
        ("", "", True),
        ("", ", fails: open", False),
        (", of: model", "", True),
        (", of: model", ", fails: open", False),
        (", of: lake", "", False),
    ],
)
def test_whether_requests_pass_is_asked_where_no_field_says_it_and_requests_wait(mode, fails, asked):
    assert bool(found(failing(mode, fails), "REQ012")) is asked


TWO_SOURCES = """
requirements:
  prediction: {type: binary classification}
  latency: {budget: 1 s, percentile: p99}
  failure_modes: [{id: broken, failure: It is broken, of: %s, meanwhile: Decide without it%s}]
planes:
  components:
  - {id: door, kind: api gateway}
  - {id: model, kind: model server}
  - {id: bureau_a, kind: external service}
  - {id: bureau_b, kind: external service}
  flows:
  - {from: door, to: model, carries: request, fails: open}
  - {from: model, to: bureau_a, carries: request}
  - {from: model, to: bureau_b, carries: request}
dataflow:
  stages: [{id: ask_a, component: bureau_a}, {id: ask_b, component: bureau_b}]
  features: [{id: a, source: bureau_a, path: ask_a}, {id: b, source: bureau_b, path: ask_b}]
"""


@pytest.mark.parametrize(
    ("of", "fails", "asked"),
    [
        ("bureau_a", "", False),
        ("[bureau_a, bureau_b]", "", True),
        ("[bureau_a, bureau_b]", ", fails: degraded", False),
    ],
)
def test_whether_requests_pass_is_not_asked_where_the_model_judges_by_another_source(of, fails, asked):
    assert bool(found(TWO_SOURCES % (of, fails), "REQ012")) is asked


@pytest.mark.parametrize(("of", "asked"), [("bureau_a", False), ("model", True)])
def test_whether_requests_pass_is_not_asked_of_a_call_whose_fallback_still_asks_the_model(of, asked):
    calls = TWO_SOURCES % (of, "")
    calls = calls.partition("dataflow:")[0].replace(
        "carries: request}", "carries: request, fallback: Without}"
    )
    calls = calls.replace("carries: request, fails: open}", "carries: request, fallback: Without}")
    assert bool(found(calls, "REQ012")) is asked


def slots(*features: str, width: int) -> str:
    rows = "".join(f"  - {{source: request, {one}}}\n" for one in features)
    workloads = "requirements: {workloads: [{id: online}, {id: nightly}]}\n"
    return f"{workloads}dataflow:\n  input_width: {width}\n  features:\n{rows}"


ONLINE = ("id: a, slot: 0, workload: online", "id: b, slot: 1, workload: online")
NAMED = "id: month, workload: nightly"


@pytest.mark.parametrize(
    ("features", "width", "asked"),
    [
        ((*ONLINE, NAMED), 2, False),  # the other model takes named inputs
        ((*ONLINE, NAMED), 3, True),  # its place in the one input is left free
        ((*ONLINE, "id: c, workload: online"), 2, True),
        ((*ONLINE, "id: c"), 2, True),
        (
            (
                "id: a, slot: 0, workload: online",
                "id: c, slot: 3",
                "id: d, slot: 1, width: 2, workload: nightly",
            ),
            4,
            False,
        ),
    ],
)
def test_positions_are_asked_of_a_model_that_has_some(features, width, asked):
    assert bool(found(slots(*features, width=width), "FLOW011")) is asked


AGES = """
requirements:
  freshness: {model: 14 d, labelled_data: %s}
  labels: {source: Bookings, delay: 90 d}
planes:
  components: [{id: trainer, kind: training pipeline}]
  retraining: {triggers: schedule, period: 7 d}
  release: {shadow: %s}
"""


@pytest.mark.parametrize(
    ("limit", "shadow", "is_found"),
    [("28 d", "2 d", True), ("28 d", "8 d", True), ("105 d", "8 d", False), ("105 d", "2 d", False)],
)
def test_late_labels_are_found_though_the_model_itself_is_too_old(limit, shadow, is_found):
    assert bool(found(AGES % (limit, shadow), "REQ020")) is is_found


TRAINED = """
requirements:
  workloads:
  - {id: forecast, entry: forecaster, prediction: {type: regression}, labels: {source: Bookings, delay: 1 d, yield: 1}}
  - {id: shop, entry: door, prediction: {type: %s}, latency: {budget: 1 s, percentile: p99}}
  - {id: repricing, entry: optimiser, prediction: {type: binary classification}}
planes:
  components:
  - {id: trainer, kind: training pipeline}
  - {id: forecaster, kind: batch scorer}
  - {id: optimiser, kind: batch scorer}
  - {id: door, kind: api gateway}
  - {id: model, kind: model server}
  flows:
  - {from: trainer, to: forecaster, carries: model}
  - {from: trainer, to: model, carries: model}
  - {from: door, to: model, carries: request}
"""


@pytest.mark.parametrize(("predicts", "asked"), [("regression", []), ("binary classification", ["shop"])])
def test_labels_of_a_trained_model_are_asked_for_once(predicts, asked):
    assert [one.split(":")[0] for one in found(TRAINED % predicts, "REQ015")] == [
        f"Workload {n}" for n in asked
    ]


CUT = """
requirements:
  schedule: {calendar: each day, starts: "08:00", due: "10:30", items: 1000, %s}
pattern:
  paths: [{id: score, pattern: pre-computed, precompute: {period: 1 d, job_time: 2 h}}]
"""


@pytest.mark.parametrize(
    ("late", "code"),
    [
        ("when_late: none", "REQ022"),
        ("fallback: schedule", None),
        ('cut_off: "10:15"', None),
        ('cut_off: "10:45"', "REQ024"),
        ('cut_off: "09:45"', "REQ024"),
    ],
)
def test_a_late_run_is_decided_by_a_cut_off_or_an_earlier_result(late, code):
    assert [one for one in ("REQ022", "REQ024") if found(CUT % late, one)] == ([code] if code else [])


AHEAD = """
requirements:
  freshness: {predictions: %s}
  schedule: {calendar: each day, deadline: 5 h, when_late: It is told%s}
pattern:
  paths: [{id: score, pattern: pre-computed, precompute: {period: 1 d, job_time: %s}}]
"""


@pytest.mark.parametrize(
    ("limit", "job_time", "code"),
    [
        ("1 d", "3 h", "PATTERN037"),  # the limit was rounded to the period
        ("1 d", "10 h", "PATTERN009"),
        ("20 h", "3 h", "PATTERN009"),
        ("27 h", "3 h", None),
    ],
)
def test_a_limit_that_is_the_period_itself_forgot_the_job(limit, job_time, code):
    text = AHEAD % (limit, "", job_time)
    assert [one for one in ("PATTERN009", "PATTERN037") if found(text, one)] == ([code] if code else [])


@pytest.mark.parametrize(
    ("job_time", "late", "is_found"),
    [
        ("3 h", "", True),
        ("3 h", ", fallback: schedule", False),  # the last result stays
        ("2.6 h", "", False),  # 12 min late, and readers are told
    ],
)
def test_time_for_a_second_run_is_asked_for_where_its_lack_matters(job_time, late, is_found):
    assert bool(found(AHEAD % ("27 h", late, job_time), "PATTERN029")) is is_found


WRITES = """
planes:
  components: [{id: tool, kind: service}, {id: files, kind: external service}]
  flows: [{from: tool, to: files, carries: %s, retries: 3, idempotent: %s}]
"""


@pytest.mark.parametrize(("carries", "safe"), [("command", False), ("request", False), ("command", True)])
def test_what_is_sent_again_must_be_safe_whatever_it_carries(carries, safe):
    assert bool(found(WRITES % (carries, str(safe).lower()), "PLANE042")) is not safe


ALONE = """
requirements: {workloads: [{id: nightly, entry: scorer, schedule: {period: 6 h}}]}
planes:
  components: [{id: scorer, kind: batch scorer, %s: 1}, {id: rules, kind: business rules, replicas: 2, zones: 2}]
  flows: [{from: scorer, to: rules, carries: request, timeout: 1 s}]
"""


@pytest.mark.parametrize(("field", "is_found"), [("replicas", False), ("zones", True)])
def test_one_machine_of_a_run_is_replaced_in_time_and_its_only_zone_is_not(field, is_found):
    assert bool(found(ALONE % field, "PLANE012")) is is_found


STORED = """
planes:
  components:
  - {{id: door, kind: api gateway}}
  - {{id: nightly, kind: batch scorer}}
  - {{id: store, kind: prediction store}}
  - {{id: readers, kind: people, plane: monitoring}}
  flows:
  - {{from: nightly, to: store, carries: predictions}}
  - {{from: {0}, to: {1}, carries: {2}}}
"""


def test_generated_data_without_a_check_matter_where_requests_read_them():
    assert found(STORED.format("door", "store", "request"), "PLANE075")
    assert not found(STORED.format("store", "readers", "predictions"), "PLANE075")


def test_what_a_run_writes_by_its_key_may_be_written_twice():
    run = "requirements: {schedule: {period: 1 d, items: 1000}}\n"
    rows = run + STORED.format("door", "store", "request")
    assert not found(rows, "PATTERN032")
    assert found(rows.replace("prediction store", "offline store"), "PATTERN032")
    assert found(
        rows.replace("store, carries: predictions", "store, carries: predictions, idempotent: false"),
        "PATTERN032",
    )


def test_a_budget_of_requests_is_none_of_the_calls_of_a_run():
    text = """
requirements:
  latency: {budget: 1 s, percentile: p99}
  schedule: {period: 1 d, items: 10}
planes:
  components:
  - {id: app, kind: client}
  - {id: door, kind: api gateway}
  - {id: model, kind: model server}
  - {id: nightly, kind: batch scorer, plane: serving}
  - {id: weather, kind: external service}
  flows:
  - {from: app, to: door, carries: request, timeout: 5 s}
  - {from: door, to: model, carries: request, timeout: 500 ms}
  - {from: nightly, to: weather, carries: request, timeout: 4 min}
"""
    assert not found(text, "PLANE007")
    assert found(text.replace("id: app, kind: client", "id: app, kind: service, plane: serving"), "PLANE007")


def test_a_model_that_its_stated_replicas_carry_with_ease_needs_no_fleet_of_its_own():
    text = """
requirements: {throughput: {peak: 140 rps}}
planes:
  components:
  - {id: door, kind: api gateway}
  - {id: model, kind: model server}
  - {id: small, kind: embedder, latency: 15 ms, replicas: 8, zones: 2}
  flows:
  - {from: door, to: small, carries: request}
  - {from: door, to: model, carries: request}
capacity: {fleets: [{id: one, component: model, load: 140 rps, replicas: 9}]}
"""
    assert not found(text, "CAP037")
    assert found(text.replace("15 ms", "150 ms"), "CAP037")


def test_a_gate_that_lets_the_installer_go_on_is_on_the_way_of_the_model():
    text = """
planes:
  components:
  - {id: train, kind: training pipeline}
  - {id: registry, kind: model registry}
  - {id: gate, kind: validation gate}
  - {id: deploy, kind: ci/cd}
  - {id: model, kind: model server}
  flows:
  - {from: train, to: registry, carries: model}
  - {from: registry, to: gate, carries: model}
  - {from: gate, to: deploy, carries: command}
  - {from: deploy, to: model, carries: model}
"""
    assert not found(text, "PLANE026")
    assert found(text.replace("{from: gate, to: deploy", "{from: registry, to: deploy"), "PLANE026")


def test_windows_of_a_fleet_are_no_events_of_its_stream():
    text = """
requirements: {throughput: {peak: 200 rps}}
planes: {components: [{id: model, kind: stream processor}]}
pattern:
  paths:
  - id: alarms
    component: model
    pattern: streaming
    stream: {events: 4000 rps, consumed: 5000 rps, partitions: 12}
capacity: {fleets: [{id: one, component: model, load: 200 rps, service_time: 60 ms, replicas: 24}]}
"""
    assert not found(text, "PATTERN035")
    assert found(text.replace("load: 200 rps", "load: 4000 rps"), "PATTERN035")
    assert not found(text.replace("load: 200 rps, ", ""), "PATTERN035")


def test_a_limit_on_a_list_that_is_told_of_each_change_by_itself_is_no_open_question():
    text = """
requirements: {{freshness: {{also: [{{what: Rates, component: rates, within: 1 min}}]}}}}
planes:
  components:
  - {{id: door, kind: api gateway}}
  - {{id: office, kind: raw source}}
  - {{id: rates, kind: cache}}
  - {{id: a, kind: model server}}
  - {{id: b, kind: model server}}
  - {{id: c, kind: model server}}
  flows:
  - {{from: office, to: rates, carries: {0}}}
  - {{from: door, to: rates, carries: request}}
"""
    assert not found(text.format("events"), "FLOW020")
    assert found(text.format("batch"), "FLOW020")


def test_a_service_in_front_of_the_entry_of_a_workload_belongs_to_it():
    text = """
requirements:
  workloads: [{id: talk, entry: door}, {id: look, entry: page}]
planes:
  components:
  - {id: phone, kind: service, plane: serving}
  - {id: pause, kind: service, plane: serving}
  - {id: door, kind: api gateway}
  - {id: page, kind: api gateway}
  - {id: model, kind: model server}
  flows:
  - {from: phone, to: pause, carries: request}
  - {from: pause, to: door, carries: request}
  - {from: door, to: model, carries: request}
  - {from: page, to: model, carries: request}
"""
    assert not found(text, "WORK002")
    assert found(text.replace("pause, to: door", "pause, to: model"), "WORK002")


def test_what_a_duty_alone_keeps_is_trained_on_with_a_right_or_for_that_purpose():
    text = """
planes: {{components: [{{id: lake, kind: offline store}}, {{id: train, kind: training pipeline}}]}}
data:
  datasets: [{{id: advice, personal: true, purpose: {0}, basis: legal obligation, kept_in: lake}}]
  training: {{component: train, trained_on: advice}}
"""
    assert found(text.format("Proof"), "DATA032")
    assert not found(text.format("Training of the model that detects laundering"), "DATA032")


def test_people_who_only_read_a_board_review_no_decision():
    text = """
requirements:
  prediction: {{type: regression, about_people: true, explained: The criteria are shown to whom they are about{0}}}
planes:
  components:
  - {{id: nightly, kind: batch scorer}}
  - {{id: store, kind: prediction store}}
  - {{id: board, kind: dashboard}}
  - {{id: lake, kind: offline store}}
  - {{id: log, kind: prediction log}}
  - {{id: leads, kind: people, plane: serving{1}}}
  flows:
  - {{from: lake, to: nightly, carries: batch}}
  - {{from: nightly, to: store, carries: predictions}}
  - {{from: store, to: leads, carries: predictions}}
"""
    assert found(text.format("", ""), "DATA012")
    assert not found(text.format(", reviewed_by: leads", ""), "DATA012")
    assert not found(text.format("", ", cases_per_day: 20"), "DATA012")


def test_a_second_source_of_data_is_no_model_that_a_gate_could_test():
    text = """
requirements: {latency: {budget: 1 s, percentile: p99}}
planes:
  components:
  - {id: door, kind: api gateway}
  - {id: model, kind: model server}
  - {id: weather, kind: external service}
  - {id: free, kind: external service}
  - {id: train, kind: training pipeline}
  - {id: gate, kind: validation gate}
  flows:
  - {from: door, to: model, carries: request}
  - {from: model, to: weather, carries: request, otherwise: second}
  - {id: second, from: model, to: free, carries: request}
  release: {of: model, gates: [{id: one, metric: recall}]}
"""
    assert not found(text, "SERV007")
    assert found(text.replace("id: free, kind: external service", "id: free, kind: model server").replace(
        "id: weather, kind: external service", "id: weather, kind: model server"), "SERV007")  # fmt: skip


def test_who_takes_the_results_of_a_job_is_not_asked_for_its_price():
    text = """
requirements: {schedule: {period: 1 d, items: 160}}
planes:
  components:
  - {id: clock, kind: scheduler}
  - {id: power, kind: batch scorer}
  - {id: weather, kind: external service, availability: 99%}
  - {id: spare, kind: external service, availability: 99%}
  - {id: operator, kind: external service, availability: 99%}
  - {id: store, kind: prediction store}
  flows:
  - {from: clock, to: power, carries: command}
  - {id: ask, from: power, to: weather, carries: request, timeout: 60 s, otherwise: ask_spare}
  - {id: ask_spare, from: power, to: spare, carries: request, timeout: 60 s}
  - {from: power, to: operator, carries: predictions, timeout: 60 s}
  - {from: power, to: store, carries: predictions}
"""
    told = " ".join(found(text, "SERV003"))
    assert "weather" in told
    assert "operator" not in told
    assert "spare" not in told


def test_an_alert_on_each_device_tells_those_of_one_revision_apart():
    text = """
planes:
  components:
  - {id: cameras, kind: device fleet, devices: {number: 4000, hardware: 3, versions: 1}}
  - {id: training, kind: training pipeline}
  - {id: drift, kind: drift detector}
  flows: [{from: training, to: cameras, carries: model}]
  alerts: [{id: one, raised_by: drift, watches: predictions, metric: Share of empty shelves of all cameras}]
"""
    assert found(text, "SERV031")
    assert not found(text.replace("of all cameras", "by camera"), "SERV031")


@pytest.mark.parametrize(
    ("guardrail", "is_open"),
    [("p99 latency", True), ("p99 latency below 300 ms", False), ("No more complaints", False)],
)
def test_a_guardrail_says_by_how_much_it_may_get_worse(guardrail, is_open):
    text = f"""
experiments:
- {{id: one, unit: user, metric: orders, effect: 3%, units_per_day: 40000, duration: 28 d, baseline: 5%,
   guardrails: [{guardrail}]}}
"""
    assert bool(found(text, "EXP001")) is is_open
