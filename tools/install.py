"""Install the locked packages and the course into the environment of the Python that runs this, and say how far it is.

Uses the standard library alone: it runs in an environment where nothing is installed yet.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
PIP = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off")
FOUND = re.compile(r"(?:Collecting|Requirement already satisfied: ) *(\S+).*\(from -r \S+ \(line (\d+)\)\)")
WRITTEN = "Installing collected packages"


def main() -> int:
    """Install in three steps, each said before it begins. Return the exit code of the first one that fails."""
    print("Step 1 of 3: the packages that the course needs. One or two minutes, once.", flush=True)
    if failed := packages():
        return failed
    print("Step 2 of 3: the course itself.", flush=True)
    course = (*PIP, "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    if failed := subprocess.run(course, check=False).returncode:
        return failed
    print("Step 3 of 3: compiling the simulator.", flush=True)
    prepare = "from mlsd_helpers import simulation; simulation.prepare()"
    return subprocess.run((sys.executable, "-c", prepare), cwd=ROOT, check=False).returncode


def packages() -> int:
    """Install the packages of the lock, and print how far pip is. What pip says is printed when it fails."""
    lines = len(LOCK.read_text(encoding="utf-8").splitlines())
    command = (*PIP, "--require-hashes", "-r", str(LOCK))
    said, shown = [], 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            said.append(line)
            percent = progress(line, lines)
            if percent is not None and percent >= shown + 10:
                shown = percent // 10 * 10
                print(f"  {shown} % downloaded or found", flush=True)
            elif line.startswith(WRITTEN):
                print(f"  writing them to {sys.prefix}", flush=True)
    if pip.returncode:
        print(*said, sep="", file=sys.stderr)
        print("The packages could not be installed: pip's own words are above.", file=sys.stderr)
    return pip.returncode


def progress(line: str, lines: int) -> int | None:
    """Return how much of a lock of so many lines pip has done with, in percent, by a line that it prints.

    >>> progress("Collecting numpy==2.1 (from -r requirements.lock (line 50))", 200)
    25
    >>> progress("  Using cached numpy-2.1-cp311-manylinux.whl (16 MB)", 200)
    """
    found = FOUND.match(line)
    return 100 * int(found[2]) // lines if found else None


if __name__ == "__main__":
    sys.exit(main())
