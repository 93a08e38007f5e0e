"""The design document: complete, every number with its reason, and any words shown as they are."""

import os
import re
import subprocess
import sys
from functools import cache
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlsd_helpers import cases, document, formulas
from mlsd_helpers.analysis.request import has_fallback
from mlsd_helpers.design import Design, Flow
from mlsd_helpers.design.requirements import AXES
from mlsd_helpers.document import provenance
from mlsd_helpers.document.plan import Input, Row, rows
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.review import Finding, Review
from tests.design.any_design import MORE, PARTS, TEXTS, designs
from tests.document.hostile import HOSTILE, saying
from tests.document.reading import anchors, links, row, runs, section, shown, structure, table, tables
from tests.document.whole import WHOLE
from tests.effort import QUICK, examples, some

HARBOUR = cases.load("harbour_pay")
every_case = pytest.mark.parametrize("name", cases.names())
WITH_REQUESTS = [name for name in cases.names() if cases.load(name).requirements.latency]
LINKED = re.compile(r"(?:<a id=[^>]*></a>)?\[(?:[^\]]*)\]\(#[^)]*\)")


@cache
def written(name):
    return document(cases.load(name))


def without(part):
    return HARBOUR.with_part(**{part: None})


# Complete


@every_case
def test_every_component_stage_feature_path_and_source_has_its_row(name):
    case, places = cases.load(name), anchors(written(name))
    expected = {
        "component": case.planes.components,
        "alert": case.planes.alerts,
        "stage": case.dataflow.stages,
        "feature": case.dataflow.features,
        "path": case.pattern.paths,
        "source": case.sources,
    }
    for kind, entries in expected.items():
        assert {f"{kind}-{entry.id}" for entry in entries} == {
            place for place in places if place.startswith(f"{kind}-")
        }
    assert len(table(written(name), "flows", "from")) == len(case.planes.flows)


@every_case
def test_every_requirement_assumption_and_failure_has_its_row(name):
    needs, text = cases.load(name).requirements, written(name)
    stated = [one for each in (needs, *needs.workloads) for one in AXES if getattr(each, one)]
    axes = [rows for rows in tables(section(text, "requirements")) if "requirement" in rows[0]]
    assert sum(map(len, axes)) == len(stated)
    assert len(table(text, "assumptions", "id")) == len(needs.assumptions)
    failures = [rows for rows in tables(section(text, "requirements")) if "what fails" in rows[0]]
    assert len(failures[0]) == len(needs.failure_modes)


@every_case
def test_every_rejected_alternative_is_there_with_its_reason(name):
    rejected = table(written(name), "decisions", "alternative")
    reasons = [shown(one["rejected because"]) for one in rejected]
    assert reasons == [" ".join(one.reason.split()) for one in cases.load(name).pattern.rejected]


def test_findings_stand_under_the_title_of_their_rule(monkeypatch):
    places = [Finding("PLANE005", "error", f"planes.flows.{n}.timeout", f"what {n}", "fix") for n in range(3)]
    monkeypatch.setattr(provenance, "reviewed", lambda design: Review(tuple(places), ()))
    listed = section(document(HARBOUR), "findings")
    assert listed.count("Call without a timeout") == 1
    assert [listed.count(f"`{one.where}`: {one.message}") for one in places] == [1, 1, 1]
    assert listed.count("fix") == 1


def test_a_design_without_findings_says_so(monkeypatch):
    monkeypatch.setattr(provenance, "reviewed", lambda design: Review((), ()))
    assert "None" in section(document(HARBOUR), "findings")


def test_an_accepted_finding_is_not_open_and_stands_with_its_reason_and_date(monkeypatch):
    places = [Finding("PLANE005", "error", f"planes.flows.{name}.timeout", "what", "fix") for name in "ab"]
    monkeypatch.setattr(
        provenance, "reviewed", lambda design: Review((), tuple((one, design.accepted[0]) for one in places))
    )
    answer = {"rule": "PLANE005", "because": "The client waits", "by": "Ada", "until": "2027-03-01"}
    text = document(HARBOUR.changed(accepted=[answer]))
    assert "PLANE005" not in section(text, "findings")
    (accepted,) = table(text, "decisions", "rule")
    assert (accepted["places"], accepted["because"]) == ("2", "The client waits")
    assert accepted["looked at again"] == "2027-03-01"


