import pytest

from mlsd_helpers.lab import running


@pytest.fixture(scope="session", autouse=True)
def _the_lab_can_run():
    lacking = running.missing()
    assert not lacking, f"the tests need {lacking}: {running.INSTALL}"
