"""Generation: what a language model needs in memory, bandwidth and time.

Sizes are in bytes and rates per second. The roofline bounds plain decoding of dense weights, one token for each
sequence and step; a measured system of that kind is below it. Every function refuses NaN, infinite, negative and
boolean input with `RangeError`.
"""

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.formulas._rounding import round_down
from mlsd_helpers.units import hour

__all__ = [
    "compute_bound_batch",
    "concurrent_sequences",
    "cost_per_million_tokens",
    "decode_step_s",
    "decode_tokens_per_s",
    "kv_cache_bytes_per_token",
    "kv_cache_tokens",
    "model_weights_bytes",
    "sequences_in_flight",
    "time_to_first_token_s",
]


def model_weights_bytes(parameters: float, bytes_per_parameter: float) -> float:
    """Size of a model's weights, in bytes.

    `parameters` at least 0; `bytes_per_parameter` above 0: 4 for float32, 2 for float16 and bfloat16, 1 for
    int8, 0.5 for 4 bits. Source: arithmetic.

    >>> model_weights_bytes(parameters=8_030_000_000, bytes_per_parameter=2)
    16060000000
    """
    _ranges.not_negative(parameters=parameters)
    _ranges.positive(bytes_per_parameter=bytes_per_parameter)
    return parameters * bytes_per_parameter


def kv_cache_bytes_per_token(layers: int, kv_heads: int, head_dim: int, bytes_per_value: float) -> float:
    """Bytes that the key–value cache keeps for each token: 2 × layers × KV heads × head dimension × bytes.

    The factor 2 stands for a key and a value. `layers`, `kv_heads` and `head_dim` at least 1; `bytes_per_value`
    above 0. With grouped-query attention `kv_heads` is the number of groups, which is below the number of query
    heads. Source: Pope et al. (2023), Efficiently Scaling Transformer Inference; Ainslie et al. (2023), GQA.

    Llama 3 8B: 2 × 32 × 8 × 128 × 2, 128 KiB.

    >>> kv_cache_bytes_per_token(layers=32, kv_heads=8, head_dim=128, bytes_per_value=2)
    131072
    """
    _ranges.whole(layers=layers, kv_heads=kv_heads, head_dim=head_dim)
    _ranges.positive(bytes_per_value=bytes_per_value)
    return 2 * layers * kv_heads * head_dim * bytes_per_value


def kv_cache_tokens(
    memory_bytes: float, weights_bytes: float, bytes_per_token: float, usable: float = 0.9
) -> int:
    """Tokens that fit in the memory that the weights leave: (memory × usable − weights) / bytes per token.

    `memory_bytes` and `bytes_per_token` above 0, `weights_bytes` at least 0, `usable` a share above 0 and at
    most 1. The weights have to fit. Source: Kwon et al. (2023), PagedAttention, SOSP; 0.9 is vLLM's default.

    80 GB × 0.9 less 16.06 GB of weights, at 131,072 bytes each.

    >>> kv_cache_tokens(memory_bytes=80e9, weights_bytes=16.06e9, bytes_per_token=131_072)
    426788
    """
    _ranges.positive(memory_bytes=memory_bytes, bytes_per_token=bytes_per_token)
    _ranges.not_negative(weights_bytes=weights_bytes)
    _ranges.share_above_0(usable=usable)
    free_bytes = memory_bytes * usable - weights_bytes
    if free_bytes < 0:
        raise RangeError(
            f"weights_bytes {weights_bytes!r} must be at most the usable {memory_bytes * usable:.6g}. "
            "Quantise the weights, or split them over more devices."
        )
    return round_down(free_bytes / bytes_per_token)


def concurrent_sequences(
    memory_bytes: float,
    weights_bytes: float,
    bytes_per_token: float,
    tokens_per_sequence: int,
    usable: float = 0.9,
) -> int:
    """Sequences of `tokens_per_sequence` tokens, prompt and answer, whose key–value cache fits at once.

    Ranges and source as for `kv_cache_tokens`; `tokens_per_sequence` at least 1.

    Memory for 426,788 tokens holds 104 sequences of 4,096 tokens.

    >>> concurrent_sequences(80e9, 16.06e9, bytes_per_token=131_072, tokens_per_sequence=4_096)
    104
    """
    _ranges.whole(tokens_per_sequence=tokens_per_sequence)
    return kv_cache_tokens(memory_bytes, weights_bytes, bytes_per_token, usable) // tokens_per_sequence


