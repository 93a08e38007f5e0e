"""Rules on data: constraints and regions, personal data, decisions about people, labels, training."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from mlsd_helpers.analysis.graph import reached, steps_along
from mlsd_helpers.analysis.rates import share_on_duty
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Component, Constraint, Cost, Dataset, Design, Flow, Labels, Planes
from mlsd_helpers.review.regions import within
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import (
    DATA,
    PersonalData,
    flow_places,
    is_about_people,
    personal_data,
    providers,
    sketched,
    worked_out,
)
from mlsd_helpers.review.words import listed, mentions, money
from mlsd_helpers.units import day, show_seconds

GDPR = "General Data Protection Regulation (EU) 2016/679, {}."
_MONTH_S = 30 * day
_KEEPING = (
    "feature store", "offline store", "label store", "vector index", "cache", "prediction store", "prediction log",
)  # fmt: skip
_LABEL_BILL = 10_000.0  # dollars for one training; less is paid without a plan; our threshold
_LABEL_BILL_SHARE = 0.1  # of the budget: from there on it belongs in the plan; our threshold


# ---- constraints and regions


@rule(
    "DATA001",
    title="Constraint that nothing meets",
    prevents="a system that is stopped by an audit after it was built",
    needs=sketched,
)
def constraint_unmet(design: Design, planes: Planes) -> Iterator[Fault]:
    """What law, a contract or a policy demands has to be met by something in the design."""
    known = {one.id for one in planes.components}
    for one in design.requirements.constraints if design.requirements else ():
        gone = [name for name in one.met_by if name not in known]
        if gone:
            said = f"is met by {listed(gone)}, which the design does not have"
        elif not one.met_by and not one.region and not says_something(one.how):
            said = "is met by nothing"
        else:
            continue
        yield Fault(
            f"requirements.constraints.{one.id}.met_by",
            f"The constraint {one.id} {said}.",
            "Name in 'met_by' the components that meet it, and in 'how' what they do.",
        )


def _bound(design: Design, planes: Planes) -> dict[str, str]:
    """Return the components to which a limit of regions applies, each with what brings the data there."""
    flows = personal_data(design, planes)
    moving = (*flows.sure, *flows.maybe)
    if not flows.said and not (design.data and design.data.datasets):
        moving = tuple(flow for flow in planes.flows if flow.carries in DATA and flow.personal is None)
    found = {name: f"{flow.start} → {flow.end}" for flow in moving for name in (flow.start, flow.end)}
    for kept in design.data.datasets if design.data else ():
        if kept.personal is not False:
            found |= dict.fromkeys(kept.kept_in, f"the data set {kept.id}")
    return found


def _lies_within(one: Component, allowed: tuple[str, ...]) -> bool | None:
    """Tell whether a component is in allowed regions only; None where that is not said."""
    verdicts = []
    for region in one.region:
        answers = [within(region, limit) for limit in allowed]
        verdicts.append(True if True in answers else None if None in answers else False)
    if False in verdicts:
        return False
    return True if verdicts and all(verdicts) else None


def _limited(design: Design, planes: Planes) -> Iterator[tuple[Constraint, dict[str, str]]]:
    """Yield each constraint of regions with the components that it applies to."""
    for one in design.requirements.constraints if design.requirements else ():
        if one.region:
            yield one, _bound(design, planes) | dict.fromkeys(one.met_by, "'met_by'")


@rule(
    "DATA002",
    title="Data outside the allowed region",
    prevents="a transfer of data that law or a contract forbids",
    incident=GDPR.format("Articles 44 to 46, on transfers to third countries"),
    wrong_when="Wrong if what goes there is not what the constraint is about; write 'personal: false' on the flow.",
    needs=sketched,
)
def outside_region(design: Design, planes: Planes) -> Iterator[Fault]:
    """Data that have to stay in a region may be sent to and kept by components in that region only."""
    limits = [(f"the constraint {one.id}", one.region, bound) for one, bound in _limited(design, planes)]
    limits += [
        (f"the data set {kept.id}", kept.region, dict.fromkeys(kept.kept_in, "'kept_in'"))
        for kept in (design.data.datasets if design.data else ())
        if kept.region
    ]
    told = set[str]()
    for who, allowed, bound in limits:
        for one in planes.components:
            if one.id in bound and one.id not in told and _lies_within(one, allowed) is False:
                told.add(one.id)
                yield Fault(
                    f"planes.components.{one.id}.region",
                    f"{one.id} is in {listed(one.region)}, and {who} allows {listed(allowed)} only; the data "
                    f"come there by {bound[one.id]}.",
                    "Move it, or send nothing there that the limit is about, and write 'personal: false' on its "
                    "flow.",
                )


@rule(
    "DATA003",
    "warning",
    title="Region not stated where it is limited",
    prevents="a copy in another region that nobody has noticed",
    wrong_when="Wrong if all of the system runs in one allowed region; state it on the components that keep data.",
    needs=sketched,
)
def region_unknown(design: Design, planes: Planes) -> Iterator[Fault]:
    """A limit of regions is kept only if it is known where each component is."""
    kept = {name for one in (design.data.datasets if design.data else ()) for name in one.kept_in}
    for limit, bound in _limited(design, planes):
        unknown = [
            one
            for one in planes.components
            if one.id in bound and _has_to_say(one, kept) and _lies_within(one, limit.region) is None
        ]
        if unknown:
            names = [f"{one.id} ({listed(one.region)})" if one.region else one.id for one in unknown]
            yield Fault(
                f"planes.components.{unknown[0].id}.region",
                f"The constraint {limit.id} allows {listed(limit.region)} only, and it is not said that these are "
                f"there: {listed(names)}.",
                "State the region of each, in the words of the constraint.",
            )


def _has_to_say(one: Component, kept: Collection[str]) -> bool:
    """Tell whether a component has to say where it is: it keeps data, or somebody else runs it."""
    return one.kind in {*_KEEPING, "external service"} or one.id in kept


# ---- personal data at providers


def _received(flows: Iterable[Flow]) -> dict[str, Flow]:
    """Return the first of some flows to each component."""
    received = dict[str, Flow]()
    for flow in flows:
        received.setdefault(flow.end, flow)
    return received


def _agreement_missing(one: Component) -> bool:
    return one.terms is None or not says_something(one.terms.agreement)


@rule(
    "DATA004",
    title="Personal data to a provider without an agreement",
    prevents="personal data at somebody who has promised nothing about them",
    incident=GDPR.format("Article 28, on processors"),
    needs=sketched,
)
def no_agreement(design: Design, planes: Planes) -> Iterator[Fault]:
    """Who processes personal data for somebody else needs a contract that says what may be done with them."""
    received = _received(personal_data(design, planes).sure)
    for one in providers(planes):
        if (sent := received.get(one.id)) and _agreement_missing(one):
            yield Fault(
                f"planes.components.{one.id}.terms",
                f"{sent.start} → {one.id} carries personal data, and no agreement with {one.id} is named.",
                "Name the contract in 'terms: {agreement: …}', or remove what is personal before it is sent.",
            )


@rule(
    "DATA005",
    "warning",
    title="What a provider does with our data is not stated",
    prevents="users' texts in a provider's logs and training data",
    wrong_when="Wrong if nothing personal or secret is sent; write 'personal: false' on the flow.",
    needs=sketched,
)
def terms_incomplete(design: Design, planes: Planes) -> Iterator[Fault]:
    """Before personal data go to a provider, it is known how long they are kept and whether they are trained on."""
    flows = personal_data(design, planes)
    received, surely = _received((*flows.sure, *flows.maybe)), _received(flows.sure)
    for one in providers(planes):
        flow, sure = received.get(one.id), one.id in surely
        if flow is None:
            continue
        missing = [
            name for name in ("trains_on_our_data", "retention") if getattr(one.terms, name, None) is None
        ]
        missing += ["agreement"] if not sure and _agreement_missing(one) else []
        if missing:
            may = "carries" if sure else "may carry"
            yield Fault(
                f"planes.components.{one.id}.terms",
                f"{flow.start} → {one.id} {may} personal data, and the terms of {one.id} do not state "
                f"{', '.join(missing)}.",
                "State under 'terms' whether it trains on our data, how long it keeps them and by which "
                "contract; or write 'personal: false' on the flow and what removes the personal part under "
                "'check'.",
            )


@rule(
    "DATA006",
    title="Provider trains on personal data",
    prevents="a model of somebody else that repeats what users wrote",
    wrong_when="Acceptable if the persons have agreed to it; say where.",
    needs=sketched,
)
def provider_trains(design: Design, planes: Planes) -> Iterator[Fault]:
    """What a provider trains on cannot be taken back, and may come out for others."""
    flows = personal_data(design, planes)
    received = _received((*flows.sure, *flows.maybe))
    for one in providers(planes):
        sent = received.get(one.id)
        if sent and one.terms and one.terms.trains_on_our_data:
            yield Fault(
                f"planes.components.{one.id}.terms.trains_on_our_data",
                f"{one.id} trains on what it gets, and {sent.start} → {one.id} "
                f"{'carries' if sent.personal else 'may carry'} personal data.",
                "Agree on terms without training, or remove what is personal before it is sent.",
            )


# ---- personal data that are kept


@rule(
    "DATA007",
    "warning",
    title="Data set without purpose, retention or deletion",
    prevents="personal data that are kept for ever, and cannot be deleted when a person asks",
    incident=GDPR.format("Articles 5, 6 and 17, on purpose, storage, legal basis and erasure"),
    wrong_when="Wrong for the legal basis alone if no law asks for one where the persons live.",
)
def dataset_incomplete(design: Design) -> Iterator[Fault]:
    """Personal data are kept for a purpose, on a legal basis, for a time, and can be deleted."""
    matters = design.planes is not None and personal_data(design, design.planes).matters
    for one in design.data.datasets if design.data else ():
        missing = []
        if one.personal is None and matters:
            missing = ["personal"]
        elif one.personal:
            missing = ["purpose"] if not says_something(one.purpose) else []
            missing += [name for name in ("basis", "retention") if getattr(one, name) is None]
            missing += [] if one.kept_in else ["kept_in"]
            missing += ["deletion"] if one.deleted_by is None and not says_something(one.deletion) else []
        if missing:
            yield Fault(
                f"data.datasets.{one.id}.{missing[0]}",
                f"The data set {one.id} does not state {', '.join(missing)}.",
                "State whether it is personal; if it is, for which purpose and on which basis it is kept, in "
                "which components, for how long, and how a person's data are found and deleted.",
            )


@rule(
    "DATA008",
    "warning",
    title="Personal data kept outside every data set",
    prevents="copies of personal data that no deletion reaches",
    wrong_when="Wrong if what is kept there is not personal; write 'personal: false' on its flow.",
    needs=worked_out,
)
def kept_outside_datasets(design: Design, planes: Planes) -> Iterator[Fault]:
    """Every store, log, index and provider that keeps personal data belongs to a set of data with a retention."""
    flows = personal_data(design, planes)
    if not flows.matters or design.why_not("data.datasets") is not None:
        return
    datasets = design.data.datasets if design.data else ()
    received = _received((*flows.sure, *flows.maybe))
    covered = {name for one in datasets for name in one.kept_in}  # a set may say that it is not personal
    if missing := [
        one.id for one in planes.components if one.id not in covered and _keeps(one, flows, received)
    ]:
        yield Fault(
            "data.datasets" if design.data else "data",
            f"{'These components keep' if flows.said else 'These components may keep'} personal data, and no set "
            f"of data names them: {listed(missing)}.",
            "List what is kept under 'data.datasets', with purpose, retention, deletion, and 'kept_in' for "
            "every copy: logs, indexes and providers too.",
        )


def _keeps(one: Component, flows: PersonalData, received: Mapping[str, Flow]) -> bool:
    if one.kind == "external service":
        return bool(one.id in received and one.terms and one.terms.retention)
    return one.kind in _KEEPING and one.id in flows.stored_in


@rule(
    "DATA009",
    title="Copy kept longer than its data set allows",
    prevents="data that are deleted here and still kept by a provider",
    needs=sketched,
)
def copy_kept_longer(design: Design, planes: Planes) -> Iterator[Fault]:
    """A retention holds for every copy, those of providers included."""
    terms = {one.id: one.terms for one in planes.components if one.terms}
    for kept in design.data.datasets if design.data else ():
        for name in kept.kept_in:
            longest_s = terms[name].retention if name in terms else None
            if longest_s and kept.retention is not None and longest_s > kept.retention:
                yield Fault(
                    f"planes.components.{name}.terms.retention",
                    f"{name} keeps what it gets for {show_seconds(longest_s)}, and the data set {kept.id} may be "
                    f"kept for {show_seconds(kept.retention)}.",
                    "Agree on a shorter retention with the provider, or state a longer one for the data set.",
                )


@rule(
    "DATA010",
    "warning",
    title="Deletion that does not reach every copy",
    prevents="a deleted person who is still found in the index",
    incident=GDPR.format("Article 17, on erasure"),
    wrong_when="Wrong if a copy is deleted in another way, such as a rebuild each night; draw that flow.",
    needs=sketched,
)
def deletion_misses_copies(design: Design, planes: Planes) -> Iterator[Fault]:
    """What deletes a person's data has to reach every store that keeps them."""
    for kept in design.data.datasets if design.data else ():
        if (
            not kept.personal
            or kept.deleted_by is None
            or kept.deleted_by not in {one.id for one in planes.components}
        ):
            continue
        told = _told_to_delete(planes, kept)
        missing = [name for name in kept.kept_in if name not in told]
        if missing and (
            not says_something(kept.deletion) or len(missing) < len(set(kept.kept_in) - {kept.deleted_by})
        ):
            yield Fault(
                f"data.datasets.{kept.id}.deleted_by",
                f"{kept.deleted_by} deletes the data set {kept.id}, and no flow leads from there to "
                f"{listed(missing)}, where it is kept too.",
                "Draw the flow of deletions to each copy, or say in 'deletion' how each copy is deleted.",
            )


