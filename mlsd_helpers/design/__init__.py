"""The design of an ML system as one frozen value: a module for each part.

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
    Cost,
    FleetPlan,
    Generation,
    Headroom,
    ModelShape,
    ServiceTime,
)
from mlsd_helpers.design.components import (
    ANY_PLANE,
    KINDS,
    PLANE_OF,
    Component,
    Devices,
    Price,
    Quota,
    Terms,
    TokensPerCall,
)
from mlsd_helpers.design.data import Data, Dataset, Training
from mlsd_helpers.design.dataflow import REQUEST, DataFlow, Feature, Lookup, Parallel, Stage
from mlsd_helpers.design.decisions import About, Acceptance, DecisionRecord, DoesNotApply, OpenQuestion, Risk
from mlsd_helpers.design.design import Design, Evidence, Loaded, Source, load_design, load_with_lines
from mlsd_helpers.design.experiments import Experiment
from mlsd_helpers.design.operations import Objective, Operations
from mlsd_helpers.design.pattern import Cache, Pattern, Precompute, RejectedPattern, ServingPath, Stream
from mlsd_helpers.design.planes import Alert, Contract, Flow, Planes, Retry
from mlsd_helpers.design.problems import Problem, UnreadableDesignError
from mlsd_helpers.design.release import Gate, Release, ReleaseStage, Retraining
from mlsd_helpers.design.requirements import (
    AgeLimit,
    Assumption,
    Availability,
    BudgetPart,
    Constraint,
    FailureMode,
    Freshness,
    Labels,
    Latency,
    Prediction,
    Promise,
    Requirements,
    Schedule,
    Throughput,
    Workload,
)
from mlsd_helpers.design.schema import json_schema, schema_text
from mlsd_helpers.design.value import step_to

__all__ = [
    "ANY_PLANE",
    "BYTES_PER_VALUE",
    "KINDS",
    "PLANE_OF",
    "REQUEST",
    "About",
    "Accelerator",
    "Acceptance",
    "AgeLimit",
    "Alert",
    "Assumption",
    "Autoscaler",
    "Availability",
    "Batching",
    "BudgetPart",
    "Cache",
    "CapacityPlan",
    "Component",
    "Constraint",
    "Contract",
    "Cost",
    "Data",
    "DataFlow",
    "Dataset",
    "DecisionRecord",
    "Design",
    "Devices",
    "DoesNotApply",
    "Evidence",
    "Experiment",
    "FailureMode",
    "Feature",
    "FleetPlan",
    "Flow",
    "Freshness",
    "Gate",
    "Generation",
    "Headroom",
    "Labels",
    "Latency",
    "Loaded",
    "Lookup",
    "ModelShape",
    "Objective",
    "OpenQuestion",
    "Operations",
    "Parallel",
    "Pattern",
    "Planes",
    "Precompute",
    "Prediction",
    "Price",
    "Problem",
    "Promise",
    "Quota",
    "RejectedPattern",
    "Release",
    "ReleaseStage",
    "Requirements",
    "Retraining",
    "Retry",
    "Risk",
    "Schedule",
    "ServiceTime",
    "ServingPath",
    "Source",
    "Stage",
    "Stream",
    "Terms",
    "Throughput",
    "TokensPerCall",
    "Training",
    "UnreadableDesignError",
    "Workload",
    "json_schema",
    "load_design",
    "load_with_lines",
    "schema_text",
    "step_to",
]
