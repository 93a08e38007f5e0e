"""What share of a senior reviewer's remarks the rules say, on four first drafts whose mistakes were read by hand."""

import pytest

from mlsd_helpers import cases
from mlsd_helpers.design.references import is_place
from mlsd_helpers.review import review
from tests.cases import remarks

FOUND = {"claims_scoring": 14, "shelf_vision": 10, "shop_recommender": 11, "support_assistant": 12}
"""How many remarks the rules say, at least; raise a number when the rules say more."""

every_review = pytest.mark.parametrize("name", remarks.NAMES)


@every_review
def test_the_rules_say_what_a_senior_reviewer_said(name):
    written, findings = remarks.remarks(name), review(remarks.draft(name))
    unsaid = [one.id for one in written if not one.is_said(findings)]
    said = len(written) - len(unsaid)
    print(
        f"{name}: {said} of {len(written)} remarks, {said / len(written):.0%}; not said: {', '.join(unsaid)}"
    )
    assert said >= FOUND[name]


@every_review
def test_a_review_has_twelve_remarks_or_more_each_with_the_fields_that_carry_it(name):
    written, design = remarks.remarks(name), remarks.draft(name)
    assert 12 <= len({one.id for one in written}) == len(written) <= 16
    assert [place for one in written for place in one.where if not is_place(design, place)] == []
    assert all(one.where for one in written)


@every_review
def test_each_draft_has_a_worked_case_with_fewer_findings(name):
    assert len(review(cases.load(name))) < len(review(remarks.draft(name))) / 2


@every_review
def test_the_findings_nearest_to_each_remark_can_be_listed(name):
    listed = "\n".join(remarks.table(name))
    assert all(one.remark in listed for one in remarks.remarks(name))
