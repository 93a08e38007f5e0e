"""Exercise 6: audit published capacity claims."""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from mlsd_helpers import formulas
from mlsd_helpers.exercises.kit import Answer, Case, Exercise, Given, Step, Stratum, is_number

_CLOSE = 0.10


def _limits(claim: Mapping[str, Any]) -> float:
    """Recompute what a claim is about: a size, a count, or the best that the hardware can do."""
    match claim["kind"]:
        case "kv_cache":
            values = claim["layers"] * claim["kv_heads"] * claim["head_dim"]
            return float(2 * values * claim["bytes_per_value"])
        case "memory":
            return float(
                claim["weights_bytes"] + claim["sequences"] * claim["context"] * claim["kv_bytes_per_token"]
            )
        case "decode":
            return float(claim["bandwidth_bytes_per_s"] / claim["weights_bytes"])
        case "prefill":
            return float(2.0 * claim["parameters"] * claim["prompt_tokens"] / claim["dense_flops"])
        case "batch":
            return float(claim["batch_time_s"])
        case _:
            return float(claim["attempts"] ** claim["layers"])


def _holds(claim: Mapping[str, Any], limit: float) -> bool:
    """Tell whether a claim can be true: a rate may not be above its limit, a time not below it."""
    claimed = claim["claimed"]
    if claim["kind"] == "decode":
        return bool(claimed <= limit)
    if claim["kind"] in {"prefill", "batch"}:
        return bool(claimed >= limit)
    return bool(abs(claimed - limit) <= _CLOSE * limit)


def audit(claim: Mapping[str, Any]) -> Answer:
    """Recompute a claim, and say whether it can hold."""
    limit = _limits(claim)
    return {"limit": limit, "holds": _holds(claim, limit)}


_BY_KIND: dict[str, Callable[[Any], float]] = {
    "kv_cache": lambda c: formulas.kv_cache_bytes_per_token(
        c["layers"], c["kv_heads"], c["head_dim"], c["bytes_per_value"]
    ),
    "memory": lambda c: float(c["weights_bytes"] + c["sequences"] * c["context"] * c["kv_bytes_per_token"]),
    "decode": lambda c: float(1 / (c["weights_bytes"] / c["bandwidth_bytes_per_s"])),
    "prefill": lambda c: float(c["parameters"] * 2 * c["prompt_tokens"] / c["dense_flops"]),
    "batch": lambda c: float(c["batch_time_s"]),
    "retries": lambda c: float(math.prod([c["attempts"]] * c["layers"])),
}


def audit_by_table(claim: Mapping[str, Any]) -> Answer:
    """Do the same with one function a kind."""
    limit = _BY_KIND[claim["kind"]](claim)
    ratio = claim["claimed"] / limit
    verdicts = {"decode": ratio <= 1, "prefill": ratio >= 1, "batch": ratio >= 1}
    return {"limit": limit, "holds": verdicts.get(claim["kind"], 0.9 <= ratio <= 1.1)}


class AuditRecord:
    """An answer that is an object instead of a dict."""

    def __init__(self, limit: float, holds: bool) -> None:
        self.limit = limit
        self.holds = holds


def audit_as_record(claim: Mapping[str, Any]) -> AuditRecord:
    """Do the same, and answer with an object."""
    return AuditRecord(**audit(claim))


def _audited_with(claim: Mapping[str, Any], kind: str, limit: float) -> Answer:
    if claim["kind"] != kind:
        return audit(claim)
    return {"limit": limit, "holds": _holds(claim, limit)}


def counted_query_heads(claim: Mapping[str, Any]) -> Answer:
    """You counted every query head. With grouped-query attention several query heads share one key and one
    value head, and only those are kept: use `kv_heads`.
    """
    if claim["kind"] != "kv_cache":
        return audit(claim)
    heads = claim["query_heads"]
    return _audited_with(
        claim, "kv_cache", 2.0 * claim["layers"] * heads * claim["head_dim"] * claim["bytes_per_value"]
    )


def kept_keys_only(claim: Mapping[str, Any]) -> Answer:
    """You kept one tensor. The cache holds a key *and* a value for each token, layer and head: twice that."""
    return _audited_with(claim, "kv_cache", _limits(claim) / 2)


