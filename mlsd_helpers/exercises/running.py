"""Run an answer on a case; whatever it does comes back as a value."""

import contextlib
import copy
import io
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mlsd_helpers.exercises.exercise import Case
from mlsd_helpers.exercises.values import as_code, listed, short
from mlsd_helpers.timeout import TooLongError, time_limit

TIME_LIMIT_S = 5.0
"""How long an answer may take for one case; ours take milliseconds."""


MOST_PRINTED = 2_000
"""How many characters are kept of what an answer prints for one case."""


class StoppedError(Exception):
    """The process that runs the answer exited; the message says why, in words for the learner."""


class OutOfProcessAnswer(ABC):
    """An answer whose code runs in another process, which limits its time; here only the call is made."""

    @abstractmethod
    def __call__(self, **case: Any) -> Any:
        """Return what the answer returns there for a case, or raise what it raises.

        Raises:
            TooLongError: the answer was stopped because it took too long.
            StoppedError: its process exited.
        """


@dataclass(frozen=True)
class Outcome:
    """What an answer gave for one case: a value, or the problem in plain words, or nothing; and what it printed."""

    value: Any = None
    problem: str = ""
    blank: bool = False
    """Whether there is no answer: it is not written, or its function returned None."""
    unwritten: bool = False
    endless: bool = False
    printed: str = ""


def run(answer: Any, case: Case) -> Outcome:
    """Apply an answer to a case; whatever it does comes back as an outcome, never as an exception."""
    printed = _Printed()
    return replace(_outcome(answer, case, printed), printed=printed.getvalue())


class _Printed(io.StringIO):
    """Keeps the beginning of what is printed, and drops the rest: an answer may print without end."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, MOST_PRINTED - self.tell())])
        return len(text)


def _outcome(answer: Any, case: Case, printed: io.StringIO) -> Outcome:  # noqa: PLR0911 - one return an ending
    if answer is None or answer is Ellipsis:
        return Outcome(blank=True, unwritten=True)
    try:
        value = _call_quietly(answer, case, printed) if callable(answer) else answer
    except NotImplementedError:
        return Outcome(blank=True, unwritten=True)
    except TooLongError:
        return Outcome(
            problem=f"it was still running after {TIME_LIMIT_S:g} s. Does its loop end?", endless=True
        )
    except StoppedError as stopped:
        return Outcome(problem=str(stopped), endless=True)
    except RecursionError:
        return Outcome(
            problem="it called itself without end (RecursionError). Is there a case where it stops?"
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a learner's code may raise anything
        return Outcome(problem=_raised(error, case))
    return Outcome(blank=True) if value is None or value is Ellipsis else Outcome(value)


def _raised(error: BaseException, case: Case) -> str:
    message = f"it raised {as_code(f'{type(error).__name__}: {short(error)}')}."
    if isinstance(error, TypeError) and "unexpected keyword argument" in message:
        return f"{message} Keep the names of the parameters."
    if "NoneType" in message and "None" in repr(case):
        return f"{message} Some of what is given is None: nothing is known there. Test for it with `is None`."
    return message


def _call_quietly(answer: Callable[..., Any], case: Case, printed: io.StringIO) -> Any:
    """Call on a copy of the case, which an answer may change, and keep what it prints for the verdict.

    nbgrader counts anything on stderr in a graded cell as a failure, a harmless warning too.
    """
    with (
        contextlib.nullcontext()
        if isinstance(answer, OutOfProcessAnswer)
        else time_limit(TIME_LIMIT_S, TooLongError()),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        return listed(answer(**copy.deepcopy(dict(case))))
