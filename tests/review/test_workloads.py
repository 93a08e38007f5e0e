"""A design with several workloads: each has its own promise, and what they share gets the load of all."""

from pathlib import Path

import pytest

from mlsd_helpers import cases
from mlsd_helpers.analysis.paths import peak_rps, together
from mlsd_helpers.analysis.rates import calls_per_request
from mlsd_helpers.analysis.sizing import sizings
from mlsd_helpers.analysis.surroundings import reaches, required_rps
from mlsd_helpers.design import Design, UnreadableDesignError, load_design
from mlsd_helpers.document import document
from mlsd_helpers.errors import DesignError
from mlsd_helpers.review import review, rules_called
from mlsd_helpers.simulation import report, reports
from tests.review.mutations.fuller import setting

FILE = Path(__file__).with_name("two_workloads.yaml")


@pytest.fixture
def design():
    return load_design(FILE)


def found(design, code):
    return list(rules_called([code])[0](design))


def test_each_view_has_the_promises_of_its_workload_and_no_workloads(design):
    budgets = [one.requirements.latency and one.requirements.latency.budget for one in design.views]
    assert budgets == [0.3, 20.0, None]
    assert not any(one.views or one.requirements.workloads for one in design.views)
    assert [one.workload.id for one in design.views[0].others] == ["chat", "nightly"]


def test_a_design_without_workloads_has_no_views():
    assert cases.load("harbour_pay").views == ()


def test_the_round_trip_keeps_workloads(design):
    assert Design.parse(design.to_yaml()) == design
    assert design.views
    assert design == load_design(FILE)  # one with views, the other without


def test_a_change_of_one_workload_keeps_the_comments_of_the_file(tmp_path, design):
    file = tmp_path / "design.yaml"
    file.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    setting(design, "requirements.workloads.chat", does="Helps analysts.").save(file, replace=True)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# A detector")
    assert "does: Helps analysts." in text
    assert load_design(file).at("requirements.workloads.chat.does") == "Helps analysts."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{workloads: [{id: a}, {id: a}]}", "'a' is used twice"),
        ("{latency: {budget: 1 s, percentile: p99}, workloads: [{id: a}]}", "beside 'workloads'"),
        ("{workloads: [{id: a, entry: nowhere}]}", "no component 'nowhere'"),
        ("{workloads: [{id: a, entry: x, loads: 1}]}", "unknown key"),
    ],
)
def test_what_is_wrong_with_workloads_is_said_with_its_line(given, words):
    text = f"name: d\nrequirements: {given}\nplanes: {{components: [{{id: x, kind: cache}}]}}\n"
    with pytest.raises(UnreadableDesignError, match=words) as error:
        Design.parse(text)
    assert all(problem.line == 2 for problem in error.value.problems)


@pytest.mark.parametrize("part", ["planes: {flows: [{from: x, to: x, carries: batch, workload: b}]}"])
def test_a_flow_of_an_unknown_workload_is_refused(part):
    text = "name: d\nrequirements: {workloads: [{id: a}]}\n" + part.replace(
        "{flows", "{components: [{id: x, kind: cache}], flows"
    )
    with pytest.raises(UnreadableDesignError, match="no workload 'b'"):
        Design.parse(text)


def test_a_finding_on_a_promise_names_its_workload_and_its_place(design):
    (one,) = [one for one in found(design, "REQ007") if "chat" in one.message]
    assert one.where == "requirements.workloads.chat.throughput.derivation"
    assert one.message.startswith("Workload chat: ")


def test_a_finding_for_all_workloads_stands_once_and_names_none(design):
    (one,) = found(design, "PLANE004")
    assert "Workload" not in one.message


def test_no_path_of_a_finding_is_that_of_a_single_workload(design):
    for one in review(design):
        assert design.requirements.latency is None
        assert not one.where.startswith(("requirements.latency", "requirements.throughput"))


def test_a_quota_gets_the_calls_of_all_workloads(design):
    assert not found(design, "SERV001")  # 500 and 20 of 600
    (one,) = found(setting(design, "planes.components.writer", quota={"requests": "510 rps"}), "SERV001")
    assert "31,200 calls a minute" in one.message


def test_people_get_the_cases_of_all_workloads(design):
    alone = {one.workload.id: one for one in design.views}
    assert len(alone) == 3
    (one,) = found(design, "SERV008")  # 100/s x 0.02% and 2.6M x 0.04%: 2,768 a day
    assert "2,768 cases a day" in one.message
    assert not found(setting(design, "planes.components.analysts", cases_per_day=3000), "SERV008")


