"""One design, one set of numbers: what review, simulation and document take from it is the same."""

import re

import pytest

from mlsd_helpers import analysis, cases, figures, formulas
from mlsd_helpers.design import CapacityPlan, Design
from mlsd_helpers.document import document
from mlsd_helpers.document.plan import rows
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import review
from mlsd_helpers.simulation import GenerationScenario, from_design, report, reports, running

ALL = ("rolling restart", "zone loss", "surge")
FLEET = cases.load("harbour_pay").with_part(planes=None)
WRITER = cases.load("azure_assistant").with_part(planes=None)


def planned(start: Design, **changes) -> Design:
    plan = start.capacity.changed(autoscaler=None, **changes)
    return start.with_part(capacity=plan)


def headroom(**fields):
    return {"share": "50%", "pays_for": ALL, "surge": "20%", "unavailable_in_restart": "25%"} | fields


def writes(**fields):
    return WRITER.capacity.generation.model_dump() | fields


def _one_load(case: Design) -> Design:
    """Give a case of several workloads as its first one sees it."""
    return case.views[0] if case.views else case


DESIGNS = {
    name: _one_load(cases.load(name)) for name in cases.names() if not cases.load(name).capacity.fleets
} | {
    "no headroom": planned(FLEET, headroom=None),
    "no restart at a time": planned(FLEET, headroom=headroom(unavailable_in_restart="0%")),
    "a restart that nobody decided": planned(FLEET, headroom=headroom(unavailable_in_restart=None)),
    "a restart of less than one replica": planned(
        FLEET, replicas=3, load="20 rps", replicas_per_zone=None, headroom=headroom()
    ),
    "a surge that nobody decided": planned(FLEET, headroom=headroom(surge=None)),
    "zones that nobody counted": planned(FLEET, replicas=44, replicas_per_zone=None, headroom=headroom()),
    "a zone that is larger than its share": planned(FLEET, replicas_per_zone=20, headroom=headroom()),
    "a zone that is smaller than its share": planned(FLEET, replicas_per_zone=10, headroom=headroom()),
    "several at once": planned(FLEET, concurrency_per_replica=4, headroom=headroom()),
    "sequences that nobody counted": planned(WRITER, generation=writes(concurrent_sequences=None)),
    "a sequence at a time": planned(
        WRITER.with_part(requirements=WRITER.requirements.changed(throughput={"peak": "1 rps"})),
        load="1 rps",
        concurrency_per_replica=1,
        generation=writes(concurrent_sequences=None),
    ),
}


def seen_in_document(design: Design) -> dict[str, float]:
    found = {row.id: row for row in rows(Figures(design)) if not row.missing}
    given = {name: {one.name: one.value for one in row.inputs} for name, row in found.items()}
    seen = {"load": given["need"]["peak_rps"], "seat": given["need"]["inference_time_s"]}
    seen |= {"need": found["need"].result, "restart": found["restart"].result if "restart" in found else None}
    seen["need with headroom"] = (found.get("headroom") or found["need"]).result
    if "surge" in given:
        seen["surge"] = given["surge"]["headroom"]
    if "restart" in given:
        seen["down"] = _down(design.capacity.replicas, given["restart"]["unavailable"])
    if "zone_lost" in given:
        seen["left by a zone"] = given["zone_lost"]["servers"]
    if "step" in given:
        seen["sequences"] = given["step"]["batch_size"]
        seen["tokens"] = found["kv_tokens"].result
    return {name: value for name, value in seen.items() if value is not None}


def _down(replicas: int, share: float) -> int:
    return int(replicas * share + 1e-9)


def seen_in_simulation(design: Design) -> dict[str, float | None]:
    plan, plain = design.capacity, from_design(design)
    seen: dict[str, float | None] = {"load": plain.arrivals.rate_rps}
    lost = from_design(design, ["zone loss"], at_s=1)
    surge = from_design(design, ["surge"], at_s=1)
    if isinstance(plain, GenerationScenario):
        seen["left by a zone"] = lost.replicas
        seen["sequences"], seen["tokens"] = plain.engine.most_sequences, plain.engine.kv_tokens
        seen["surge"] = surge.arrivals.rate_rps / seen["load"] - 1
        return seen
    gone = {replica for _, _, replica in running.plan_of(lost) if replica < plan.replicas}
    seen["left by a zone"] = plan.replicas - len(gone)
    seen["surge"] = surge.incidents[0].factor - 1
    restart = running.plan_of(from_design(design, ["rolling restart"], at_s=1))
    seen["down"] = sum(at_s == 1 for at_s, _, _ in restart)
    beside = {one.figure: one for one in reports(design, seed=1, requests=400)[0].beside}
    return seen | {"need with headroom": beside["replicas"].rule}


