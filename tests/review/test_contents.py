"""Where what a store holds goes, whose it is, and how negatives are made: rules that follow calls and fields."""

import pytest

from mlsd_helpers.design import Component, Design, Flow, Planes
from mlsd_helpers.review import Finding, review
from tests.review.mutations import STARTS
from tests.review.mutations.fuller import adding, setting, without

KINDS = {
    "editor": "service", "front": "api gateway", "builder": "orchestrator", "index": "vector index",
    "own": "model server", "vendor": "external service", "log": "prediction log", "training": "training pipeline",
}  # fmt: skip
CALLS = (
    ("editor", "front"),
    ("front", "builder"),
    ("builder", "index"),
    ("builder", "own"),
    ("builder", "vendor"),
)


def of_customers(vendor_in: str = "us-east-1", **more: object) -> Design:
    """Return an assistant that reads customers' files, which a contract keeps in one region, and asks a vendor."""
    region = {"vendor": vendor_in}
    parts = [
        Component(id=name, kind=kind, region=region.get(name, "eu-west-1")) for name, kind in KINDS.items()
    ]
    flows = [Flow(start=start, end=end, carries="request", id=f"{start}_{end}") for start, end in CALLS]
    flows.append(Flow(start="builder", end="log", carries="predictions"))
    flows.append(Flow(start="log", end="training", carries="batch"))
    files = {"id": "files", "what": "A customer's files", "personal": False, "kept_in": "index"}
    limit = {
        "id": "place",
        "text": "Files stay",
        "from": "contract",
        "of": "files",
        "region": "EU",
        "how": "Cells",
    }
    return Design(
        name="Assistant",
        requirements={"prediction": {"type": "generation"}, "constraints": [limit]},
        planes=Planes(components=parts, flows=flows),
        data={"datasets": [files | more]},
    )


def found(design: Design, code: str) -> list[Finding]:
    return [one for one in review(design) if one.code == code]


def test_what_a_store_returns_is_followed_into_the_call_of_a_vendor_elsewhere():
    assert [one.where for one in found(of_customers(), "DATA002")] == ["planes.components.vendor.region"]


def test_a_vendor_in_the_region_may_get_it():
    assert not found(of_customers("eu-central-1"), "DATA002")


def test_a_flow_says_which_set_of_data_does_not_go_along():
    kept_back = setting(of_customers(), "planes.flows.builder_vendor", without="files")
    assert not found(kept_back, "DATA002")


def test_data_that_are_secret_and_not_personal_go_along_flows_that_are_not_personal():
    assert found(setting(of_customers(), "planes.flows.builder_vendor", personal=False), "DATA002")


def test_who_also_asks_one_inside_the_region_chooses_by_region():
    second = Component(id="vendor_eu", kind="external service", region="eu-west-1")
    design = adding(of_customers(), "planes.components", second)
    design = adding(design, "planes.flows", Flow(start="builder", end="vendor_eu", carries="request"))
    assert not found(design, "DATA002")


def test_an_answer_is_what_the_model_wrote_and_not_what_it_read():
    assert not found(
        setting(of_customers("eu-west-1"), "planes.components.front", region="us-east-1"), "DATA002"
    )
    assert not found(
        setting(of_customers("eu-west-1"), "planes.components.log", region="us-east-1"), "DATA002"
    )


def labelled(**labels: object) -> Design:
    needs = {"prediction": {"type": "generation"}, "labels": {"source": "Telemetry of the editor", **labels}}
    return Design(name="Completion", requirements=needs)


@pytest.mark.parametrize(
    "labels",
    [
        {"definition": "Accepted is positive, everything else is negative", "selection": "All requests"},
        {"negatives": "not chosen", "explored": "1%"},
        {"negatives": "shown and not chosen"},
        {"source": "Complaints of readers", "negatives": "nothing heard", "selection": "All answers"},
    ],
)
def test_negatives_that_are_silence_are_biased_whatever_is_predicted(labels):
    assert found(labelled(**labels), "DATA014")


@pytest.mark.parametrize(
    "labels",
    [
        {"negatives": "shown and not chosen", "explored": "1%"},
        {"negatives": "shown and not chosen", "corrected_by": "Weights by position"},
        {"negatives": "judged"},
        {"source": "Answers rated by two readers each"},
    ],
)
def test_negatives_that_are_known_or_corrected_are_sound(labels):
    assert not found(labelled(**labels), "DATA014")


def test_a_limiter_that_the_gateway_asks_protects_what_the_gateway_calls():
    parts = [
        Component(id="app", kind="service", trust_zone="customer"),
        Component(id="limiter", kind="rate limiter"),
    ]
    outside = setting(of_customers(), "planes.components.editor", trust_zone="customer")
    assert found(outside, "SEC003")
    limited = adding(outside, "planes.components", *parts)
    limited = adding(limited, "planes.flows", Flow(start="front", end="limiter", carries="request"))
    assert not found(limited, "SEC003")