def test_a_run_off_the_peak_is_not_added_to_it_and_one_at_the_peak_is(design):
    assert sizings(design)["capacity"].load_rps == 500
    at_peak = setting(design, "requirements.workloads.nightly", off_peak=False)
    assert sizings(at_peak)["capacity"].load_rps == pytest.approx(500 + 2_600_000 / 21_600)
    assert not found(design, "CAP005")
    assert found(at_peak, "CAP005")


def test_loads_off_the_peak_count_where_they_are_the_largest():
    peaks = {"a": "5 rps", "b": "4 rps", "c": "30 rps"}
    each = [
        {"id": name, "off_peak": name == "c", "throughput": {"peak": peak}} for name, peak in peaks.items()
    ]
    assert together(Design(name="d", requirements={"workloads": each}), peak_rps) == 30


def test_a_workload_waits_for_its_own_calls_alone(design):
    score, chat, nightly = design.views
    assert [reaches(one, design.capacity) for one in (score, chat, nightly)] == [True, False, True]
    late = setting(design, "planes.flows.ask_writer", timeout="25 s")
    assert any("chat" in one.message for one in found(late, "PLANE007"))
    assert not any("score" in one.message for one in found(late, "PLANE007"))


def test_the_availability_of_another_workloads_vendor_is_not_its_own(design):
    assert not found(design, "PLANE014")  # 99% of the writer count for the chat, which promises nothing
    chat = setting(design, "requirements.workloads.chat", availability={"target": "99.9%"})
    (one,) = found(chat, "PLANE014")
    assert one.message.startswith("Workload chat: ")


def test_each_workload_has_verdicts_of_its_own(design):
    made = reports(design, seed=1, requests=20_000)
    assert [one.design.rpartition(" ")[2] for one in made] == ["score", "chat", "nightly"]
    assert [[each.requirement.partition(",")[0] for each in one.verdicts] for one in made][2] == [
        "result of a run"
    ]
    with pytest.raises(DesignError, match="several workloads"):
        report(design, seed=1)


def test_the_document_shows_each_workload_with_links_that_resolve(design):
    text = document(design)
    for name in ("score", "chat", "nightly"):
        assert f"### Workload `{name}`" in text
    anchors = {part.partition('"')[0] for part in text.split('<a id="')[1:]}
    links = {part.partition(")")[0] for part in text.split("](#")[1:]}
    assert links <= anchors


def test_the_case_with_two_workloads_has_a_document_whose_links_resolve():
    text = document(cases.load("netflix_recommendations"))  # its evidence names places of one workload alone
    anchors = {part.partition('"')[0] for part in text.split('<a id="')[1:]}
    assert {part.partition(")")[0] for part in text.split("](#")[1:]} <= anchors


def test_a_reason_for_one_workload_silences_that_one_alone(design):
    reason = {"where": "requirements.workloads.chat.throughput.derivation", "because": "It is a contract."}
    quiet = design.with_part(does_not_apply=[reason])
    assert not any("chat" in one.message for one in found(quiet, "REQ007"))
    assert any("score" in one.message for one in found(quiet, "REQ007"))


def test_an_accepted_finding_of_one_workload_is_not_open():
    case = cases.load("netflix_recommendations")
    bare = setting(case, "requirements.workloads.stored_rows.schedule", when_late=None)
    accepted = {
        "rule": "REQ022",
        "where": "requirements.workloads.stored_rows.schedule",
        "because": "A page may be a day older.",
        "by": "Home page",
    }
    assert [one.code for one in review(bare)] == ["REQ022"]
    assert review(bare.with_part(accepted=[accepted])) == ()


CODE = """
name: Completions in the line and a chat on the same models
requirements:
  workloads:
  - {id: inline, entry: proxy, latency: {budget: 500 ms, percentile: p95}, throughput: {peak: 60 rps, mean: 20 rps}}
  - {id: chat, entry: proxy, latency: {budget: 10 s, percentile: p95}, throughput: {peak: 5 rps, mean: 1 rps}}
planes:
  components:
  - {id: proxy, kind: llm gateway}
  - {id: fleet, kind: model server}
  - {id: provider, kind: external service, quota: {requests: 2 rps}}
  flows:
  - {id: complete, from: proxy, to: fleet, carries: request, workload: inline, timeout: 450 ms}
  - {id: talk, from: proxy, to: fleet, carries: request, workload: chat, timeout: 9 s, share: 70%}
  - {id: hard, from: proxy, to: provider, carries: request, workload: chat, timeout: 9 s, share: 30%}
capacity: {component: fleet, load: 64 rps, replicas: 30, service_time: 250 ms, target_utilisation: 60%}
"""

