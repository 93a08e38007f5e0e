"""Rules on data, security, people and experiments: sound choices that they once refused, and what they passed."""

import pytest

from mlsd_helpers.design import Component, Design, Feature, Flow, Planes
from mlsd_helpers.review import review
from tests.review.mutations.fuller import adding, in_full, setting, with_retrieval

SALES = {
    "name": "Sales",
    "requirements": {"prediction": {"type": "binary classification", "base_rate": "3%"}},
}


def codes(design: Design) -> set[str]:
    return {one.code for one in review(design)}


def in_two_regions(**constraint: object) -> Design:
    """Return a design that keeps data of two unions apart, each in its own region, and serves in both."""
    parts = [
        Component(id="front", kind="api gateway", region=["eu-west-1", "us-east-1"]),
        Component(id="lake", kind="offline store", region="us-east-1"),
        Component(id="lake_eu", kind="offline store", region="eu-west-1"),
        Component(id="training", kind="training pipeline", region="us-east-1"),
    ]
    flows = [
        Flow(start="front", end="lake", carries="events", personal=True),
        Flow(start="front", end="lake_eu", carries="events", personal=True),
        Flow(start="lake", end="training", carries="batch", personal=True),
    ]
    kept = {
        "personal": True, "purpose": "Ranking", "basis": "consent", "retention": "90 d", "deletion": "By its key",
    }  # fmt: skip
    data = {
        "datasets": [
            {"id": "all", "kept_in": "lake", "region": "us-east-1", **kept},
            {"id": "union", "kept_in": "lake_eu", "region": "eu-west-1", **kept},
        ]
    }
    demand = {
        "id": "gdpr",
        "text": "Data of the union stay there",
        "region": "EU",
        "how": "Two lakes",
    } | constraint
    return Design(
        name="Two regions",
        requirements={"constraints": [demand]},
        planes=Planes(components=parts, flows=flows),
        data=data,
    )


def test_a_limit_of_regions_is_about_the_data_that_it_names():
    assert not {"DATA002", "DATA003"} & codes(in_two_regions(of="union"))


def test_a_limit_that_cannot_be_about_all_data_is_asked_what_it_is_about_and_refuses_nothing():
    found = [one for one in review(in_two_regions()) if one.code in {"DATA002", "DATA003"}]
    assert [one.where for one in found] == ["requirements.constraints.gdpr.of"]


@pytest.mark.parametrize("of", ["union", ()])
def test_data_that_leave_their_region_are_found_among_data_that_may(of):
    copied = Flow(start="lake_eu", end="lake", carries="batch", personal=True)
    design = adding(in_two_regions(of=of), "planes.flows", copied)
    assert [one.where for one in review(design) if one.code == "DATA002"] == ["planes.components.lake.region"]


def test_one_region_for_all_is_stated_once_and_is_not_that_of_a_provider():
    parts = [one.changed(region=()) for one in in_full().at("planes").components]
    design = setting(in_full(), "planes", components=parts, region="eu-west-1")
    asked = [one.message for one in review(design) if one.code == "DATA003"]
    assert len(asked) == 1
    assert "bureau" in asked[0]
    assert "features" not in asked[0]


def test_labels_that_are_kept_add_up_over_trainings():
    design = setting(in_full(), "requirements.labels", items="1 million")
    assert "DATA016" in codes(design)
    assert "DATA016" not in codes(setting(design, "requirements.labels", kept_for="365 d"))


def test_a_protected_feature_may_be_allowed_by_law():
    design = setting(
        in_full(), "dataflow.features.ip_country", protected=True, allowed_by="Sanctions act, paragraph 4"
    )
    assert "DATA011" not in codes(design)


def test_who_ranks_at_once_needs_nobody_between():
    design = setting(in_full(), "requirements.prediction", type="ranking")
    parts = [one for one in design.at("planes").components if one.id != "analysts"]
    flows = [flow for flow in design.at("planes").flows if "analysts" not in {flow.start, flow.end}]
    assert "DATA012" not in codes(setting(design, "planes", components=parts, flows=flows))


def test_people_whom_no_answer_reaches_review_nothing():
    flows = [flow for flow in in_full().at("planes").flows if flow.end != "analysts"]
    assert "DATA012" in codes(setting(in_full(), "planes", flows=flows))


def test_a_chat_of_several_turns_is_one_case():
    many = setting(in_full(), "planes.components.analysts", rate="100 per h")
    assert "SERV008" in codes(many)
    assert "SERV008" not in codes(setting(many, "planes.components.analysts", requests_per_case=4))


