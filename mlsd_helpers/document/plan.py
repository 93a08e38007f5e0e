"""The capacity plan, row by row: a formula, its inputs with where each comes from, and its result."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.analysis.sizing import FLOPS_UTILISATION, HOURS_A_MONTH, PERCENTILES, Decision
from mlsd_helpers.design import BYTES_PER_VALUE
from mlsd_helpers.document.markdown import Md, anchor, code, escape, joined, link
from mlsd_helpers.document.provenance import ASSUMED, Figures, undecided
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import show_bytes, show_dollars, show_number, show_rate, show_seconds, show_share

Show = Callable[[float], str]


@dataclass(frozen=True)
class Input:
    """An input of a formula: its name there, its value, how it is written, and the place that it comes from."""

    name: str
    value: Any
    words: str
    target: str
    missing: str = ""
    """The path at which the design would hold it, when it does not."""
    assumption: str = ""
    """What is assumed for it, when the design does not decide it."""


@dataclass(frozen=True)
class Row:
    """One result of the plan: what it is, its formula, the formula's inputs, and how the result is written."""

    id: str
    what: str
    formula: Callable[..., float]
    inputs: Sequence[Input]
    show: Show = show_number

    @property
    def target(self) -> str:
        """The place of this row."""
        return f"plan-{self.id}"

    @property
    def formula_target(self) -> str:
        """The place where the formula is described."""
        return f"formula-{self.formula.__name__}"

    @property
    def missing(self) -> tuple[str, ...]:
        """The paths of the inputs that the design does not hold."""
        return tuple(dict.fromkeys(one.missing for one in self.inputs if one.missing))

    @property
    def result(self) -> float | str:
        """The result; where the formula refuses its inputs, the reason."""
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


def rows(figures: Figures) -> Iterator[Row]:
    """Yield each row that the design calls for."""
    return chain.from_iterable(topic(figures) for topic in TOPICS)


def cells(row: Row) -> tuple[Md, Md, Md, Md]:
    """Write a row: what it is, its formula, its inputs and its result, each linked."""
    inputs = (
        Md(f"{one.name} = {link(escape(one.words), one.target)}") for one in row.inputs if not one.missing
    )
    formula = link(code(row.formula.__name__), row.formula_target)
    return anchor(row.target, escape(row.what)), formula, joined(inputs), _result(row)


def _result(row: Row) -> Md:
    if row.missing:
        return undecided(*row.missing)
    result = row.result
    if isinstance(result, str):
        return escape(result)
    return link(f"**{escape(row.show(result))}**", row.formula_target)


def _given(figures: Figures, name: str, path: str) -> Input:
    value = figures.held(path)
    if value is None:
        return Input(name, None, "", "", path)
    return Input(name, value, figures.text(path) or "", figures.origin(path))


def _decided(figures: Figures, name: str, decision: Decision, show: Show) -> Input:
    if not decision.assumption:
        return _given(figures, name, decision.path)
    words = f"{show(decision.value)}, assumed"
    return Input(name, decision.value, words, ASSUMED, assumption=decision.assumption)


def _fixed(name: str, value: float, words: str, formula: Callable[..., float]) -> Input:
    return Input(name, value, words, f"formula-{formula.__name__}")


def _scaled(one: Input, factor: float, words: str) -> Input:
    return one if one.missing else Input(one.name, one.value * factor, words, one.target)


def _load(figures: Figures, name: str) -> Input:
    return _given(figures, name, figures.sizing.load_path)


def _work(figures: Figures, name: str) -> Input:
    """Return the time that a replica is taken by one request, when it works on several at a time."""
    one = _given(figures, name, "capacity.service_time.mean")
    at_once = figures.sizing.plan.concurrency_per_replica
    if one.missing or at_once == 1:
        return one
    return Input(name, figures.sizing.seat_s, f"{one.words} / {at_once}", one.target)


def _servers(figures: Figures, lost: int, words: str) -> Input:
    one = _given(figures, "servers", "capacity.replicas")
    return one if one.missing else Input(one.name, one.value - lost, words or one.words, one.target)


# The topics, in the order of the document


