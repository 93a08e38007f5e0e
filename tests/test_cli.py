"""The command line: help, exit statuses, and errors as plain messages."""

import re
import subprocess
import sys

import pytest

import mlsd_helpers
from mlsd_helpers import cli, doctor
from mlsd_helpers.errors import QuantityError

HEAVY = {
    "numpy",
    "pandas",
    "matplotlib",
    "IPython",
    "ipywidgets",
    "nbgrader",
    "nbformat",
    "jupyterlab",
    "pydantic",
}


@pytest.mark.processes
def test_help_loads_nothing_heavy():
    code = "import sys\nfrom mlsd_helpers import cli\ncli.main([])\nprint(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "release" in run.stdout
    assert not HEAVY & set(run.stderr.split())


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.run.__name__)
def test_every_command_says_what_it_does_in_a_line_and_has_help(command, capsys):
    summary = command.run.__doc__.splitlines()[0]
    assert summary.endswith(".")
    with pytest.raises(SystemExit, match="0"):
        cli.main([command.run.__name__, "--help"])
    assert summary in capsys.readouterr().out


def test_the_help_lists_each_command_once_under_the_people_whom_it_serves(capsys):
    cli.main([])
    groups = re.split(r"^(for .+):$", capsys.readouterr().out, flags=re.MULTILINE)[1:]
    listed = {
        who: re.findall(r"^  (\w+)", lines, re.MULTILINE)
        for who, lines in zip(groups[::2], groups[1::2], strict=True)
    }
    assert listed == {who: [one.run.__name__ for one in commands] for who, commands in cli.GROUPS.items()}


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_is_told(option, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([option])
    assert capsys.readouterr().out == f"mlsd {mlsd_helpers.__version__}\n"


def test_an_error_is_one_plain_message_and_status_2(tmp_path, capsys):
    (tmp_path / "taken").touch()
    assert cli.main(["lab", str(tmp_path / "taken"), "--course", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"mlsd lab: {tmp_path} holds no course")
    assert error.count("\n") == 1


WITHOUT_PACKAGES = """
import sys
for name in ("numpy", "nbgrader", "nbformat", "jupyterlab"):
    sys.modules[name] = None
from mlsd_helpers import cli
commands = ("simulate design.yaml", "grade a", "demo", "release", "report a", "marks a", "collect a .")
print("Statuses:", *[cli.main(command.split()) for command in commands])
"""


@pytest.mark.processes
def test_a_command_that_lacks_a_package_names_the_extra_in_one_line(tmp_path):
    (tmp_path / "design.yaml").write_text("name: small\n")
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert run.stdout.splitlines()[-1] == "Statuses:" + 7 * " 2"
    lines = run.stderr.splitlines()
    assert len(lines) == 7
    assert all("mlsd-helpers[course]" in line for line in lines)


def test_a_module_of_ours_that_is_missing_is_a_fault_and_names_no_extra(monkeypatch, capsys):
    def doctor(_):
        raise ModuleNotFoundError("No module", name="mlsd_helpers.gone")

    monkeypatch.setattr(cli, "COMMANDS", (cli.common.Command(doctor),))
    assert cli.main(["doctor"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("error", [QuantityError("40 has no unit."), PermissionError(13, "No", "/some/file")])
def test_every_error_of_ours_and_of_the_file_system_is_plain(error, monkeypatch, capsys):
    def doctor(_):
        raise error

    monkeypatch.setattr(cli, "COMMANDS", (cli.common.Command(doctor),))
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().err == f"mlsd doctor: {error}\n"


@pytest.mark.parametrize("port", ["http", "-1", "65536", "8888.5"])
def test_a_port_that_is_none_is_refused(port, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["lab", "--port", port])
    assert "such as 8888" in capsys.readouterr().err


@pytest.mark.parametrize(("state", "status"), [("ok", 0), ("optional", 0), ("missing", 1)])
def test_the_doctors_status_tells_whether_the_course_can_run(state, status, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "CHECKS", (lambda: doctor.Check("planted", state, "here"),))
    assert cli.main(["doctor"]) == status
    assert "planted" in capsys.readouterr().out


def test_an_instructor_without_a_clone_is_told_to_get_one(tmp_path, capsys):
    (tmp_path / "course").mkdir()
    (tmp_path / "course/00_start_here.ipynb").touch()
    assert cli.main(["lab", "--instructor", "--course", str(tmp_path)]) == 2
    assert "clone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "options", "opens"),
    [
        ({"DISPLAY": ":0"}, [], True),
        ({"DISPLAY": ":0", "MLSD_BROWSER": "0"}, [], False),
        ({"DISPLAY": ":0"}, ["--no-browser"], False),
        ({}, [], sys.platform in {"darwin", "win32"}),
    ],
)
def test_a_browser_opens_only_where_one_is_wanted(environment, options, opens, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "MLSD_BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli.learner._has_browser(cli._parser().parse_args(["lab", *options])) is opens
