"""The atomic write: a file has its old content or the new one, whatever happens in between."""

import os
import stat
import sys

import pytest

from mlsd_helpers.files import write_whole

has_permission_bits = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")


def bits(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("content", "stored"), [("é\n", "é\n".encode()), ("a\r\nb", b"a\r\nb"), (b"\x00\xff", b"\x00\xff")]
)
def test_text_and_bytes_are_stored_as_they_are(tmp_path, content, stored):
    assert write_whole(tmp_path / "file", content).read_bytes() == stored


@has_permission_bits
def test_permission_bits_of_an_existing_file_stay(tmp_path):
    path = write_whole(tmp_path / "file", "old")
    path.chmod(0o604)
    write_whole(path, "new", mode=0o600)
    assert (path.read_text(), bits(path)) == ("new", 0o604)


@has_permission_bits
def test_a_new_file_gets_the_mode_that_is_asked_for_or_the_usual_one(tmp_path):
    usual = tmp_path / "usual"
    usual.write_text("made by open()")
    assert bits(write_whole(tmp_path / "new", "")) == bits(usual)
    assert bits(write_whole(tmp_path / "private", "", mode=0o600)) == 0o600


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"])
def test_an_error_at_any_step_leaves_the_old_content_and_no_temporary_file(tmp_path, monkeypatch, step):
    path = write_whole(tmp_path / "file", "old")

    def fails(*_):
        raise OSError("no space left")

    monkeypatch.setattr(step, fails)
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, "new")
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - uses no method of Path that is replaced here
    assert path.read_text() == "old"


def test_a_link_stays_a_link(tmp_path):
    target = write_whole(tmp_path / "target", "old")
    link = tmp_path / "link"
    link.symlink_to(target)
    assert write_whole(link, "new") == target
    assert (link.is_symlink(), target.read_text()) == (True, "new")


def test_a_long_name_has_room_for_the_temporary_one(tmp_path):
    assert write_whole(tmp_path / ("x" * 250), "new").read_text() == "new"
