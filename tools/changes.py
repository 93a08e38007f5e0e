"""Print what CHANGELOG.md says of the version that a tag names: `make dist TAG=v1.2.3` does it."""

import re
import sys
from pathlib import Path

import mlsd_helpers

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def sections(text: str) -> dict[str, str]:
    """Return what stands under each heading of a version, newest first."""
    _, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {heading: body.strip() for heading, body in zip(parts[::2], parts[1::2], strict=True)}


def notes(tag: str, version: str, text: str) -> str:
    """Return the notes of a tagged version, or raise ValueError for what has to be mended before it is released."""
    if tag != f"v{version}":
        raise ValueError(
            f"The tag is {tag}, and mlsd_helpers.__version__ is {version}: the tag has to be v{version}."
        )
    found = sections(text)
    if found.get("Unreleased"):
        raise ValueError(f"CHANGELOG.md has entries under Unreleased. Move them under {version}.")
    if not found.get(version):
        raise ValueError(f"CHANGELOG.md has no entry for {version}.")
    return found[version]


if __name__ == "__main__":
    try:
        print(notes(sys.argv[1], mlsd_helpers.__version__, CHANGELOG.read_text(encoding="utf-8")))
    except ValueError as error:
        sys.exit(str(error))
