"""The language for the systems that people have: what it says, what it refuses, and that old designs mean the same."""

from datetime import date

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsd_helpers import cases
from mlsd_helpers.design import (
    ANY_PLANE,
    KINDS,
    CapacityPlan,
    Component,
    Design,
    Latency,
    ModelShape,
    Release,
    UnreadableDesignError,
    json_schema,
)
from mlsd_helpers.design.reading import read
from tests.design.any_design import MORE, designs
from tests.effort import examples

ASSISTANT = """
name: Support assistant
about: {status: in review, owner: Assist team, authors: Ada, reviewers: [Platform, Legal], date: 2026-12-01}
requirements:
  goal: Answer customers' questions from our own documents, or hand over to a person.
  prediction: {type: generation}
  latency:
    budget: 15 s
    percentile: p95
    first_token: 2 s
    also:
    - {what: gap between tokens, percentile: p99, within: 60 ms}
    split:
    - {component: guard_in, time: 120 ms}
    - {component: index, time: 60 ms}
    - {part: network, time: 30 ms}
  throughput: {peak: 12 rps, over: 5 min, mean: 4 rps, how: Busiest five minutes of last winter}
  freshness: {index: 1 h}
  constraints:
  - {id: in_eu, text: Conversations stay in the EU., from: contract, region: eu, met_by: [vendor, memory]}
planes:
  components:
  - {id: assistant, kind: orchestrator, owner: Assist team, replicas: 6, zones: 3, calls: one after another}
  - {id: guard_in, kind: guardrail, latency: 120 ms, latency_is: bound}
  - {id: index, kind: vector index, items: 4 million, region: eu}
  - {id: memory, kind: feature store, region: eu, trust_zone: internal}
  - id: vendor
    kind: external service
    version: model-2026-10
    region: eu
    trust_zone: vendor
    quota: {requests: 500 /min, tokens: 2000000 /min}
    price: {per_million_input_tokens: $0.50, per_million_output_tokens: $2.00}
    terms: {trains_on_our_data: false, retention: 0 d}
    tokens: {input: 3500, output: 250}
  - {id: own_model, kind: model server}
  - {id: agents, kind: people, owner: Support, hours: Mon-Fri 8-20, rate: 40 /h, wait: 3 min}
  - {id: eraser, kind: other, plane: data, does: Deletes conversations when their time is over}
  - {id: complaints, kind: quality monitor}
  flows:
  - id: ask_guard
    from: assistant
    to: guard_in
    carries: request
    timeout: 300 ms
    fallback: Refuse and hand over
    fails: closed
  - id: ask_vendor
    from: assistant
    to: vendor
    carries: request
    timeout: 8 s
    otherwise: ask_own
    personal: true
    auth: workload identity
    retries: 1
    retry: {backoff: exponential with jitter, budget: 10%}
    idempotent: true
  - {id: ask_own, from: assistant, to: own_model, carries: request, fallback: Hand over to a person}
  - from: assistant
    to: agents
    carries: request
    share: 5%
    contract: {owner: Support, version: '2', compatibility: backward}
  alerts:
  - {id: many_complaints, raised_by: complaints, watches: quality, metric: complaints a day, runbook: runbooks/a.md}
  release:
    gates:
    - id: grounded
      metric: grounded answers
      of: [vendor, own_model]
      on: questions of last quarter
      cases: 400
      at_least: 92%
      slices: [language, product]
    stages:
    - {id: ring0, to: our own staff, for: 1 d, stops_on: [many_complaints, answers]}
    - {share: 20%, for: 2 d}
    - {share: 100%}
    versioned_together: [prompt, model, tokeniser, index, guardrails]
    rollback_to: The set before, kept warm
    rollback_time: 5 min
    rollback_takes_back: [prompt, index]
pattern:
  paths:
  - {id: retrieve, pattern: request-time, stage: 1, component: index, parallel_to: by_words, keeps: 200}
  - {id: by_words, pattern: request-time, stage: 1, parallel_to: retrieve, keeps: 200}
  - {id: answer, pattern: request-time, stage: 2, items: 20, priority: 1}
capacity:
  budget_per_month: $9,000
  fleets:
  - id: own
    component: own_model
    load: 4 rps
    because: The vendor's quota at the peak
    sheds: lowest priority
    generation:
      model: {name: M, parameters: 117 billion, active_parameters: 5100000000, kv_bytes_per_token: 36 KiB}
      precision: int4
      accelerator: {name: A, memory: 80 GiB}
      prompt_tokens: 3500
      output_tokens: 250
      prefix_cache: 40%
      tokens_per_pass: 1.8
  - {component: assistant, load: 12 rps, service_time: 60 ms, replicas: 6, zones: 3}
  costs:
  - {id: logs, text: Conversations kept for 30 days, component: memory, per_month: $300}
data:
  datasets:
  - id: conversations
    personal: true
    purpose: Answer, and improve answers
    basis: contract
    kept_in: [memory, vendor]
    retention: 30 d
    deleted_by: eraser
    readers: Assist team
  training: {component: own_model, snapshot: weights by digest, seed: 7}
experiments:
- {id: re_ranker, unit: user, metric: answers without hand-over, baseline: 70%, effect: 2%, guardrails: complaints}
operations:
  objectives:
  - {id: answers, indicator: answered within the promises / asked, target: 99.5%, window: 28 d}
decisions:
- {id: vendor_first, chose: A vendor's model first, over: Our own model only, flips_when: Load above 8 rps}
risks:
- {id: injection, text: A document tells the model what to do., likelihood: medium, answer: No tool writes., left: low}
questions:
- {id: languages, text: Do we answer in Finnish?, owner: Product, until: 2027-01-15}
does_not_apply:
- {where: requirements.freshness.model, because: The vendor decides when the model is trained.}
accepted:
- {rule: PLANE012, where: guard_in, because: It fails closed to a person., by: Platform, until: 2027-06-01}
- {rule: CAP001, where: capacity.fleets.own.queue_limit, because: The gateway limits., by: Platform}
"""


