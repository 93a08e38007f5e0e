"""The document shows every field that a design states, and the same figures as `mlsd check` and `mlsd simulate`."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsd_helpers import cases, document
from mlsd_helpers.analysis.cost import costs_of
from mlsd_helpers.analysis.prediction import writing
from mlsd_helpers.analysis.sizing import sizing_of
from mlsd_helpers.design import Design
from mlsd_helpers.document.plan import rows
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import report, review
from tests.design.any_design import MORE, PARTS, designs
from tests.document.reading import section, shown, table
from tests.document.whole import WHOLE
from tests.effort import examples

REASONS = {"evidence", "sources", "accepted", "does_not_apply"}


def stated(value, path=()):
    """Yield each text and number that a design states, with its path."""
    if isinstance(value, dict):
        for name, inside in value.items():
            if (*path, name)[0] not in REASONS:
                yield from stated(inside, (*path, name))
    elif isinstance(value, list):
        for inside in value:
            yield from stated(inside, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, f"{value:,}"
    elif isinstance(value, str | float):
        yield path, " ".join(str(value).split())


COMMAS = re.compile(r"(?<=\d),(?=\d{3})")


def missing(design):
    words = COMMAS.sub("", shown(document(design)))  # a figure may have commas, wherever it is stated
    given_ = design.model_dump(mode="json", exclude_defaults=True)
    return {".".join(path): value for path, value in stated(given_) if COMMAS.sub("", value) not in words}


@pytest.mark.parametrize("part", [*PARTS, *MORE])
@given(st.data())
@settings(max_examples=examples(4), deadline=None, suppress_health_check=list(HealthCheck))
def test_every_field_of_any_design_is_in_its_document(part, data):
    design = data.draw(designs(part))
    assert missing(design) == {}


@pytest.mark.parametrize("name", ["harbour_pay", "support_assistant", "claims_scoring", "shelf_vision"])
def test_every_field_of_a_case_is_in_its_document(name):
    assert missing(cases.load(name)) == {}


def test_a_field_that_no_section_has_is_in_an_appendix_and_one_that_is_shown_is_not():
    design = WHOLE.with_part(planes=WHOLE.planes.changed(region=["moon-1"]))
    assert "moon-1" in shown(section(document(design), "planes"))
    labels = {"source": "Clicks", "delay": "1 d", "stands_for": "Time saved"}
    free = Design(name="d", requirements={"labels": labels, "freshness": {"labelled_data": "9 d"}})
    assert "Time saved" in shown(section(document(free), "data"))
    assert "9 d" in shown(section(document(free), "requirements"))


def test_texts_of_a_list_are_set_apart():
    needs = WHOLE.requirements.changed(non_goals=["Chat", "Code review", "Agents"])
    assert "Chat, Code review, Agents" in shown(document(WHOLE.with_part(requirements=needs)))


# ---------------------------------------------------------------- figures

MODEL = {"name": "7B", "parameters": 7_600_000_000, "layers": 28, "kv_heads": 4, "head_dim": 128}
GENERATION = {
    "model": MODEL,
    "precision": "fp8",
    "accelerator": {"name": "one", "memory": "80 GB", "bandwidth": "3.35 TB/s", "compute": "1979 TFLOP/s"},
    "prompt_tokens": 2_000,
    "output_tokens": 24,
    "context_tokens": 8_192,
    "concurrent_sequences": 6,
    "prefix_cache": "50%",
    "tokens_per_pass": 2,
}
REGION = {
    "component": "model",
    "load": "600 rps",
    "replicas": 33,
    "release_replicas": 3,
    "generation": GENERATION,
}
REGION |= {"cost_per_replica_hour": "$2.80"}
NEEDS = {"throughput": {"peak": "1200 rps", "mean": "230 rps"}}


def fleets(*plans):
    return Design(name="d", requirements=NEEDS, capacity={"fleets": list(plans)})


def figure(design, name):
    return {row.id.partition("-")[0]: row for row in rows(Figures(design))}[name]


def test_the_first_token_and_the_time_of_a_token_are_those_of_the_prediction():
    design = fleets({"id": "eu"} | REGION)
    takes = writing(sizing_of(design))
    assert figure(design, "first_token").result == pytest.approx(takes.first_s.most_s)
    assert figure(design, "step").result == pytest.approx(takes.gap_s.most_s)


def test_a_fleet_costs_the_same_in_the_plan_and_in_the_table_of_costs():
    design = fleets({"id": "eu"} | REGION)
    assert figure(design, "cost").result == pytest.approx(costs_of(design)[0].per_month)
    assert figure(design, "cost").result == pytest.approx(36 * 2.8 * 720)


def test_a_fleet_of_several_is_paid_for_by_its_own_requests():
    one, half = fleets(REGION | {"load": "1200 rps"}), fleets({"id": "eu"} | REGION, {"id": "us"} | REGION)
    assert figure(half, "cost_per_1k").result == pytest.approx(2 * figure(one, "cost_per_1k").result)


@pytest.mark.parametrize("ids", [("eu", "us", "ap"), (None, None, None)])
def test_fleets_of_one_component_have_names_that_differ(ids):
    design = fleets(*(REGION | ({"id": name} if name else {}) for name in ids))
    assert len({row.what for row in costs_of(design)}) == 3
    assert len({row.fleet for row in rows(Figures(design)) if row.id.startswith("cost")}) == 3
    head, *_ = table(document(design), "capacity", "fleet")
    assert len(set(head)) == len(head)


def test_check_and_document_count_findings_alike():
    boxes = [
        {"id": name, "kind": "cache", "zones": 1, "replicas": 1} for name in ("first", "second", "third")
    ]
    calls = [{"from": box["id"], "to": "m", "carries": "request"} for box in boxes]
    design = Design(
        name="d", planes={"components": [{"id": "m", "kind": "model server"}, *boxes], "flows": calls}
    )
    found = review(design)
    assert len(found) > len({one.code for one in found})
    counted = report.counted(found)
    assert counted in report.as_text("design.yaml", found, lambda _: 1)
    assert counted in shown(document(design))
