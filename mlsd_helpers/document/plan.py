"""The capacity plan, row by row: a formula, its inputs with their origins, and its result."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.analysis.cost import calls_per_s, working_hours
from mlsd_helpers.analysis.paths import peak_rps
from mlsd_helpers.analysis.sizing import (
    FLOPS_UTILISATION,
    HOURS_A_MONTH,
    PERCENTILES,
    Decision,
    Sizing,
    fleet_names,
)
from mlsd_helpers.analysis.surroundings import reaches
from mlsd_helpers.design import BYTES_PER_VALUE, FleetPlan, ServingPath
from mlsd_helpers.document.markdown import Md, anchor, code, escape, joined, link
from mlsd_helpers.document.provenance import ASSUMED, PEAK, Figures, undecided
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import show_bytes, show_money, show_number, show_rate, show_seconds, show_share

Show = Callable[[float], str]


@dataclass(frozen=True)
class Input:
    """An input of a formula: its parameter name, its value, the value as text, and the anchor of its origin."""

    name: str
    value: Any
    words: str
    target: str
    missing: str = ""
    """The path of the missing field in the design; "" where the input is known."""
    assumption: str = ""
    """The assumption, where the design does not decide it."""


@dataclass(frozen=True)
class Row:
    """One result of the plan: its title, its formula, the inputs, and the function that writes the result."""

    id: str
    what: str
    formula: Callable[..., float]
    inputs: Sequence[Input]
    show: Show = show_number
    fleet: str = ""
    """Its fleet, where there are several plans."""

    @property
    def target(self) -> str:
        """The anchor of this row."""
        return f"plan-{self.id}"

    @property
    def formula_target(self) -> str:
        """The anchor of the formula's description."""
        return f"formula-{self.formula.__name__}"

    @property
    def missing(self) -> tuple[str, ...]:
        """The paths of the inputs that the design lacks."""
        return tuple(dict.fromkeys(one.missing for one in self.inputs if one.missing))

    @property
    def result(self) -> float | str:
        """The result, or the reason why the formula refuses its inputs."""
        refused = [one.value for one in self.inputs if isinstance(one.value, str)]
        if refused:
            return str(refused[0])
        try:
            return float(self.formula(**{one.name: one.value for one in self.inputs}))
        except (RangeError, OverflowError) as error:
            return str(error)

    def as_input(self, name: str) -> Input:
        """Return the result as an input of another row."""
        if self.missing:
            return Input(name, None, "", self.target, self.missing[0])
        result = self.result
        if isinstance(result, str):
            return Input(name, result, "out of range", self.target)
        value = int(result) if result.is_integer() else result
        return Input(name, value, self.show(result), self.target)


@dataclass(frozen=True)
class Fleet:
    """The plan of one fleet, with access to its figures by their names in the plan."""

    figures: Figures
    path: str

    @property
    def plan(self) -> FleetPlan:
        """The fleet's plan in the design."""
        return self.figures.design.fleets[self.path]

    @property
    def sizing(self) -> Sizing:
        """The sizes computed from the plan."""
        return self.figures.sizings[self.path]

    @property
    def name(self) -> str:
        """The name of the fleet: its id, or its component where no other fleet has the same, or its path."""
        return self.plan.id or (
            self.path if "(" in (named := fleet_names(self.figures.design)[self.path]) else named
        )

    def given(self, name: str, field: str) -> Input:
        """Return a figure of the plan."""
        return _given(self.figures, name, f"{self.path}.{field}")

    def held(self, field: str) -> Any:
        """Return the value of a field of the plan."""
        return self.figures.held(f"{self.path}.{field}")

    def text(self, field: str) -> str | None:
        """Return the value of a field of the plan as text with its unit."""
        return self.figures.text(f"{self.path}.{field}")

    def decided(self, name: str, decision: Decision, show: Show) -> Input:
        """Return what the plan decides, or what is assumed for it."""
        if not decision.assumption:
            return _given(self.figures, name, decision.path)
        words = f"{show(decision.value)}, assumed"
        return Input(name, decision.value, words, ASSUMED, assumption=decision.assumption)

    def load(self, name: str) -> Input:
        """Return what reaches the replicas at the peak: as the plan says, or what the requirements bring."""
        path, load = self.figures.load_path(self.path), self.sizing.load_rps
        if load is None or self.figures.held(path) == load:
            return _given(self.figures, name, path)
        return Input(name, load, show_rate(load), self.figures.peak)

    def work(self, name: str) -> Input:
        """Return the time that one request takes of a replica: service time ÷ requests at once."""
        one, at_once = self.given(name, "service_time.mean"), self.plan.concurrency_per_replica
        if one.missing or at_once == 1 or self.sizing.seat_s is None:
            return one
        return Input(name, self.sizing.seat_s, f"{one.words} / {at_once}", one.target)

    def servers(self, lost: int, words: str) -> Input:
        """Return the replicas minus those that are lost."""
        one = self.given("servers", "replicas")
        return one if one.missing else Input(one.name, one.value - lost, words or one.words, one.target)

    def row(
        self,
        what: str,
        title: str,
        formula: Callable[..., float],
        inputs: Sequence[Input],
        show: Show = show_number,
    ) -> Row:
        """Return a row about this fleet."""
        suffix = f"-{self.path.rpartition('.')[2]}" if "." in self.path else ""
        alone = len(self.figures.design.fleets) == 1
        return Row(f"{what}{suffix}", title, formula, inputs, show, "" if alone else self.name)