@pytest.mark.processes
@pytest.mark.parametrize("seed", ["0"] if QUICK else ["0", "1", "2"])
def test_the_same_design_gives_the_same_document_in_another_process(seed):
    code = "from mlsd_helpers import document\nfrom tests.document.whole import WHOLE\nprint(document(WHOLE), end='')"
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, env=env
    )
    assert run.stdout == document(WHOLE)


@every_case
def test_the_same_design_gives_the_same_document(name):
    assert document(Design.parse(cases.load(name).to_yaml())) == written(name)


# What is not there yet


@pytest.mark.parametrize("left_out", [(), *combinations(PARTS, 1), *combinations(PARTS, 2)])
def test_a_half_done_design_says_what_is_not_decided_yet(left_out):
    text = document(HARBOUR.with_part(**dict.fromkeys(left_out)))
    missing = section(text, "undecided").splitlines()[4]
    assert all((f"`{part}`" in missing) == (part in left_out) for part in PARTS)
    assert set(links(text)) <= set(anchors(text))


def test_a_plan_without_its_inputs_says_which_are_missing():
    bare = without("capacity").with_part(capacity={"replicas": 3, "component": "scorer"})
    busy = row(table(document(bare), "plan", "row"), "Requests in service")
    assert busy["result"] == "*not decided yet:* `capacity.service_time.mean`"
    need = row(table(document(bare), "plan", "row"), "Replicas for the peak")
    assert "`capacity.target_utilisation`" in need["result"]


def test_a_plan_out_of_a_formulas_range_says_why():
    small = HARBOUR.with_part(capacity=HARBOUR.capacity.changed(replicas=10, replicas_per_zone=4))
    wait = row(table(document(small), "plan", "row"), "p99 wait")
    assert "must be below 1" in wait["result"]


def test_what_rests_on_a_result_out_of_range_says_the_same():
    inputs = [Input("arrival_rps", -1, "-1 rps", "x"), Input("service_time_s", 1, "1 s", "x")]
    refused = Row("busy", "busy", formulas.offered_load_erlangs, inputs)
    rests = Row("restart", "restart", formulas.replicas_for_rolling_restart, [refused.as_input("base")])
    assert rests.result == refused.result
    assert "must be at least 0" in rests.result


# Numbers


@pytest.mark.parametrize(
    ("part", "head", "columns"),
    [
        ("planes", "part", ("time",)),
        ("plan", "row", ("formula", "result")),
        ("capacity", "what", ("result",)),
        ("dataflow", "stage", ("runs every", "then takes", "copies kept for")),
        ("planes", "component", ("replicas", "zones", "latency", "availability")),
        ("dataflow", "feature", ("worst age", "oldest allowed", "slot")),
    ],
)
@pytest.mark.parametrize("name", WITH_REQUESTS)
def test_every_number_links_to_where_it_comes_from(name, part, head, columns):
    listed = table(written(name), part, head)
    assert any(re.search(r"\d", one.get(column, "")) for one in listed for column in columns)
    for one in listed:
        for column in columns:
            assert not re.search(r"\d", LINKED.sub("", one.get(column, ""))), one


@every_case
def test_every_input_of_the_plan_links_to_where_it_comes_from(name):
    for one in table(written(name), "plan", "row"):
        for given_input in re.split(r", (?=\w+ = )", one["inputs"]):
            assert re.fullmatch(r"\w+ = \[[^\]]+\]\(#[^)]+\)", given_input)


@every_case
def test_every_link_leads_to_one_place(name):
    places = anchors(written(name))
    assert len(places) == len(set(places))
    assert set(links(written(name))) <= set(places)


def test_a_figure_links_to_its_own_reason_before_that_of_its_group():
    labels = row(table(written("harbour_pay"), "requirements", "requirement"), "prediction")["value"]
    assert "[binary classification](#source-brief)" in labels
    note = {"figure": "requirements.labels.delay", "source": "radar"}
    own = document(HARBOUR.changed(evidence=[*HARBOUR.evidence, note]))
    value = row(table(own, "requirements", "requirement"), "labels")["value"]
    assert "[30 d](#source-radar)" in value
    assert "[95%](#assumption-A4)" in value


def test_evidence_by_position_and_by_id_is_the_same():
    by_id, by_position = (
        HARBOUR.changed(evidence=[{"figure": path, "source": "radar"}])
        for path in ("dataflow.features.amount.sla", "dataflow.features.0.sla")
    )
    path = "dataflow.features.amount.sla"
    assert Figures(by_id).target(path) == Figures(by_position).target(path) == "source-radar"


