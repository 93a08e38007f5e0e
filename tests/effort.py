"""How much is drawn in a test: all of it, or a part in `make quick`, which sets MLSD_QUICK."""

import os

QUICK = bool(os.environ.get("MLSD_QUICK"))


def examples(count: int) -> int:
    """Return how many of so many examples to try."""
    return max(5, count // 6) if QUICK else count
