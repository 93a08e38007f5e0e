"""The consumer of streamed features: `python -m mlsd_helpers.testbed.stream` applies payments to cards."""

import json
import time
from pathlib import Path
from typing import Any

from mlsd_helpers.files import write_whole
from mlsd_helpers.testbed import child
from mlsd_helpers.testbed.logs import CardState, Event, Log, Progress, open_log
from mlsd_helpers.testbed.payments import WINDOW_S
from mlsd_helpers.testbed.times import Times

_MOST, _WAIT_S, _REPORT_S = 500, 0.02, 0.2


def main() -> None:
    """Consume until the testbed ends."""
    settings = child.settings()
    log, report = open_log(settings["log"]), Report(Path(settings["report"]))
    progress = log.progress()
    child.exit_with_the_testbed()
    child.report(ready=True)
    while True:
        if settings.get("each_takes_s"):
            time.sleep(settings["each_takes_s"])  # a slow consumer, for a lag to be seen
        read_s = time.time()
        entries = log.read(progress.position, 1 if settings.get("each_takes_s") else _MOST, _WAIT_S)
        progress = advance(log, progress, entries, read_s)
        report.add([event for _, event in entries])


def advance(log: Log, progress: Progress, entries: list[tuple[str, Event]], read_s: float) -> Progress:
    """Apply what was read to the log's state, and return the new progress."""
    cards = sorted({event.card for _, event in entries})
    states = dict(zip(cards, log.states(cards) if cards else [], strict=True))
    for _, event in entries:
        states[event.card] = applied(states[event.card], event)
    position, last_s = (entries[-1][0], entries[-1][1].at_s) if entries else (progress.position, read_s)
    complete_to_s = last_s if len(entries) == _MOST else max(last_s, read_s)
    new = Progress(position, progress.applied + len(entries), complete_to_s)
    log.commit(states, new)
    return new


def applied(state: CardState, event: Event) -> CardState:
    """Return a card's state after a payment."""
    kept = [each for each in state.recent if event.at_s - each[0] < WINDOW_S]
    return CardState(state.total + 1, [*kept, (event.at_s, event.amount, event.merchant)])


class Report:
    """Writes to a file the delay from each payment until it could be read."""

    def __init__(self, file: Path) -> None:
        self._file, self._times, self._written_s = file, Times(), 0.0

    def add(self, events: list[Event], **facts: Any) -> None:
        """Add payments that have just become readable, and what else to report."""
        now_s = time.time()
        for event in events:
            self._times.add(now_s - event.at_s)
        if now_s - self._written_s > _REPORT_S:
            self.write(readable_after_s=self._times.grid(), payments=len(self._times), **facts)
            self._written_s = now_s

    def write(self, **facts: Any) -> None:
        """Replace the file atomically."""
        write_whole(self._file, json.dumps(facts))


if __name__ == "__main__":
    main()
