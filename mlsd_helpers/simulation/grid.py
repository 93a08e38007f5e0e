"""Erlang C for a whole grid of loads at once: what a slider draws beside the simulation."""

import numpy as np
from numpy.typing import ArrayLike

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.simulation.fleet import Floats


def erlang_c_grid(servers: int, offered_loads: ArrayLike) -> Floats:
    """Share of requests that wait in M/M/c, for each of many loads: `formulas.erlang_c` on an array.

    `servers` from 1 to a million, `offered_loads` in erlangs, at least 0 and below `servers`. Source: Erlang
    (1917), by the recursion of Jagerman (1974).

    >>> erlang_c_grid(2, [0.0, 1.0]).round(6).tolist()
    [0.0, 0.333333]
    """
    _ranges.countable(servers=servers)
    loads = np.asarray(offered_loads, float)
    if not np.all((loads >= 0) & (loads < servers)):
        raise RangeError(
            f"offered_loads must be from 0 to below {servers} servers. Add servers or reduce load."
        )
    blocked, carried = np.ones_like(loads), np.empty_like(loads)
    for place in range(1, servers + 1):
        np.multiply(blocked, loads, out=blocked)
        np.add(blocked, place, out=carried)
        np.divide(blocked, carried, out=blocked)
    waits: Floats = blocked / (1 - loads / servers * (1 - blocked))
    return waits


def wait_percentile_grid_s(
    servers: int, arrival_rps: ArrayLike, service_time_s: float, percentile: float = 0.99
) -> Floats:
    """Percentile of the wait in M/M/c, in seconds, for each of many arrival rates a second.

    Ranges as for `formulas.wait_percentile_s`, of which this is the array form.

    >>> wait_percentile_grid_s(1, [0.5], 1, percentile=0.75).round(6).tolist()
    [1.386294]
    """
    _ranges.positive(service_time_s=service_time_s)
    _ranges.share_between(percentile=percentile)
    loads = np.asarray(arrival_rps, float) * service_time_s
    over = erlang_c_grid(servers, loads) / (1 - percentile)
    waits: Floats = np.log(np.maximum(over, 1.0)) * service_time_s / (servers - loads)
    return waits
