"""Known mistakes with what others do: providers, people, devices; and with indexes of embeddings."""

from typing import Any

from mlsd_helpers.design import Cost, Design, Flow
from tests.review.mutations.fuller import adding, setting, without
from tests.review.mutations.mutation import breaks

FULL, RETRIEVAL, DEVICES = "in full", "with retrieval", "with devices"


@breaks("SERV001", FULL)
def quota_of_half_the_peak(design: Design) -> Design:
    return setting(design, "planes.components.bureau", quota={"requests": "250 rps"})


@breaks("SERV001", FULL)
def tokens_of_half_the_peak(design: Design) -> Design:
    fields = {"quota": {"tokens": "15M per min"}, "tokens": {"input": 900, "output": 100}}
    return setting(design, "planes.components.bureau", **fields)


@breaks("SERV002", FULL)
def no_room_for_retries(design: Design) -> Design:
    return setting(design, "planes.components.bureau", quota={"requests": "520 rps"})


@breaks("SERV002", RETRIEVAL)
def spare_that_cannot_take_over(design: Design) -> Design:
    return setting(design, "planes.components.spare", quota={"tokens": "100k per min"})


@breaks("SERV003", FULL)
def quota_never_asked_for(design: Design) -> Design:
    return setting(design, "planes.components.bureau", quota=None)


@breaks("SERV004", RETRIEVAL)
def whatever_is_newest(design: Design) -> Design:
    return setting(design, "planes.components.spare", version="latest")


@breaks("SERV005", FULL)
def bureau_costs_more_than_all(design: Design) -> Design:
    dear = setting(design, "planes.components.bureau", price={"per_request": "$0.001"})
    return setting(dear, "capacity", costs=[Cost(id="logs", text="Logs", per_month="$100")])


@breaks("SERV006", FULL)
def nobody_counts_the_money(design: Design) -> Design:
    return without(design, "planes.alerts.spend")


@breaks("SERV025", FULL)
def bureau_of_unknown_use(design: Design) -> Design:
    bureau, ask = design.at("planes.components.bureau"), design.at("planes.flows.ask_bureau")
    other = adding(design, "planes.components", bureau.changed(id="registry_of_firms"))
    return adding(
        other,
        "planes.flows",
        ask.changed(id="ask_firms", start="merchant_jobs", end="registry_of_firms", personal=False),
    )


@breaks("SERV029", FULL)
def law_due_in_an_hour_and_read_after_three(design: Design) -> Design:
    design = setting(design, "planes.components.analysts", wait="3 h")
    return setting(design, "requirements.constraints.reasons", within="1 h", met_by=["rules", "analysts"])


@breaks("SERV030", FULL)
def law_due_sooner_than_a_score(design: Design) -> Design:
    return setting(design, "requirements.constraints.reasons", within="1 ms", met_by=["rules", "scorer"])


@breaks("SERV007", RETRIEVAL)
def spare_never_tried(design: Design) -> Design:
    return without(design, "planes.release.gates.spare_good")


@breaks("SERV008", FULL)
def five_times_what_they_can(design: Design) -> Design:
    return setting(design, "planes.flows.to_analysts", share="1%")


@breaks("SERV008", FULL)
def twice_the_alerts(design: Design) -> Design:
    fewer = setting(design, "planes.flows.to_analysts", share=None)
    return setting(fewer, "requirements.prediction", acted_on="0.5%")


@breaks("SERV008", FULL)
def each_answer_is_read_by_hand(design: Design) -> Design:
    flows = [
        flow.changed(share=None) if flow.end == "analysts" else flow for flow in design.at("planes").flows
    ]
    return setting(
        setting(design, "planes", flows=flows), "planes.components.analysts", does="Read all answers"
    )


@breaks("SERV008", FULL)
def a_day_taken_for_a_day_and_a_night(design: Design) -> Design:
    people = {"rate": None, "cases_per_day": 2_000, "hours": "Mon-Fri 8-18"}
    return setting(
        setting(design, "planes.components.analysts", **people), "requirements.prediction", acted_on="0.1%"
    )


@breaks("SERV009", FULL)
def however_many_they_take(design: Design) -> Design:
    return setting(design, "planes.components.analysts", rate=None)


@breaks("SERV010", FULL)
def answer_waits_for_people(design: Design) -> Design:
    call = {
        "carries": "request",
        "timeout": "30 ms",
        "fallback": "Decide by rules",
        "start": "scorer",
        "share": "0.01%",
    }
    counted = setting(design, "planes.components.analysts", replicas=2, zones=2)
    return setting(counted, "planes.flows.to_analysts", **call)


@breaks("SERV011", FULL)
def nobody_answers_at_night(design: Design) -> Design:
    day_only = setting(design, "planes.components.analysts", hours="Mon-Fri 8-18", rate="2000 per h")
    return setting(day_only, "planes.flows.ask_bureau", fallback="Hand over to the analysts", share="0.1%")


