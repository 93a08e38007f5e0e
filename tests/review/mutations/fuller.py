"""Sound designs that use the wider language, made from the cases; and how one field of a design is changed."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mlsd_helpers import cases
from mlsd_helpers.design import Component, Design, Flow, Stage


def setting(design: Design, path: str, **fields: Any) -> Design:
    """Return the design with some fields changed of what stands at a path; entries of lists go by id or position."""
    return _changed(design, path.split(".") if path else [], fields)


def _changed(value: Any, steps: list[str], fields: dict[str, Any]) -> Any:
    if not steps:
        return value.changed(**fields)
    step, *rest = steps
    if isinstance(value, tuple):
        place = int(step) if step.isdecimal() else [one.id for one in value].index(step)
        return tuple(_changed(one, rest, fields) if at == place else one for at, one in enumerate(value))
    inner = _changed(getattr(value, step), rest, fields)
    return value.with_part(**{step: inner}) if isinstance(value, Design) else value.changed(**{step: inner})


def adding(design: Design, path: str, *entries: Any) -> Design:
    """Return the design with entries added to a list."""
    group, _, name = path.rpartition(".")
    listed = tuple(getattr(design.at(group) if group else design, name)) + entries
    return setting(design, group, **{name: listed}) if group else design.with_part(**{name: listed})


def without(design: Design, path: str) -> Design:
    """Return the design without an entry of a list, and without the flows of a component that goes."""
    group, _, name = path.rpartition(".")
    if group == "planes.components":
        kept = [flow for flow in design.at("planes").flows if name not in {flow.start, flow.end}]
        parts = [one for one in design.at("planes").components if one.id != name]
        return setting(design, "planes", components=parts, flows=kept)
    entries = [one for one in design.at(group) if one.id != name]
    holder, _, field = group.rpartition(".")
    return setting(design, holder, **{field: entries}) if holder else design.with_part(**{field: entries})


def everywhere(design: Design, **fields: Any) -> Design:
    """Return the design with some fields set on every component that does not set them."""
    parts = [
        one.changed(**{name: value for name, value in fields.items() if not getattr(one, name)})
        for one in design.at("planes").components
    ]
    return setting(design, "planes", components=parts)


def _drawn(design: Design, components: list[dict[str, Any]], flows: list[dict[str, Any]]) -> Design:
    design = adding(design, "planes.components", *(Component(**one) for one in components))
    return adding(design, "planes.flows", *(Flow(**one) for one in flows))


ANALYSTS: dict[str, Any] = {
    "id": "analysts", "kind": "people", "owner": "Fraud operations", "rate": "600 per h", "hours": "24/7",
    "wait": "10 min",
}  # fmt: skip
LABELLERS: dict[str, Any] = {
    "id": "labellers", "kind": "people", "plane": "training", "owner": "Fraud operations", "rate": "2000 per h",
    "hours": "Mon-Fri 8-18",
}  # fmt: skip
BUREAU: dict[str, Any] = {
    "id": "bureau", "kind": "external service", "owner": "Fraud operations", "availability": "99.99%",
    "replicas": 2,
    "trust_zone": "vendor", "quota": {"requests": "700 rps"}, "price": {"per_request": "$0.00001"}, "zones": 2,
    "version": "2026-05-01",
    "terms": {"trains_on_our_data": False, "retention": "30 d", "agreement": "Processing agreement of 2026-01-10"},
}  # fmt: skip
CALLS: dict[str, dict[str, Any]] = {
    "ask_bureau": {
        "from": "scorer", "to": "bureau", "carries": "request", "timeout": "20 ms", "fallback": "Score without it",
        "auth": "Workload identity", "personal": True, "retries": 1, "idempotent": True,
        "retry": {"backoff": "exponential with jitter", "budget": "10%"},
    },
    "to_analysts": {"from": "scores", "to": "analysts", "carries": "predictions", "share": "0.05%"},
    "by_hand": {"from": "labellers", "to": "disputes", "carries": "labels"},
    "asked_by_hand": {"from": "scores", "to": "labellers", "carries": "metrics"},
}  # fmt: skip
SPEND: dict[str, Any] = {
    "id": "spend", "raised_by": "service_metrics", "watches": "infrastructure",
    "metric": "cost of the bureau in an hour",
    "threshold": "above $20", "window": "1 h", "minimum_count": 1000, "owner": "Fraud operations",
    "action": "Stop asking it",
}  # fmt: skip
EXPERIMENT: dict[str, Any] = {
    "id": "limit", "question": "Does the new limit lose fewer customers?", "unit": "user", "units_per_day": 100_000,
    "metric": "share of payments that are tried again", "baseline": "10%", "effect": "5%", "duration": "14 d",
    "guardrails": ["Fraud let through grows by 2% at most"],
}  # fmt: skip


def in_full() -> Design:
    """Return Harbour Pay with a provider, people, constraints, personal data, an experiment, decisions and risks."""
    design = cases.load("harbour_pay")
    design = setting(
        design,
        "requirements.prediction",
        about_people=True,
        acted_on="0.1%",
        explained="A reason code in the app",
        reasons_kept_in="scores",
    )
    design = setting(
        design,
        "requirements.labels",
        explored="1%",
        selection="All that passed, and a random share",
        cost_per_label="$0",
    )
    limits = [
        {"id": "eu", "text": "Payment data stay in the EU", "from": "law", "region": "EU"},
        {
            "id": "reasons",
            "text": "Each refusal has a reason",
            "from": "law",
            "met_by": "rules",
            "how": "Reason codes",
        },
    ]
    design = setting(design, "requirements", constraints=limits)
    flows = [{"id": name, **call} for name, call in CALLS.items()]
    design = _drawn(design, [ANALYSTS, LABELLERS, BUREAU], flows)
    design = setting(
        everywhere(design, region="eu-west-1"), "planes.components.scorer", trust_zone="internal"
    )
    design = adding(design, "planes.alerts", SPEND)
    gate = {
        "id": "recall", "metric": "recall at 1% false positives",
        "of": ["scorer", "rules"], "on": "disputes of a month", "cases": 50_000, "positives": 5_000,
        "owner": "Model team", "refreshed": "30 d", "at_least": "80%", "slices": ["age group", "country"],
        "baseline": "the model in use",
    }  # fmt: skip
    design = setting(design, "planes.release", gates=[gate], approved_by="Model risk")
    design = setting(design, "capacity", budget_per_month="$14,000")
    payments = {
        "id": "payments", "what": "Payments with features and scores", "personal": True, "purpose": "Find fraud",
        "basis": "legitimate interests", "region": "EU", "retention": "400 d", "readers": "Fraud operations",
        "kept_in": ["payments", "features", "history", "disputes", "scores", "bureau"],
        "deletion": "A monthly job deletes a customer's rows in each store; the bureau deletes on request",
    }  # fmt: skip
    training = {
        "component": "training", "snapshot": "Tables as of a time", "code": "Commit", "seed": 7,
        "environment": "Image with its digest", "lineage": "The registry links run, data and code",
    }  # fmt: skip
    decision = {
        "id": "rules_first", "chose": "Rules beside the model", "over": "The model alone",
        "because": "Rules answer in 10 ms",
        "flips_when": "The model explains itself in words that the law accepts",
    }  # fmt: skip
    return design.with_part(
        data={"datasets": [payments], "training": training},
        experiments=[EXPERIMENT],
        decisions=[decision],
        risks=[
            {
                "id": "drift",
                "text": "Fraud moves on",
                "likelihood": "high",
                "impact": "medium",
                "answer": "Weekly training",
            }
        ],
        questions=[
            {
                "id": "scheme",
                "text": "Does the scheme allow 600 ms?",
                "owner": "Payments",
                "until": "9000-01-01",
            }
        ],
    )


INDEX: dict[str, Any] = {
    "id": "index",
    "kind": "vector index",
    "owner": "Search",
    "replicas": 3,
    "zones": 3,
    "items": "2 million",
}
EMBEDDER: dict[str, Any] = {
    "id": "embedder",
    "kind": "embedder",
    "owner": "Search",
    "replicas": 3,
    "zones": 3,
    "version": "3",
    "managed": True,
}
SPARE: dict[str, Any] = {
    "id": "spare", "kind": "external service", "owner": "Assistant", "availability": "99.9%",
    "version": "2026-04-01",
    "trust_zone": "vendor",
    "replicas": 2, "zones": 2, "quota": {"tokens": "2M per min"}, "tokens": {"input": 1155, "output": 211},
    "price": {"per_million_input_tokens": "$0.10", "per_million_output_tokens": "$0.40"},
    "terms": {"trains_on_our_data": False, "retention": "0 s", "agreement": "Processing agreement of 2026-02-01"},
}  # fmt: skip


def with_retrieval() -> Design:
    """Return the assistant with passages that it looks up, and a provider for when its own model does not answer."""
    design = cases.load("azure_assistant")
    calls = [
        {"from": "scorer", "to": "embedder", "carries": "request", "timeout": "50 ms",
        "fallback": "Answer without passages"},
        {
            "id": "look_up", "from": "scorer", "to": "index", "carries": "features", "timeout": "50 ms",
            "fallback": "Answer without passages", "auth": "The user's token", "personal": False,
        },
        {
            "id": "ask_spare", "from": "gateway", "to": "spare", "carries": "request", "timeout": "10 s",
            "fallback": "Search the help pages", "auth": "Workload identity", "personal": True,
        },
        {
            "id": "change", "from": "pages", "to": "index", "carries": "events", "personal": False,
            "check": "Deletions before additions, one row a passage",
        },
        {"from": "scorer", "to": "secrets", "carries": "metrics"},
    ]  # fmt: skip
    parts = [INDEX, EMBEDDER, SPARE, {"id": "pages", "kind": "raw source", "owner": "Help"}]
    design = _drawn(design, [*parts, {"id": "secrets", "kind": "secret store", "owner": "Platform"}], calls)
    first = next(
        at
        for at, flow in enumerate(design.at("planes").flows)
        if (flow.start, flow.end) == ("gateway", "scorer")
    )
    design = setting(design, f"planes.flows.{first}", id="ask_own", otherwise="ask_spare", timeout="40 s")
    gates = [
        {"id": "found", "metric": "recall of the right passage in ten", "of": ["index", "embedder"],
         "at_least": "80%", "on": "Questions of last quarter", "slices": "language",
         "baseline": "the index in use"},
        {"id": "spare_good", "metric": "share found helpful by two reviewers", "of": "spare", "at_least": "70%",
         "on": "Questions of last quarter", "slices": "language", "baseline": "the model in use"},
    ]  # fmt: skip
    together = (*design.at("planes.release").versioned_together, "index", "prompt")
    design = setting(design, "planes.release", gates=gates, versioned_together=together)
    design = adding(design, "planes.alerts", SPEND | {"metric": "cost of the spare model in an hour"})
    filling = Stage(id="indexing", delays=["10 min"], component="index")
    return setting(adding(design, "dataflow.stages", filling), "requirements.freshness", index="1 h")


TERMINALS: dict[str, Any] = {
    "id": "terminals", "kind": "device fleet", "owner": "Devices", "trust_zone": "shops", "replicas": 2, "zones": 2,
    "devices": {
        "number": 50_000, "online": "95%", "offline_at_most": "3 d", "hardware": 2, "versions": 3, "link": "LTE",
        "bandwidth": "1 MB/s", "data_per_month": "500 MB", "update_size": "12 MB", "signed": True,
    },
}  # fmt: skip


def with_devices() -> Design:
    """Return Harbour Pay with the terminals that ask it."""
    call = {
        "id": "pay", "from": "terminals", "to": "gateway", "carries": "request", "timeout": "480 ms",
        "fallback": "Ask for the PIN",
        "retry": {"backoff": "exponential with jitter"}, "auth": "Certificate of the terminal", "personal": False,
        "contract": {"owner": "Payments", "version": "2", "compatibility": "backward"},
    }  # fmt: skip
    design = _drawn(cases.load("harbour_pay"), [TERMINALS], [call])
    design = setting(design, "planes.components.gateway", trust_zone="internal")
    last = "The version before, in the other slot of the device"
    return setting(design, "planes.release", canary_time="5 h", rollback_to=last)


STARTS: dict[str, Callable[[], Design]] = {
    "shelf": partial(cases.load, "shelf_vision"),
    "in full": in_full,
    "with retrieval": with_retrieval,
    "with devices": with_devices,
}
