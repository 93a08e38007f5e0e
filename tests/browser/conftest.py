"""One workspace, one server and one browser for what a learner sees."""

import pytest

from mlsd_helpers import workspace
from tests.browser.jupyterlab import browser, running_lab


@pytest.fixture(scope="package")
def lab(root, tmp_path_factory):
    """Serve the workspace that `mlsd lab` makes."""
    folder = tmp_path_factory.mktemp("learner") / "workspace"
    workspace.make(root, folder)
    with running_lab(folder) as running:
        yield running


@pytest.fixture(scope="package")
def chromium():
    with browser() as started:
        yield started