def test_a_store_that_filters_needs_no_words_about_who_asks():
    asked = setting(of_customers("eu-west-1"), "planes.flows.builder_index", auth="mTLS")
    assert found(asked, "SEC010")
    assert not found(setting(asked, "data.datasets.files", separated_by="own namespace"), "SEC010")


def test_what_belongs_to_customers_and_gets_to_a_vendor_needs_terms():
    assert found(of_customers("eu-west-1"), "DATA005")
    assert not found(of_customers("eu-west-1", confidential=False), "DATA005")


def test_a_personal_request_is_passed_on_to_a_vendor_over_several_calls():
    marked = setting(of_customers(confidential=False), "planes.flows.editor_front", personal=True)
    assert found(marked, "DATA005")
    assert not found(setting(marked, "planes.flows.builder_vendor", personal=False), "DATA005")


def test_a_retention_may_be_as_long_as_a_contract():
    kept = {
        "personal": True,
        "purpose": "Search",
        "basis": "contract",
        "deletion": "By its key",
        "readers": "Search",
    }
    assert found(of_customers(**kept), "DATA007")
    assert not found(of_customers(**kept, kept_as_long_as="the contract of the customer"), "DATA007")


def test_a_word_about_tokens_does_not_say_when_answers_are_checked():
    latency = {"budget": "2 s", "percentile": "p95", "first_token": "300 ms"}
    design = setting(of_customers(), "requirements", latency=latency)
    guard = {"id": "guard", "kind": "guardrail", "does": "Answers: fingerprints of 60 tokens"}
    after = Flow(start="builder", end="guard", carries="request")
    late = adding(adding(design, "planes.components", Component(**guard)), "planes.flows", after)
    assert found(late, "SEC006")
    assert not found(setting(late, "planes.components.guard", checks_answers="piece by piece"), "SEC006")
    for taken, is_told in (("100 ms", False), ("900 ms", True)):
        whole = setting(late, "planes.components.guard", checks_answers="whole", latency=taken)
        said = [one.message for one in review(whole) if one.code == "SEC006"]
        assert ["promised within 300 ms" in one for one in said] == [is_told]


def test_trivial_gaps_are_not_asked_for():
    decision = {"id": "own", "chose": "Own model", "over": "A vendor", "because": "A tenth of the price"}
    risk = {"id": "price", "text": "Prices rise", "likelihood": "medium", "impact": "medium"}
    design = Design(
        name="d", decisions=[decision], risks=[risk], data={"training": {"snapshot": "v", "code": "v"}}
    )
    assert {one.code for one in review(design)}.isdisjoint({"DEC001", "DEC003", "DATA018"})


def test_a_component_that_meets_the_law_alone_does_not_fail_open():
    law = {
        "id": "list",
        "text": "Nobody on the list",
        "from": "law",
        "met_by": "index",
        "how": "Each is looked up",
    }
    design = setting(of_customers(), "requirements", constraints=[law])
    opened = setting(design, "planes.flows.builder_index", fails="open", fallback="Looked up at night")
    assert found(opened, "DATA033")
    both = setting(opened, "requirements.constraints.list", met_by=["index", "front"])
    assert found(both, "DATA033")
    assert not found(setting(both, "requirements.constraints.list", needs="any"), "DATA033")


def test_many_components_in_a_region_that_is_not_allowed_are_one_finding_at_their_cause():
    parts = [one.changed(region=()) for one in of_customers().planes.components]
    moved = setting(of_customers(), "planes", components=parts, region="us-east-1")
    (one,) = found(moved, "DATA002")
    assert one.where == "planes.region"


def test_a_provider_keeps_what_it_gets_no_longer_than_a_constraint_allows():
    limit = {
        "id": "month",
        "text": "Gone after 30 d",
        "from": "contract",
        "of": "files",
        "kept_at_most": "30 d",
    }
    terms = {"agreement": "Contract of May", "trains_on_our_data": False, "retention": "90 d"}
    design = setting(of_customers("eu-west-1"), "requirements", constraints=[limit])
    assert found(setting(design, "planes.components.vendor", terms=terms), "DATA021")
    assert not found(
        setting(design, "planes.components.vendor", terms=terms | {"retention": "30 d"}), "DATA021"
    )


def test_people_to_whom_somebody_can_turn_review_a_decision():
    wanted = {"type": "binary classification", "about_people": True, "explained": "A reason in the letter"}
    design = setting(of_customers(), "requirements", prediction=wanted)
    assert found(design, "DATA012")
    appeals = adding(design, "planes.components", Component(id="office", kind="people"))
    reached = adding(appeals, "planes.flows", Flow(start="front", end="office", carries="request"))
    assert not found(reached, "DATA012")


def test_labels_of_a_part_of_the_predictions_say_of_which():
    labels = {"source": "Trips that were made", "yield": "70%"}
    needs = {"prediction": {"type": "regression"}, "labels": labels}
    assert found(Design(name="Arrival", requirements=needs), "DATA014")
    said = needs | {"labels": labels | {"selection": "All trips of drivers drawn at random"}}
    assert not found(Design(name="Arrival", requirements=said), "DATA014")


