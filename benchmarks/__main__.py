"""`python -m benchmarks`: other simulators, the testbed, memory, features, scaling, imports, Erlang C and grading.

Each tool runs in a process of its own, and the tools alternate for `--rounds` rounds. Ratios are computed within a
round, so that machine noise cancels; the median, the smallest and the largest ratio are printed. `--quick` is short.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.peers import NEEDS, PEERS, SLOW

GENERATION = {
    "vllm-sr-sim": "fleet_sim",
    "mlsd generation": "mlsd_helpers",
    "mlsd generation, same requests": "mlsd_helpers",
}
Found = dict[str, float]

IMPORTS = (
    "numpy",
    "mlsd_helpers",
    "mlsd_helpers.design",
    "mlsd_helpers.formulas",
    "mlsd_helpers.simulation",
    "mlsysim",
)
ERLANG = {
    "mlsd, one point": (
        "mlsd_helpers",
        "from mlsd_helpers.formulas import wait_percentile_s as f",
        "[f(10, a, 1.0) for a in loads]",
    ),
    "mlsd, grid": (
        "mlsd_helpers",
        "from mlsd_helpers.simulation import wait_percentile_grid_s as f",
        "f(10, loads, 1.0)",
    ),
    "mlsysim": (
        "mlsysim",
        "from mlsysim.physics.serving import calc_queue_latency_mmc as f",
        "[f(a, 1.0, 10) for a in loads]",
    ),
}
TIMED = """
import time
import numpy as np
{load}
loads = np.linspace(0.01, 9.99, {points})
{call}
before = time.process_time()
{call}
print((time.process_time() - before) / len(loads) * 1e9)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests, one round, and the peers only")
    parser.add_argument("--rounds", type=int, default=5, help="how often everyone is measured (5)")
    asked = parser.parse_args()
    requests, turns = (100_000, 1) if asked.quick else (1_000_000, max(1, asked.rounds))
    peers(requests, turns)
    generation(requests, turns)
    if here("fastapi"):
        from benchmarks import testbed  # noqa: PLC0415 - an extra

        testbed.main(quick=asked.quick)
    if not asked.quick:
        memory()
        from benchmarks import features  # noqa: PLC0415 - compiles

        show(
            "What each feature costs, 10⁶ requests",
            ("feature", "ns per request", "attempts"),
            features.features(),
        )
        show("How cost grows", ("with", "size", "ns per request"), features.growth())
        imports()
        erlang()
        if here("nbgrader"):
            from benchmarks import grading  # noqa: PLC0415 - an extra

            grading.main([])


def peers(requests: int, turns: int) -> None:
    """Compare the simulators that are installed."""
    slow = max(requests // 10, 20_000)
    work = {name: slow if name in SLOW else requests for name in PEERS if here(NEEDS.get(name))}
    known = rounds("benchmarks.peers", work, turns)
    show(
        f"M/M/10 at 0.8, {requests:,} requests ({slow:,} for the slow), {turns} rounds",
        ("engine", "ns per request", "× SimPy", "× cimba", "peak MB", "p50 and p99 of the wait"),
        (
            (name, ns(found), ratio(known.get("SimPy"), found), ratio(known.get("cimba"), found), peak(found),
             f"{found[0]['p50']:.3f} {found[0]['p99']:.3f}")
            for name, found in known.items()
        ),
    )  # fmt: skip


def generation(requests: int, turns: int) -> None:
    """Compare with vllm-sr-sim, where it is installed."""
    slow = requests // 20
    work = {
        name: slow if module == "fleet_sim" else requests
        for name, module in GENERATION.items()
        if here(module)
    }
    known = rounds("benchmarks.generation_peer", work, turns)
    peer = known.get("vllm-sr-sim")
    show(
        f"Generation, {requests:,} requests ({slow:,} for vllm-sr-sim), {turns} rounds",
        ("engine", "ns per request", "× vllm-sr-sim", "peak MB"),
        ((name, ns(found), ratio(peer, found), peak(found)) for name, found in known.items()),
    )


def rounds(module: str, work: dict[str, int], turns: int) -> dict[str, list[Found]]:
    """Run the tools in turn, several times; a tool that fails is reported and left out."""
    known: dict[str, list[Found]] = {name: [] for name in work}
    for _ in range(turns):
        for name in list(known):
            if found := run(module, name, work[name]):
                known[name].append(found)
            else:
                del known[name]
    return known


def ns(found: list[Found]) -> str:
    """Format the median cost of a request."""
    return f"{median(each['ns'] for each in found):,.1f}"


def peak(found: list[Found]) -> str:
    """Format the peak memory."""
    return f"{max(each['peak_mb'] for each in found):.0f}"


def ratio(peer: list[Found] | None, found: list[Found]) -> str:
    """Format the speed relative to a peer: median, smallest and largest ratio of the rounds."""
    if not peer:
        return "not installed"
    ratios = [theirs["ns"] / ours["ns"] for theirs, ours in zip(peer, found, strict=True)]
    return f"{median(ratios):,.3g} ({min(ratios):,.3g}–{max(ratios):,.3g})"


def memory() -> None:
    """Print the peak memory of a new process, from imports to the percentiles of 10⁶ requests."""
    work = (("benchmarks.peers", "mlsd loop"), ("benchmarks.peers", "mlsd quick, new draws"),
            ("benchmarks.generation_peer", "mlsd generation"))  # fmt: skip
    rows = []
    for module, name in work:
        with TemporaryDirectory() as empty:
            kept = run(module, name, 1_000_000, "--cold")
            anew = run(module, name, 1_000_000, "--cold", NUMBA_CACHE_DIR=empty)
        if kept and anew:
            rows.append((name, f"{kept['peak_mb']:.0f}", f"{anew['peak_mb']:.0f}"))
    show("Memory, cold, 10⁶ requests; to stay under 250 MB", ("engine", "MB", "MB, compiling"), rows)


def imports() -> None:
    """Time what importing costs, beyond starting Python: the median of five."""
    empty = median(child_s("pass") for _ in range(5))
    times = (
        (name, median(child_s(f"import {name}") for _ in range(5)) - empty) for name in IMPORTS if here(name)
    )
    show("Import", ("module", "ms"), ((name, f"{time_s * 1e3:,.0f}") for name, time_s in times))


def erlang() -> None:
    """Time one point of Erlang C."""
    rows = []
    for name, (module, load, call) in ERLANG.items():
        if here(module):
            points = 100_000 if "grid" in name else 1_000
            rows.append((name, f"{float(child(TIMED.format(load=load, call=call, points=points))):,.0f}"))
    show("Erlang C, p99 of the wait with 10 servers", ("library", "ns per point"), rows)


def here(module: str | None) -> bool:
    """Tell whether a module is installed."""
    return module is None or find_spec(module) is not None


def run(module: str, name: str, requests: int, *how: str, **environment: str) -> Found | None:
    """Run one measurement in a process of its own; report a failure and return None."""
    done = subprocess.run(
        [sys.executable, "-m", module, name, str(requests), *how],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    if done.returncode:
        print(f"{name}: left out, {done.stderr.strip().splitlines()[-1]}")
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def child(code: str) -> str:
    """Return the standard output of a new Python process."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def child_s(code: str) -> float:
    """Return the CPU time of a new Python process."""
    before = os.times()
    child(code)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def show(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table."""
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    print(f"\n{title}\n")
    for row in table:
        print(
            "  ".join(
                [f"{row[0]:<{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(row[1:], widths[1:], strict=True))]
            )
        )


if __name__ == "__main__":
    main()
