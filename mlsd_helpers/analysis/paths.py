"""What the paths of a design let through to the model: requests a second, warm and cold."""

from mlsd_helpers.design import Design, ServingPath
from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import backend_rps, cold_cache_factor

LIVE = ("request-time", "hybrid")
"""Patterns whose requests are answered by the model while somebody waits."""


def peak_rps(design: Design) -> float | None:
    """Return the peak of the requirements, in requests a second."""
    stated = design.requirements and design.requirements.throughput
    return stated.peak if stated else None


def hit_ratio(path: ServingPath) -> float:
    """Return the share of a path's requests that its cache is expected to answer."""
    return (path.cache.hit_ratio or 0.0) if path.cache else 0.0


def warm_rps(design: Design) -> float | None:
    """Return what reaches the model at the peak once every cache is warm, in requests a second."""
    peak = peak_rps(design)
    if peak is None or (shares := _shares(design)) is None:
        return peak
    return sum(backend_rps(peak * share, hit_ratio(path)) for path, share in shares)


def cold_rps(design: Design) -> float | None:
    """Return what reaches the model at the peak while every cache is empty, in requests a second."""
    peak = peak_rps(design)
    if peak is None or (shares := _shares(design)) is None:
        return peak
    return sum(peak * share for _, share in shares)


def cold_load_rps(design: Design, load_rps: float) -> float | None:
    """Return what reaches a fleet that is sized for `load_rps` while caches are empty; None where no cache hits."""
    paths = design.pattern.paths if design.pattern else ()
    hits = max(map(hit_ratio, paths), default=0.0)
    if not hits:
        return None
    if (cold := cold_rps(design)) is not None:
        return max(cold, load_rps)
    try:
        return load_rps * cold_cache_factor(hits)
    except RangeError:
        return None


def _shares(design: Design) -> list[tuple[ServingPath, float]] | None:
    """Return the live paths with their shares of the requests; None where a share is not known."""
    paths = design.pattern.paths if design.pattern else ()
    if len(paths) == 1:
        shares = [(paths[0], paths[0].share if paths[0].share is not None else 1.0)]
    elif any(path.share is None for path in paths):
        return None
    else:
        shares = [(path, path.share or 0.0) for path in paths]
    return [(path, share) for path, share in shares if path.pattern in LIVE] if paths else None