def rows(figures: Figures) -> Iterator[Row]:
    """Yield each row that the design has inputs for."""
    fleets = [Fleet(figures, path) for path in figures.design.fleets]
    yield from chain.from_iterable(map(_traffic, figures.views))
    yield from chain.from_iterable(topic(fleet) for fleet in fleets for topic in OF_A_FLEET)
    yield from chain.from_iterable(map(_labels, figures.views))
    yield from _paths(figures)


def cells(row: Row) -> tuple[Md, Md, Md, Md]:
    """Write a row: its title, its formula, its inputs and its result, each linked."""
    inputs = (
        Md(f"{one.name} = {link(escape(one.words), one.target)}") for one in row.inputs if not one.missing
    )
    formula = link(code(row.formula.__name__), row.formula_target)
    what = f"{row.what} ({row.fleet})" if row.fleet else row.what
    return anchor(row.target, escape(what)), formula, joined(inputs), result_of(row, row.formula_target)


def result_of(row: Row, target: str) -> Md:
    """Write the result of a row, linked to an anchor, or the reason why there is none."""
    if row.missing:
        return undecided(*row.missing)
    result = row.result
    if isinstance(result, str):
        return escape(result)
    return link(f"**{escape(row.show(result))}**", target)


def _given(figures: Figures, name: str, path: str) -> Input:
    value = figures.held(path)
    if value is None:
        return Input(name, None, "", "", path)
    return Input(name, value, figures.text(path) or "", figures.origin(path))


def _fixed(name: str, value: float, words: str, formula: Callable[..., float]) -> Input:
    return Input(name, value, words, f"formula-{formula.__name__}")


def _scaled(one: Input, factor: float, words: str) -> Input:
    return one if one.missing else Input(one.name, one.value * factor, words, one.target)


# The topics


def _row_of(
    figures: Figures,
    what: str,
    title: str,
    formula: Callable[..., float],
    inputs: Sequence[Input],
    show: Show = show_number,
) -> Row:
    """Return a row about a design, or about one of its workloads."""
    of = figures.workload
    return Row(f"{what}-{of}" if of else what, title, formula, inputs, show, of)


def _traffic(figures: Figures) -> Iterator[Row]:
    needs = figures.design.requirements
    if needs and needs.availability:
        at = "requirements.availability"
        inputs = [
            _given(figures, "availability", f"{at}.target"),
            _given(figures, "window_s", f"{at}.window"),
        ]
        yield _row_of(
            figures, "error_budget", "Time that may fail", formulas.error_budget_s, inputs, show_seconds
        )
    if needs and needs.throughput and needs.throughput.scorings_per_request > 1:
        candidates = _given(figures, "candidates", "requirements.throughput.scorings_per_request")
        inputs = [_given(figures, "peak_rps", "requirements.throughput.peak"), candidates]
        yield _row_of(figures, "scorings", "Scorings at the peak, a second", formulas.scorings_per_s, inputs)


