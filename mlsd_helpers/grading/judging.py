"""The judge runs a notebook's cells in a sandbox, and judges the values that the answers return, outside of it.

A cell such as `mlsd.check("05-plan", plan)` is never run where student code runs. The judge asks the sandbox for
the value of `plan`, or calls it on cases that the sandbox has not seen, and judges the result here. A test cell with
asserts runs in the sandbox, as in stock nbgrader; the record says so.
"""

import ast
import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import nbformat
from nbgrader import utils
from nbgrader.preprocessors import Execute
from traitlets.config import Config

from mlsd_helpers import exercises
from mlsd_helpers.exercises import kit
from mlsd_helpers.exercises.kit import (
    CaseSet,
    Exercise,
    OutOfProcessAnswer,
    StoppedError,
    TooLongError,
    Verdict,
)
from mlsd_helpers.grading import flags
from mlsd_helpers.grading.converting import score_of, score_outputs
from mlsd_helpers.grading.deadline import OutOfTimeError, pause_time_limit, time_limit
from mlsd_helpers.grading.records import Flag, Judged
from mlsd_helpers.grading.sandbox import AnswerRaised, AnswerTimeout, Limits, Session, SessionEnded

MOST_SESSIONS = 4
"""Sandboxes that one submission gets, when its process ends; its other cells run again in each."""

_LEAST = 1_000  # characters that an output counts as, since the page adds markup to each

Opener = Callable[[float], AbstractContextManager[Session]]
Outputs = list[Any]
Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Check:
    """The check that a test cell makes."""

    exercise: str
    name: str


@dataclass
class Execution:
    """What running a notebook gave: the outputs of each code cell by its index, and the judgement of each test cell.

    `judged` is by exercise id, or by grade_id for a test cell of asserts. `reason` says why a sandbox ended;
    `out_of_time` tells whether the submission's deadline passed; `flags` are for the instructor to look at.
    """

    outputs: dict[int, Outputs] = field(default_factory=dict)
    judged: dict[str, Judged] = field(default_factory=dict)
    reason: str = ""
    out_of_time: bool = False
    flags: tuple[Flag, ...] = ()


