"""What a field says decides, where a rule on data, law or release read words before."""

import pytest

from mlsd_helpers.design import Constraint, Design
from mlsd_helpers.review import rules_called
from tests.review.mutations.fuller import adding, in_full, setting


def found(design: Design, code: str) -> str:
    """Return what one rule says of a design."""
    (rule,) = rules_called([code])
    return " ".join(one.message for one in rule(design))


# ---- labels of cases that were chosen


ACCEPTED = {"explored": None, "selection": "Payments that were let through", "corrected_by": None}


@pytest.mark.parametrize("negatives", ["outcome", "sampled", "judged", None])
@pytest.mark.parametrize("known_for", ["accepted", "flagged", "reported"])
def test_labels_of_accepted_cases_are_biased_however_negatives_are_made(negatives, known_for):
    design = setting(
        in_full(), "requirements.labels", **ACCEPTED, negatives=negatives, known_for=known_for, items=None
    )
    assert found(design, "DATA014")
    assert not found(setting(design, "requirements.labels", explored="1%"), "DATA014")
    assert not found(setting(design, "requirements.labels", corrected_by="Propensities"), "DATA014")


@pytest.mark.parametrize("known_for", ["all", "random sample"])
def test_an_outcome_that_is_known_for_all_needs_no_exploration_whatever_the_words(known_for):
    words = {**ACCEPTED, "selection": "Also those that were refused and flagged"}
    design = setting(in_full(), "requirements.labels", **words, known_for=known_for, negatives="outcome")
    assert not found(design, "DATA014")


def test_an_outcome_of_some_is_none_of_each_case():
    few = setting(
        in_full(), "requirements.labels", **ACCEPTED, negatives="outcome", label_yield="55%", items=None
    )
    assert found(few, "DATA014")
    assert not found(setting(few, "requirements.labels", label_yield="99%"), "DATA014")


# ---- who decides itself what it does with data


def with_role(role: str, **terms: object) -> Design:
    return setting(in_full(), "planes.components.bureau.terms", role=role, **terms)


def test_a_controller_is_not_asked_for_what_a_processor_promises():
    silent = with_role("processor", retention=None, trains_on_our_data=None)
    assert "retention" in found(silent, "DATA005")
    assert not found(with_role("controller", retention=None, trains_on_our_data=None), "DATA005")
    assert found(with_role("controller", agreement=None), "DATA004")


def test_what_a_controller_keeps_is_no_copy_of_ours():
    kept = in_full().at("data.datasets.payments.kept_in")
    ours = [name for name in kept if name != "bureau"]
    apart = [
        setting(with_role(role), "data.datasets.payments", kept_in=ours)
        for role in ("processor", "controller")
    ]
    assert ["bureau" in found(design, "DATA008") for design in apart] == [True, False]
    longer = [with_role(role, retention="5 years") for role in ("processor", "controller")]
    assert [bool(found(design, "DATA009")) for design in longer] == [True, False]
    erased = [
        setting(design, "data.datasets.payments", deletion=None, deleted_by="history") for design in longer
    ]
    assert ["bureau" in found(design, "DATA010") for design in erased] == [True, False]


def test_a_copy_whose_deletion_is_told_by_its_name_needs_no_flow():
    design = setting(in_full(), "data.datasets.payments", deleted_by="history")
    flow = {"from": "history", "to": "features", "carries": "command"}
    design = setting(
        adding(design, "planes.flows", flow), "data.datasets.payments", deletion="By customer number"
    )
    assert "disputes" in found(design, "DATA010")
    told = "By customer number; in payments, disputes, scores and the bureau by age after a week"
    assert not found(setting(design, "data.datasets.payments", deletion=told), "DATA010")


# ---- duties of contracts, and places


FEED = """
name: Feed
requirements:
  prediction: {type: ranking}
  constraints: [{id: licences, text: Only licensed tracks are played, from: contract, met_by: filters, how: A list}]
planes:
  components:
  - {id: app, kind: client}
  - {id: feed, kind: orchestrator}
  - {id: ranker, kind: model server}
  - {id: filters, kind: business rules}
  - {id: mixes, kind: prediction store}
  - {id: nightly, kind: batch scorer}
  flows:
  - {from: app, to: feed, carries: request}
  - {id: to_ranker, from: feed, to: ranker, carries: request}
  - {id: to_filters, from: feed, to: filters, carries: request, after: to_ranker, fallback: Unfiltered, fails: open}
  - {id: to_mixes, from: feed, to: mixes, carries: request}
  - {id: nightly_mixes, from: nightly, to: mixes, carries: predictions}
"""


def feed() -> Design:
    return Design.parse(FEED)


def test_what_meets_a_contract_may_not_be_left_out_either():
    assert "licences" in found(feed(), "DATA033")
    assert not found(setting(feed(), "planes.flows.to_filters", fails="closed"), "DATA033")
    assert not found(setting(feed(), "requirements.constraints.licences", held_without=True), "DATA033")


def test_without_what_stands_before_the_model_nothing_goes_on():
    design = adding(feed(), "planes.flows", {"from": "filters", "to": "ranker", "carries": "request"})
    assert not found(design, "DATA033")


LABELS_ABROAD = """
name: Meters
requirements:
  prediction: {type: regression}
  constraints: [{id: eu, text: Readings stay here, from: law, of: readings, region: EU, met_by: lake}]
planes:
  region: eu-central-1
  components:
  - {id: lake, kind: offline store}
  - {id: weather, kind: external service, region: us-east-1, terms: {agreement: Licence, retention: 0 s}}
  - {id: ingest, kind: ingestion}
  flows:
  - {id: out, from: lake, to: weather, carries: labels, personal: true}
  - {from: weather, to: ingest, carries: batch}
  - {from: ingest, to: lake, carries: batch, personal: true}
data:
  datasets:
  - {id: readings, what: Readings of a household, personal: true, kept_in: lake, region: EU}
"""


def test_personal_labels_leave_a_region_as_other_data_do_whatever_is_agreed():
    design = Design.parse(LABELS_ABROAD)
    assert "lake → weather" in found(design, "DATA002")
    assert "lake → weather" in found(setting(design, "requirements.constraints.eu", of=()), "DATA002")
    assert not found(setting(design, "planes.flows.out", personal=None), "DATA002")


def test_a_limit_on_some_data_is_no_ground_for_the_others():
    clicks = {"id": "clicks", "what": "Clicks of a household", "personal": True, "kept_in": "ingest"}
    design = adding(Design.parse(LABELS_ABROAD), "data.datasets", clicks)
    flow = {"from": "ingest", "to": "weather", "carries": "events", "personal": True, "without": "readings"}
    flows = [one for one in design.at("planes").flows if one.id != "out"]
    design = adding(setting(design, "planes", flows=flows), "planes.flows", flow)
    assert "ingest → weather" in found(design, "DATA027")
    agreed = setting(design, "planes.components.weather.terms", agreement="Standard contractual clauses")
    assert not found(agreed, "DATA027")


# ---- people who review


def test_a_demanded_review_needs_people_who_are_named_and_whom_something_reaches():
    demand = Constraint(id="art22", text="A person can change it", demands="human review", how="By phone")
    design = setting(in_full(), "requirements", constraints=[demand])
    assert not found(in_full(), "DATA012")
    assert "art22" in found(design, "DATA012")
    assert not found(setting(design, "requirements.prediction", reviewed_by="analysts"), "DATA012")
    idle = adding(design, "planes.components", {"id": "appeals", "kind": "people"})
    assert found(setting(idle, "requirements.prediction", reviewed_by="appeals"), "DATA012")
