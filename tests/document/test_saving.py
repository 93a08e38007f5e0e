"""A document in a file, and the command that writes it: what somebody wrote stays."""

import os
import subprocess
import sys

import pytest

from mlsd_helpers import cases, cli, document
from mlsd_helpers.document import save
from mlsd_helpers.document.saving import marked
from mlsd_helpers.errors import DesignError

TEXT = document(cases.load("harbour_pay"))
OTHER = document(cases.load("uber_eta"))


@pytest.fixture
def design(tmp_path):
    return cases.load("harbour_pay").save(tmp_path / "design.yaml")


def test_a_document_is_written_as_it_is(tmp_path):
    path = save(TEXT, tmp_path / "design.md")
    assert path.read_bytes() == TEXT.encode()


def test_a_document_that_nobody_changed_is_written_again(tmp_path):
    save(OTHER, tmp_path / "design.md")
    assert save(TEXT, tmp_path / "design.md").read_text(encoding="utf-8") == TEXT


def test_a_document_with_other_line_endings_is_still_ours(tmp_path):
    path = tmp_path / "design.md"
    path.write_bytes(OTHER.replace("\n", "\r\n").encode())
    assert save(TEXT, path).read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    "theirs",
    [
        b"# My notes",
        b"",
        TEXT.replace("500 rps", "600 rps").encode(),
        b"\xff\xfe",
        TEXT.encode() + b"My notes\n",
    ],
)
def test_what_somebody_wrote_stays(theirs, tmp_path):
    path = tmp_path / "design.md"
    path.write_bytes(theirs)
    with pytest.raises(DesignError, match="stays as it is"):
        save(TEXT, path)
    assert path.read_bytes() == theirs


def test_the_mark_alone_makes_no_document_ours(tmp_path):
    path = tmp_path / "design.md"
    path.write_text(marked("theirs").replace("theirs", "changed"))
    with pytest.raises(DesignError):
        save(TEXT, path)


def test_a_folder_and_a_missing_folder_are_plain_errors(tmp_path):
    with pytest.raises(DesignError, match="is a folder"):
        save(TEXT, tmp_path)
    with pytest.raises(DesignError, match="cannot be written"):
        save(TEXT, tmp_path / "nowhere" / "design.md")


def test_nothing_is_left_beside_the_document(tmp_path, monkeypatch):
    path = save(OTHER, tmp_path / "design.md")

    def full(self, target):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(DesignError, match="no space left"):
        save(TEXT, path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text(encoding="utf-8") == OTHER


def test_a_link_to_a_document_stays_a_link(tmp_path):
    path = save(OTHER, tmp_path / "design.md")
    (tmp_path / "latest.md").symlink_to(path)
    save(TEXT, tmp_path / "latest.md")
    assert (tmp_path / "latest.md").is_symlink()
    assert path.read_text(encoding="utf-8") == TEXT


def test_the_command_writes_to_the_terminal(design, capsys):
    assert cli.main(["document", str(design)]) == 0
    assert capsys.readouterr().out == TEXT


@pytest.mark.processes
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_the_command_writes_to_a_stdout_that_lacks_letters(design, encoding):
    command = [sys.executable, "-m", "mlsd_helpers.cli", "document", str(design)]
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    run = subprocess.run(command, capture_output=True, env=env, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.decode(encoding).count("\n## ") == TEXT.count("\n## ")
    with pytest.raises(UnicodeEncodeError):
        TEXT.encode(encoding)


def test_the_command_writes_a_file_and_not_over_the_design(design, capsys):
    target = design.with_name("design.md")
    assert cli.main(["document", str(design), "--output", str(target)]) == 0
    assert target.read_text(encoding="utf-8") == TEXT
    before = design.read_bytes()
    assert cli.main(["document", str(design), "--output", str(design)]) == 2
    assert design.read_bytes() == before
    assert "stays as it is" in capsys.readouterr().err


def test_the_command_cannot_read_what_is_no_design(tmp_path, capsys):
    (tmp_path / "design.yaml").write_text("nmae: x")
    assert cli.main(["document", str(tmp_path / "design.yaml"), "--output", str(tmp_path / "x.md")]) == 2
    assert "name" in capsys.readouterr().err
    assert not (tmp_path / "x.md").exists()
