"""One workspace and one server for what a learner sees, and a browser for each module."""

import pytest

from mlsd_helpers import workspace
from tests.browser.jupyterlab import browser, complaints, running_lab


@pytest.fixture(scope="package")
def lab(root, tmp_path_factory):
    """Serve the workspace that `mlsd lab` makes."""
    folder = tmp_path_factory.mktemp("learner") / "workspace"
    workspace.make(root, folder)
    with running_lab(folder) as running:
        yield running


# A module's own: as long as Playwright runs, no other test of this process can run an event loop.
@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Begin a failure with what the page itself complains about: the rest follows from it."""
    report = yield
    if report.failed and (said := complaints()):
        report.longrepr = "\n".join(["The page complains:", *said, "", str(report.longrepr)])
    return report
