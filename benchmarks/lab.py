"""The lab's three patterns side by side; then caches, and predictions against measurements."""

from mlsd_helpers import lab


def main(*, quick: bool) -> None:
    """Measure and print: a minute, or four."""
    print(f"\n{lab.three_patterns(recorded=False)}")
    if not quick:
        print(f"\n{lab.caches(recorded=False)}\n\n{lab.prediction(recorded=False)}")