def check_in(source: str) -> Check | None:
    """Return the check that a test cell makes, or None when it judges in another way.

    >>> check_in('verdict = mlsd.check("05-plan", plan)')
    Check(exercise='05-plan', name='plan')
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="check") | ast.Name(id="check"),
                args=[ast.Constant(value=str(exercise)), ast.Name(id=name)],
            ):
                return Check(exercise, name)
    return None


@lru_cache(maxsize=256)
def case_set(exercise_id: str, seed: int) -> CaseSet:
    """Return the fresh cases of an exercise for a seed: the same for a whole class in a term."""
    return CaseSet.fresh(exercises.find(exercise_id), seed)


# ---- running --------------------------------------------------------------------------------------


def run(
    notebook: Any, tests: Mapping[str, str], open_session: Opener, seed: int, limits: Limits, deadline: float
) -> Execution:
    """Run the code cells of a restored notebook and judge its test cells, up to a deadline of `time.monotonic`.

    `tests` holds the instructor's source of each test cell by grade_id, hidden tests included.
    """
    done = Execution()
    run = _SubmissionRun(open_session, limits, deadline)
    try:
        for place, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            if utils.is_grade(cell) and not utils.is_solution(cell):
                source = tests.get(cell.metadata.nbgrader.grade_id, cell.source)
                key, judged, outputs = _test(cell, source, run, seed)
                done.judged[key] = judged
            else:
                outputs = run.run(cell.source)
            done.outputs[place] = outputs
    finally:
        run.close()
    done.reason = run.reason
    done.out_of_time = run.out_of_time
    done.flags = tuple(dict.fromkeys(run.flags))
    return done


class _SubmissionRun:
    """Runs one submission in a sandbox; after that ends, in a new one, without the cell that ended it."""

    def __init__(self, open_session: Opener, limits: Limits, deadline: float) -> None:
        self._open = open_session
        self.limits = limits
        self._deadline = deadline
        self._done: list[str] = []
        self._sessions = 0
        self._output_left = limits.outputs
        self._context: AbstractContextManager[Session] | None = None
        self._session: Session | None = None
        self.any_error = False  # of a cell so far
        self.reason = ""
        self.flags: list[Flag] = []

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self._deadline - time.monotonic()

    @property
    def out_of_time(self) -> bool:
        """Whether something was not run or judged because the deadline had passed."""
        return bool(self.reason) and self.left <= 0

    def session(self) -> Session:
        """Return a session in which all cells so far have run; open one when needed.

        Raises SessionEnded when the submission gets no other.
        """
        if self.left <= 0:
            self.close()
            self.reason = self.reason or "the notebook as a whole took too long"
            raise SessionEnded(self.reason)
        while self._session is None:
            if self._sessions >= MOST_SESSIONS:
                raise SessionEnded(self.reason)
            self._sessions += 1
            self._context = self._open(self._deadline)
            self._session = self._context.__enter__()
            try:
                for source in self._done:
                    self._run_in(self._session, source)
            except SessionEnded as ended:
                self.note_end(ended)
        return self._session

    def ask(self, what: Callable[[Session], Asked]) -> Asked:
        """Ask a session, and once more in a new one if the first ended while processes of an earlier cell were running.

        They may have ended it; what is asked, and so its marks, must not depend on when. Raises SessionEnded.
        """
        session = self.session()
        crowded = session.left_running
        try:
            return what(session)
        except SessionEnded as ended:
            self.note_end(ended)
            if not crowded:
                raise
        return self.ask(what)

    def _run_in(self, session: Session, source: str) -> list[dict[str, Any]]:
        """Run a cell. In a second sandbox, also end processes that it leaves running: they may have ended the first."""
        outputs = session.run(source)
        if self._sessions > 1:
            session.end_others()
        return outputs

    def run(self, source: str) -> Outputs:
        """Run a cell and return its outputs; if it ends its process, an error that says so."""
        try:
            outputs = self.ask(lambda session: self._run_in(session, source))
        except SessionEnded as ended:
            self.note_end(ended)
            self.any_error = True
            return [_stopped(ended.reason)]
        self.any_error = self.any_error or any(output["output_type"] == "error" for output in outputs)
        self._done.append(source)
        return self._within([nbformat.from_dict(output) for output in outputs])

    def _within(self, outputs: Outputs) -> Outputs:
        """Return outputs while those of the whole notebook are within their limit; then a note and a flag."""
        self._output_left -= sum(max(len(json.dumps(output)), _LEAST) for output in outputs)
        if self._output_left >= 0 or not outputs:
            return outputs
        why = f"the notebook's outputs have more than {self.limits.outputs / 2**20:g} MB together"
        self.flags.append(Flag(flags.LEFT_OUT, why))
        return [nbformat.v4.new_output("stream", text=f"[These outputs were cut off: {why}.]\n")]

    def note_end(self, ended: SessionEnded) -> None:
        """Record that a sandbox ended, and why; the first reason is kept."""
        self.reason = self.reason or ended.reason
        self.flags.append(Flag(flags.LIMIT, ended.reason))
        self.close()

    def close(self) -> None:
        """Close the session."""
        context, session, self._context, self._session = self._context, self._session, None, None
        self.flags += [Flag(flags.MANY_POINTS, odd) for odd in (session.odd_arguments if session else ())]
        if context is not None:
            context.__exit__(None, None, None)


def _stopped(reason: str) -> Any:
    return nbformat.v4.new_output(
        "error", ename="Stopped", evalue=f"{reason}.", traceback=[f"Stopped: {reason}."]
    )


def run_stock(notebook: Any, tests: Mapping[str, str], folder: Path, config: Config) -> Execution:
    """Run a notebook as nbgrader does, with its tests in the student's kernel: for systems without fork."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if utils.is_grade(cell):
            cell.source = tests.get(cell.metadata.nbgrader.grade_id, cell.source)
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    done = Execution()
    try:
        Execute(config=config).preprocess(notebook, {"metadata": {"path": str(folder)}, "nbgrader": {}})
    except Exception as error:  # noqa: BLE001 - a student's code may end its kernel in any way
        done.reason = f"the kernel did not run to its end ({type(error).__name__})"
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        never_reached = done.reason and cell.execution_count is None
        if never_reached:  # nbgrader gives full points to a cell without output
            cell.outputs = [_stopped(done.reason)]
        done.outputs[place] = cell.outputs
        if utils.is_grade(cell) and not utils.is_solution(cell):
            check = check_in(cell.source)
            key = check.exercise if check else cell.metadata.nbgrader.grade_id
            done.judged[key] = _scored(cell, cell.outputs)
    return done


def _scored(cell: Any, outputs: Outputs) -> Judged:
    """Judge a test cell by the score in its outputs."""
    score, points = score_of(cell, outputs), float(cell["metadata"].nbgrader.points)
    errors = [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]
    return Judged(score, points, message=errors[-1] if errors else "", by_judge=False)


# ---- judging --------------------------------------------------------------------------------------


def _test(cell: Any, source: str, run: _SubmissionRun, seed: int) -> tuple[str, Judged, Outputs]:
    check = check_in(source)
    if check is None:
        return _asserted(cell, source, run)
    exercise = exercises.find(check.exercise)
    verdict = _verdict(exercise, check.name, run, seed)
    judged = Judged(
        verdict.score,
        exercise.points,
        verdict.mistakes,
        verdict.message,
        verdict.attempted,
        ran=verdict.ran,
    )
    return exercise.id, judged, score_outputs(verdict._repr_mimebundle_(), verdict.score)