@breaks("SERV012", FULL)
def outage_to_the_analysts(design: Design) -> Design:
    return setting(design, "planes.flows.ask_bureau", fallback="Hand over to the analysts")


@breaks("SERV013", DEVICES)
def update_of_a_gigabyte(design: Design) -> Design:
    return setting(design, "planes.components.terminals.devices", update_size="1 GB")


@breaks("SERV014", DEVICES)
def away_for_a_month(design: Design) -> Design:
    return setting(design, "planes.components.terminals.devices", offline_at_most="30 d")


@breaks("SERV015", DEVICES)
def rollback_by_the_server(design: Design) -> Design:
    return setting(design, "planes.release", rollback_to="The version before")


@breaks("SERV016", DEVICES)
def old_versions_forgotten(design: Design) -> Design:
    return setting(design, "planes.flows.pay", contract=None)


@breaks("SERV017", DEVICES)
def all_back_at_once(design: Design) -> Design:
    return setting(design, "planes.flows.pay", retry={"backoff": "fixed"})


@breaks("SERV018", DEVICES)
def ring_of_a_few(design: Design) -> Design:
    return setting(
        setting(design, "requirements.prediction", base_rate="0.01%"), "planes.release", canary_time="5 h"
    )


@breaks("SERV019", DEVICES)
def link_unknown(design: Design) -> Design:
    return setting(design, "planes.components.terminals.devices", bandwidth=None, data_per_month=None)


@breaks("SERV020", RETRIEVAL)
def index_left_behind(design: Design) -> Design:
    kept = [one for one in design.at("planes.release.versioned_together") if one != "index"]
    moving = [
        one.changed(version=None) if one.kind == "embedder" else one for one in design.at("planes.components")
    ]
    return setting(setting(design, "planes", components=moving), "planes.release", versioned_together=kept)


@breaks("SERV021", RETRIEVAL)
def index_as_old_as_it_likes(design: Design) -> Design:
    return setting(design, "requirements.freshness", index=None)


@breaks("SERV022", RETRIEVAL)
def retrieval_taken_on_trust(design: Design) -> Design:
    return without(design, "planes.release.gates.found")


@breaks("SERV023", DEVICES)
def tested_on_the_newest_board(design: Design) -> Design:
    flow = Flow(start="release", end="terminals", carries="model", auth="Signed", check="The signature")
    told = [
        one.changed(metric=f"{one.metric}, by hardware revision") if one.watches == "quality" else one
        for one in design.at("planes").alerts
    ]
    return _to_devices(setting(design, "planes", alerts=tuple(told)), flow)


@breaks("SERV024", DEVICES)
def one_version_everywhere(design: Design) -> Design:
    fleet = design.at("planes.components.terminals.devices")
    return setting(design, "planes.components.terminals", devices=fleet.changed(versions=1))


@breaks("SERV031", "shelf")
def one_mean_over_all_cameras(design: Design) -> Design:
    return setting(design, "planes.alerts.refused", metric="share of tasks that staff refuse")


def _to_devices(design: Design, flow: Flow) -> Design:
    start = next(one.id for one in design.at("planes").components if one.kind == "ci/cd")
    return adding(design, "planes.flows", flow.changed(start=start))


@breaks("SERV026", FULL)
def nobody_else_to_ask(design: Design) -> Design:
    return setting(design, "planes.flows.ask_bureau", fails="closed", fallback="The payment is refused")


@breaks("SERV028", DEVICES)
def readings_over_a_thin_link(design: Design) -> Design:
    return setting(design, "planes.components.terminals.devices", sends="2 MB/s")


@breaks("SERV028", DEVICES)
def readings_over_the_plan(design: Design) -> Design:
    return setting(design, "planes.components.terminals.devices", sends="1 kB/s")


def _sending(design: Design, **devices: Any) -> Design:
    """Return the design with devices that send events beside their requests."""
    queue = next((one.id for one in design.at("planes").components if one.kind == "event stream"), "features")
    sent = Flow(
        start="terminals", end=queue, carries="events", auth="Certificate of the terminal", personal=False,
        check="Schema", contract={"owner": "Devices", "version": "v1", "compatibility": "backward"},
        retry={"backoff": "exponential with jitter"},
    )  # fmt: skip
    return setting(adding(design, "planes.flows", sent), "planes.components.terminals.devices", **devices)


@breaks("SERV027", DEVICES)
def a_day_of_three_kept(design: Design) -> Design:
    return _sending(design, keeps="1 d")


@breaks("SERV027", DEVICES)
def kept_for_who_knows_how_long(design: Design) -> Design:
    return _sending(design)
