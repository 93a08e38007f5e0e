"""Figures on generation: how a language model uses an accelerator's memory.

Sizes are bytes. Inputs out of range raise `RangeError`.
"""

from typing import TYPE_CHECKING

from mlsd_helpers import formulas
from mlsd_helpers.figures import style
from mlsd_helpers.figures.base import Figure, draw
from mlsd_helpers.figures.style import EXACT, LIMIT, OTHER, label
from mlsd_helpers.units import GB

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def memory_budget(
    memory_bytes: float,
    weights_bytes: float,
    kv_bytes_per_token: float,
    context_tokens: int,
    usable: float = 0.9,
) -> Figure:
    """Show how much of an accelerator's memory weights and key–value cache take, by the sequences that run at once.

    Each sequence holds `context_tokens` tokens; the share `usable` of the memory may be filled.
    Data: sequences, weights_bytes, kv_bytes, free_bytes, at each quarter of what fits.
    """
    most = formulas.concurrent_sequences(
        memory_bytes, weights_bytes, kv_bytes_per_token, context_tokens, usable
    )
    sequences = tuple(dict.fromkeys(round(most * part / 4) for part in range(5)))
    kv = tuple(count * context_tokens * kv_bytes_per_token for count in sequences)
    free = tuple(memory_bytes * usable - weights_bytes - taken for taken in kv)
    each = context_tokens * kv_bytes_per_token
    return draw(
        lambda axes: _paint_memory(axes, memory_bytes, weights_bytes, each, usable, most),
        alt=f"Accelerator memory against sequences running at once, {memory_bytes / GB:.4g} GB in all, "
        f"{memory_bytes * usable / GB:.4g} GB usable. Weights take {weights_bytes / GB:.4g} GB at any number. "
        f"Each sequence of {context_tokens:,} tokens adds {each / GB:.3g} GB of key–value cache, so {most:,} fit.",
        caption="Concurrency is a memory budget.",
        data={
            "sequences": sequences,
            "weights_bytes": (weights_bytes,) * len(sequences),
            "kv_bytes": kv,
            "free_bytes": free,
        },
    )


def _paint_memory(
    axes: "Axes", memory_bytes: float, weights_bytes: float, each_bytes: float, usable: float, most: int
) -> None:
    total, limit = memory_bytes / GB, memory_bytes * usable / GB
    weights, filled = weights_bytes / GB, (weights_bytes + most * each_bytes) / GB
    everywhere = (0, 1.15 * max(most, 1))
    axes.set(
        xlim=everywhere, ylim=(0, 1.04 * total), xlabel="sequences running at once", ylabel="memory (GB)"
    )
    axes.fill_between(everywhere, 0, weights, **OTHER.area)
    axes.plot(everywhere, (weights, weights), OTHER.dash, color=OTHER.colour)
    axes.fill_between((0, most), weights, (weights, filled), **EXACT.area)
    axes.plot((0, most), (weights, filled), EXACT.dash, color=EXACT.colour)
    axes.vlines(most, 0, limit, color=style.INK, linewidth=1.4)
    for height, text in ((total, f"all {total:.4g} GB"), (limit, f"usable {limit:.4g} GB")):
        axes.axhline(height, color=LIMIT.colour, linestyle=LIMIT.dash, linewidth=1.4)
        label(axes, text, (0, height), LIMIT, (6, -8))
    label(axes, f"weights {weights:.4g} GB", (0, weights / 2), OTHER, (8, 0))
    label(axes, "key–value cache", (0.66 * most, weights + 0.3 * (filled - weights)), EXACT, ha="center")
    label(axes, "free", (0.3 * most, weights + 0.62 * (limit - weights)), LIMIT, ha="center")
    label(axes, f"{most:,} fit", (most, weights / 2), LIMIT, (-6, 0), ha="right", color=style.INK)
