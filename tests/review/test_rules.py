"""The rules, proved by mistakes: a change of a sound design breaks one rule and no other."""

import inspect
import re
import runpy
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from pkgutil import walk_packages

import pytest

from mlsd_helpers import cases
from mlsd_helpers.design import Component, Design, Flow, load_with_lines
from mlsd_helpers.errors import DesignError
from mlsd_helpers.review import RULES, SEVERITIES, Finding, Rule, review, rule
from tests.effort import some
from tests.review.mutations import MUTATIONS, STARTS

PARTS = ("requirements", "planes", "dataflow", "pattern", "capacity")
FIRST = ("REQ001", "PLANE001", "FLOW001", "PATTERN001", "CAP001")


def mistakes(given):
    return pytest.mark.parametrize("mistake", given, ids=lambda one: f"{one.breaks}-{one.name}")


every_mistake = mistakes(MUTATIONS)


@cache
def start(name: str) -> Design:
    return STARTS[name]()


@cache
def broken(mistake) -> Design:
    return mistake.change(start(mistake.start))


@cache
def found(mistake) -> tuple[Finding, ...]:
    return review(broken(mistake))


@pytest.mark.parametrize("name", STARTS)
def test_what_the_mistakes_start_from_is_sound(name):
    assert review(start(name)) == ()


@every_mistake
def test_a_mistake_breaks_its_rule_and_no_other(mistake):
    assert [finding.code for finding in found(mistake)] == [mistake.breaks]


@mistakes(some(MUTATIONS))
def test_a_mistake_is_found_in_a_file_too_at_the_line_of_its_field(mistake, tmp_path):
    path = broken(mistake).save(tmp_path / "design.yaml")
    loaded = load_with_lines(path)
    (finding,) = review(loaded.design)
    assert (finding,) == found(mistake)
    part = finding.where.partition(".")[0]
    first = loaded.lines(part) if getattr(loaded.design, part) is not None else 1
    line = loaded.lines(finding.where)
    assert first <= line <= len(path.read_text(encoding="utf-8").splitlines())
    assert line > first or finding.where.count(".") <= 1


def test_every_rule_that_is_written_is_listed():
    modules = [
        import_module(found.name)
        for found in walk_packages([str(Path(inspect.getfile(Rule)).parent)], "mlsd_helpers.review.")
    ]
    written = {one.code for module in modules for one in vars(module).values() if isinstance(one, Rule)}
    assert written == {rule.code for rule in RULES}


def test_rules_stand_in_the_order_of_their_codes_and_a_second_import_adds_none():
    listed = [rule.code for rule in RULES]
    prefixes = list(dict.fromkeys(code.rstrip("0123456789") for code in listed))
    assert prefixes == [
        *(code.rstrip("0123456789") for code in FIRST),
        "DATA",
        "SEC",
        "SERV",
        "EXP",
        "DEC",
        "WORK",
    ]
    assert listed == sorted(listed, key=lambda code: (prefixes.index(code.rstrip("0123456789")), code))
    again = runpy.run_path(str(Path(inspect.getfile(Rule)).with_name("__init__.py")))["RULES"]
    assert [rule.code for rule in again] == listed


def test_every_rule_is_triggered_by_some_mistake():
    assert {mistake.breaks for mistake in MUTATIONS} == {rule.code for rule in RULES}


def test_no_two_mistakes_share_a_name():
    names = [mistake.name for mistake in MUTATIONS]
    assert len(names) == len(set(names))


def test_no_two_rules_share_a_code_and_none_is_without_a_reason():
    codes = [one.code for one in RULES]
    assert len(codes) == len(set(codes)) >= 40
    assert all(
        re.fullmatch(r"(REQ|PLANE|FLOW|PATTERN|CAP|DATA|SEC|SERV|EXP|DEC|WORK)\d{3}", code) for code in codes
    )
    assert all(one.reason.endswith(".") and one.prevents and one.severity in SEVERITIES for one in RULES)


def test_titles_are_short_noun_phrases_and_no_two_rules_share_one():
    titles = [rule.title for rule in RULES]
    assert len(titles) == len(set(titles))
    for title in titles:
        assert re.fullmatch(r"[A-Z].{0,58}[^.\s]", title), title


def test_a_rule_without_a_title_cannot_be_made():
    with pytest.raises(TypeError, match="title"):
        rule("REQ999", prevents="nothing")


def test_what_makes_a_finding_wrong_is_a_sentence_that_says_so_first():
    for one in RULES:
        assert one.wrong_when is None or re.fullmatch(
            r"(Wrong|Acceptable) (at|before|for|if) .+\.", one.wrong_when
        ), one.code


@every_mistake
def test_message_and_fix_are_sentences(mistake):
    (finding,) = found(mistake)
    for text in (finding.message, finding.fix):
        assert text.endswith((".", ")"))
        assert "None" not in text
        assert "  " not in text
        assert "lesson" not in text.lower()  # who reads it may never have taken the course


