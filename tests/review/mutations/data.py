"""Known mistakes with data: constraints, personal data, decisions about people, labels, training."""

from mlsd_helpers.design import Component, Constraint, Cost, Design, FailureMode, Feature, Flow
from tests.review.mutations.fuller import adding, setting, without
from tests.review.mutations.mutation import breaks

FULL, DEVICES = "in full", "with devices"


@breaks("DATA001", FULL)
def constraint_met_by_nobody(design: Design) -> Design:
    return setting(design, "requirements.constraints.reasons", met_by=(), how="tbd")


@breaks("DATA002", FULL)
def log_in_another_country(design: Design) -> Design:
    return setting(design, "planes.components.scores", region="us-east-1")


@breaks("DATA003", FULL)
def region_left_open(design: Design) -> Design:
    return setting(setting(design, "planes", region=()), "planes.components.scores", region=())


@breaks("DATA004", FULL)
def no_contract_with_the_bureau(design: Design) -> Design:
    return setting(design, "planes.components.bureau.terms", agreement="none")


@breaks("DATA005", FULL)
def bureau_keeps_who_knows_how_long(design: Design) -> Design:
    return setting(design, "planes.components.bureau.terms", retention=None)


@breaks("DATA005", "with retrieval")
def texts_to_a_provider_without_terms(design: Design) -> Design:
    bare = setting(design, "planes.components.spare", terms=None)
    return setting(bare, "planes.flows.ask_spare", personal=None)


@breaks("DATA006", FULL)
def bureau_trains_on_payments(design: Design) -> Design:
    return setting(design, "planes.components.bureau.terms", trains_on_our_data=True)


@breaks("DATA007", FULL)
def kept_for_ever(design: Design) -> Design:
    return setting(design, "data.datasets.payments", retention=None)


@breaks("DATA007", FULL)
def deleted_by_nobody(design: Design) -> Design:
    return setting(design, "data.datasets.payments", deletion="to be decided")


@breaks("DATA008", FULL)
def log_in_no_data_set(design: Design) -> Design:
    kept = design.at("data.datasets.payments.kept_in")
    return setting(design, "data.datasets.payments", kept_in=[name for name in kept if name != "scores"])


@breaks("DATA008", "generating")
def conversations_in_no_data_set(design: Design) -> Design:
    return design.with_part(data=None)


@breaks("DATA009", FULL)
def bureau_keeps_longer_than_we(design: Design) -> Design:
    return setting(design, "planes.components.bureau.terms", retention="900 d")


@breaks("DATA010", FULL)
def deletion_forgets_the_log(design: Design) -> Design:
    eraser = Component(id="eraser", kind="service", stands_in="control", owner="Platform", region="EU")
    told = ("payments", "features", "history", "disputes", "bureau")
    flows = [Flow(start="eraser", end=name, carries="command", auth="Workload identity") for name in told]
    design = adding(adding(design, "planes.components", eraser), "planes.flows", *flows)
    return setting(design, "data.datasets.payments", deleted_by="eraser")


@breaks("DATA011", FULL)
def decides_by_origin(design: Design) -> Design:
    return setting(design, "dataflow.features.ip_country", protected=True)


@breaks("DATA012", FULL)
def refused_without_a_word(design: Design) -> Design:
    return setting(design, "requirements.prediction", explained=None)


@breaks("DATA012", FULL)
def nobody_to_contest_at(design: Design) -> Design:
    return without(design, "planes.components.analysts")


@breaks("DATA013", FULL)
def fair_on_average(design: Design) -> Design:
    return setting(design, "planes.release.gates.recall", slices=())


@breaks("DATA020", FULL)
def reasons_by_the_name_of_a_component(design: Design) -> Design:
    return setting(design, "requirements.constraints.reasons", how=None)


@breaks("DATA021", FULL)
def gone_before_the_law_allows(design: Design) -> Design:
    keep = Constraint(id="books", text="Payments are documented", kept_at_least="3650 d", of="payments")
    return adding(design, "requirements.constraints", keep)


@breaks("DATA021", FULL)
def kept_longer_than_its_words_allow(design: Design) -> Design:
    go = Constraint(
        id="scheme", text="Card data are stored for at most 90 days", met_by="history", how="A job"
    )
    return adding(design, "requirements.constraints", go)


