"""Processes that grade side by side. Where the system can, they are forked from one that has imported nbgrader once."""

import multiprocessing
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver

_IMPORTED = ["mlsd_helpers.grading.grade"]
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()  # not on Windows


def get_ready() -> None:
    """Begin to import what workers need, in another process, while this one goes on with its own imports."""
    if _FORKS:
        multiprocessing.set_forkserver_preload(_IMPORTED)
        forkserver.ensure_running()


def pool(workers: int) -> ProcessPoolExecutor:
    """Return processes that have this one's environment and end when it does, however it ends."""
    get_ready()
    context = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
    return ProcessPoolExecutor(workers, context, _begin, (dict(os.environ), os.getcwd()))  # noqa: PTH109


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
