"""Processes that grade side by side. Where the system can, they are forked from one that has imported nbgrader once."""

import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor

_IMPORTED = ["mlsd_helpers.grading.grade"]
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()  # not on Windows


def get_ready() -> None:
    """Begin to import what workers need, in another process, while this one goes on with its own imports."""
    if _FORKS:
        from multiprocessing import forkserver  # noqa: PLC0415 - not everywhere

        multiprocessing.set_forkserver_preload(_IMPORTED)
        forkserver.ensure_running()


def pool(workers: int) -> ProcessPoolExecutor:
    """Return processes that have this one's environment and end when it does, however it ends."""
    get_ready()
    context = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
    return ProcessPoolExecutor(workers, context, _begin, (dict(os.environ), os.getcwd()))  # noqa: PTH109


def few_collections() -> Callable[[], None]:
    """Let Python look for cycles seldom, and not in what was imported; return what undoes it.

    Looking took up to a fifth of the time of a hand-in.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)

    def undo() -> None:
        gc.set_threshold(*before)
        gc.unfreeze()

    return undo


def _begin(environment: Mapping[str, str], folder: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
