"""The repository itself: its lock, its layers, its commands, its links."""

import os
import re
import shlex
import shutil
import sys

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.support.repository import PROJECT, ROOT, SCRIPTS, files, run
from tools import binder, python_check
from tools import install as tools_install
from tools.near import NEAR, near

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
EXTRAS = PROJECT["project"]["optional-dependencies"]


# ---------------------------------------------------------------- the lock


def test_the_lock_records_no_address():
    assert not re.findall(r"\w+://\S+|@ ", LOCK)


def test_every_locked_package_is_pinned_and_hashed():
    pins = binder.pins(LOCK)
    assert pins
    for pin in pins:
        assert re.fullmatch(r"==[^*,]+", str(pin.requirement.specifier)), pin.name
        assert pin.hashes, pin.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in pin.hashes), pin.name


@pytest.mark.parametrize("wanted", binder.wanted(PROJECT, *EXTRAS), ids=str)
def test_the_lock_is_within_the_ranges_of_pyproject(wanted):
    versions = [pin.version for pin in binder.pins(LOCK) if pin.name == canonicalize_name(wanted.name)]
    assert versions, "run `make lock PACKAGE=...`"
    assert all(wanted.specifier.contains(version) for version in versions), versions


def test_environment_yml_is_what_the_lock_makes_of_it():
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == binder.environment(LOCK, PROJECT), (
        "run `make lock`"
    )


def test_binders_environment_has_what_the_course_needs_and_no_tool_of_ours():
    names = set(re.findall(r"- ([\w.-]+)==", binder.environment(LOCK, PROJECT)))
    assert {canonicalize_name(wanted.name) for wanted in binder.wanted(PROJECT, "course")} <= names
    assert not names & {"mypy", "pytest", "ruff", "uv"}


# ---------------------------------------------------------------- the layers


@pytest.fixture
def package(tmp_path):
    """Give a copy of the package that a test may spoil."""
    shutil.copytree(ROOT / "mlsd_helpers", tmp_path / "mlsd_helpers")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path / "mlsd_helpers"


def layers(package):
    return run(SCRIPTS / "lint-imports", "--no-cache", cwd=package.parent, PYTHONPATH=str(package.parent))


@pytest.mark.processes
def test_the_layers_hold_in_an_unspoilt_copy(package):
    assert layers(package).returncode == 0, layers(package).stdout


@pytest.mark.processes
def test_an_import_upwards_breaks_the_layers(package):
    with (package / "units.py").open("a") as module:
        module.write("\nfrom mlsd_helpers import exercises\n")
    assert "mlsd_helpers.units is not allowed to import mlsd_helpers.exercises" in layers(package).stdout


@pytest.mark.processes
def test_a_module_without_a_layer_breaks_the_layers(package):
    (package / "astray.py").write_text("")
    assert layers(package).returncode != 0
    assert "astray" in layers(package).stdout


@pytest.mark.processes
def test_two_modules_that_import_each_other_break_the_layers(package):
    with (package / "design" / "value.py").open("a") as module:
        module.write(
            "\n\ndef _late():\n    from mlsd_helpers.design.design import Design\n\n    return Design\n"
        )
    assert "No cycles are allowed in mlsd_helpers.design" in layers(package).stdout


def test_git_ignores_no_module_of_the_package():
    modules = map(str, (ROOT / "mlsd_helpers").rglob("*.py"))
    assert not run("git", "check-ignore", *modules).stdout


# ---------------------------------------------------------------- the Makefile

FAKE_PYTHON = """\
#!/bin/sh
echo "$@" >> calls
case "$*" in
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *tools/install.py*) exit "${INSTALL_EXIT:-0}" ;;
esac
"""