def test_a_form_that_people_answer_is_no_costly_part():
    parts = [Component(id="app", kind="service", trust_zone="customer"), Component(id="form", kind="service")]
    design = Design(
        name="d", planes=Planes(components=parts, flows=[Flow(start="app", end="form", carries="request")])
    )
    assert not found(design, "SEC003")


def test_a_client_is_outside_without_a_word_on_its_zone():
    client = setting(of_customers(), "planes.components.editor", kind="client")
    assert found(client, "SEC003")
    assert not found(of_customers(), "SEC003")
    assert not found(setting(client, "planes.components.front", quota={"requests": "2 rps"}), "SEC003")


@pytest.mark.parametrize(
    ("people", "is_late"),
    [
        ({"hours": "24/7", "wait": "8 min"}, False),
        ({"hours": "24/7", "wait": "3 h"}, True),
        ({"hours": "Mon-Fri 8-20", "wait": "8 min"}, True),
    ],
)
@pytest.mark.parametrize("by", ["constraint", "freshness"])
def test_a_deadline_is_held_against_the_hours_and_the_wait_of_people(people, is_late, by):
    desk = {"id": "desk", "kind": "people", "plane": "serving", "cases_per_day": 600} | people
    order = {
        "id": "order",
        "text": "Removed within an hour",
        "from": "law",
        "within": "1 h",
        "met_by": ["desk"],
    }
    also = {"features": "1 d", "also": [{"what": "An order is read", "component": "desk", "within": "1 h"}]}
    needs = {"constraints": [order]} if by == "constraint" else {"freshness": also}
    design = Design(name="d", requirements=needs, planes={"components": [desk]})
    assert bool(found(design, "SERV029")) is is_late


@pytest.mark.parametrize(("partitions", "is_busy"), [(48, True), (60, False)])
def test_a_stream_keeps_as_many_replicas_busy_as_it_has_partitions(partitions, is_busy):
    stream = {"events": "100 rps", "consumed": "110 rps", "partitions": partitions, "consumers": 60}
    path = {"id": "videos", "component": "scorer", "pattern": "streaming", "stream": stream}
    fleet = {"component": "scorer", "load": "100 rps", "service_time": "1.9 s", "target_utilisation": "85%"}
    design = Design(
        name="d",
        planes={"components": [{"id": "scorer", "kind": "model server"}]},
        pattern={"paths": [path]},
        capacity=fleet | {"replicas": 60, "concurrency_per_replica": 4},
    )
    assert bool(found(design, "PATTERN035")) is is_busy


@pytest.mark.parametrize(
    ("on", "is_random"),
    [
        ("A random 20 % of the rows", True),
        ("Random sample of 5,000 rows", True),
        ("A weighted random sample of the last 90 days", False),
        ("Random sample of traffic", False),
    ],
)
def test_a_random_sample_of_traffic_is_no_random_split(on, is_random):
    gate = {"id": "good", "metric": "recall", "on": on}
    design = Design(name="d", planes={"release": {"gates": [gate]}})
    assert bool(found(design, "EXP013")) is is_random
    apart = Design(name="d", planes={"release": {"gates": [gate | {"drawn": "later and apart"}]}})
    assert not found(apart, "EXP013")


def test_an_authority_that_the_law_names_is_no_processor():
    parts = [
        {"id": "api", "kind": "service"},
        {"id": "office", "kind": "external service", "terms": {"agreement": "18 U.S.C. 2258A"}},
    ]
    sent = {"from": "api", "to": "office", "carries": "events", "personal": True}
    design = Design(name="d", planes={"components": parts, "flows": [sent]})
    assert found(design, "DATA005")
    assert not found(setting(design, "planes.components.office.terms", role="authority"), "DATA005")
    unnamed = setting(design, "planes.components.office", terms={"role": "authority"})
    assert found(unnamed, "DATA004")


def test_judged_negatives_need_no_age_before_they_count():
    training = {"triggers": ["schedule"], "period": "1 d"}
    labels = {"source": "Reviewers", "delay": "2 d", "negatives": "judged"}
    design = Design(
        name="d",
        requirements={"labels": labels},
        planes={"components": [{"id": "api", "kind": "service"}], "retraining": training},
    )
    assert not found(design, "PLANE055")
    assert found(setting(design, "requirements.labels", negatives="nothing heard"), "PLANE055")


def test_a_gate_that_names_nothing_tests_what_is_released():
    design = without(STARTS["with retrieval"](), "planes.release.gates.spare_good")
    assert found(design, "SERV007")
    design = setting(design, "planes.release.gates.found", of=[])
    assert not found(setting(design, "planes.release", of=["scorer", "spare"]), "SERV007")
    assert found(setting(design, "planes.release", of=["scorer"]), "SERV007")


def test_a_stream_without_a_backlog_is_not_said_to_work_it_off_at_once():
    stream = {"events": "100 rps", "consumed": "105 rps"}
    path = {"id": "videos", "pattern": "streaming", "stream": stream}
    (one,) = found(Design(name="d", pattern={"paths": [path]}), "PATTERN024")
    assert "Working it off" not in one.message
