"""A room: where a student's cells run, and what can be asked about the names that they bind.

    WarmParent        a process inside the sandbox that has imported what answers need, one a worker
      └── Room        a fork of it for one hand-in, with its own processes, files and end

A room runs code that nobody has read. It sees no network, no other hand-in and no reference answer; what it
writes goes when it closes. What it sends is data, in frames of limited size that are checked before they are used:
`codec` reads values back without running anything. Nothing that carries points is decided in here.

>>> with WarmParent(choose_sandbox()) as parent, parent.room(folder) as room:  # doctest: +SKIP
...     room.run("def double(x): return 2 * x")
...     room.call("double", {"x": 21})
42
"""

from mlsd_helpers.grading.room.codec import Opaque
from mlsd_helpers.grading.room.limits import Limits
from mlsd_helpers.grading.room.parent import (
    AnswerEndless,
    AnswerRaised,
    Cost,
    Room,
    RoomGone,
    WarmParent,
    sweep,
)
from mlsd_helpers.grading.room.sandbox import choose_sandbox

__all__ = [
    "AnswerEndless",
    "AnswerRaised",
    "Cost",
    "Limits",
    "Opaque",
    "Room",
    "RoomGone",
    "WarmParent",
    "choose_sandbox",
    "sweep",
]