@pytest.fixture
def assistant():
    return Design.parse(ASSISTANT)


def faults(text, *changes):
    """Return what a design is refused for, after each change of some words into others."""
    for before, after in changes:
        assert text.count(before) == 1
        text = text.replace(before, after)
    with pytest.raises(UnreadableDesignError) as refused:
        Design.parse(text)
    return [(".".join(map(str, problem.path)), problem.message) for problem in refused.value.problems]


# ---- what it says


def test_an_assistant_with_retrieval_is_saved_and_read_back_whole(assistant):
    assert Design.parse(assistant.to_yaml()) == assistant
    assert hash(Design.parse(assistant.to_yaml())) == hash(assistant)


def test_the_schema_accepts_an_assistant_with_retrieval():
    written, _ = read(ASSISTANT, "assistant")
    jsonschema.Draft202012Validator(json_schema()).validate(written.value)


def test_seven_lines_are_a_design():
    Design.parse(
        "name: Sketch\nplanes:\n  components:\n  - {id: app, kind: service}\n"
        "  - {id: model, kind: model server}\n  flows:\n  - {from: app, to: model, carries: request}\n"
    )


@pytest.mark.parametrize("part", MORE)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_further_part_is_written_and_read_back(part, data):
    design = data.draw(designs(part))
    assert Design.parse(design.to_yaml()) == design


def _is_old(name):
    case = cases.load(name)
    return not (case.data or case.requirements.workloads)


@pytest.mark.parametrize("name", [*filter(_is_old, cases.names())])
def test_an_old_case_is_one_fleet_with_promises_of_its_own(name):
    case = cases.load(name)
    assert case.fleets == {"capacity": case.capacity}
    latency = case.requirements.latency
    first = latency.promises[0]
    assert (first.what, first.within, first.percentile) == (
        "whole answer",
        latency.budget,
        latency.percentile,
    )


def test_each_fleet_has_an_address_that_leads_to_it(assistant):
    assert list(assistant.fleets) == ["capacity.fleets.own", "capacity.fleets.1"]
    assert all(assistant.at(path) is fleet for path, fleet in assistant.fleets.items())


def test_a_plan_beside_fleets_is_a_fleet_where_it_says_more_than_a_budget():
    both = CapacityPlan(replicas=3, fleets=[{"id": "rank", "replicas": 2}])
    assert list(Design(name="d", capacity=both).fleets) == ["capacity", "capacity.fleets.rank"]
    assert Design(name="d").fleets == {}


def test_promises_are_alike_wherever_they_are_written(assistant):
    promises = assistant.requirements.latency.promises
    assert [(one.what, one.percentile, one.within) for one in promises] == [
        ("whole answer", "p95", 15),
        ("first token", "p95", 2),
        ("gap between tokens", "p99", pytest.approx(0.06)),
    ]


