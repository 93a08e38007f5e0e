"""Rules on data, security, services and experiments: what they have to leave alone, and what they have to see."""

from functools import partial

import pytest

from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Component, Design, Flow, Planes
from mlsd_helpers.errors import DesignError
from mlsd_helpers.formulas.statistics import ab_sample_size
from mlsd_helpers.review import review
from mlsd_helpers.review.experiments import false_alarms
from mlsd_helpers.review.regions import within
from tests.effort import some
from tests.review.mutations.fuller import adding, in_full, setting, with_devices, with_retrieval, without

OURS = ("DATA", "SEC", "SERV", "EXP", "DEC")


def codes(design: Design) -> list[str]:
    """Return the rules of this file's parts that find something."""
    return list(dict.fromkeys(one.code for one in review(design) if one.code.startswith(OURS)))


def test_a_first_sketch_is_not_asked_for_what_only_a_worked_out_design_can_say():
    sketch = Design.parse(
        """
        name: Chat
        requirements: {prediction: {type: generation}}
        planes:
          components:
          - {id: web, kind: api gateway}
          - {id: index, kind: vector index}
          - {id: llm, kind: external service}
          flows:
          - {from: web, to: index, carries: features}
          - {from: web, to: llm, carries: request}
        """
    )
    assert codes(sketch) == ["DATA005"]


# ---- words and regions


@pytest.mark.parametrize(
    "text", [None, "-", "x", "tbd", "TBD.", "none", "n/a", "to be decided", "?", "Unknown", "..."]
)
def test_a_text_that_only_holds_its_place_says_nothing(text):
    assert not says_something(text)


@pytest.mark.parametrize("text", ["EU", "None of the data are personal", "mTLS", "No user texts are kept"])
def test_a_text_that_says_something_is_left_alone(text):
    assert says_something(text)


@pytest.mark.parametrize(
    ("region", "allowed", "verdict"),
    [
        ("eu-west-1", "EU", True),
        ("Frankfurt", "EU", True),
        ("EU (Frankfurt)", "EU", True),
        ("eu-west-2", "EU", False),  # London
        ("us-east-1", "EU", False),
        ("global", "EU", False),
        ("outside the EU", "EU", False),
        ("eu-central-1", "eu-west-1", False),
        ("eu-west-1", "Germany", None),
        ("Rack 7", "EU", None),
        ("site a", "site b", False),
    ],
)
def test_regions_are_told_apart_by_name_and_not_guessed(region, allowed, verdict):
    assert within(region, allowed) is verdict


# ---- data


def test_a_flow_that_carries_nothing_personal_may_leave_the_region():
    design = setting(in_full(), "planes.components.bureau", region="us-east-1")
    assert codes(design) == ["DATA002"]
    masked = setting(design, "planes.flows.ask_bureau", personal=False)
    kept = [name for name in design.at("data.datasets.payments.kept_in") if name != "bureau"]
    assert codes(setting(masked, "data.datasets.payments", kept_in=kept)) == []


def test_a_provider_of_what_is_not_personal_needs_no_terms():
    design = setting(with_retrieval(), "planes.components.spare", terms=None)
    assert codes(setting(design, "planes.flows.ask_spare", personal=False)) == []


def test_personal_data_are_followed_through_flows_that_say_nothing():
    log = Component(id="copy", kind="offline store", owner="Model team", region="EU")
    flow = Flow(start="scores", end="copy", carries="batch", check="Row count")
    design = adding(adding(in_full(), "planes.components", log), "planes.flows", flow)
    assert codes(design) == ["DATA008"]
    clean = adding(adding(in_full(), "planes.components", log), "planes.flows", flow.changed(personal=False))
    assert codes(clean) == []


@pytest.mark.parametrize(
    ("selection", "explored", "found"),
    [
        ("A random sample of all payments", None, []),
        ("All payments, since each is paid out", None, []),
        ("Alerted cases only", "1%", []),
        ("Clicks, weighed by inverse propensity", None, []),
        ("All alerted cases", None, ["DATA014"]),
        ("Declined ones, no random sample", None, ["DATA014"]),
        ("tbd", None, ["DATA014"]),
    ],
)
def test_labels_may_be_selected_by_the_model_only_if_a_share_is_not(selection, explored, found):
    assert codes(setting(in_full(), "requirements.labels", selection=selection, explored=explored)) == found


