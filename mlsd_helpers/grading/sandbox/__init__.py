"""A sandbox: where a student's cells run, and what can be asked about the names that they bind.

    ForkServer        a process inside the sandbox that has imported what answers need, one a worker
      └── Session        a fork of it for one submission, with its own processes, files and end

A sandbox runs code that nobody has read. It sees no network, no other submission and no reference answer; what it
writes goes when it closes. What it sends is data, in frames of limited size that are checked before they are used:
`codec` reads values back without running anything. Nothing that carries points is decided in here.

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