def _traffic(figures: Figures) -> Iterator[Row]:
    needs = figures.design.requirements
    if needs and needs.availability:
        at = "requirements.availability"
        inputs = [
            _given(figures, "availability", f"{at}.target"),
            _given(figures, "window_s", f"{at}.window"),
        ]
        yield Row("error_budget", "Time that may fail", formulas.error_budget_s, inputs, show_seconds)
    if needs and needs.throughput and needs.throughput.scorings_per_request > 1:
        candidates = _given(figures, "candidates", "requirements.throughput.scorings_per_request")
        inputs = [_given(figures, "peak_rps", "requirements.throughput.peak"), candidates]
        yield Row("scorings", "Scorings at the peak, a second", formulas.scorings_per_s, inputs)


def _fleet(figures: Figures) -> Iterator[Row]:
    if figures.design.capacity is None:
        return
    load, service = _load(figures, "arrival_rps"), _work(figures, "service_time_s")
    size = (
        _load(figures, "peak_rps"),
        _work(figures, "inference_time_s"),
        _given(figures, "target_utilisation", "capacity.target_utilisation"),
    )
    full = _given(figures, "service_time_s", "capacity.service_time.mean")
    yield Row("busy", "Requests in service at the peak", formulas.offered_load_erlangs, [load, full])
    need = Row(
        "need",
        "Replicas for the peak",
        formulas.replicas,
        [*size, _fixed("headroom", 0, "0", formulas.replicas)],
    )
    yield need
    yield from _failures(figures, size, need)
    servers = _servers(figures, 0, "")
    yield Row(
        "utilisation", "Utilisation at the peak", formulas.utilisation, [servers, load, service], show_share
    )
    yield from _zone_lost(figures, load, service)
    yield from _waits(figures, full)


def _failures(figures: Figures, size: tuple[Input, ...], need: Row) -> Iterator[Row]:
    """Yield what each failure asks for that the headroom is to pay for."""
    plan = figures.design.capacity
    headroom = plan.headroom if plan else None
    share = _decided(figures, "headroom", figures.sizing.headroom, show_share)
    yield Row("headroom", "Replicas with headroom", formulas.replicas, [*size, share])
    if headroom is None:
        return
    if headroom.surge is not None or "surge" in headroom.pays_for:
        surge = _decided(figures, "headroom", figures.sizing.surge, show_share)
        yield Row("surge", "Replicas for a surge", formulas.replicas, [*size, surge])
    if "zone loss" in headroom.pays_for:
        zones = _given(figures, "zones", "capacity.zones")
        inputs = [*size, zones, _fixed("zones_lost", 1, "1", formulas.replicas_per_zone)]
        yield Row("zone", "Replicas in each zone, to lose one", formulas.replicas_per_zone, inputs)
    if headroom.unavailable_in_restart is not None or "rolling restart" in headroom.pays_for:
        gone = _decided(figures, "unavailable", figures.sizing.restart_share, show_share)
        inputs = [need.as_input("base"), gone]
        yield Row("restart", "Replicas for a rolling restart", formulas.replicas_for_rolling_restart, inputs)


def _zone_lost(figures: Figures, load: Input, service: Input) -> Iterator[Row]:
    plan = figures.design.capacity
    if plan and plan.headroom and "zone loss" in plan.headroom.pays_for:
        gone = figures.sizing.largest_zone
        servers = _servers(figures, gone, f"({figures.text('capacity.replicas')} − {gone:,} in the zone)")
        inputs = [servers, load, service]
        yield Row("zone_lost", "Utilisation with a zone lost", formulas.utilisation, inputs, show_share)


def _waits(figures: Figures, service: Input) -> Iterator[Row]:
    percentile = figures.held("requirements.latency.percentile")
    if percentile not in PERCENTILES:
        return
    at_once = figures.sizing.plan.concurrency_per_replica
    one = _given(figures, "servers", "capacity.replicas")
    servers = one if at_once == 1 else _scaled(one, at_once, f"{one.words} × {at_once}")
    wanted = Input("percentile", PERCENTILES[percentile], percentile, figures.origin("requirements.latency"))
    inputs = [servers, _load(figures, "arrival_rps"), service, wanted]
    what = f"{percentile} wait for a replica, in one queue, with exponential service"
    yield Row("wait", what, formulas.wait_percentile_s, inputs, show_seconds)


