"""Figures: functions that take plain numbers and return a picture with its text alternative and its data.

>>> from mlsd_helpers import figures
>>> figure = figures.wait_by_replicas(peak_rps=500, service_time_s=0.040)
>>> dict(zip(figure.data["replicas"], figure.data["wait_s"]))[25] > 0.024
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlsd_helpers import analysis
from mlsd_helpers.figures.base import Columns, Figure, draw, from_matplotlib, table
from mlsd_helpers.figures.by_hand import first_queue
from mlsd_helpers.figures.capacity import headroom, rule_against_exact, wait_by_replicas
from mlsd_helpers.figures.dataflow import age_parts, freshness_timeline, recall_by_age
from mlsd_helpers.figures.generation import memory_budget
from mlsd_helpers.figures.patterns import cost_by_rate, decision_surface, lru_hit_ratio, stream_after_outage
from mlsd_helpers.figures.planes import sketch
from mlsd_helpers.figures.queueing import backlog, response_by_utilisation
from mlsd_helpers.figures.requirements import latency_tail, trace_peak, two_loops
from mlsd_helpers.figures.start import course_map

if TYPE_CHECKING:
    from mlsd_helpers.figures.theatre import TheatreInputs, TheatreView, queue_theatre, theatre_view

__all__ = [
    "Columns",
    "Figure",
    "TheatreInputs",
    "TheatreView",
    "age_parts",
    "backlog",
    "cost_by_rate",
    "course_map",
    "decision_surface",
    "draw",
    "first_queue",
    "freshness_timeline",
    "from_matplotlib",
    "headroom",
    "latency_tail",
    "lru_hit_ratio",
    "memory_budget",
    "queue_theatre",
    "recall_by_age",
    "response_by_utilisation",
    "rule_against_exact",
    "sketch",
    "stream_after_outage",
    "table",
    "theatre_view",
    "trace_peak",
    "two_loops",
    "wait_by_replicas",
]

_MOVED = (
    "BlastRadius",
    "CapacityInputs",
    "CapacityView",
    "FreshnessInputs",
    "FreshnessView",
    "LatencyInputs",
    "LatencyView",
    "PatternInputs",
    "PatternView",
    "blast_radius",
    "capacity_view",
    "freshness_view",
    "latency_view",
    "pattern_view",
)
"""Names that draw nothing and have moved to `mlsd_helpers.analysis`; here until 0.3."""
_WITH_THE_SIMULATOR = ("TheatreInputs", "TheatreView", "queue_theatre", "theatre_view")


def __getattr__(name: str) -> Any:
    """Load the queue theatre on first use, because it imports numba, and the names that have moved."""
    if name in _MOVED:
        return getattr(analysis, name)
    if name in _WITH_THE_SIMULATOR:
        return getattr(import_module(f"{__name__}.theatre"), name)
    raise AttributeError(f"mlsd_helpers.figures has no {name!r}. It has: {', '.join(__all__)}.")
