"""Where what a store holds goes, whose it is, and how negatives are made: rules that follow calls and fields."""

import pytest

from mlsd_helpers.design import Component, Design, Flow, Planes
from mlsd_helpers.review import Finding, review
from tests.review.mutations.fuller import adding, setting

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
