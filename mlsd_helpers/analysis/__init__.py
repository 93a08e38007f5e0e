"""Analysis: what a design implies, computed once, for all that review, simulate, document, draw or ask about it.

- `sizing`: the load of a fleet, the replicas that it needs and what each failure leaves, memory for generation
- `prediction`: how long a fleet takes to answer at the peak and during failures, as a range
- `surroundings`: who calls a fleet and waits for it, how often, and who answers in its place
- `whole`: the time that a request spends outside a fleet, and the share of requests that are answered
- `graph`: what a request waits for, cycles, callers before those called
- `blast`: what a failed component takes with it
- `paths`: what each serving path lets through to the model
- `ages`: how old a feature is when the model reads it
- `latency`, `freshness`, `patterns`, `capacity`: what follows from a few plain numbers, for a picture to draw

>>> from mlsd_helpers import analysis, cases
>>> sizing = analysis.sizing_of(cases.load("harbour_pay"))
>>> sizing.load_rps, sizing.base, sizing.left_by_zone
(500.0, 29, 30)
"""

from mlsd_helpers.analysis.blast import BlastRadius, blast_radius
from mlsd_helpers.analysis.capacity import CapacityInputs, CapacityView, capacity_view
from mlsd_helpers.analysis.freshness import FreshnessInputs, FreshnessView, freshness_view
from mlsd_helpers.analysis.latency import LatencyInputs, LatencyView, latency_view
from mlsd_helpers.analysis.patterns import PatternInputs, PatternView, pattern_view
from mlsd_helpers.analysis.sizing import Decision, Memory, Sizing, sizing_of

__all__ = [
    "BlastRadius",
    "CapacityInputs",
    "CapacityView",
    "Decision",
    "FreshnessInputs",
    "FreshnessView",
    "LatencyInputs",
    "LatencyView",
    "Memory",
    "PatternInputs",
    "PatternView",
    "Sizing",
    "blast_radius",
    "capacity_view",
    "freshness_view",
    "latency_view",
    "pattern_view",
    "sizing_of",
]