@breaks("DATA022", FULL)
def postcode_and_age_without_a_word(design: Design) -> Design:
    asked = [Feature(id=name, source="request", default=0) for name in ("post_code", "age")]
    design = adding(design, "dataflow.features", *asked)
    return setting(design, "dataflow", input_width=None, features=[
        one.changed(slot=None, protected=None) for one in design.at("dataflow").features
    ])  # fmt: skip


@breaks("DATA023", FULL)
def labels_bought_once(design: Design) -> Design:
    kept = [flow for flow in design.at("planes").flows if (flow.start, flow.end) != ("scores", "labellers")]
    agency = [
        flow.changed(start="labellers") if flow.carries == "labels" and flow.end == "disputes" else flow
        for flow in kept
    ]
    return setting(design, "planes", flows=agency)


@breaks("DATA024", FULL)
def learnt_in_the_pilot(design: Design) -> Design:
    labels = setting(
        design, "requirements.labels", explored=None, selection="All payments of the pilot in one city"
    )
    words = "Recall in each age group no worse than that of the model in use"
    return setting(labels, "planes.release", gates=(), validation=words)


@breaks("DATA025", FULL)
def read_by_the_whole_company(design: Design) -> Design:
    return setting(design, "data.datasets.payments", readers=["Everybody in the company"])


@breaks("DATA026", FULL)
def health_data_on_a_plain_basis(design: Design) -> Design:
    return setting(design, "data.datasets.payments", what="Payments to hospitals, with the diagnosis")


@breaks("DATA014", FULL)
def only_alerts_get_a_label(design: Design) -> Design:
    return setting(design, "requirements.labels", explored=None, selection="Alerted cases, as investigated")


@breaks("DATA014", FULL)
def nobody_asked_which_get_a_label(design: Design) -> Design:
    return setting(design, "requirements.labels", explored=None, selection=None)


@breaks("DATA015")
def judged_after_it_is_gone(design: Design) -> Design:
    alerts = [
        alert.changed(watches="infrastructure" if alert.watches != "quality" else "quality")
        for alert in design.at("planes").alerts
    ]
    return setting(design, "planes", alerts=alerts)


@breaks("DATA016", FULL)
def a_million_labels_by_hand(design: Design) -> Design:
    return setting(design, "requirements.labels", items="1 million")


@breaks("DATA017", FULL)
def labels_in_no_sum(design: Design) -> Design:
    priced = setting(design, "requirements.labels", cost_per_label="$0.50")
    return setting(priced, "capacity", costs=[Cost(id="logs", text="Logs", per_month="$100")])


@breaks("DATA018", FULL)
def seed_unknown(design: Design) -> Design:
    return setting(design, "data.training", seed=None, snapshot="tbd")


@breaks("DATA019", DEVICES)
def uploads_of_whatever_it_sees(design: Design) -> Design:
    return setting(design, "planes.flows.pay", personal=None)


@breaks("DATA027", FULL)
def asks_abroad_without_a_ground(design: Design) -> Design:
    free = setting(
        design,
        "requirements",
        constraints=[one for one in design.at("requirements").constraints if not one.region],
    )
    free = setting(free, "data.datasets.payments", region=())
    return setting(free, "planes.components.bureau", region="us-east-1")


@breaks("DATA028", FULL)
def learns_what_analysts_decided(design: Design) -> Design:
    return setting(
        design,
        "requirements.labels",
        source="Decisions of the analysts",
        definition=None,
        quality="Gold cases",
    )


LOST = {
    "id": "lost",
    "failure": "The region is lost",
    "meanwhile": "Requests go to another region",
    "fails": "closed",
}


@breaks("DATA029", FULL)
def disaster_plan_overseas(design: Design) -> Design:
    return adding(design, "requirements.failure_modes", FailureMode(**LOST, to_region="us-east-1"))


@breaks("DATA030", FULL)
def disaster_plan_anywhere(design: Design) -> Design:
    away = setting(design, "planes.components.service_metrics", region="us-east-1")
    return adding(away, "requirements.failure_modes", FailureMode(**LOST))


@breaks("DATA031", FULL)
def pseudonyms_taken_for_nobody(design: Design) -> Design:
    return setting(
        design, "data.datasets.payments", personal=False, what="Payment, score, pseudonym of the customer"
    )


APART = {"separated_by": "filter of the store", "training_allowed_by": "Clause 4"}


