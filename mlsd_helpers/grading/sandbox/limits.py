"""The limits of one submission, in its sandbox and in the grader."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times are in seconds, sizes in bytes. `memory` is on top of what the fork server holds.

    A submission that takes longer than `first_s` is postponed until the others are done; then it has `whole_s`, of
    which its cells may use `cells_s`. Outside the sandbox, judging an exercise has `judge_s`, a feedback page `page_s`,
    and the process that does both `judge_memory`.
    """

    cell_s: float = 60
    call_s: float = 5
    cells_s: float = 240
    memory: int = 2 * 2**30
    processes: int = 64
    files: int = 64 * 2**20  # of one file, and of all files together
    output: int = 2 * 2**20  # of one cell
    outputs: int = 10 * 2**20  # of a notebook
    first_s: float = 20
    judge_s: float = 30
    page_s: float = 20
    judge_memory: int = 2 * 2**30

    @property
    def most_processes(self) -> int:
        """The kernel's limit of processes: higher than `processes`, so that the grader sees an excess."""
        return self.processes + 8

    @property
    def most_memory(self) -> int:
        """The limit of all processes of a sandbox together. The kernel's limit, `memory`, holds for each process."""
        return self.memory * 5 // 4

    @property
    def whole_s(self) -> float:
        """The limit of one submission from start to end, in seconds."""
        return self.cells_s + self.page_s
