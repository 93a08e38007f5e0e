"""The doctor: each check finds the fault that it is for, and names what mends it."""

import shutil
import sys
from pathlib import Path

import pytest

from mlsd_helpers import doctor


def fault(check, state, mend):
    assert check.state == state, check
    assert mend in check.mend


def test_this_machine_which_runs_the_tests_can_run_the_course():
    report = doctor.report()
    assert report.ready, report


def test_a_python_out_of_range_is_missing():
    fault(doctor.python("3.10.14"), "missing", "python3.1")
    assert doctor.python("3.13.0").state == "ok"


def test_a_package_out_of_its_range_is_missing_and_pip_mends_it():
    check = doctor.packages(["numpy>=2.1", "pandas>=99,<100; extra == 'course'"])
    fault(check, "missing", 'pip install "pandas<100,>=99"')
    assert "numpy" not in check.found


def test_a_package_that_is_not_there_is_missing():
    fault(doctor.packages(["no-such-package>=1"]), "missing", 'pip install "no-such-package>=1"')


def test_a_package_for_developers_only_is_not_asked_for():
    assert doctor.packages(["no-such-package>=1; extra == 'dev'"]).state == "ok"


@pytest.mark.parametrize("program", ["/somewhere/else/bin/python3", "/usr/bin/python3", ""])
def test_a_kernel_of_another_python_is_missing(program):
    fault(doctor.kernel(program), "missing", "ipykernel install")


def test_a_kernel_spec_that_leaves_the_python_to_jupyter_is_ok():
    assert doctor.kernel("python").state == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="a place that not even root can write: /proc")
def test_a_folder_that_cannot_be_written_is_missing():
    fault(doctor.folder(Path("/proc")), "missing", "mlsd lab")


def test_nbgrader_without_its_panels_is_missing(monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *_: ["/nowhere"])
    fault(doctor.nbgrader(), "missing", "nbgrader")


def test_what_cannot_be_imported_is_missing():
    def widgets():
        raise ModuleNotFoundError(name="anywidget")

    (check,) = doctor.report([widgets]).checks
    fault(check, "missing", "pip install")
    assert (check.name, check.found) == ("widgets", "anywidget is not installed")


def test_a_browser_and_a_sandbox_are_optional(tmp_path):
    report = doctor.report([lambda: doctor.browser(str(tmp_path)), lambda: doctor.sandbox(str(tmp_path))])
    assert [check.state for check in report.checks] == ["optional", "optional"]
    assert all(check.mend for check in report.checks)
    assert report.ready


@pytest.mark.parametrize(("rule", "mend"), [("1", "sudo sysctl kernel.rule=0"), ("0", "docker run")])
def test_a_sandbox_that_is_refused_says_why(tmp_path, rule, mend):
    (tmp_path / "rule").write_text(rule)
    refused = tmp_path / "bwrap"
    refused.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    refused.chmod(0o755)
    check = doctor.sandbox(str(tmp_path), tmp_path / "rule")
    fault(check, "optional", mend)
    assert "setting up uid map" in check.found


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap here")
def test_a_testbed_that_lacks_packages_or_redis_is_optional(monkeypatch):
    assert doctor.testbed().state == "ok"
    monkeypatch.setattr("mlsd_helpers.testbed.running.redis_server", lambda: None)
    fault(doctor.testbed(), "optional", "redis-server")
    monkeypatch.setattr("mlsd_helpers.testbed.running.NEEDS", ("no_such_package",))
    fault(doctor.testbed(), "optional", "[testbed]")


def test_a_sandbox_that_is_there_was_run():
    assert doctor.sandbox().found == shutil.which("bwrap")


def test_a_report_shows_its_states_in_words_wherever_it_is_shown():
    report = doctor.Report(
        (doctor.Check("a", "missing", "<nothing>", "mend a"), doctor.Check("b", "ok", "2"))
    )
    assert not report.ready
    for shown in (str(report), repr(report), report._repr_html_()):
        assert all(word in shown for word in ("missing", "ok", "mend a"))
    assert "<nothing>" not in report._repr_html_()
