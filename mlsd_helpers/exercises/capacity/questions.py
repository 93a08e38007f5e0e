"""What lesson 05 asks: what a learner predicts, and questions on this lesson and those before it."""

from mlsd_helpers import formulas
from mlsd_helpers.exercises.questions import Estimate, Question, Recall
from mlsd_helpers.units import GB, ms

_LLAMA_3_8B_WEIGHTS = 16.06 * GB
_LLAMA_3_8B_KV = (32, 8, 128, 2)  # layers, KV heads, head dimension, bytes per value

_PRICE_PER_HOUR = 0.20  # as in the worked design of Harbour Pay


def _sequences() -> float:
    per_token = formulas.kv_cache_bytes_per_token(*_LLAMA_3_8B_KV)
    return formulas.concurrent_sequences(80 * GB, _LLAMA_3_8B_WEIGHTS, per_token, 4096, 0.9)


QUESTIONS: tuple[Question, ...] = (
    Estimate(
        id="05-ask-rule",
        to_work_out=True,
        question="How many replicas will the rule order for 500 requests/s of 40 ms each?",
        unit="replicas",
        truth=lambda: formulas.replicas(500, 40 * ms, 0.7, 0.3),
        because="500 × 0.040 = 20 are busy at any moment; 20 / 0.7 = 28.6 so that each is busy 70 % of the time; 30 "
        "% more is 37.1; round up, once.",
    ),
    Estimate(
        id="05-ask-routing",
        question="The p99 of the response, when each request goes to one of 29 replicas at random?",
        unit="ms",
        truth=lambda: formulas.random_split_response_percentile_s(29, 500, 40 * ms, 0.99) / ms,
        because="At random, some replicas have a queue while others are idle, and a request stays in the queue that "
        "it got. Each replica is then a queue of its own (M/M/1: Poisson, exponential, one server) with 500 / 29 "
        "requests a second: p99 = ln 100 / (25 − 17.2) = 594 ms.",
        within=0.25,
    ),
    Estimate(
        id="05-ask-large",
        question="1,000 requests/s of 50 ms. How many replicas keep the p99 of the wait within 25 ms?",
        unit="replicas",
        truth=lambda: formulas.servers_for_wait(1_000, 50 * ms, 25 * ms, 0.99),
        because="In a large fleet the ups and downs cancel, so it can run hotter and still answer in time, as long "
        "as the load is known. The rule orders 93.",
    ),
    Estimate(
        id="05-ask-zone",
        question="38 replicas in three zones lose the fullest zone at the peak. How busy are the others?",
        unit="%",
        truth=lambda: 100 * formulas.utilisation(38 - 13, 500, 40 * ms),
        because="13 of the 38 are gone, and the load is not: 20 / 25. The target of 70 % no longer holds.",
        within=0.005,
    ),
    Estimate(
        id="05-ask-queue",
        question="800 requests/s arrive, 725 are served, and help comes after 120 s. How many requests queue?",
        unit="requests",
        truth=lambda: formulas.surge_backlog(800, 725, 120),
        because="What arrives less what is served, for as long as the help takes: (800 − 725) × 120.",
    ),
    Estimate(
        id="05-ask-price",
        question=f"38 replicas at ${_PRICE_PER_HOUR:.2f} an hour are sized for 500 requests/s and get 200 on average. "
        "What do 1,000 answers cost?",
        unit="cents",
        truth=lambda: 100 * formulas.cost_per_thousand_predictions(38, _PRICE_PER_HOUR, 200),
        because="The fleet is paid for at its peak size all day; the answers come at the mean rate: "
        "38 × $0.20 / (200 × 3,600) × 1,000.",
        within=0.15,
    ),
    Estimate(
        id="05-ask-sequences",
        question="80 GB, nine tenths usable, 16 GB of weights: how many sequences of 4,096 tokens run at once?",
        unit="sequences",
        truth=_sequences,
        because="A token keeps 131,072 bytes, a sequence of 4,096 tokens 0.54 GB: (80 × 0.9 − 16.06) / 0.537.",
        within=0.25,
    ),
    Estimate(
        id="05-ask-inflight",
        to_work_out=True,
        question="5.53 requests/s, each for 211 tokens at 25 ms: how many sequences run at once?",
        unit="sequences",
        truth=lambda: formulas.sequences_in_flight(5.53, 211, 25 * ms),
        because="Each stays 211 × 0.025 = 5.3 s, and 5.53 come a second: 29.2 at once, by Little's law.",
        within=0.03,
    ),
    Estimate(
        id="05-ask-bursts",
        question="How many times as long is the p99 with the bursty trace?",
        unit="times",
        truth=None,
        because="At 2.57 requests/s, an index of burstiness of 13.2 means counts that spread by more than twice their "
        "mean: a whole burst waits for itself. The ratio is that of the two traces drawn above.",
        within=0.3,
    ),
    Estimate(
        id="05-ask-machine",
        question="A service with nearly constant times, 70 % busy, in our recording: the measured p99 is how many "
        "times the simulated one? (One run, of which the interval is wide.)",
        unit="times",
        truth=None,
        because="The simulation knows the service's times and its arrivals. It does not know the neighbours of the "
        "process, nor that a server works on several requests in turn. The measured p99 rests on one run: look at its "
        "interval before you trust the ratio.",
        within=0.5,
    ),
    Recall(
        id="05-recall-mean",
        lesson="01 requirements",
        question="95 requests take 20 ms and 5 take 400 ms. Does the service keep a p99 of 100 ms?",
        options={
            "no, the p99 is 400 ms": "Five in a hundred are slow, so the slowest one in a hundred is.",
            "yes, the mean is 39 ms": "The mean hides just the requests that users complain about.",
            "yes, 95 % are faster": "That is a statement about the p95. The budget is on the p99.",
        },
        answer="no, the p99 is 400 ms",
    ),
    Recall(
        id="05-recall-plane",
        lesson="02 planes",
        question="The feature store is read by the model server on every request. In which plane is it?",
        options={
            "serving": "Serving calls it. A plane is what a part is responsible for, not who calls it.",
            "control": "Control decides what runs: deployment, retraining, rollback.",
            "data": "It is responsible for features: their definition, their age, their history.",
        },
        answer="data",
    ),
    Recall(
        id="05-recall-age",
        lesson="03 data flow",
        question="A job runs every 15 minutes and takes 5 to become readable. Is a feature 15 minutes fresh?",
        options={
            "yes, the period is 15 minutes": "Just before the next result is readable, the old one is 20 minutes "
            "old.",
            "no, it may be 20 minutes old": "The worst age is the period plus every delay.",
            "yes, on average": "The mean age is within 15 minutes; the requirement is on the worst one.",
        },
        answer="no, it may be 20 minutes old",
    ),
    Recall(
        id="05-recall-pattern",
        lesson="04 patterns",
        question="2,000 requests/s for 10,000 keys, and an answer may be a day old. Which pattern first?",
        options={
            "B, pre-computed": "Few keys, all known in advance, a day of freshness: compute each once, and look it "
            "up.",
            "A, request-time": "It works, and computes each answer thousands of times a day.",
            "C, streaming": "Streaming buys freshness that nobody asked for. The rate alone decides nothing.",
        },
        answer="B, pre-computed",
    ),
    Recall(
        id="05-recall-forecast",
        lesson="05 capacity",
        question="500 replicas are busy at the forecast peak, and 509 keep the wait short. The peak comes 2 % "
        "higher. What happens?",
        options={
            "nearly nothing: large fleets smooth their traffic": "They smooth the chance of single requests. A "
            "forecast that is too low is too low for all of them.",
            "the wait doubles": "510 are needed and 509 are there: there is no steady wait to double.",
            "the queue grows for as long as the peak lasts": "500 × 1.02 = 510 busy, and 509 replicas: more comes in "
            "than goes out. Spare for the forecast's error grows with the load, not with its root.",
        },
        answer="the queue grows for as long as the peak lasts",
    ),
    Recall(
        id="05-recall-headroom",
        lesson="05 capacity",
        question="A fleet of three zones is sized so that two of them carry the peak at 70 %. What does a rolling "
        "restart need on top, on a day when no zone is lost?",
        options={
            "30 % more": "The third zone's share of the replicas is there, and on that day its work is all that the "
            "restart has to spread over the others; a quarter is fewer than a zone.",
            "nothing": "A quarter down is less than a third down. Both at once would be another matter, to be named "
            "and paid.",
            "a second fleet": "That is one way to deploy, and not what a restart needs.",
        },
        answer="nothing",
    ),
)