def _fleet(fleet: Fleet) -> Iterator[Row]:
    load, service = fleet.load("arrival_rps"), fleet.work("service_time_s")
    size = (
        fleet.load("peak_rps"),
        fleet.work("inference_time_s"),
        fleet.given("target_utilisation", "target_utilisation"),
    )
    full = fleet.given("service_time_s", "service_time.mean")
    yield fleet.row("busy", "Requests in service at the peak", formulas.offered_load_erlangs, [load, full])
    nothing = _fixed("headroom", 0, "0", formulas.replicas)
    need = fleet.row("need", "Replicas for the peak", formulas.replicas, [*size, nothing])
    yield need
    yield from _failures(fleet, size, need)
    inputs = [fleet.servers(0, ""), load, service]
    yield fleet.row("utilisation", "Utilisation at the peak", formulas.utilisation, inputs, show_share)
    if fleet.plan.headroom and "zone loss" in fleet.plan.headroom.pays_for:
        gone = fleet.sizing.largest_zone
        left = fleet.servers(gone, f"({fleet.text('replicas')} − {gone:,} in the zone)")
        what = "Utilisation with a zone lost"
        yield fleet.row("zone_lost", what, formulas.utilisation, [left, load, service], show_share)
    for figures in fleet.figures.views:
        if reaches(figures.design, fleet.plan):
            yield from _waits(fleet, full, figures)


def _failures(fleet: Fleet, size: tuple[Input, ...], need: Row) -> Iterator[Row]:
    """Yield the replicas that each failure needs which the headroom pays for."""
    headroom = fleet.plan.headroom
    share = fleet.decided("headroom", fleet.sizing.headroom, show_share)
    yield fleet.row("headroom", "Replicas with headroom", formulas.replicas, [*size, share])
    if headroom is None:
        return
    if headroom.surge is not None or "surge" in headroom.pays_for:
        surge = fleet.decided("headroom", fleet.sizing.surge, show_share)
        yield fleet.row("surge", "Replicas for a surge", formulas.replicas, [*size, surge])
    if "zone loss" in headroom.pays_for:
        zones = fleet.given("zones", "zones")
        inputs = [*size, zones, _fixed("zones_lost", 1, "1", formulas.replicas_per_zone)]
        yield fleet.row("zone", "Replicas in each zone, to lose one", formulas.replicas_per_zone, inputs)
    if headroom.unavailable_in_restart is not None or "rolling restart" in headroom.pays_for:
        gone = fleet.decided("unavailable", fleet.sizing.restart_share, show_share)
        inputs = [need.as_input("base"), gone]
        what = "Replicas for a rolling restart"
        yield fleet.row("restart", what, formulas.replicas_for_rolling_restart, inputs)


def _waits(fleet: Fleet, service: Input, of: Figures) -> Iterator[Row]:
    percentile = of.held("requirements.latency.percentile")
    if percentile not in PERCENTILES:
        return
    at_once, one = fleet.plan.concurrency_per_replica, fleet.given("servers", "replicas")
    servers = one if at_once == 1 else _scaled(one, at_once, f"{one.words} × {at_once}")
    origin = of.origin("requirements.latency")
    wanted = Input("percentile", PERCENTILES[percentile], percentile, origin)
    inputs = [servers, fleet.load("arrival_rps"), service, wanted]
    asked = f" of {of.workload}" if of.workload else ""
    what = f"{percentile} wait{asked} for a replica, in one queue, with exponential service"
    show: Show = lambda wait_s: show_seconds(wait_s) if wait_s else "no wait"  # noqa: E731
    yield fleet.row(
        f"wait-{of.workload}" if asked else "wait", what, formulas.wait_percentile_s, inputs, show
    )


def _autoscaler(fleet: Fleet) -> Iterator[Row]:
    if fleet.plan.autoscaler is None:
        return
    load, rise = fleet.load("arrival_rps"), fleet.given("rise", "autoscaler.fastest_rise")
    servers, service = fleet.given("capacity_rps", "replicas"), fleet.work("service_time_s")
    arrivals = next((one for one in (load, rise) if one.missing), None) or Input(
        load.name, load.value + rise.value, f"{load.words} + {rise.words}", load.target
    )
    divisor = f"({service.words})" if "/" in service.words else service.words
    capacity = next((one for one in (servers, service) if one.missing), None) or Input(
        servers.name, servers.value / service.value, f"{servers.words} / {divisor}", servers.target
    )
    inputs = [arrivals, capacity, fleet.given("duration_s", "autoscaler.delay")]
    yield fleet.row("backlog", "Requests queued until the autoscaler helps", formulas.surge_backlog, inputs)


