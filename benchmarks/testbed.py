"""The testbed's three patterns side by side; then caches, and predictions against measurements."""

from mlsd_helpers import testbed


def main(*, quick: bool) -> None:
    """Measure and print: a minute, or four."""
    print(f"\n{testbed.three_patterns(recorded=False)}")
    if not quick:
        print(f"\n{testbed.caches(recorded=False)}\n\n{testbed.prediction(recorded=False)}")
