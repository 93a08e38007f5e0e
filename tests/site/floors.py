"""What has to come to the same in the browser as here: the floors that need nothing compiled but pydantic."""

import doctest
import hashlib
import importlib
import json
import pkgutil
import tempfile
from pathlib import Path

import mlsd_helpers as mlsd
from mlsd_helpers import cases

FLOORS = ("errors", "units", "design", "formulas", "cases", "analysis", "review", "document")


def modules():
    """Give every module of the floors, imported."""
    for name in FLOORS:
        module = importlib.import_module(f"mlsd_helpers.{name}")
        yield module
        for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
            yield importlib.import_module(found.name)


def seen():
    """Run their doctests, and load, review, document, save and load again each worked case."""
    results = [doctest.testmod(module) for module in modules()]
    return {
        "doctests": sum(result.attempted for result in results),
        "failed": sum(result.failed for result in results),
    } | {name: one_case(name) for name in cases.names()}


def one_case(name):
    design = cases.load(name)
    with tempfile.TemporaryDirectory() as folder:
        again = mlsd.load_design(design.save(Path(folder) / "design.yaml"))
    return {
        "findings": [finding.code for finding in mlsd.review(design)],
        "document": hashlib.sha256(mlsd.document(design).encode()).hexdigest(),
        "kept": again == design,
    }


if __name__ == "__main__":
    print(json.dumps(seen(), sort_keys=True))
