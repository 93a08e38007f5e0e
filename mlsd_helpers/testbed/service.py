"""The service of every pattern: FastAPI on uvicorn, in a process of its own. `python -m mlsd_helpers.testbed.service`.

It answers one question, POST /score: how likely is this payment fraud, and how old is what that is made from?
What it cannot read, it refuses with a 4xx; it never guesses.
"""

import asyncio
import json
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from mlsd_helpers.testbed import child, model
from mlsd_helpers.testbed.logs import RedisReader, SqliteLog
from mlsd_helpers.testbed.payments import CARDS, MERCHANTS

LARGEST_BODY = 4_096  # bytes: a payment has about a hundred
CACHE_SIZE = 10_000
CACHE_TTL_S = 60.0

Answer = Callable[[dict[str, Any]], Awaitable["Answered"]]
Message = MutableMapping[str, Any]


class Answered(NamedTuple):
    """A score, and the time up to which its data are complete; None where the data have no age."""

    score: float
    as_of_s: float | None


class Question(BaseModel):
    """A payment to score."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    card: Annotated[int, Field(ge=0)]
    merchant: Annotated[int, Field(ge=0, lt=MERCHANTS)]
    amount: Annotated[float, Field(gt=0, le=1e6)]
    online: bool


# ---------------------------------------------------------------- the three patterns


def request_time(scorer: "Scorer") -> Answer:
    """Pattern A: the model runs at request time, on the request and the card's profile."""

    async def answer(question: dict[str, Any]) -> Answered:
        return Answered(await scorer(model.known("request-time", question, [], 0)), None)

    return answer


def pre_computed(folder: Path) -> Answer:
    """Patterns B and C: a job, or a consumer at each payment, has scored the cards; the service looks the score up."""
    table = SqliteLog(folder / "scores.db")

    async def answer(question: dict[str, Any]) -> Answered:
        found = table.score(question["card"])
        if found is None:
            raise HTTPException(503, "No scores yet: the job has not been through once.")
        return Answered(*found)

    return answer


def streaming(scorer: "Scorer", log: str) -> Answer:
    """Pattern A with streamed features: the model runs on the request and the state that a stream keeps of the card."""
    kind, _, path = log.partition(":")
    reader = RedisReader(path) if kind == "redis" else SqliteLog(Path(path))

    async def answer(question: dict[str, Any]) -> Answered:
        state, complete_to_s = await reader.card(question["card"])
        return Answered(
            await scorer(model.known("streaming", question, state.recent, time.time())), complete_to_s
        )

    return answer


# ---------------------------------------------------------------- the model, one by one or in small batches

Scorer = Callable[[list[float]], Awaitable[float]]


def one_by_one(loaded: model.Model | model.Onnx) -> Scorer:
    """Score each row when it arrives; the process does nothing else meanwhile."""

    async def score(row: list[float]) -> float:
        return float(loaded.score([row])[0])

    return score


def in_batches(loaded: model.Model | model.Onnx, largest: int, longest_wait_s: float) -> Scorer:
    """Score the rows that arrive within a short wait as one batch."""
    waiting: list[tuple[list[float], asyncio.Future[float]]] = []
    timer: list[asyncio.TimerHandle] = []

    def run() -> None:
        batch = waiting[:]
        waiting.clear()
        while timer:
            timer.pop().cancel()
        scores = loaded.score([row for row, _ in batch])
        for (_, future), score in zip(batch, scores.tolist(), strict=True):
            if not future.done():
                future.set_result(score)

    async def score(row: list[float]) -> float:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[float] = loop.create_future()
        waiting.append((row, future))
        if len(waiting) >= largest:
            run()
        elif len(waiting) == 1:
            timer.append(loop.call_later(longest_wait_s, run))
        return await future

    return score


# ---------------------------------------------------------------- caches


def cached_in_memory(answer: Answer) -> Answer:
    """Keep answers in this process: the same payment asked about again is not scored again."""
    kept: OrderedDict[str, tuple[Answered, float]] = OrderedDict()

    async def quick(question: dict[str, Any]) -> Answered:
        key, now_s = _key(question), time.time()
        found = kept.get(key)
        if found and now_s - found[1] < CACHE_TTL_S:
            return found[0]
        made = await answer(question)
        kept[key] = (Answered(made.score, made.as_of_s or now_s), now_s)
        kept.move_to_end(key)
        if len(kept) > CACHE_SIZE:
            kept.popitem(last=False)
        return made

    return quick


