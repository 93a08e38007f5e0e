"""Each section of the design document says what a team that builds from it has to know."""

from pathlib import Path

import pytest

from mlsd_helpers import cases, cli, document
from mlsd_helpers.analysis.cost import costs_of
from mlsd_helpers.design import Design
from mlsd_helpers.document import provenance
from mlsd_helpers.errors import DesignError
from mlsd_helpers.review import Finding, Review
from tests.document.reading import anchors, links, row, section, shown, table, tables
from tests.document.whole import WHOLE
from tests.effort import some

TEXT = document(WHOLE)
HARBOUR = cases.load("harbour_pay")


def sequence(design):
    return section(document(design), "planes").split("sequenceDiagram")[1].partition("```")[0]


def called(*flows, **hub):
    ends = dict.fromkeys(flow["to"] for flow in flows if flow["to"] != "hub")
    components = [{"id": "hub", "kind": "service", **hub}, *({"id": end, "kind": "service"} for end in ends)]
    carried = [{"from": "hub", "carries": "request", **flow} for flow in flows]
    return Design(name="x", planes={"components": components, "flows": carried})


# Head and summary


def test_the_head_names_the_status_and_everybody_who_answers_for_the_design():
    head = TEXT.partition("## Summary")[0]
    for words in ("in review", "Support platform", "Ada, Grace", "Barbara", "Head of support", "2026-11-30"):
        assert words in head


def test_the_version_changes_with_the_design_and_with_nothing_else():
    def version(design):
        return document(design).partition("**Version:** `")[2].partition("`")[0]

    assert version(WHOLE) == version(Design.parse(WHOLE.to_yaml()))
    assert version(WHOLE) != version(WHOLE.changed(summary="Something else"))


@pytest.mark.parametrize(
    "design", [WHOLE, *map(cases.load, some(cases.names()))], ids=lambda design: design.name
)
def test_a_reader_in_a_hurry_gets_a_dozen_lines_at_most_and_the_promises(design):
    summary = section(document(design), "summary")
    lines = [line for line in summary.splitlines() if line and not line.startswith(("#", "|"))]
    assert len(lines) <= 12


def test_the_summary_says_what_is_promised_its_cost_and_what_is_open():
    summary = shown(section(TEXT, "summary"))
    assert "whole answer at p99 below 15 s" in summary
    assert "99.5% of requests answered" in summary
    assert "next due 2026-12-10" in summary
    assert "R2" in summary
    assert "R1" not in summary


# Context


def test_the_file_of_the_context_is_included_with_smaller_headings(tmp_path):
    (tmp_path / "context.md").write_text("# Why\nBecause\n```sh\n# no heading\n```\n", encoding="utf-8")
    text = section(document(WHOLE, folder=tmp_path), "requirements")
    assert "#### Why\nBecause\n```sh\n# no heading\n```" in text


def test_a_code_block_that_the_file_leaves_open_is_ended(tmp_path):
    (tmp_path / "context.md").write_text("```\nopen", encoding="utf-8")
    assert "\n```\nopen\n```\n" in document(WHOLE, folder=tmp_path)


def test_without_a_folder_the_file_is_named_and_not_read():
    assert "context.md" in section(TEXT, "requirements")