@breaks("DATA032", FULL)
def learnt_from_all_shops(design: Design) -> Design:
    return setting(design, "data.datasets.payments", belongs_to="shops", **APART)


@breaks("DATA032", FULL)
def learnt_without_the_right(design: Design) -> Design:
    design = setting(design, "data.training", extraction="Amounts in classes; a test asks for each shop's")
    return setting(design, "data.datasets.payments", belongs_to="shops", separated_by="filter of the store")


@breaks("DATA014", FULL)
def silence_is_a_no(design: Design) -> Design:
    return setting(design, "requirements.labels", negatives="not chosen")


@breaks("DATA033", FULL)
def law_left_out(design: Design) -> Design:
    call = next(at for at, flow in enumerate(design.at("planes").flows) if flow.end == "rules")
    return setting(design, f"planes.flows.{call}", fails="open")


@breaks("DATA034", FULL)
def forgotten_before_the_dispute(design: Design) -> Design:
    design = setting(design, "planes.components.bureau.terms", retention="1 d")
    return setting(design, "data.datasets.payments", retention="20 d")


@breaks("DATA035", FULL)
def guard_that_nobody_calls(design: Design) -> Design:
    check = Component(
        id="limits", kind="guardrail", does="Caps what is asked of a customer", owner="Payments"
    )
    calls = Flow(start="limits", end="service_metrics", carries="metrics")
    design = adding(adding(design, "planes.components", check), "planes.flows", calls)
    return setting(design, "requirements.constraints.reasons", met_by=["rules", "limits"])


@breaks("DATA041", FULL)
def scores_stored_around_the_mask(design: Design) -> Design:
    mask = Component(id="mask", kind="guardrail", does="Masks account numbers", owner="Payments")
    design = adding(design, "planes.components", mask)
    for start, end in (("scorer", "mask"), ("mask", "scores")):
        design = adding(
            design, "planes.flows", Flow(start=start, end=end, carries="predictions", personal=True)
        )
    masked = Constraint(
        id="masked", text="No account numbers", source="contract", of="payments", met_by="mask"
    )
    return adding(design, "requirements.constraints", masked)


@breaks("DATA036", FULL)
def refused_on_paper(design: Design) -> Design:
    mode = FailureMode(
        id="no_bureau", failure="The bureau does not answer", meanwhile="Nothing passes", fails="closed"
    )
    asked = next(at for at, flow in enumerate(design.at("planes").flows) if flow.end == "bureau")
    design = setting(design, f"planes.flows.{asked}", fails="open")
    return adding(design, "requirements.failure_modes", mode)


@breaks("DATA037", FULL)
def nobody_is_decided_about(design: Design) -> Design:
    return setting(design, "requirements.prediction", about_people=False, subject="person")


@breaks("DATA038", FULL)
def reasons_are_told_and_forgotten(design: Design) -> Design:
    asked = setting(design, "requirements.constraints.reasons", demands="reasons")
    return setting(asked, "requirements.prediction", reasons_kept_in=())


@breaks("DATA039", FULL)
def kept_by_one_law_and_erased_by_another(design: Design) -> Design:
    keep = {
        "id": "keep",
        "text": "Payments stay on file",
        "from": "law",
        "kept_at_least": "1 year",
        "of": "payments",
    }
    erase = {"id": "erase", "text": "Data go when a customer asks", "from": "law", "demands": "erasure"}
    met = {"met_by": "history", "how": "The monthly job"}
    return adding(design, "requirements.constraints", Constraint(**keep, **met), Constraint(**erase, **met))


@breaks("DATA040", FULL)
def passed_by_its_makers(design: Design) -> Design:
    return setting(design, "planes.release", approved_by=None)


@breaks("DATA042", FULL)
def list_beside_the_rules(design: Design) -> Design:
    flows = design.at("planes").flows
    ask = next(at for at, flow in enumerate(flows) if (flow.start, flow.end) == ("scorer", "rules"))
    stored = Component(id="lists", kind="prediction store", owner="Model team", managed=True, region="EU")
    past = Flow(
        start="scorer",
        end="lists",
        carries="request",
        timeout="10 ms",
        fallback="Go on without",
        personal=False,
    )
    design = setting(design, f"planes.flows.{ask}", after="ask_bureau")
    return adding(adding(design, "planes.components", stored), "planes.flows", past)