@pytest.fixture
def clone(tmp_path):
    """Give a folder where `make` finds a Python that only writes down what it was asked to do."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "pyproject.toml").touch()
    fake = tmp_path / "fake-python"
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    return tmp_path


def install(clone, **environment):
    """Install, and give what was asked of Python meanwhile."""
    (clone / "calls").write_text("")
    made = run("make", ".venv/installed-here", "PYTHON=./fake-python", cwd=clone, **environment)
    return made.returncode, (clone / "calls").read_text()


@pytest.mark.processes
def test_the_first_command_installs_and_the_second_does_not(clone):
    code, calls = install(clone)
    assert code == 0
    assert "tools/install.py" in calls
    assert install(clone) == (0, "")


@pytest.mark.processes
def test_a_new_lock_is_installed_into_the_same_environment(clone):
    install(clone)
    after_the_stamp = (clone / ".venv" / "installed-here").stat().st_mtime + 5
    os.utime(clone / "requirements.lock", (after_the_stamp,) * 2)
    code, calls = install(clone)
    assert code == 0
    assert "tools/install.py" in calls
    assert "-m venv" not in calls


@pytest.mark.processes
def test_an_interrupted_installation_starts_anew(clone):
    code, _ = install(clone, INSTALL_EXIT="1")
    assert code != 0
    code, calls = install(clone)
    assert code == 0
    assert "-m venv --clear" in calls


PIP_SAYS = """
import sys
print("Collecting numpy==2.1 (from -r requirements.lock (line 1))")
print("Collecting scipy==1.1 (from -r requirements.lock (line 2))")
print("ERROR: no space left on device", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.processes
@pytest.mark.parametrize("code", [0, 2])
def test_an_installation_says_how_far_it_is_and_repeats_what_pip_says_only_where_it_fails(
    tmp_path, monkeypatch, capfd, code
):
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==2.1\nscipy==1.1\n")
    monkeypatch.setattr(tools_install, "LOCK", lock)
    monkeypatch.setattr(tools_install, "PIP", (sys.executable, "-c", PIP_SAYS, str(code)))
    assert tools_install.packages() == code
    out, err = capfd.readouterr()
    assert "50 %" in out
    assert "100 %" in out
    assert ("no space left" in err) == bool(code)


@pytest.mark.processes
def test_in_a_moved_folder_the_environment_is_made_again(clone):
    install(clone)
    moved = clone.rename(clone.with_name("moved"))
    assert "-m venv --clear" in install(moved)[1]


@pytest.mark.processes
def test_bytecode_is_kept_where_the_machine_forbids_it(clone):
    with (clone / "fake-python").open("a") as fake:
        fake.write('echo "bytecode: ${PYTHONDONTWRITEBYTECODE:-kept}" >> calls\n')
    assert "bytecode: kept" in install(clone, PYTHONDONTWRITEBYTECODE="1")[1]


def test_the_makefile_takes_the_pythons_that_pyproject_names():
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    minors = range(python_check.FIRST[1] - 1, python_check.END[1] + 1)
    assert [minor for minor in minors if supported.contains(f"3.{minor}.0")] == [*minors][1:-1]


# ---------------------------------------------------------------- its tests


@pytest.mark.processes
def test_tests_that_interrupt_a_process_do_so_in_the_background_too():
    heard = (
        "import signal, tests.conftest; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    )
    ignoring = f"trap '' INT; exec {shlex.quote(sys.executable)} -c {shlex.quote(heard)}"
    assert run("sh", "-c", ignoring).stdout.strip() == "True"


def test_the_long_files_that_are_begun_first_are_there():
    from tests.conftest import LONG

    assert all((ROOT / "tests" / name).is_file() for name in LONG)


def test_it_is_known_which_tests_are_near_to_each_file():
    names = [path.relative_to(ROOT).as_posix() for path in files()]
    unknown = [name for name in names if not any(re.fullmatch(row.files, name) for row in NEAR)]
    assert not unknown, "give them a row in tools/near.py"


def test_the_tests_that_are_near_are_there():
    named = {path for row in NEAR for path in row.tests if "{" not in path}
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]


@pytest.mark.parametrize(
    ("file", "words", "path"),
    [
        ("mlsd_helpers/formulas/queueing.py", "", "tests/formulas"),
        ("mlsd_helpers/exercises/capacity/headroom.py", "05-", "tests/exercises"),
        ("course/text/03_dataflow.py", "03", "tests/notebooks"),
        ("mlsd_helpers/widgets/base.js", "", "tests/widgets"),
        ("tests/cases/test_cases.py", "", "tests/cases/test_cases.py"),
        ("tests/cases/test_gone.py", "", None),
    ],
)
def test_the_tests_near_to_a_file_are_those_of_its_room(file, words, path):
    found = near([file])[words]
    assert path in found if path else not found - {"tests/cases"}


# ---------------------------------------------------------------- its files


def test_no_file_holds_a_path_of_the_machine_that_it_was_made_on():
    homes = "home|root|Users|work|private/tmp"
    path_of_a_machine = re.compile(rf"(?<![\w.~}}>-])/(?:{homes})/[\w.-]+".encode())
    found = {path: path_of_a_machine.findall(path.read_bytes()) for path in files()}
    assert not {path.relative_to(ROOT).as_posix(): texts for path, texts in found.items() if texts}


def test_the_list_of_decisions_has_each_of_them_under_its_number_and_title():
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    titles = [
        path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").split(" ", 1) for path in pages
    ]
    rows = [
        f"| {number} | [{title}]({path.name}) |" for (number, title), path in zip(titles, pages, strict=True)
    ]
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \d+ .+$", listed, re.MULTILINE) == rows
    assert [int(number) for number, _ in titles] == [int(path.name[:4]) for path in pages]
