"""Run the tests that are nearest to what has changed: `make near` does it, in seconds.

What has changed are the files that differ from the last commit; when none do, those of the last commit; with a name,
such as `python -m tools.near main`, those that differ from where this branch left it. What a row of the table leaves
out, `make quick` and `make test` find.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_IN_SECONDS = "not end_to_end and not browser and not binder and not thorough"
_STARTS_PROCESSES = re.compile(
    r"(mlsd_helpers|tests)/(testbed|grading/sandbox)/|tools/|Makefile|pyproject\.toml|tests/test_repository"
)
_SHOWN = 5  # files that are named
_NO_PROCESSES = f"{_IN_SECONDS} and not processes"


@dataclass(frozen=True)
class Near:
    """Tests for files whose names match; `{1}` stands for a group of the match, `words` for pytest's -k."""

    files: str
    tests: tuple[str, ...]
    words: str = ""


NEAR = (
    Near(r"(tests/.*test_\w+\.py)", ("{1}",)),
    Near(r"(tests/\w+)/(?!.*test_\w+\.py).*", ("{1}",)),
    Near(r"tests/\w+\.py", ("tests/test_repository.py",)),
    Near(
        r"(?:course/text|course|source/\w+|release/\w+)/(\d\d)_.*",
        ("tests/notebooks", "tests/test_words.py"),
        "{1}",
    ),
    Near(r"(?:source|release)/.*/(\d\d)_.*", ("tests/exercises/test_every_exercise.py",), "{1}-"),
    Near(r"mlsd_helpers/exercises/start/.*", ("tests/exercises",), "00-"),
    Near(r"mlsd_helpers/exercises/requirements/.*", ("tests/exercises",), "01-"),
    Near(r"mlsd_helpers/exercises/planes/.*", ("tests/exercises",), "02-"),
    Near(r"mlsd_helpers/exercises/dataflow/.*", ("tests/exercises",), "03-"),
    Near(r"mlsd_helpers/exercises/patterns/.*", ("tests/exercises",), "04-"),
    Near(r"mlsd_helpers/exercises/capacity/.*", ("tests/exercises",), "05-"),
    Near(
        r"mlsd_helpers/exercises/.*", ("tests/notebooks/test_course_map.py", "tests/notebooks/test_facts.py")
    ),
    Near(r"mlsd_helpers/exercises/\w+\.py", ("tests/exercises",), "kit or interview or 05-"),
    Near(
        r"mlsd_helpers/review/(\w+).*",
        (
            "tests/review/test_rules.py",
            "tests/review/test_arithmetic.py",
            "tests/review/test_accepted.py",
            "tests/review/test_{1}.py",
            "tests/cases",
        ),
    ),
    Near(r"mlsd_helpers/analysis/.*", ("tests/review/test_arithmetic.py", "tests/review/test_fleets.py")),
    Near(r"mlsd_helpers/cases/.*", ("tests/cases", "tests/document/test_document.py")),
    Near(r"mlsd_helpers/design/.*", ("tests/design", "tests/cases")),
    Near(r"mlsd_helpers/testbed/(\w+)\.py", ("tests/testbed/test_{1}.py", "tests/testbed/test_payments.py")),
    Near(
        r"mlsd_helpers/grading/sandbox/.*",
        ("tests/grading/sandbox/test_codec.py", "tests/grading/sandbox/test_sandbox.py"),
    ),
    Near(r"mlsd_helpers/grading/.*", ("tests/grading", "tests/test_release.py")),
    Near(r"mlsd_helpers/(workspace|doctor)\b.*", ("tests/test_{1}.py",)),
    Near(r"mlsd_helpers/cli/.*", ("tests/test_cli.py", "tests/review/test_check_command.py")),
    Near(r"mlsd_helpers/(analysis|formulas|simulation|document|figures|widgets)/.*", ("tests/{1}",)),
    Near(r"mlsd_helpers/testbed/recorded/.*", ("tests/testbed/test_experiments.py",)),
    Near(
        r"mlsd_helpers/(\w+)\.(?:py|typed)",
        ("tests/test_package.py", "tests/test_cli.py", "tests/test_{1}.py"),
    ),
    Near(r"mlsd_helpers/units\.py", ("tests/design/test_quantities.py", "tests/formulas")),
    Near(r"mlsd_helpers/.*\.py", ("tests/test_doctests.py",)),
    Near(r".*\.md", ("tests/test_words.py",)),
    Near(r"docs/reference/.*|README\.md|tools/(?:reference|design_model)\.py", ("tests/test_reference.py",)),
    Near(
        r"tools/.*|Makefile|\.ci/.*|\.git\w+|environment\.yml|.*\.(?:lock|toml|in)",
        ("tests/test_repository.py",),
    ),
    Near(
        r"tools/(?:notebooks|past|writing)\.py",
        ("tests/notebooks/test_pairs.py", "tests/notebooks/test_fix.py"),
    ),
    Near(r"\.github/.*|\.devcontainer/.*|\.pre-commit-config\.yaml|\.ci/.*", ("tests/test_workflows.py",)),
    Near(r"docs/design\.schema\.json", ("tests/design/test_schema.py",)),
    Near(r"nbgrader_config\.py|postBuild", ("tests/test_release.py", "tests/binder")),
    Near(r"benchmarks/.*|docs/images/.*|LICENSE|CITATION\.cff|\.editorconfig", ()),  # nothing in seconds
)


def near(files: Iterable[str]) -> dict[str, set[str]]:
    """Return the tests for some files: paths, by the words that choose among their tests."""
    found: dict[str, set[str]] = {}
    for file in files:
        for row in NEAR:
            if match := re.fullmatch(row.files, file):
                paths = {path.format(match[0], *match.groups()) for path in row.tests}
                found.setdefault(row.words.format(match[0], *match.groups()), set()).update(paths)
    return {words: {path for path in paths if (ROOT / path).exists()} for words, paths in found.items()}


def changed(base: str = "") -> list[str]:
    """Return the files that have changed."""
    if base:
        return _git("diff", "--name-only", "--merge-base", base)
    new = _git("ls-files", "--others", "--exclude-standard")
    return [*_git("diff", "--name-only", "HEAD"), *new] or _git("show", "--name-only", "--format=", "HEAD")


def _git(*words: str) -> list[str]:
    command = ["git", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.splitlines()


def main(base: str = "") -> int:
    """Run the tests that are near; return pytest's status, or 0 when there are none."""
    files = changed(base)
    status = 0
    print(f"{len(files)} changed: {', '.join(files[:_SHOWN])}{', …' * (len(files) > _SHOWN)}", flush=True)
    if alone := [file for file in files if not any(near([file]).values())]:
        print(f"No test is near to {', '.join(alone[:_SHOWN])}: `make quick`, or `make test`.", flush=True)
    for words, paths in near(files).items():
        if paths:
            # With processes only where what starts them has changed: they take a while.
            own = any(_STARTS_PROCESSES.match(file) for file in files)
            markers = _IN_SECONDS if own else _NO_PROCESSES
            chosen = ["-k", words] if words else []
            print(f"pytest {' '.join([*sorted(paths), *chosen])}", flush=True)
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-n",
                "0",
                "-q",
                "-m",
                markers,
                *chosen,
                *sorted(paths),
            ]
            done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603
            status = max(
                status, 0 if done.returncode == 5 else done.returncode
            )  # 5: none is as quick as that
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
