"""One version number, in one place, with its changes; and what a release by tag asks for."""

import re

import pytest
import yaml
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

import mlsd_helpers
from tests.support.repository import PROJECT, ROOT, SCRIPTS, run
from tools import changes

VERSION = mlsd_helpers.__version__
CHANGELOG = "# Changes\n\n## Unreleased\n\n## 2.1.0\n\n- More.\n\n## 2.0.0\n\n- Less.\n"


def test_a_wheel_has_the_version_of_the_module():
    assert "version" not in PROJECT["project"]
    assert ProjectMetadata(str(ROOT), PluginManager()).version == VERSION


def test_the_newest_version_of_the_changelog_is_the_version():
    unreleased, newest, *_ = changes.sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert (unreleased, newest) == ("Unreleased", VERSION)


def test_every_version_of_the_changelog_is_older_than_the_one_above_it():
    _, *versions = changes.sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == sorted(set(numbers), reverse=True)


def test_a_citation_names_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == VERSION


def test_a_citation_has_what_its_format_asks_for():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert all(author.keys() & {"name", "family-names"} for author in citation["authors"])
    assert citation["type"] in {"software", "dataset"}
    assert citation["license"] == PROJECT["project"]["license"]


def test_the_notes_of_a_release_are_those_of_its_version():
    assert changes.notes("v2.1.0", "2.1.0", CHANGELOG) == "- More."


@pytest.mark.parametrize(
    ("tag", "version", "text", "mended"),
    [
        ("v2.0.0", "2.1.0", CHANGELOG, "v2.1.0"),
        ("v2.2.0", "2.2.0", CHANGELOG, "2.2.0"),
        ("v2.1.0", "2.1.0", CHANGELOG.replace("Unreleased\n", "Unreleased\n\n- Most.\n"), "Unreleased"),
    ],
)
def test_a_release_that_is_not_ready_is_refused(tag, version, text, mended):
    with pytest.raises(ValueError, match=re.escape(mended)):
        changes.notes(tag, version, text)


def test_make_builds_nothing_for_a_wrong_tag(tmp_path):
    made = run(
        "make",
        "-o",
        ".venv/installed-here",
        "dist",
        "TAG=v0.0.1",
        f"DIST={tmp_path / 'dist'}",
        PATH=f"{SCRIPTS}:/usr/bin:/bin",
    )
    assert made.returncode != 0
    assert VERSION in made.stdout + made.stderr
    assert not (tmp_path / "dist").exists()
