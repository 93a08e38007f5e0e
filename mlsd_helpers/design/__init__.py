"""The design of an ML system as one frozen value: five parts, one module a lesson.

>>> from mlsd_helpers.design import CapacityPlan, Design
>>> plan = CapacityPlan(service_time="40 ms", target_utilisation="70%", replicas=45, zones=3)
>>> plan.service_time.mean, plan.target_utilisation
(0.04, 0.7)
>>> Design(name="Harbour Pay").with_part(capacity=plan).capacity.zones
3
"""

from mlsd_helpers.design.capacity import (
    BYTES_PER_VALUE,
    Accelerator,
    Autoscaler,
    Batching,
    CapacityPlan,
    Generation,
    Headroom,
    ModelShape,
    ServiceTime,
)
from mlsd_helpers.design.dataflow import REQUEST, DataFlow, Feature, Lookup, Parallel, Stage
from mlsd_helpers.design.design import Design, Evidence, Loaded, Source, load_design, load_with_lines
from mlsd_helpers.design.pattern import Cache, Pattern, Precompute, RejectedPattern, ServingPath, Stream
from mlsd_helpers.design.planes import KINDS, PLANE_OF, Alert, Component, Flow, Planes, Release, Retraining
from mlsd_helpers.design.problems import Problem, UnreadableDesignError
from mlsd_helpers.design.requirements import (
    Assumption,
    Availability,
    BudgetPart,
    FailureMode,
    Freshness,
    Labels,
    Latency,
    Prediction,
    Requirements,
    Throughput,
)
from mlsd_helpers.design.schema import json_schema

__all__ = [
    "BYTES_PER_VALUE",
    "KINDS",
    "PLANE_OF",
    "REQUEST",
    "Accelerator",
    "Alert",
    "Assumption",
    "Autoscaler",
    "Availability",
    "Batching",
    "BudgetPart",
    "Cache",
    "CapacityPlan",
    "Component",
    "DataFlow",
    "Design",
    "Evidence",
    "FailureMode",
    "Feature",
    "Flow",
    "Freshness",
    "Generation",
    "Headroom",
    "Labels",
    "Latency",
    "Loaded",
    "Lookup",
    "ModelShape",
    "Parallel",
    "Pattern",
    "Planes",
    "Precompute",
    "Prediction",
    "Problem",
    "RejectedPattern",
    "Release",
    "Requirements",
    "Retraining",
    "ServiceTime",
    "ServingPath",
    "Source",
    "Stage",
    "Stream",
    "Throughput",
    "UnreadableDesignError",
    "json_schema",
    "load_design",
    "load_with_lines",
]
