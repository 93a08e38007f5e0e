import os
import signal
import sys
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

# Machines of a class differ in speed: no example fails for being slow.
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")

# A shell starts what runs in the background with interrupts ignored, and whatever a test starts inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    skipped = [one for one in terminalreporter.stats.get("skipped", ()) if not hasattr(one, "wasxfail")]
    if skipped:
        terminalreporter.section(f"NOT RUN: {len(skipped)} tests", red=True, bold=True)
        for reason, times in Counter(map(_reason, skipped)).most_common():
            terminalreporter.write_line(f"{times:5}  {reason.removeprefix('Skipped: ')}", yellow=True)
