"""Designs drawn as plain dictionaries, and an oracle that says where "met" is impossible.

The oracle reads the dictionaries alone and calls nothing of the package, so that it shares no mistake with it. It is
simple: it counts only what every request needs, and says "impossible" only where that is certain. Times are in
seconds, rates a second, and shares fractions.
"""

import math
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Drawn = dict[str, Any]

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "bound": 1.0}
_OWN = ["service", "orchestrator", "model server", "feature store", "cache", "guardrail", "re-ranker"]


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Draw the usual value in about five of six cases: a design with a fault in every place is met nowhere."""
    return st.sampled_from([usual] * max(5 * len(others), 5) + list(others))


def stated(**fields: Any) -> Drawn:
    """Return the fields that are stated."""
    return {name: value for name, value in fields.items() if value is not None}


# ---------------------------------------------------------------- designs


@st.composite
def _component(draw: st.DrawFn, name: str, kinds: list[str]) -> Drawn:
    kind = draw(st.sampled_from(kinds))
    outside = kind == "external service"
    return stated(
        id=name,
        kind=kind,
        latency=draw(mostly(0.005, 0.04, 0.15, None)),
        latency_is=draw(mostly("p99.9", None, "mean", "p50", "p99", "bound")),
        availability=draw(mostly(1.0, 0.9999, 0.99, None)),
        zones=None if outside else draw(mostly(3, 1, None)),
        calls=draw(st.sampled_from(["one after another", "at once", None])),
        quota=draw(mostly(None, {"requests": 40}, {"requests": 5_000}, {"tokens": 1e6})) if outside else None,
    )


@st.composite
def _call(draw: st.DrawFn, start: str, end: str) -> Drawn:
    return {
        "from": start,
        "to": end,
        **stated(
            carries="request",
            timeout=draw(mostly(0.3, 0.03, None)),
            retries=draw(mostly(None, 1, 2)),
            share=draw(mostly(None, 0.5, 0.03)),
            calls=draw(mostly(None, 3)),
            fallback=draw(mostly(None, "none", "The answer of the last time")),
            fails=draw(mostly(None, "open", "closed")),
            answered=draw(mostly(None, True, False)),
        ),
    }


@st.composite
def _fleet(draw: st.DrawFn, component: str) -> Drawn:
    replicas = draw(st.sampled_from([6, 9, 12, 4, 2]))
    spread = draw(mostly({"distribution": "lognormal", "scv": 0.25}, {"distribution": "exponential"}, {}))
    batching = draw(
        mostly(None, {"largest": 8, "longest_wait": 0.01, "fixed_time": 0.02, "time_per_item": 0.001})
    )
    return stated(
        id=f"fleet_{component}",
        component=component,
        replicas=replicas,
        zones=draw(mostly(3, 2, 1, None)),
        service_time={"mean": draw(st.sampled_from([0.01, 0.02, 0.05]))} | spread,
        target_utilisation=draw(mostly(0.7, None)),
        load=draw(mostly(None, 10)),
        routing=draw(mostly("central queue", "random", None)),
        queue_limit=None if batching else draw(mostly(None, 2)),
        concurrency_per_replica=draw(mostly(1, 2)),
        batching=batching,
        headroom=draw(
            mostly(
                None,
                {"share": 0.5, "pays_for": ["zone loss"]},
                {"share": 0.3, "pays_for": ["rolling restart"]},
            )
        ),
    )


@st.composite
def _needs(draw: st.DrawFn, rps: float) -> Drawn:
    return stated(
        latency={
            "budget": draw(st.sampled_from([0.4, 0.25, 0.15, 1.0])),
            "percentile": draw(st.sampled_from(["p95", "p99"])),
        },
        throughput={"peak": rps},
        availability={"target": draw(st.sampled_from([0.99, 0.999]))},
    )


@st.composite
def designs(draw: st.DrawFn) -> Drawn:
    """Draw a design: a tree of calls from a gateway, sometimes with a second way, a queue or a second workload."""
    number = draw(st.integers(1, 4))
    names = [f"part{at}" for at in range(number)]
    parts = [draw(_component("gateway", ["api gateway"]))]
    calls: list[Drawn] = []
    for at, name in enumerate(names):
        kinds = ["model server"] if at == 0 else [*_OWN, "external service"]
        parts.append(draw(_component(name, kinds)))
        callers = ["gateway", *(one["id"] for one in parts[1:-1] if one["kind"] not in _LEAVES)]
        calls.append(draw(_call(draw(st.sampled_from(callers)), name)))
    _second_choice(draw, calls)
    _second_way(draw, parts, calls)
    if draw(mostly(False, True)):
        parts.append(draw(_component("app", ["client"])))
        calls.append(draw(_call("app", "gateway")))
    planned = [one["id"] for one in parts if one["kind"] in {"model server", "orchestrator", "re-ranker"}]
    fleets = [draw(_fleet(name)) for name in planned if name == planned[0] or draw(st.booleans())]
    for one in parts:
        if one["id"] in {fleet["component"] for fleet in fleets}:
            one.pop("latency", None)
            one.pop("latency_is", None)
    needs = draw(_needs(draw(st.sampled_from([60.0, 100.0, 200.0]))))
    _split(draw, needs, parts)
    _queue(draw, needs, parts, calls)
    if draw(mostly(False, True)):
        other = draw(_needs(draw(st.sampled_from([20.0, 80.0]))))
        parts.append(draw(_component("door", ["api gateway"])))
        calls.append(draw(_call("door", draw(st.sampled_from(names)))))
        entry = "app" if parts[-2]["id"] == "app" else "gateway"
        workloads = [{"id": "asked", "entry": entry} | needs, {"id": "other", "entry": "door"} | other]
        needs = {"workloads": workloads}
    return {
        "name": "drawn",
        "requirements": needs,
        "planes": {"components": parts, "flows": calls},
        "capacity": {"fleets": fleets},
    }


_LEAVES = {"external service", "feature store", "cache"}


def _second_choice(draw: st.DrawFn, calls: list[Drawn]) -> None:
    """Sometimes make one of two calls of the same component the alternative of the other."""
    pairs = [(a, b) for at, a in enumerate(calls) for b in calls[at + 1 :] if a["from"] == b["from"]]
    if pairs and draw(mostly(False, True)):
        first, second = draw(st.sampled_from(pairs))
        first["id"], second["id"] = "first", "second"
        first["otherwise"] = "second"


def _second_way(draw: st.DrawFn, parts: list[Drawn], calls: list[Drawn]) -> None:
    """Sometimes let the gateway call a part that another one calls as well."""
    deep = [one["to"] for one in calls if one["from"] != "gateway"]
    if deep and draw(mostly(False, True)):
        calls.append(draw(_call("gateway", draw(st.sampled_from(deep)))))


def _split(draw: st.DrawFn, needs: Drawn, parts: list[Drawn]) -> None:
    """Sometimes share the budget out: to some of the components, and to a network that is no component."""
    if draw(mostly(True, False)):
        return
    named = [one["id"] for one in parts if one["id"] != "app" and draw(st.booleans())]
    split = [{"component": name, "time": draw(st.sampled_from([0.02, 0.06]))} for name in named]
    if draw(st.booleans()):
        split.append({"part": "network", "time": draw(st.sampled_from([0.02, 0.08]))})
    if split:
        needs["latency"]["split"] = split


def _queue(draw: st.DrawFn, needs: Drawn, parts: list[Drawn], calls: list[Drawn]) -> None:
    """Sometimes hand the first call over through a queue, at whose other end the answer is."""
    if draw(mostly(True, False)):
        return
    first = next(one for one in calls if one["to"] == "part0")
    if "id" in first:
        return
    parts.append(draw(_component("queue", ["event stream"])))
    start = first["from"]
    calls.remove(first)
    share = stated(share=first.get("share"))
    calls.append({"from": start, "to": "queue", "carries": "events"} | share)
    calls.append({"from": "queue", "to": "part0", "carries": "events"})
    needs["latency"]["until"] = "part0"


# ---------------------------------------------------------------- designs that were judged wrongly once


_STEADY: Drawn = {"mean": 0.01, "distribution": "lognormal", "scv": 0.25}


def _plain(plan: Drawn, call: Drawn, parts: list[Drawn] | None = None, **needs: Any) -> Drawn:
    door: Drawn = {"id": "gateway", "kind": "api gateway", "latency": 0.005, "latency_is": "p99.9"}
    sure: Drawn = {"availability": 1.0, "zones": 3}
    fleet = {"id": "fleet_part0", "component": "part0", "zones": 3, "routing": "central queue"}
    given: Drawn = {"latency": {"budget": 1.0, "percentile": "p95"}, "throughput": {"peak": 200.0}}
    boxes = [door | sure, {"id": "part0", "kind": "model server"} | sure, *(parts or [])]
    calls = [{"from": "gateway", "to": "part0", "carries": "request"} | call]
    return {
        "name": "drawn",
        "requirements": given | {"availability": {"target": 0.99}} | needs,
        "planes": {"components": boxes, "flows": calls},
        "capacity": {"fleets": [fleet | {"service_time": _STEADY} | plan]},
    }


_BATCHES = {"largest": 8, "longest_wait": 0.01, "fixed_time": 0.02, "time_per_item": 0.001}
BATCHED = _plain({"replicas": 2, "batching": _BATCHES}, {"calls": 3, "timeout": 0.3})
"""Batches carry 571 of 600 requests a second, and callers give up: the queue grows however long it takes."""
LATE = _plain({"replicas": 12, "queue_limit": 2, "service_time": {"mean": 0.05}}, {"timeout": 0.06})
"""Many more calls are given up than the percentile leaves out."""
FINE = _plain(
    {"replicas": 6, "service_time": _STEADY | {"mean": 0.02}}, {"timeout": 0.3}, throughput={"peak": 60.0}
)
FINE["planes"]["components"][1]["availability"] = 0.99
"""One request in 10⁹ takes longer than the timeout, and the target leaves no room for it."""
SELDOM = _plain(
    {"replicas": 6, "service_time": _STEADY | {"mean": 0.05}}, {"timeout": 0.3}, throughput={"peak": 60.0}
)
SELDOM["planes"]["components"][1]["availability"] = 0.99
"""So few requests time out that a short run may see none, and the target leaves no room for any."""
WAITED = _plain(
    {"replicas": 4, "service_time": {"mean": 0.05}},
    {"id": "first", "otherwise": "second"},
    [
        {
            "id": "part1",
            "kind": "service",
            "latency": 0.005,
            "latency_is": "p99.9",
            "availability": 1.0,
            "zones": 3,
        }
    ],
)
WAITED["planes"]["flows"].append(
    {"from": "gateway", "to": "part1", "carries": "request", "timeout": 0.3, "id": "second"}
)
"""An overloaded fleet has an alternative, which is never asked: without a timeout no call fails."""
QUEUED = _plain(
    {"replicas": 6},
    {},
    [{"id": "queue", "kind": "event stream", "latency": 0.005, "latency_is": "p99.9", "zones": 3}],
)
QUEUED["planes"]["flows"] = [
    {"from": "gateway", "to": "queue", "carries": "events"},
    {"from": "queue", "to": "part0", "carries": "events"},
]
QUEUED["requirements"]["latency"]["until"] = "part0"
"""Nobody says how often the queue is there, on the only way to the answer."""


# ---------------------------------------------------------------- the oracle


class Oracle:
    """What is certain of one workload of a drawn design."""

    def __init__(self, design: Drawn, needs: Drawn) -> None:
        self.design, self.needs = design, needs
        self.parts = {one["id"]: one for one in design["planes"]["components"]}
        self.calls = design["planes"]["flows"]
        self.fleets = {one["component"]: one for one in design["capacity"]["fleets"]}
        self.entry = needs.get("entry") or ("app" if "app" in self.parts else "gateway")
        latency = needs["latency"]
        self.share = PERCENTILES[latency["percentile"]]
        self.split = {
            part["component"]: part["time"] for part in latency.get("split", ()) if "component" in part
        }
        self.words_s = sum(part["time"] for part in latency.get("split", ()) if "component" not in part)
        self.second = {one["otherwise"] for one in self.calls if "otherwise" in one}

    # ---- which calls a request makes

    def made(self, name: str) -> list[Drawn]:
        """Return the calls of a component, without those that are only tried after others."""
        return [one for one in self.calls if one["from"] == name and one.get("id") not in self.second]

    def ways(self, name: str, share: float = 1.0) -> Iterator[tuple[str, float]]:
        """Yield each component with the share of requests that certainly come to it, once for each way to it."""
        yield name, share
        for call in self.made(name):
            yield from self.ways(call["to"], share * call.get("share", 1.0))

    def needed(self, name: str, shared: bool = False) -> Iterator[str]:
        """Yield the components without which no request is answered: nothing stands in for them."""
        yield name
        for call in self.made(name):
            if not stands_in(call) and ("share" not in call or shared):
                yield from self.needed(call["to"])

    def needed_by_some(self, name: str, share: float = 1.0) -> Iterator[tuple[str, float]]:
        """Yield each call that a share of the requests needs, with that share."""
        for call in self.made(name):
            if not stands_in(call):
                less = share * call.get("share", 1.0)
                if less < 1:
                    yield call["to"], less
                yield from self.needed_by_some(call["to"], less)

    def late(self, name: str) -> Iterator[float]:
        """Yield the share of the needed calls that answer in time, where what is called is known to be too slow."""
        for call in self.made(name):
            if stands_in(call) or "share" in call:
                continue
            one = self.parts[call["to"]]
            known_at = PERCENTILES.get(one.get("latency_is", ""), 1.0)
            if (
                known_at < 1
                and call["to"] not in self.fleets
                and one.get("latency", 0.0) > call.get("timeout", math.inf)
            ):
                yield 1 - (1 - known_at) ** (1 + call.get("retries", 0))
            yield from self.late(call["to"])

    def rates(self) -> dict[str, float]:
        """Return how often each component is called at the peak by all workloads, alternatives left out."""
        found: dict[str, float] = {}
        for needs in workloads(self.design):
            other = Oracle(self.design, needs)
            other._add(other.entry, needs["throughput"]["peak"], found)
        return found

    def _add(self, name: str, rate: float, found: dict[str, float]) -> None:
        found[name] = found.get(name, 0.0) + rate
        for call in self.made(name):
            self._add(call["to"], rate * call.get("share", 1.0) * call.get("calls", 1), found)

    # ---- time

    def own_s(self, name: str, at_once: int = 1) -> float | None:
        """Return what a component takes for certain at the percentile; None where nothing says how long it takes.

        The slowest of several calls at once is quick at a percentile only where each is at a higher one.
        """
        one, fleet = self.parts[name], self.fleets.get(name)
        if name == self.entry and one["kind"] == "client":
            return 0.0
        if fleet:
            time = fleet["service_time"]
            return 0.0 if "batching" in fleet else time["mean"] * (1.0 if "scv" not in time else 0.8)
        known_at = PERCENTILES.get(one.get("latency_is", "bound"), 0.0)
        if "latency" in one and known_at >= self.share ** (1 / at_once):
            return max(one["latency"], self.split.get(name, 0.0))
        if name in self.split:
            return max(self.split[name], one.get("latency", 0.0))
        return None

    def certain_s(self, name: str) -> float:
        """Return the least time until a component has answered, by what is stated for certain."""
        times = []
        for call in self.made(name):
            behind_s = self.certain_s(call["to"]) if "share" not in call else 0.0
            gives_up_s = call.get("timeout", math.inf) * (1 + call.get("retries", 0))
            times.append(min(behind_s, gives_up_s))
        in_turn = self.parts[name].get("calls") == "one after another"
        return (self.own_s(name) or 0.0) + (sum(times) if in_turn else max(times, default=0.0))

    def without_time(self, name: str, reached: float = 1.0, at_once: int = 1) -> Iterator[str]:
        """Yield what enough requests wait for to set the percentile, for as long as it likes."""
        if self.own_s(name, at_once) is None:
            yield name
        for call in self.made(name):
            share = reached * call.get("share", 1.0)
            if "timeout" not in call and share > 1 - self.share + 1e-9:
                yield from self.without_time(call["to"], share, at_once * call.get("calls", 1))

    # ---- capacity

    def carries(self, name: str, incident: str) -> float:
        """Return how many requests a second a fleet carries at most."""
        fleet = self.fleets[name]
        replicas, zones = fleet["replicas"], fleet.get("zones", 1)
        if incident == "zone loss":
            replicas -= math.ceil(replicas / zones) if zones > 1 else 0
        if incident == "rolling restart":
            replicas -= int(replicas * 0.25 + 1e-9)
        slots = replicas * fleet.get("concurrency_per_replica", 1)
        if batch := fleet.get("batching"):
            full_s = batch["fixed_time"] + batch["largest"] * batch["time_per_item"]
            return slots * batch["largest"] / full_s
        return slots / fleet["service_time"]["mean"]

    # ---- verdicts

    def no_latency(self, incident: str = "") -> str:
        """Say why "met" is impossible for the promise of latency; empty where it may be met."""
        budget_s, rates = self.needs["latency"]["budget"], self.rates()
        for name in self.without_time(self.entry):
            return f"nothing says how long {name} takes, and no timeout ends it"
        if (certain_s := self.certain_s(self.entry) + (self.words_s if self.split else 0.0)) >= budget_s:
            return f"{certain_s:.3f} s are certain, of {budget_s} s"
        for name in self.needed(self.entry):
            if name in self.fleets and rates.get(name, 0.0) > self.carries(name, incident):
                return f"{name} gets {rates[name]:g}/s and carries {self.carries(name, incident):g}/s"
        return ""

    def no_answers(self, incident: str = "") -> str:
        """Say why "met" is impossible for the promise of answers; empty where it may be met."""
        target, rates = self.needs["availability"]["target"], self.rates()
        needed = [
            name for name in dict.fromkeys(self.needed(self.entry)) if self.parts[name]["kind"] != "client"
        ]
        if open_ := next(filter(None, (self._open(name, incident) for name in needed)), ""):
            return open_
        answered = math.prod(self._answers(name, rates, incident) for name in needed)
        answered *= math.prod(self.late(self.entry))
        if answered < target - 1e-9:
            return f"{answered:.5f} are answered at most"
        for name, share in self.needed_by_some(self.entry):
            up = self.parts[name].get("availability")
            if share * (1 - (up or 0.0)) > 1 - target + 1e-9:
                return f"{share:.3f} of the requests need {name}, and it answers {up}"
        return ""

    def _open(self, name: str, incident: str) -> str:
        """Say what of a needed component nobody knows."""
        one = self.parts[name]
        if "availability" not in one:
            return f"nothing says how often {name} answers"
        if "tokens" in one.get("quota", {}):
            return f"{name} has a quota of tokens, and nothing says how many a call takes"
        stands = one["kind"] == "external service" or name in self.fleets or one.get("zones", 0) > 1
        return f"{name} may stand in the lost zone alone" if incident == "zone loss" and not stands else ""

    def _answers(self, name: str, rates: dict[str, float], incident: str) -> float:
        """Return the largest share of its calls that a component answers."""
        one = self.parts[name]
        limits = [one["quota"]["requests"]] if "quota" in one else []
        passes = incident == "rolling restart"  # what waits meanwhile is answered after it, late
        limits += [self.carries(name, "" if passes else incident)] if name in self.fleets else []
        return float(one["availability"] * math.prod(min(1.0, limit / rates[name]) for limit in limits))

    def no_utilisation(self, name: str, incident: str = "") -> str:
        """Say why "met" is impossible for the target of a fleet; empty where it may be met, as where it sheds load."""
        fleet = self.fleets[name]
        busy = self.rates().get(name, 0.0) / self.carries(name, incident)
        target = fleet.get("target_utilisation", 1.0)
        return f"{busy:.3f} of {target}" if busy > target * 1.02 and "queue_limit" not in fleet else ""


def stands_in(call: Drawn) -> bool:
    """Tell whether anything may answer in place of what is called."""
    named = call.get("fallback") not in {None, "none"} or "otherwise" in call
    return named or bool(call.get("answered")) or call.get("fails") == "open"


def workloads(design: Drawn) -> list[Drawn]:
    """Return the requirements of each workload; those of the design where it has one."""
    return design["requirements"].get("workloads") or [design["requirements"]]