def memory_is_the_weights(claim: Mapping[str, Any]) -> Answer:
    """You counted the weights alone. Each token of each running sequence keeps its keys and values in the
    same memory: concurrency is a memory budget.
    """
    return _audited_with(claim, "memory", float(claim.get("weights_bytes", 0)))  # C60


def forgot_the_weights(claim: Mapping[str, Any]) -> Answer:
    """You counted the cache alone. The weights are in the same memory, and they come first."""
    if claim["kind"] != "memory":
        return audit(claim)
    return _audited_with(claim, "memory", _limits(claim) - claim["weights_bytes"])


def one_sequence_at_a_time(claim: Mapping[str, Any]) -> Answer:
    """You kept the cache of one sequence. Every sequence that runs at the same time has a cache of its
    own.
    """
    if claim["kind"] != "memory":
        return audit(claim)
    return _audited_with(
        claim, "memory", float(claim["weights_bytes"] + claim["context"] * claim["kv_bytes_per_token"])
    )


def believed_the_sparse_figure(claim: Mapping[str, Any]) -> Answer:
    """You used the datasheet's figure for sparse matrices. Its footnote says that half of the entries have
    to be zero. Dense weights get half of it.
    """
    if claim["kind"] != "prefill":
        return audit(claim)
    return _audited_with(
        claim, "prefill", _limits(claim) * claim["dense_flops"] / claim["sparse_flops"]
    )  # C61


def batch_time_per_item(claim: Mapping[str, Any]) -> Answer:
    """You divided the batch's time by its size. That is the cost of a request, not its latency: each one
    of the batch waits until the whole batch is done.
    """
    if claim["kind"] != "batch":
        return audit(claim)
    return _audited_with(claim, "batch", claim["batch_time_s"] / claim["batch_size"])  # C56


def added_the_retries(claim: Mapping[str, Any]) -> Answer:
    """You added the attempts of the layers. Each attempt of one layer makes the next layer start all of
    its own: they multiply. Retry at one layer.
    """
    if claim["kind"] != "retries":
        return audit(claim)
    return _audited_with(claim, "retries", float(claim["attempts"] * claim["layers"]))  # C58


def read_the_limit_backwards(claim: Mapping[str, Any]) -> Answer:
    """Your limit is right and your verdict is the wrong way round: a rate can be at most its
    limit, a time at least the limit.
    """
    answer = audit(claim)
    backwards = claim["kind"] in {"decode", "prefill", "batch"}
    return {**answer, "holds": not answer["holds"]} if backwards else answer


_GB, _T = 1e9, 1e12


def _draw_claim(rng: random.Random) -> Case:
    kind = rng.choice(["kv_cache", "memory", "decode", "prefill", "batch", "retries"])
    claim = {"kind": kind, **_DRAWS[kind](rng)}
    limit = _limits(claim)
    claim["claimed"] = limit * rng.choice(_CLAIMED_AT[kind])
    return {"claim": claim}


def _draw_kv_cache(rng: random.Random) -> dict[str, Any]:
    kv_heads = rng.choice([4, 8, 16])
    return {
        "layers": rng.choice([24, 28, 32, 40, 48, 64, 80]),
        "query_heads": kv_heads * rng.choice([2, 4, 8]),
        "kv_heads": kv_heads,
        "head_dim": rng.choice([64, 128]),
        "bytes_per_value": rng.choice([1, 2]),
    }


def _draw_own_heads(rng: random.Random) -> Case:
    """Draw a cache in which no query heads share a KV head."""
    claim = {"kind": "kv_cache", **_draw_kv_cache(rng)}
    claim["query_heads"] = claim["kv_heads"]
    return {"claim": {**claim, "claimed": _limits(claim) * rng.choice(_CLAIMED_AT["kv_cache"])}}


