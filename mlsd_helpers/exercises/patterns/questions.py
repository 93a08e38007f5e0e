"""What lesson 04 asks: what a learner predicts, and questions on this lesson and those before it."""

from mlsd_helpers import formulas
from mlsd_helpers.analysis.patterns import PatternInputs, flips
from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.units import day, minute, ms

_MILLION = 1e6


def _crossover() -> float:
    runs = day / (50 * minute)
    return formulas.crossover_requests_per_day(1e6, runs, 5 / _MILLION, 10 / _MILLION, 0.5 / _MILLION) / day


def _faded() -> float:
    runs = day / (100 * minute)
    return formulas.crossover_requests_per_day(200_000, runs, 4 / _MILLION, 8 / _MILLION, 2 / _MILLION) / day


def _flip() -> float:
    below = (one for one in flips(PatternInputs()) if one.assumption.field == "max_age_s" and one.below)
    return next(below).value / minute


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="04-ask-waste",
        question="50 million users are scored each night. 5 million come, three times each. How many times as many "
        "inferences does the nightly job make as scoring each visit would?",
        unit="times",
        truth=lambda: formulas.precompute_excess(50e6, 5e6 * 3),
        because="On request, 5 × 3 = 15 million visits are scored; the table is made for 50 million users: 50 / 15. "
        "And 45 of the 50 million answers, nine in ten, are read by nobody.",
        within=0.05,
    ),
    Estimate(
        id="04-ask-crossover",
        question="From which request rate on does B cost less than A, with the prices above?",
        unit="requests/s",
        truth=_crossover,
        because="The job takes 10 of the 60 minutes, so a run starts every 50, 28.8 times a day. It "
        "costs the same however many ask: 1 million keys × 28.8 runs × $5 a million = $144 a day. "
        "Each request saves an inference less a read, $9.50 a million: 144 / 9.50 million requests a day, over "
        "86,400 s.",
        within=0.3,
    ),
    Estimate(
        id="04-ask-faded",
        question="200,000 keys, answers up to 2 h old, a job of 20 min. A million inferences cost $8 at request "
        "time and $4 in the job, a million reads $2. From which rate on is B cheaper?",
        unit="requests/s",
        truth=_faded,
        because="A period of 100 min, 14.4 runs a day: 0.2 × 14.4 × $4 = $11.52 a day, over $6 saved by a million "
        "requests; then per second.",
        within=0.03,
        to_work_out=True,
    ),
    Estimate(
        id="04-ask-age",
        question="2,000 requests/s over a million inputs. B is the cheapest while answers may be an hour old. Below "
        "which allowed age is it no longer? A guess will do.",
        unit="min",
        truth=_flip,
        because="B costs all keys × runs a day, and a shorter age means more runs. H makes only keys that are asked "
        "for more often than a run comes, and leaves the rest to A: below this age that is cheaper.",
        within=0.5,
    ),
    Estimate(
        id="04-ask-fan-out",
        question="1,000 requests/s, each ranks 500 candidates by 23 features. How many feature values are read in a "
        "second, in millions?",
        unit="million",
        truth=lambda: formulas.feature_reads_per_s(formulas.scorings_per_s(1_000, 500), 23) / _MILLION,
        because="Requests × candidates × features: 1,000 × 500 × 23. The fan-out into the feature store is strained "
        "before the rate itself is.",
        within=0.05,
    ),
    Estimate(
        id="04-ask-hits",
        question="1,000 keys, the n-th asked for 1/n as often as the first; an LRU cache for 100 of them. What share "
        "of the requests hits?",
        unit="%",
        truth=lambda: 100 * formulas.che_hit_ratio(100, 1_000, 1),
        because="Popular keys stay, so far more hit than the tenth that fits. It is less than the 69 % of requests "
        "that go to the 100 most popular keys, since LRU also makes room for what is asked for once.",
        within=0.1,
        highest=100,
    ),
    Estimate(
        id="04-ask-tail",
        question="Four in five requests hit and take 2 ms, the fifth takes 42 ms. What is the p99?",
        unit="ms",
        truth=lambda: formulas.cached_percentile_s(0.8, 2 * ms, 42 * ms, 0.99) / ms,
        because="One in five misses, so the slowest in a hundred do, and here all misses take 42 ms. The mean falls "
        "to 0.8 × 2 + 0.2 × 42 = 10 ms. Where misses vary, the p99 of all is the p95 of the misses.",
        within=0.01,
    ),
    Estimate(
        id="04-ask-ttl",
        question="A key is asked for once a minute on average, and its TTL is a minute. What share hits?",
        unit="%",
        truth=lambda: 100 * formulas.ttl_hit_ratio(1 / minute, minute),
        because="A miss fetches it; in the minute that follows comes one request on average: one hit for each miss. "
        "In general λT / (1 + λT), for independent requests at the rate λ and a TTL of T.",
        within=0.05,
        highest=100,
    ),
    Estimate(
        id="04-ask-cold",
        question="A cache hits 90 %. It is emptied. How many times its usual load does the backend get?",
        unit="times",
        truth=lambda: formulas.cold_cache_factor(0.9),
        because="It used to get one request in ten, and now it gets ten in ten.",
        within=0.01,
    ),
    Estimate(
        id="04-ask-lag",
        question="A stream stands still for 10 min. 4,500 events/s arrive; afterwards 6,000/s are read. How long "
        "until nothing waits any more?",
        unit="min",
        truth=lambda: formulas.catch_up_s(10 * minute, 4_500, 6_000) / minute,
        because="600 s × 4,500/s wait, and events go on arriving: only 6,000 − 4,500 = 1,500/s make the backlog "
        "smaller. 2,700,000 / 1,500 = 1,800 s.",
        within=0.05,
    ),
    Estimate(
        id="04-ask-sessions",
        question="The hit ratio of an LRU cache for 100 of 10,000 keys, when users come back to things?",
        unit="%",
        truth=None,
        because="What was just asked for is asked for again, and that is what LRU keeps.",
        within=0.1,
        highest=100,
    ),
    Estimate(
        id="04-ask-work",
        question="The rows 'A: on request, old features' and 'A: on request, streamed features', in our recording: "
        "how many times the CPU time does the second take for each payment?",
        unit="times",
        truth=None,
        because="A log, a consumer and a store work at every payment too. Your own machine's figures follow.",
        within=0.3,
    ),
    Recall(
        id="04-recall-fan-out",
        lesson="01 requirements",
        question="A request asks 100 shards and waits for all of them. One answer in a hundred is slow, "
        "independently. How many requests are slow?",
        options={
            "1 in 100": "That is one shard. A request waits for the slowest of a hundred.",
            "all": "Near it, and yet sometimes all hundred are fast.",
            "about 63 in 100": "All hundred have to be fast, and 0.99 to the power of 100 is about 0.37.",
        },
        answer="about 63 in 100",
    ),
    Recall(
        id="04-recall-rollback",
        lesson="02 planes",
        question="A release is bad, and the model is rolled back to the version before. What else goes back with it?",
        options={
            "the feature schema and the configuration": "They belong to a version as much as its weights do.",
            "nothing, the model was the change": "The version before may need features as they were then.",
            "the labels": "What happened has happened, whichever model was in use.",
        },
        answer="the feature schema and the configuration",
    ),
    Recall(
        id="04-recall-join",
        lesson="03 data flow",
        question="A window ends at 10:00 and is published at 10:12. Which training row may use it?",
        options={
            "a payment at 10:05": "At 10:05 nobody could read it: serving had the window before.",
            "a payment at 10:15": "It was readable by then. Join on when a value became available.",
            "both, it ends before either": "When it ends is one time, when it can be read another.",
        },
        answer="a payment at 10:15",
    ),
    Recall(
        id="04-recall-axes",
        lesson="04 patterns",
        question="A fraud model runs at each payment. It reads what a stream has counted for the card a second ago. "
        "Which pattern is that?",
        options={
            "C, since a stream is used": "The stream makes features. The answer is made when the payment asks for "
            "it.",
            "B, since the counts are made ahead": "Features are made ahead in nearly every system; the answer is "
            "not.",
            "A, with streamed features": "When the answer is made is one choice, how its features are made another.",
        },
        answer="A, with streamed features",
    ),
    Recall(
        id="04-recall-tail",
        lesson="04 patterns",
        question="A cache answers 80 % of the requests in 2 ms; misses take from 10 to 400 ms. What is the p99 of "
        "all requests?",
        options={
            "the p95 of the misses": "The slowest 1 in 100 of all are the slowest 5 in 100 of the misses.",
            "2 ms": "That is what a hit takes, and 20 in 100 are no hits.",
            "the p99 of the misses": "That is exceeded by 1 in 100 misses, which are 2 in 1,000 of all requests.",
        },
        answer="the p95 of the misses",
    ),
)
