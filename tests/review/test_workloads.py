"""A design with several workloads: each has its own promise, and what they share gets the load of all."""

from pathlib import Path

import pytest

from mlsd_helpers import cases
from mlsd_helpers.analysis.paths import peak_rps, together
from mlsd_helpers.analysis.sizing import sizings
from mlsd_helpers.analysis.surroundings import reaches
from mlsd_helpers.design import Design, UnreadableDesignError, load_design
from mlsd_helpers.document import document
from mlsd_helpers.errors import DesignError
from mlsd_helpers.review import review, rules_called
from mlsd_helpers.simulation import report, reports
from tests.review.mutations.fuller import setting

FILE = Path(__file__).with_name("two_workloads.yaml")


@pytest.fixture
def design():
    return load_design(FILE)


def found(design, code):
    return list(rules_called([code])[0](design))


def test_each_view_has_the_promises_of_its_workload_and_no_workloads(design):
    budgets = [one.requirements.latency and one.requirements.latency.budget for one in design.views]
    assert budgets == [0.3, 20.0, None]
    assert not any(one.views or one.requirements.workloads for one in design.views)
    assert [one.workload.id for one in design.views[0].others] == ["chat", "nightly"]


def test_a_design_without_workloads_has_no_views():
    assert cases.load("harbour_pay").views == ()


def test_the_round_trip_keeps_workloads(design):
    assert Design.parse(design.to_yaml()) == design
    assert design.views
    assert design == load_design(FILE)  # one with views, the other without


def test_a_change_of_one_workload_keeps_the_comments_of_the_file(tmp_path, design):
    file = tmp_path / "design.yaml"
    file.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    setting(design, "requirements.workloads.chat", does="Helps analysts.").save(file, replace=True)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# A detector")
    assert "does: Helps analysts." in text
    assert load_design(file).at("requirements.workloads.chat.does") == "Helps analysts."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{workloads: [{id: a}, {id: a}]}", "'a' is used twice"),
        ("{latency: {budget: 1 s, percentile: p99}, workloads: [{id: a}]}", "beside 'workloads'"),
        ("{workloads: [{id: a, entry: nowhere}]}", "no component 'nowhere'"),
        ("{workloads: [{id: a, entry: x, loads: 1}]}", "unknown key"),
    ],
)
def test_what_is_wrong_with_workloads_is_said_with_its_line(given, words):
    text = f"name: d\nrequirements: {given}\nplanes: {{components: [{{id: x, kind: cache}}]}}\n"
    with pytest.raises(UnreadableDesignError, match=words) as error:
        Design.parse(text)
    assert all(problem.line == 2 for problem in error.value.problems)


@pytest.mark.parametrize("part", ["planes: {flows: [{from: x, to: x, carries: batch, workload: b}]}"])
def test_a_flow_of_an_unknown_workload_is_refused(part):
    text = "name: d\nrequirements: {workloads: [{id: a}]}\n" + part.replace(
        "{flows", "{components: [{id: x, kind: cache}], flows"
    )
    with pytest.raises(UnreadableDesignError, match="no workload 'b'"):
        Design.parse(text)


def test_a_finding_on_a_promise_names_its_workload_and_its_place(design):
    (one,) = [one for one in found(design, "REQ007") if "chat" in one.message]
    assert one.where == "requirements.workloads.chat.throughput.derivation"
    assert one.message.startswith("Workload chat: ")


def test_a_finding_for_all_workloads_stands_once_and_names_none(design):
    (one,) = found(design, "PLANE004")
    assert "Workload" not in one.message


def test_no_path_of_a_finding_is_that_of_a_single_workload(design):
    for one in review(design):
        assert design.requirements.latency is None
        assert not one.where.startswith(("requirements.latency", "requirements.throughput"))


def test_a_quota_gets_the_calls_of_all_workloads(design):
    assert not found(design, "SERV001")  # 500 and 20 of 600
    (one,) = found(setting(design, "planes.components.writer", quota={"requests": "510 rps"}), "SERV001")
    assert "31,200 calls a minute" in one.message


