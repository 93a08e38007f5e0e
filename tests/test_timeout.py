"""The one timeout for code that runs in this process."""

import contextlib
import signal
import threading
import time

import pytest

from mlsd_helpers.timeout import TooLongError, time_limit

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no alarm without POSIX")


def endless():
    time.sleep(10)


def test_code_that_runs_too_long_is_stopped_with_the_given_error():
    with pytest.raises(TooLongError, match="one cell"), time_limit(0.05, TooLongError("one cell")):
        endless()


def test_no_except_exception_swallows_it():
    def stubborn():
        with contextlib.suppress(Exception):  # as a learner may write
            endless()

    with pytest.raises(TooLongError), time_limit(0.05, TooLongError()):
        stubborn()


def test_nothing_is_left_of_a_limit_that_was_kept():
    handler = signal.getsignal(signal.SIGALRM)
    with time_limit(60, TooLongError()):
        pass
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) == handler


def test_a_limit_around_another_stays_in_force():
    def limited_within():
        with time_limit(60, TooLongError("inner")):
            pass
        endless()

    with pytest.raises(TooLongError, match="outer"), time_limit(0.1, TooLongError("outer")):
        limited_within()


def test_outside_the_main_thread_code_runs_without_a_limit():
    ran = []

    def work():
        with time_limit(1, TooLongError()):
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran
