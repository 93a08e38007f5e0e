"""What a field says decides, where a rule on data, law or release read words before."""

import pytest

from mlsd_helpers.design import Constraint, Design
from mlsd_helpers.review import rules_called, scope
from tests.review.mutations import STARTS
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


def test_a_demanded_review_needs_people_who_are_named():
    demand = Constraint(id="art22", text="A person can change it", demands="human review", how="By phone")
    design = setting(in_full(), "requirements", constraints=[demand])
    assert not found(in_full(), "DATA012")
    assert "art22" in found(design, "DATA012")
    assert not found(setting(design, "requirements.prediction", reviewed_by="analysts"), "DATA012")


# ---- what is tried again, and what fails


def test_what_is_tried_again_is_a_call_whatever_it_carries():
    flow = {
        "id": "post",
        "from": "scorer",
        "to": "ledger",
        "carries": "command",
        "timeout": "1 s",
        "retries": 2,
    }
    design = adding(in_full(), "planes.components", {"id": "ledger", "kind": "service", "owner": "IT"})
    design = adding(design, "planes.flows", flow)
    assert "scorer → ledger" in found(design, "PLANE076")
    assert not found(setting(design, "planes.flows.post", retries=0), "PLANE076")
    assert not found(setting(design, "planes.flows.post", idempotent=True), "PLANE076")
    assert found(setting(design, "planes.flows.post", idempotent=False), "PLANE042")
    assert "ledger" not in found(design, "PLANE004")  # a department is called so


def test_a_score_that_costs_little_may_be_asked_for_twice():
    design = setting(in_full(), "planes.flows.ask_bureau", idempotent=None)
    assert not found(design, "PLANE076")
    assert found(setting(design, "planes.components.bureau", price={"per_request": "$0.90"}), "PLANE076")


PAYING = """
name: Claims
requirements: {throughput: {peak: 10 rps, mean: 2 rps}}
planes:
  components:
  - {id: gate, kind: api gateway}
  - {id: model, kind: model server}
  - {id: rules, kind: business rules}
  - {id: payout, kind: service}
  - {id: bank, kind: external service, quota: {requests: 5 rps}}
  - {id: register, kind: external service}
  - {id: clerks, kind: people, plane: serving}
  flows:
  - {from: gate, to: model, carries: request}
  - {from: gate, to: rules, carries: predictions, timeout: 1 s}
  - {id: pay, from: rules, to: payout, carries: WORD, share: 80%, timeout: 5 s, retries: 3}
  - {id: transfer, from: payout, to: bank, carries: WORD, timeout: 10 s, retries: 3, fallback: Wait in the outbox}
  - {id: ask, from: rules, to: clerks, carries: WORD, share: 20%, timeout: 5 s, retries: 3}
  - {id: look_up, from: gate, to: register, carries: request, timeout: 1 s, retries: 1}
"""


@pytest.mark.parametrize("word", ["command", "request"])
def test_what_carries_a_decision_out_acts_whatever_word_carries_it(word):
    said = found(Design.parse(PAYING.replace("WORD", word)), "PLANE076")
    assert all(arrow in said for arrow in ("rules → payout", "payout → bank", "rules → clerks"))
    assert "register" not in said  # it is asked for a fact, before anything is decided


def test_what_fails_open_is_asked_for_a_fact():
    design = Design.parse(PAYING.replace("WORD", "request"))
    assert "payout → bank" not in found(setting(design, "planes.flows.transfer", fails="open"), "PLANE076")


def test_a_task_that_may_wait_misses_the_peak_of_a_quota_but_not_its_mean():
    design = Design.parse(PAYING.replace("WORD", "command"))
    assert not found(design, "SERV001")
    assert found(setting(design, "planes.components.bank", quota={"requests": "1 rps"}), "SERV001")
    assert found(setting(design, "planes.flows.transfer", fallback=None), "SERV001")


def with_modes(*modes: dict[str, object], **ranker: object) -> Design:
    design = setting(feed(), "planes.flows.to_ranker", **ranker)
    return setting(design, "requirements", failure_modes=modes)


def test_the_loss_of_a_region_says_nothing_of_the_loss_of_one_part():
    region = {"id": "region", "failure": "All is lost", "of": ["ranker", "filters"], "fails": "closed"}
    alone = {"id": "alone", "failure": "The model is lost", "of": "ranker", "fails": "open"}
    assert found(with_modes(region, fails="open"), "DATA036")
    assert not found(with_modes(region, alone, fails="open"), "DATA036").count("ranker")
    assert not found(with_modes(region | {"to_region": "eu-west-1"}, fails="open"), "DATA036")