@every_mistake
def test_a_finding_names_a_field_of_the_design_or_one_that_is_missing_in_it(mistake):
    (finding,) = found(mistake)
    group, _, field = finding.where.rpartition(".")
    holder = broken(mistake).at(group) if group else broken(mistake)
    try:
        broken(mistake).at(finding.where)
    except DesignError:
        names = {field.alias or name for name, field in type(holder).model_fields.items()}
        assert field in names


@pytest.mark.parametrize("done", range(len(PARTS)))
def test_a_design_that_stops_after_a_lesson_is_told_which_part_comes_next(done):
    design = cases.load("harbour_pay").with_part(**dict.fromkeys(PARTS[done:]))
    found = review(design)
    assert {finding.severity for finding in found} == {"info"}
    codes_found = [finding.code for finding in found]
    assert FIRST[done] in codes_found
    assert set(codes_found) <= set(FIRST[done:])
    assert len(found) <= len(PARTS) - done


SILENCED_BY = {
    "does_not_apply": lambda where, code: {"where": where, "because": "A job calls it twice a day."},
    "accepted": lambda where, code: {
        "rule": code,
        "where": where,
        "because": "Twice a day",
        "by": "Head of data",
    },
}


@every_mistake
def test_what_a_rule_tells_to_write_loads_and_silences_it(mistake):
    rule = next(one for one in RULES if one.code == mistake.breaks)
    (finding,) = found(mistake)
    design = broken(mistake)
    for field, entry in SILENCED_BY.items():
        if field in f"{rule.wrong_when} {finding.message} {finding.fix}" and not rule.code.startswith("DEC"):
            said = (*getattr(design, field), entry(finding.where, finding.code))
            assert finding.code not in {one.code for one in review(design.with_part(**{field: said}))}


def test_errors_come_first():
    everything = cases.load("harbour_pay").with_part(pattern=None)
    for mistake in (one for one in MUTATIONS if one.breaks in {"PLANE004", "PLANE005", "REQ003", "REQ010"}):
        everything = mistake.change(everything)
    severities = [SEVERITIES.index(finding.severity) for finding in review(everything)]
    assert severities == sorted(severities)
    assert set(severities) == {0, 1, 2}


# ---- single rules, at their boundaries


def codes(design: Design) -> list[str]:
    return [finding.code for finding in review(design)]


def with_planes(**fields) -> Design:
    case = cases.load("harbour_pay")
    return case.with_part(planes=case.planes.changed(**fields))


def test_a_budget_that_is_split_to_the_last_millisecond_is_kept():
    case = cases.load("harbour_pay")
    latency = case.requirements.latency
    first, *others = latency.split
    left = latency.budget - sum(part.time for part in latency.split)
    full = latency.changed(split=(first.changed(time=first.time + left), *others))
    assert "REQ005" not in codes(case.with_part(requirements=case.requirements.changed(latency=full)))


def test_an_accepted_risk_is_no_single_point_of_failure():
    case = cases.load("harbour_pay")
    risky = tuple(
        one.changed(replicas=1, zones=1, accepted_risk="The rules decide alone meanwhile.")
        if one.id == "gateway"
        else one
        for one in case.planes.components
    )
    assert codes(with_planes(components=risky)) == []


def test_a_kill_switch_may_be_a_component():
    case = cases.load("harbour_pay")
    switch = Component(id="switch", kind="kill switch", owner="Payments")
    flow = Flow(start="switch", end="gateway", carries="command")
    drawn = with_planes(
        components=(*case.planes.components, switch),
        flows=(*case.planes.flows, flow),
        release=case.planes.release.changed(kill_switch=None),
    )
    assert codes(drawn) == []


def test_retries_at_one_layer_multiply_with_nothing():
    flows = tuple(
        flow.changed(retries=2, retry={"backoff": "exponential with jitter"})
        if (flow.start, flow.end) == ("scorer", "features")
        else flow
        for flow in cases.load("harbour_pay").planes.flows
    )
    assert codes(with_planes(flows=flows)) == []


def test_a_circle_is_named_in_the_order_of_its_calls():
    case = cases.load("harbour_pay")
    call = {"carries": "request", "timeout": "5 ms", "fallback": "A default"}
    back = (Flow(start="features", end="gateway", **call),)
    (finding,) = review(with_planes(flows=(*case.planes.flows, *back)))
    assert finding.code == "PLANE011"
    circle = finding.message.partition(": ")[2].rstrip(".").split(" → ")
    assert circle[0] == circle[-1]
    asked = {(flow.start, flow.end) for flow in (*case.planes.flows, *back)}
    assert set(pairwise(circle)) <= asked


@pytest.mark.parametrize(
    ("timeout", "found"),
    [("399 ms", []), ("400 ms", ["PLANE039"]), ("420 ms", ["PLANE008"]), ("2 s", ["PLANE008"])],
)
def test_whoever_is_called_gives_up_first_and_is_told_so_once(timeout, found):
    flows = tuple(
        flow.changed(timeout=timeout) if (flow.start, flow.end) == ("scorer", "features") else flow
        for flow in cases.load("harbour_pay").planes.flows
    )
    assert codes(with_planes(flows=flows)) == found
