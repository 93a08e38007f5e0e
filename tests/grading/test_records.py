"""Records: small, whole, and safe to print."""

import re

import pytest

from mlsd_helpers.grading import records
from mlsd_helpers.grading.records import Flag, Judged, Record

ODD = "x\n  look at ada: y\x1b[2K\x9b\u202e\u2028\ud800" + "z" * 5_000_000


def test_a_flag_is_one_short_line_whatever_it_was_made_of():
    flag = Flag(ODD, ODD)
    assert len(str(flag)) < 300
    assert not set(str(flag)) & set("\n\x1b\x9b\u202e\u2028\ud800")
    assert "look at ada" in flag.evidence


def test_a_record_holds_a_bounded_number_of_flags_and_repairs():
    record = Record(
        "ada",
        "a",
        flags=tuple(Flag("kind", f"{n}") for n in range(5_000)),
        repairs=tuple(f"{n}: put back" for n in range(5_000)),
    )
    assert len(record.flags) == records.MOST_FLAGS
    assert len(record.repairs) == records.MOST_REPAIRS
    assert "4,951" in record.repairs[-1]


def test_a_record_comes_back_from_its_file_as_it_was_and_the_file_holds_no_control_character(tmp_path):
    judged = {"one": Judged(1.0, 2.0, ("added", "halved"), ODD[:60])}
    record = Record(
        "Zo\u00eb\udcff", "a", reason=ODD, exercises=judged, repairs=(ODD,), flags=(Flag(ODD, ODD),)
    )
    path = records.write(tmp_path, record)
    assert records.read(tmp_path, "a", "Zo\u00eb\udcff") == record
    text = path.read_text(encoding="utf-8")
    assert "Zo\u00eb" in text
    assert not set(text) & set("\x1b\x9b\u202e\u2028\x7f")


def test_a_record_with_one_mistake_as_it_was_written_before_is_read(tmp_path):
    path = records.write(tmp_path, Record("ada", "a", exercises={"one": Judged(1.5, 2.0)}))
    path.write_text(re.sub(r'"mistakes": \[\]', '"mistake": "added"', path.read_text()))
    assert records.read(tmp_path, "a", "ada").exercises["one"].mistakes == ("added",)


@pytest.mark.parametrize("score", ["Infinity", "NaN", "1e999", "1e308", '"x"', "[]"])
def test_a_record_without_a_score_that_makes_sense_is_lost_and_says_so(score, tmp_path):
    path = records.write(tmp_path, Record("ada", "a", exercises={"one": Judged(1.5, 2.0)}))
    path.write_text(path.read_text().replace("1.5", score))
    assert records.read(tmp_path, "a", "ada") is None
    assert "can't be read" in next(records.all_of(tmp_path, "a")).reason
