"""Worker processes that grade in parallel, forked where possible from one that has imported nbgrader."""

import contextlib
import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from pebble import ProcessPool

_IMPORTED = ["mlsd_helpers.grading.grade"]
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()  # not on Windows


def get_ready() -> None:
    """Start the fork server, which imports what workers need while this process does its own imports."""
    if _FORKS:
        from multiprocessing import forkserver  # noqa: PLC0415 - not everywhere

        multiprocessing.set_forkserver_preload(_IMPORTED)
        forkserver.ensure_running()


def pool(workers: int, memory: int) -> ProcessPool:
    """Return a pool of processes that have this one's environment and end when it ends.

    Each may use `memory` bytes more than it starts with; beyond that it gets a MemoryError.
    """
    get_ready()
    context = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
    about_here = (dict(os.environ), os.getcwd(), memory)  # noqa: PTH109
    return ProcessPool(workers, initializer=_begin, initargs=about_here, context=context)


def reduce_gc() -> Callable[[], None]:
    """Make garbage collection rare, and skip what was imported; return a function that undoes it.

    Collection took up to a fifth of the time of a submission.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)

    def undo() -> None:
        gc.set_threshold(*before)
        gc.unfreeze()

    return undo


def _begin(environment: Mapping[str, str], folder: str, memory: int) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    limit_memory(memory)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def limit_memory(memory: int) -> None:
    """Limit this process to `memory` bytes more than it has now, where the system offers that."""
    with contextlib.suppress(ImportError, OSError):
        import resource  # noqa: PLC0415 - not on Windows

        has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (has + memory, most))  # soft: a sandbox has a limit of its own


def own_processor(folder: Path, stack: contextlib.ExitStack) -> set[int]:
    """Reserve a processor that no other worker of a run has, while there are enough; else return all.

    Closing the stack releases it. A sandbox then takes no time from the sandboxes of other workers.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows

        processors = os.sched_getaffinity(0)  # not on macOS
    except (ImportError, AttributeError):
        return set()
    folder.mkdir(exist_ok=True)
    for processor in sorted(processors):
        file = stack.enter_context((folder / f"processor-{processor}").open("w"))
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return {processor} if len(processors) > 1 else set()
    return processors


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
