"""How the rules on security read what a design says in words."""

import pytest

from mlsd_helpers.design import Component, Design, Flow, Planes
from mlsd_helpers.review import review
from tests.review.mutations import STARTS
from tests.review.mutations.fuller import without
from tests.review.mutations.security import RETRIEVAL


def codes(auth: str | None, *, store: bool = False, **fields) -> set[str]:
    design = STARTS[RETRIEVAL]()
    if not store:
        design = without(design, "planes.components.secrets")
    bare = design.at("planes").changed(
        flows=[flow.changed(auth=None) for flow in design.at("planes").flows if flow.id != "ask_spare"]
        + [flow.changed(auth=auth, **fields) for flow in design.at("planes").flows if flow.id == "ask_spare"]
    )
    return {one.code for one in review(design.with_part(planes=bare))}


@pytest.mark.parametrize(
    ("auth", "kept"),
    [
        ("API key", True),
        ("API key from the vault", False),
        ("SSH key, rotated each month", True),
        ("No API key; workload identity", False),
        ("Without any password, by the checksum", False),
        ("Passwordless, by workload identity", False),
        ("Signature, checked with the public key", False),
        ("Not a token but an API key", True),
    ],
)
def test_a_secret_that_is_used_needs_a_store_and_one_that_is_denied_or_kept_does_not(auth, kept):
    assert ("SEC008" in codes(auth)) is kept
    assert "SEC008" not in codes(auth, store=True)


@pytest.mark.parametrize(("auth", "shared"), [("One key for all", True), ("No shared key; mTLS", False)])
def test_a_shared_secret_that_is_denied_is_none(auth, shared):
    assert ("SEC014" in codes(auth, store=True)) is shared


@pytest.mark.parametrize("said", [True, False])
def test_that_nothing_proves_the_sender_is_no_proof(said):
    boxes = [
        Component(id=name, kind="service", trust_zone=zone) for name, zone in (("a", "shop"), ("b", "bank"))
    ]
    auth = "Anonymous, limited by address" if said else "No authentication"
    flows = [Flow(start="a", end="b", carries="request", auth=auth)]
    design = Design(name="two zones", planes=Planes(components=boxes, flows=flows))
    assert ("SEC001" not in {one.code for one in review(design)}) is said
