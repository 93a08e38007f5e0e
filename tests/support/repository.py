"""The repository: where it is, what it holds, and how its commands run."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SCRIPTS = Path(sys.executable).parent


def run(*command, cwd=ROOT, **environment):
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"MAKEFLAGS": ""} | environment,  # not those of the `make test` that runs us
        capture_output=True,
        text=True,
        check=False,
    )


def files(*patterns):
    """Give the files that are, or would be, committed."""
    listed = run(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns
    ).stdout
    found = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert found, f"no file matches {patterns}"
    return found
