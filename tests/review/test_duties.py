"""What the law demands, held against the design: who is on the way, who validates, what is kept, and what gives way."""

import pytest

from mlsd_helpers.design import Design
from mlsd_helpers.review import review
from tests.review.mutations.fuller import adding, in_full, setting


def found(design: Design, code: str) -> str:
    return " ".join(one.message for one in review(design) if one.code == code)


PRICES = """
name: Prices
requirements:
  prediction: {type: regression}
  constraints: [{id: cap, text: "A price is at most 1.5 times the base fare", from: law, met_by: guard, how: It clips}]
  failure_modes: [{id: down, failure: The pricing does not answer, meanwhile: The base fare, fails: closed}]
planes:
  components:
  - {id: app, kind: client}
  - {id: gateway, kind: api gateway}
  - {id: guard, kind: business rules}
  - {id: pricing, kind: model server}
  - {id: partners, kind: api gateway}
  - {id: log, kind: prediction log}
  flows:
  - {from: app, to: gateway, carries: request}
  - {id: ask, from: gateway, to: guard, carries: request}
  - {id: price, from: guard, to: pricing, carries: request, fails: closed}
  - {from: guard, to: log, carries: predictions}
"""


def priced(*flows: str) -> Design:
    return Design.parse(PRICES + "".join(f"  - {flow}\n" for flow in flows))


def test_a_new_caller_that_asks_the_model_itself_goes_around_the_guard():
    assert not found(priced(), "DATA035")
    assert not found(priced("{from: partners, to: guard, carries: request}"), "DATA035")
    assert "partners → pricing" in found(priced("{from: partners, to: pricing, carries: request}"), "DATA035")


def test_an_alternative_to_the_guard_goes_around_it_too():
    past = priced("{id: past, from: gateway, to: pricing, carries: request}")
    assert "gateway → pricing" in found(setting(past, "planes.flows.ask", otherwise="past"), "DATA035")


def test_what_meets_a_constraint_and_is_asked_by_nobody_is_found_whatever_steers_it():
    design = priced("{from: log, to: guard, carries: configuration}")
    flows = [
        flow.changed(end="pricing") if flow.id == "ask" else flow
        for flow in design.at("planes").flows
        if flow.id != "price"
    ]
    assert "no flow of requests or data" in found(setting(design, "planes", flows=flows), "DATA035")


@pytest.mark.parametrize(
    ("mode", "flow", "is_found"),
    [
        ("closed", "open", True),
        ("open", "closed", True),
        ("closed", "closed", False),
        ("delayed", "open", False),
    ],
)
@pytest.mark.parametrize("of", [(), ("pricing",)])
def test_a_failure_mode_and_its_flows_say_the_same(mode, flow, is_found, of):
    design = setting(priced(), "requirements.failure_modes.down", fails=mode, of=of)
    design = setting(design, "planes.flows.price", fails=flow)
    assert bool(found(design, "DATA036")) is is_found


def test_the_last_alternative_decides_whether_requests_pass():
    design = priced("{id: fixed, from: guard, to: log, carries: request, fails: open}")
    assert "guard → log" in found(setting(design, "planes.flows.price", otherwise="fixed"), "DATA036")


@pytest.mark.parametrize(
    ("fields", "is_found"),
    [
        ({"about_people": False}, False),
        ({"about_people": False, "subject": "person"}, True),
        ({"about_people": None, "subject": "household"}, True),
        ({"about_people": False, "subject": "thing"}, False),
        ({"about_people": True, "subject": "person"}, False),
        ({"about_people": False, "subject": "person", "type": "ranking"}, False),
    ],
)
def test_who_scores_persons_decides_about_people(fields, is_found):
    assert bool(found(setting(in_full(), "requirements.prediction", **fields), "DATA037")) is is_found


def test_a_denial_is_not_believed_beside_personal_features():
    design = setting(in_full(), "requirements.prediction", about_people=False)
    first = design.at("dataflow").features[0].id
    personal = setting(design, f"dataflow.features.{first}", personal=True)
    assert first in found(personal, "DATA037")
    assert not found(setting(personal, "requirements.prediction", subject="thing"), "DATA037")


def test_reasons_are_kept_where_something_arrives():
    assert not found(in_full(), "DATA038")
    never = setting(in_full(), "requirements.prediction", reasons_kept_in="pager")
    assert not found(never, "DATA038")  # an alert may bring them
    assert "no flow" in found(
        setting(in_full(), "requirements.prediction", reasons_kept_in="delivery"), "DATA038"
    )


