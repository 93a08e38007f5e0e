"""What a sandbox may see, wherever the course lies."""

import shutil
import sys
from pathlib import Path

import pytest

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading.grade import Job, _hidden_from_students
from mlsd_helpers.grading.sandbox import ForkServer, paths

from .conftest import LIMITS

SECRETS = (
    "course/gradebook.db",
    "course/source/05/05.ipynb",
    "other/nbgrader_config.py",
    "other/source/05.ipynb",
)
NEEDED = ("tool.txt", "course/env/lib/tool.txt", "after/tool.txt")


@pytest.fixture
def usr(tmp_path, monkeypatch):
    """Return a folder that is open as `/usr/lib` is, with a course in it that has its environment inside."""
    for name in (*SECRETS, *NEEDED, "clone/mlsd_helpers/exercises/kit.py"):
        path = tmp_path / "real" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("swordfish")
    (tmp_path / "usr").symlink_to("real")
    (tmp_path / "real" / "mlsd_helpers-1.whl").write_text("swordfish")
    before, usr = paths.visible_paths, tmp_path / "usr"
    monkeypatch.setattr(paths, "visible_paths", lambda: [*before(), usr, usr / "course" / "env"])
    paths._copies.cache_clear()
    yield usr
    paths._copies.cache_clear()


@pytest.mark.processes
def test_a_course_in_what_is_open_is_not_seen_and_what_is_open_in_the_course_is(
    usr, server, submission, text
):
    secrets = [*SECRETS, "clone/mlsd_helpers/exercises/kit.py", "mlsd_helpers-1.whl"]
    source = f"""
from pathlib import Path
def reads(path):
    try: return "swordfish" in Path(path).read_text()
    except OSError: return False
print([one for one in {[str(top / one) for one in secrets for top in (usr, usr.resolve())]!r} if reads(one)],
      [one for one in {[str(usr / one) for one in NEEDED]!r} if not reads(one)])
"""
    hidden = [usr / "course"]
    with (
        ForkServer(server.sandbox, limits=LIMITS, hidden=hidden) as other,
        other.session(submission) as session,
    ):
        assert text(session.run(source)) == "[] []\n"


def test_an_environment_in_the_course_itself_shows_nothing_of_the_course(tmp_path, monkeypatch):
    for name in ("bin", "lib", "source", "submitted"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    open_ones = [one for one in paths.visible_paths() if one.is_relative_to(tmp_path)]
    assert open_ones == [tmp_path / "bin", tmp_path / "lib"]
    _, shown = paths.layout([tmp_path])
    assert shown[tmp_path / "lib"] == tmp_path / "lib"


@pytest.mark.parametrize("place", ["stdlib", "packages", "package"])
def test_a_course_where_python_lies_is_refused(place):
    folder = {
        "stdlib": Path(shutil.__file__).parent,
        "packages": Path(pytest.__file__).parents[1],
        "package": paths.PACKAGE,
    }[place]
    with pytest.raises(GradingError, match="folder of its own"):
        paths.hidden_paths([folder])
    with pytest.raises(GradingError, match="folder of its own"):
        ForkServer("landlock", hidden=[folder]).__enter__()


def test_the_clone_that_python_runs_from_is_no_such_course(root):
    assert root.resolve() in paths.hidden_paths([root])


def test_the_other_names_of_a_folder_are_closed_too(monkeypatch):
    mounts = [
        ("8:1", Path("/"), Path("/")),
        ("8:1", Path("/data"), Path("/usr/share/data")),
        ("8:1", Path("/data/course/source"), Path("/usr/share/s")),
        ("8:2", Path("/data"), Path("/other")),
    ]
    monkeypatch.setattr(paths, "_mounts", lambda: mounts)
    assert set(paths._names(Path("/data/course"))) == {
        Path("/data/course"),
        Path("/usr/share/data/course"),
        Path("/usr/share/s"),
    }
    assert Path("/data/course") in set(paths._names(Path("/usr/share/data/course")))


def test_mounts_with_odd_names_are_read(monkeypatch):
    line = r"36 35 98:0 / /mnt\040with\040blanks rw - ext4 /dev/root rw"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: line)
    assert list(paths._mounts()) == [("98:0", Path("/"), Path("/mnt with blanks"))]


def test_what_nbgrader_keeps_elsewhere_is_hidden_too(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        "c.CourseDirectory.source_directory = '/elsewhere/source'\n"
        "c.CourseDirectory.db_url = 'sqlite:////elsewhere/gradebook.db'\n"
    )
    job = Job(tmp_path, "05_capacity")
    hidden = _hidden_from_students(job, job.configuration())
    assert {tmp_path, Path("/elsewhere/source"), Path("/elsewhere/gradebook.db")} <= set(hidden)
