"""What lesson 00 asks: two predictions, another in its assignment, and two questions to recall it by."""

from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.exercises.start.incidents import SHOWN, classify

_FIRST_ERRORS_MIN, _MOSTLY_BACK_MIN = 11 * 60 + 20, 14 * 60 + 30


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="00-ask-outage",
        question="How many minutes passed from the first errors until most traffic flowed again?",
        unit="min",
        truth=lambda: _MOSTLY_BACK_MIN - _FIRST_ERRORS_MIN,
        because="First failures at 11:20, most traffic back at 14:30 (UTC), by the text of the report [1]: three hours "
        "and ten minutes. Errors came and went, and an attack was suspected first.",
        within=0.25,
    ),
    Estimate(
        id="00-ask-cents",
        question="Which share of the payments is asked for a code now?",
        unit="%",
        truth=None,
        because="In cents each amount is a hundred times the number that it was, and nearly every one is above a limit "
        "that was made for euros. Nothing fails: a number came, and the rule compared it.",
        within=0.05,
    ),
    Estimate(
        id="00-ask-share",
        question="Twelve incidents follow. How many of the twelve will be specific to machine learning?",
        unit="incidents",
        truth=lambda: len(classify(SHOWN)["ml_specific"]),
        because="So most of these are not. They are invented after what was found at Google: of a decade of outages of "
        "one large ML pipeline, the majority were not ML-specific (Papasian and Underwood, OpML 2020).",
        within=0.01,
        highest=12,
    ),
    Recall(
        id="00-recall-plane",
        lesson="00 start here",
        question="An upstream job fails, and the model goes on answering from old features. Who can see it first?",
        options={
            "whoever watches errors": "There are none: answers are on time and well-formed. They rest on old features.",
            "whoever retrains the model": "The model is as good as it was. What it is fed is not.",
            "whoever watches the age of features": "It grows from the first missed run on; nothing else changes yet.",
        },
        answer="whoever watches the age of features",
    ),
    Recall(
        id="00-recall-inequality",
        lesson="00 start here",
        question="Which of these statements could a measurement refute?",
        options={
            "99 of 100 answers come within 300 ms": "A quantity, a comparison, a number and a unit.",
            "answers feel instant": "Whose feeling, measured how? No measurement says when this is broken.",
            "mean latency is good": "A quantity without a number: good for whom?",
        },
        answer="99 of 100 answers come within 300 ms",
    ),
)