def _told_to_delete(planes: Planes, kept: Dataset) -> set[str]:
    """Return what a deletion reaches as a command or an event: directly, or through streams of events."""
    streams = {one.id for one in planes.components if one.kind == "event stream"}
    ways = [
        flow
        for flow in planes.flows
        if flow.start in {kept.deleted_by, *streams} and flow.carries in {"command", "events"}
    ]
    return reached([kept.deleted_by or ""], steps_along(ways))


# ---- decisions about people


@rule(
    "DATA011",
    title="Protected feature in the model",
    prevents="decisions about people by what the law forbids to decide by",
    incident="Charter of Fundamental Rights of the European Union, Article 21, on non-discrimination.",
    wrong_when="Acceptable if the law allows its use here, such as age in a medical model; cite the paragraph.",
)
def protected_feature(design: Design) -> Iterator[Fault]:
    """A model that is given a protected feature decides by it."""
    wanted = design.requirements.prediction if design.requirements else None
    if wanted is not None and wanted.about_people is False:
        return
    features = design.dataflow.features if design.dataflow else ()
    if found := [one.id for one in features if one.protected]:
        yield Fault(
            f"dataflow.features.{found[0]}.protected",
            f"The model reads {listed(found)}, which the law forbids to decide by.",
            "Take it out of the model's input, and look for features that stand for it; keep it apart, to test "
            "with it.",
        )