def test_what_is_made_of_personal_data_further_on_is_taken_at_its_word():
    parts = [Component(id=name, kind="offline store", owner="Model team") for name in ("one", "two")]
    flows = [
        Flow(start="history", end="one", carries="batch", check="Row count", personal=False),
        Flow(start="one", end="two", carries="batch", check="Row count"),
    ]
    assert codes(adding(adding(in_full(), "planes.components", *parts), "planes.flows", *flows)) == []


def test_predictions_about_people_are_personal_wherever_they_go():
    design = setting(in_full(), "planes.flows.ask_bureau", personal=None)
    bare = design.with_part(data=None, requirements=design.requirements.changed(constraints=()))
    assert "DATA008" in codes(bare)


def test_who_only_computes_need_not_say_where_it_runs():
    assert codes(setting(in_full(), "planes.components.training", region=())) == []


def test_a_protected_feature_of_what_is_not_about_people_is_no_matter():
    design = setting(in_full(), "requirements.prediction", about_people=False, subject="thing")
    assert codes(setting(design, "dataflow.features.ip_country", protected=True)) == []


def test_every_deletion_may_be_said_in_words():
    design = setting(in_full(), "data.datasets.payments", deleted_by="ledger_export")
    assert codes(design) == []  # and the deletion says how each store is reached


def test_labels_without_any_plan_of_cost_are_named_from_ten_thousand_dollars_on():
    reason = [{"where": "capacity", "because": "Everything runs on the devices"}]
    design = with_devices().with_part(capacity=None, does_not_apply=reason)
    assert codes(design) == ["DATA017"]
    assert codes(setting(design, "requirements.labels", cost_per_label="$0.10")) == []


# ---- security


def test_a_guard_that_checks_input_and_output_in_words_may_stand_anywhere():
    design = setting(with_retrieval(), "planes.components.filter", kind="guardrail")
    assert codes(design) == []


def test_guards_before_and_after_the_model_need_no_words():
    design = setting(
        with_retrieval(), "planes.components.filter", does="Holds each sentence back until it is judged"
    )
    guard = Component(id="door", kind="guardrail", owner="Trust", replicas=3, zones=3)
    ask = Flow(
        start="gateway", end="door", carries="request", timeout="50 ms", fallback="Search the help pages"
    )
    guarded = adding(design, "planes.components", guard)
    calls = guarded.at("planes").flows
    assert "SEC004" in codes(guarded)
    assert codes(setting(guarded, "planes", flows=(ask, *calls))) == []


def test_an_entry_that_asks_a_rate_limiter_is_limited():
    design = setting(with_retrieval(), "planes.components.gateway", quota=None)
    assert codes(design) == ["SEC003"]
    limiter = Component(id="limiter", kind="rate limiter", owner="Platform", replicas=3, zones=3)
    ask = Flow(start="gateway", end="limiter", carries="request", timeout="5 ms", fallback="Let it through")
    assert codes(adding(adding(design, "planes.components", limiter), "planes.flows", ask)) == []


def test_an_anonymous_entry_can_be_said():
    assert codes(setting(in_full(), "planes.flows.ask_bureau", auth="Anonymous, limited by address")) == []


def test_an_answer_that_is_not_streamed_may_be_checked_as_a_whole():
    design = setting(with_retrieval(), "planes.components.filter", does="Checks prompt and answer")
    whole = setting(design, "requirements.latency", first_token=None)
    assert codes(design) == ["SEC006"]
    assert codes(whole) == []


# ---- services


def test_a_quota_for_each_user_is_not_compared_with_the_load_of_all():
    assert (
        codes(setting(in_full(), "planes.components.bureau", quota={"requests": "1 rps", "per": "user"}))
        == []
    )


def test_a_share_of_the_requests_needs_a_share_of_the_quota():
    design = setting(in_full(), "planes.components.bureau", quota={"requests": "100 rps"})
    assert "SERV001" in codes(design)
    assert codes(setting(design, "planes.flows.ask_bureau", share="10%")) == []


