"""`mlsd check` and `mlsd rules`: what is printed, for whom, and the exit status."""

import io
import json
import os
import subprocess
import sys

import pytest

from mlsd_helpers import cases, cli
from mlsd_helpers.design import Design, load_with_lines
from mlsd_helpers.review import RULES, Finding, report, review
from tests.effort import QUICK
from tests.review.mutations import MUTATIONS, STARTS

every_format = pytest.mark.parametrize("form", ["text", "json", "github"])


def broken(name: str) -> Design:
    mistake = next(one for one in MUTATIONS if one.name == name)
    return mistake.change(STARTS[mistake.start]())


@pytest.fixture
def bad(tmp_path):
    """Write a design with one error to a file."""
    return str(broken("wait_for_ever").save(tmp_path / "design.yaml"))


@pytest.mark.parametrize(
    ("design", "status"),
    [(cases.load("harbour_pay"), 0), (broken("no_baseline"), 0), (broken("wait_for_ever"), 1)],
)
@every_format
def test_the_status_is_1_with_an_error_and_0_without(design, status, form, tmp_path):
    path = str(design.save(tmp_path / "design.yaml"))
    assert cli.main(["check", path, "--format", form]) == status


@pytest.mark.parametrize("content", [None, "", "name: [", "name: x\nrequirement: 1\n"])
@every_format
def test_the_status_is_2_when_the_file_cannot_be_read(content, form, tmp_path, capsys):
    path = tmp_path / "design.yaml"
    if content is not None:
        path.write_text(content)
    assert cli.main(["check", str(path), "--format", form]) == 2
    said = capsys.readouterr()
    assert "design.yaml" in said.err
    assert "Traceback" not in said.err
    assert bool(said.out) is (form == "github")


def test_text_says_line_rule_field_reason_and_fix(bad, capsys):
    cli.main(["check", bad])
    said = capsys.readouterr().out
    loaded = load_with_lines(bad)
    (finding,) = review(loaded.design)
    rule = next(rule for rule in RULES if rule.code == finding.code)
    place = f"{bad}:{loaded.lines(finding.where)}: error {finding.code} {rule.title}"
    texts = (place, finding.where, finding.message, rule.reason, finding.fix, rule.wrong_when)
    assert all(text in said for text in texts)


