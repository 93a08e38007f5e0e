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
        question="An upstream job stops, and nobody watches that job. The model goes on answering from what it last "
        "wrote. Who can see it first?",
        options={
            "whoever watches the errors of the service": "No request fails: answers are on time and well-formed.",
            "whoever judges the model by new labels": "Its decisions get worse, but that shows only when labels come.",
            "whoever watches how fresh the inputs are": "Their age grows from the first missed run on.",
        },
        answer="whoever watches how fresh the inputs are",
    ),
    Recall(
        id="00-recall-inequality",
        lesson="00 start here",
        question="Which of these statements could a measurement refute?",
        options={
            "99 of 100 answers come within 300 ms": "A quantity, a comparison, a number and a unit.",
            "300 ms feel instant to every user": "Whose feeling, measured how? Nothing says when this is broken.",
            "at 500 requests/s the latency stays good": "The load has a number, the latency has none: good for whom?",
        },
        answer="99 of 100 answers come within 300 ms",
    ),
)
