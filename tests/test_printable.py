"""What others wrote, in a line of ours."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import cli
from mlsd_helpers.cli.common import progress_line, say
from mlsd_helpers.errors import QuantityError
from mlsd_helpers.grading.classroom import Summary
from mlsd_helpers.grading.downloads import IGNORED, SortedDownload
from mlsd_helpers.grading.grade import Result
from mlsd_helpers.grading.records import FAILED, Flag, Judged, Record
from mlsd_helpers.printable import one_line, printable

HOSTILE = (
    "x\n  look at ada: forged\r\x1b[2K\x1b]0;owned\x07\x9b1A\u202e\u2066\u2028\x85\u00ad\ufeff\ue000\ud800"
)
ACTS = set(HOSTILE) - set("x look at ada: forged[2K]0;owned1A")


@given(st.text())
def test_nothing_that_a_terminal_acts_on_is_left(text):
    for shown in (printable(text), one_line(text)):
        left = {unicodedata.category(c) for c in shown if c not in "\u200c\u200d"}
        assert not left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(
    "name",
    [
        "Zo\u00eb O'Hara",
        "\u0645\u0631\u06cc\u0645\u200c\u0646\u0627\u0632",
        "\u5c71\u7530\u3000\u592a\u90ce",
        "\U0001f469\u200d\U0001f52c",
        "a\u00a0b",
    ],
)
def test_names_of_every_script_stay_as_they_are(name):
    assert printable(name) == one_line(name) == name


def test_blanks_cannot_push_words_to_a_line_of_their_own():
    for blank in (" ", "\n", "\t", "\u3000", "\u2800", "\u3164"):
        assert len(one_line(f"a{blank * 80}look at ada")) < 20


def hostile_summary():
    record = Record(
        HOSTILE,
        "a",
        FAILED,
        HOSTILE,
        exercises={HOSTILE: Judged(1, 2, by_judge=False)},
        flags=(Flag("kind", HOSTILE),),
        late_s=5.0,
    )
    before = Record(HOSTILE, "a", exercises={HOSTILE: Judged(2, 2)})
    broken = Result(HOSTILE, None, error=HOSTILE)
    return Summary((Result(HOSTILE, record, before, changed=True), broken), 1.0)


def test_no_line_of_a_summary_is_forged():
    summary = hostile_summary()
    for line in (
        *summary.lines(),
        *summary.differences(),
        str(SortedDownload(HOSTILE, IGNORED, HOSTILE, HOSTILE)),
    ):
        assert not set(line) & ACTS
        assert not line.startswith("  look at ada")


def test_the_printer_is_a_net_for_what_was_not_cleaned_and_keeps_what_is_ours(capsys):
    say(f"\x1b[31;1merror\x1b[0m {HOSTILE}\nnext", start="\r\x1b[K")
    printed = capsys.readouterr().out
    assert printed.startswith("\r\x1b[K\x1b[31;1merror\x1b[0m ")
    assert printed.endswith("\nnext\n")
    assert not set(printed[20:]) & (ACTS - {"\n"})


def test_the_progress_line_is_cleaned(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    progress_line()(f"{HOSTILE} left")
    assert capsys.readouterr().out.count("\x1b") == 1  # ours, which clears the line


@pytest.mark.parametrize(
    "error", [QuantityError(HOSTILE), PermissionError(13, "No", HOSTILE), RuntimeError(HOSTILE)]
)
def test_no_error_acts_on_the_terminal(error, monkeypatch, capsys):
    def doctor(_):
        raise error

    monkeypatch.setattr(cli, "COMMANDS", (cli.common.Command(doctor),))
    assert cli.main(["doctor"]) == 2
    assert not set(capsys.readouterr().err) & (ACTS - {"\n"})


def test_an_argument_that_cannot_be_used_is_shown_on_one_line(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["check", "a.yaml", HOSTILE])
    error = capsys.readouterr().err.splitlines()
    assert "look at ada" in error[-1]
    assert error[-1].startswith("mlsd")
    assert not set("".join(error)) & ACTS


ODD_KEYS = r"""
"\e[2J\e]0;owned\akey\n  line 9: forged": 1
name: "a\n  forged: name"
planes:
  components:
    - {id: "\e[2K", kind: "\x9b\u202e"}
    - "\e"
"\u2028": !<\e> 3
"""


@pytest.mark.parametrize(
    "command",
    [["check"], ["check", "--format", "github"], ["check", "--format", "json"], ["document"], ["simulate"]],
)
@pytest.mark.parametrize("text", [ODD_KEYS, 'name: "a\\nforged: x"\n', "? *a\n", "&\x1b a: 1", "a: !\x1b b"])
def test_a_design_shows_no_key_tag_or_value_raw(command, text, tmp_path, capsys):
    path = tmp_path / "de\x1b[2Ks\nforged: ign.yaml"
    path.write_text(text)
    assert cli.main([*command, str(path)]) in {0, 1, 2}
    printed = capsys.readouterr()
    for line in (printed.out + printed.err).split("\n"):
        assert not set(line) & (ACTS - {"\n"})
        assert not line.strip().startswith(("forged", "line 9"))
