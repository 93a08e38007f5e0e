"""What the working tree was before: its last commit, and what `make fix` saw last.

`make fix` remembers in a file that git keeps for itself, in no commit and in no clone. Without git there is no past.
"""

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

_MEMORY = "mlsd-fix.json"


def digest(*texts: str) -> str:
    """Return a short name for texts: equal for equal ones."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Past:
    """The past of a folder; `memory` holds a digest for each name."""

    root: Path
    memory: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> "Past":
        """Read the past of a folder."""
        past = cls(root)
        place = past._place()
        if place and place.is_file():
            past.memory.update(json.loads(place.read_text(encoding="utf-8")))
        return past

    def remember(self) -> None:
        """Write the memory down, where there is a git to keep it."""
        if place := self._place():
            place.write_text(json.dumps(self.memory, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def committed(self, path: Path) -> str | None:
        """Return a file as the last commit has it, if it does."""
        return self._git("show", f"HEAD:./{self._name(path)}")

    def touched_last(self, *paths: Path) -> list[Path]:
        """Return which of some files the last commit that changed any of them has changed."""
        listed = self._git("log", "-1", "--format=", "--name-only", "--relative", "--", *self._names(paths))
        return [path for path in paths if self._name(path) in (listed or "").splitlines()]

    def changed_since(self, path: Path, *others: Path) -> bool:
        """Tell whether other files or folders differ from the commit that changed a file last."""
        commit = (self._git("log", "-1", "--format=%H", "--", self._name(path)) or "").strip()
        if not commit:
            return True
        names = self._names(others)
        new = self._git("ls-files", "--others", "--exclude-standard", "--", *names)
        return bool(new) or self._git("diff", "--quiet", commit, "--", *names) is None

    def _place(self) -> Path | None:
        found = self._git("rev-parse", "--git-path", _MEMORY)
        return self.root / found.strip() if found else None

    def _names(self, paths: tuple[Path, ...]) -> list[str]:
        return [self._name(path) for path in paths]

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _git(self, *words: str) -> str | None:
        git = shutil.which("git")
        if not git:
            return None
        done = subprocess.run(  # noqa: S603 - our own words
            [git, *words], cwd=self.root, capture_output=True, encoding="utf-8", check=False
        )
        return done.stdout if done.returncode == 0 else None
