"""What lesson 01 asks: two predictions, and three questions on lesson 00."""

from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.formulas import fan_out_tail


def _slow_percent() -> float:
    return 100 * fan_out_tail(0.01, 100)


def _stalled_percent() -> float:
    return 100 * 10 / 100


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="01-ask-fan-out",
        question="One call in a hundred is slow. A request waits for 100 of them. How many per cent of the requests"
        " are slow?",
        unit="%",
        truth=_slow_percent,
        because="The request is fast only when all the calls are: 0.99 to the power of 100. It inherits the slowest.",
        within=0.1,
    ),
    Estimate(
        id="01-ask-stall",
        question="Users ask at any moment of 100 s; the server stands still for 10 of them. How many per cent of users "
        "come while it stands still?",
        unit="%",
        truth=_stalled_percent,
        because="Users do not wait for each other. Whoever measures has to ask as they do, or misses nearly all of it.",
        within=0.1,
    ),
    Recall(
        id="01-recall-cause",
        lesson="00 start here",
        question="A disk is full, the training job stops, and predictions get worse. Is that specific to ML?",
        options={
            "yes, predictions are wrong": "That is how it shows. The same cause breaks an invoice run.",
            "yes, it is the training job": "That is where it broke. The cause does not need a model.",
            "no, any system knows it": "The cause decides, and a full disk stops any job.",
        },
        answer="no, any system knows it",
    ),
    Recall(
        id="01-recall-fallback",
        lesson="00 start here",
        question="The model gives no score for an hour. Which way is safe?",
        options={
            "open": "It lets the bad ones through, and an attacker waits for that hour.",
            "closed": "It stops the honest ones, all of them.",
            "it depends on the losses": "Weigh each way by how often it happens; what cannot be undone decides alone.",
        },
        answer="it depends on the losses",
    ),
    Recall(
        id="01-recall-silent",
        lesson="00 start here",
        question="Amounts arrive in cents instead of euros. Every answer is in time. Who notices?",
        options={
            "a monitor of errors": "There are none.",
            "a monitor of latency": "A wrong answer takes as long as a right one.",
            "a monitor of the share of decisions": "It jumps at once, with no error anywhere.",
        },
        answer="a monitor of the share of decisions",
    ),
)
