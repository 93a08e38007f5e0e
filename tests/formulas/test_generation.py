from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from mlsd_helpers.units import GB, TB, KiB, MiB, ms
from tests.effort import examples

LLAMA_3_8B = f.model_weights_bytes(8.03e9, 2)
LLAMA_2_7B = f.model_weights_bytes(6.74e9, 2)
KV_8B = f.kv_cache_bytes_per_token(32, 8, 128, 2)

ORACLES = [
    (f.kv_cache_bytes_per_token, (32, 32, 128, 2), 0.5 * MiB, 0, "Llama 2 7B"),
    (f.kv_cache_bytes_per_token, (40, 40, 128, 2), 0.78 * MiB, 0.005 * MiB, "Llama 2 13B"),
    (f.kv_cache_bytes_per_token, (32, 8, 128, 2), 131_072, 0, "Llama 3 8B"),
    (f.kv_cache_bytes_per_token, (80, 8, 128, 2), 320 * KiB, 0, "70B with groups"),
    (f.kv_cache_bytes_per_token, (80, 64, 128, 2), 2.5 * MiB, 0, "70B without"),
    (f.model_weights_bytes, (8.03e9, 2), 16.06 * GB, 1, "worked apart"),
    (f.kv_cache_tokens, (80 * GB, LLAMA_3_8B, KV_8B), 426_788, 0, "worked apart"),
    (f.concurrent_sequences, (80 * GB, LLAMA_3_8B, KV_8B, 4_096), 104, 0, "worked apart"),
    (f.concurrent_sequences, (80 * GB, LLAMA_2_7B, 0.5 * MiB, 4_096), 27, 0, "Llama 2 7B"),
    (f.decode_tokens_per_s, (3.35 * TB, LLAMA_3_8B), 208.6, 0.05, "worked apart"),
    (f.decode_step_s, (3.35 * TB, LLAMA_3_8B, 32, KV_8B, 2_000), 7.3 * ms, 0.05 * ms, "batch of 32"),
    (f.decode_tokens_per_s, (3.35 * TB, LLAMA_3_8B, 32, KV_8B, 2_000), 4_385, 0.5, "batch of 32"),
    (f.time_to_first_token_s, (8.03e9, 2_048, 989e12, 0.5), 66.5 * ms, 0.05 * ms, "worked apart"),
    (f.sequences_in_flight, (5.53, 211, 0.025), 29.2, 0.05, "worked apart"),
    (f.compute_bound_batch, (989e12, 3.35 * TB, 2), 295, 0.5, "989 / 3.35"),
    (f.cost_per_million_tokens, (3.60, 1_000), 1.0, 1e-12, "3.6 million an hour for 3.60"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "inputs", "expected", "tolerance", "source"), ORACLES)
def test_known_values(
    formula: Callable[..., float], inputs: tuple[float, ...], expected: float, tolerance: float, source: str
) -> None:
    assert formula(*inputs) == pytest.approx(expected, abs=tolerance), source


@given(st.integers(1, 512), st.floats(0, 32_000))
@settings(max_examples=examples(50), deadline=None)
def test_a_larger_batch_makes_more_tokens_and_a_longer_step(batch: int, context: float) -> None:
    def both(size: int) -> tuple[float, float]:
        inputs = (3.35 * TB, LLAMA_3_8B, size, KV_8B, context)
        return f.decode_tokens_per_s(*inputs), f.decode_step_s(*inputs)

    assert both(batch)[0] < both(batch + 1)[0]
    assert both(batch)[1] <= both(batch + 1)[1]


@given(st.integers(1, 8_192))
@settings(max_examples=examples(50), deadline=None)
def test_the_sequences_fit_and_one_more_does_not(tokens: int) -> None:
    count = f.concurrent_sequences(80 * GB, LLAMA_3_8B, KV_8B, tokens)
    free = 72 * GB - LLAMA_3_8B
    assert count * tokens * KV_8B <= free < (count + 1) * tokens * KV_8B


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RangeError, match="weights_bytes 140000000000"):
        f.kv_cache_tokens(80 * GB, 140 * GB, KV_8B)
