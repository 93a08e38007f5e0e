"""The first queue: the learner sends requests by hand, sees them wait, and then turns up a rate."""

from typing import Any

import traitlets as t

from mlsd_helpers.figures import by_hand as figure
from mlsd_helpers.units import show_seconds
from mlsd_helpers.widgets.base import Widget, module, style


class FirstQueue(Widget):
    """One replica, a button that sends a request, and after a few answers a slider for the rate.

    The page runs the event loop, so that nothing waits for the kernel: a request that finds the replica busy waits,
    and the replica takes the first that waits. Random arrivals are the recorded gaps of `figures.first_queue`,
    divided by the rate. Without a kernel a picture shows three rates, request by request.
    """

    _esm = module("first_queue.js")
    _css = style("first_queue.css")  # type: ignore[assignment] # a text, where the base has a path
    service_s = t.Float(figure.SERVICE_S).tag(sync=True)
    gaps = t.List(t.Float()).tag(sync=True)
    alone = t.Int(6, help="answers by hand before the rate is offered").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(gaps=figure.unit_gaps(), **traits)

    def still(self) -> str:
        """Return three rates as a picture, and what to do where there is a kernel."""
        return f"<p>{_INTRO}</p>{figure.first_queue().html()}"

    def sentence(self) -> str:
        """Return the picture in words."""
        return f"The first queue. {figure.first_queue().alt}"


_INTRO = (
    f"You are the load: one replica takes {show_seconds(figure.SERVICE_S)} for each request. Run this cell in "
    "JupyterLab to send requests yourself; here is what three rates look like."
)