@pytest.mark.parametrize(
    "name", ["../secret.md", "sub/../../secret.md", "missing.md", "binary.md", ".", "a\nb"]
)
def test_a_file_outside_of_the_folder_or_that_is_no_text_is_refused(name, tmp_path):
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    folder = tmp_path / "design"
    folder.mkdir()
    (folder / "binary.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DesignError, match=r"about\.context_file"):
        document(WHOLE.changed(about={"context_file": name}), folder=folder)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    folder = tmp_path / "design"
    folder.mkdir()
    (folder / "context.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(DesignError, match="outside"):
        document(WHOLE, folder=folder)


# Architecture


def test_calls_one_after_another_stand_in_their_order():
    lines = sequence(called({"to": "a"}, {"to": "b"}, calls="one after another"))
    assert lines.index("p0->>p1: request") < lines.index("p1-->>p0: answer") < lines.index("p0->>p2: request")
    assert "par" not in lines.replace("participant", "")


def test_calls_at_once_stand_in_parallel():
    lines = sequence(called({"to": "a"}, {"to": "b"}, calls="at once"))
    assert lines.count("par at once") == lines.count("\n    and\n") == 1


def test_an_order_that_is_not_decided_is_not_invented():
    assert "not decided yet" in sequence(called({"to": "a"}, {"to": "b"}))


def test_an_alternative_is_drawn_as_one():
    lines = sequence(called({"id": "first", "to": "a", "otherwise": "second"}, {"id": "second", "to": "b"}))
    steps = ("alt first", "p0->>p1", "else no answer from a", "p0->>p2")
    assert sorted(steps, key=lines.index) == list(steps)


def test_timeout_and_fallback_are_a_note():
    lines = sequence(called({"to": "a", "timeout": "2 s", "retries": 1, "fallback": "The last answer"}))
    note = next(line for line in lines.splitlines() if "Note" in line)
    assert "2 attempts, each at most 2 s" in note
    assert "The last answer" in note


def test_a_call_of_some_requests_is_optional():
    assert "opt 5#37; of requests" in sequence(called({"to": "a", "share": "5%"}))


def test_what_is_called_twice_is_drawn_once():
    ends = [
        {"from": "hub", "to": "a"},
        {"from": "hub", "to": "b"},
        {"from": "a", "to": "c"},
        {"from": "b", "to": "c"},
    ]
    ends += [{"from": "c", "to": "d"}]
    design = called(*({**one, "carries": "request"} for one in ends))
    assert sequence(design).count(": request") == 6  # with that of the client


def test_calls_that_form_a_cycle_are_named():
    text = document(called({"to": "a"}, {"from": "a", "to": "hub"}))
    assert "form a cycle" in section(text, "planes")


def test_a_chain_of_five_hundred_calls_is_written_and_not_drawn():
    components = [{"id": f"c{n}", "kind": "service"} for n in range(501)]
    flows = [{"from": f"c{n}", "to": f"c{n + 1}", "carries": "request"} for n in range(500)]
    text = section(document(Design(name="x", planes={"components": components, "flows": flows})), "planes")
    assert "sequenceDiagram" not in text
    assert "Too large to draw" in text


def test_the_failure_of_what_has_an_alternative_stops_nobody():
    failures = table(TEXT, "planes", "dead component")
    assert shown(row(failures, "vendor")["requests"]) == "are answered by a fallback"
    assert shown(row(failures, "guard")["requests"]) == "get no answer"


def test_only_calls_that_wait_stand_in_the_text_and_all_flows_in_the_appendix():
    waiting = [rows for rows in tables(section(TEXT, "planes")) if "timeout" in rows[0]]
    assert len(waiting[0]) == 5
    assert len(table(TEXT, "flows", "from")) == 7


# Decisions


@pytest.mark.parametrize(
    ("head", "kind", "number"),
    [("decision", "decision", 1), ("risk", "risk", 2), ("question", "question", 2)],
)
def test_decisions_risks_and_questions_have_a_row_each(head, kind, number):
    assert len(table(TEXT, "decisions", head)) == number
    assert sum(place.startswith(f"{kind}-") for place in anchors(TEXT)) == number


# Data


def test_a_flow_that_leaves_its_region_or_trust_zone_is_listed_with_what_the_contract_says():
    (leaving,) = table(TEXT, "data", "from")
    assert shown(leaving["to"]) == "vendor"
    assert (leaving["trust zones"], leaving["regions"]) == ("internal → vendor", "eu → us")
    assert "DPA of May" in leaving["terms"]


@pytest.mark.parametrize(
    ("head", "place"), [("data", "chats"), ("experiment", "handover"), ("gate", "grounded")]
)
def test_data_experiments_and_gates_have_their_rows(head, place):
    assert place in shown(table(TEXT, "data", head)[0][head])


# Capacity and cost


def test_every_fleet_has_its_column_and_its_calculations():
    plan = row(table(TEXT, "capacity", "fleet"), "**replicas**")
    assert {shown(plan[f"`{name}`"]) for name in ("own", "lookup")} == {"4", "3"}
    need = row(table(TEXT, "plan", "row"), '"plan-need-lookup"')
    assert shown(need["result"]) == "2"  # 20 × 0.040 / 0.6 = 1.33


def test_costs_are_what_one_gets_by_hand():
    costs = {one.path.partition(".price.")[2] or one.path: one.per_month for one in costs_of(WHOLE)}
    month_s = 30 * 86_400
    assert costs == pytest.approx(
        {
            "capacity.cost_per_replica_hour": 4 * 3 * 720,
            "capacity.fleets.lookup.cost_per_replica_hour": 3 * 0.5 * 720,
            "per_request": 0.001 * 5 * month_s,
            "per_million_input_tokens": 2 * 1500 / 1e6 * 5 * month_s,
            "data.training.cost_per_run": 40 * 3,
            "capacity.costs.logs.per_month": 200,
        }
    )


def test_only_a_share_of_the_calls_is_paid_for():
    priced = called({"to": "a", "share": "10%"}, {"from": "a", "to": "b", "share": "50%"})
    components = [one.changed(price={"per_request": "$1"}) for one in priced.planes.components]
    design = Design(
        name="x",
        planes=priced.planes.changed(components=components),
        requirements={"throughput": {"peak": "10 rps", "mean": "1 rps"}},
    )
    assert [row.per_month / (30 * 86_400) for row in costs_of(design)] == pytest.approx([1, 0.1, 0.05])


def test_a_price_without_what_is_used_of_it_is_not_taken_as_free():
    lonely = Design(
        name="x", planes={"components": [{"id": "a", "kind": "service", "price": {"per_request": "$1"}}]}
    )
    (cost,) = costs_of(lonely)
    assert cost.per_month is None
    assert "not known" in section(document(lonely), "capacity")


# Operations


def test_the_stages_of_a_release_stand_in_order_with_what_stops_them():
    stages = table(TEXT, "operations", "stage")
    assert [shown(one["stage"]) for one in stages] == ["staff", "tenth"]
    assert shown(stages[1]["stopped by"]) == "slow, answered"


def test_a_canary_is_the_only_stage_where_no_other_is_given():
    (stage,) = table(document(HARBOUR), "operations", "stage")
    assert (shown(stage["share"]), shown(stage["for"])) == ("1%", "2 h")


def test_who_is_called_and_the_runbook_stand_with_each_alert():
    (alert,) = table(TEXT, "operations", "alert")
    assert (alert["who is called"], alert["runbook"]) == ("Platform", "runbooks/slow.md")


# What is not there


def test_what_does_not_apply_stands_with_its_reason_and_is_not_called_undecided():
    text = section(TEXT, "undecided")
    missing, _, answers = text.partition("### Does not apply")
    assert "labels" not in missing
    assert "`requirements.labels`: Nobody labels answers." in answers


def test_a_field_that_some_entries_lack_is_named_once_with_these_entries():
    text = section(TEXT, "undecided")
    assert text.count("`owner` in `planes.components`") == 1


def test_a_scheduled_run_is_a_requirement_with_its_deadline_and_no_latency_is_missed():
    schedule = {"calendar": "each working day", "period": "1 d", "deadline": "6 h", "items": "2M"}
    text = document(Design(name="x", requirements={"schedule": schedule}))
    assert "done within [6 h]" in row(table(text, "requirements", "requirement"), "schedule")["value"]
    assert "done within 6 h" in shown(section(text, "summary"))
    assert "requirements.latency" not in section(text, "undecided")


def test_an_empty_design_has_a_head_a_summary_and_what_is_missing():
    text = document(Design(name="x"))
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Summary",
        "## Findings of the review",
        "## Not decided yet",
    ]
    assert set(links(text)) <= set(anchors(text))


def test_places_of_a_rule_beyond_the_tenth_are_counted(monkeypatch):
    found = [Finding("PLANE005", "error", f"planes.flows.{n}.timeout", f"what {n}", "fix") for n in range(13)]
    monkeypatch.setattr(provenance, "reviewed", lambda design: Review(tuple(found), ()))
    assert "3 more places" in section(document(HARBOUR), "findings")


def test_the_document_of_a_file_includes_its_context(tmp_path, capsys):
    (tmp_path / "context.md").write_text("From the file", encoding="utf-8")
    path = Path(WHOLE.save(tmp_path / "design.yaml"))
    assert cli.main(["document", str(path)]) == 0
    assert "From the file" in capsys.readouterr().out
