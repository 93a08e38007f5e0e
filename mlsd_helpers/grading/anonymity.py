"""Records without names: stable pseudonyms, and names removed from messages and from what students wrote.

A pseudonym is a keyed hash of the student's id. Without the secret of the course nobody can compute it, and the order
of pseudonyms is unrelated to that of students. Names that the course does not know, such as a nickname in a string,
are not found: read what students wrote before you publish it.
"""

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from mlsd_helpers.grading.marks import Student
from mlsd_helpers.grading.records import FOLDER, Flag, Record, Request

HIDDEN = "[name]"

_FILE = ".pseudonyms"
_LETTERS = "ACDEFGHJKLMNPQRTUVWXY34679"  # none that can be mistaken for another
_LENGTH = 8  # 26^8: in a class of a thousand two students share one once in 400,000 courses
_SHORT_NUMBER = 4  # digits: a shorter number identifies nobody, and many messages contain one
_SHORT_WORD = 2  # letters


def secret_of(course: Path) -> bytes:
    """Return the course's secret, which is created at first use in a file that only its owner can read.

    Keep it, and keep it secret: without it pseudonyms change, and with it and the class list they can be undone. The
    seed of the fresh cases is made of it, too.
    """
    path = course / FOLDER / _FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent) as file:  # readable by its owner alone
            file.write(secrets.token_hex(32).encode())
            file.flush()
            with suppress(FileExistsError):  # another process was quicker
                os.link(file.name, path)
    return path.read_bytes()


def seed_of(course: Path, assignment: str) -> int:
    """Return the seed of an assignment's fresh cases: the same in every run, so that a regrade has the same cases."""
    return int.from_bytes(
        hmac.digest(secret_of(course), f"cases of {assignment}".encode(), hashlib.sha256)[:4]
    )


def pseudonym(secret: bytes, student: str) -> str:
    """Return a student's pseudonym, such as `KQ7F-2M9X`."""
    number = int.from_bytes(hmac.digest(secret, student.encode(errors="replace"), hashlib.sha256), "big")
    letters = "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def anonymous(
    records: Iterable[Record], secret: bytes, students: Iterable[Student] = ()
) -> tuple[Record, ...]:
    """Return records without names, in the order of their pseudonyms."""
    named = tuple(records)
    known = {record.student: Student(record.student) for record in named} | {one.id: one for one in students}
    clean = cleaner(known.values(), secret)
    hidden = (_anonymous(record, pseudonym(secret, record.student), clean) for record in named)
    return tuple(sorted(hidden, key=lambda record: record.student))


def _anonymous(record: Record, name: str, clean: Callable[[str], str]) -> Record:
    return replace(
        record,
        student=name,
        reason=clean(record.reason),
        submission_digest="",
        exercises={
            key: replace(judged, message=clean(judged.message)) for key, judged in record.exercises.items()
        },
        repairs=tuple(map(clean, record.repairs)),
        flags=tuple(Flag(flag.kind, clean(flag.evidence)) for flag in record.flags),
        requests=tuple(Request(one.exercise, clean(one.reason)) for one in record.requests),
    )


def cleaner(students: Iterable[Student], secret: bytes) -> Callable[[str], str]:
    """Return a function that removes these students' ids, names and addresses from a text.

    An id becomes its pseudonym; a name, an address, or a part of one becomes `[name]`. Names are found as whole words,
    in file names and `CamelCase` too, with or without accents. A word that is also a name is removed as well.
    """
    words: dict[str, str] = {}
    for student in students:
        for word in _parts(student):
            words.setdefault(word.casefold(), HIDDEN)
        if not _is_short(student.id):
            words[_composed(student.id).casefold()] = pseudonym(secret, student.id)
    if not words:
        return _composed
    pattern = re.compile(
        "|".join(map(_bounded, sorted(words, key=lambda word: (-len(word), word)))), re.IGNORECASE
    )
    return lambda text: pattern.sub(lambda found: words.get(found[0].casefold(), HIDDEN), _composed(text))


def _parts(student: Student) -> Iterator[str]:
    for text in (student.id, student.first_name, student.last_name, student.email, student.lms_user_id):
        plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
        for form in {_composed(text), plain}:  # with and without accents
            words = re.findall(r"[^\W\d_]+|\d+", form)
            yield from (word for word in (form, *words) if not _is_short(word))


def _is_short(word: str) -> bool:
    return len(word) < (_SHORT_NUMBER if word.isdecimal() else _SHORT_WORD)


def _bounded(word: str) -> str:
    """Return a pattern for a whole word; for a number, one with no digit beside it; in CamelCase, a part of a word."""
    before = r"(?<!\d)" if word[0].isdigit() else r"(?:(?<![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"
    after = r"(?!\d)" if word[-1].isdigit() else r"(?:(?![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"
    return f"{before}{re.escape(word)}{after}"


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
