"""A sandbox runs a student's cells, and reports the values of the names that they bind to the judge outside.

    ForkServer        a process in a sandbox that has imported what answers need; each worker has one
      └── Session        a fork of it for one submission, with its own processes and files

A sandbox runs untrusted code. It has no network, no other submission and no reference answer; its files are removed
when its session ends. It sends data in frames of limited size, which are checked before they are used: `codec` reads
values without running anything. No score is decided inside a sandbox.

>>> with ForkServer(choose_sandbox()) as server, server.session(folder) as session:  # doctest: +SKIP
...     session.run("def double(x): return 2 * x")
...     session.call("double", {"x": 21})
42
"""

from mlsd_helpers.grading.sandbox.codec import Opaque
from mlsd_helpers.grading.sandbox.confinement import choose_sandbox
from mlsd_helpers.grading.sandbox.forkserver import (
    AnswerRaised,
    AnswerTimeout,
    Cost,
    ForkServer,
    Session,
    SessionEnded,
    sweep,
)
from mlsd_helpers.grading.sandbox.limits import Limits

__all__ = [
    "AnswerRaised",
    "AnswerTimeout",
    "Cost",
    "ForkServer",
    "Limits",
    "Opaque",
    "Session",
    "SessionEnded",
    "choose_sandbox",
    "sweep",
]
