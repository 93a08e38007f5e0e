"""Time the commands that contributors wait for: `make fix`, `near`, `quick` and `test`, after a change, in a copy.

`python -m benchmarks.loop fix near` times those two. CPU time is summed over all processes; on a busy machine it is
more reliable than wall clock. No test checks these times.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
AIMS_S = {"fix": 10, "near": 30, "quick": 45, "test": 300}


def copy(folder: Path) -> None:
    """Copy the committed files, with the current environment."""
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", folder], cwd=ROOT, check=True)
    environment = folder / ".venv"
    environment.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != "installed-here":
            (environment / part.name).symlink_to(part)
    (environment / "installed-here").write_text(f"{folder.resolve()}\n", encoding="utf-8")


def change_a_sentence(folder: Path) -> None:
    """Change one sentence of one lesson."""
    path = folder / "course/text/03_dataflow.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("exercises apart.", "exercises apart, at your own pace.", 1), encoding="utf-8"
    )


def change_a_formula(folder: Path) -> None:
    """Change a module of formulas."""
    with (folder / "mlsd_helpers/formulas/queueing.py").open("a", encoding="utf-8") as module:
        module.write("\n\n# A line more.\n")


CHANGES: dict[str, Callable[[Path], None]] = {"fix": change_a_sentence, "near": change_a_formula}


def measure(name: str, folder: Path) -> None:
    """Run one command after its change, and print its times."""
    if name in CHANGES:
        subprocess.run(["git", "checkout", "--quiet", "."], cwd=folder, check=True)
        CHANGES[name](folder)
    words = ["make", name, *(["LESSONS=03_dataflow"] if name == "fix" else [])]
    environment = os.environ | {"PYTHONPATH": str(folder), "MAKEFLAGS": ""}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    status = "" if done.returncode == 0 else f"; it failed: {done.stdout.strip().splitlines()[-1:]}"
    print(
        f"{' '.join(words):32} {took:6.0f} s, {cpu:6.0f} s of processors; aim {AIMS_S[name]} s{status}",
        flush=True,
    )


def main(*names: str) -> None:
    """Time the commands that are named, or all four."""
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with TemporaryDirectory(prefix="mlsd-loop-") as place:
        folder = Path(place) / "repository"
        copy(folder)
        try:
            wanted = names or tuple(AIMS_S)
            for name in (
                ("fix", "lint") if "fix" in wanted else ("lint",)
            ):  # `fix` runs lessons; both fill caches
                subprocess.run(["make", name], cwd=folder, capture_output=True, check=False)
            for name in wanted:
                measure(name, folder)
        finally:
            shutil.rmtree(folder)
            subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
