"""What a senior reviewer wrote on a first draft, and which of it the rules say.

After a change of the rules, ``python -m tests.cases.remarks`` lists for each remark the findings on its draft that are
nearest, and the codes in ``rules`` that find nothing; ``rules`` and ``FOUND`` are then filled in by hand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlsd_helpers.design import Design, load_design
from mlsd_helpers.review import Finding, review

HERE = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in (HERE / "drafts").glob("*.yaml")))
NEAREST = 4
WORD = re.compile(r"[a-z_]{4,}")


@dataclass(frozen=True)
class Remark:
    """One sentence of the reviewer, the paths of the fields that carry it, and the codes of the rules that say it."""

    id: str
    remark: str
    where: tuple[str, ...]
    rules: frozenset[str]

    def is_said(self, findings: tuple[Finding, ...]) -> bool:
        return any(finding.code in self.rules for finding in findings)

    def distance(self, finding: Finding) -> tuple[int, int]:
        """Return how far a finding is: by the steps of its path that differ, then by the words that both use."""
        words = set(WORD.findall(self.remark.lower())) & set(
            WORD.findall(f"{finding.message} {finding.fix}".lower())
        )
        return -max(_shared(finding.where, place) for place in self.where), -len(words)


def _shared(path: str, other: str) -> int:
    """Count the steps that two paths share from the start."""
    steps = list(zip(path.split("."), other.split("."), strict=False))
    return next((n for n, (one, two) in enumerate(steps) if one != two), len(steps))


def draft(name: str) -> Design:
    return load_design(HERE / "drafts" / f"{name}.yaml")


def remarks(name: str) -> tuple[Remark, ...]:
    text = (HERE / "reviews" / f"{name}.yaml").read_text(encoding="utf-8")
    return tuple(
        Remark(one["id"], one["remark"], tuple(one["where"]), frozenset(one["rules"]))
        for one in yaml.safe_load(text)["remarks"]
    )


def table(name: str) -> Iterator[str]:
    """Yield each remark of a review with the rules that say it, or the findings that come nearest."""
    findings, written = review(draft(name)), remarks(name)
    said = sum(one.is_said(findings) for one in written)
    yield f"{name}: {said} of {len(written)} remarks are said"
    codes = {finding.code for finding in findings}
    for one in written:
        yield f"\n{'said  ' if one.is_said(findings) else 'UNSAID'} {one.id}: {one.remark}"
        if one.rules - codes:
            yield f"    finds nothing: {', '.join(sorted(one.rules - codes))}"
        for finding in sorted(findings, key=one.distance)[:NEAREST]:
            mark = "*" if finding.code in one.rules else " "
            yield f"  {mark} {finding.code} {finding.where}: {finding.message}"


if __name__ == "__main__":
    for name in NAMES:
        print(*table(name), "", sep="\n")
