"""Each pattern, with its real server: it answers as the model does, and refuses what it cannot read."""

import http.client
import json
import time

import numpy as np
import pytest

from mlsd_helpers.testbed import model
from mlsd_helpers.testbed.logs import Event, open_log
from mlsd_helpers.testbed.payments import CARDS, asked
from mlsd_helpers.testbed.running import start

pytestmark = pytest.mark.processes

SERVICES = {
    "scikit-learn": {"engine": "sklearn"},
    "micro-batches": {"batching": (8, 0.002)},
    "cache in the process": {"cache": "memory"},
    "cache in Redis": {"cache": "redis"},
    "pre-computed": {"pattern": "pre-computed", "job_every_s": 600},
    "by event": {"pattern": "by-event"},
    "stream of Redis": {"pattern": "streaming", "stream": "redis"},
    "stream of SQLite": {"pattern": "streaming", "stream": "sqlite"},
}
PAYMENT = {"card": 1, "merchant": 2, "amount": 3.5, "online": True}


@pytest.fixture(scope="module", params=SERVICES.values(), ids=SERVICES.keys())
def service(request):
    with start(**request.param) as running:
        yield running


def post(service, body, path="/score"):
    """Send a body as it is, and return the status and the answer."""
    connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_service_returns_the_scores_of_the_model_called_directly(service):
    if service.pattern in {"streaming", "by-event"}:
        service.kill(
            service.pattern.replace("-", "_").replace("streaming", "stream")
        )  # so that no payment is known of when the next is asked about
    settings = {"rate_rps": 200, "lasts_s": 0.5, "seed": 2, "fraud_share": 0.0, "repeats": 0.5}
    load = service.load(**settings)
    stream = asked(settings)
    rows = [model.known(service.pattern, stream.question(place), [], 0.0) for place in range(len(stream))]
    assert not load.failed
    assert np.array(load.scores) == pytest.approx(model.train().score(rows), abs=1e-5)


BAD = {
    "no JSON": (b"card=1&amount=3", 422),
    "half of it": (json.dumps(PAYMENT).encode()[:20], 422),
    "not UTF-8": (b'{"card": "\xff"}', 400),
    "nothing": (b"", 422),
    "a list": (b"[1, 2]", 422),
    "deep": (
        b"[" * 2_000,
        (400, 422),
    ),  # the parser gives up at its depth, which Pythons differ in, or at its end
    "a field too few": (json.dumps({"card": 1}).encode(), 422),
    "a field too many": (json.dumps(PAYMENT | {"name": "x"}).encode(), 422),
    "a text for a number": (json.dumps(PAYMENT | {"amount": "3.5"}).encode(), 422),
    "not a number": (json.dumps(PAYMENT | {"amount": float("nan")}).encode(), 422),
    "a negative amount": (json.dumps(PAYMENT | {"amount": -1}).encode(), 422),
    "an unknown merchant": (json.dumps(PAYMENT | {"merchant": 10**6}).encode(), 422),
    "an unknown card": (json.dumps(PAYMENT | {"card": CARDS}).encode(), 404),
    "a card beyond any": (json.dumps(PAYMENT | {"card": 10**30}).encode(), 404),
    "a large body": (json.dumps(PAYMENT | {"name": "x" * 10_000}).encode(), 413),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_request_is_refused_and_the_next_good_one_answered(service, bad):
    body, status = BAD[bad]
    found, words = post(service, body)
    assert found in (status if isinstance(status, tuple) else (status,)), words
    assert json.loads(words)["detail"]
    assert 0 <= service.score(**PAYMENT)["score"] <= 1


def test_a_body_without_a_length_and_a_wrong_address_are_refused(service):
    assert post(service, iter([b"{}"]))[0] == 411
    assert post(service, b"{}", path="/elsewhere")[0] == 404
    assert 0 <= service.score(**PAYMENT)["score"] <= 1


# ---------------------------------------------------------------- what only one pattern has


@pytest.mark.parametrize("stream", ["redis", "sqlite"])
def test_a_streaming_service_knows_what_the_card_has_just_done(stream):
    card = 1234
    question = PAYMENT | {"card": card}
    with start("streaming", stream=stream) as service:
        before = service.score(**question)["score"]
        now_s = time.time()
        events = [Event(now_s - 5 + place, card, place % 9, 40.0) for place in range(6)]
        open_log(service.log).append(events)
        while service.lag():
            time.sleep(0.01)
        found = service.score(**question)["score"]
    recent = [(event.at_s, event.amount, event.merchant) for event in events]
    rows = [model.known("streaming", question, recent, now_s + late_s) for late_s in np.arange(0, 5, 0.01)]
    assert np.abs(model.train().score(rows) - found).min() < 1e-5
    assert found > 3 * before


def test_an_answer_made_at_each_payment_knows_the_card_and_not_the_payment_that_asks():
    card = 1234
    with start("by-event") as service:
        before = service.score(**PAYMENT | {"card": card})["score"]
        now_s = time.time()
        open_log(service.log).append([Event(now_s - 5 + place, card, place % 9, 40.0) for place in range(6)])
        ends_s = time.monotonic() + 10
        while (after := service.score(**PAYMENT | {"card": card})["score"]) == before:
            assert time.monotonic() < ends_s
            time.sleep(0.01)
        other = service.score(**PAYMENT | {"card": card, "amount": 900.0})["score"]
    assert after > 3 * before
    assert other == after


def test_a_cached_answer_grows_old_and_stays_the_same():
    with start("request-time", cache="memory") as service:
        first = service.score(**PAYMENT)
        time.sleep(0.2)
        again = service.score(**PAYMENT)
        other = service.score(**PAYMENT | {"card": 2})
    assert first["age_s"] is None
    assert again["age_s"] >= 0.2
    assert again["score"] == first["score"] != other["score"]
