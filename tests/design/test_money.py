"""Money in any currency: one for a design, a number in all else, and shown as it was written."""

import ast
from copy import deepcopy
from itertools import pairwise

import pytest

from mlsd_helpers import cases, document, review
from mlsd_helpers.design import Design, load_design
from mlsd_helpers.design.problems import UnreadableDesignError
from mlsd_helpers.grading.sandbox import codec
from tests.effort import some
from tests.support.repository import ROOT

IN_EUROS = Design(name="d", capacity={"cost_per_replica_hour": "40 EUR", "budget_per_month": 9_000})


def test_an_amount_is_a_number_in_all_but_its_currency():
    price = IN_EUROS.capacity.cost_per_replica_hour
    assert price == 40
    assert price * 2 < 81
    assert deepcopy(price).currency == "EUR"


def test_two_currencies_in_one_design_are_an_error_that_names_both_and_the_place():
    text = "name: d\ncapacity:\n  cost_per_replica_hour: $0.20\n  budget_per_month: 1,200 CHF\n"
    with pytest.raises(UnreadableDesignError, match=r"line 4, capacity.budget_per_month: .*CHF.*USD"):
        Design.parse(text)


def test_a_sign_and_a_code_for_the_same_currency_are_one():
    assert (
        IN_EUROS.with_part(requirements={"labels": {"source": "s", "cost_per_label": "€2"}}).currency == "EUR"
    )


def test_a_part_in_another_currency_cannot_be_put_in():
    with pytest.raises(UnreadableDesignError, match="EUR"):
        IN_EUROS.with_part(requirements={"labels": {"source": "s", "cost_per_label": "$2"}})


def test_an_amount_is_written_as_it_was_given_and_one_without_a_currency_in_that_of_the_design():
    assert "cost_per_replica_hour: 40 EUR" in IN_EUROS.to_yaml()
    assert "budget_per_month: €9,000" in IN_EUROS.to_yaml()
    assert Design.parse(IN_EUROS.to_yaml()).to_yaml() == IN_EUROS.to_yaml()


def test_another_currency_is_a_change_that_is_saved(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text("name: d\ncapacity:\n  budget_per_month: $40  # agreed\n")
    load_design(path).with_part(capacity={"budget_per_month": "€40"}).save(path, replace=True)
    assert path.read_text() == "name: d\ncapacity:\n  budget_per_month: €40  # agreed\n"


@pytest.mark.parametrize("design", [IN_EUROS, Design(name="d", capacity={"budget_per_month": "$40"})])
def test_a_design_comes_out_of_the_sandbox_in_its_currency(design):
    assert codec.decode(codec.encode(design)).to_yaml() == design.to_yaml()


@pytest.mark.parametrize("name", some(cases.names()))
def test_review_and_document_of_a_design_in_euros_show_no_dollars(name):
    text = cases.load(name).to_yaml().replace("$", "€")
    design = Design.parse(text)
    if design.capacity and design.capacity.cost_per_replica_hour:
        design = design.with_part(capacity=design.capacity.changed(budget_per_month="€1"))
    shown = document(design) + "".join(map(str, review(design)))
    assert "$" not in shown
    assert "&#36;" not in shown


READ_A_DESIGN = ("analysis/cost.py", "cli", "document", "review", "simulation")  # and show what it says


def modules():
    package = ROOT / "mlsd_helpers"
    places = [package / name for name in READ_A_DESIGN]
    return [path for path in package.rglob("*.py") if any(map(path.is_relative_to, places))]


def dollars_in(path):
    """Give the lines of a module that show an amount in dollars, whatever the currency of the design."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for before, after in pairwise(node.values):
                if isinstance(after, ast.FormattedValue) and str(getattr(before, "value", "")).endswith("$"):
                    yield after.lineno
        elif isinstance(node, ast.Name) and node.id in {"show_dollars", "DOLLARS"}:
            yield node.lineno


def test_no_module_that_reads_a_design_takes_its_amounts_for_dollars():
    found = {path.name: list(dollars_in(path)) for path in modules()}
    assert len(found) > 30
    assert not {name: lines for name, lines in found.items() if lines}, "use units.in_currency or show_money"
