"""Formulas: pure functions, one topic a module, every one of them here by its name.

    traffic       from a day's requests to the peak, and to replicas
    latency       budgets add, percentiles do not
    queueing      how long requests wait, and how many servers keep the wait short
    freshness     how old a feature is when the model reads it
    caching       how often a cache hits, and what a cold one costs
    availability  series, parallel, error budgets and retries
    cost          predictions, labels, storage, network
    generation    what a language model needs in memory, bandwidth and time
    statistics    drift, experiments, late labels, rare positives

>>> replicas(peak_rps=500, inference_time_s=0.040, target_utilisation=0.7, headroom=0.3)
38

Times are in seconds, rates per second, sizes in bytes, shares and percentiles fractions of 1. Each function
states its ranges and its source, and raises `mlsd_helpers.errors.RangeError` for input outside its range.
"""

# ruff: noqa: F403 the list of public names is each module's own
from mlsd_helpers.formulas import (
    availability,
    caching,
    cost,
    freshness,
    generation,
    latency,
    queueing,
    statistics,
    traffic,
)
from mlsd_helpers.formulas.availability import *
from mlsd_helpers.formulas.caching import *
from mlsd_helpers.formulas.cost import *
from mlsd_helpers.formulas.freshness import *
from mlsd_helpers.formulas.generation import *
from mlsd_helpers.formulas.latency import *
from mlsd_helpers.formulas.queueing import *
from mlsd_helpers.formulas.statistics import *
from mlsd_helpers.formulas.traffic import *

__all__: list[str] = []
__all__ += availability.__all__
__all__ += caching.__all__
__all__ += cost.__all__
__all__ += freshness.__all__
__all__ += generation.__all__
__all__ += latency.__all__
__all__ += queueing.__all__
__all__ += statistics.__all__
__all__ += traffic.__all__