def _cost(fleet: Fleet) -> Iterator[Row]:
    if fleet.plan.cost_per_replica_hour is None and fleet.plan.budget_per_month is None:
        return
    replicas, release = fleet.given("replicas", "replicas"), fleet.plan.release_replicas
    if release and not replicas.missing:
        words = f"{replicas.words} + {fleet.text('release_replicas')} for releases"
        replicas = Input(replicas.name, replicas.value + release, words, replicas.target)
    size = [replicas, fleet.given("price_per_hour", "cost_per_replica_hour")]
    paid_h, why = working_hours(fleet.figures.design, fleet.plan)
    hours = _fixed("hours", paid_h, f"{paid_h:.4g}{why}" if why else "30 × 24", formulas.fleet_cost)
    money = partial(show_money, currency=fleet.figures.design.currency)
    yield fleet.row("cost", "Cost of the fleet over 30 days", formulas.fleet_cost, [*size, hours], money)
    if why:
        part = f"{size[1].words} × {paid_h:.4g} / {HOURS_A_MONTH:g}"
        size[1] = _scaled(size[1], paid_h / HOURS_A_MONTH, part)
    mean = _mean_rps(fleet)
    if fleet.figures.design.views and mean.missing:
        return
    inputs = [*size, mean]
    what = "Cost of the fleet per 1,000 predictions"
    yield fleet.row("cost_per_1k", what, formulas.cost_per_thousand_predictions, inputs, money)


def _mean_rps(fleet: Fleet) -> Input:
    """Return the mean rate at a fleet: of several, each has its part of the mean as of the peak."""
    design = fleet.figures.design
    if design.views:
        all_rps = calls_per_s(design).get(fleet.plan.component or "")
        words = "" if all_rps is None else show_rate(all_rps)
        return Input(
            "mean_rps", all_rps, words, fleet.figures.peak, "" if all_rps else "requirements.workloads"
        )
    mean = _given(fleet.figures, "mean_rps", "requirements.throughput.mean")
    peak, load = peak_rps(fleet.figures.design), fleet.sizing.load_rps
    if mean.missing or len(fleet.figures.design.fleets) == 1 or not peak or load is None:
        return mean
    return _scaled(mean, load / peak, f"{mean.words} × {show_rate(load)} / {show_rate(peak)}")


def _labels(figures: Figures) -> Iterator[Row]:
    at = "requirements.labels"
    given = (
        ("items", "items"),
        ("labels_per_item", "labels_per_item"),
        ("price_per_label", "cost_per_label"),
    )
    if any(figures.held(f"{at}.{field}") is not None for _, field in given):
        inputs = [_given(figures, name, f"{at}.{field}") for name, field in given]
        what = "Cost of the labels of one training set"
        money = partial(show_money, currency=figures.design.currency)
        yield _row_of(figures, "labels", what, formulas.labelling_cost, inputs, money)


def _asking(figures: Figures, path: ServingPath) -> Figures:
    """Return the figures of the workload that takes a path; of several that of the highest peak."""
    taking = [one for one in figures.views if not path.workload or one.workload in path.workload]
    return max(taking, key=lambda one: one.held(PEAK) or 0.0, default=figures)


def _paths(figures: Figures) -> Iterator[Row]:
    """Yield the rows of each serving path: its cache, its answers computed in advance, its stream."""
    for path in figures.design.pattern.paths if figures.design.pattern else ():
        at = f"pattern.paths.{path.id}"
        if path.cache:
            hits = _given(figures, "hit_ratio", f"{at}.cache.hit_ratio")
            load, share = _given(_asking(figures, path), "request_rps", PEAK), path.share
            if share is not None:
                load = _scaled(load, share, f"{load.words} × {figures.text(f'{at}.share')}")
            what = f"Requests of {path.id} that the cache lets through, a second"
            yield Row(f"missed-{path.id}", what, formulas.backend_rps, [load, hits], show_rate)
            what = f"Load behind the cache of {path.id} when it is empty, times the usual"
            yield Row(f"cold-{path.id}", what, formulas.cold_cache_factor, [hits])
        if path.precompute and path.precompute.keys_read is not None:
            fields = {"computed": "keys", "read": "precompute.keys_read"}
            inputs = [_given(figures, name, f"{at}.{field}") for name, field in fields.items()]
            what = f"Answers of {path.id} computed in vain"
            yield Row(f"waste-{path.id}", what, formulas.precompute_waste, inputs, show_share)
        if path.stream and path.stream.largest_backlog is not None:
            fields = {"backlog": "largest_backlog", "arrival_rps": "events", "capacity_rps": "consumed"}
            inputs = [_given(figures, name, f"{at}.stream.{field}") for name, field in fields.items()]
            what = f"Time for {path.id} to catch up"
            yield Row(f"drain-{path.id}", what, formulas.drain_time_s, inputs, show_seconds)


