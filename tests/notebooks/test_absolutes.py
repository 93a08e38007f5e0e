"""Each sentence that allows no exception stands in `absolutes.yaml`, with its reason or the test that proves it.

Read are the text cells of a lesson and of its assignment, and all that its questions say. A sentence that claims
something of every case is where a course is wrong most easily: writing its reason down is when that is noticed. A
reason that begins with `proof:` names a test, which has to exist.
"""

import re
from collections.abc import Mapping

import pytest
import yaml

from mlsd_helpers import exercises
from mlsd_helpers.exercises.questions import Estimate
from tests.notebooks.reading import flat, parts
from tools.notebooks import ROOT, pairs

REASONS = yaml.safe_load((ROOT / "tests/notebooks/absolutes.yaml").read_text(encoding="utf-8"))
UNDECIDED = "to be decided"
# Lessons whose list may still hold what is undecided: it shrinks to none.
STILL_READ = ("03_dataflow", "04_patterns", "05_capacity")

ABSOLUTE = re.compile(
    r"\b(?:always|never|whatever|cannot|impossible|(?:the|at) best|the only way|in (?:every|any) case"
    r"|(?:no|none|nobody|nothing|neither)\b[^.?!]*? can)\b",
    re.IGNORECASE,
)
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
FENCED = re.compile(r"```.*?```", re.DOTALL)
BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)|\n(?=\|)|(?<=\|)\n|\s\|\s|^\||\|$", re.MULTILINE)
END = re.compile(r"(?<=[.?!])[*_\"”)]*\s+(?=[*_\"“(`]*[A-Z0-9])")


def sentences(text):
    """Return the sentences of a text in Markdown; a cell of a table and an item of a list is one."""
    bare = LINK.sub(r"\1", FENCED.sub(" ", text)).replace("**", "")
    return [flat(sentence) for block in BLOCK.split(bare) for sentence in END.split(flat(block))]


def absolute(text):
    """Return the sentences of a text that allow no exception."""
    return [sentence for sentence in sentences(text) if ABSOLUTE.search(sentence)]


def said_by(question):
    """Return all that a question holds to be true: what it asks, the right option, and what it says of each."""
    if isinstance(question, Estimate):
        return [question.question, question.because]
    return [question.question, question.answer, *question.options.values()]


def told(topic):
    """Return each text that a lesson, its assignment and its questions show."""
    texts = [
        part.prose
        for pair in pairs()
        if pair.notebook.stem == topic
        for part in parts(pair.notebook)
        if not part.prose.startswith("## Sources")
    ]
    number = topic[:2]
    return texts + [
        text
        for question in exercises.QUESTIONS
        if question.id.startswith(number)
        for text in said_by(question)
    ]


TOPICS = sorted({pair.notebook.stem for pair in pairs()})


@pytest.mark.parametrize("topic", TOPICS)
def test_each_sentence_without_exception_has_its_reason_and_each_reason_its_sentence(topic):
    said = {sentence for text in told(topic) for sentence in absolute(text)}
    listed = set(REASONS.get(topic, ()))
    assert not said - listed, "give each its reason in absolutes.yaml, or say when it does not hold"
    assert not listed - said, "these stand in absolutes.yaml and in no text"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_reason_is_given_and_a_proof_exists(topic):
    for sentence, reason in (REASONS.get(topic) or {}).items():
        assert topic in STILL_READ or reason != UNDECIDED, sentence
        if reason.startswith("proof: "):
            file, _, name = reason.removeprefix("proof: ").partition("::")
            assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), reason


def test_a_list_names_topics_alone():
    assert isinstance(REASONS, Mapping)
    assert set(REASONS) <= set(TOPICS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It never fails. It may.", ["It never fails."]),
        ("A *cache* helps. [Nothing](glossary.md#x) here can help.", ["Nothing here can help."]),
        ("| wish | limit |\n| it is always there | none |", ["it is always there"]),
        ("- It may.\n- The best one wins.", ["- The best one wins."]),
        ("It holds\nwhatever comes.", ["It holds whatever comes."]),
        ("No wait. It can.", []),
        ("It is at most 40 ms.", []),
    ],
)
def test_a_planted_sentence_is_found(text, found):
    assert absolute(text) == found