def test_a_guardrail_may_fall_back_to_a_simpler_check():
    guard = Component(id="guard", kind="guardrail", owner="Assistant")
    call = Flow(
        start="gateway", end="guard", carries="request", fails="open", fallback="A list of forbidden words"
    )
    design = adding(adding(with_retrieval(), "planes.components", guard), "planes.flows", call)
    assert "SEC007" not in codes(design)
    at = len(design.at("planes").flows) - 1
    assert "SEC007" in codes(setting(design, f"planes.flows.{at}", fallback="Go on as if it had passed"))


def test_a_provider_that_is_called_and_answers_is_one_finding_and_readers_are_none():
    bare = [flow.changed(auth=None) for flow in in_full().at("planes").flows]
    back = Flow(start="bureau", end="history", carries="batch", check="Schema", personal=False)
    design = adding(setting(in_full(), "planes", flows=bare), "planes.flows", back)
    found = [one for one in review(design) if one.code == "SEC001"]
    assert len(found) == 1
    readers = setting(in_full(), "planes.components.analysts", trust_zone="outside")
    assert "SEC001" not in codes(readers)


def test_what_comes_with_the_request_leaks_no_future():
    features = [Feature(id="amount", source="request"), Feature(id="hour", source="request")]
    design = Design(name="All in the request", dataflow={"features": features, "join": "latest value"})
    assert "FLOW013" not in codes(design)


def test_a_cache_in_a_server_is_filled_by_its_own_calls():
    design = Design.parse(
        """
        name: Cache
        planes:
          components:
          - {id: clicks, kind: event stream}
          - {id: store, kind: feature store}
          - {id: ranker, kind: model server}
          flows:
          - {from: clicks, to: store, carries: events}
          - {from: ranker, to: store, carries: features}
        dataflow:
          stages:
          - {id: online, delays: 2 s, store: online, component: store}
          - {id: copy, ttl: 10 s, component: ranker}
          features:
          - {id: clicks_1m, source: clicks, path: [online, copy]}
        """
    )
    assert not {"FLOW008", "FLOW004"} & codes(design)


def test_arms_that_share_a_budget_may_be_kept_apart():
    shared = setting(in_full(), "experiments.limit", interference="Both arms spend the budget of a campaign")
    assert "EXP004" in codes(shared)
    assert "EXP004" not in codes(setting(shared, "experiments.limit", isolated_by="A budget for each arm"))
    said = setting(
        in_full(), "experiments.limit", interference="Each arm has its share of every campaign's budget"
    )
    assert "EXP004" not in codes(said)


def test_a_mean_needs_the_units_of_its_formula():
    mean = {
        "metric": "Minutes per user",
        "baseline": None,
        "variation": 2.0,
        "effect": "5%",
        "units_per_day": None,
    }
    needed = 25_117  # 2 x (1.95996 + 0.84162)^2 x (2 / 0.05)^2
    assert "EXP002" in codes(setting(in_full(), "experiments.limit", **mean, units=2 * needed - 2))
    assert "EXP002" not in codes(setting(in_full(), "experiments.limit", **mean, units=2 * needed + 2))


def test_a_result_may_be_read_long_after_the_last_unit_has_entered():
    early = setting(in_full(), "experiments.limit", outcome_after="60 d")
    assert "EXP010" in codes(early)
    assert not {"EXP002", "EXP010"} & codes(setting(early, "experiments.limit", read_after="74 d"))


def test_labels_that_users_give_by_what_they_do_cost_nothing():
    labels = {"source": "Clicks", "delay": "1 h", "yield": "100%"}
    design = Design(**SALES | {"requirements": SALES["requirements"] | {"labels": labels}})
    assert "REQ015" not in codes(design)
    bought = Design(
        **SALES | {"requirements": SALES["requirements"] | {"labels": labels | {"source": "Annotators"}}}
    )
    assert "REQ015" in codes(bought)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Records are kept for at least 10 weeks", True),
        ("Data are stored for at most 30 days", True),
        ("Data are deleted within 30 days of a request", False),
        ("Answers come within 3 days", False),
    ],
)
def test_a_retention_in_plain_words_is_held_against_the_data(words, found):
    constraint = {"id": "kept", "text": words, "of": "payments", "how": "A job"}
    design = setting(in_full(), "data.datasets.payments", retention="60 d")
    limits = [*design.at("requirements").constraints, constraint]
    assert ("DATA021" in codes(setting(design, "requirements", constraints=limits))) is found