def _verdict(exercise: Exercise, name: str, run: _SubmissionRun, seed: int) -> Verdict:
    try:
        return run.ask(lambda session: _verdict_in(session, exercise, name, run, seed))
    except SessionEnded as ended:
        run.note_end(ended)
        return _unjudged(exercise, f"It could not be judged: {ended.reason}.")


def _verdict_in(session: Session, exercise: Exercise, name: str, run: _SubmissionRun, seed: int) -> Verdict:
    """Judge an answer in a session. Raises SessionEnded where the answer is not judged by the calls that it ended."""
    crowded, cases = session.left_running, case_set(exercise.id, seed)
    answer = _answer(session, name, run)
    if answer is _MISSING and run.any_error:
        return _unjudged(exercise, f"There is no `{name}`: the cell that makes it did not run to its end.")
    if answer is _MISSING:
        return _unjudged(exercise, f"There is no `{name}`: no cell makes it.", ran=True)
    try:
        with time_limit(run.limits.judge_s):
            verdict = kit.judge(exercise, answer, fresh=True, case_set=cases)
    except OutOfTimeError:
        late = f"judging {exercise.id} took longer than {run.limits.judge_s:g} s"
        run.flags.append(Flag(flags.LIMIT, late))
        return _unjudged(exercise, f"It could not be judged: {late}.")
    try:
        session.check()
    except SessionEnded as ended:
        run.note_end(ended)
        if crowded or session.excess:
            raise
    return verdict


_MISSING = object()


def _answer(session: Session, name: str, run: _SubmissionRun) -> Any:
    match session.kind(name):
        case "missing":
            return _MISSING
        case "blank":
            return None
        case "callable":
            return _RemoteAnswer(session, name, run)
        case _:
            return session.value(name)


class _RemoteAnswer(OutOfProcessAnswer):
    """A proxy for a student's function: a call here returns what the function returns in the sandbox."""

    def __init__(self, session: Session, name: str, run: _SubmissionRun) -> None:
        self._session, self._name, self._run = session, name, run

    def __call__(self, **case: Any) -> Any:
        try:
            with pause_time_limit():  # the sandbox has its own limit
                return self._session.call(self._name, case)
        except AnswerTimeout:
            raise TooLongError from None
        except AnswerRaised as raised:
            raise _local(raised) from None
        except SessionEnded as ended:
            self._run.note_end(ended)
            raise StoppedError(f"{ended.reason}.") from None


def _local(raised: AnswerRaised) -> Exception:
    """Return an exception with the name and message of the one in the sandbox, as a class of our own."""
    if raised.type_name == "NotImplementedError":
        return NotImplementedError(raised.message)
    if raised.type_name == "RecursionError":
        return RecursionError(raised.message)
    name = raised.type_name if raised.type_name.isidentifier() else "Exception"
    kind: type[Exception] = type(name, (Exception,), {})
    return kind(raised.message)


def _unjudged(exercise: Exercise, message: str, *, ran: bool = False) -> Verdict:
    return Verdict(exercise.id, False, 0.0, exercise.points, message, attempted=False, fresh=True, ran=ran)


def not_judged(notebook: Any, tests: Mapping[str, str], why: str) -> dict[str, Judged]:
    """Return a judgement without points for each test cell, by exercise id or grade_id."""
    return {
        key: Judged(
            0.0,
            float(notebook.cells[place].metadata.nbgrader.points),
            message=why,
            attempted=False,
            ran=False,
        )
        for place, key in _test_cells(notebook, tests)
    }


def outputs_of(notebook: Any, tests: Mapping[str, str], judged: Mapping[str, Judged]) -> dict[int, Outputs]:
    """Return the outputs of each test cell by its index: the judgement's message, and the score."""
    return {
        place: score_outputs({"text/plain": judged[key].message}, judged[key].score)
        for place, key in _test_cells(notebook, tests)
        if key in judged
    }


def exercises_of(notebook: Any, tests: Mapping[str, str]) -> dict[str, str]:
    """Return what each test cell judges, by its grade_id: an exercise, or for asserts the grade_id itself."""
    return {
        notebook.cells[place].metadata.nbgrader.grade_id: key for place, key in _test_cells(notebook, tests)
    }


def _test_cells(notebook: Any, tests: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell):
            name = cell.metadata.nbgrader.grade_id
            check = check_in(tests.get(name, cell.source))
            yield place, check.exercise if check else name


def _asserted(cell: Any, source: str, run: _SubmissionRun) -> tuple[str, Judged, Outputs]:
    """Run a test cell of asserts in the sandbox. Drop stderr, for which nbgrader would give no points."""
    outputs = [
        output
        for output in run.run(source)
        if not (output.output_type == "stream" and output.name == "stderr")
    ]
    return cell.metadata.nbgrader.grade_id, _scored({**cell, "source": source}, outputs), outputs