@rule(
    "DATA012",
    "warning",
    title="Decision about people without explanation or review",
    prevents="a person who is refused and gets neither a reason nor anybody to ask",
    incident=GDPR.format("Article 22, on decisions based solely on automated processing"),
    wrong_when="Wrong if a person takes every decision, and the model only sorts their work; draw these people.",
    needs=worked_out,
)
def no_explanation_or_review(design: Design, planes: Planes) -> Iterator[Fault]:
    """Whom a decision concerns needs its reason, and a person who can change it."""
    wanted = design.requirements.prediction if design.requirements else None
    if wanted is None or not wanted.about_people:
        return
    unexplained = not says_something(wanted.explained)
    unreviewed = not any(one.kind == "people" and one.plane != "training" for one in planes.components)
    if unexplained or unreviewed:
        lacks = ["no explanation for whom it concerns"] * unexplained + [
            "no people who review it"
        ] * unreviewed
        yield Fault(
            "requirements.prediction.explained" if unexplained else "planes.components",
            f"The model decides about people, and the design has {' and '.join(lacks)}.",
            "State in 'explained' how the reason is told, and draw the people who review a decision that is "
            "contested.",
        )


@rule(
    "DATA013",
    "warning",
    title="Decision about people without a fairness gate",
    prevents="a model that is good on average and refuses one group far more often",
    incident="Obermeyer et al., Dissecting racial bias in an algorithm used to manage the health of populations "
    "(Science, 2019).",
    wrong_when="Acceptable if the groups are not known and may not be collected; say how fairness is tested instead.",
)
def no_fairness_gate(design: Design) -> Iterator[Fault]:
    """Where people are decided on, a release has to pass in each group and not on average only."""
    release = design.planes.release if design.planes else None
    if release is None or not is_about_people(design):
        return
    sliced = any(says_something(text) for gate in release.gates for text in gate.slices)
    if not sliced and not mentions(r"\bfair|\bgroups?\b|subgroup|protected|demograph|gender|\bsex\b|\bage\b|ethnic"
                                   r"|nationalit|disparat", release.validation):  # fmt: skip
        yield Fault(
            f"planes.release.{'gates' if release.gates else 'validation'}",
            "The model decides about people, and no gate compares groups of them.",
            "Add a gate with 'slices', such as age group and sex, and how far apart the groups may be.",
        )


