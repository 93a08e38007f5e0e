"""Pattern C's consumer: at each payment, score its card anew. It runs as `python -m mlsd_helpers.testbed.by_event`.

The service that reads these scores is the one of pattern B: it looks a row up and runs no model.
"""

import time
from pathlib import Path
from typing import Any

from mlsd_helpers.testbed import child, model
from mlsd_helpers.testbed.batch import scores
from mlsd_helpers.testbed.logs import START, CardState, Event, SqliteLog
from mlsd_helpers.testbed.stream import Report, applied

_MOST, _WAIT_S = 500, 0.02


def main() -> None:
    """Score until the testbed ends."""
    settings = child.settings()
    child.exit_with_the_testbed()
    folder = Path(settings["folder"])
    log, table = SqliteLog(folder / "log.db"), SqliteLog(folder / "scores.db")
    scorer, report = model.load(folder, "onnx"), Report(Path(settings["report"]))
    table.publish(scores(scorer, [], time.time()), time.time())  # a card without payments has a score too
    child.report(ready=True)
    states: dict[int, CardState] = {}
    position = START
    while True:
        read_s = time.time()
        entries = log.read(position, _MOST, _WAIT_S)
        position = entries[-1][0] if entries else position
        events = [event for _, event in entries]
        complete_to_s = events[-1].at_s if len(events) == _MOST else read_s
        table.publish(rescored(scorer, states, events), complete_to_s)
        report.add(events)


def rescored(
    scorer: model.Model | model.Onnx, states: dict[int, CardState], events: list[Event]
) -> list[tuple[int, float]]:
    """Apply payments to their cards' states, and return the new score of each card that has one."""
    for event in events:
        states[event.card] = applied(states.get(event.card, CardState(0, [])), event)
    cards = sorted({event.card for event in events})
    if not cards:
        return []
    rows: list[Any] = [model.known("by-event", {"card": card}, states[card].recent, 0) for card in cards]
    return list(zip(cards, scorer.score(rows).tolist(), strict=True))


if __name__ == "__main__":
    main()