def test_an_alternative_that_is_closed_for_its_own_failure_answers():
    mode = {"id": "down", "failure": "The model is lost", "of": "ranker", "fails": "open"}
    design = with_modes(mode, otherwise="to_mixes")
    assert not found(setting(design, "planes.flows.to_mixes", fails="closed"), "DATA036")


def test_an_alternative_asks_the_store_whose_answers_it_carries():
    design = setting(feed(), "planes.flows.to_ranker", otherwise="to_mixes")
    for_all = setting(design, "planes.flows.to_mixes", carries="predictions", timeout="10 ms")
    said = found(for_all, "PLANE075")
    assert "nightly → mixes" in said
    assert "feed → mixes" not in said
    personal = setting(for_all, "planes.flows.to_mixes", personal=True)
    kept = [scope.personal_data(one, one.at("planes")).stored_in for one in (personal, design)]
    assert kept == [set(), set()]


# ---- alerts


RUN = """
name: Nightly
requirements:
  schedule: {calendar: each night, starts: "01:00", due: "06:00", items: 1000}
planes:
  components:
  - {id: clock, kind: scheduler}
  - {id: nightly, kind: batch scorer}
  - {id: board, kind: prediction store}
  - {id: metrics, kind: metrics}
  flows:
  - {from: clock, to: nightly, carries: command}
  - {from: nightly, to: board, carries: predictions}
  - {from: nightly, to: metrics, carries: metrics}
  alerts:
  - {id: night, raised_by: metrics, watches: infrastructure, of: nightly, metric: items of the run}
"""


def test_an_alert_on_what_has_not_come_is_known_by_its_field():
    design = Design.parse(RUN)
    assert found(design, "PLANE049")
    assert "night" in found(design, "PLANE019")
    absent = setting(design, "planes.alerts.night", raised_on="absence")
    assert not found(absent, "PLANE049")
    assert not found(absent, "PLANE019")


@pytest.mark.parametrize(
    "metric", ["runs that are not done at their due time", "contracts not done at 05:00"]
)
def test_a_time_of_day_or_what_is_not_done_is_a_deadline(metric):
    assert not found(setting(Design.parse(RUN), "planes.alerts.night", metric=metric), "PLANE049")


@pytest.mark.parametrize(
    ("threshold", "asked"),
    [
        ("1 passage", False),
        ("above 20 cases", False),
        ("2%", True),
        ("120 s", True),
        ("0.1", True),
        ("3 points", True),
    ],
)
def test_a_number_of_things_needs_no_number_of_observations(threshold, asked):
    fields = {"watches": "quality", "metric": "passages of others", "threshold": threshold, "window": "1 d"}
    assert bool(found(setting(Design.parse(RUN), "planes.alerts.night", **fields), "PLANE019")) is asked


# ---- texts, and where a deletion begins


def test_answers_that_readers_judge_are_judged_by_those_who_react():
    texts = {"type": "generation", "about_people": None, "acted_on": None}
    design = setting(in_full(), "requirements.prediction", **texts)
    few = {"selection": None, "explored": None, "rest_on": "behaviour", "label_yield": "2%", "items": None}
    design = setting(design, "requirements.labels", **few)
    said = found(design, "DATA014")
    assert "2%" in said
    assert "decided at random" not in said
    assert not found(setting(design, "requirements.labels", known_for="random sample"), "DATA014")


ORIGIN = """
name: Passages
planes:
  components:
  - {id: dms, kind: external service}
  - {id: changes, kind: event stream}
  - {id: index, kind: vector index}
  - {id: eraser, kind: batch pipeline}
  flows:
  - {from: dms, to: changes, carries: events}
  - {from: changes, to: index, carries: events}
  - {from: eraser, to: index, carries: command}
data:
  datasets:
  - {id: documents, what: A document, personal: true, kept_in: [dms, changes, index], deleted_by: eraser}
"""


def test_a_deletion_begins_where_the_data_come_from():
    design = Design.parse(ORIGIN)
    said = found(design, "DATA010")
    assert "changes" in said
    assert "dms" not in said
    told = setting(design, "data.datasets.documents", deletion="Topics keep a week")
    assert not found(told, "DATA010")


def test_who_tells_who_may_read_keeps_none_of_what_is_read():
    design = STARTS["with retrieval"]()
    drawn = [{"id": "acl", "kind": "service"}, {"id": "files", "kind": "raw source"}]
    kept = {"id": "texts", "what": "A text", "personal": True, "kept_in": ["index", "files"]}
    design = adding(design, "planes.components", *drawn).with_part(data={"datasets": [kept]})
    asking = next(flow.end for flow in design.at("planes").flows if flow.carries == "request")
    fed = {"from": "files", "to": "acl", "carries": "batch"}
    design = adding(design, "planes.flows", fed, {"from": asking, "to": "acl", "carries": "request"})
    assert "acl" not in found(design, "SEC010")
    also = setting(design, "data.datasets.texts", kept_in=["index", "files", "acl"])
    assert "acl" in found(also, "SEC010")