# ---- labels


_SOUND_SELECTION = (
    r"random|explor|propensit|inverse|hold.?out|held.?out|unbiased|bandit|epsilon|interleav|stratif|counterfactual"
    r"|importance.(weight|sampl)|position.bias"
)
_DENIED = r"\b(no|not|without|never|nothing)\b[\w\s-]{0,12}(random|explor|hold.?out|unbiased)"
_BIASED_SELECTION = (
    r"\balert|\bflag|\bact(ed|ion)|\bblock|\bdeclin|\brefus|\breject|\binvestigat|\bclick|\bshown\b|\bdisplay|\bapproved"
    r"|\baccepted|\bgranted|\bcomplain|\bescalat|\breview|\breported|\bhigh.(scor|risk)|\btop\b|\bonly\b"
)


def _is_sound(labels: Labels) -> bool:
    """Tell whether labels also exist for what the model would not have chosen."""
    if labels.explored:
        return True
    if mentions(_SOUND_SELECTION, labels.selection):
        return not mentions(_DENIED, labels.selection)
    return mentions(r"\b(all|every|each)\b", labels.selection) and not mentions(
        _BIASED_SELECTION, labels.selection
    )


@rule(
    "DATA014",
    "warning",
    title="Labels only of what the model has chosen",
    prevents="a model that learns its own decisions, and never sees what it misses",
    incident="Lakkaraju et al., The selective labels problem (KDD 2017); Joachims, Swaminathan & Schnabel, "
    "Unbiased learning-to-rank with biased feedback (WSDM 2017).",
    wrong_when="Wrong if the outcome is seen whatever the model decides; write 'selection: all, …'.",
)
def labels_of_what_was_chosen(design: Design) -> Iterator[Fault]:
    """Where the model decides which cases get a label, a share has to be decided at random."""
    wanted = design.requirements.prediction if design.requirements else None
    labels = design.requirements.labels if design.requirements else None
    if wanted is None or labels is None or wanted.type == "generation" or _is_sound(labels):
        return
    ranked = wanted.type == "ranking"
    acts = wanted.acted_on is not None and wanted.acted_on < 1
    biased = mentions(_BIASED_SELECTION, labels.selection)
    if not (ranked or acts or wanted.about_people or biased):
        return
    if ranked:
        said = "People choose among what the ranking shows, at the top first, so that it is trained on its own order"
    elif labels.selection and says_something(labels.selection):
        said = f"Labels exist for a selection that the model makes itself ({labels.selection.rstrip('.')})"
    else:
        said = "The model decides what is acted on, and the design does not say for which cases the outcome is known"
    yield Fault(
        f"requirements.labels.{'explored' if labels.selection else 'selection'}",
        f"{said}; no share is decided at random.",
        "State in 'selection' which cases get a label, and in 'explored' the share that is decided at random; "
        "or say how the selection is corrected, such as by propensities.",
    )


