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
        question="How many of the 10,000 payments still pass without a code now?",
        unit="payments",
        truth=None,
        because="In cents each amount is a hundred times the number that it was, and nearly every one is above a limit "
        "that was made for euros. Nothing fails: a number came, and the rule compared it.",
        within=0.5,
        highest=10_000,
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
        question="For a tenth of the users a new version answers worse, and somebody was called. Which plane takes the "
        "version back?",
        options={
            "monitoring": "It has noticed, and called somebody. It does not decide what runs.",
            "training": "It makes the next model, which takes longer than to go back to the last one.",
            "control": "It decides what runs: it releases a version step by step, and takes it back.",
        },
        answer="control",
    ),
    Recall(
        id="00-recall-question",
        lesson="00 start here",
        question="A report says: 'While the scorer was down, nobody could pay, and nobody had meant it so.' Which "
        "question, asked in the design session, would have found that?",
        options={
            "How old may a feature be when the model reads it?": "That is about data that come late. No answer came.",
            "When this part does not answer, what happens instead?": "Then somebody would have had to choose what.",
            "Within what time must an answer come?": "That says when it is too late, not what is done without one.",
        },
        answer="When this part does not answer, what happens instead?",
    ),
)