def test_a_call_with_a_fallback_or_an_alternative_is_not_needed(assistant):
    needed = [flow.needed for flow in assistant.planes.flows]
    assert needed == [False, False, False, True]
    assert assistant.planes.flow("ask_own").end == "own_model"


def test_a_part_that_does_not_apply_covers_what_would_stand_in_it():
    design = Design(name="d", does_not_apply=[{"where": "capacity", "because": "A batch job."}])
    assert design.why_not("capacity.headroom.share") == design.why_not("capacity") == "A batch job."
    assert design.why_not("capacity_of_others") is None


def test_a_kind_of_any_plane_serves_unless_it_says_otherwise():
    assert all(kind not in kinds for kind in ANY_PLANE for kinds in KINDS.values())
    assert Component(id="a", kind="people").plane == "serving"
    assert Component.model_validate({"id": "a", "kind": "people", "plane": "training"}).plane == "training"


def test_an_external_service_is_run_by_others_without_saying_so():
    assert Component(id="a", kind="external service").run_by_others
    assert Component(id="a", kind="feature store", managed=True).run_by_others
    assert not Component(id="a", kind="feature store").run_by_others


def test_a_canary_is_the_only_stage_of_a_release_without_stages(assistant):
    old = Release(canary_share="1%", canary_time="2 h")
    assert [(stage.share, stage.lasts) for stage in old.rollout] == [(0.01, 7_200)]
    assert len(assistant.planes.release.rollout) == 3
    assert Release().rollout == ()


def test_a_rollback_takes_back_what_is_versioned_together_unless_it_says_less(assistant):
    assert assistant.planes.release.taken_back == ("prompt", "index")
    assert Release(versioned_together=["model", "code"]).taken_back == ("model", "code")


def test_a_day_is_a_day(assistant):
    assert assistant.about.date == date(2026, 12, 1)
    assert assistant.questions[0].until == date(2027, 1, 15)


def test_what_is_said_of_a_part_leaves_with_it_and_the_rest_stays(assistant):
    without = assistant.with_part(capacity=None)
    assert [one.rule for one in without.accepted] == ["PLANE012"]
    assert without.does_not_apply == assistant.does_not_apply
    needs = assistant.requirements
    fresh = needs.changed(freshness=needs.freshness.changed(model="30 d"))
    assert assistant.with_part(requirements=fresh).does_not_apply == ()


# ---- what it refuses


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("{component: index, time", "{component: indx, time", "requirements.latency.split.1.component"),
        ("met_by: [vendor, memory]", "met_by: [vendor, memry]", "requirements.constraints.in_eu.met_by"),
        ("otherwise: ask_own", "otherwise: ask_owm", "planes.flows.ask_vendor.otherwise"),
        ("of: [vendor, own_model]", "of: [vendor, ownmodel]", "planes.release.gates.grounded.of"),
        ("[many_complaints, answers]", "[many_complaint]", "planes.release.stages.ring0.stops_on"),
        ("component: index, parallel_to", "component: indx, parallel_to", "pattern.paths.retrieve.component"),
        ("parallel_to: by_words", "parallel_to: by_word", "pattern.paths.retrieve.parallel_to"),
        ("    component: own_model\n    load", "    component: ownmodel\n    load", "capacity.fleets.own.component"),
        ("component: memory, per_month", "component: memry, per_month", "capacity.costs.logs.component"),
        ("kept_in: [memory, vendor]", "kept_in: [memory, vendr]", "data.datasets.conversations.kept_in"),
        ("deleted_by: eraser", "deleted_by: erasr", "data.datasets.conversations.deleted_by"),
        ("training: {component: own_model", "training: {component: ownmodel", "data.training.component"),
    ],
)  # fmt: skip
def test_a_name_that_refers_to_nothing_is_named_with_its_nearest(before, after, path):
    (where, message), *others = faults(ASSISTANT, (before, after))
    assert where == path
    assert not others
    assert "Did you mean" in message


def test_a_design_without_components_may_name_those_that_are_to_come():
    data = {"datasets": [{"id": "clicks", "kept_in": "log"}]}
    assert Design(name="d", data=data, capacity={"fleets": [{"component": "ranker"}]})


def test_parts_that_do_not_fit_may_be_put_together_but_not_written(assistant, tmp_path):
    mixed = cases.load("harbour_pay").with_part(capacity=assistant.capacity)
    for write in (mixed.to_yaml, lambda: mixed.save(tmp_path / "design.yaml")):
        with pytest.raises(UnreadableDesignError, match="own_model"):
            write()
    assert not list(tmp_path.iterdir())


