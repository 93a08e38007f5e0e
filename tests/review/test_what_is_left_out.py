"""Leaving a line out of a design silences no review: what is missing is asked for, or taken at its worst."""

import pytest
import yaml

from mlsd_helpers import cases
from mlsd_helpers.design import Design, Schedule, load_design
from mlsd_helpers.errors import DesignError
from mlsd_helpers.review import review
from tests.review.mutations import MUTATIONS, STARTS

HARBOUR = cases.load("harbour_pay")


def codes(design: Design) -> set[str]:
    return {one.code for one in review(design) if one.severity != "info"}


def without(design: Design, path: str) -> Design:
    """Leave out what stands at a path; an entry of a list goes by its id, or by where its flow leads."""
    given = yaml.safe_load(design.with_part(evidence=(), accepted=()).to_yaml())
    *groups, last = path.split(".")
    holder = given
    for step in groups:
        holder = holder[step] if isinstance(holder, dict) else _entry(holder, step)
    if isinstance(holder, dict):
        del holder[last]
    else:
        holder.remove(_entry(holder, last))
    return Design.parse(yaml.safe_dump(given, sort_keys=False))


def _entry(entries: list[dict[str, object]], name: str) -> dict[str, object]:
    return next(one for one in entries if name in {one.get("id"), f"{one.get('from')}>{one.get('to')}"})


@pytest.mark.parametrize(
    ("mistake", "path", "asked"),
    [
        ("too_few", "capacity.replicas", "CAP043"),
        ("too_few", "planes.flows.score", "PLANE003"),
        ("weak_gateway", "planes.components.gateway.availability", "PLANE071"),
        ("bureau_trains_on_payments", "planes.flows.ask_bureau.personal", "DATA006"),
        ("bureau_keeps_who_knows_how_long", "planes.flows.ask_bureau.personal", "DATA005"),
        ("bureau_without_a_key", "planes.components.scorer.trust_zone", "SEC002"),
        ("refused_without_a_word", "requirements.prediction.about_people", "DATA037"),
    ],
)
def test_a_mistake_is_not_mended_by_leaving_out_the_line_that_shows_it(mistake, path, asked):
    (known,) = [one for one in MUTATIONS if one.change.__name__ == mistake]
    assert asked in codes(without(known.change(STARTS[known.start]()), path))


@pytest.mark.parametrize(("target", "asks"), [("99.9%", False), ("99.95%", True), ("100%", False)])
def test_a_high_target_says_what_the_loss_of_a_region_means(target, asks):
    needs = HARBOUR.requirements
    available = needs.availability.changed(target=target, rto=None)
    design = HARBOUR.with_part(requirements=needs.changed(availability=available))
    assert ("CAP041" in codes(design)) == asks
    mode = {
        "id": "region",
        "failure": "A region is lost.",
        "meanwhile": "Nobody is answered.",
        "fails": "closed",
    }
    told = needs.changed(availability=available, failure_modes=(*needs.failure_modes, mode))
    assert "CAP041" not in codes(HARBOUR.with_part(requirements=told))


# ---- a deadline by the clock


def nightly(**schedule) -> Design:
    design = STARTS["nightly"]()
    needs = design.requirements
    return design.with_part(requirements=needs.changed(schedule=needs.schedule.changed(**schedule)))


@pytest.mark.parametrize(
    ("starts", "due", "hours"), [("22:00", "06:30", 8.5), ("10:45", "11:30", 0.75), ("06:00", "06:00", 24.0)]
)
def test_a_result_is_due_within_a_day_of_the_start_of_its_run(starts, due, hours):
    assert Schedule(starts=starts, due=due).allowed == hours * 3600
    assert Schedule(starts=starts).allowed is None


def test_a_run_is_held_against_the_time_of_day_at_which_it_is_due():
    late = nightly(deadline=None, starts="04:00", due="06:30")  # the jobs take 3.7 h
    assert codes(late) == {"PATTERN028"}
    assert codes(nightly(deadline=None, starts="22:00", due="06:30")) == set()
    assert codes(nightly(starts="04:00", due="06:30")) == {"PATTERN028"}  # 8 h from the start, but due before
    assert "REQ021" in codes(nightly(deadline=None, starts="04:00"))


@pytest.mark.parametrize("clock", ["24:00", "6:30", "11.30", "half past six"])
def test_a_time_of_day_has_hours_and_minutes(clock):
    with pytest.raises((DesignError, ValueError), match="due"):
        nightly(due=clock)


def test_a_time_of_day_is_read_from_a_file_as_it_stands(tmp_path):
    saved = load_design(nightly(starts="10:45", due="11:30").save(tmp_path / "design.yaml"))
    assert (saved.requirements.schedule.starts, saved.requirements.schedule.due) == ("10:45", "11:30")
