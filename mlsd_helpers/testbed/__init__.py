"""The testbed: three serving patterns with real parts on this machine, predicted and then measured.

    from mlsd_helpers import testbed

    testbed.three_patterns()                        # measures, or reads a recording where it cannot run

    with testbed.start("request-time", engine="sklearn") as service:
        times = testbed.measure_service_times(service)
        testbed.compare(service, times, rate_rps=200)       # formula, simulation, measurement
        service.load(rate_rps=200, lasts_s=5)           # open loop, latency from the intended time

`start` puts a pattern up in processes of its own, on the loopback, and takes it down when its block is left or
when this process is gone, killed or not. The packages are an extra, `testbed`; grading does not need them. What is
measured, in one call each: `open_and_closed`, `feature_ages`, `three_patterns`, `prediction`, `caches`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlsd_helpers.testbed.experiments import (
        Measurement,
        caches,
        feature_ages,
        open_and_closed,
        prediction,
        three_patterns,
    )
    from mlsd_helpers.testbed.measuring import (
        Limit,
        Prediction,
        ServiceTimes,
        compare,
        gives_up,
        measure_service_times,
    )
    from mlsd_helpers.testbed.results import Load
    from mlsd_helpers.testbed.running import Service, missing, start
    from mlsd_helpers.testbed.tradeoffs import pareto

__all__ = [
    "Limit",
    "Load",
    "Measurement",
    "Prediction",
    "Service",
    "ServiceTimes",
    "caches",
    "compare",
    "feature_ages",
    "gives_up",
    "measure_service_times",
    "missing",
    "open_and_closed",
    "pareto",
    "prediction",
    "start",
    "three_patterns",
]

_MODULES = ("running", "results", "measuring", "experiments", "tradeoffs")


def __getattr__(name: str) -> Any:
    """Load a public name from the module that holds it: the testbed's own processes need few of them."""
    if name in __all__:
        for module in _MODULES:
            found = import_module(f"mlsd_helpers.testbed.{module}")
            if hasattr(found, name):
                return getattr(found, name)
    raise AttributeError(f"mlsd_helpers.testbed has no {name!r}. It has: {', '.join(__all__)}.")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