def seen_in_review(design: Design) -> dict[str, float]:
    """Ask the rules about the same fleet under the most load that it carries, and about one replica."""
    plan, needs = design.capacity, design.requirements
    single = _messages(design, "CAP006", replicas=1)
    found = re.search(r"for ([\d,.]+) requests.* needs (\d+)", single)
    seen = {"load": _number(found[1]), "need": _number(found[2])} if found else {}
    target, seat_s = plan.target_utilisation, plan.service_time.mean / plan.concurrency_per_replica
    full = {"load": plan.replicas * target / seat_s * (1 - 1e-9)}
    assert formulas.replicas(full["load"], seat_s, target, 0) == plan.replicas, needs
    if found := re.search(r"replicas are (\d+)", _messages(design, "CAP015", "CAP016", **full)):
        seen["left by a zone"] = _number(found[1])
    if plan.headroom and "rolling restart" in plan.headroom.pays_for:
        fault = _messages(design, "CAP017", **full)
        share = _number(re.search(r"takes ([\d.]+)%", fault)[1]) / 100 if fault else 0
        seen["down"] = _down(plan.replicas, share)
    if found := re.search(r"surge of ([\d.]+)%", _messages(design, "CAP018", **full)):
        seen["surge"] = _number(found[1]) / 100
    if plan.generation:
        squeezed = plan.generation.model_dump() | {"prompt_tokens": 1_000_000, "context_tokens": None}
        found = re.search(r"^(\d+) sequences", _messages(design, "CAP025", generation=squeezed))
        seen["sequences"] = _number(found[1])
    return seen


def _messages(design: Design, *codes: str, **changes) -> str:
    changed = design.with_part(capacity=design.capacity.changed(**changes))
    return " ".join(finding.message for finding in review(changed) if finding.code in codes)


def _number(words: str) -> float:
    return float(words.replace(",", ""))


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_review_simulation_and_document_take_the_same_numbers_from_a_design(design: Design) -> None:
    document, simulation = seen_in_document(design), seen_in_simulation(design)
    seen = {"document": document, "simulation": simulation, "review": seen_in_review(design)}
    for quantity in (
        "load",
        "need",
        "need with headroom",
        "left by a zone",
        "down",
        "surge",
        "sequences",
        "tokens",
    ):
        answers = {reader: found[quantity] for reader, found in seen.items() if quantity in found}
        wanted = next(iter(answers.values()), None)
        assert answers == pytest.approx(dict.fromkeys(answers, wanted)), quantity


def test_each_quantity_is_read_by_two_at_least() -> None:
    fleet, writer = DESIGNS["zones that nobody counted"], DESIGNS["sequences that nobody counted"]
    readers = [seen_in_document, seen_in_simulation, seen_in_review]
    both = [[*reader(fleet), *reader(writer)] for reader in readers]
    for quantity in (
        "load",
        "need",
        "need with headroom",
        "left by a zone",
        "down",
        "surge",
        "sequences",
        "tokens",
    ):
        assert sum(quantity in seen for seen in both) >= 2, quantity


def test_a_plan_without_a_load_has_none_anywhere() -> None:
    bare = Design(
        name="bare", capacity=CapacityPlan(replicas=3, service_time="40 ms", target_utilisation="70%")
    )
    assert "need" not in {row.id for row in rows(Figures(bare)) if not row.missing}
    assert not [finding for finding in review(bare) if finding.code == "CAP006"]


ASSUMED = {
    "no headroom": "capacity.headroom.share is not decided: nothing is added to the need.",
    "a restart that nobody decided": "unavailable_in_restart is not decided: 25% is assumed, as Kubernetes does.",
    "a surge that nobody decided": "capacity.headroom.surge is not decided: 30% above the peak is assumed.",
    "sequences that nobody counted": "concurrent_sequences is not decided: 32 at once is assumed",
}


@pytest.mark.parametrize("name", ASSUMED)
def test_document_and_simulation_say_what_they_assume_in_the_same_words(name: str) -> None:
    design = DESIGNS[name]
    assumed = {one.assumption for row in rows(Figures(design)) for one in row.inputs} - {""}
    incidents = ["surge"] if design.capacity.generation else ["surge", "rolling restart"]
    notes = report(design, seed=1, requests=400, incidents=incidents).notes
    (said,) = (sentence for sentence in assumed if ASSUMED[name] in sentence)
    assert said in notes
    assert said.split(":")[0] in document(design).replace("<span>", "").replace("&#95;", "_")


@pytest.mark.parametrize("name", sorted(set(DESIGNS) - set(ASSUMED) - {"a sequence at a time"}))
def test_a_design_that_decides_everything_rests_on_no_assumption(name: str) -> None:
    assert not {one.assumption for row in rows(Figures(DESIGNS[name])) for one in row.inputs} - {""}


def test_a_finding_that_rests_on_an_assumption_says_so() -> None:
    tight = planned(FLEET, replicas=29, headroom=headroom(unavailable_in_restart=None, surge=None))
    messages = {finding.code: finding.message for finding in review(tight)}
    assert "unavailable_in_restart is not decided: 25% is assumed" in messages["CAP017"]
    assert "30% above the peak is assumed" in messages["CAP018"]


@pytest.mark.parametrize("name", figures._MOVED)
def test_a_name_that_moved_here_is_still_among_the_figures(name: str) -> None:
    assert getattr(figures, name) is getattr(analysis, name)


def test_batches_carry_what_their_largest_carries():
    batching = {"largest": 8, "longest_wait": "4 ms", "fixed_time": "5 ms", "time_per_item": "1 ms"}
    fleet = {"replicas": 102, "service_time": "6 ms", "load": "25k rps", "target_utilisation": "70%"}
    design = Design(name="d", capacity={**fleet, "batching": batching})
    found = analysis.sizing_of(design)
    assert found.seat_s == pytest.approx(0.013 / 8)
    assert found.base <= 102
    assert "CAP006" not in {one.code for one in review(design)}