_DRAWS: dict[str, Any] = {
    "kv_cache": _draw_kv_cache,
    "memory": lambda rng: {
        "weights_bytes": rng.choice([14, 16, 26, 70]) * _GB,
        "sequences": rng.choice([8, 16, 32, 64]),
        "context": rng.choice([2048, 4096, 8192]),
        "kv_bytes_per_token": rng.choice([131_072, 196_608, 327_680]),
    },
    "decode": lambda rng: {
        "weights_bytes": rng.choice([7, 13, 16, 26, 70]) * _GB,
        "bandwidth_bytes_per_s": rng.choice([1.0, 2.0, 3.35, 4.8]) * _T,
    },
    "prefill": lambda rng: {
        "parameters": rng.choice([3, 7, 8, 13, 70]) * _GB,
        "prompt_tokens": rng.choice([512, 1024, 2048, 4096]),
        "dense_flops": (dense := rng.choice([312, 989]) * _T),
        "sparse_flops": 2 * dense,
    },
    "batch": lambda rng: {
        "batch_size": rng.choice([8, 16, 32, 64]),
        "batch_time_s": rng.randrange(8, 80) / 1000,
    },
    "retries": lambda rng: {"layers": rng.choice([3, 4, 5]), "attempts": rng.choice([2, 3, 4])},
}
_CLAIMED_AT: dict[str, list[float]] = {
    "kv_cache": [1.0, 0.5, 0.2, 2.0],
    "memory": [1.0, 0.5, 0.3],
    "decode": [0.6, 0.9, 1.15, 1.4],
    "prefill": [0.55, 0.75, 1.3, 2.0],
    "batch": [0.05, 0.3, 1.2, 1.6],
    "retries": [1.0, 0.2, 0.4],
}


def _claimed_at(kind: str, share: float) -> Callable[[random.Random], Case]:
    """Return a draw of claims of a kind that are such a share of their limit."""

    def draw(rng: random.Random) -> Case:
        claim = {"kind": kind, **_DRAWS[kind](rng)}
        return {"claim": {**claim, "claimed": _limits(claim) * share}}

    return draw


def _stratum(says: str, kind: str, share: float) -> Stratum:
    def holds(case: Case) -> bool:
        claim = case["claim"]
        return bool(claim["kind"] == kind and math.isclose(claim["claimed"], share * _limits(claim)))

    return Stratum(says, holds, _claimed_at(kind, share))


def _claim_step(kind: str) -> Step:
    def right(case: Case, value: Any, _: Given) -> bool:
        claim = case["claim"]
        limit, holds = (_field(value, name) for name in ("limit", "holds"))
        close = is_number(limit) and math.isclose(float(limit), _limits(claim), rel_tol=0.01)
        return close and holds is not None and bool(holds) == _holds(claim, _limits(claim))

    return Step(
        kind, 1, right, applies=lambda case: case["claim"]["kind"] == kind, part="", explain=_explain_claim
    )


def _explain_claim(case: Case, value: Any) -> str:
    limit, holds = (_field(value, name) for name in ("limit", "holds"))
    if not is_number(limit) or str(holds) not in {"True", "False"} or isinstance(holds, str):
        return "Expected a dict with `limit`, a number, and `holds`, True or False."
    if math.isclose(float(limit), _limits(case["claim"]), rel_tol=0.01):
        return "Your `limit` is right. Look at `holds`: is this a size, a rate or a time?"
    side = "large" if float(limit) > _limits(case["claim"]) else "small"
    return f"Your `limit` is too {side}. Here it is {_LIMIT_IS[case['claim']['kind']]}."


_LIMIT_IS = {
    "kv_cache": "the bytes that all layers together keep for one token",
    "memory": "the bytes that the weights and all running sequences take together",
    "decode": "the tokens that one sequence can get in a second: each takes one reading of the weights",
    "prefill": "the seconds that two operations for each parameter and token take at the least",
    "batch": "the seconds that one request of the batch waits at the least",
    "retries": "the calls that reach the lowest layer, each layer repeating all that the layer below it does",
}


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