MODERATION = """
name: Moderation of uploads at once, of appeals behind a queue, and of all by the clock
requirements:
  workloads:
  - {id: upload, entry: app, latency: {budget: 1 s, percentile: p99}, throughput: {peak: 200 rps, mean: 50 rps}}
  - {id: appeals, entry: form, throughput: {peak: 2 rps, mean: 0.2 rps}}
  - {id: rescan, entry: scan, off_peak: true, schedule: {period: 7 d, deadline: 2 d, items: 7M}}
planes:
  components:
  - {id: app, kind: client}
  - {id: form, kind: client}
  - {id: api, kind: api gateway}
  - {id: queue, kind: event stream}
  - {id: worker, kind: service}
  - {id: model, kind: model server}
  - {id: scan, kind: batch scorer}
  - {id: marks, kind: prediction store}
  - {id: reviewers, kind: people, cases_per_day: 1000, hours: 24/7}
  flows:
  - {id: up, from: app, to: api, carries: request, workload: upload}
  - {id: appeal, from: form, to: api, carries: request, workload: appeals}
  - {id: judge, from: api, to: model, carries: request, workload: upload}
  - {id: hand_over, from: api, to: queue, carries: events, workload: appeals}
  - {id: take, from: queue, to: worker, carries: events}
  - {id: ask, from: worker, to: model, carries: request}
  - {id: decide, from: worker, to: reviewers, carries: request, share: 100%}
  - {id: unsure, from: model, to: reviewers, carries: predictions, workload: upload, share: 0.01%}
  - {id: again, from: scan, to: model, carries: request}
  - {id: found, from: scan, to: reviewers, carries: predictions, share: 0.005%}
  - {id: keep, from: scan, to: marks, carries: predictions}
capacity: {component: model, load: 202 rps, replicas: 20, service_time: 40 ms, target_utilisation: 60%}
"""


def test_a_call_that_one_workload_makes_for_some_requests_is_no_other_workloads():
    design = Design.parse(CODE)  # 60 and 70% of 5 at the fleet, 30% of 5 at the provider
    assert required_rps(design, design.capacity) == pytest.approx(63.5)
    assert not found(design, "SERV001")
    assert not found(design, "CAP005")
    assert found(setting(design, "capacity", load="60 rps"), "CAP005")


def test_what_stands_behind_a_queue_works_for_those_alone_whose_items_it_gets():
    design = Design.parse(MODERATION)
    calls = [calls_per_request(one.planes).get("worker") for one in design.views]
    assert calls == [None, 1.0, None]
    assert required_rps(design, design.capacity) == pytest.approx(200)
    (ask,) = [one for one in found(design, "PLANE006") if one.where == "planes.flows.ask.fallback"]
    assert ask.message.startswith("Workload appeals: ")


def test_people_get_the_cases_of_each_workload_by_its_own_flows():
    (one,) = found(Design.parse(MODERATION), "SERV008")
    # uploads 50/s x 0.01%: 432 a day, appeals 0.2/s: 17,280, and a seventh of 7M x 0.005%: 50
    assert "17,762 cases a day" in one.message


STORE = """
name: Scores at once and by night from one store
requirements:
  workloads:
  - {id: online, entry: portal, throughput: {peak: 80 rps, mean: 20 rps}, prediction: {type: regression}}
  - {id: nightly, entry: scan, schedule: {period: 1 d, deadline: 4 h, items: 4M}}
planes:
  components:
  - {id: portal, kind: api gateway}
  - {id: model, kind: model server}
  - {id: store, kind: feature store}
  - {id: scan, kind: batch scorer}
  - {id: scores, kind: prediction store}
  - {id: clerks, kind: people, cases_per_day: 100, hours: 24/7}
  flows:
  - {id: ask, from: portal, to: model, carries: request}
  - {id: read, from: model, to: store, carries: features}
  - {id: all, from: scan, to: store, carries: features}
  - {id: put, from: scan, to: scores, carries: predictions}
  - {id: unsure, from: model, to: clerks, carries: request, workload: online, share: 5%}
"""