@rule(
    "DATA015",
    "warning",
    title="Labels later than the next model",
    prevents="bad models that are each replaced before anybody could know",
    wrong_when="Acceptable if a quick substitute for the label is watched; add its alert.",
    needs=sketched,
)
def labels_after_replacement(design: Design, planes: Planes) -> Iterator[Fault]:
    """If labels take longer than a model is used, no label judges the model in use."""
    delay_s = design.requirements.labels.delay if design.requirements and design.requirements.labels else None
    period_s = planes.retraining.period if planes.retraining else None
    if delay_s and period_s and delay_s > period_s:
        watched = {alert.watches for alert in planes.alerts}
        if "quality" not in watched or watched & {"predictions", "data"}:
            return  # where nothing but machines is watched, PLANE017 says so
        yield Fault(
            "planes.retraining.period",
            f"A model is replaced every {show_seconds(period_s)}, and its labels take {show_seconds(delay_s)}: "
            "it is gone before its quality is known.",
            "Watch the predictions and an early substitute for the label, with an alert, or replace the model "
            "less often.",
        )


@rule(
    "DATA016",
    title="More labels than people can give",
    prevents="a training that waits for labels that nobody has time for",
    needs=sketched,
)
def more_labels_than_people(design: Design, planes: Planes) -> Iterator[Fault]:
    """Labels by hand need the people to give them between two trainings."""
    labels = design.requirements.labels if design.requirements else None
    period_s = planes.retraining.period if planes.retraining else None
    if labels is None or not labels.items or not period_s:
        return
    giving = {flow.start for flow in planes.flows if flow.carries == "labels"}
    people = [one for one in planes.components if one.kind == "people" and one.id in giving]
    if not people or any(one.rate is None for one in people):
        return
    given = sum((one.rate or 0.0) * (share_on_duty(one.hours) or 1.0) * period_s for one in people)
    needed = labels.items * (labels.labels_per_item or 1)
    if given < needed:
        yield Fault(
            f"planes.components.{people[0].id}.rate",
            f"A training needs {needed:,} labels by hand, and in {show_seconds(period_s)} "
            f"{listed([p.id for p in people])} can give {given:,.0f}.",
            "Label fewer items, train less often, or plan more people.",
        )


