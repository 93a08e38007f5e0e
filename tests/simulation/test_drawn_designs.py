"""Whatever a design looks like: nothing is met that is impossible, and all commands say the same of a promise."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, settings

from mlsd_helpers.design import Design
from mlsd_helpers.document import document
from mlsd_helpers.errors import RangeError
from mlsd_helpers.review import review
from mlsd_helpers.simulation import reports
from tests.effort import examples
from tests.simulation.drawn import (
    BATCHED,
    FINE,
    LATE,
    QUEUED,
    SELDOM,
    WAITED,
    Drawn,
    Oracle,
    designs,
    workloads,
)

REQUESTS = 8_000
MISSED = ("CAP009", "CAP010", "CAP013", "CAP029", "CAP030", "REQ005")
"""Rules whose errors say that a promise of latency is missed."""


def verdicts(design: Design, needs: Drawn, incidents: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Return what the simulation says of each promise of a workload, one verdict for each fleet."""
    name = needs.get("id", "")
    found: dict[str, list[Any]] = {}
    try:
        said = reports(design, seed=1, requests=REQUESTS, incidents=incidents)
    except RangeError:  # a fleet of one zone cannot lose it, which the command says in place of any verdict
        assert incidents
        return found
    for one in said:
        if name and not one.design.endswith(f"workload {name}"):
            continue
        for each in one.verdicts:
            found.setdefault(each.requirement.partition(",")[0], []).append((one.design, each))
    return found


def is_met(said: list[Any]) -> bool | None:
    found = {each.met for _, each in said}
    return False if False in found else None if None in found or not found else True


@pytest.mark.parametrize("incident", ["", "zone loss", "rolling restart"])
@settings(max_examples=examples(30), derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@example(BATCHED)
@example(QUEUED)
@given(designs())
def test_nothing_is_met_that_is_impossible(incident, drawn):
    design = Design.model_validate(drawn)
    incidents = (incident,) if incident else ()
    for needs in workloads(drawn):
        oracle, said = Oracle(drawn, needs), verdicts(design, needs, incidents)
        event(
            f"{incident} latency {is_met(said.get('latency', []))} answered {is_met(said.get('answered', []))}"
        )
        for what, why in (
            ("latency", oracle.no_latency(incident)),
            ("answered", oracle.no_answers(incident)),
        ):
            if why:
                assert is_met(said.get(what, [])) is not True, f"{what} is met, and {why}"
        for title, each in said.get("utilisation", []):
            name = re.search(r"fleet_(\w+)", title)
            name = name[1] if name else drawn["capacity"]["fleets"][0]["component"]
            why = oracle.no_utilisation(name, incident)
            assert not (each.met and why), f"the utilisation of {name} is met, and it is {why}"


def in_document(design: Design) -> list[tuple[str, str, str]]:
    """Return the rows of the document's promises: the workload, the promise and its verdict."""
    rows = re.findall(
        r"^\|(?: (asked|other) \|)? ([^|]*) \| (kept|\*\*missed\*\*|not judged) \|",
        document(design),
        re.MULTILINE,
    )
    return [(of, what, word.strip("*")) for of, what, word in rows]


@settings(max_examples=examples(30), derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@example(BATCHED)
@example(LATE)
@example(FINE)
@example(SELDOM)
@example(WAITED)
@given(designs())
def test_check_simulate_and_document_never_contradict_each_other(drawn):
    """What one calls met, no other calls missed; what a rule calls an error of a promise, nothing calls met."""
    design = Design.model_validate(drawn)
    rows, errors = in_document(design), [one for one in review(design) if one.severity == "error"]
    for needs in workloads(drawn):
        said, of = verdicts(design, needs), needs.get("id", "")
        own = {
            ("latency" if what.startswith("whole") else "answered"): word
            for at, what, word in rows
            if at == of
        }
        for what in ("latency", "answered"):
            found, word = is_met(said.get(what, [])), own[what]
            assert (found, word) not in {(True, "missed"), (False, "kept")}, (
                f"{what}: simulate {found}, {word}"
            )
        if not of:
            about = [one for one in errors if one.code in MISSED]
            assert not about or (is_met(said.get("latency", [])) is not True and own["latency"] != "kept"), (
                about
            )
            late = [one for one in errors if one.code == "PLANE014"]
            assert not late or (is_met(said.get("answered", [])) is not True and own["answered"] != "kept"), (
                late
            )
