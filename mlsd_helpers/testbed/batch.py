"""Pattern B's batch job: score every card, periodically. It runs as `python -m mlsd_helpers.testbed.batch`."""

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from mlsd_helpers.testbed import child, model
from mlsd_helpers.testbed.logs import Event, SqliteLog
from mlsd_helpers.testbed.payments import CARDS, WINDOW_S, Recent, row
from mlsd_helpers.testbed.stream import Report


def main() -> None:
    """Run the job periodically until the testbed ends."""
    settings = child.settings()
    child.exit_with_the_testbed()
    folder = Path(settings["folder"])
    log, table = (
        SqliteLog(folder / name) for name in ("log.db", "scores.db")
    )  # a long write blocks no payment
    scorer, report = model.load(folder, "onnx"), Report(Path(settings["report"]))
    previous_s = longest_s = 0.0
    while True:
        as_of_s = time.time()
        events = log.since(min(previous_s, as_of_s - WINDOW_S))
        table.publish(slowly(scores(scorer, events, as_of_s), settings.get("each_takes_s", 0)), as_of_s)
        longest_s = max(longest_s, time.time() - as_of_s)
        report.add([event for event in events if event.at_s >= previous_s], run_takes_s=longest_s)
        if not previous_s:
            child.report(ready=True)
        previous_s = as_of_s
        time.sleep(max(0, as_of_s + settings["every_s"] - time.time()))


def scores(
    scorer: model.Model | model.Onnx, events: list[Event], now_s: float
) -> Iterator[tuple[int, float]]:
    """Score every card from its payments in the window before now."""
    recent: defaultdict[int, list[Recent]] = defaultdict(list)
    for event in events:
        recent[event.card].append((event.at_s, event.amount, event.merchant))
    found = scorer.score([row(card, None, recent[card], now_s) for card in range(CARDS)])
    return enumerate(found.tolist())


def slowly(rows: Iterator[tuple[int, float]], each_takes_s: float) -> Iterator[tuple[int, float]]:
    """Yield the rows one by one with a delay before each, so that a job can be interrupted half-way."""
    for each in rows:
        if each_takes_s:
            time.sleep(each_takes_s)
        yield each


if __name__ == "__main__":
    main()
