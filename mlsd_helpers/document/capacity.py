"""Capacity and cost: the plan of every fleet, its computed sizes, and the costs of the design."""

import math

from mlsd_helpers.analysis.cost import labels_per_month, total_per_month, unpriced
from mlsd_helpers.document.fields import field, format_value, name
from mlsd_helpers.document.markdown import (
    Md,
    anchor,
    blocks,
    code,
    escape,
    joined,
    link,
    part,
    section,
    table,
)
from mlsd_helpers.document.plan import Fleet, result_of, rows
from mlsd_helpers.document.provenance import Figures
from mlsd_helpers.document.summary import cost
from mlsd_helpers.review.data import labels_in_costs
from mlsd_helpers.units import show_money

_FLEET = {
    "sized for": "component",
    "load at the peak": "load",
    "why": "because",
    "service time": "service_time",
    "requests at once in a replica": "concurrency_per_replica",
    "target utilisation": "target_utilisation",
    "**replicas**": "replicas",
    "zones": "zones",
    "in each zone": "replicas_per_zone",
    "more during a release": "release_replicas",
    "headroom": "headroom.share",
    "headroom pays for": "headroom.pays_for",
    "surge above the peak": "headroom.surge",
    "away at once in a restart": "headroom.unavailable_in_restart",
    "started first in a restart": "headroom.max_surge",
    "why this headroom": "headroom.note",
    "routing": "routing",
    "queue limit of a replica": "queue_limit",
    "refuses when full": "sheds",
    "scales on": "autoscaler.metric",
    "scales to": "autoscaler.target",
    "scales after": "autoscaler.delay",
    "load rises in that time by": "autoscaler.fastest_rise",
    "replicas at least": "autoscaler.minimum",
    "replicas at most": "autoscaler.maximum",
    "batching": "batching",
    "model": "generation.model.name",
    "accelerator": "generation.accelerator.name",
    "accelerators a replica": "generation.accelerators_per_replica",
    "precision": "generation.precision",
    "precision of the KV cache": "generation.kv_precision",
    "prompt from the prefix cache": "generation.prefix_cache",
    "tokens of a pass": "generation.tokens_per_pass",
    "a replica costs an hour": "cost_per_replica_hour",
    "budget a month": "budget_per_month",
}


def capacity(figures: Figures) -> Md:
    """Write the plan of each fleet, its computed sizes, and the costs."""
    return section(
        "capacity",
        "Capacity and cost",
        _fleets(figures),
        part("What the plan comes to", _results(figures)),
        _costs(figures),
    )


def _fleets(figures: Figures) -> Md:
    fleets = figures.design.fleets
    names = [code(Fleet(figures, path).name) for path in fleets]
    lines = [[Md(head), *(_cell(figures, path, place) for path in fleets)] for head, place in _FLEET.items()]
    return table(("fleet", *names), (line for line in lines if any(line[1:])))


def _cell(figures: Figures, path: str, place: str) -> Md:
    plan = figures.design.fleets[path]
    value = field(plan, place)
    if place == "load" and value is None and figures.sizings[path].load_rps is not None:
        return figures.load(path)
    if place == "load" and figures.sizings[path].underestimated:
        return Md(f"{format_value(figures, f'{path}.{place}', value)}; the peak brings {figures.load(path)}")
    if place == "concurrency_per_replica" and value == 1:
        return Md("")
    return format_value(figures, f"{path}.{place}", value)


def _results(figures: Figures) -> Md:
    """Write each result of the plan, fleet by fleet; the appendix shows the inputs."""
    by_title: dict[str, dict[str, Md]] = {}
    for row in rows(figures):
        if not row.missing:
            by_title.setdefault(row.what, {})[row.fleet] = result_of(row, row.target)
    fleets = dict.fromkeys(name for results in by_title.values() for name in results if name)
    of_each = ((title, results) for title, results in by_title.items() if "" not in results)
    of_all = ((escape(title), results[""]) for title, results in by_title.items() if "" in results)
    lines = [[escape(title), *(results.get(name, Md("")) for name in fleets)] for title, results in of_each]
    return blocks(table(("what", "result"), of_all), table(("what", *map(code, fleets)), lines))


def _costs(figures: Figures) -> Md:
    total = total_per_month(figures.costs)
    currency = figures.design.currency
    lines = []
    for row in figures.costs:
        what, how = escape(row.what), escape(row.how)
        if row.per_month is None:
            lines.append((what, escape("not known"), how))
        else:
            price = escape(show_money(row.per_month, currency))
            lines.append((what, price, link(how, figures.target(row.path))))
    if total is not None:
        lines.append((Md("**all**"), Md(f"**{escape(show_money(total, currency))}**"), Md("")))
    summed = joined(cost(figures), "; ")
    body = blocks(
        table(("what", "a month", "how"), lines),
        Md(f"In all: {summed}.") if summed else Md(""),
        _not_in_the_sum(figures) if lines else Md(""),
    )
    return part("Cost", anchor("costs"), body) if body else Md("")


def _not_in_the_sum(figures: Figures) -> Md:
    """Say what the sum leaves out: labels of the trainings, and components that state no price."""
    design = figures.design
    said = list[Md]()
    costs, planes = design.capacity.costs if design.capacity else (), design.planes
    each = {one.workload: labels_per_month(one.design) or 0.0 for one in figures.views}
    bills = {of: bill for of, bill in each.items() if bill}
    if bills and not (planes and labels_in_costs(costs, planes)):
        words = [f"new labels for {show_money(math.fsum(bills.values()), design.currency)} a month"]
        words += [f"{of} {show_money(bill, design.currency)}" for of, bill in bills.items() if len(bills) > 1]
        said.append(escape(f"{', '.join(words)}, if none are kept from training to training"))
    if names := [name(figures, one.id) for one in unpriced(design)]:
        said.append(Md(f"what states no price: {joined(names)}"))
    return Md(f"**Not in the sum:** {joined(said, '; ')}.") if said else Md("")
