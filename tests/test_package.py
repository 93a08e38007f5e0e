"""What `import mlsd_helpers` gives, and what it costs."""

import subprocess
import sys

import pytest

import mlsd_helpers as mlsd
from mlsd_helpers import errors

HEAVY = {"numpy", "pandas", "matplotlib", "ipywidgets", "anywidget", "nbgrader", "numba"}
HEAVY |= {"sklearn", "fastapi", "aiohttp"}


def loaded_after(statement: str) -> set[str]:
    """Return the packages that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_the_public_names_are_these_and_each_of_them_loads() -> None:
    assert set(mlsd.__all__) == {
        "Design", "Finding", "analysis", "ask", "cases", "check", "compare", "design", "document", "exercises",
        "figures", "formulas", "hint", "load_design", "outline", "review", "samples", "simulate", "simulation",
        "testbed", "units", "widgets", "write",
    }  # fmt: skip
    for name in mlsd.__all__:
        assert getattr(mlsd, name) is not None


@pytest.mark.parametrize("name", ["review", "document", "simulate", "check", "ask"])
def test_a_function_stays_callable_whatever_was_imported_before(name: str) -> None:
    import importlib

    importlib.import_module("mlsd_helpers.review.rule")
    importlib.import_module("mlsd_helpers.document")
    assert callable(getattr(mlsd, name))


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match="load_design"):
        _ = mlsd.load_desing


def test_every_error_is_one_of_ours() -> None:
    raised = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(raised) > 3
    assert all(issubclass(error, errors.MlsdError) for error in raised)


@pytest.mark.processes
@pytest.mark.parametrize(
    "statement",
    [
        "import mlsd_helpers",
        "import mlsd_helpers as m; m.formulas.replicas(500, 0.04, 0.7)",
        "import mlsd_helpers as m; m.cases.load('harbour_pay')",
        "import mlsd_helpers as m; m.review(m.cases.load('harbour_pay'))",
        "import mlsd_helpers as m; m.document(m.cases.load('harbour_pay'))",
        "import mlsd_helpers.cli",
    ],
)
def test_what_runs_in_a_browser_loads_nothing_heavy(statement: str) -> None:
    assert not loaded_after(statement) & HEAVY


@pytest.mark.processes
def test_the_import_alone_loads_no_third_party_package() -> None:
    before = loaded_after("pass")
    assert loaded_after("import mlsd_helpers") - before - sys.stdlib_module_names == {"mlsd_helpers"}


@pytest.mark.processes
def test_reading_a_notebook_loads_no_grammar() -> None:
    """A grammar of web addresses that jsonschema would load takes longer to build than all else that starts."""
    assert not loaded_after("import nbformat") & {"rfc3987_syntax", "lark"}