def decode_step_s(
    bandwidth_bytes_per_s: float,
    weights_bytes: float,
    batch_size: int = 1,
    kv_bytes_per_token: float = 0,
    context_tokens: float = 0,
) -> float:
    """Least time of one decoding step, in seconds: bytes of weights and key–value cache ÷ memory bandwidth.

    A step reads all weights once and the cache of every sequence in the batch, and gives each sequence one
    token. `bandwidth_bytes_per_s` and `weights_bytes` above 0, `batch_size` at least 1, the others at least 0;
    `context_tokens` is the mean per sequence. Holds while memory-bound, see `compute_bound_batch`. Source: the
    roofline of Williams, Waterman & Patterson (2009); Pope et al. (2023) for transformers.

    16 GB at 2 TB/s.

    >>> decode_step_s(bandwidth_bytes_per_s=2e12, weights_bytes=16e9)
    0.008
    """
    _ranges.positive(bandwidth_bytes_per_s=bandwidth_bytes_per_s, weights_bytes=weights_bytes)
    _ranges.whole(batch_size=batch_size)
    _ranges.not_negative(kv_bytes_per_token=kv_bytes_per_token, context_tokens=context_tokens)
    read_bytes = weights_bytes + batch_size * kv_bytes_per_token * context_tokens
    return read_bytes / bandwidth_bytes_per_s


def decode_tokens_per_s(
    bandwidth_bytes_per_s: float,
    weights_bytes: float,
    batch_size: int = 1,
    kv_bytes_per_token: float = 0,
    context_tokens: float = 0,
) -> float:
    """Most tokens per second of decoding, over the whole batch: batch size ÷ `decode_step_s`.

    Ranges and source as for `decode_step_s`.

    >>> decode_tokens_per_s(bandwidth_bytes_per_s=2e12, weights_bytes=16e9)
    125.0
    """
    step_s = decode_step_s(
        bandwidth_bytes_per_s, weights_bytes, batch_size, kv_bytes_per_token, context_tokens
    )
    return batch_size / step_s


def compute_bound_batch(
    flops_per_s: float, bandwidth_bytes_per_s: float, bytes_per_parameter: float
) -> float:
    """Batch size from which decoding is bound by compute and no longer by reading weights.

    A parameter costs `bytes_per_parameter` to read once and 2 FLOPs per sequence. All above 0; `flops_per_s`
    dense, not the datasheet's sparse figure. Source: Williams, Waterman & Patterson (2009), the ridge point.

    1,000 TFLOP/s, 2 TB/s, 2 bytes: 1e15 × 2 / (2 × 2e12).

    >>> compute_bound_batch(flops_per_s=1e15, bandwidth_bytes_per_s=2e12, bytes_per_parameter=2)
    500.0
    """
    _ranges.positive(
        flops_per_s=flops_per_s,
        bandwidth_bytes_per_s=bandwidth_bytes_per_s,
        bytes_per_parameter=bytes_per_parameter,
    )
    return flops_per_s * bytes_per_parameter / (2 * bandwidth_bytes_per_s)


def time_to_first_token_s(
    parameters: float, prompt_tokens: float, flops_per_s: float, flops_utilisation: float = 0.5
) -> float:
    """Time to read a prompt and give its first token, in seconds: 2PT / (FLOP/s × utilisation).

    `parameters` and `flops_per_s` (dense) above 0, `prompt_tokens` at least 0, `flops_utilisation` a share
    above 0 and at most 1. Without queueing, and without the attention's own quadratic part, which long
    prompts add. Source: 2 FLOPs per parameter and token, Kaplan et al. (2020), Scaling Laws for Neural
    Language Models.

    8 billion × 1,000 tokens × 2 at half of 1,000 TFLOP/s.

    >>> time_to_first_token_s(parameters=8e9, prompt_tokens=1_000, flops_per_s=1e15, flops_utilisation=0.5)
    0.032
    """
    _ranges.positive(parameters=parameters, flops_per_s=flops_per_s)
    _ranges.not_negative(prompt_tokens=prompt_tokens)
    _ranges.share_above_0(flops_utilisation=flops_utilisation)
    return 2 * parameters * prompt_tokens / (flops_per_s * flops_utilisation)


def sequences_in_flight(arrival_rps: float, output_tokens: float, time_per_token_s: float) -> float:
    """Mean number of sequences that are being generated at once.

    Little's law with W = tokens × time per token. All at least 0; `output_tokens` a mean. Source: Little
    (1961), Operations Research 9(3).

    2/s × 100 tokens × 50 ms.

    >>> sequences_in_flight(arrival_rps=2, output_tokens=100, time_per_token_s=0.050)
    10.0
    """
    _ranges.not_negative(
        arrival_rps=arrival_rps, output_tokens=output_tokens, time_per_token_s=time_per_token_s
    )
    return arrival_rps * output_tokens * time_per_token_s


def cost_per_million_tokens(price_per_hour: float, tokens_per_s: float, busy: float = 1.0) -> float:
    """Cost per million tokens of a device that makes `tokens_per_s` while it is busy.

    `price_per_hour` at least 0, `tokens_per_s` above 0, `busy` the share of the paid time at that rate, above
    0 and at most 1. Source: arithmetic.

    3.60 an hour at 1,000 tokens a second, half the time: 1.8 million tokens an hour.

    >>> cost_per_million_tokens(price_per_hour=3.60, tokens_per_s=1_000, busy=0.5)
    2.0
    """
    _ranges.not_negative(price_per_hour=price_per_hour)
    _ranges.positive(tokens_per_s=tokens_per_s)
    _ranges.share_above_0(busy=busy)
    return price_per_hour / (tokens_per_s * busy * hour) * 1e6