def _generation(fleet: Fleet) -> Iterator[Row]:
    if fleet.plan.generation is None:
        return
    parameters = fleet.given("parameters", f"{_AT}.model.parameters")
    size = _bytes_per_value(fleet, "bytes_per_parameter", "precision")
    what = "Size of the weights"
    weights = fleet.row("weights", what, formulas.model_weights_bytes, [parameters, size], show_bytes)
    yield weights
    own = f"{_AT}.model.kv_bytes_per_token"
    per_token: Callable[[str], Input] = lambda name: fleet.given(name, own)  # noqa: E731
    if fleet.held(own) is None:
        shape = [fleet.given(name, f"{_AT}.model.{name}") for name in ("layers", "kv_heads", "head_dim")]
        key = "kv_precision" if fleet.held(f"{_AT}.kv_precision") else "precision"
        shape.append(_bytes_per_value(fleet, "bytes_per_value", key))
        row = fleet.row(
            "kv_token", "KV cache of a token", formulas.kv_cache_bytes_per_token, shape, show_bytes
        )
        yield row
        per_token = row.as_input
    yield from _memory(fleet, weights, per_token("bytes_per_token"))
    yield from _speed(fleet, weights, per_token("kv_bytes_per_token"))


def _memory(fleet: Fleet, weights: Row, per_token: Input) -> Iterator[Row]:
    inputs = [
        _of_all(fleet, "memory_bytes", f"{_AT}.accelerator.memory"),
        weights.as_input("weights_bytes"),
        per_token,
        fleet.given("usable", f"{_AT}.usable_memory"),
    ]
    yield fleet.row("kv_tokens", "Tokens whose KV cache fits in a replica", formulas.kv_cache_tokens, inputs)
    longest = fleet.given("tokens_per_sequence", f"{_AT}.context_tokens")
    what = "Longest sequences that fit in a replica at once"
    yield fleet.row("sequences", what, formulas.concurrent_sequences, [*inputs, longest])


def _speed(fleet: Fleet, weights: Row, per_token: Input) -> Iterator[Row]:
    prompt = fleet.given("prompt_tokens", f"{_AT}.prompt_tokens")
    cached, per_pass = fleet.held(f"{_AT}.prefix_cache"), fleet.held(f"{_AT}.tokens_per_pass")
    if fleet.held(f"{_AT}.accelerator.bandwidth") is not None:
        bandwidth = _of_all(fleet, "bandwidth_bytes_per_s", f"{_AT}.accelerator.bandwidth")
        if per_pass:
            words = f"{bandwidth.words} × {fleet.text(f'{_AT}.tokens_per_pass')} tokens a pass"
            bandwidth = _scaled(bandwidth, max(per_pass, 1.0), words)
        half = (fleet.held(f"{_AT}.output_tokens") or 0) / 2
        words = f"{prompt.words} + {fleet.text(f'{_AT}.output_tokens')} / 2"
        inputs = [
            bandwidth,
            weights.as_input("weights_bytes"),
            fleet.decided("batch_size", fleet.sizing.sequences, show_number),
            per_token,
            Input("context_tokens", prompt.value + half, words, prompt.target),
        ]
        yield fleet.row("step", "Least time between two tokens", formulas.decode_step_s, inputs, show_seconds)
    if fleet.held(f"{_AT}.accelerator.compute") is not None:
        own = "active_parameters" if fleet.held(f"{_AT}.model.active_parameters") else "parameters"
        used = show_share(FLOPS_UTILISATION)
        if cached:
            words = f"{prompt.words} × (1 − {fleet.text(f'{_AT}.prefix_cache')} from the prefix cache)"
            prompt = _scaled(prompt, 1 - cached, words)
        inputs = [
            fleet.given("parameters", f"{_AT}.model.{own}"),
            prompt,
            _of_all(fleet, "flops_per_s", f"{_AT}.accelerator.compute"),
            _fixed("flops_utilisation", FLOPS_UTILISATION, used, formulas.time_to_first_token_s),
        ]
        what = "Time until the first token, without a queue"
        yield fleet.row("first_token", what, formulas.time_to_first_token_s, inputs, show_seconds)


def _bytes_per_value(fleet: Fleet, name: str, precision: str) -> Input:
    one = fleet.given(name, f"{_AT}.{precision}")
    size = BYTES_PER_VALUE[one.value]
    return Input(name, size, f"{size:g} of {one.words}", one.target)


def _of_all(fleet: Fleet, name: str, path: str) -> Input:
    """Return a figure of one accelerator times those of a replica."""
    one, number = fleet.given(name, path), fleet.held(f"{_AT}.accelerators_per_replica")
    return one if number == 1 else _scaled(one, number, f"{number} × {one.words}")


_AT = "generation"
OF_A_FLEET = (_fleet, _autoscaler, _cost, _generation)
