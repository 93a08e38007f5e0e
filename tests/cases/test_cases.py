"""The worked cases: published and invented systems, each figure with its source or marked as our assumption."""

from typing import get_args

import pytest

from mlsd_helpers import cases, review
from mlsd_helpers.design import Design, load_design
from mlsd_helpers.design.pattern import PatternName
from mlsd_helpers.design.requirements import PredictionType
from mlsd_helpers.document.provenance import Figures
from tests.cases import remarks

ALL = cases.names()
INVENTED = ("harbour_pay", *remarks.NAMES)
PUBLISHED = tuple(name for name in ALL if name not in INVENTED)
KNOWN_FINDINGS = {"pinterest_feed_2015": {"FLOW002", "PATTERN013"}}
"""What a source itself reports of its system, by the code of the rule that finds it: features up to weeks old, and
answers stored for users who never returned."""
WRONGLY_FOUND = {
    "claims_scoring": {"PLANE031"},
    "shelf_vision": {"CAP001", "PLANE013", "PLANE031"},
    "shop_recommender": {"CAP001", "PLANE013", "PLANE014", "PLANE031"},
    "support_assistant": {
        *(
            "CAP001",
            "PLANE006",
            "PLANE013",
            "PLANE014",
            "PLANE026",
            "PLANE028",
            "PLANE031",
        ),
    },
}
"""What rules find in sound designs because they do not read a field yet: release stages, several fleets, alternatives,
managed components. Take a code out when its rule reads the field."""

every_case = pytest.mark.parametrize("name", ALL)


def test_there_are_eight_published_systems_and_more():
    assert len(PUBLISHED) >= 8


def test_every_prediction_type_has_a_case():
    views = [one for case in map(cases.load, ALL) for one in case.views or (case,)]
    assert {one.requirements.prediction.type for one in views} == set(get_args(PredictionType))


def test_every_pattern_has_a_case():
    chosen = {path.pattern for name in ALL for path in cases.load(name).pattern.paths}
    assert set(get_args(PatternName)) == chosen


@every_case
def test_every_figure_names_its_source_or_is_marked_as_our_assumption(name):
    assert Figures(cases.load(name)).unreasoned() == ()


@every_case
def test_a_figure_without_evidence_would_be_seen(name):
    case = cases.load(name)
    bare = case.changed(evidence=[note for note in case.evidence if note.figure != "planes.alerts"])
    found = Figures(bare).unreasoned()
    assert found
    assert all(figure.startswith("planes.alerts.") for figure in found)


@every_case
def test_every_source_and_every_assumption_is_what_some_figure_rests_on(name):
    case = cases.load(name)
    assert {source.id for source in case.sources} == {note.source for note in case.evidence} - {None}
    known = {belief.id for belief in case.requirements.assumptions}
    assert known == {note.assumption for note in case.evidence} - {None}


@every_case
def test_every_assumption_has_an_owner_and_a_way_to_check_it(name):
    assert all(belief.owner and belief.check for belief in cases.load(name).requirements.assumptions)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_system_says_where_it_is_published(name):
    sources = cases.load(name).sources
    assert sources
    assert all(source.where for source in sources)


@every_case
def test_a_review_finds_what_the_source_itself_reports_and_nothing_else(name):
    case, known = cases.load(name), KNOWN_FINDINGS.get(name, set())
    found = {finding.code for finding in review(case)}
    assert found - WRONGLY_FOUND.get(name, set()) == known


@every_case
def test_an_accepted_finding_says_why_and_by_whom(name):
    assert all(len(one.because.split()) > 5 and one.by for one in cases.load(name).accepted)


@every_case
def test_a_case_written_out_reads_back_as_itself(name, tmp_path):
    case = cases.load(name)
    assert load_design(case.save(tmp_path / "design.yaml")) == case
    assert Design.parse(case.to_yaml()) == case
