"""A test that could not run here: said at the end, and a failure where everything is to be had."""

import os
import subprocess
import sys

import pytest

from tests.conftest import STRICT
from tests.support.repository import ROOT

SKIPPED = """\
import pytest

@pytest.fixture
def database():
    pytest.skip("no database here")

def test_it_is_stored(database):
    pass

@pytest.mark.skipif(True, reason="no browser here")
def test_it_is_shown():
    pass

def test_it_adds_up():
    pass

@pytest.mark.xfail(reason="known")
def test_it_is_fast():
    raise OSError
"""
SKIPPED_WHOLE = """\
import pytest

pytest.skip("no sandbox here", allow_module_level=True)
"""


def run_under_our_hooks(folder, *options, **environment):
    """Run a file that is skipped in part, and one that is skipped whole, under the hooks of tests/conftest.py."""
    (folder / "test_part.py").write_text(SKIPPED)
    (folder / "test_whole.py").write_text(SKIPPED_WHOLE)
    given = {name: value for name, value in os.environ.items() if name != STRICT}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-p",
            "no:nbval",
            "--rootdir",
            folder,
            *options,
        ],
        cwd=folder,
        env=given | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.processes
def test_where_everything_is_to_be_had_a_skip_is_a_failure_that_says_what_is_missing(tmp_path):
    done = run_under_our_hooks(tmp_path, "--continue-on-collection-errors", **{STRICT: "1"})
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 passed, 1 xfailed, 3 errors" in done.stdout
    assert all(f"no {missing} here" in done.stdout for missing in ("database", "browser", "sandbox"))
    assert "NOT RUN" not in done.stdout


@pytest.mark.processes
@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_elsewhere_the_last_thing_said_is_what_was_not_run(tmp_path, options):
    done = run_under_our_hooks(tmp_path, *options)
    assert done.returncode == 0, done.stdout
    _, _, last = done.stdout.partition("NOT RUN")
    assert all(f"no {missing} here" in last for missing in ("database", "browser", "sandbox"))
    assert "test_part.py" not in last  # nothing of the summary comes after it


def test_ci_says_that_everything_is_to_be_had():
    assert f"export {STRICT}=1\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
