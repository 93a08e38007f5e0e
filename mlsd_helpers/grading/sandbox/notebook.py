"""Checks the outputs that a sandbox sent, and keeps of them what nbformat allows in text that any file can hold."""

import math
from collections.abc import Mapping
from typing import Any

from mlsd_helpers.grading.sandbox.codec import clean
from mlsd_helpers.grading.sandbox.wire import BrokenFrameError

_MOST = 2_000
_LONGEST = 200  # characters of a MIME type or of an error's name


def outputs(sent: Any) -> list[dict[str, Any]]:
    """Return the outputs as nbformat stores them. Raises BrokenFrameError for anything else."""
    if not isinstance(sent, list) or len(sent) > _MOST:
        raise BrokenFrameError
    return [_output(one) for one in sent]


def _output(sent: Any) -> dict[str, Any]:
    match sent:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(text)}:
            return {"output_type": "stream", "name": name, "text": clean(text)}
        case {"output_type": "error", "ename": str(name), "evalue": str(value), "traceback": list(lines)}:
            trace = [clean(line) for line in lines if isinstance(line, str)]
            return {
                "output_type": "error",
                "ename": clean(name)[:_LONGEST],
                "evalue": clean(value),
                "traceback": trace,
            }
        case {"output_type": "display_data", "data": dict(data)}:
            return {"output_type": "display_data", "data": _data(data), "metadata": _metadata(sent)}
        case {"output_type": "execute_result", "data": dict(data), "execution_count": int(count)}:
            shown = {"data": _data(data), "metadata": _metadata(sent), "execution_count": count}
            return {"output_type": "execute_result", **shown}
    raise BrokenFrameError


def _data(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Keep text as text; only JSON types hold more than text."""
    kept = {}
    for kind, data in sent.items():
        if isinstance(data, str):
            kept[clean(kind)[:_LONGEST]] = clean(data)
        elif kind.endswith("json"):
            kept[clean(kind)[:_LONGEST]] = _cleaned(data)
    return kept


def _metadata(sent: Mapping[str, Any]) -> dict[str, Any]:
    metadata = sent.get("metadata")
    return _cleaned(metadata) if isinstance(metadata, dict) else {}


def _cleaned(data: Any, depth: int = 0) -> Any:
    if depth > 20:
        raise BrokenFrameError
    match data:
        case str():
            return clean(data)
        case dict():
            return {clean(key): _cleaned(value, depth + 1) for key, value in data.items()}
        case list():
            return [_cleaned(value, depth + 1) for value in data]
        case float() if not math.isfinite(data):
            return None  # JSON has no name for it
    return data