def test_people_get_the_cases_of_all_workloads(design):
    alone = {one.workload.id: one for one in design.views}
    assert len(alone) == 3
    (one,) = found(design, "SERV008")  # 100/s x 0.02% and 2.6M x 0.04%: 2,768 a day
    assert "2,768 cases a day" in one.message
    assert not found(setting(design, "planes.components.analysts", cases_per_day=3000), "SERV008")


def test_a_run_off_the_peak_is_not_added_to_it_and_one_at_the_peak_is(design):
    assert sizings(design)["capacity"].load_rps == 500
    at_peak = setting(design, "requirements.workloads.nightly", off_peak=False)
    assert sizings(at_peak)["capacity"].load_rps == pytest.approx(500 + 2_600_000 / 21_600)
    assert not found(design, "CAP005")
    assert found(at_peak, "CAP005")


def test_loads_off_the_peak_count_where_they_are_the_largest():
    peaks = {"a": "5 rps", "b": "4 rps", "c": "30 rps"}
    each = [
        {"id": name, "off_peak": name == "c", "throughput": {"peak": peak}} for name, peak in peaks.items()
    ]
    assert together(Design(name="d", requirements={"workloads": each}), peak_rps) == 30


def test_a_workload_waits_for_its_own_calls_alone(design):
    score, chat, nightly = design.views
    assert [reaches(one, design.capacity) for one in (score, chat, nightly)] == [True, False, True]
    late = setting(design, "planes.flows.ask_writer", timeout="25 s")
    assert any("chat" in one.message for one in found(late, "PLANE007"))
    assert not any("score" in one.message for one in found(late, "PLANE007"))


def test_the_availability_of_another_workloads_vendor_is_not_its_own(design):
    assert not found(design, "PLANE014")  # 99% of the writer count for the chat, which promises nothing
    chat = setting(design, "requirements.workloads.chat", availability={"target": "99.9%"})
    (one,) = found(chat, "PLANE014")
    assert one.message.startswith("Workload chat: ")


def test_each_workload_has_verdicts_of_its_own(design):
    made = reports(design, seed=1, requests=20_000)
    assert [one.design.rpartition(" ")[2] for one in made] == ["score", "chat", "nightly"]
    assert [[each.requirement.partition(",")[0] for each in one.verdicts] for one in made][2] == [
        "result of a run"
    ]
    with pytest.raises(DesignError, match="several workloads"):
        report(design, seed=1)


def test_the_document_shows_each_workload_with_links_that_resolve(design):
    text = document(design)
    for name in ("score", "chat", "nightly"):
        assert f"### Workload `{name}`" in text
    anchors = {part.partition('"')[0] for part in text.split('<a id="')[1:]}
    links = {part.partition(")")[0] for part in text.split("](#")[1:]}
    assert links <= anchors


def test_the_case_with_two_workloads_has_a_document_whose_links_resolve():
    text = document(cases.load("netflix_recommendations"))  # its evidence names places of one workload alone
    anchors = {part.partition('"')[0] for part in text.split('<a id="')[1:]}
    assert {part.partition(")")[0] for part in text.split("](#")[1:]} <= anchors


def test_a_reason_for_one_workload_silences_that_one_alone(design):
    reason = {"where": "requirements.workloads.chat.throughput.derivation", "because": "It is a contract."}
    quiet = design.with_part(does_not_apply=[reason])
    assert not any("chat" in one.message for one in found(quiet, "REQ007"))
    assert any("score" in one.message for one in found(quiet, "REQ007"))


def test_an_accepted_finding_of_one_workload_is_not_open():
    case = cases.load("netflix_recommendations")
    bare = setting(case, "requirements.workloads.stored_rows.schedule", when_late=None)
    accepted = {
        "rule": "REQ022",
        "where": "requirements.workloads.stored_rows.schedule",
        "because": "A page may be a day older.",
        "by": "Home page",
    }
    assert [one.code for one in review(bare)] == ["REQ022"]
    assert review(bare.with_part(accepted=[accepted])) == ()
