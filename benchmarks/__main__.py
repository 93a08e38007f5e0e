"""`python -m benchmarks`: the peers, the features, how cost grows, imports and Erlang C; `--quick` for a short look."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from statistics import median

from benchmarks.peers import NEEDS, PEERS, SLOW

GENERATION = ("vllm-sr-sim", "mlsd generation")

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
    parser.add_argument("--quick", action="store_true", help="fewer requests, and the peers only")
    quick = parser.parse_args().quick
    peers(100_000 if quick else 1_000_000)
    generation(20_000 if quick else 100_000)
    if not quick:
        from benchmarks import features  # noqa: PLC0415 - compiles

        show(
            "What each feature costs, 10⁶ requests",
            ("feature", "ns per request", "attempts"),
            features.features(),
        )
        show("How cost grows", ("with", "size", "ns per request"), features.growth())
        imports()
        erlang()


def peers(requests: int) -> None:
    """Compare everyone who is installed."""
    slow = max(requests // 10, 20_000)
    found = {
        name: run("benchmarks.peers", name, slow if name in SLOW else requests)
        for name in PEERS
        if here(NEEDS.get(name))
    }
    known = {name: result for name, result in found.items() if result}
    show(
        f"M/M/10 at 0.8, {requests:,} requests ({slow:,} for the slow), each in a process of its own",
        ("engine", "ns per request", "× SimPy", "× cimba", "peak MB", "p50 and p99 of the wait"),
        (
            (name, f"{it['ns']:,.1f}", ratio(known, "SimPy", it), ratio(known, "cimba", it), f"{it['peak_mb']:.0f}",
             f"{it['p50']:.3f} {it['p99']:.3f}")
            for name, it in known.items()
        ),
    )  # fmt: skip


def ratio(known: dict[str, dict[str, float]], peer: str, result: dict[str, float]) -> str:
    """Say how many times as fast as a peer that is."""
    return f"{known[peer]['ns'] / result['ns']:,.2f}" if peer in known else "not installed"


def generation(requests: int) -> None:
    """Compare with vllm-sr-sim, where it is installed."""
    rows = {}
    for name, module in zip(GENERATION, ("fleet_sim", "mlsd_helpers"), strict=True):
        if here(module) and (result := run("benchmarks.generation_peer", name, requests)):
            rows[name] = result
    peer = rows.get(GENERATION[0])
    show(
        f"Generation, {requests:,} requests",
        ("engine", "ns per request", "× vllm-sr-sim", "peak MB"),
        (
            (
                name,
                f"{it['ns']:,.0f}",
                f"{peer['ns'] / it['ns']:,.0f}" if peer else "not installed",
                f"{it['peak_mb']:.0f}",
            )
            for name, it in rows.items()
        ),
    )


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


def run(module: str, name: str, requests: int) -> dict[str, float] | None:
    """Run one measurement in a process of its own; one that fails is said and left out."""
    done = subprocess.run(
        [sys.executable, "-m", module, name, str(requests)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"{name}: left out, {done.stderr.strip().splitlines()[-1]}")
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def child(code: str) -> str:
    """Return what a fresh Python prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def child_s(code: str) -> float:
    """Return the CPU time of a fresh Python."""
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
