"""How much one submission may use, in its sandbox and outside of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times are in seconds, sizes in bytes. `memory` is on top of what the fork server holds.

    A submission that takes longer than `first_s` is put off until the others have had their turn; then it has
    `whole_s`, of which its cells may use `cells_s`. What is judged and shown outside of the sandbox has limits too:
    `judge_s` for an exercise, `page_s` for a feedback page, `judge_memory` for the process that does it.
    """

    cell_s: float = 60
    call_s: float = 5
    cells_s: float = 240
    memory: int = 2 * 2**30
    processes: int = 64
    files: int = 64 * 2**20  # one file, and all that is written to the disk of a sandbox
    output: int = 2 * 2**20  # of one cell
    outputs: int = 10 * 2**20  # of a notebook
    first_s: float = 20
    judge_s: float = 30
    page_s: float = 20
    judge_memory: int = 2 * 2**30

    @property
    def most_processes(self) -> int:
        """What the kernel lets a sandbox have: some may be ours, and a sandbox that reaches its limit is to be seen."""
        return self.processes + 8

    @property
    def most_memory(self) -> int:
        """What all processes of a sandbox may take together. The kernel lets each have `memory`: one is below this."""
        return self.memory * 5 // 4

    @property
    def whole_s(self) -> float:
        """What one submission may take from start to end."""
        return self.cells_s + self.page_s