def test_cases_of_one_workload_do_not_come_with_the_items_of_another():
    (one,) = found(Design.parse(STORE), "SERV008")
    assert "86,400 cases a day" in one.message


def test_a_finding_on_the_flow_of_one_workload_names_that_one():
    again = [
        one
        for one in found(Design.parse(MODERATION), "PLANE005")
        if one.where == "planes.flows.again.timeout"
    ]
    assert [one.message.partition(":")[0] for one in again] == ["Workload rescan"]


def test_one_fault_with_a_remedy_for_each_workload_is_one_finding():
    (one,) = found(Design.parse(CODE), "CAP012")
    assert "For inline: " in one.fix
    assert "For chat: " in one.fix


def features_of_two(**second):
    """Return a design in which each of two workloads reads a feature of its own, from a stage of its own."""
    each = [
        {"id": name, "throughput": {"peak": "1 rps"}, "latency": {"budget": "1 s", "percentile": "p99"}}
        for name in "ab"
    ]
    each[1] |= second
    flow = {
        "stages": [{"id": name, "period": "1 h", "delays": "1 min"} for name in ("of_a", "of_b")],
        "features": [
            {"id": f"x_{name}", "source": "log", "path": [f"of_{name}"], "workload": name} for name in "ab"
        ],
    }
    return Design(name="d", requirements={"workloads": each}, dataflow=flow)


def test_a_stage_that_another_workloads_feature_passes_is_used():
    assert not found(features_of_two(), "FLOW006")


@pytest.mark.parametrize("code", ["FLOW004", "FLOW012"])
def test_what_is_missing_at_features_is_one_finding_for_all_workloads(code):
    (one,) = found(features_of_two(), code)
    assert not one.message.startswith("Workload")


def test_a_prompt_needs_no_defaults_beside_a_workload_that_does():
    (one,) = found(features_of_two(prediction={"type": "generation"}), "FLOW012")
    assert "x_b" not in one.message


def test_components_without_replicas_are_one_finding_for_all_workloads(design):
    (one,) = found(design, "PLANE013")
    assert not one.message.startswith("Workload")


def test_a_simulation_names_the_places_of_the_design_and_its_acceptances(design):
    slow = setting(design, "requirements.workloads.score", freshness={"features": "1 min"})
    slow = setting(slow, "capacity", replicas=15)  # overloaded
    accepted = {"rule": "CAP006", "where": "capacity.replicas", "because": "A trial.", "by": "Payments"}
    made = reports(slow.with_part(accepted=[accepted]), seed=1, requests=20_000)
    assert made[0].not_judged == ("requirements.workloads.score.freshness.features",)
    assert any(one.accepted for one in made[0].verdicts)


def test_an_acceptance_for_one_workload_is_none_for_another(design):
    where = "requirements.workloads.chat.latency.budget"
    accepted = {"rule": "PLANE007", "where": where, "because": "A trial.", "by": "Payments"}
    views = design.with_part(accepted=[accepted]).views
    assert [[one.where for one in view.accepted] for view in views] == [
        [],
        ["requirements.latency.budget"],
        [],
    ]


def test_a_fleet_is_simulated_for_the_workloads_that_come_to_it(design):
    made = reports(design, seed=1, requests=20_000, fleet="capacity")
    assert [one.design.rpartition(" ")[2] for one in made] == ["score"]


# ---- what is about one workload only

LIVE = """
name: Live
requirements:
  workloads:
  - {id: words, entry: gateway, prediction: {type: generation, about_people: false}}
  - {id: score, entry: scorer, off_peak: true, schedule: {period: 1 d, items: 1000},
     prediction: {type: regression, about_people: true, explained: By criteria}}
  constraints:
  - {id: seen, text: Reasons are kept, from: law, of: [scores], demands: reasons, met_by: store}
planes:
  components:
  - {id: app, kind: client}
  - {id: gateway, kind: api gateway}
  - {id: speech, kind: model server}
  - {id: index, kind: vector index}
  - {id: docs, kind: raw source}
  - {id: scorer, kind: batch scorer}
  - {id: store, kind: prediction store}
  flows:
  - {from: app, to: gateway, carries: request, workload: words}
  - {id: ask, from: gateway, to: speech, carries: request, workload: words}
  - {id: find, from: gateway, to: index, carries: request, workload: words, personal: true}
  - {from: docs, to: index, carries: events}
  - {from: scorer, to: store, carries: predictions, workload: score}
  release:
    gates:
    - {id: one, metric: word error rate, of: speech, on: Calls of a month, cases: 4000, at_most: 12%, slices: dialect}
    - {id: two, metric: share of good scores, of: scorer, on: Calls of a month, cases: 4000, at_least: 85%}
dataflow:
  stages: [{id: rates, component: index, delays: 1 s}]
pattern:
  paths:
  - {id: live, component: speech, workload: words, pattern: request-time, share: 100%}
  - {id: nightly, component: scorer, workload: score, pattern: pre-computed, share: 100%}
data:
  datasets:
  - {id: scores, what: Score of a call, personal: true, kept_in: store}
  - {id: pages, what: A page, personal: KEPT, confidential: false, kept_in: [index, docs]}
"""