def test_json_is_the_same_as_the_review(bad, capsys):
    cli.main(["check", bad, "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    loaded = load_with_lines(bad)
    assert said["file"] == bad
    shown = [
        (one["line"], one["code"], one["severity"], one["where"], one["fix"]) for one in said["findings"]
    ]
    assert all(one["title"] and one["reason"] and "wrong_when" in one for one in said["findings"])
    assert shown == [
        (loaded.lines(one.where), one.code, one.severity, one.where, one.fix) for one in review(loaded.design)
    ]


@pytest.fixture
def alike(tmp_path):
    """Write a design that breaks one rule at five places; return the file and the findings."""
    case = cases.load("harbour_pay")
    moved = [one.id for one in case.dataflow.features if one.width == 1 and one.slot][:5]
    features = [one.changed(slot=0) if one.id in moved else one for one in case.dataflow.features]
    design = case.with_part(dataflow=case.dataflow.changed(features=tuple(features)))
    found = review(design)
    assert [one.code for one in found] == ["FLOW009"] * 5
    return str(design.save(tmp_path / "design.yaml")), found


def test_one_rule_at_five_places_is_one_paragraph_that_names_them_all(alike, capsys):
    path, found = alike
    cli.main(["check", path])
    said = capsys.readouterr().out
    assert said.count("FLOW009") == said.count(found[0].fix) == said.count("Why:") == 1
    assert all(one.where in said for one in found)
    assert [one.message in said for one in found] == [True] * 3 + [False] * 2
    assert "2 more" in said
    assert "1 error" in said
    assert "5 places" in said


def test_one_rule_at_five_places_is_five_findings_for_programs(alike, capsys):
    path, found = alike
    cli.main(["check", path, "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    assert [one["where"] for one in said["findings"]] == [one.where for one in found]


def test_one_rule_at_five_places_is_one_annotation_that_names_other_lines(alike, capsys):
    path, found = alike
    cli.main(["check", path, "--format", "github"])
    (said,) = capsys.readouterr().out.splitlines()
    lines = load_with_lines(path).lines
    assert f",line={lines(found[0].where)}," in said
    assert f"line {lines(found[1].where)}" in said


def test_each_place_has_its_own_fix_where_they_differ():
    found = [
        Finding("FLOW002", "error", f"dataflow.features.{name}.sla", f"{name} is old.", f"Mend {name}.")
        for name in "abc"
    ]
    said = report.as_text("x.yaml", found, lambda _: 1)
    assert all(said.count(one.fix) == 1 for one in found)


def test_annotations_name_file_and_line(bad, capsys):
    cli.main(["check", bad, "--format", "github"])
    (line,) = capsys.readouterr().out.splitlines()
    loaded = load_with_lines(bad)
    (finding,) = [one for one in review(loaded.design) if one.severity == "error"]
    assert line.startswith(f"::error file={bad},line={loaded.lines(finding.where)},title=PLANE005")


def test_annotations_escape_what_would_end_them():
    finding = Finding("REQ001", "info", "a", "50%0A\r\nand :: more,", "Mend.")
    said = report.as_annotations("odd,name:1\n%.yaml", [finding], lambda _: 3)
    assert said.count("\n") == 0
    assert said.startswith("::notice file=odd%2Cname%3A1%0A%25.yaml,line=3,title=")
    assert said.endswith("::50%250A%0D%0Aand :: more, Mend.")


def test_annotations_show_what_keeps_a_file_from_being_read(tmp_path, capsys):
    path = tmp_path / "design.yaml"
    path.write_text("name: x\nrequirement: 1\nplane: 2\n")
    cli.main(["check", str(path), "--format", "github"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",title")[0] for line in lines] == [
        f"::error file={path},line={number}" for number in (2, 3)
    ]


class Terminal(io.TextIOWrapper):
    """A standard output that is, or is not, a terminal."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def said(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode(self.encoding)


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_there_is_colour_on_a_terminal_that_wants_it(terminal, environment, coloured, bad, monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    out = Terminal(terminal)
    monkeypatch.setattr(sys, "stdout", out)
    cli.main(["check", bad])
    assert ("\x1b[" in out.said()) is coloured
    assert "error" in out.said()


def test_a_terminal_that_has_no_arrows_gets_the_rest(bad, monkeypatch):
    out = Terminal(terminal=False, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert cli.main(["check", bad]) == 1
    assert "scorer ? features" in out.said()


@pytest.mark.processes
def test_a_reader_that_has_seen_enough_is_no_error():
    code = "import sys\nfrom mlsd_helpers import cli\nsys.exit(cli.main(['rules', 'PLANE']))"
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    error = run.stderr.read()
    run.stderr.close()
    assert (run.wait(), error) == (0, b"")


def test_rules_are_listed_with_their_titles(capsys):
    assert cli.main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(RULES)
    assert all(rule.code in line and rule.title in line for rule, line in zip(RULES, lines, strict=True))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_is_explained(rule, capsys):
    assert cli.main(["rules", rule.code.lower()]) == 0
    said = capsys.readouterr().out
    parts = (rule.code, rule.title, rule.reason, rule.prevents, rule.incident, rule.wrong_when or "")
    assert all(text in said for text in parts)


def test_the_rules_of_a_lesson_are_explained_together(capsys):
    assert cli.main(["rules", "REQ"]) == 0
    said = capsys.readouterr().out
    assert all((rule.prevents in said) is rule.code.startswith("REQ") for rule in RULES)


@pytest.mark.parametrize(("given", "nearest"), [("PLAIN005", "PLANE005"), ("", "Known"), ("capacity", "CAP")])
def test_a_rule_that_does_not_exist_gets_the_nearest(given, nearest, capsys):
    assert cli.main(["rules", given]) == 2
    assert nearest in capsys.readouterr().err


@pytest.mark.processes
def test_checking_a_case_loads_no_numpy(tmp_path):
    path = cases.load("harbour_pay").save(tmp_path / "design.yaml")
    code = (
        f"import sys\nfrom mlsd_helpers import cli\nassert cli.main(['check', {str(path)!r}]) == 0\n"
        "assert not {'numpy', 'pandas', 'matplotlib', 'IPython'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def boxes(number):
    return [f"    - {{id: c{n}, kind: batch pipeline}}" for n in range(number)]


def a_crowd(number):
    return ["name: crowd", "planes:", "  components:", *boxes(number)]


def a_chain(number):
    flows = [f"    - {{from: c{n}, to: c{n + 1}, carries: request}}" for n in range(number - 1)]
    return [*a_crowd(number), "  flows:", *flows]


def all_to_all(number):
    """Pass a feature from every one of a first half to every one of the other; no flows are drawn."""
    stages = [f"    - {{id: s{n}, component: c{n}}}" for n in range(number)]
    halves = [range(number // 2), range(number // 2, number)]
    steps = ", ".join(f"{{parallel: [{', '.join(f'[s{n}]' for n in half)}]}}" for half in halves)
    feature = f"    - {{id: f, source: c0, path: [{steps}]}}"
    return [*a_crowd(number), "dataflow:", "  stages:", *stages, "  features:", feature]


def calls_to_check(path, lines):
    """Count the functions that a check calls; unlike seconds, the number is the same each time."""
    path.write_text("\n".join(lines))
    calls = 0

    def count(frame, event, arg):
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        design, line = load_with_lines(path)
        text = report.as_text("x", review(design), line)
    finally:
        sys.setprofile(None)
    return calls, len(text)


@pytest.mark.parametrize("draw", [a_crowd, a_chain, all_to_all])
def test_the_work_and_the_text_of_a_check_grow_with_the_file_and_not_with_its_square(draw, tmp_path):
    few, many = (calls_to_check(tmp_path / "design.yaml", draw(number)) for number in (100, 800))
    for less, more in zip(few, many, strict=True):
        assert more < 16 * less  # 8 times as much to check; its square is 64


def test_the_first_of_two_missing_flows_is_named_and_the_rest_are_counted(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text("\n".join(all_to_all(100)))
    said = [one.message for one in review(load_with_lines(path).design) if one.code == "FLOW008"]
    assert len([one for one in said if "to c99," in one]) == 21
    assert any("from 30 more components to c99" in one for one in said)


TIES = (
    """
name: ties
requirements: {availability: {target: 99.9%}, latency: {budget: 200 ms, percentile: p99}}
planes:
  components:
    - {id: door, kind: model server, availability: 99.9%, latency: 100 ms}
"""
    + "".join(
        f"    - {{id: {name}, kind: model server, availability: 99.9%, latency: 150 ms}}\n"
        for name in "abcdefgh"
    )
    + "  flows:\n"
    + "".join(f"    - {{from: door, to: {name}, carries: request}}\n" for name in "abcdefgh")
)


@pytest.mark.processes
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_design_with_ties_gets_the_same_bytes_whatever_the_hash_seed(form, tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text(TIES)
    given = ["check", str(path), "--format", form]
    code = f"import sys\nfrom mlsd_helpers import cli\nsys.exit(cli.main({given!r}))"
    said = set()
    for seed in "01" if QUICK else "0123":
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=False
        )
        assert done.returncode == 1, done.stderr
        said.add(done.stdout)
    assert len(said) == 1
    assert b"PLANE014" in said.pop()


def test_a_file_that_is_too_large_is_told_its_bound_once(tmp_path, capsys):
    path = tmp_path / "design.yaml"
    path.write_text("# " + "x" * 6_000_000)
    assert cli.main(["check", str(path)]) == 2
    error = capsys.readouterr().err
    assert "5 MB" in error
    assert error.count(str(path)) == 1


def test_several_rules_are_explained_at_once(capsys):
    assert cli.main(["rules", "REQ002", "PLANE006"]) == 0
    said = capsys.readouterr().out
    assert said.index("REQ002 (") < said.index("PLANE006 (")
