"""Designs that hold any words wherever a design can hold words."""

from itertools import pairwise

from mlsd_helpers import cases
from mlsd_helpers.design import Design

WORDS = {
    "name", "summary", "goal", "baseline", "output", "how", "definition", "quality", "failure", "meanwhile", "text",
    "owner", "check", "title", "where", "note", "metric", "threshold", "action", "fallback", "validation",
    "rollback_to", "kill_switch", "when", "reason", "flips_when", "parity_test", "part", "default",
}  # fmt: skip
HOSTILE = 'a|b `c` *d* _e_ <b>f</b> [g](#h) $i$ \\(j\\) ~~k~~ "l" #m; &amp; @n {{o}} %%p --> end http://q www.r ﬂ°s°°¶ß'


def saying(words):
    """Return Harbour Pay with these words in the place of all of its own."""
    return Design(**_with(cases.load("harbour_pay").model_dump(mode="json"), words))


def _with(part, words):
    if isinstance(part, dict):
        return {
            key: words if key in WORDS and value is not None else _with(value, words)
            for key, value in part.items()
        }
    return [_with(entry, words) for entry in part] if isinstance(part, list) else part


def in_chart():
    """Return a design whose ids are words that Mermaid itself uses."""
    names = ("end", "subgraph", "graph", "default", "style", "class", "click", "o-x", "x")
    kinds = (
        "raw source",
        "feature store",
        "model server",
        "metrics",
        "canary",
        "cache",
        "dashboard",
        "alerting",
    )
    components = [
        {"id": name, "kind": kinds[number % len(kinds)], "title": HOSTILE}
        for number, name in enumerate(names)
    ]
    flows = [
        {"from": start, "to": end, "carries": "request", "fallback": HOSTILE}
        for start, end in pairwise(names)
    ]
    stages = [{"id": name, "period": "1 min", "component": name} for name in names]
    features = [{"id": name, "source": "end", "path": [name]} for name in names]
    return Design(
        name=HOSTILE,
        planes={"components": components, "flows": flows},
        dataflow={"stages": stages, "features": features},
    )
