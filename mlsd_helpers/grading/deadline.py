"""Time limits for code in this process: a student's in a sandbox, the grader's outside."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from mlsd_helpers import timeout


class OutOfTimeError(BaseException):
    """The time is up. Not an Exception, so that no `except Exception` catches it on its way."""


def time_limit(seconds: float, message: str = "") -> contextlib.AbstractContextManager[None]:
    """Raise OutOfTimeError in the body of the `with` statement when the seconds are over.

    Where `timeout.time_limit` has no effect, the limit is the one that a worker process has from outside.
    """
    return timeout.time_limit(seconds, OutOfTimeError(message))


@contextlib.contextmanager
def pause_time_limit() -> Iterator[None]:
    """Pause the time limit around a body that has a limit of its own."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left:
            signal.setitimer(signal.ITIMER_REAL, left)
