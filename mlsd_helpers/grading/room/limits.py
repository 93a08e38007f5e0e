"""How much one submission may use, in its room and outside of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times are in seconds, sizes in bytes. `memory` is on top of what the warm parent holds.

    A submission that takes longer than `first_s` is put off until the others have had their turn; then it has
    `whole_s`, of which its rooms may use `room_s` together. What is judged and shown outside of a room has limits too:
    `judge_s` for an exercise, `page_s` for a feedback page, `judge_memory` for the process that does it.
    """

    cell_s: float = 60
    call_s: float = 5
    room_s: float = 240
    memory: int = 2 * 2**30
    processes: int = 64
    files: int = 64 * 2**20  # one file, and all that is written to the disk of a room
    output: int = 2 * 2**20  # of one cell
    outputs: int = 10 * 2**20  # of a notebook
    first_s: float = 20
    judge_s: float = 30
    page_s: float = 20
    judge_memory: int = 2 * 2**30

    @property
    def most_processes(self) -> int:
        """What the kernel lets a room have: some may be ours, and a room that reaches its limit is to be seen."""
        return self.processes + 8

    @property
    def most_memory(self) -> int:
        """What all processes of a room may take together. The kernel lets each have `memory`: one stays below this."""
        return self.memory * 5 // 4

    @property
    def whole_s(self) -> float:
        """What one submission may take from start to end."""
        return self.room_s + self.page_s