def _autoscaler(figures: Figures) -> Iterator[Row]:
    plan = figures.design.capacity
    if plan is None or plan.autoscaler is None:
        return
    load, rise = _load(figures, "arrival_rps"), _given(figures, "rise", "capacity.autoscaler.fastest_rise")
    servers, service = _given(figures, "capacity_rps", "capacity.replicas"), _work(figures, "service_time_s")
    arrivals = next((one for one in (load, rise) if one.missing), None) or Input(
        load.name, load.value + rise.value, f"{load.words} + {rise.words}", load.target
    )
    capacity = next((one for one in (servers, service) if one.missing), None) or Input(
        servers.name,
        servers.value / service.value,
        f"{servers.words} / {_within(service.words)}",
        servers.target,
    )
    inputs = [arrivals, capacity, _given(figures, "duration_s", "capacity.autoscaler.delay")]
    yield Row("backlog", "Requests queued until the autoscaler helps", formulas.surge_backlog, inputs)


def _within(words: str) -> str:
    return f"({words})" if "/" in words else words


def _cost(figures: Figures) -> Iterator[Row]:
    plan = figures.design.capacity
    if plan is None or (plan.cost_per_replica_hour is None and plan.budget_per_month is None):
        return
    fleet = [
        _given(figures, "replicas", "capacity.replicas"),
        _given(figures, "price_per_hour", "capacity.cost_per_replica_hour"),
    ]
    hours = _fixed("hours", HOURS_A_MONTH, "30 × 24", formulas.fleet_cost)
    yield Row("cost", "Cost of the fleet over 30 days", formulas.fleet_cost, [*fleet, hours], show_dollars)
    inputs = [*fleet, _given(figures, "mean_rps", "requirements.throughput.mean")]
    what = "Cost per 1,000 predictions"
    yield Row("cost_per_1k", what, formulas.cost_per_thousand_predictions, inputs, show_dollars)


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
        yield Row("labels", what, formulas.labelling_cost, inputs, show_dollars)


def _caches(figures: Figures) -> Iterator[Row]:
    for path in figures.design.pattern.paths if figures.design.pattern else ():
        if path.cache is None:
            continue
        at = f"pattern.paths.{path.id}"
        hits = _given(figures, "hit_ratio", f"{at}.cache.hit_ratio")
        load, share = _given(figures, "request_rps", "requirements.throughput.peak"), path.share
        if share is not None:
            load = _scaled(load, share, f"{load.words} × {figures.text(f'{at}.share')}")
        what = f"Requests of {path.id} that the cache lets through, a second"
        yield Row(f"missed-{path.id}", what, formulas.backend_rps, [load, hits], show_rate)
        what = f"Load behind the cache of {path.id} when it is empty, times the usual"
        yield Row(f"cold-{path.id}", what, formulas.cold_cache_factor, [hits])


def _precomputed(figures: Figures) -> Iterator[Row]:
    for path in figures.design.pattern.paths if figures.design.pattern else ():
        at = f"pattern.paths.{path.id}"
        if path.precompute and path.precompute.keys_read is not None:
            inputs = [
                _given(figures, "computed", f"{at}.keys"),
                _given(figures, "read", f"{at}.precompute.keys_read"),
            ]
            what = f"Answers of {path.id} computed in vain"
            yield Row(f"waste-{path.id}", what, formulas.precompute_waste, inputs, show_share)


def _streams(figures: Figures) -> Iterator[Row]:
    for path in figures.design.pattern.paths if figures.design.pattern else ():
        at = f"pattern.paths.{path.id}.stream"
        if path.stream and path.stream.largest_backlog is not None:
            inputs = [
                _given(figures, "backlog", f"{at}.largest_backlog"),
                _given(figures, "arrival_rps", f"{at}.events"),
                _given(figures, "capacity_rps", f"{at}.consumed"),
            ]
            what = f"Time for {path.id} to catch up"
            yield Row(f"drain-{path.id}", what, formulas.drain_time_s, inputs, show_seconds)


