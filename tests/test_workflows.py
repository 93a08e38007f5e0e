"""What GitHub and a contributor's own tools run: our commands and nothing of their own."""

import json
import os
import re
import shlex

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.support.repository import PROJECT, ROOT, files, run
from tools import binder

WORKFLOWS = {path.name: path for path in files(".github/workflows/*.yml")}
TARGETS = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
WRITES = {"lock.yml": {"update"}, "release.yml": {"publish"}, "site.yml": {"publish"}}


def read(name):
    return yaml.safe_load(WORKFLOWS[name].read_text(encoding="utf-8"))


def jobs(name):
    return read(name)["jobs"]


def steps(name):
    return [step for job in jobs(name).values() for step in job["steps"]]


def is_ours(command):
    """Tell whether a command is one of make's, which exist, or .ci/run."""
    program, *words = shlex.split(command)
    targets = [word for word in words if "=" not in word]
    return (program, words) == (".ci/run", []) or (
        program == "make" and targets and set(targets) <= {*TARGETS}
    )


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_step_of_a_workflow_is_a_make_command_or_what_ci_runs(name):
    commands = [step["run"] for step in steps(name) if "run" in step]
    assert not [command for command in commands if not is_ours(command)]


@pytest.mark.parametrize(
    "command",
    [
        "pip install .",
        "make lint && rm -r .",
        "make dist TAG=${{ github.ref_name }}",
        "make frobnicate",
        ".ci/run -x",
        "make",
    ],
)
def test_a_command_of_its_own_is_found(command):
    assert not is_ours(command)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(name):
    lines = [line for line in WORKFLOWS[name].read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert lines
    assert not [line for line in lines if not PINNED.search(line)]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_and_only_the_jobs_that_publish_may_write(name):
    assert read(name)["permissions"] == {"contents": "read"}
    more = {job for job, told in jobs(name).items() if "write" in told.get("permissions", {}).values()}
    assert more == WRITES.get(name, set())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_job_that_hangs_is_ended(name):
    assert all(job["timeout-minutes"] <= 60 for job in jobs(name).values())


def test_the_tests_run_on_every_python_that_the_classifiers_name():
    named = [
        line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if " :: Python :: 3." in line
    ]
    assert jobs("tests.yml")["linux"]["strategy"]["matrix"]["python"] == named
    assert all(
        SpecifierSet(PROJECT["project"]["requires-python"]).contains(f"{python}.0") for python in named
    )


def test_the_tests_have_binders_python_beside_their_own():
    asked = [step.get("with", {}).get("python-version", "") for step in jobs("tests.yml")["linux"]["steps"]]
    assert binder.PYTHON in " ".join(asked).split()


def test_the_tests_run_on_macos_and_windows():
    systems = jobs("tests.yml")["elsewhere"]["strategy"]["matrix"]["system"]
    assert {system.partition("-")[0] for system in systems} == {"macos", "windows"}


def test_what_ci_runs_is_all_that_make_tests():
    scripts = files(".ci/*")
    assert all(os.access(script, os.X_OK) for script in scripts)
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").endswith("exec make test\n")


# ---------------------------------------------------------------- a contributor's own tools


def test_what_runs_before_a_commit_is_ours_and_installs_nothing():
    told = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in told["repos"]] == ["local"]
    hooks = told["repos"][0]["hooks"]
    assert all(hook["language"] == "system" and is_ours(hook["entry"]) for hook in hooks)


def test_a_container_for_development_is_installed_by_our_commands():
    told = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    install, then = told["postCreateCommand"].split(" && ")
    assert (ROOT / install).exists()
    assert is_ours(then)


@pytest.mark.parametrize("path", files(".github/**/*.yml", ".github/*.yml"), ids=lambda path: path.name)
def test_what_github_reads_is_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_a_form_for_an_issue_has_what_github_asks_for():
    forms = [path for path in files(".github/ISSUE_TEMPLATE/*.yml") if path.name != "config.yml"]
    for form in forms:
        told = yaml.safe_load(form.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= told.keys()
        names = [field["id"] for field in told["body"] if field["type"] != "markdown"]
        assert names
        assert len(names) == len(set(names))


def test_the_files_are_written_as_editors_are_told():
    for path in files(
        ".editorconfig", "*.py", "*.js", "*.css", "*.yml", "*.yaml", "*.toml", "*.md", "Makefile"
    ):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        assert "\r" not in text, name
        assert text.endswith("\n") or not text, name


def test_git_runs_what_ci_runs():
    staged = run("git", "ls-files", "--stage", ".ci").stdout.splitlines()
    assert staged
    assert all(line.startswith("100755") for line in staged)