def test_an_accepted_finding_names_a_rule_and_a_place():
    wrong = faults(ASSISTANT, ("rule: PLANE012, where: guard_in", "rule: plane12, where: guard_out"))
    assert {path for path, _ in wrong} == {"accepted.0.rule"}
    wrong = faults(ASSISTANT, ("where: guard_in, because", "where: guard_out, because"))
    assert [path for path, _ in wrong] == ["accepted.0.where"]


@pytest.mark.parametrize("where", ["capacities", "capacity.fleet", "requirements.latency", "planes.flows.9"])
def test_what_does_not_apply_is_a_part_that_is_not_there(where):
    wrong = faults(ASSISTANT, ("where: requirements.freshness.model", f"where: {where}"))
    assert [path for path, _ in wrong] == ["does_not_apply.0.where"]


@pytest.mark.parametrize(
    ("component", "field"),
    [
        ({"kind": "other", "plane": "data"}, "does"),
        ({"kind": "other", "does": "Something"}, "plane"),
        ({"kind": "feature store", "plane": "serving"}, "plane"),
    ],
)
def test_a_kind_says_what_it_must_and_no_more(component, field):
    with pytest.raises(UnreadableDesignError) as refused:
        Component(id="a", **component)
    assert [problem.path for problem in refused.value.problems] == [(field,)]


def test_an_alternative_starts_where_the_call_does_and_does_not_come_back():
    components = [{"id": one, "kind": "service"} for one in "abc"]
    call = {"from": "a", "to": "b", "carries": "request"}
    for flows in (
        [call | {"id": "x", "otherwise": "y"}, call | {"id": "y", "from": "c"}],
        [call | {"id": "x", "otherwise": "x"}],
        [call | {"id": "x", "otherwise": "y"}, call | {"id": "y", "otherwise": "x"}],
    ):
        with pytest.raises(UnreadableDesignError) as refused:
            Design(name="d", planes={"components": components, "flows": flows})
        assert refused.value.problems[0].path == ("planes", "flows", 0, "otherwise")


def test_a_part_of_the_budget_belongs_to_something():
    with pytest.raises(UnreadableDesignError, match="component"):
        Latency(budget="1 s", percentile="p99", split=[{"time": "10 ms"}])


def test_a_promise_is_made_once_at_each_percentile(assistant):
    latency = assistant.requirements.latency
    again = {"what": "first token", "percentile": "p95", "within": "1 s"}
    with pytest.raises(UnreadableDesignError, match="twice"):
        latency.changed(also=[again])
    assert len(latency.changed(also=[again | {"percentile": "p50"}]).promises) == 3


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ({"layers": 32, "head_dim": 128}, "kv_heads"),
        ({"kv_bytes_per_token": "36 KiB", "active_parameters": 9}, "active_parameters"),
    ],
)
def test_the_shape_of_a_model_has_a_size_for_keys_and_values(shape, field):
    with pytest.raises(UnreadableDesignError) as refused:
        ModelShape(name="M", parameters=8, **shape)
    assert [problem.path for problem in refused.value.problems] == [(field,)]


def test_the_ids_of_flows_are_unique_among_components_and_alerts():
    components = [{"id": "a", "kind": "service"}, {"id": "b", "kind": "service"}]
    for name in ("a", "call"):
        flows = [{"id": one, "from": "a", "to": "b", "carries": "request"} for one in ("call", name)]
        with pytest.raises(UnreadableDesignError, match="twice"):
            Design(name="d", planes={"components": components, "flows": flows})


@pytest.mark.parametrize("written", ["2026-13-01", "tomorrow", "20261201T10", "1"])
def test_what_is_no_day_is_refused_with_an_example(written):
    (path, message), *_ = faults(ASSISTANT, ("date: 2026-12-01", f"date: {written}"))
    assert path == "about.date"
    assert "2026-12-01" in message


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("retry: {backoff", "retry: {attempts: 2, backoff", "retries"),
        ("versioned_together:", "together:", "versioned_together"),
        ("budget_per_month: $9,000", "does_not_apply: A batch job", "where"),
    ],
)
def test_a_key_that_stands_elsewhere_is_sent_there(before, after, said):
    (_, message), *_ = faults(ASSISTANT, (before, after))
    assert said in message
