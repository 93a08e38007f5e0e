"""Every example in a docstring of the package gives what it says."""

import doctest
from importlib import import_module

import pytest

import mlsd_helpers
from tests.support.repository import ROOT

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "mlsd_helpers").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_each_example_of_a_module_gives_what_it_says(name):
    assert doctest.testmod(import_module(name)).failed == 0


def test_each_topic_of_the_formulas_has_a_line_in_their_docstring():
    lines = [
        line.split()[0] for line in mlsd_helpers.formulas.__doc__.splitlines() if line.startswith("    ")
    ]
    topics = {path.stem for path in (ROOT / "mlsd_helpers" / "formulas").glob("[a-z]*.py")}
    assert sorted(lines) == sorted(topics)