@pytest.mark.parametrize("change", [{"goes_before": "erase"}, {"how": "The duty to keep goes first"}])
def test_who_says_which_duty_gives_way_has_decided(change):
    keep = {"id": "keep", "text": "Kept", "kept_at_least": "5 years", "met_by": "history", "how": "A job"}
    erase = {"id": "erase", "text": "Customers are erased on request", "met_by": "history", "how": "A job"}

    def both(**fields: str) -> Design:
        return in_full().with_part(
            requirements=in_full().at("requirements").changed(constraints=[keep | fields, erase])
        )

    assert found(both(), "DATA039")
    assert not found(both(**change), "DATA039")


def test_a_constraint_on_validation_asks_for_others_than_the_makers():
    demand = {
        "id": "mrm",
        "text": "Models are validated independently",
        "met_by": "gate",
        "how": "A second team",
    }
    design = setting(in_full(), "requirements.prediction", about_people=False, subject="thing")
    design = setting(design, "planes.release", approved_by=None)
    assert not found(design, "DATA040")
    design = setting(design, "requirements", constraints=[demand])
    assert "mrm" in found(design, "DATA040")
    assert not found(setting(design, "planes.components.gate", owner="Model risk"), "DATA040")


@pytest.mark.parametrize(
    "who",
    ["all branches", "every employee", "anyone in the bank", "all support teams"],
)
def test_readers_are_roles_and_not_everybody(who):
    assert found(setting(in_full(), "data.datasets.payments", readers=who), "DATA025")


def test_personal_data_name_their_readers():
    assert "readers" in found(setting(in_full(), "data.datasets.payments", readers=()), "DATA007")


def test_backups_count_against_what_may_be_kept_at_most():
    limit = {
        "id": "gone",
        "text": "Gone after 400 days",
        "of": "payments",
        "kept_at_most": "400 d",
        "met_by": "history",
    }
    needs = in_full().at("requirements")
    design = in_full().with_part(
        requirements=needs.changed(constraints=[*needs.constraints, limit | {"how": "A job"}])
    )
    assert not found(design, "DATA021")
    assert "backups" in found(setting(design, "data.datasets.payments", backups="35 d"), "DATA021")


def test_what_is_trained_on_is_kept_until_its_labels_come():
    design = adding(in_full(), "planes.components")
    design = setting(design, "data.datasets.payments", retention="20 d", kept_in=["history", "features"])
    assert not found(design, "DATA034")
    assert "payments" in found(setting(design, "data.training", trained_on="payments"), "DATA034")


def test_a_provider_that_nobody_replaces_says_how_it_is_left():
    stuck = setting(in_full(), "planes.flows.ask_bureau", fails="closed", fallback="The payment is refused")
    assert "bureau" in found(stuck, "SERV026")
    assert not found(
        setting(stuck, "planes.components.bureau.terms", exit="The other bureau, 3 months"), "SERV026"
    )


def test_a_personal_call_inside_says_who_asks():
    read = next(
        at
        for at, flow in enumerate(in_full().at("planes").flows)
        if flow.end == "features" and flow.start == "scorer"
    )
    bare = setting(in_full(), f"planes.flows.{read}", personal=True)
    assert "scorer → features" in found(bare, "SEC015")
    assert not found(setting(bare, f"planes.flows.{read}", auth="Workload identity"), "SEC015")


CALLS = """
name: Calls
requirements:
  prediction: {type: regression}
  constraints:
  - {id: cards, text: Card numbers are not stored, from: contract, of: calls, met_by: MET, how: They are masked}
planes:
  components:
  - {id: phone, kind: client}
  - {id: gateway, kind: api gateway}
  - {id: speech, kind: model server}
  - {id: mask, kind: guardrail}
  - {id: bus, kind: event stream}
  - {id: archive, kind: offline store}
  - {id: scorer, kind: batch scorer}
  - {id: scores, kind: prediction store}
  flows:
  - {from: phone, to: gateway, carries: request, personal: true}
  - {from: gateway, to: speech, carries: request, personal: true}
  - {from: speech, to: mask, carries: predictions, timeout: 50 ms, personal: true}
  - {from: mask, to: bus, carries: events, personal: true}
  - {from: bus, to: archive, carries: batch, personal: true}
  - {from: archive, to: scorer, carries: batch, personal: true}
  - {from: scorer, to: scores, carries: predictions, personal: true}
data:
  datasets: [{id: calls, what: Text of a call, personal: true, kept_in: [bus, archive]}]
"""


def recorded(*changes: tuple[str, str], met_by: str = "mask", flows: tuple[str, ...] = ()) -> Design:
    text = CALLS.replace("MET", met_by).replace(
        "data:\n", "".join(f"  - {flow}\n" for flow in flows) + "data:\n"
    )
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Design.parse(text)