def test_people_at_work_by_day_take_what_comes_by_night_the_next_day():
    design = setting(in_full(), "planes.components.analysts", hours="Mon-Fri 8-18")
    assert "SERV008" in codes(design)  # 10 of 24 hours on five days: 30% of the week
    assert codes(setting(design, "planes.components.analysts", rate="2000 per h")) == []


def test_a_fallback_that_says_what_happens_at_night_is_enough():
    design = setting(in_full(), "planes.components.analysts", hours="Mon-Fri 8-18", rate="2000 per h")
    by_ticket = "Hand over to the analysts; outside their hours a ticket, answered the next working day"
    assert codes(setting(design, "planes.flows.ask_bureau", fallback=by_ticket, share="0.1%")) == []


def test_a_word_for_people_hands_nothing_over_where_no_flow_leads_to_them():
    design = setting(in_full(), "planes.components.analysts", hours="Mon-Fri 8-18", rate="2000 per h")
    of_users = setting(design, "planes.flows.ask_bureau", fallback="Ask the analyst for a note")
    assert {"SERV011", "SERV012"} <= set(codes(of_users))
    others = setting(design, "planes.flows.ask_bureau", fallback="Ask the agent for a note")
    assert {"SERV011", "SERV012"}.isdisjoint(codes(others))
    elsewhere = setting(of_users, "planes.flows.to_analysts", start="history")
    assert {"SERV011", "SERV012"}.isdisjoint(codes(elsewhere))


def test_who_only_watches_reviews_no_decision_about_people():
    design = setting(in_full(), "requirements.prediction", reviewed_by=())
    explained = setting(
        design, "requirements.prediction", about_people=True, explained="The three main reasons"
    )
    assert "DATA012" not in codes(explained)
    parts = [
        Component(id=one.id, kind="people", stands_in="monitoring") if one.id == "analysts" else one
        for one in explained.at("planes").components
    ]
    assert "DATA012" in codes(setting(explained, "planes", components=parts))


def test_what_gets_the_answers_of_another_model_does_not_act_on_those_about_people():
    boxes = [
        Component(id="desk", kind="service"),
        Component(id="writer", kind="model server"),
        Component(id="scorer", kind="batch scorer"),
        Component(id="scores", kind="prediction store"),
        Component(id="app", kind="client"),
        Component(id="log", kind="prediction log"),
    ]
    flows = [
        Flow(start="app", end="writer", carries="request"),
        Flow(start="writer", end="desk", carries="predictions"),
        Flow(start="scorer", end="scores", carries="predictions"),
    ]
    path = {"id": "nightly", "component": "scorer", "pattern": "pre-computed", "share": "100%"}
    wanted = {"prediction": {"type": "regression", "about_people": True}}
    design = Design(
        name="d", requirements=wanted, planes=Planes(components=boxes, flows=flows), pattern={"paths": [path]}
    )

    def said(one):
        return next(found.message for found in review(one) if found.code == "DATA012")

    assert "desk" not in said(design)
    acting = Flow(start="scores", end="desk", carries="predictions")
    assert "desk acts on its answers" in said(adding(design, "planes.flows", acting))


def test_a_ring_counts_predictions_of_one_device_where_the_rate_is_that_of_one():
    slow = setting(with_devices(), "requirements.throughput", peak="0.4 rps", mean="0.2 rps")
    assert codes(slow) == []  # 0.2 a second cannot be what 50,000 devices make together


def test_a_design_with_retrieval_that_is_not_released_yet_is_not_asked_how():
    assert {"SERV020", "SERV022"}.isdisjoint(codes(setting(with_retrieval(), "planes", release=None)))


# ---- experiments


