"""Widgets: what a lesson shows and a learner moves.

A widget is a typed Python model with a short ES module beside it. It edits one value and shows one thing,
works by keyboard, follows the notebook's theme, and where there is no kernel a still figure, a table or a
sentence stands in for it. What a learner has to find out stays in Python until they have committed to an answer.

    Prediction         ask for a number, then tell the truth
    Choice             ask for one of several options, then say what it means
    ask                show a question of a lesson, by its id
    CapacityExplorer   the replica rule and Erlang C on one control
"""

from mlsd_helpers.widgets.base import Widget
from mlsd_helpers.widgets.capacity_explorer import CapacityExplorer
from mlsd_helpers.widgets.prediction import Choice, Prediction
from mlsd_helpers.widgets.questions import ask

__all__ = ["CapacityExplorer", "Choice", "Prediction", "Widget", "ask"]
