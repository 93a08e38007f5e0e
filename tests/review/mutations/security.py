"""Known mistakes in security: boundaries, limits, what a model reads and says, secrets, updates."""

from mlsd_helpers.design import Component, Design, Flow
from tests.review.mutations.fuller import adding, setting, without
from tests.review.mutations.mutation import breaks

FULL, RETRIEVAL, DEVICES = "in full", "with retrieval", "with devices"


@breaks("SEC001", FULL)
def bureau_without_a_key(design: Design) -> Design:
    return setting(design, "planes.flows.ask_bureau", auth="none")


@breaks("SEC002", DEVICES)
def boundaries_undrawn(design: Design) -> Design:
    parts = [one.changed(trust_zone=None) for one in design.at("planes").components]
    flows = [one.changed(auth=None) for one in design.at("planes").flows]
    return setting(design, "planes", components=parts, flows=flows)


@breaks("SEC003", "generating")
def tokens_for_everybody(design: Design) -> Design:
    return setting(design, "planes.components.gateway", quota=None)


@breaks("SEC004", "generating")
def believes_what_it_reads(design: Design) -> Design:
    return setting(
        design, "planes.components.filter", does="Checks each sentence of the answer before it is shown"
    )


@breaks("SEC005", "generating")
def says_what_it_likes(design: Design) -> Design:
    silent = setting(design, "planes.components.filter", does="Looks for injections in a prompt", title=None)
    calls = silent.at("planes").flows
    place = next(at for at, flow in enumerate(calls) if flow.end == "filter")
    moved = (
        calls[place].changed(start="gateway", fallback="Search the help pages", auth="Workload identity"),
        *calls[:place],
        *calls[place + 1 :],
    )
    return setting(silent, "planes", flows=moved)


@breaks("SEC006", "generating")
def filter_after_the_fact(design: Design) -> Design:
    return setting(design, "planes.components.filter", does="Checks prompt and answer")


@breaks("SEC007", "generating")
def guard_goes_home(design: Design) -> Design:
    design = setting(design, "planes.components.filter", kind="guardrail")
    calls = design.at("planes").flows
    place = next(at for at, flow in enumerate(calls) if flow.end == "filter")
    return setting(design, f"planes.flows.{place}", fails="open", fallback="The answer is shown unchecked")


@breaks("SEC008", RETRIEVAL)
def key_in_the_code(design: Design) -> Design:
    return without(setting(design, "planes.flows.ask_spare", auth="API key"), "planes.components.secrets")


@breaks("SEC009", DEVICES)
def unsigned_update(design: Design) -> Design:
    return setting(design, "planes.components.terminals.devices", signed=False)


@breaks("SEC010", RETRIEVAL)
def everybodys_passages(design: Design) -> Design:
    return setting(design, "planes.flows.look_up", personal=True, auth=None)


@breaks("SEC016", FULL)
def answers_kept_for_all_shops(design: Design) -> Design:
    design = setting(design, "data.training", extraction="Amounts in classes; a test asks for each shop's")
    owned = {"belongs_to": "shops", "separated_by": "own namespace", "training_allowed_by": "Clause 4"}
    design = setting(design, "data.datasets.payments", **owned)
    parts = ("question", "model version")
    cache = {
        "key": parts, "answer_depends_on": parts, "version": "model version", "ttl": "1 min", "size": 1_000_000,
        "hit_ratio": "5%", "hit_ratio_is": "measured", "hit_time": "2 ms", "when_cold": "sized for it",
    }  # fmt: skip
    design = setting(design, "requirements.freshness", predictions="1 h")
    return setting(design, "pattern.paths.0", cache=cache)


@breaks("SEC011", "generating")
def refunds_by_itself(design: Design) -> Design:
    shop = Component(id="refunds", kind="service", owner="Payments")
    flow = Flow(start="scorer", end="refunds", carries="command")
    return adding(adding(design, "planes.components", shop), "planes.flows", flow)


@breaks("SEC010", RETRIEVAL)
def read_by_the_key_of_the_assistant(design: Design) -> Design:
    return setting(design, "planes.flows.look_up", personal=True, auth="Workload identity of the scorer")


@breaks("SEC012", RETRIEVAL)
def tickets_in_the_index(design: Design) -> Design:
    return setting(design, "planes.components.pages", title="Solved tickets of customers")


@breaks("SEC013", RETRIEVAL)
def weights_from_a_hub(design: Design) -> Design:
    return adding(design, "planes.flows", Flow(start="spare", end="scorer", carries="model", auth="Token"))


@breaks("SEC014", DEVICES)
def one_password_for_all(design: Design) -> Design:
    return setting(design, "planes.flows.pay", auth="One password for all terminals")


@breaks("SEC006", "generating")
def whole_answers_in_a_stream(design: Design) -> Design:
    return setting(design, "planes.components.filter", checks_answers="whole")


@breaks("SEC010", "in full")
def filter_that_can_be_forgotten(design: Design) -> Design:
    design = setting(design, "data.training", extraction="Amounts in classes; a test asks for each shop's")
    shared = {
        "belongs_to": "shops",
        "separated_by": "filter of the caller",
        "training_allowed_by": "Clause 4",
    }
    return setting(design, "data.datasets.payments", **shared)


@breaks("SEC015", FULL)
def nobody_proves_who_asks_inside(design: Design) -> Design:
    read = next(
        at
        for at, flow in enumerate(design.at("planes").flows)
        if flow.end == "features" and flow.start == "scorer"
    )
    return setting(design, f"planes.flows.{read}", personal=True)
