"""Publish the payments of a stream, each at its time. The testbed runs `python -m mlsd_helpers.testbed.publisher`."""

import time

from mlsd_helpers.testbed import child
from mlsd_helpers.testbed.logs import Event, open_log
from mlsd_helpers.testbed.payments import Payments, asked

AUTHORISED_S = 0.02  # from the request about a payment to the payment


def main() -> None:
    """Append each payment to the log when its time has come."""
    settings = child.settings()
    stream, log = asked(settings), open_log(settings["log"])
    child.report(ready=True)
    starts_s = child.settings()["starts_s"]
    child.exit_with_the_testbed()
    due = 0
    while due < len(stream):
        now_s = time.time() - starts_s - AUTHORISED_S
        first = due
        while due < len(stream) and stream.at_s[due] <= now_s:
            due += 1
        if due > first:
            log.append([_event(stream, place, starts_s) for place in range(first, due)])
        if due < len(stream):
            time.sleep(max(0.0005, stream.at_s[due] - (time.time() - starts_s - AUTHORISED_S)))
    child.report(published=len(stream))


def _event(stream: Payments, place: int, starts_s: float) -> Event:
    asked = stream.question(place)
    at_s = starts_s + float(stream.at_s[place]) + AUTHORISED_S
    return Event(at_s, asked["card"], asked["merchant"], asked["amount"])


if __name__ == "__main__":
    main()