EXERCISE = Exercise(
    id="05-audit",
    assignment="05_capacity",
    title="Audit what was published",
    kind="audit",
    outcome="Recompute a published capacity claim, and say whether it can hold.",
    minutes=22,
    steps=tuple(map(_claim_step, ("kv_cache", "memory", "decode", "prefill", "batch", "retries"))),
    cases=(
        {"claim": {"kind": "kv_cache", "layers": 80, "query_heads": 64, "kv_heads": 8, "head_dim": 128,
                   "bytes_per_value": 2, "claimed": 65_000}},
        {"claim": {"kind": "kv_cache", "layers": 32, "query_heads": 32, "kv_heads": 8, "head_dim": 128,
                   "bytes_per_value": 2, "claimed": 131_072}},
        {"claim": {"kind": "memory", "weights_bytes": 16 * _GB, "sequences": 64, "context": 4096,
                   "kv_bytes_per_token": 131_072, "claimed": 16 * _GB}},
        {"claim": {"kind": "memory", "weights_bytes": 26 * _GB, "sequences": 8, "context": 2048,
                   "kv_bytes_per_token": 819_200, "claimed": 39.4 * _GB}},
        {"claim": {"kind": "decode", "weights_bytes": 16.06 * _GB, "bandwidth_bytes_per_s": 3.35 * _T,
                   "claimed": 240}},
        {"claim": {"kind": "decode", "weights_bytes": 14 * _GB, "bandwidth_bytes_per_s": 2.0 * _T,
                   "claimed": 110}},
        {"claim": {"kind": "prefill", "parameters": 8 * _GB, "prompt_tokens": 2048, "dense_flops": 989 * _T,
                   "sparse_flops": 1979 * _T, "claimed": 0.020}},
        {"claim": {"kind": "prefill", "parameters": 70 * _GB, "prompt_tokens": 1024, "dense_flops": 312 * _T,
                   "sparse_flops": 624 * _T, "claimed": 0.9}},
        {"claim": {"kind": "batch", "batch_size": 32, "batch_time_s": 0.024, "claimed": 0.00075}},
        {"claim": {"kind": "batch", "batch_size": 16, "batch_time_s": 0.020, "claimed": 0.031}},
        {"claim": {"kind": "retries", "layers": 5, "attempts": 3, "claimed": 15}},
        {"claim": {"kind": "retries", "layers": 3, "attempts": 4, "claimed": 64}},
    ),
    reference=audit,
    alternatives=(audit_by_table, audit_as_record),
    mistakes=(
        counted_query_heads,
        kept_keys_only,
        memory_is_the_weights,
        forgot_the_weights,
        one_sequence_at_a_time,
        believed_the_sparse_figure,
        batch_time_per_item,
        added_the_retries,
        read_the_limit_backwards,
    ),
    hints=(
        (
            "Look at the unit of `claimed` for each kind: bytes, tokens per second, seconds, a count. Your "
            "`limit` has the same."
        ),
        (
            "Start with one kind and run the check: each kind scores by itself. For a rate ask what is the "
            "most that can be; for a time, the least."
        ),
        (
            "A neighbour: 10 GB of weights, read once for each token at 2 TB/s: at most 200 tokens/s for one "
            "sequence. A page that says 350 cannot be right; one that says 150 can."
        ),
    ),
    draw=_draw_claim,
    strata=(
        *(
            _stratum("it holds when it is within 10 % of yours", kind, share)
            for kind in ("kv_cache", "memory", "retries")
            for share in (0.85, 0.95, 1.05, 1.15)
        ),
        *(_stratum("A rate cannot be above its limit", "decode", share) for share in (0.97, 1.03)),
        *(
            _stratum("a time cannot be below it", kind, share)
            for kind in ("prefill", "batch")
            for share in (0.97, 1.03)
        ),
        Stratum(
            "Several query heads may share one KV head",
            lambda c: c["claim"].get("query_heads", 0) == c["claim"].get("kv_heads", 1),
            _draw_own_heads,
        ),
    ),
    general=(
        "Capacity figures get copied",
        "Some cannot be true",
        "`audit` takes a claim",
        "Return a dict",
        "`limit`",
        "`holds`",
        "A language model keeps",
        "This is the key-value (KV) cache",
        "It stands in memory",
        "*Decoding* makes one token",
        "Data sheets also give",
        "| kind | inputs |",
        "| `kv_cache` |",
        "| `memory` |",
        "| `decode` |",
        "| `prefill` |",
        "| `batch` |",
        "| `retries` |",
    ),
)  # fmt: skip
