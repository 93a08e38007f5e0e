"""Designing ML Systems: from a product requirement to a deployable architecture.

>>> import mlsd_helpers as mlsd
>>> mlsd.formulas.replicas(peak_rps=500, inference_time_s=0.040, target_utilisation=0.7, headroom=0.3)
38

Everything here is loaded when it is first used, so that the import itself costs next to nothing.
"""

import sys
import warnings
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlsd_helpers import (
        analysis,
        cases,
        design,
        exercises,
        figures,
        formulas,
        samples,
        simulation,
        testbed,
        units,
        widgets,
    )
    from mlsd_helpers.cases.written import write
    from mlsd_helpers.design import Design, load_design
    from mlsd_helpers.design.outline import outline
    from mlsd_helpers.document import document
    from mlsd_helpers.exercises import check, compare, hint
    from mlsd_helpers.review import Finding, review
    from mlsd_helpers.simulation import simulate
    from mlsd_helpers.widgets import ask

__version__ = "0.2.0"

__all__ = [
    "Design",
    "Finding",
    "analysis",
    "ask",
    "cases",
    "check",
    "compare",
    "design",
    "document",
    "exercises",
    "figures",
    "formulas",
    "hint",
    "load_design",
    "outline",
    "review",
    "samples",
    "simulate",
    "simulation",
    "testbed",
    "units",
    "widgets",
    "write",
]

_HOME = {
    "Design": "design",
    "load_design": "design",
    "outline": "design.outline",
    "write": "cases.written",
    "document": "document",
    "Finding": "review",
    "review": "review",
    "check": "exercises",
    "compare": "exercises",
    "hint": "exercises",
    "simulate": "simulation",
    "ask": "widgets",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that holds it."""
    if name == "lab":
        warnings.warn(
            "mlsd.lab is mlsd.testbed now; the old name goes with 0.3.", DeprecationWarning, stacklevel=2
        )
        name = "testbed"
    if name not in __all__:
        raise AttributeError(f"mlsd_helpers has no {name!r}. It has: {', '.join(__all__)}.")
    if name in _HOME:
        return getattr(import_module(f"mlsd_helpers.{_HOME[name]}"), name)
    return import_module(f"mlsd_helpers.{name}")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__


class _Package(ModuleType):
    """Keeps `mlsd.document` the function when the package `mlsd_helpers.document` that holds it is imported.

    Python then sets that name here to the package. Whatever package has a function of its own name is that
    function here; `from mlsd_helpers.document import ...` reads the package all the same.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        namesake = getattr(value, name, None) if isinstance(value, ModuleType) else None
        super().__setattr__(name, namesake if callable(namesake) else value)


sys.modules[__name__].__class__ = _Package