# ---- what a rollback leaves


EDITORS = {"id": "editors", "kind": "people"}


def test_stored_answers_outlive_a_rollback_however_they_come_to_their_store():
    release = {"rollback_to": "The model before", "rollback_time": "5 min", "versioned_together": "model"}
    through = {"from": "nightly", "to": "editors", "carries": "predictions"}
    stored = {"from": "editors", "to": "mixes", "carries": "predictions"}
    flows = [one for one in feed().at("planes").flows if one.id != "nightly_mixes"]
    design = adding(setting(feed(), "planes", flows=flows, release=release), "planes.components", EDITORS)
    design = adding(design, "planes.flows", through, stored)
    assert "predictions" in found(design, "PLANE053")
    both = setting(design, "planes.release", versioned_together=["model", "predictions"])
    assert not found(both, "PLANE053")


INDEXED = """
name: Tracks
requirements:
  prediction: {type: ranking}
planes:
  components:
  - {id: app, kind: client}
  - {id: ranker, kind: model server}
  - {id: index, kind: vector index}
  - {id: training, kind: training pipeline}
  - {id: embedding, kind: batch pipeline}
  flows:
  - {from: app, to: ranker, carries: request}
  - {from: ranker, to: index, carries: request}
  - {from: training, to: ranker, carries: model}
  - {id: embeds, from: training, to: embedding, carries: model}
  - {from: embedding, to: index, carries: batch}
  release: {of: ranker, rollback_to: The model before, rollback_time: 5 min, versioned_together: model}
"""


def test_an_index_goes_back_with_the_model_that_fills_it():
    design = Design.parse(INDEXED)
    assert "index" in found(design, "PLANE053")
    assert not found(setting(design, "planes.release", versioned_together=["model", "index"]), "PLANE053")
    flows = [one for one in design.at("planes").flows if one.id != "embeds"]
    others = setting(design, "planes", flows=flows)
    assert not found(others, "PLANE053")
    reading = adding(others, "planes.flows", {"from": "ranker", "to": "index", "carries": "features"})
    assert not found(reading, "PLANE053")  # who reads the index fills it with nothing


# ---- what meets a constraint, on each way and in time


def test_answers_that_are_fetched_beside_a_check_go_around_it():
    assert "feed → mixes" in found(feed(), "DATA042")
    for after in (["to_ranker", "to_mixes"], ()):  # the check sees both, or it is not said what it sees
        assert not found(setting(feed(), "planes.flows.to_filters", after=after), "DATA042")
    other_way = setting(feed(), "planes.flows.to_ranker", otherwise="to_mixes")
    assert not found(other_way, "DATA042")  # in place of what the check sees
    assert not found(setting(feed(), "requirements.constraints.licences", of="plays"), "DATA042")


def test_what_meets_a_constraint_is_no_older_than_its_deadline():
    stages = [{"id": "nightly", "period": "1 d", "delays": "1 h", "component": "filters"}]
    design = feed().with_part(dataflow={"stages": stages})
    assert not found(design, "FLOW019")
    assert "licences" in found(setting(design, "requirements.constraints.licences", within="5 h"), "FLOW019")
    assert not found(setting(design, "requirements.constraints.licences", within="30 h"), "FLOW019")


WALLS = """
name: Assistant
requirements:
  prediction: {type: generation}
planes:
  components:
  - {id: browser, kind: client}
  - {id: assistant, kind: orchestrator}
  - {id: index, kind: vector index}
  - {id: writer, kind: model server}
  flows:
  - {from: browser, to: assistant, carries: request}
  - {from: assistant, to: index, carries: request}
  - {from: assistant, to: writer, carries: request}
pattern:
  paths:
  - {id: ask, component: writer, pattern: request-time, cache: {key: [question, index version], ttl: 1 h}}
data:
  datasets:
  - {id: files, confidential: true, belongs_to: matters of clients, separated_by: own namespace, kept_in: index}
"""


def test_a_kept_answer_is_for_those_who_may_read_what_it_was_made_of():
    design = Design.parse(WALLS)
    assert "files" in found(design, "SEC016")
    for key in (["question", "matters of the user"], ["question", "client"]):
        assert not found(setting(design, "pattern.paths.ask.cache", key=key), "SEC016")
    assert not found(setting(design, "pattern.paths.ask.cache", shared_by="one owner"), "SEC016")
    told = setting(design, "pattern.paths.ask.cache", key=["question", "user"], shared_by="everybody")
    assert found(told, "SEC016")
    for public in ({"belongs_to": None, "separated_by": None}, {"confidential": None}):
        assert not found(setting(design, "data.datasets.files", **public), "SEC016")
