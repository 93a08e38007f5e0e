from pathlib import Path

import pytest

from mlsd_helpers.grading.sandbox import ForkServer, Limits, confinement

LIMITS = Limits(cell_s=3, call_s=1, memory=2**28, processes=20, files=16 * 2**20, output=200_000)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark every test here that asks for a sandbox, before `-m` chooses."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "server" in item.fixturenames:
            item.add_marker("processes")


def _refusal(name):
    return {"bubblewrap": confinement._no_bubblewrap, "landlock": confinement._no_landlock}[name]()


@pytest.fixture(scope="session", params=["bubblewrap", "landlock"])
def server(request):
    """Return a fork server in each sandbox that works here."""
    refusal = _refusal(request.param)
    if refusal:
        pytest.skip(refusal)
    with ForkServer(request.param, limits=LIMITS) as server:
        yield server


@pytest.fixture
def submission(tmp_path):
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "data.csv").write_text("a,b\n1,2\n")
    return folder


@pytest.fixture
def session(server, submission):
    with server.session(submission, {"00-shown": ({"x": 1}, {"x": 2})}) as session:
        yield session


@pytest.fixture
def text():
    """Return what a cell printed, or the text of its error."""

    def of(outputs):
        return "".join(
            one.get("text") or one.get("evalue") or one.get("data", {}).get("text/plain", "")
            for one in outputs
        )

    return of
