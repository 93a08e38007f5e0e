"""A learner's workspace: the lessons, the exercises and the learner's own design, and JupyterLab over them.

`course` finds what the course offers, `copying` copies it into a folder without touching a learner's work, and
`jupyter` opens it.
"""

from mlsd_helpers.workspace.copying import Action, describe, make, plan
from mlsd_helpers.workspace.course import default_folder, find_course, first_lesson
from mlsd_helpers.workspace.jupyter import PORT, Server, free_port, jupyterlab

__all__ = [
    "PORT",
    "Action",
    "Server",
    "default_folder",
    "describe",
    "find_course",
    "first_lesson",
    "free_port",
    "jupyterlab",
    "make",
    "plan",
]
