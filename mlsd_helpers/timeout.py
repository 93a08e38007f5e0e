"""A timeout for code that runs in this process."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator


class TooLongError(BaseException):
    """The code ran too long. Not an Exception, so that an `except Exception` in that code does not swallow it."""


@contextlib.contextmanager
def time_limit(seconds: float, error: BaseException) -> Iterator[None]:
    """Raise `error` in the body of the `with` statement when it has run for `seconds`.

    An alarm (SIGALRM) raises it. That also stops Python's regular expressions, but no other code written in C. Without
    POSIX, and outside the main thread, there is no limit. An outer time limit stays in force, and is checked when this
    one has ended.

    >>> with time_limit(1, TooLongError()):
    ...     sum(range(10))
    45
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise error

    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, stop)
    outer_s, _ = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer_s:
            signal.setitimer(signal.ITIMER_REAL, max(outer_s - (time.monotonic() - began), 1e-3))