def cached_in_redis(answer: Answer, socket_path: str) -> Answer:
    """Keep answers in Redis, where other replicas would find them too."""
    store = RedisReader(socket_path)

    async def quick(question: dict[str, Any]) -> Answered:
        key, now_s = _key(question), time.time()
        found = await store.get(key)
        if found:
            return Answered(*json.loads(found))
        made = await answer(question)
        await store.set(key, json.dumps([made.score, made.as_of_s or now_s]), CACHE_TTL_S)
        return made

    return quick


def _key(question: dict[str, Any]) -> str:
    """Return the cache key: all that the answer depends on, so that no card gets the answer of another."""
    return "answer:{card}:{merchant}:{amount}:{online}".format_map(question)


# ---------------------------------------------------------------- HTTP


def app(answer: Answer, stalls: dict[str, float] | None = None) -> FastAPI:
    """Return the service around a pattern; with `stalls` it pauses now and then, as a garbage collector does."""

    @asynccontextmanager
    async def life(_: FastAPI) -> Any:
        task = asyncio.create_task(_stall(**stalls)) if stalls else None
        yield
        if task:
            task.cancel()

    service = FastAPI(lifespan=life, openapi_url=None)
    service.add_middleware(SmallBodies)

    @service.exception_handler(RequestValidationError)
    async def refuse(_: Request, wrong: RequestValidationError) -> JSONResponse:
        # Without the input that FastAPI would repeat: NaN cannot be written as JSON.
        detail = [{"where": each["loc"], "what": each["msg"]} for each in wrong.errors()]
        return JSONResponse({"detail": detail}, 422)

    @service.post("/score", response_model=None)
    async def score(question: Question) -> JSONResponse:
        if question.card >= CARDS:
            raise HTTPException(404, f"Card {question.card} is unknown: there are cards 0 to {CARDS - 1}.")
        answered = await answer(question.__dict__)
        age_s = None if answered.as_of_s is None else max(0.0, time.time() - answered.as_of_s)
        return JSONResponse({"score": answered.score, "age_s": age_s})

    return service


async def _stall(every_s: float, lasts_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        time.sleep(lasts_s)  # noqa: ASYNC251 - blocks everything, which is what it is for


class SmallBodies:
    """Refuses a body that is larger than any payment, before it is read into memory."""

    def __init__(self, inner: Callable[..., Awaitable[None]]) -> None:
        self._inner = inner

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        """Pass a request on, or answer 413."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0" if scope["method"] == "GET" else b"")
        if length.isdigit() and int(length) <= LARGEST_BODY:
            await self._inner(scope, receive, send)
            return
        detail = {"detail": f"Give a Content-Length of at most {LARGEST_BODY} bytes."}
        await JSONResponse(detail, 413 if length else 411)(scope, receive, send)


# ---------------------------------------------------------------- the process


def answers(settings: dict[str, Any]) -> Answer:
    """Build the service that the settings describe."""
    folder = Path(settings["folder"])
    if settings["pattern"] in {"pre-computed", "by-event"}:
        return pre_computed(folder)
    loaded = model.load(folder, settings["engine"])
    scorer = in_batches(loaded, *settings["batching"]) if settings["batching"] else one_by_one(loaded)
    if settings["pattern"] == "streaming":
        return streaming(scorer, settings["log"])
    answer = request_time(scorer)
    if settings["cache"] == "memory":
        return cached_in_memory(answer)
    return cached_in_redis(answer, str(folder / "redis.sock")) if settings["cache"] == "redis" else answer


async def serve(settings: dict[str, Any]) -> None:
    """Serve on a free port of the loopback until the testbed ends."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, answers take 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app(answers(settings), settings["stalls"]),
        http="httptools",
        loop="asyncio",
        access_log=False,
        log_level="warning",
        backlog=2_048,
        timeout_keep_alive=60,
    )
    await _Announced(config).serve(sockets=[listener])


class _Announced(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        child.report(ready=True, port=sockets[0].getsockname()[1])


if __name__ == "__main__":
    found = child.settings()
    child.exit_with_the_testbed()
    asyncio.run(serve(found))