_AT = "capacity.generation"


def _generation(figures: Figures) -> Iterator[Row]:
    if figures.design.capacity is None or figures.design.capacity.generation is None:
        return
    parameters = _given(figures, "parameters", f"{_AT}.model.parameters")
    size = _bytes_per_value(figures, "bytes_per_parameter", "precision")
    weights = Row(
        "weights", "Size of the weights", formulas.model_weights_bytes, [parameters, size], show_bytes
    )
    shape = [_given(figures, name, f"{_AT}.model.{name}") for name in ("layers", "kv_heads", "head_dim")]
    own = figures.held(f"{_AT}.kv_precision") is not None
    shape.append(_bytes_per_value(figures, "bytes_per_value", "kv_precision" if own else "precision"))
    token = Row("kv_token", "KV cache of a token", formulas.kv_cache_bytes_per_token, shape, show_bytes)
    yield from (weights, token)
    yield from _memory(figures, weights, token)
    yield from _speed(figures, weights, token)


def _memory(figures: Figures, weights: Row, token: Row) -> Iterator[Row]:
    inputs = [
        _of_all(figures, "memory_bytes", f"{_AT}.accelerator.memory"),
        weights.as_input("weights_bytes"),
        token.as_input("bytes_per_token"),
        _given(figures, "usable", f"{_AT}.usable_memory"),
    ]
    yield Row("kv_tokens", "Tokens whose KV cache fits in a replica", formulas.kv_cache_tokens, inputs)
    longest = _given(figures, "tokens_per_sequence", f"{_AT}.context_tokens")
    what = "Longest sequences that fit in a replica at once"
    yield Row("sequences", what, formulas.concurrent_sequences, [*inputs, longest])


def _speed(figures: Figures, weights: Row, token: Row) -> Iterator[Row]:
    prompt = _given(figures, "prompt_tokens", f"{_AT}.prompt_tokens")
    if figures.held(f"{_AT}.accelerator.bandwidth") is not None:
        half = (figures.held(f"{_AT}.output_tokens") or 0) / 2
        words = f"{prompt.words} + {figures.text(f'{_AT}.output_tokens')} / 2"
        inputs = [
            _of_all(figures, "bandwidth_bytes_per_s", f"{_AT}.accelerator.bandwidth"),
            weights.as_input("weights_bytes"),
            _decided(figures, "batch_size", figures.sizing.sequences, show_number),
            token.as_input("kv_bytes_per_token"),
            Input("context_tokens", prompt.value + half, words, prompt.target),
        ]
        yield Row("step", "Least time between two tokens", formulas.decode_step_s, inputs, show_seconds)
    if figures.held(f"{_AT}.accelerator.compute") is not None:
        inputs = [
            _given(figures, "parameters", f"{_AT}.model.parameters"),
            prompt,
            _of_all(figures, "flops_per_s", f"{_AT}.accelerator.compute"),
            _fixed(
                "flops_utilisation",
                FLOPS_UTILISATION,
                show_share(FLOPS_UTILISATION),
                formulas.time_to_first_token_s,
            ),
        ]
        what = "Time until the first token, without a queue"
        yield Row("first_token", what, formulas.time_to_first_token_s, inputs, show_seconds)


def _bytes_per_value(figures: Figures, name: str, precision: str) -> Input:
    one = _given(figures, name, f"{_AT}.{precision}")
    size = BYTES_PER_VALUE[one.value]
    return Input(name, size, f"{size:g} of {one.words}", one.target)


def _of_all(figures: Figures, name: str, path: str) -> Input:
    """Return a figure of one accelerator times those of a replica."""
    one, number = _given(figures, name, path), figures.held(f"{_AT}.accelerators_per_replica")
    return one if number == 1 else _scaled(one, number, f"{number} × {one.words}")


TOPICS = (
    _traffic,
    _fleet,
    _autoscaler,
    _cost,
    _labels,
    _caches,
    _precomputed,
    _streams,
    _generation,
)
