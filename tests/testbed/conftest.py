import pytest

from mlsd_helpers.testbed import running


@pytest.fixture(scope="session", autouse=True)
def _the_testbed_can_run():
    lacking = running.missing()
    assert not lacking, f"the tests need {lacking}: {running.INSTALL}"