def of_live(code: str, kept: str = "false", *changes: tuple[str, str]) -> str:
    text = LIVE.replace("KEPT", kept)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return " ".join(one.message for one in review(Design.parse(text)) if one.code == code)


def test_a_constraint_on_a_set_of_data_is_about_the_workload_whose_answers_it_keeps():
    assert "Workload score:" in of_live("DATA038")
    assert "Workload words:" not in of_live("DATA038")
    assert "Workload words:" in of_live("DATA038", "false", ("of: [scores], ", ""))


def test_a_gate_of_another_model_compares_no_groups_for_a_workload():
    assert "no gate compares groups" in of_live("DATA013")
    assert not of_live("DATA013", "false", ("at_least: 85%}", "at_least: 85%, slices: age group}"))
    assert not of_live("PLANE051")
    assert of_live("PLANE051", "false", ("slices: dialect", "refreshed: 30 d")).startswith("Workload words:")


def test_an_index_is_asked_of_the_workloads_that_reach_it():
    assert of_live("SERV021").startswith("Workload words:")


def test_a_slice_is_no_larger_than_its_set():
    small = ("cases: 4000, at_most", "cases: 80, smallest_slice: 3000, at_most")
    assert "the whole set has 80" in of_live("PLANE052", "false", small)


def test_what_everybody_may_see_needs_no_rights_of_who_asks_whatever_the_query_says():
    assert not of_live("SEC010")
    assert "index" in of_live("SEC010", "true")


def test_a_stage_that_a_promise_of_another_workload_names_is_of_use():
    rates = "freshness: {index: 1 h, also: [{what: Rates, component: index, within: 1 min}]}, "
    words = ("entry: gateway, ", "entry: gateway, " + rates)
    stage = ("component: index, delays", "component: gateway, delays")
    named = (words[0], words[1].replace("component: index", "component: gateway"))
    assert of_live("FLOW006", "false", stage)
    assert not of_live("FLOW006", "false", stage, named)


def test_a_workload_whose_model_no_gate_tests_is_asked_for_one():
    text = LIVE.replace("KEPT", "false")
    gate = next(line for line in text.splitlines() if "id: two" in line)
    assert of_live("PLANE051", "false", (gate, "")).startswith("Workload score:")


def test_groups_of_a_model_that_only_helps_are_none_of_the_one_that_answers():
    gates = [
        {"id": "read", "metric": "word error rate", "of": "reader", "on": "Scans", "slices": "script"},
        {"id": "decide", "metric": "recall", "of": "scorer", "on": "Cases of a month", "at_least": "80%"},
    ]
    kinds = {"app": "service", "reader": "model server", "scorer": "model server"}
    given = {
        "name": "d",
        "requirements": {"prediction": {"type": "binary classification", "about_people": True}},
        "planes": {
            "components": [{"id": name, "kind": kind} for name, kind in kinds.items()],
            "flows": [{"from": "app", "to": name, "carries": "request"} for name in ("reader", "scorer")],
            "release": {"gates": gates},
        },
        "pattern": {
            "paths": [{"id": "live", "component": "scorer", "pattern": "request-time", "share": "100%"}]
        },
    }
    assert "DATA013" in {one.code for one in review(Design.model_validate(given))}
    gates[1]["slices"] = "age group"
    assert "DATA013" not in {one.code for one in review(Design.model_validate(given))}


def test_a_path_of_several_workloads_is_sized_for_the_one_that_scores_most(design):
    paths = [{"id": "rank", "pattern": "request-time", "component": "model", "items": 500}]
    for scored, is_found in ((300, False), (900, True)):
        busy = setting(design, "requirements.workloads.score.throughput", scorings_per_request=scored)
        assert bool(found(busy.with_part(pattern={"paths": paths}).views[0], "PATTERN026")) is is_found
