"""The experiments of the lessons, one call each; where the testbed cannot run, a recording from another machine.

`three_patterns()` measures here. `three_patterns(recorded=True)` reads the recording that comes with the course,
which says on what machine it was made; so do all of them where the environment says `MLSD_TESTBED=recorded`.
`python -m mlsd_helpers.testbed.experiments` records anew.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlsd_helpers.errors import MeasurementError, RangeError
from mlsd_helpers.figures.base import table
from mlsd_helpers.testbed import measuring, readings
from mlsd_helpers.testbed.results import Load, format_time
from mlsd_helpers.testbed.running import Cache, missing, start

if TYPE_CHECKING:
    from mlsd_helpers.testbed.model import Engine

Cell = float | str | None
_RECORDED = Path(__file__).with_name("recorded")
_CROWDED = 1.3  # a loop's time over its CPU time: above this, others used the cores too
_TOO_CROWDED = 2.0  # above this, what was measured says more about the others
_CHOICE = "MLSD_TESTBED"
SAME_ALARMS = 0.01
"""The false-alarm rate at which recalls are compared."""


@dataclass(frozen=True, repr=False)
class Measurement:
    """A table of measured values, with its machine and whether it is a recording; NaN means no answer.

    A column's name ends in its unit: `_s` for seconds, `_rps` for requests per second, `_share` for a share.
    `facts` are numbers beside the table, such as `crowding`: by how much a loop took longer than its CPU time.
    """

    title: str
    machine: str
    rows: tuple[dict[str, Cell], ...]
    recorded: bool = False
    notes: tuple[str, ...] = ()
    facts: dict[str, float] = field(default_factory=dict)
    name: str = ""

    def column(self, name: str) -> tuple[Any, ...]:
        """Return one column."""
        if name not in self.rows[0]:
            raise RangeError(f"There is no column {name!r}. There are: {', '.join(self.rows[0])}.")
        return tuple(row[name] for row in self.rows)

    @property
    def source(self) -> str:
        """Where the numbers are from."""
        return f"{'Recorded on another machine' if self.recorded else 'Measured here'}: {self.machine}."

    @property
    def disturbed(self) -> bool:
        """Whether the machine was too busy with other work for these numbers to be judged."""
        return self.facts.get("crowding", 1.0) > _TOO_CROWDED

    def conclusions(self) -> tuple[str, ...]:
        """Say what these numbers show, sentence by sentence; of a disturbed machine, that they show nothing."""
        if self.disturbed:
            words = (
                f"This machine was too busy with other work to judge: a loop took {self.facts['crowding']:.1f} times "
                f"its CPU time. Measure again on a quiet machine, or read the recording: {self.name}(recorded=True)."
            )
            return (words,)
        return tuple(readings.OF[self.name](self)) if self.name in readings.OF else ()

    def _columns(self) -> dict[str, tuple[str, ...]]:
        return {_heading(name): tuple(_shown(name, row[name]) for row in self.rows) for name in self.rows[0]}

    def __str__(self) -> str:
        """Write it as text."""
        columns = [(name, *cells) for name, cells in self._columns().items()]
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in zip(*columns, strict=True)
        ]
        below = map(str, self._instead())
        return "\n".join([self.title, *lines, self.source, *self.notes, *self.conclusions(), *below])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = "".join(f"<p>{line}</p>" for line in (self.source, *self.notes))
        shown = "".join(f"<li>{line}</li>" for line in self.conclusions())
        said = f"<p><strong>What these numbers show</strong></p><ul>{shown}</ul>" if shown else ""
        instead = "".join(each._repr_html_() for each in self._instead())
        return table(self._columns(), self.title) + words + said + instead

    def _instead(self) -> "tuple[Measurement, ...]":
        """Return the recording where these numbers cannot be judged."""
        calm = recording(self.name) if self.disturbed and not self.recorded else None
        return () if calm is None or calm.disturbed else (calm,)

    def save(self, name: str) -> None:
        """Save it as the recording of an experiment."""
        _RECORDED.mkdir(exist_ok=True)
        text = json.dumps(asdict(replace(self, recorded=True)), indent=1, ensure_ascii=False)
        (_RECORDED / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def recording(name: str) -> Measurement:
    """Return the recording of an experiment."""
    found = json.loads((_RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return Measurement(**found | {"rows": tuple(found["rows"]), "notes": tuple(found["notes"]), "name": name})


_UNITS = {"_s": "", "_rps": ", per second", "_share": ""}


def _heading(name: str) -> str:
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix).replace("_", " ") + unit
    return name.replace("_", " ")


def _shown(name: str, cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if name.endswith("_s"):
        return format_time(cell)
    if name.endswith("_share"):
        return f"{cell:.0%}"
    return f"{cell:,.0f}" if name.endswith("_rps") or float(cell).is_integer() else f"{cell:.2f}"


# ---------------------------------------------------------------- measuring, or reading a recording

EXPERIMENTS: dict[str, Callable[..., Measurement]] = {}


def _experiment(measure: Callable[[], Measurement]) -> Callable[..., Measurement]:
    name = measure.__name__

    def run(*, recorded: bool | None = None) -> Measurement:
        if recorded:
            return recording(name)
        if recorded is None and os.environ.get(_CHOICE, os.environ.get("MLSD_LAB")) == "recorded":
            return _instead(name, f"{_CHOICE} asks for the recording.")
        if recorded is None and missing():
            return _instead(name, f"The testbed needs {', '.join(missing())}: run `make testbed`.")
        try:
            return replace(_noting_neighbours(measure), name=name)
        except MeasurementError as problem:
            if recorded is None:
                return _instead(name, str(problem))
            raise

    run.__doc__, run.__name__ = measure.__doc__, name
    EXPERIMENTS[name] = run
    return run


def _instead(name: str, reason: str) -> Measurement:
    found = recording(name)
    return replace(found, notes=(*found.notes, f"Not measured here. {reason}"))


def _noting_neighbours(measure: Callable[[], Measurement]) -> Measurement:
    before = measuring.crowding()
    found = measure()
    crowded = max(before, measuring.crowding())
    notes = found.notes
    if crowded > _CROWDED:
        notes += (f"Others kept the machine busy: a loop took {crowded:.1f} times the CPU time that it got.",)
    if hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        notes += ("The testbed had priority over whatever else ran, and shared caches and memory with it.",)
    return replace(found, notes=notes, facts=found.facts | {"crowding": round(crowded, 2)})


def _measured(title: str, rows: Sequence[dict[str, Cell]], *notes: str, **facts: float) -> Measurement:
    return Measurement(title, measuring.machine(), tuple(rows), notes=notes, facts=facts)


# ---------------------------------------------------------------- the experiments


@_experiment
def open_and_closed() -> Measurement:
    """Put one service that pauses now and then under load, in a closed and in an open loop: about 10 s."""
    rows: list[dict[str, Cell]] = []
    with start("request-time", stalls=(2.0, 0.4)) as service:
        for loop in ("closed", "open"):
            load = service.load(rate_rps=100, lasts_s=6, loop=loop)
            within = {"p50_s": load.p50_s, "p99_s": load.p99_s, "worst_s": load.worst_s}
            rows.append({"loop": loop, "requests": load.requests, "failed": load.failures, **within})
    return _measured("One service that stalls for 0.4 s every 2 s", rows)


@_experiment
def feature_ages() -> Measurement:
    """Measure the age of the data that a service reads, from a stream and from a job that fails: about 30 s."""
    rows: list[dict[str, Cell]] = []
    notes: tuple[str, ...] = ()
    with start("streaming") as service:
        load = service.load(rate_rps=100, lasts_s=5)
        rows.append(_aged("a stream", load, "–"))
        service.kill("stream")
        rows.append(
            _aged("a stream whose consumer is dead", service.load(rate_rps=100, lasts_s=3), "above 3 s")
        )
        lag = service.lag()
        service.restart("stream")
        caught_up_s = _until(lambda: service.lag() == 0)
        notes = (
            f"The dead consumer left {lag:,} payments; started again, it had read them after {caught_up_s:.2f} s.",
        )
        notes += service.notes
    every_s = 3
    with start("pre-computed", job_every_s=every_s) as service:
        load = service.load(rate_rps=100, lasts_s=7)
        takes_s = service.run_takes_s()
        rows.append(
            _aged("a job every 3 s", load, f"{every_s} s + {format_time(takes_s)} for its longest run")
        )
        service.kill("batch")
        rows.append(_aged("a job that has failed", service.load(rate_rps=100, lasts_s=5), "above 5 s"))
    return _measured(
        "How old the data are that the model reads", rows, *notes, job_every_s=every_s, job_takes_s=takes_s
    )


def _aged(source: str, load: Load, predicted: str) -> dict[str, Cell]:
    return {
        "read_from": source,
        "oldest_predicted": predicted,
        "oldest_s": load.age_s.get("1.0"),
        "median_age_s": load.age_s.get("0.5"),
        "requests": load.requests,
        "failed": load.failures,
    }


def _until(done: Callable[[], bool], within_s: float = 20.0) -> float:
    started_s = time.monotonic()
    while not done():
        if time.monotonic() - started_s > within_s:
            raise MeasurementError(
                f"The consumer has not caught up within {within_s:g} s. It is slower than the stream."
            )
        time.sleep(0.005)
    return time.monotonic() - started_s


@_experiment
def three_patterns() -> Measurement:
    """Answer one stream of payments on request and ahead, with old and with streamed features: about 80 s."""
    rows: list[dict[str, Cell]] = []
    notes: tuple[str, ...] = ()
    for name, options in (
        ("A: on request, old features", {"pattern": "request-time"}),
        ("B: ahead, by a job every 5 s", {"pattern": "pre-computed", "job_every_s": 5.0}),
        ("C: ahead, by event", {"pattern": "by-event"}),
        ("A: on request, streamed features", {"pattern": "streaming"}),
    ):
        with start(**options) as service:
            load = service.load(rate_rps=100, lasts_s=15, fraud_share=0.08, seed=11)
            notes += service.notes
        frauds = sum(load.fraud)
        rows.append(
            {
                "answers": name,
                "p50_s": load.p50_s,
                "p99_s": load.p99_s,
                "oldest_s": load.age_s.get("1.0"),
                "recall_share": load.recall_at(SAME_ALARMS),
                "cpu_s_per_1,000": load.cpu_s_per_thousand,
                "failed": load.failures,
            }
        )
    alike = f"Each with the threshold at which {SAME_ALARMS:.0%} of the honest payments raise a false alarm."
    title = "One stream of 100 payments/s, answered in four ways"
    return _measured(title, rows, alike, *notes, frauds=frauds)


@_experiment
def prediction() -> Measurement:
    """Predict the p99 of a service from its measured service times, and measure it: about 60 s."""
    rows: list[dict[str, Cell]] = []
    hindsight: dict[str, float] = {}
    with start("request-time", engine="sklearn") as service:
        times = measuring.measure_service_times(service)
        for busy in (0.3, 0.5, 0.7):
            found = measuring.compare(service, times, rate_rps=times.rate_rps(busy))
            measured_s = found.measured_s.value
            rows.append(
                {
                    "rate_rps": found.rate_rps,
                    "busy_share": found.utilisation,
                    "formula_s": found.formula_s,
                    "simulated_s": found.simulated_s.value,
                    "measured": found.measured_s.as_text(format_time),
                    "formula_to_measured": round(found.formula_s / measured_s, 2),
                    "simulated_to_measured": round(found.ratio, 2),
                }
            )
            hindsight[f"hindsight_to_measured_{busy:.0%}"] = round(found.hindsight_s / measured_s, 2)
    work = (
        f"One request keeps the server busy for {format_time(times.idle_s)} after a pause and for "
        f"{format_time(times.busy_s)} after another request (SCV {times.scv:.2f}), and spends "
        f"{format_time(times.elsewhere_s)} on the way, in the network and the client."
    )
    return _measured("p99 three ways", rows, work, scv=round(times.scv, 2), **hindsight)


@_experiment
def caches() -> Measurement:
    """Measure what a cache in front of the model costs or saves, and each service's highest rate: about 90 s."""
    rows: list[dict[str, Cell]] = []
    settings: tuple[tuple[Engine, Cache | None], ...] = (
        ("onnx", None),
        ("onnx", "redis"),
        ("sklearn", None),
        ("sklearn", "redis"),
        ("sklearn", "memory"),
    )
    for engine, cache in settings:
        with start("request-time", engine=engine, cache=cache) as service:
            load = service.load(rate_rps=100, lasts_s=4, repeats=0.8)
            limit = measuring.gives_up(service, repeats=0.8, first_rps=200)
        rows.append(
            {
                "model": engine,
                "cache": cache or "none",
                "p50_s": load.p50_s,
                "p99_s": load.p99_s,
                "cpu_s_per_1,000": load.cpu_s_per_thousand,
                "carried_rps": limit.carried_rps,
                "gives_up_at_rps": limit.refused_rps,
                "limited_by": limit.by,
            }
        )
    title = "Caches in front of a fast and of a slow model; 80 % of requests repeat an earlier one"
    return _measured(title, rows)


def main() -> None:
    """Record every experiment again."""
    import sys  # noqa: PLC0415 - a command

    for name in sys.argv[1:] or EXPERIMENTS:
        found = EXPERIMENTS[name](recorded=False)
        found.save(name)
        print(found, end="\n\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
