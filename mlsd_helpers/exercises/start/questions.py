"""What lesson 00 asks: a prediction, another in its assignment, and two questions to recall it by."""

from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.exercises.start.incidents import SHOWN, classify

_FIRST_ERRORS_MIN, _MOSTLY_BACK_MIN = 11 * 60 + 20, 14 * 60 + 30


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="00-ask-outage",
        question="How many minutes passed from the first errors until most traffic flowed again?",
        unit="min",
        truth=lambda: _MOSTLY_BACK_MIN - _FIRST_ERRORS_MIN,
        because="First errors at 11:20, most traffic back at 14:30 (UTC). Finding out what it was took most of it.",
        within=0.25,
    ),
    Estimate(
        id="00-ask-share",
        question="Twelve incidents follow. How many of them will be specific to machine learning?",
        unit="incidents",
        truth=lambda: len(classify(SHOWN)["ml_specific"]),
        because="So most are not. At Google it was the same: the majority of a decade of outages of one large ML "
        "pipeline were not ML-specific.",
        within=0.01,
    ),
    Recall(
        id="00-recall-plane",
        lesson="00 start here",
        question="An upstream job fails, and the model goes on answering from old features. Who can see it first?",
        options={
            "whoever watches errors": "There are none: every answer is on time, well-formed, and old.",
            "whoever watches the age of features": "It grows from the first missed run on; nothing else changes yet.",
            "whoever retrains the model": "The model is as good as it was. What it is fed is not.",
        },
        answer="whoever watches the age of features",
    ),
    Recall(
        id="00-recall-inequality",
        lesson="00 start here",
        question="Which of these can a test fail?",
        options={
            "answers feel instant": "Whose feeling, measured how? Nothing that is built can fail this.",
            "mean latency is good": "A quantity, and no number: good for whom?",
            "p99 latency <= 300 ms": "A quantity, a comparator, a number and a unit.",
        },
        answer="p99 latency <= 300 ms",
    ),
)