def test_evidence_by_the_name_in_the_file_is_found():
    figures = Figures(HARBOUR.changed(evidence=[{"figure": "requirements.labels.yield", "source": "radar"}]))
    assert figures.target("requirements.labels.label_yield") == "source-radar"
    assert "requirements.labels.yield" not in figures.unreasoned()


def test_a_figure_without_a_reason_is_named():
    kept = [note for note in HARBOUR.evidence if note.figure != "capacity.queue_limit"]
    text = document(HARBOUR.changed(evidence=kept))
    assert "| queue limit of a replica | [6](#without-reason) |" in text
    named = section(text, "sources").partition('<a id="without-reason"></a>')[2]
    assert "`capacity.queue_limit`" in named.splitlines()[0]
    assert "without-reason" not in written("harbour_pay")


def test_a_figure_at_its_default_is_told_from_one_without_a_reason():
    assert "capacity.concurrency_per_replica" in Figures(HARBOUR).by_default()
    assert "capacity.concurrency_per_replica" not in Figures(HARBOUR).unreasoned()


@pytest.mark.parametrize(
    ("feature", "age"),
    [
        ("amount", "0 s"),
        ("merchant_rate_15m", "15 min"),
        ("graph_risk", "59 min"),
        ("dual_source_flag", "9.033 min"),
    ],
)
def test_a_feature_shows_its_worst_age(feature, age):
    # 1 min + 8 min and 1 min + 7 min side by side, then 2 s: the older branch decides
    assert (
        row(table(written("harbour_pay"), "dataflow", "feature"), f"`{feature}`")["worst age"]
        == f"[{age}](#formula-age_bounds)"
    )


def test_a_stage_in_step_with_the_one_before_adds_no_wait():
    stages = [
        one.changed(synchronised=one.id == "graph_scores") if one.id == "graph_scores" else one
        for one in HARBOUR.dataflow.stages
    ]
    text = document(HARBOUR.with_part(dataflow=HARBOUR.dataflow.changed(stages=stages)))
    assert row(table(text, "dataflow", "feature"), "`graph_risk`")["worst age"].startswith("[29 min]")


@pytest.mark.parametrize(
    ("place", "by_hand"),
    [
        ("error_budget", "43.2 min"),  # 0.1% of 30 days
        ("busy", "20"),  # 500 × 0.040
        ("need", "29"),  # 20 / 0.7 = 28.57
        ("headroom", "43"),  # 28.57 × 1.5 = 42.86
        ("zone", "15"),  # 29 / 2 = 14.5
        ("restart", "38"),  # 38 − 9 = 29
        ("utilisation", "44.44%"),  # 20 / 45
        ("zone_lost", "66.67%"),  # 20 / 30
        ("backlog", "0"),  # 575 is below 45 / 0.040 = 1,125
        ("cost", "$6,912.00"),  # (45 + 3) × 0.20 × 720
        ("cost_per_1k", "$0.01333"),  # 9.60 an hour over 720,000 requests
        ("labels", "$20,000.00"),  # 20,000 × 2 × 0.50
    ],
)
def test_the_plan_of_harbour_pay_is_what_one_gets_by_hand(place, by_hand):
    entry = row(table(written("harbour_pay"), "plan", "row"), f'"plan-{place}"')
    assert shown(entry["result"]) == by_hand


@pytest.mark.parametrize("name", WITH_REQUESTS)
def test_a_result_is_its_formula_of_its_inputs(name):
    plan = list(rows(Figures(cases.load(name))))
    assert len(plan) > 10
    for one in plan:
        inputs = {given_input.name: given_input.value for given_input in one.inputs}
        assert one.formula is getattr(formulas, one.formula.__name__)
        assert one.result == one.formula(**inputs)


def test_the_assistant_is_sized_for_32_conversations_a_replica():
    need = row(table(written("azure_assistant"), "plan", "row"), '"plan-need"')
    assert "[5.3 s / 32]" in need["inputs"]
    assert shown(need["result"]) == "2"  # 8.4 × 5.3 / 32 / 0.7 = 1.99


