"""A limit of time for our own code, when it works on what a student wrote."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from mlsd_helpers import timeout


class OutOfTimeError(BaseException):
    """The time is up. Not an Exception, so that no `except Exception` on the way swallows it."""


def time_limit(seconds: float) -> contextlib.AbstractContextManager[None]:
    """Raise OutOfTimeError in what runs within, once the seconds are over.

    Where `timeout.time_limit` has no effect, the limit is the one that a worker process has from outside.
    """
    return timeout.time_limit(seconds, OutOfTimeError())


@contextlib.contextmanager
def not_counted() -> Iterator[None]:
    """Stop the clock of the time limit around this: what happens within has a limit of its own."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left:
            signal.setitimer(signal.ITIMER_REAL, left)
