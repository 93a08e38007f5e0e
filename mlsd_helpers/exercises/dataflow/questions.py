"""What lesson 03 asks: what a learner predicts, and questions on the lessons before it."""

from mlsd_helpers import formulas
from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.formulas import Stage

# Minutes throughout: the formulas add times and do not care which.
_HOURLY = (Stage(period_s=60, delay_s=3), Stage(delay_s=12), Stage(delay_s=1), Stage(ttl_s=2))
_FIFTEEN = (Stage(period_s=15, delay_s=4.5), Stage(ttl_s=0.5))
_CHAIN = (Stage(period_s=15, delay_s=2), Stage(period_s=60, delay_s=12))


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="03-ask-hourly",
        question="Hourly; 3 min to export, 12 to compute, 1 to load; a cache of 2 min. How old at its worst?",
        unit="min",
        truth=lambda: formulas.age_bounds(_HOURLY).worst_s,
        because="A payment just misses one run and waits a period for the next; then come the delays and the cache: "
        "60 + 3 + 12 + 1 + 2 = 78.",
        within=0.02,
    ),
    Estimate(
        id="03-ask-stale",
        question="Every 15 min, delays of 4.5, a cache of 0.5. What share of reads is older than 15 min?",
        unit="%",
        truth=lambda: 100 * formulas.share_stale(_FIFTEEN, 15),
        because="4.5 of delay, up to 15 since the run, and up to 0.5 in the cache, 0.25 on average. So of each 15 "
        "minutes the last 4.5 + 0.25 = 4.75 are stale: 4.75 / 15.",
        within=0.2,
        highest=100,
    ),
    Estimate(
        id="03-ask-period",
        to_work_out=True,
        question="An age limit of 40 min, delays of 9, a cache of 5: the longest period that keeps the limit?",
        unit="min",
        truth=lambda: formulas.largest_period_s([Stage(delay_s=9), Stage(ttl_s=5)], 40),
        because="Delays and cache take their part of the limit first; the schedule gets what they leave: 40 − 9 − 5.",
        within=0.001,
    ),
    Estimate(
        id="03-ask-chain",
        question="Every 15 min with 2 of delay, read by an hourly job of 12: how old at its worst?",
        unit="min",
        truth=lambda: formulas.age_bounds(_CHAIN).worst_s,
        because="Nobody lines the two clocks up, so data may just miss the one and then just miss the other: "
        "15 + 2 + 60 + 12 = 89.",
        within=0.02,
    ),
    Estimate(
        id="03-ask-outage",
        question="The hourly job misses two runs, and the store serves its last value. How old at its worst?",
        unit="min",
        truth=lambda: formulas.worst_age_in_outage_s(_HOURLY, 120),
        because="Data age by an hour each hour while nothing new arrives: 78 + 2 × 60 = 198. Every read still "
        "succeeds.",
        within=0.02,
    ),
    Estimate(
        id="03-ask-dead",
        question="The job runs every 3 s and is killed; for 5 s more, requests read what it made. How old may the "
        "oldest data be that they read?",
        unit="s",
        truth=lambda: 3.0 + 5.0,
        because="Just before a run the data are a period old; with the job dead they age by a second a second: 3 + 5 = "
        "8. No request fails: a store answers with what it has, and does not know that nothing new comes.",
    ),
    Estimate(
        id="03-ask-canary",
        question="The AUC of the same feature, joined by when it became readable?",
        unit="",
        truth=None,
        because="Joined right, it holds an earlier outcome of the card, which says nothing here: a half is chance.",
        highest=1,
    ),
    Estimate(
        id="03-ask-recall",
        question="What share of the fraud is flagged when the feature is 15 minutes old?",
        unit="%",
        truth=None,
        because="30 payments, 72 s apart on average, take a thief about 36 minutes. For the first 15 of them, and "
        "until three payments are counted, the old count shows the card before the theft; later payments are "
        "flagged.",
        within=0.2,
        highest=100,
    ),
    Recall(
        id="03-recall-p99",
        lesson="01 requirements",
        question="Two calls in a row each answer within 46 ms in 99 % of requests. What is certain of both together?",
        options={
            "99 % within 92 ms": "Being slow in either is enough, and that may be nearly 2 % of requests.",
            "nothing": "Each is late for at most 1 % of requests, so at most 2 % exceed the sum.",
            "98 % within 92 ms": "Each is late for at most 1 % of requests, so at most 2 % are late in either.",
        },
        answer="98 % within 92 ms",
    ),
    Recall(
        id="03-recall-log",
        lesson="02 planes",
        question="Labels arrive after 30 days. What has to be stored when a payment is scored?",
        options={
            "the score": "The score alone does not tell which features and which model led to it.",
            "features, score and model version": "Then labels can be joined to exactly what the model saw.",
            "nothing, the store keeps the features": "It keeps what they are now; the model saw what they were then.",
        },
        answer="features, score and model version",
    ),
    Recall(
        id="03-recall-limit",
        lesson="03 data flow",
        question="A job every 10 minutes with 4 minutes of delays, behind a cache of 2 minutes. The age limit is 15 "
        "minutes. Is it kept?",
        options={
            "yes, the job runs more often than the limit asks": "The period is one part of the age: delays and the "
            "cache come on top.",
            "yes, on average": "The mean is about 10 minutes; the limit is on the oldest that is read.",
            "no, it may be 16 minutes old": "Period, delays and TTL: 10 + 4 + 2. A run every 9 minutes would keep "
            "it.",
        },
        answer="no, it may be 16 minutes old",
    ),
    Recall(
        id="03-recall-watch",
        lesson="03 data flow",
        question="A job runs on time and publishes the data of yesterday again. Which measurement shows it?",
        options={
            "now minus the newest event time in what serving reads": "It is the age itself, so it goes on growing.",
            "the time since the last publication": "It starts from zero again: the job has just published.",
            "the share of reads that fail": "Every read succeeds: the value is there, and old.",
        },
        answer="now minus the newest event time in what serving reads",
    ),
)