def test_the_size_of_an_experiment_is_that_of_the_formula():
    needed = ab_sample_size(0.10, 0.005)
    at = partial(setting, in_full(), "experiments.limit", duration="7 d")
    enough = -(-needed * 2 // 7)
    assert codes(at(units_per_day=enough)) == []
    assert codes(at(units_per_day=enough - 1)) == ["EXP002"]


@pytest.mark.parametrize(
    ("looks", "truth"), [(1, 0.05), (2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193), (20, 0.248)]
)
def test_the_false_alarms_of_repeated_looks_are_those_of_the_published_table(looks, truth):
    assert false_alarms(0.05, looks) == pytest.approx(truth, abs=0.001)


def test_a_sequential_test_may_be_looked_at():
    at = partial(setting, in_full(), "experiments.limit", looks=5)
    assert codes(at()) == ["EXP003"]
    assert codes(at(question="Fewer customers lost? Group-sequential, O'Brien-Fleming")) == []
    assert codes(at(significance=0.0158, units_per_day=1_000_000)) == []  # Pocock's limit for five looks


@pytest.mark.parametrize("said", [None, "none", "No effect between users is known"])
def test_units_that_do_not_affect_each_other_may_be_users(said):
    assert codes(setting(in_full(), "experiments.limit", interference=said)) == []


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        ("accuracy", ["EXP006"]),
        ("ROC AUC", ["EXP006"]),
        ("AUC, and recall at 1,500 alerts", []),
        ("PR-AUC", []),
        ("precision", []),
    ],
)
def test_a_rare_class_needs_a_metric_that_shows_it(metric, found):
    bare = setting(
        in_full(), "planes.release", validation="No worse than the model in use, in each age group"
    )
    assert codes(setting(bare, "planes.release.gates.recall", metric=metric)) == found


def test_ranking_with_offline_gates_needs_an_experiment_or_a_reason():
    design = setting(in_full(), "requirements.prediction", type="ranking", base_rate=None).with_part(
        experiments=()
    )
    assert codes(design) == ["EXP007"]
    reason = [{"where": "experiments", "because": "A payment is not refused by lot"}]
    assert codes(design.with_part(does_not_apply=reason)) == []


# ---- all of them


@pytest.mark.parametrize("make", [in_full, with_retrieval, with_devices])
def test_taking_any_one_component_away_breaks_no_rule_down(make):
    design = make()
    for one in some(design.at("planes").components):
        try:
            fewer = without(design, f"planes.components.{one.id}")
        except DesignError:
            continue  # an alert or a gate names it
        assert all(finding.message for finding in review(fewer))


# ---- how often a provider is called


def with_a_share_of_its_own(share: str | None) -> Design:
    """Return a design in which a second provider stands in for the first, and gets some requests anyway."""
    needs = {"throughput": {"peak": "100 rps", "mean": "40 rps"}}
    calls = [
        Flow(start="gate", end="first", carries="request", id="ask", otherwise="spare", share="90%"),
        Flow(start="gate", end="second", carries="request", id="spare", share=share),
    ]
    parts = [
        Component(id="gate", kind="api gateway"),
        Component(id="first", kind="external service"),
        Component(
            id="second", kind="external service", quota={"requests": "5 rps"}, price={"per_request": "$0.01"}
        ),
    ]
    return Design(
        name="d",
        requirements=needs,
        planes={"components": parts, "flows": calls},
        capacity={"budget_per_month": "$1000"},
    )


def test_an_alternative_that_gets_requests_anyway_has_a_quota_and_a_bill_for_them():
    assert {"SERV001", "SERV005"} <= set(codes(with_a_share_of_its_own("10%")))
    assert {"SERV001", "SERV005", "SERV025"}.isdisjoint(codes(with_a_share_of_its_own(None)))


def test_a_quota_behind_one_of_several_entries_is_judged_by_their_shares_or_said_to_be_unknown():
    parts = [
        Component(id="app", kind="api gateway"),
        Component(id="partners", kind="api gateway"),
        Component(id="model", kind="model server"),
        Component(id="vendor", kind="external service", quota={"requests": "5 rps"}),
    ]

    def drawn(app: str | None, partners: str | None) -> Design:
        flows = [
            Flow(start="app", end="model", carries="request", share=app),
            Flow(start="partners", end="model", carries="request", share=partners),
            Flow(start="partners", end="vendor", carries="request", share=partners),
        ]
        needs = {"throughput": {"peak": "100 rps"}}
        return Design(name="d", requirements=needs, planes={"components": parts, "flows": flows})

    assert "SERV025" in codes(drawn(None, None))
    divided = codes(drawn("80%", "10%"))
    assert "SERV001" in divided
    assert "SERV025" not in divided


def test_a_limit_of_each_caller_is_not_compared_with_the_load_of_all():
    bureau = setting(in_full(), "planes.components.bureau", quota={"requests": "2 rps", "per": "developer"})
    assert "SERV001" not in codes(bureau)
