"""Widgets: what a lesson shows and a learner moves.

A widget is a typed Python model with a short ES module beside it. It edits one value and shows one thing,
works by keyboard, follows the notebook's theme, and where there is no kernel a still figure, a table or a
sentence stands in for it. What a learner has to find out stays in Python until they have committed to an answer.

    Prediction         ask for a number, then show the right one
    Choice             ask for one of several options, then show what it means
    ask                show a question of a lesson, by its id
    CapacityExplorer   the replica rule and Erlang C on one control
    DesignAutopsy      published incidents, and the plane that could first have caught each
    FirstQueue         send requests by hand, see them wait, then turn up a rate
    FreshnessTimeline  the age of a feature: period, phase, delays, cache and age limit
    LatencySculptor    a latency distribution whose tail is dragged: mean, p50, p99, and a page's p99
    PatternSurface     when an answer is computed: what is feasible, cheapest, and where that flips
    QueueTheatre       a simulated fleet that answers while a slider moves
    PlanesCanvas       boxes and arrows over five planes, reviewed as they are drawn
    StakeholderInterview  a product owner with time for a few questions
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlsd_helpers.widgets.base import Widget
from mlsd_helpers.widgets.capacity_explorer import CapacityExplorer
from mlsd_helpers.widgets.design_autopsy import DesignAutopsy
from mlsd_helpers.widgets.first_queue import FirstQueue
from mlsd_helpers.widgets.freshness_timeline import FreshnessTimeline
from mlsd_helpers.widgets.interview import StakeholderInterview
from mlsd_helpers.widgets.latency_sculptor import LatencySculptor
from mlsd_helpers.widgets.pattern_surface import PatternSurface
from mlsd_helpers.widgets.planes_canvas import PlanesCanvas
from mlsd_helpers.widgets.prediction import Choice, Prediction
from mlsd_helpers.widgets.questions import ask

if TYPE_CHECKING:
    from mlsd_helpers.widgets.queue_theatre import QueueTheatre

__all__ = [
    "CapacityExplorer",
    "Choice",
    "DesignAutopsy",
    "FirstQueue",
    "FreshnessTimeline",
    "LatencySculptor",
    "PatternSurface",
    "PlanesCanvas",
    "Prediction",
    "QueueTheatre",
    "StakeholderInterview",
    "Widget",
    "ask",
]


def __getattr__(name: str) -> Any:
    """Load the queue theatre on first use, because it imports the simulator and numba."""
    if name == "QueueTheatre":
        return import_module(f"{__name__}.queue_theatre").QueueTheatre
    raise AttributeError(f"mlsd_helpers.widgets has no {name!r}. It has: {', '.join(__all__)}.")
