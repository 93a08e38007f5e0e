"""The reference is what the code gives: every part, field, kind and rule, and the first review in README.md."""

import re

import pytest

from mlsd_helpers import cli
from mlsd_helpers.design import ANY_PLANE, PLANE_OF, Design, load_design
from mlsd_helpers.design.kinds import WHAT_A_KIND_IS
from mlsd_helpers.review import RULES
from tests.support.repository import PROJECT
from tools import reference
from tools.design_model import keys, places, readers

README = reference.README.read_text(encoding="utf-8")
PLACES = list(places(Design, ()))
EXAMPLES = sorted(reference.EXAMPLES.glob("*.yaml"))


@pytest.mark.parametrize("page", ["design", "rules"])
def test_a_page_of_the_reference_is_what_the_code_gives(page):
    written = (reference.REFERENCE / f"{page}.md").read_text(encoding="utf-8")
    assert written == getattr(reference, f"{page}_page")(), "run `make fix`"


def test_the_page_has_every_part_with_each_of_its_keys():
    sections = dict(
        re.findall(r"^##+ (.+?)\n(.*?)(?=^##)", reference.design_page(), re.MULTILINE | re.DOTALL)
    )
    for steps, kind in PLACES:
        section = sections[".".join(steps) or "The file"]
        shown = re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
        assert shown == list(keys(kind)) or "It has the fields of" in section


def test_every_cell_of_the_page_that_has_to_say_something_does():
    rows = re.findall(r"^\| `(.+?)` \| (.*?) \| .*? \| (.*?) \| .*\|$", reference.design_page(), re.MULTILINE)
    assert len(rows) > 300
    assert not [row for row in rows if not all(map(str.strip, row))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_loads_and_has_the_part_that_it_is_named_after(path):
    design = load_design(path)
    assert path.stem in design.model_fields_set or design.at(f"requirements.{path.stem}")


@pytest.mark.parametrize(
    ("steps", "kind"), PLACES[1:], ids=lambda given: ".".join(given) if type(given) is tuple else ""
)
def test_the_example_of_a_part_has_the_key_of_that_part(steps, kind):
    assert reference.example(steps, kind).startswith((f"{steps[-1]}:", f"{{{steps[-1]}:"))


def test_each_kind_of_component_is_told_in_a_line():
    assert set(WHAT_A_KIND_IS) == set(PLANE_OF) | set(ANY_PLANE)


def test_each_rule_has_its_code_as_an_anchor_and_says_why():
    sections = re.findall(
        r"^### (\w+)\n\n\*\*.+\*\* \((?:error|warning|info)\)\n\n- Why: ",
        reference.rules_page(),
        re.MULTILINE,
    )
    assert sorted(sections) == sorted(one.code for one in RULES)


@pytest.mark.parametrize(
    ("part", "field", "code"),
    [
        ("CapacityPlan", "queue_limit", "CAP012"),
        ("FleetPlan", "queue_limit", "CAP012"),
        ("Flow", "timeout", "PLANE005"),
    ],
)
def test_the_rule_that_reads_a_field_is_found(part, field, code):
    assert code in readers()[part, field]


def test_the_first_review_in_the_readme_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    assert reference.first_review(README) == README, "run `make fix`"
    design, shown = re.search(r"```yaml\n(name: .*?)```.*?```text\n(.*?)```", README, re.DOTALL).groups()
    assert design.count("\n") == 7
    (tmp_path / "design.yaml").write_text(design, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    cli.main(["check", "design.yaml"])
    begin, _, end = shown.partition("\n[…]\n")
    printed = capsys.readouterr().out
    assert printed.startswith(begin)
    assert printed.endswith(end)


def test_the_readme_says_of_each_command_what_it_needs_and_names_extras_that_exist():
    table = README[README.index("| command | needs |") :].partition("\n\n")[0]
    assert {one.run.__name__ for one in cli.COMMANDS} == set(re.findall(r"`mlsd (\w+)", table))
    extras = {extra for names in re.findall(r"\[([\w,]+)\]", table) for extra in names.split(",")}
    assert extras <= PROJECT["project"]["optional-dependencies"].keys()