@rule(
    "DATA017",
    "warning",
    title="Labels paid from no budget",
    prevents="a project whose largest bill is in no plan",
    wrong_when="Wrong if labels are kept from training to training; state in 'items' what is new each time.",
)
def labels_not_in_plan(design: Design) -> Iterator[Fault]:
    """Labels by hand are often the largest cost of a model, and belong in the sum."""
    labels = design.requirements.labels if design.requirements else None
    plan, planes = design.capacity, design.planes
    if not (labels and labels.items and labels.cost_per_label):
        return
    once = labels.items * (labels.labels_per_item or 1) * labels.cost_per_label
    if plan and plan.budget_per_month:
        if not (plan.fleets or plan.costs) or (planes and _in_costs(plan.costs, planes)):
            return  # the budget is for one fleet, or the labels are in the sum
        period_s = planes.retraining.period if planes and planes.retraining else None
        per_month = once * _MONTH_S / max(period_s or _MONTH_S, day)
        if per_month > _LABEL_BILL_SHARE * plan.budget_per_month:
            yield Fault(
                "capacity.costs",
                f"The labels of one training cost {money(design, once)}, about {money(design, per_month)} a month; "
                f"the budget is {money(design, plan.budget_per_month)} a month, and no cost in the plan names them.",
                "Add them to 'capacity.costs', or label less.",
            )
    elif once >= _LABEL_BILL and plan is None and design.why_not("capacity"):
        yield Fault(
            "requirements.labels.cost_per_label",
            f"The labels of one training cost {money(design, once)}, and the design has no plan that "
            "they are paid from.",
            "State under 'capacity' the budget and the labels as one of its costs, or label less.",
        )