def test_the_assistants_memory_is_that_of_its_model():
    plan = table(written("azure_assistant"), "plan", "row")
    results = [
        shown(row(plan, f'"plan-{place}"')["result"]) for place in ("weights", "kv_token", "kv_tokens")
    ]
    assert results == [
        "14.96 GiB",
        "128 KiB",
        "426,788",
    ]  # 16.06 GB; 2 × 32 × 8 × 128 × 2; 55.94 GB of 128 KiB


# Words


@cache
def structure_of_words():
    return structure(document(saying("word")))


@pytest.mark.parametrize(
    "mark",
    some([
        "'", '"', "*", "**b**", "*a*", "_", "__", "_a_", "`", "``", "```", "```mermaid", "~~", "|", "| --- |", r"\|",
        "\\", "[", "]", "](#x)", "[a](javascript:x)", "![a](b)", "<!--", "-->", "<a id=x>",
        "<script>alert(1)</script>", "&amp;", "&#124;", "#quot;", ";", "$", "$$", "$x$", r"\(x\)", "{{",
        "%%{init:{}}%%", "+", "-", "1.", "    indented", "\t", "\n", "\n\n", "\n# ", "\n- ", "\n1. ", "\n> ",
        "\n---\n", "\n===\n", "http://a.b", "www.a.b", "a@b.c", "end", "é", "→", "word",
    ]),
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("around", ["a {} b"] if QUICK else ["{} b", "a {} b"])
def test_no_mark_changes_the_structure_of_the_document(mark, around):
    assert structure(document(saying(around.format(mark)))) == structure_of_words()


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS.filter(lambda words: has_fallback(Flow(start="a", end="b", carries="request", fallback=words))))
def test_no_words_change_the_structure_of_the_document(words):
    # the last word says something, whatever is drawn: the review finds texts that do not
    assert structure(document(saying(f"{words} beside"))) == structure_of_words()


def test_words_are_shown_as_they_are():
    text = shown(document(saying(HOSTILE)))
    assert text.count(HOSTILE) > 50


@pytest.mark.parametrize("words", ["$x$", r"\(x\)", r"\begin{a}"])
def test_no_words_become_a_formula_of_mathjax(words):
    marked = [run for run in runs(document(saying(words))) if "$" in run or "\\" in run]
    assert marked
    assert all(len(run) == 1 for run in marked)


# Any design


@pytest.mark.parametrize("part", [*PARTS, *MORE])
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_design_is_written_and_its_links_lead_somewhere(part, data):
    text = document(data.draw(designs(part)))
    places = anchors(text)
    assert len(places) == len(set(places))
    assert set(links(text)) <= set(places)


def test_a_design_too_large_to_draw_has_tables_instead():
    components = [{"id": f"c{n}", "kind": "raw source"} for n in range(502)]
    flows = [{"from": f"c{n}", "to": f"c{n + 1}", "carries": "events"} for n in range(501)]
    text = document(Design(name="large", planes={"components": components, "flows": flows}))
    planes = section(text, "planes")
    assert "```mermaid" not in planes
    assert "Too large to draw" in planes
    assert [len(tables(section(text, name))[0]) for name in ("planes", "flows")] == [502, 501]


def test_a_design_at_the_limit_is_drawn():
    components = [{"id": f"c{n}", "kind": "raw source"} for n in range(501)]
    flows = [{"from": f"c{n}", "to": f"c{n + 1}", "carries": "events"} for n in range(500)]
    text = document(Design(name="large", planes={"components": components, "flows": flows}))
    assert "```mermaid" in section(text, "planes")


@pytest.mark.processes
@pytest.mark.parametrize("module", ["numpy", "yaml"])
def test_the_document_needs_neither_numpy_nor_yaml(module):
    code = f"""import sys
from mlsd_helpers import document
from mlsd_helpers.design import Design
document(Design(name="x"))
sys.exit({module!r} in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.processes
@pytest.mark.parametrize(
    "before",
    ["import mlsd_helpers.document", "from mlsd_helpers.document import save", "import mlsd_helpers as mlsd"],
)
def test_the_function_is_public_whatever_was_imported_before(before):
    code = f"{before}\nimport mlsd_helpers\nimport sys\nsys.exit(not callable(mlsd_helpers.document))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plane_with_nothing_in_it_is_named_and_not_drawn():
    text = section(
        document(Design(name="x", planes={"components": [{"id": "a", "kind": "cache"}]})), "planes"
    )
    assert "subgraph plane_serving" in text
    assert "subgraph plane_training" not in text
    assert "training" in text
