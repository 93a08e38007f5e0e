"""Figures: functions that take plain numbers and return a picture, its words and the data behind it.

>>> from mlsd_helpers import figures
>>> figure = figures.wait_by_replicas(peak_rps=500, service_time_s=0.040)
>>> dict(zip(figure.data["replicas"], figure.data["wait_s"]))[25] > 0.024
True
"""

from mlsd_helpers.figures.base import Columns, Figure, draw, from_matplotlib, table
from mlsd_helpers.figures.capacity import headroom, rule_against_exact, wait_by_replicas
from mlsd_helpers.figures.capacity_view import CapacityInputs, CapacityView, capacity_view
from mlsd_helpers.figures.generation import memory_budget
from mlsd_helpers.figures.queueing import backlog, response_by_utilisation

__all__ = [
    "CapacityInputs",
    "CapacityView",
    "Columns",
    "Figure",
    "backlog",
    "capacity_view",
    "draw",
    "from_matplotlib",
    "headroom",
    "memory_budget",
    "response_by_utilisation",
    "rule_against_exact",
    "table",
    "wait_by_replicas",
]
