import gc
import os
import re
import signal
import sys
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

from tests.effort import QUICK, examples

# Nothing that is imported while tests are collected becomes garbage: to look through it takes a tenth of that time.
gc.disable()

# Machines of a class differ in speed: no example fails for being slow.
hypothesis.settings.register_profile("course", deadline=None, max_examples=examples(100))
hypothesis.settings.load_profile("course")

# A shell starts what runs in the background with interrupts ignored, and whatever a test starts inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The files that take longest, longest first: a core that begins one of them last keeps all others waiting.
LONG = (
    "exercises/test_every_exercise.py",
    "document/test_document.py",
    "review/test_rules.py",
    "grading/test_sanitising.py",
    "site/test_site.py",
    "browser/test_every_notebook.py",
    "binder/test_binder.py",
    "grading/test_grade.py",
    "document/test_rendering.py",
    "test_instructor.py",
    "grading/test_hostile.py",
    "test_end_to_end.py",
    "test_recipes.py",
    "notebooks/test_lessons.py",
    "grading/test_limits.py",
    "review/test_review.py",
    "notebooks/test_assignments.py",
    "grading/test_refused.py",
    "testbed/test_running.py",
    "grading/test_cluster.py",
    "grading/test_killed.py",
    "browser/test_nbgrader.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Put the longest files first; xdist, told to keep the order, hands them out first."""
    here = Path(__file__).parent
    order = {here / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(LONG)))


def pytest_collection_finish():
    """Leave what was imported out of every later collection of garbage: it is there until the end."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path, config):
    """Import no file of which `-m "not browser and not …"` leaves every test out: it may load nbgrader, or pandas."""
    words = config.option.markexpr
    left_out = () if " or " in words else re.findall(r"not (\w+)", words)
    if left_out and collection_path.suffix == ".py":
        _, _, marks = collection_path.read_text(encoding="utf-8").partition("\npytestmark = ")
        if set(re.findall(r"pytest\.mark\.(\w+)", marks.partition("\n\n")[0])) & set(left_out):
            return True
    return None


@pytest.fixture(scope="session")
def root():
    return Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _own_jupyter_folders(tmp_path_factory):
    """Keep the settings of whoever runs the tests out of them, and the tests out of those settings."""
    folder = tmp_path_factory.mktemp("jupyter")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setenv(name, str(folder / name.lower()))
        # nbgrader looks for its own commands on PATH; `pytest` may run without the environment activated.
        scripts = str(Path(sys.executable).parent)
        patch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
        yield


# ---------------------------------------------------------------- what is not run

STRICT = (
    "MLSD_ALL_TOOLS"  # .ci/run sets it: a sandbox, a browser, npm, a database, all that tests use is there
)


def _reason(report):
    """Return why a test was skipped: pytest keeps it behind the file and the line."""
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


def _judged(report):
    """Turn a skip into a failure where there is no excuse for it."""
    if os.environ.get(STRICT) and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"{_reason(report)}\n{STRICT} is set: here nothing may be missing, and no test is skipped."
        )
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _judged((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter):
    """Say at the very end what was not run."""
    yield
    words = terminalreporter.config.option.markexpr
    if words.startswith("not "):
        marks = ", ".join(re.findall(r"not (\w+)", words))
        fewer = ", and most random examples" if QUICK else ""
        terminalreporter.write_line(f"Left out, and run by `make test`: {marks}{fewer}.", yellow=True)
    skipped = [one for one in terminalreporter.stats.get("skipped", ()) if not hasattr(one, "wasxfail")]
    if skipped:
        terminalreporter.section(f"NOT RUN: {len(skipped)} tests", red=True, bold=True)
        for reason, times in Counter(map(_reason, skipped)).most_common():
            terminalreporter.write_line(f"{times:5}  {reason.removeprefix('Skipped: ')}", yellow=True)
