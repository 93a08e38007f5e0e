"""The mistakes that a learner made, kept in the workspace, and when each is asked about again."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from mlsd_helpers.errors import WorkspaceError
from mlsd_helpers.files import write_whole

WAITS = (1, 3, 7, 21)
"""Days until a mistake is asked about for the first, second, third and last time; a wrong answer starts anew."""

_PLACE = Path(".mlsd", "mistakes.json")


@dataclass(frozen=True)
class Past:
    """A known mistake of an exercise that the learner made, how often it was avoided since, and when it is due."""

    exercise: str
    mistake: str
    avoided: int
    due: date

    def answered(self, day: date, *, right: bool) -> "Past | None":
        """Return the mistake after a question about it, or None after the last right answer."""
        avoided = self.avoided + 1 if right else 0
        if avoided == len(WAITS):
            return None
        return replace(self, avoided=avoided, due=day + timedelta(days=WAITS[avoided]))


class Record:
    """The mistakes in the workspace that holds a folder; a ``WorkspaceError`` where the folder is in no workspace."""

    def __init__(self, folder: Path) -> None:
        around = (folder.resolve(), *folder.resolve().parents)
        place = next((one / _PLACE for one in around if (one / _PLACE.parent).is_dir()), None)
        if place is None:
            raise WorkspaceError(f"{folder} is in no workspace. Go to the folder that `mlsd lab` has made.")
        self._place = place

    def all(self) -> tuple[Past, ...]:
        """Return every mistake that is still asked about; none where the file is missing or damaged."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            entries = json.loads(self._place.read_text(encoding="utf-8"))
            return tuple(Past(**{**one, "due": date.fromisoformat(one["due"])}) for one in entries)
        return ()

    def add(self, exercise: str, mistake: str, day: date) -> None:
        """Note that a mistake was made: it is due after the first wait, whatever was answered before."""
        new = Past(exercise, mistake, 0, day + timedelta(days=WAITS[0]))
        self.put(new, new)

    def put(self, old: Past, new: Past | None) -> None:
        """Replace what is noted about a mistake; with None, forget it."""
        others = [one for one in self.all() if (one.exercise, one.mistake) != (old.exercise, old.mistake)]
        kept = [*others, *([new] if new else [])]
        entries = [{**asdict(one), "due": one.due.isoformat()} for one in kept]
        write_whole(self._place, json.dumps(entries, indent=1) + "\n")


def note(exercise: str, mistake: str) -> None:
    """Keep a mistake in mind where a learner works in a workspace; grading and other places keep nothing."""
    if "NBGRADER_EXECUTION" not in os.environ:
        with suppress(OSError):  # no workspace, or one that cannot be written to: the check goes on
            Record(Path.cwd()).add(exercise, mistake, today())


def today() -> date:
    """Return the learner's own day."""
    return datetime.now(UTC).astimezone().date()
