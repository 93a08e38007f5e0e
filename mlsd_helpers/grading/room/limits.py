"""How much one room may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times are in seconds, sizes in bytes. `memory` is on top of what the warm parent holds."""

    cell_s: float = 60
    call_s: float = 5
    room_s: float = 600
    memory: int = 2 * 2**30
    processes: int = 64
    files: int = 64 * 2**20  # one file, and all that is written to the disk of a room
    output: int = 2 * 2**20  # of one cell