def _in_costs(costs: Iterable[Cost], planes: Planes) -> bool:
    """Tell whether labels are among some costs: by their words, or by the component that they are for."""
    return any(
        mentions("label|annotat", cost.text, cost.id)
        or (cost.component and _gives_labels(planes, cost.component))
        for cost in costs
    )


def _gives_labels(planes: Planes, name: str) -> bool:
    one = planes.component(name)
    return bool(one and (one.kind == "label store" or any(
        flow.start == name and flow.carries == "labels" for flow in planes.flows
    )))  # fmt: skip


# ---- training


@rule(
    "DATA018",
    "warning",
    title="Training that cannot be repeated",
    prevents="a model in use of which nobody can say how it came about",
    wrong_when="Acceptable if a training need not be repeated, since the model itself is kept with its test results.",
)
def training_not_repeatable(design: Design) -> Iterator[Fault]:
    """A training can be repeated if its data, code, seed and environment are fixed and recorded."""
    training = design.data.training if design.data else None
    regulated = is_about_people(design)
    planes = design.planes
    trains = planes is not None and any(one.kind == "training pipeline" for one in planes.components)
    if training is None and not (regulated and trains and worked_out(design)):
        return
    if training is None and design.why_not("data.training") is not None:
        return
    missing = [
        name
        for name in ("snapshot", "code", "environment")
        if not says_something(getattr(training, name, None))
    ]
    missing += ["seed"] if getattr(training, "seed", None) is None else []
    missing += ["lineage"] if regulated and not says_something(getattr(training, "lineage", None)) else []
    if missing:
        at = f"data.training.{missing[0]}" if training else "data.training" if design.data else "data"
        why = " The system decides about people." if regulated and training is None else ""
        yield Fault(
            at,
            f"The design does not say how a training is fixed: {', '.join(missing)} not stated.{why}",
            "State under 'data.training' how data, code, environment and seed are fixed, and where it is "
            "recorded which of them a model comes from.",
        )


# ---- devices


@rule(
    "DATA019",
    "warning",
    title="Uploads of devices: personal or not is not stated",
    prevents="pictures and voices of people that leave their devices without anybody's decision",
    needs=worked_out,
)
def device_uploads(_: Design, planes: Planes) -> Iterator[Fault]:
    """What devices see and hear is often personal, and what leaves them has to be decided."""
    devices = {one.id for one in planes.components if one.kind == "device fleet"}
    unsaid = [
        (place, flow)
        for place, flow in flow_places(planes)
        if flow.start in devices
        and flow.end not in devices
        and flow.carries in DATA
        and flow.personal is None
    ]
    if unsaid:
        yield Fault(
            f"{unsaid[0][0]}.personal",
            "It is not said whether what the devices send is personal: "
            f"{listed([f'{flow.start} → {flow.end}' for _, flow in unsaid])}.",
            "Write 'personal: true' or 'personal: false' on each flow, and what is removed on the device under "
            "'check'.",
        )
