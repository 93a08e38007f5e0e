"""A learner's workspace: the lessons, the exercises and the learner's own design, and JupyterLab over them.

`course` finds what the course offers, `laying` puts it into a folder without touching a learner's work, and
`jupyter` opens it.
"""

from mlsd_helpers.workspace.course import default_folder, find_course, first_lesson
from mlsd_helpers.workspace.jupyter import PORT, Server, free_port, jupyterlab
from mlsd_helpers.workspace.laying import Action, describe, make, plan

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
