"""Operations: objectives, alerts, monitors, retraining, release and rollback."""

from mlsd_helpers.design import Planes
from mlsd_helpers.document.fields import Columns, Phrases, entries, name, phrases
from mlsd_helpers.document.markdown import Md, bullets, joined, part, section
from mlsd_helpers.document.provenance import Figures

_OBJECTIVES: Columns = {
    "objective": "id",
    "good events of all": "indicator",
    "measures": "measures",
    "target": "target",
    "over": "window",
    "owner": "owner",
}
_ALERTS: Columns = {
    "alert": "id",
    "raised by": "raised_by",
    "watches": "watches",
    "raised on": "raised_on",
    "metric": "metric",
    "when": "threshold",
    "over": "window",
    "at least": "minimum_count",
    "who is called": "owner",
    "what to do": "action",
    "runbook": "runbook",
}
_STAGES: Columns = {
    "stage": "id",
    "to": "to",
    "share": "share",
    "for": "lasts",
    "stopped by": "stops_on",
}
_RETRAINING: Phrases = {
    "triggers": "**Started by:** {}",
    "period": "**Every:** {}",
    "cooldown": "**Not sooner after the last than:** {}",
    "decided_after": "**A label counts from:** {} after its prediction",
}
_BEFORE: Phrases = {
    "validation": "**Has to pass:** {}",
    "approved_by": "**Approved by:** {}",
    "shadow": "**Answers unseen beside the old one for:** {}",
    "versioned_together": "**Released together:** {}",
}
_BACK: Phrases = {
    "rollback_to": "**Back to:** {}",
    "rollback_time": "**Takes:** {}",
    "kill_switch": "**Kill switch:** {}",
}


def operations(figures: Figures) -> Md:
    """Write objectives, alerts, monitors, retraining, the stages of a release, and the rollback."""
    design = figures.design
    planes = design.planes or Planes()
    objectives = design.operations.objectives if design.operations else ()
    release, at = planes.release, "planes.release"
    stages = release.rollout if release else ()
    where = f"{at}.stages" if release and release.stages else f"{at}"
    back = phrases(figures, at, release, _BACK)
    if release and release.taken_back:
        back.insert(0, Md(f"**Takes back:** {', '.join(release.taken_back)}"))
    return section(
        "operations",
        "Operations",
        part("Objectives", entries(figures, "operations.objectives", objectives, _OBJECTIVES, "objective")),
        part("Alerts", entries(figures, "planes.alerts", planes.alerts, _ALERTS, "alert")),
        part("Monitors", _monitors(figures, planes)),
        part("Retraining", bullets(phrases(figures, "planes.retraining", planes.retraining, _RETRAINING))),
        part(
            "Roll-out",
            bullets(phrases(figures, at, release, _BEFORE)),
            entries(figures, where, stages, _STAGES if release and release.stages else _canary(figures)),
        ),
        part("Rollback", bullets(back)),
    )


def _canary(figures: Figures) -> Columns:
    """Return the columns of a canary, whose share and time are fields of the release itself."""
    at = "planes.release"
    return _STAGES | {
        "share": lambda _: figures.number(f"{at}.canary_share"),
        "for": lambda one: figures.number(f"{at}.canary_time") if one.lasts is not None else Md(""),
    }


def _monitors(figures: Figures, planes: Planes) -> Md:
    watched: dict[str, dict[str, None]] = {}
    for flow in planes.flows:
        watched.setdefault(flow.end, {})[flow.start] = None
    columns: Columns = {
        "monitor": lambda one: name(figures, one.id),
        "kind": "kind",
        "what it measures": "title",
        "gets data from": lambda one: joined(name(figures, box) for box in watched.get(one.id, ())),
        "owner": "owner",
    }
    return entries(
        figures, "planes.components", planes.components, columns, keep=lambda one: one.plane == "monitoring"
    )
