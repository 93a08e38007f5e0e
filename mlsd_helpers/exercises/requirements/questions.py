"""What lesson 01 asks: predictions, a faded example, and five questions on lesson 00.

A truth is rounded as the lesson prints it: who works it out is right, not close.
"""

from mlsd_helpers import formulas
from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.exercises.requirements.traffic import REPEATED, week
from mlsd_helpers.units import hour, ms

AGES_MIN = (3, 14, 15, 8, 22, 15, 11, 61, 2, 9)
"""How old a count was, in minutes, each time that it was read."""


def _true_alarms() -> float:
    precision = formulas.precision_at_base_rate(0.001, true_positive_rate=0.9, false_positive_rate=0.01)
    return round(100 * precision, 1)


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="01-ask-alarms",
        question="One payment in a thousand is fraud. A model catches 90 % of the fraud, and raises a false alarm on "
        "1 % of the honest payments. Of 100 alarms, how many are fraud?",
        unit="",
        truth=_true_alarms,
        because="Honest payments are a thousand times as many, so a hundredth of them outnumbers nearly all of the "
        "fraud. A rare event wants its base rate written down beside its precision and recall.",
        within=0.15,
    ),
    Estimate(
        id="01-ask-faded",
        question="It was agreed that the age of a count is below 15 min, at every read. How many of the ten reads "
        "break that?",
        unit="",
        truth=lambda: float(sum(age >= 15 for age in AGES_MIN)),
        because="Below is strict: the two that are exactly 15 min old break it too. One of them is enough to break an "
        "inequality about every read.",
        within=0,
    ),
    Estimate(
        id="01-ask-mean",
        question="95 of 100 requests take 20 ms. How slow may the other five be, each, before the mean breaks a "
        "promise of 100 ms?",
        unit="ms",
        truth=lambda: (100 * 100 - 95 * 20) / 5,
        because="The 95 use 1,900 of the 10,000 ms that a hundred requests may take in all; the rest is for five. The "
        "mean keeps a promise that it makes to nobody in particular.",
    ),
    Estimate(
        id="01-ask-serial",
        question="Two steps follow each other, independently; each is exponential (many short, some long) with a "
        "mean of 10 ms, which gives it a p99 of 46 ms. What is the p99 of both together?",
        unit="ms",
        truth=lambda: round(formulas.sum_of_exponentials_percentile_s([10 * ms, 10 * ms], 0.99) / ms, 1),
        because="Exponential steps are rarely slow together, so here both take less than the p99s added.",
        within=0.05,
    ),
    Estimate(
        id="01-ask-fan-out",
        question="One call in a hundred is slow. A page waits for 100 of them. How many per cent of pages are slow?",
        unit="%",
        truth=lambda: round(100 * formulas.fan_out_tail(0.01, 100), 1),
        because="The page is fast only when all its calls are: 0.99 to the power of 100. It inherits the slowest.",
        within=0.1,
    ),
    Estimate(
        id="01-ask-peak",
        question="Which peak would you plan for, in requests a second?",
        unit="/s",
        truth=lambda: round(formulas.peak_of_trace(week(), hour, REPEATED).peak_rps),
        because="At one on Sunday the clocks went back, and that hour came twice: its count is two hours' worth. The "
        "busiest hour that lasted an hour is on Saturday evening.",
        within=0.05,
    ),
    Estimate(
        id="01-ask-scorings",
        question="200 searches a second each rank 500 candidates. How often is the model run in a second?",
        unit="/s",
        truth=lambda: formulas.scorings_per_s(200, 500),
        because="A ranking scores each candidate. Requests are what users send; scorings are what machines do.",
        within=0.01,
    ),
    Estimate(
        id="01-ask-busy",
        question="A replica, one copy of a server, takes 40 ms for a payment, so it can do 25 a second. 24 a second "
        "arrive, by chance, and times vary (exponential). How long does a payment take on average, waiting included?",
        unit="ms",
        truth=lambda: round((40 * ms + formulas.mg1_mean_wait_s(24, 40 * ms, service_scv=1)) / ms),
        because="The time is the service time over what is left idle: 40 ms over 4 %. At 25 a second the queue has no "
        "end. One over the latency is a limit, not a load.",
        within=0.15,
    ),
    Estimate(
        id="01-ask-stall",
        question="A load test asks every tenth of a second, and never before its last question was answered. How many "
        "requests does it send into the ten seconds in which the server stands still?",
        unit="requests",
        truth=lambda: 1,
        because="It waits with its first one until the stall is over. A clock would have sent a hundred: whoever "
        "measures has to ask as users do, who do not wait for each other.",
        within=0,
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
    Recall(
        id="01-recall-plane",
        lesson="00 start here",
        question="A generated feature file grew beyond what its readers could hold. Where could that first have been "
        "caught?",
        options={
            "serving, where it failed": "Each reader can protect itself, after the file has reached it.",
            "data, where the file is made": "A check of its size before it leaves catches the first one.",
            "monitoring, by its alert": "It saw the errors when customers did.",
        },
        answer="data, where the file is made",
    ),
    Recall(
        id="01-recall-assumption",
        lesson="00 start here",
        question="When does a hidden assumption cost least?",
        options={
            "when it is said in the design session": "There it costs a sentence, and somebody can check it.",
            "when the model is validated": "By then the data were collected and the features were built on it.",
            "when monitoring finds it": "By then users found it too.",
        },
        answer="when it is said in the design session",
    ),
)
