"""Pattern B's job: scores every card, again and again. `python -m mlsd_helpers.testbed.batch`, by the testbed."""

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from mlsd_helpers.testbed import child, model
from mlsd_helpers.testbed.logs import Event, SqliteLog
from mlsd_helpers.testbed.payments import CARDS, WINDOW_S, Recent, row
from mlsd_helpers.testbed.stream import Report


def main() -> None:
    """Run the job every so often until the testbed ends."""
    orders = child.orders()
    child.end_with_the_testbed()
    folder = Path(orders["folder"])
    log, table = (
        SqliteLog(folder / "log.db"),
        SqliteLog(folder / "scores.db"),
    )  # a long write locks no payment out
    scorer, report = model.load(folder, "onnx"), Report(Path(orders["report"]))
    previous_s = 0.0
    while True:
        as_of_s = time.time()
        events = log.since(min(previous_s, as_of_s - WINDOW_S))
        table.publish(slowly(scores(scorer, events, as_of_s), orders.get("each_takes_s", 0)), as_of_s)
        report.add([event for event in events if event.at_s >= previous_s])
        if not previous_s:
            child.say(ready=True)
        previous_s = as_of_s
        time.sleep(max(0, as_of_s + orders["every_s"] - time.time()))


def scores(
    scorer: model.Model | model.Onnx, events: list[Event], now_s: float
) -> Iterator[tuple[int, float]]:
    """Give the score of every card, from what it did in the window before now."""
    recent: defaultdict[int, list[Recent]] = defaultdict(list)
    for event in events:
        recent[event.card].append((event.at_s, event.amount, event.merchant))
    found = scorer.score([row(card, None, recent[card], now_s) for card in range(CARDS)])
    return enumerate(found.tolist())


def slowly(rows: Iterator[tuple[int, float]], each_takes_s: float) -> Iterator[tuple[int, float]]:
    """Give the rows one by one, each after a while: a job that can be caught half-way."""
    for each in rows:
        if each_takes_s:
            time.sleep(each_takes_s)
        yield each


if __name__ == "__main__":
    main()