def test_named_data_pass_what_meets_their_constraint_before_they_are_stored():
    assert not found(recorded(), "DATA041")


@pytest.mark.parametrize("carries", ["events", "batch", "predictions", "request"])
@pytest.mark.parametrize("start", ["phone", "gateway", "speech"])
def test_any_flow_of_named_data_into_a_store_that_leaves_out_the_mask_is_found(carries, start):
    past = f"{{from: {start}, to: copies, carries: {carries}, personal: true}}"
    design = recorded(
        ("  flows:\n", "  - {id: copies, kind: service}\n  flows:\n"),
        ("[bus, archive]", "[bus, archive, copies]"),
        flows=(past, "{from: mask, to: copies, carries: events, personal: true}"),
    )
    assert f"{start} → copies" in found(design, "DATA041")


def test_a_way_around_the_mask_is_found_however_many_steps_it_has():
    past = ("{from: gateway, to: cutter, carries: events}", "{from: cutter, to: archive, carries: batch}")
    design = recorded(("  flows:\n", "  - {id: cutter, kind: stream processor}\n  flows:\n"), flows=past)
    assert "gateway → cutter → archive" in found(design, "DATA041")


def test_of_two_that_are_needed_each_is_passed_and_of_two_that_will_do_one():
    past = ("{id: past, from: speech, to: bus, carries: events, personal: true}",)
    both = recorded(met_by="[gateway, mask]", flows=past)
    assert "without passing mask: speech → bus" in found(both, "DATA041")
    assert not found(setting(both, "requirements.constraints.cards", needs="any"), "DATA041")


def test_other_data_on_a_way_around_the_mask_are_no_fault():
    past = "{from: gateway, to: bus, carries: events, %s}"
    assert found(recorded(flows=(past % "personal: true",)), "DATA041")
    assert not found(recorded(flows=(past % "personal: false",)), "DATA041")
    assert not found(recorded(flows=(past % "without: calls",)), "DATA041")


def test_data_around_a_mask_are_found_for_a_constraint_that_names_no_set():
    nameless = (", of: calls", "")
    past = "{from: speech, to: STORE, carries: events, personal: true}"
    assert "speech → bus" in found(recorded(nameless, flows=(past.replace("STORE", "bus"),)), "DATA035")
    assert not found(recorded(nameless), "DATA035")
    assert not found(recorded(nameless, flows=(past.replace("STORE", "archive"),)), "DATA035")


def test_a_mask_of_named_data_that_gets_none_is_found():
    cut = recorded(
        ("from: speech, to: mask, carries: predictions", "from: speech, to: bus, carries: predictions"),
        ("from: mask, to: bus, carries: events", "from: gateway, to: bus, carries: events"),
    )
    assert "mask, which no flow" in found(cut, "DATA035")


def test_who_asks_a_mask_and_gets_the_answer_has_passed_it():
    beside = recorded(
        ("from: speech, to: mask, carries: predictions", "from: speech, to: mask, carries: request"),
        ("from: mask, to: bus, carries: events", "from: speech, to: bus, carries: events"),
    )
    assert not found(beside, "DATA041")


@pytest.mark.parametrize(
    ("said", "is_found"),
    [
        ("basis: legal obligation", True),
        ("basis: vital interests", True),
        ("basis: consent", False),
        ("basis: consent, purpose: Proof of what was agreed", True),
        ("basis: consent, purpose: Proof and training", False),
        ("basis: legitimate interests, purpose: Proof and training", False),
        ("basis: legal obligation, training_allowed_by: Consent of the caller", False),
    ],
)
def test_what_is_kept_for_a_duty_needs_a_right_to_train_on_it(said, is_found):
    design = recorded(("text of a call".capitalize(), f"Text of a call, {said}"), flows=())
    design = setting(design, "data", training={"trained_on": "calls"})
    assert ("no right to train on calls" in found(design, "DATA032")) is is_found


def test_a_model_that_writes_needs_a_right_to_what_is_kept_on_interests_alone():
    design = recorded(
        ("Text of a call", "Text of a call, basis: legitimate interests"), ("regression", "generation")
    )
    training = {"trained_on": "calls", "extraction": "Planted texts are tried at each release"}
    assert "legitimate interests" in found(setting(design, "data", training=training), "DATA032")
    agreed = recorded(
        (
            "Text of a call",
            "Text of a call, basis: legitimate interests, training_allowed_by: Balance of May",
        ),
        ("regression", "generation"),
    )
    assert not found(setting(agreed, "data", training=training), "DATA032")
