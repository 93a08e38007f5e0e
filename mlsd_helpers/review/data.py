"""Rules on data: constraints and regions, personal data, decisions about people, labels, training."""

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from mlsd_helpers.analysis.cost import labels_per_month, new_labels
from mlsd_helpers.analysis.graph import reached, steps_along, steps_back, waiting_flows
from mlsd_helpers.analysis.request import has_fallback
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Component, Constraint, Cost, Dataset, Design, Flow, Labels, Planes, Prediction
from mlsd_helpers.review.regions import area_of, within
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import (
    DATA,
    PersonalData,
    cases_per_s,
    constraints_of,
    contents_of,
    flow_places,
    gates_of,
    generates,
    is_about_answers,
    is_about_people,
    is_confidential,
    judges_answers,
    personal_data,
    providers,
    sketched,
    worked_out,
)
from mlsd_helpers.review.words import listed, mentions, money, unsaid
from mlsd_helpers.units import day, hour, month, show_seconds, year

GDPR = "General Data Protection Regulation (EU) 2016/679, {}."
_MONTH_S = 30 * day
_TERMS = ("trains_on_our_data", "retention")
_KEEPING = (
    "feature store", "offline store", "label store", "vector index", "cache", "prediction store", "prediction log",
)  # fmt: skip
_ANSWERING = ("model server", "batch scorer", "business rules", "re-ranker", "candidate generator")
_ACTING = ("business rules", "service", "external service", "orchestrator")
_LABEL_BILL = 10_000.0  # dollars for one training; less is paid without a plan; our threshold
_SAME = 1e-9  # relative: times that are alike but for rounding
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
    for one in constraints_of(design):
        gone = [name for name in one.met_by if name not in known]
        if gone:
            said = f"is met by {listed(gone)}, which the design does not have"
        elif not one.met_by and not _can_be_held(one) and not says_something(one.how):
            said = "is met by nothing"
        else:
            continue
        yield Fault(
            f"requirements.constraints.{one.id}.met_by",
            f"The constraint {one.id} {said}.",
            "Name in 'met_by' the components that meet it, and in 'how' what they do.",
        )


def _can_be_held(one: Constraint) -> bool:
    """Tell whether a constraint is in figures, so that the design itself shows whether it is kept."""
    kept = one.kept_at_least is not None or one.kept_at_most is not None
    return bool(one.region) or kept or _told(_LEAST, one) is not None or _told(_MOST, one) is not None


@rule(
    "DATA020",
    "info",
    title="Constraint met by a name alone",
    prevents="a name in the column of an audit behind which nobody has built anything",
    wrong_when="Wrong if the component does nothing else; say so in its 'does'.",
    needs=sketched,
)
def constraint_met_by_a_name(design: Design, planes: Planes) -> Iterator[Fault]:
    """A component meets a constraint by what it does, and not by being named."""
    for one in constraints_of(design):
        parts = [part for name in one.met_by if (part := planes.component(name))]
        told = says_something(one.how) or any(says_something(part.does) for part in parts)
        if not parts or len(parts) < len(one.met_by) or told or _can_be_held(one):
            continue
        yield Fault(
            f"requirements.constraints.{one.id}.how",
            f"The constraint {one.id} is to be met by {listed([part.id for part in parts])}, and it is not said what "
            "is done there about it.",
            "Say in 'how' what each component does for it, and which figure shows that.",
        )


@dataclass(frozen=True)
class _Limit:
    """A constraint on regions, with the components to which it applies and what brings the data there."""

    constraint: Constraint
    bound: dict[str, str]
    strict: frozenset[str]
    """Those that keep the data: each of their regions counts. The others may have a copy of their own in each."""
    left_out: tuple[str, ...] = ()
    """Personal sets of data that the constraint was taken not to be about, since it names none."""


def _inside(regions: tuple[str, ...], allowed: tuple[str, ...]) -> set[bool | None]:
    """Return what is known of some regions: inside, outside, or not to be told."""
    found = set[bool | None]()
    for region in regions:
        answers = [within(region, limit) for limit in allowed]
        found.add(True if True in answers else None if None in answers else False)
    return found


def _limits_of_regions(design: Design, planes: Planes) -> Iterator[_Limit]:
    """Yield each constraint on regions with what it applies to.

    A constraint that names no set of data is about all personal ones; but where some are meant to be outside and
    others inside, it can only be about the latter.
    """
    named = design.data.datasets if design.data else ()
    kept = [one for one in named if one.personal is not False or is_confidential(design, one)]
    for one in constraints_of(design):
        if not one.region:
            continue
        met = dict.fromkeys(one.met_by, "'met_by'")
        where = {data.id: _inside(data.region, one.region) for data in kept}
        outside = [data for data in kept if where[data.id] == {False}]
        mixed = bool(outside) and any(True in found for found in where.values())
        if one.of or mixed:
            about = (
                [data for data in named if data.id in one.of]
                if one.of
                else [data for data in kept if data not in outside]
            )
            others = named if one.of else kept
            bound = _bound_by(
                design, planes, about, [data for data in others if data not in about], one.region
            )
            sets = [data for data in about if one.of or where[data.id] <= {True, None}]
            strict = frozenset(name for data in sets for name in data.kept_in)
            left_out = () if one.of else tuple(data.id for data in outside)
            yield _Limit(one, met | bound, strict, left_out)
        else:
            strict = frozenset(name for data in kept for name in data.kept_in)
            bound = _bound_by(design, planes, kept, (), one.region) | _bound(design, planes)
            yield _Limit(one, met | bound, strict)


def _bound(design: Design, planes: Planes) -> dict[str, str]:
    """Return the components that personal data may reach, each with what brings them there."""
    flows = personal_data(design, planes)
    moving = (*flows.sure, *flows.maybe)
    if not flows.said and not (design.data and design.data.datasets):
        moving = tuple(flow for flow in planes.flows if flow.carries in DATA and flow.personal is None)
    found = dict[str, str]()
    for name, flow in chain(((flow.end, flow) for flow in moving), ((flow.start, flow) for flow in moving)):
        found.setdefault(name, f"{flow.start} → {flow.end}")  # first what is sure, and what brings the data
    for kept in design.data.datasets if design.data else ():
        if kept.personal is not False:
            found |= dict.fromkeys(kept.kept_in, f"the data set {kept.id}")
    return found


def _bound_by(
    design: Design,
    planes: Planes,
    about: Sequence[Dataset],
    others: Sequence[Dataset],
    allowed: tuple[str, ...],
) -> dict[str, str]:
    """Return the components that keep some sets of data, or get them from one that keeps nothing else.

    Where one that calls has the choice between parts of one kind, some inside the regions and some outside, it chooses
    by region.
    """
    parts = {one.id: one for one in planes.components}
    found = {name: f"the data set {data.id}" for data in about for name in data.kept_in}
    mixed = {name for data in others for name in data.kept_in}
    chosen = {
        (flow.start, parts[flow.end].kind)
        for flow in planes.flows
        if True in _inside(planes.region_of(parts[flow.end]), allowed)
    }
    gets = [
        (data, name, flow)
        for data in about
        for name, flow in contents_of(design, planes, data, {*data.kept_in} - mixed).items()
    ]
    out = {name for _, name, _ in gets if _inside(planes.region_of(parts[name]), allowed) == {False}}
    sent = dict[str, str]()
    for data, name, flow in gets:
        source = flow.start if name == flow.end else flow.end
        if (
            source not in out and (source, parts[name].kind) not in chosen
        ):  # what is passed on out there follows from it
            sent.setdefault(name, f"{flow.start} → {flow.end}, with what is kept as {data.id}")
    return sent | found


@rule(
    "DATA002",
    title="Data outside the allowed region",
    prevents="a transfer of data that law or a contract forbids",
    incident=GDPR.format("Articles 44 to 46, on transfers to third countries"),
    wrong_when="Wrong if what goes there is not what the constraint is about; write 'personal: false' on the flow, or "
    "name the sets of data in the constraint's 'of'.",
    needs=sketched,
)
def outside_region(design: Design, planes: Planes) -> Iterator[Fault]:
    """Data that have to stay in a region may be sent to and kept by components in that region only."""
    limits = [
        (f"the constraint {one.constraint.id}", one.constraint.region, one.bound, one.strict)
        for one in _limits_of_regions(design, planes)
    ]
    limits += [
        (
            f"the data set {kept.id}",
            kept.region,
            dict.fromkeys(kept.kept_in, "'kept_in'"),
            frozenset(kept.kept_in),
        )
        for kept in (design.data.datasets if design.data else ())
        if kept.region
    ]
    told = set[str]()
    for who, allowed, bound, strict in limits:
        out = [
            one
            for one in planes.components
            if one.id in bound
            and one.id not in told
            and _is_out(planes.region_of(one), allowed, one.id in strict)
        ]
        told |= {one.id for one in out}
        alike = defaultdict[tuple[str, ...], list[Component]](list)
        for one in out:
            alike[one.region or ("",)].append(one)
        for parts in alike.values():
            regions = listed(planes.region_of(parts[0]))
            ways = "; ".join(dict.fromkeys(bound[one.id] for one in parts[:_WAYS_TOLD]))
            own = any(one.region for one in parts)
            yield Fault(
                f"planes.components.{parts[0].id}.region" if own else "planes.region",
                f"{listed([one.id for one in parts])} {'is' if len(parts) == 1 else 'are'} in {regions}, and {who} "
                f"allows {listed(allowed)} only; the data come there by {ways}.",
                "Move it, or send nothing there that the limit is about, and say so on its flow: "
                "'personal: false', or the set of data under 'without'.",
            )


_WAYS_TOLD = 3


def _is_out(regions: tuple[str, ...], allowed: tuple[str, ...], is_strict: bool) -> bool:
    found = _inside(regions, allowed)
    return False in found and (is_strict or found == {False})


@rule(
    "DATA003",
    "warning",
    title="Region not stated where it is limited",
    prevents="a copy in another region that nobody has noticed",
    wrong_when="Wrong if all of the system runs in one allowed region; state it once, as 'planes.region'.",
    needs=sketched,
)
def region_unknown(design: Design, planes: Planes) -> Iterator[Fault]:
    """A limit of regions is kept only if it is known which data it is about, and where each component is."""
    kept = {name for one in (design.data.datasets if design.data else ()) for name in one.kept_in}
    for limit in _limits_of_regions(design, planes):
        allowed = listed(limit.constraint.region)
        if limit.left_out:
            yield Fault(
                f"requirements.constraints.{limit.constraint.id}.of",
                f"The constraint {limit.constraint.id} allows {allowed} only and names no set of data; "
                f"{listed(limit.left_out)} may be kept elsewhere, so that it cannot be about all of them.",
                "Name in 'of' the sets of data that it is about.",
            )
        unknown = [
            (one, planes.region_of(one))
            for one in planes.components
            if one.id in limit.bound
            and _has_to_say(one, kept)
            and _inside(planes.region_of(one), limit.constraint.region) in (set(), {None}, {None, True})
        ]
        if unknown:
            names = [f"{one.id} ({listed(regions)})" if regions else one.id for one, regions in unknown]
            texts = dict.fromkeys(region for _, regions in unknown for region in regions)
            strange = [repr(region) for region in texts if area_of(region) is None]
            yield Fault(
                f"planes.components.{unknown[0][0].id}.region",
                f"The constraint {limit.constraint.id} allows {allowed} only, and it is not said that these are "
                f"there: {listed(names)}.",
                "State the region of each in the words of the constraint; what is ours and names none is in "
                "'planes.region', and partners, vendors and people need one of their own."
                + (
                    f" It is not known where {listed(strange)} lies: write a country or a cloud's region, such as "
                    "'Germany' or 'eu-central-1'."
                    if strange
                    else ""
                ),
            )


def _has_to_say(one: Component, kept: Collection[str]) -> bool:
    """Tell whether a component has to say where it is: it keeps data, or somebody else runs it."""
    return one.kind in {*_KEEPING, "external service"} or one.id in kept


@rule(
    "DATA029",
    title="Failover into a region that is not allowed",
    prevents="a disaster plan that breaks the contract on the day that it is needed",
    wrong_when="Wrong if only data that may be there go there; name in the constraint's 'of' those that may not.",
)
def fails_over_outside(design: Design) -> Iterator[Fault]:
    """A limit of regions holds while something is broken too."""
    modes = design.requirements.failure_modes if design.requirements else ()
    for limit in (one for one in constraints_of(design) if one.region):
        for mode in modes:
            if _inside(mode.to_region, limit.region) == {False}:
                yield Fault(
                    f"requirements.failure_modes.{mode.id}.to_region",
                    f"In {mode.id} requests go to {listed(mode.to_region)}, and the constraint {limit.id} allows "
                    f"{listed(limit.region)} only.",
                    "Fail over within the allowed regions, or refuse the requests that the constraint is about.",
                )


@rule(
    "DATA030",
    "warning",
    title="Failover of limited data without a region",
    prevents="a failover that works, into a country where the data may not be",
    wrong_when="Wrong if nothing fails over; say in 'meanwhile' what users get, and in 'to_region' where requests go.",
    needs=sketched,
)
def failover_unsaid(design: Design, planes: Planes) -> Iterator[Fault]:
    """Where data may not leave a region, it is decided before its loss where requests go."""
    limits = [one for one in constraints_of(design) if one.region]
    regions = {region for one in planes.components for region in planes.region_of(one)}
    modes = design.requirements.failure_modes if design.requirements else ()
    outside = [
        region for region in sorted(regions) if limits and False in _inside((region,), limits[0].region)
    ]
    for one in modes:
        if (
            outside
            and not one.to_region
            and mentions(_ELSEWHERE, one.meanwhile)
            and not mentions(_SAME_AREA, one.meanwhile)
        ):
            yield Fault(
                f"requirements.failure_modes.{one.id}.to_region",
                f"{one.id} sends requests elsewhere ({(one.meanwhile or '').rstrip('.')}), and it is not said where: "
                f"the constraint {limits[0].id} allows {listed(limits[0].region)} only, and the system also runs in "
                f"{listed(outside)}.",
                "Name the regions in 'to_region'.",
            )
            return


_SAME_AREA = (
    r"\b(no|not|cannot|never)\b|\b(same|that|allowed) (jurisdiction|country|union|area|legal)|\bwithin\b"
    r"|in the (eu|union)\b"
)
_ELSEWHERE = (
    r"\b(other|another|nearest|next|second|remaining|surviving|healthy|any) (\w+ )?"
    r"(region|data ?cent(er|re)|site|cell)s?\b"
)


_TIME = r"(\d+(?:\.\d+)?)\s*(h|hours?|d|days?|weeks?|months?|y|years?)\b"
_LENGTH_S = {"h": hour, "d": day, "w": 7 * day, "m": month, "y": year}
_KEPT = r"\bkeep|\bkept|\bretain|\bretention|\bstor(e|ed|age)\b|\bdelet|\beras"
_LEAST = rf"(?:at least|not? less than|minimum(?: of)?|no shorter than) (?:for )?{_TIME}"
_MOST = (
    rf"(?:at most|not? (?:longer|more) than|maximum(?: of)?|up to|(?:delet|eras)\w+ after) (?:for )?{_TIME}"
)


def _told(pattern: str, one: Constraint) -> float | None:
    """Return how long data are kept by the words of a constraint, in seconds, where they say it plainly."""
    found = re.search(pattern, one.text, re.IGNORECASE) if mentions(_KEPT, one.text) else None
    if found is None or mentions("request|withdraw|ask", one.text):
        return None
    return float(found[1]) * _LENGTH_S[found[2][0].lower()]


@rule(
    "DATA021",
    title="Retention against a constraint",
    prevents="records that are gone when the auditor asks, or that should have been gone for years",
    wrong_when="Wrong if the constraint is about other data; name them in its 'of'.",
)
def retention_against_constraint(design: Design) -> Iterator[Fault]:
    """How long data are kept lies between what has to be kept and what may be kept."""
    datasets = design.data.datasets if design.data else ()
    for one in constraints_of(design):
        least = one.kept_at_least if one.kept_at_least is not None else _told(_LEAST, one)
        most = one.kept_at_most if one.kept_at_most is not None else _told(_MOST, one)
        about = [data for data in datasets if data.id in one.of]
        about = about or [data for data in datasets if not one.of and {*one.met_by} & {*data.kept_in}]
        known = [data for data in about if data.retention is not None]
        short = [data for data in known if least is not None and (data.retention or 0) < least * (1 - _SAME)]
        long = [
            data
            for data in (known or ([] if about else [one for one in datasets if one.personal]))
            if most is not None and (data.retention or 0) + (data.backups or 0) > most * (1 + _SAME)
        ]
        if short and (one.of or len(short) == len(known)):
            yield _kept_wrongly(one, short[0], f"have to be kept for {show_seconds(least or 0)} at least")
        if long:
            yield _kept_wrongly(one, long[0], f"may be kept for {show_seconds(most or 0)} at most")
        elif most is not None and (at := _kept_longest(design, about)) and at[1] > most * (1 + _SAME):
            yield Fault(
                f"planes.components.{at[0]}.terms.retention",
                f"By the constraint {one.id} these data may be kept for {show_seconds(most)} at most, and {at[0]} "
                f"keeps what it gets of them for {show_seconds(at[1])}.",
                "Agree on a shorter retention with the provider, or send it nothing that the constraint is about, and "
                "name the set of data under 'without' on the flow.",
            )


def _kept_longest(design: Design, about: Sequence[Dataset]) -> tuple[str, float] | None:
    """Return the provider that gets some sets of data and keeps them longest, and for how long."""
    planes = design.planes
    if planes is None:
        return None
    got = {name for data in about for name in contents_of(design, planes, data, data.kept_in)}
    ours = [one for one in providers(planes) if one.id in got and not _decides_itself(one)]
    kept = [(one.id, one.terms.retention or 0.0) for one in ours if one.terms]
    return max(kept, key=lambda one: one[1], default=None)


def _kept_wrongly(one: Constraint, data: Dataset, demand: str) -> Fault:
    longer = f", and {show_seconds(data.backups)} longer in backups" if data.backups else ""
    return Fault(
        f"data.datasets.{data.id}.retention",
        f"By the constraint {one.id} these data {demand}, and the data set {data.id} is kept for "
        f"{show_seconds(data.retention or 0)}{longer}.",
        "Correct the retention, or split the data set into what has to be kept and what has to go.",
    )


# ---- personal data at providers


@dataclass(frozen=True)
class _Sent:
    """What gets to a provider: by which flow, whether it is personal or confidential, and whether that is sure."""

    flow: Flow
    what: str
    sure: bool

    @property
    def sentence(self) -> str:
        return (
            f"{self.flow.start} → {self.flow.end} {'carries' if self.sure else 'may carry'} {self.what} data"
        )


def _received(flows: Iterable[Flow]) -> dict[str, Flow]:
    """Return the first of some flows to each component."""
    received = dict[str, Flow]()
    for flow in flows:
        received.setdefault(flow.end, flow)
    return received


def _sent_to_providers(design: Design, planes: Planes) -> dict[str, _Sent]:
    """Return what personal and confidential data get to each provider: along flows, and from what calls bring back."""
    flows = personal_data(design, planes)
    found = dict[str, _Sent]()
    if flows.matters:  # a call that says nothing may carry what the design has
        asked = [flow for _, flow in waiting_flows(planes) if flow.personal is None]
        found = {flow.end: _Sent(flow, "personal", sure=False) for flow in reversed(asked)}
    found |= {flow.end: _Sent(flow, "personal", flow in flows.sure) for flow in reversed(flows.passed_on)}
    for kept in design.data.datasets if design.data else ():
        secret = is_confidential(design, kept)
        if kept.personal or secret:
            what = "personal" if kept.personal else "confidential"
            for name, flow in contents_of(design, planes, kept, kept.kept_in).items():
                found[name] = _Sent(flow, what, sure=False)
    found |= {end: _Sent(flow, "personal", sure=False) for end, flow in _received(flows.maybe).items()}
    found |= {end: _Sent(flow, "personal", sure=True) for end, flow in _received(flows.sure).items()}
    return {one.id: found[one.id] for one in providers(planes) if one.id in found}


def _decides_itself(one: Component) -> bool:
    """Tell whether who gets data decides itself, or a law for it, for how long they are kept and what for."""
    return one.terms is not None and one.terms.role != "processor"


def _unsaid_terms(one: Component) -> list[str]:
    """Return the terms that are not stated; with who decides itself there are none to agree on."""
    if _decides_itself(one):
        return []
    return [name for name in _TERMS if getattr(one.terms, name, None) is None]


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
            unsaid = _unsaid_terms(one)
            more = f" Its terms do not state {', '.join(unsaid)} either." if unsaid else ""
            yield Fault(
                f"planes.components.{one.id}.terms",
                f"{sent.start} → {one.id} carries personal data, and no agreement with {one.id} is named.{more}",
                "Name the contract in 'terms: {agreement: …}', with whether it trains on our data and how long it "
                "keeps them; of who decides that itself, such as a bank or a bureau, what allows the transfer, with "
                "'role: controller'; or the law, with 'role: authority'. Or remove what is personal before it is sent.",
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
    sent = _sent_to_providers(design, planes)
    for one in providers(planes):
        got = sent.get(one.id)
        if got is None or (got.sure and _agreement_missing(one)):
            continue  # DATA004 says so
        missing = _unsaid_terms(one)
        missing += ["agreement"] if not got.sure and _agreement_missing(one) else []
        if missing:
            removed = "'personal: false'" if got.what == "personal" else "the set of data under 'without'"
            yield Fault(
                f"planes.components.{one.id}.terms",
                f"{got.sentence}, and the terms of {one.id} do not state {', '.join(missing)}.",
                "State under 'terms' whether it trains on our data, how long it keeps them and by which "
                "contract; of who decides that itself, such as a bank or a bureau, 'role: controller' and what allows "
                f"the transfer. Or write {removed} on the flow and what removes it under 'check'.",
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
    sent = _sent_to_providers(design, planes)
    for one in providers(planes):
        got = sent.get(one.id)
        if got and one.terms and one.terms.trains_on_our_data:
            yield Fault(
                f"planes.components.{one.id}.terms.trains_on_our_data",
                f"{one.id} trains on what it gets, and {got.sentence}.",
                "Agree on terms without training, or remove what is personal or secret before it is sent.",
            )


_AREAS_WITH_LIMITS = ("eu", "uk", "ch", "br")  # their laws ask for a ground when personal data go elsewhere


@rule(
    "DATA027",
    "warning",
    title="Personal data leave their legal area without a ground",
    prevents="a transfer that a court forbids, with everything that was built on it",
    incident="Court of Justice of the European Union, C-311/18, Schrems II (2020): the decision on the Privacy Shield, "
    "on which transfers to the United States rested, is invalid.",
    wrong_when="Acceptable if an adequacy decision or standard contractual clauses cover it; name them in the "
    "agreement.",
    needs=sketched,
)
def leaves_the_area(design: Design, planes: Planes) -> Iterator[Fault]:
    """Where the law protects personal data, sending them to another country needs a ground of its own."""
    held = {name for limit in _limits_of_regions(design, planes) for name in limit.bound}  # DATA002 says so
    demanded = {name for one in constraints_of(design) if one.source == "law" for name in one.met_by}
    parts = {one.id: one for one in planes.components}
    for place, flow in flow_places(planes):
        start, end = (
            {area for region in planes.region_of(parts[name]) if (area := area_of(region))}
            for name in (flow.start, flow.end)
        )
        terms = parts[flow.end].terms
        ground = mentions(_GROUND, terms.agreement if terms else None, flow.check)
        ground = ground or flow.end in demanded or bool(terms and terms.role == "authority")
        leaves = start & {*_AREAS_WITH_LIMITS} and end and not start & end
        if flow.personal and leaves and not ground and flow.end not in held:
            yield Fault(
                place,
                f"{flow.start} → {flow.end} takes personal data from {listed(sorted(start))} to {listed(sorted(end))}, "
                "and no ground for that is named.",
                "Use a region of the same area; or name the ground in the agreement: an adequacy decision, standard "
                "contractual clauses with an assessment.",
            )
            return


_GROUND = (
    r"clauses|\bscc\b|adequacy|data privacy framework|\bdpf\b|binding corporate|explicit consent|derogation"
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
    may_be = personal_data(design, design.planes).stored_in if design.planes else set()
    found = dict[str, list[str]]()
    for one in design.data.datasets if design.data else ():
        missing = []
        if one.personal is None and may_be & {*one.kept_in}:
            missing = ["personal"]
        elif one.personal:
            missing = ["purpose"] if not says_something(one.purpose) else []
            missing += ["basis"] if one.basis is None else []
            lasts = one.retention is not None or says_something(one.kept_as_long_as)
            missing += [] if lasts else ["retention"]
            missing += [] if one.kept_in else ["kept_in"]
            missing += ["deletion"] if one.deleted_by is None and not says_something(one.deletion) else []
            missing += [] if any(says_something(name) for name in one.readers) else ["readers"]
        if missing:
            found[one.id] = missing
    if found:
        first = next(iter(found))
        yield Fault(
            f"data.datasets.{first}.{found[first][0]}",
            f"These sets of data do not state: {unsaid(found)}.",
            "State whether each is personal; if it is, for which purpose and on which basis it is kept, in "
            "which components, for how long ('retention', or 'kept_as_long_as'), how a person's data are found and "
            "deleted, and who may read them.",
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
    if one.kind == "external service":  # what a controller keeps is its own set of data
        kept = one.terms and one.terms.retention and not _decides_itself(one)
        return bool(one.id in received and kept and not _agreement_missing(one))
    return one.kind in _KEEPING and one.id in flows.stored_in


@rule(
    "DATA009",
    title="Copy kept longer than its data set allows",
    prevents="data that are deleted here and still kept by a provider",
    needs=sketched,
)
def copy_kept_longer(design: Design, planes: Planes) -> Iterator[Fault]:
    """A retention holds for every copy, those of providers included."""
    terms = {one.id: one.terms for one in planes.components if one.terms and not _decides_itself(one)}
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
    """What deletes a person's data has to reach every store that keeps them, but for those of other controllers."""
    own = {one.id for one in planes.components if _decides_itself(one)}
    for kept in design.data.datasets if design.data else ():
        if (
            not kept.personal
            or kept.deleted_by is None
            or kept.deleted_by not in {one.id for one in planes.components}
        ):
            continue
        told = _told_to_delete(planes, kept)
        terms = {one.id: one.terms for one in planes.components if one.terms}
        by_itself = {name for name, said in terms.items() if (said.retention or math.inf) <= _SOON_S}
        if mentions(r"\b(topics?|streams?|queues?)\b", kept.deletion):
            by_itself |= {one.id for one in planes.components if one.kind == "event stream"}
        copies = [name for name in kept.kept_in if name not in by_itself | own | _origins(planes, kept)]
        missing = [name for name in copies if name not in told and not _names(kept.deletion, name)]
        if missing and (
            not says_something(kept.deletion) or len(missing) < len(set(copies) - {kept.deleted_by})
        ):
            yield Fault(
                f"data.datasets.{kept.id}.deleted_by",
                f"{kept.deleted_by} deletes the data set {kept.id}, and no flow leads from there to "
                f"{listed(missing)}, where it is kept too.",
                "Draw the flow of deletions to each copy, or say in 'deletion' how each copy is deleted.",
            )


def _origins(planes: Planes, kept: Dataset) -> set[str]:
    """Return the stores that a set of data comes from: none flow to them, and a deletion begins there."""
    stored = [flow for flow in planes.flows if flow.carries in {"events", "batch", "predictions", "labels"}]
    return {*kept.kept_in} & {flow.start for flow in stored} - {flow.end for flow in stored}


def _names(text: str | None, name: str) -> bool:
    """Tell whether a text that says something names a component by its id."""
    words = rf"(?<![\w-]){re.escape(name)}(?![\w-])|(?<![\w-]){re.escape(name.replace('_', ' '))}(?![\w-])"
    return says_something(text) and mentions(words, text)


_SOON_S = 30 * day  # the month in which a demand to erase has to be met


def _told_to_delete(planes: Planes, kept: Dataset) -> set[str]:
    """Return what a deletion reaches as a command or an event: directly, or through streams of events."""
    streams = {one.id for one in planes.components if one.kind == "event stream"}
    ways = [
        flow
        for flow in planes.flows
        if flow.start in {kept.deleted_by, *streams} and flow.carries in {"command", "events"}
    ]
    return reached([kept.deleted_by or ""], steps_along(ways))


_OF_A_PERSON = (
    r"pseudonym|\b(user|customer|patient|person|driver|rider|account|device|employee|member|session)s?['’]?s? "
    r"?(id|ids|number|name|identifier)s?\b|_id\b|e-?mail|phone number|\bip address|cookie|licen[cs]e plate"
)
_NOBODY = r"\b(no|without|never)\b|anonym|aggregat|removed|masked|synthetic|redacted|stripped"


@rule(
    "DATA031",
    "warning",
    title="Not personal, and yet of a person",
    prevents="a log that was called anonymous until somebody joined it with the table of users",
    incident=GDPR.format("Recital 26 and Article 4(5): what is pseudonymous is personal"),
    wrong_when="Wrong if the id is of a thing and cannot be joined with a person; accept it with that reason.",
)
def pseudonym_is_personal(design: Design) -> Iterator[Fault]:
    """A pseudonym or an id points to one person, also where the name is kept elsewhere."""
    for one in design.data.datasets if design.data else ():
        if one.personal is False and mentions(_OF_A_PERSON, one.what) and not mentions(_NOBODY, one.what):
            yield Fault(
                f"data.datasets.{one.id}.personal",
                f"The data set {one.id} says 'personal: false', and holds what points to a person "
                f"({(one.what or '').rstrip('.')}).",
                "Write 'personal: true', with basis, retention and deletion; or take the pseudonym or id out.",
            )


_EVERYBODY = (
    r"\b(everyone|everybody|anyone|anybody|whole company|public)\b|\b(all|every|any|each) (\w+ ){0,2}"
    r"(employees?|staff|teams?|engineers?|branch(es)?|offices?|departments?|users?|people|colleagues?|partners?|shops?"
    r"|stores?|developers?|analysts of|of us)\b"
)
_SPECIAL = (
    r"\bhealth|medical|patient|diagnos|x-ray|radiolog|clinical|biometric|\bfaces?\b|fingerprint|voice ?print|genetic"
    r"|genom|religio|ethnic|sexual|trade union|political opinion"
)
_ARTICLE_9 = r"\b(art\w*\.?|§|paragraph) ?9\b|\b9 ?\(2\)|explicit consent|provision of (health ?)?care"


@rule(
    "DATA025",
    "warning",
    title="Personal data that everybody may read",
    prevents="a colleague who looks up a neighbour, and nobody who could have noticed",
    incident=GDPR.format("Articles 5(1)(f) and 32, on access and security"),
    wrong_when="Acceptable if what everybody sees cannot be traced to a person; write 'personal: false' on that copy.",
)
def read_by_everybody(design: Design) -> Iterator[Fault]:
    """Personal data are read by those who need them for their work, and that is recorded."""
    for one in design.data.datasets if design.data else ():
        open_to = [name for name in one.readers if mentions(_EVERYBODY, name)]
        if one.personal and open_to:
            yield Fault(
                f"data.datasets.{one.id}.readers",
                f"The personal data set {one.id} may be read by: {listed(open_to)}.",
                "Name the roles that need it, give the others a copy without what is personal, and log who reads.",
            )


@rule(
    "DATA026",
    "warning",
    title="Special category of personal data without its own ground",
    prevents="health data or faces that are processed on a basis which the law does not allow for them",
    incident=GDPR.format("Article 9, on special categories of personal data"),
    wrong_when="Wrong if other law applies, which a constraint can cite, or if the words mean something else.",
)
def special_category(design: Design) -> Iterator[Fault]:
    """For data on health, biometrics, origin or belief a legal basis alone is not enough."""
    cited = [text for one in constraints_of(design) for text in (one.reference, one.text, one.how)]
    for one in design.data.datasets if design.data else ():
        texts = (one.purpose, one.deletion, one.what, *cited)
        weak = one.basis in {"legitimate interests", "contract"}
        if (
            one.personal
            and weak
            and mentions(_SPECIAL, one.id, one.what)
            and not mentions(_ARTICLE_9, *texts)
        ):
            yield Fault(
                f"data.datasets.{one.id}.basis",
                f"The data set {one.id} ({one.what or one.id}) reads like a special category of personal data, and its "
                f"basis is {one.basis!r} alone.",
                "Name the exception that allows it, such as explicit consent or the provision of health care (GDPR "
                "Article 9(2)), in a constraint or under 'purpose'.",
            )
            return


# ---- decisions about people


@rule(
    "DATA011",
    title="Protected feature in the model",
    prevents="decisions about people by what the law forbids to decide by",
    incident="Charter of Fundamental Rights of the European Union, Article 21, on non-discrimination.",
    wrong_when="Acceptable if the law allows its use here, such as age in a medical model; cite the paragraph under "
    "'allowed_by'.",
)
def protected_feature(design: Design) -> Iterator[Fault]:
    """A model that is given a protected feature decides by it."""
    wanted = design.requirements.prediction if design.requirements else None
    if wanted is not None and wanted.about_people is False:
        return
    features = design.dataflow.features if design.dataflow else ()
    if found := [one.id for one in features if one.protected and not says_something(one.allowed_by)]:
        yield Fault(
            f"dataflow.features.{found[0]}.protected",
            f"The model reads {listed(found)}, which the law forbids to decide by.",
            "Take it out of the model's input, and look for features that stand for it; keep it apart, to test "
            "with it. Where its use is allowed, cite by what under 'allowed_by'.",
        )


_OFTEN_PROTECTED = (
    r"^age(_(group|band|years|bucket))?$|(person|patient|customer|user|applicant|driver|client|member|claimant|holder)_age"
    r"|(^|[_-])(sex|gender|race|ethnic\w*|religio\w*|nationalit\w*|citizenship|birth\w*|dob|marital\w*|disab\w*"
    r"|pregnan\w*|mother_tongue|post_?code|zip|zip_?code|postal\w*|neighbou?rhood|surname|last_?name|first_?name|graduat\w*)($|[_-])"
)


@rule(
    "DATA022",
    "warning",
    title="Protected or not is not stated",
    prevents="a model that decides by where people were born, or by what stands for it, and nobody has asked",
    wrong_when="Acceptable if no feature says anything about a group of people; write 'protected: false' on one that "
    "might.",
)
def protection_unsaid(design: Design) -> Iterator[Fault]:
    """Where people are decided on, it is asked of each feature whether the law forbids to decide by it."""
    features = design.dataflow.features if design.dataflow else ()
    if not is_about_people(design) or any(one.protected is not None for one in features):
        return
    about = [one.id for one in features if mentions(_OFTEN_PROTECTED, one.id)]
    named = about or [one.id for one in features if one.personal]
    if about or len(named) > 1:
        seems = "Some look as if it did, or stand for what it names" if about else "Some are personal"
        yield Fault(
            f"dataflow.features.{named[0]}.protected",
            "The model decides about people, and no feature says whether the law forbids to decide by it. "
            f"{seems}: {listed(named)}.",
            "Write 'protected: true' or 'protected: false' on each of them, and take out what stands for a protected "
            "one, such as a postcode for origin.",
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
    refused = _refused_unseen(planes)
    named = [name for name in wanted.reviewed_by if (one := planes.component(name)) and one.kind == "people"]
    demanded = [
        one.id
        for one in constraints_of(design)
        if "human review" in one.demands and is_about_answers(design, planes, one)
    ]
    unseen = bool(refused) or not _people_who_review(planes)
    unreviewed = not named and (bool(demanded) or (unseen and not _shown_at_once(design)))
    if unexplained or unreviewed:
        nobody = f"no people who see whom {refused} refuses" if refused else "no people who review it"
        if demanded and not unseen:
            nobody = f"nobody in 'reviewed_by', though {listed(demanded)} demands a review by people"
        lacks = ["no explanation for whom it concerns"] * unexplained + [nobody] * unreviewed
        yield Fault(
            "requirements.prediction.explained" if unexplained else "planes.components",
            f"The model decides about people, and the design has {' and '.join(lacks)}{_acting(design, planes)}.",
            "State in 'explained' how the reason is told, draw the people who review a decision that is contested, "
            "and name them in 'reviewed_by'.",
        )


def _shown_at_once(design: Design) -> bool:
    """Tell whether answers are lists that are shown while somebody waits: then nobody is refused anything."""
    needs = design.requirements
    ranks = needs and needs.prediction and needs.prediction.type == "ranking"
    return bool(ranks and needs and needs.latency and needs.latency.tier != "batch")


def _people_who_review(planes: Planes) -> list[str]:
    """Return the people whom an answer reaches as cases, or who can change what it has led to.

    Who only watches, or reads without a number of cases, reviews none.
    """
    moving = [flow for flow in planes.flows if flow.carries in {*DATA, "alert"}]
    made = {flow.start for flow in planes.flows if flow.carries == "predictions"}
    made |= {one.id for one in planes.components if one.kind in {"model server", "batch scorer"}}
    touched = reached(made, steps_along(moving)) if planes.flows else {one.id for one in planes.components}
    judging = {flow.start for flow in planes.flows if flow.carries == "labels"}
    judging -= {
        flow.end for flow in moving if flow.carries in _CASES
    }  # who gets rows alone judges them for a training
    touched -= judging
    changed = {flow.start for flow in planes.flows if flow.end in touched and flow.carries != "labels"}
    asked = {flow.end for flow in planes.flows if flow.carries == "request"}  # somebody turns to them
    return [
        one.id
        for one in planes.components
        if one.kind == "people"
        and one.plane != "training"
        and one.id in (changed | asked if _only_reads(one) else touched | changed | asked)
    ]


_CASES = ("request", "predictions", "events", "alert")


def _only_reads(one: Component) -> bool:
    """Tell whether people watch, and have neither a pace nor a wait nor hours for cases."""
    return one.plane == "monitoring" or (cases_per_s(one) is None and one.wait is None and one.hours is None)


_REFUSES = (
    r"\b(reject|refus|declin|den(y|ies|ied)|suspend|terminat|turn\w* down|clos\w+ (the )?(account|claim))"
)


def _refused_unseen(planes: Planes) -> str | None:
    """Return what refuses people by itself, by its own words, where people see a share of the answers only."""
    people = {one.id for one in planes.components if one.kind == "people" and one.plane != "training"}
    changing = any(flow.start in people and flow.carries != "labels" for flow in planes.flows)
    to_people = [flow for flow in planes.flows if flow.end in people and flow.carries in {*DATA, "alert"}]
    asked = any(mentions("appeal|contest|complain|object", one.does, one.title) for one in planes.components)
    if changing or asked or not to_people or any(flow.share in {None, 1.0} for flow in to_people):
        return None
    acting = [
        one for one in planes.components if one.kind in _ACTING and mentions(_REFUSES, one.does, one.title)
    ]
    return acting[0].id if acting else None


def _acting(design: Design, planes: Planes) -> str:
    """Name what acts on the answers where no person does: where flows bring them from what gives them."""
    kinds = {one.id: one.kind for one in planes.components}
    mine = [
        flow
        for flow in planes.flows
        if design.workload is None or not flow.workload or design.workload.id in flow.workload
    ]
    paths = design.pattern.paths if design.pattern else ()
    given = {path.component for path in paths if path.component} or {*kinds}
    near = reached(given, steps_along(flow for flow in mine if flow.carries == "predictions"))
    acting = [
        flow.end
        for flow in mine
        if flow.carries == "predictions" and flow.start in near and kinds.get(flow.end) in _ACTING
    ]
    names = list(dict.fromkeys(acting))
    return f"; {listed(names)} act{'s' * (len(names) == 1)} on its answers" if names else ""


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
    mine = [gate for gate in gates_of(design, release) if judges_answers(design, gate)]
    sliced = any(says_something(text) for gate in mine for text in gate.slices)
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


_OF_A_PART = {
    "accepted": "Labels exist only for what was let through, by the model or by those who follow it",
    "flagged": "Labels exist only for what the model has flagged",
    "shown": "Labels exist only for what the model has shown",
    "reported": "Labels exist only for what somebody has reported, and who has not noticed does not report",
}


def _is_sound(labels: Labels) -> bool:
    """Tell whether labels also exist for what the model would not have chosen."""
    if labels.explored or says_something(labels.corrected_by):
        return True
    if labels.known_for:
        return labels.known_for not in _OF_A_PART and not _negatives_are_silence(labels)
    if mentions(_SOUND_SELECTION, labels.selection):
        return not mentions(_DENIED, labels.selection)
    chosen = mentions(_BIASED_SELECTION, labels.selection)
    if labels.negatives in {"outcome", "sampled"} and not chosen and not _is_of_some(labels):
        return True
    everything = mentions(r"\b(all|every|each)\b", labels.selection)
    return everything and not chosen and not _negatives_are_silence(labels)


def _is_of_some(labels: Labels) -> bool:
    """Tell whether a part of the predictions gets a label, and no sample is drawn to be labelled."""
    return labels.items is None and labels.label_yield is not None and labels.label_yield < _NEARLY_ALL


@rule(
    "DATA014",
    "warning",
    title="Labels only of what the model has chosen",
    prevents="a model that learns its own decisions, and never sees what it misses",
    incident="Lakkaraju et al., The selective labels problem (KDD 2017); Joachims, Swaminathan & Schnabel, "
    "Unbiased learning-to-rank with biased feedback (WSDM 2017).",
    wrong_when="Wrong if the outcome is seen whatever the model decides; write 'known_for: all'.",
)
def labels_of_what_was_chosen(design: Design) -> Iterator[Fault]:
    """Where the model decides which cases get a label, a share has to be decided at random."""
    wanted = design.requirements.prediction if design.requirements else None
    labels = design.requirements.labels if design.requirements else None
    if wanted is None or labels is None:
        return
    silent = _negatives_are_silence(labels)
    unshown = labels.negatives == "not chosen" and not says_something(labels.corrected_by)
    if not unshown and _is_sound(labels):
        return
    if wanted.type == "generation":
        yield from _labels_of_who_reacts(labels) if silent else ()
        return
    acts = wanted.acted_on is not None and wanted.acted_on < 1
    chosen = labels.known_for in _OF_A_PART or mentions(_BIASED_SELECTION, labels.selection)
    some = _is_of_some(labels) and not says_something(labels.selection)
    if silent or wanted.type == "ranking" or acts or wanted.about_people or chosen or some:
        yield _chosen(labels, _SILENCE[labels.negatives] if silent else _selection_of(wanted, labels))


def _selection_of(wanted: Prediction, labels: Labels) -> str:
    """Say which cases get a label."""
    if labels.known_for in _OF_A_PART:
        return _OF_A_PART[labels.known_for]
    if wanted.type == "ranking":
        return "People choose among what the ranking shows, at the top first, so that it is trained on its own order"
    if labels.selection and says_something(labels.selection):
        return f"Labels exist for a selection that the model makes itself ({labels.selection.rstrip('.')})"
    if _is_of_some(labels):
        return (
            f"Labels come for {labels.label_yield:.0%} of predictions, and the design does not say for which"
        )
    return (
        "The model decides what is acted on, and the design does not say for which cases the outcome is known"
    )


def _chosen(labels: Labels, said: str) -> Fault:
    silent = _negatives_are_silence(labels)
    field = "negatives" if silent else "explored" if labels.selection or labels.known_for else "known_for"
    explored = "" if labels.explored else "; no share is decided at random"
    return Fault(
        f"requirements.labels.{field}",
        f"{said}{explored}.",
        "State in 'known_for' which cases get a label, in 'negatives' how negatives are made, and in 'explored' the "
        "share that is decided at random; or in 'corrected_by' what corrects the selection, such as propensities.",
    )


def _labels_of_who_reacts(labels: Labels) -> Iterator[Fault]:
    """Make the fault of texts that are judged by what their readers do: who reads chooses whether to react."""
    if labels.known_for in {"all", "random sample"}:
        return
    if labels.label_yield is None or labels.label_yield >= _NEARLY_ALL:
        yield _chosen(labels, _SILENCE[labels.negatives])
        return
    unsaid_too = ", nor is it said what makes a negative" if labels.negatives is None else ""
    yield Fault(
        f"requirements.labels.{'negatives' if labels.negatives else 'known_for'}",
        f"Labels come from users who chose to react, for {labels.label_yield:.0%} of the answers: what the others "
        f"think of theirs is not heard{unsaid_too}.",
        "Let people judge a random sample of the answers, and write 'known_for: random sample'; or state in "
        "'corrected_by' what makes up for who does not react.",
    )


_NEARLY_ALL = 0.9  # what is missing of these may differ from the rest without changing much; our threshold
_SILENCE = {
    None: "What users do gives the labels, and it is not said whether a negative was shown at all, nor where",
    "shown and not chosen": "Negatives are what users were shown and did not choose, which depends on what the model "
    "shows, and where",
    "not chosen": "Negatives are all that was not chosen, also what nobody was shown and could choose",
    "nothing heard": "Negatives are cases of which nothing was heard, and who has not noticed does not complain",
}
_BEHAVIOUR = (
    r"\bclick|\btelemetry|thumbs?\b|\baccept(ed|ance|s)?\b|\bignor|\bdismiss|\bskip(s|ped)?\b|\badd(ed)? to cart"
    r"|\blikes?\b|\bwatch(ed)?\b|dwell|\bopen(s|ed)\b|\bfeedback of (users|readers|customers)"
)


def _negatives_are_silence(labels: Labels) -> bool:
    """Tell whether negatives come from what users did not do; without the field, whether labels are what users do."""
    if labels.negatives is not None:
        return labels.negatives in _SILENCE
    if labels.rest_on is not None:
        return labels.rest_on == "behaviour"
    return mentions(_BEHAVIOUR, labels.source, labels.definition)


@rule(
    "DATA023",
    "warning",
    title="No truth comes back after the launch",
    prevents="a model that is trained once on bought labels, and of whose answers nobody ever learns the outcome",
    wrong_when="Wrong if outcomes come on a way that is not drawn; draw what they come from, as a raw source.",
    needs=worked_out,
)
def no_truth_comes_back(design: Design, planes: Planes) -> Iterator[Fault]:
    """Labels of the cases that the system has answered tell whether it is still right."""
    labels = [flow for flow in planes.flows if flow.carries == "labels"]
    kinds = {one.id: one.kind for one in planes.components}
    if not labels or generates(design):
        return
    moving = [flow for flow in planes.flows if flow.carries in {*DATA, "alert"}]
    served = {
        one.id
        for one in planes.components
        if one.kind in _ANSWERING or one.kind in {"prediction log", "device fleet"}
    }
    served |= {flow.start for flow in moving if flow.carries in {"predictions", "request"}}
    touched = reached(served, steps_along(moving))
    before = reached({flow.start for flow in labels}, steps_back(moving))
    outcomes = {name for name in before if kinds.get(name) in {"raw source", "event stream", "ingestion"}}
    if before & touched or outcomes:
        return
    givers = sorted({flow.start for flow in labels} - {flow.end for flow in labels})
    yield Fault(
        "requirements.labels" if design.requirements and design.requirements.labels else "planes.flows",
        f"All labels come from {listed(givers)}, and nothing that the system has answered gets there: whether its "
        "answers were right comes back to nobody.",
        "Draw how a random sample of what was answered is labelled, or where outcomes come from, and let the quality "
        "monitor compare them with the prediction log.",
    )


_DECIDED = (
    r"\b(decision|decid|invit|hire[ds]?\b|hiring|approv|promot|select(ed|ion)|verdict|judg|sentenc|admitted)"
    r"|\brat(ed|ings?) by"
)
_OUTCOME = (
    r"outcome|later|after (a|one|two|\d+) (year|month)|perform|repaid|default|stayed|blind|two (of|readers|people)"
    r"|double|second (person|reader|investigator)|appeal"
)


@rule(
    "DATA028",
    "warning",
    title="Labels are earlier decisions about people",
    prevents="a model that refuses whom people have refused before, and calls that objective",
    incident="Dastin, Amazon scraps secret AI recruiting tool that showed bias against women (Reuters, 2018).",
    wrong_when="Acceptable if decisions were made blind, or are what is predicted; say so in 'quality' or "
    "'stands_for'.",
)
def labels_are_decisions(design: Design) -> Iterator[Fault]:
    """A decision is no outcome: a model that learns it learns who was favoured."""
    labels = design.requirements.labels if design.requirements else None
    if labels is None or not is_about_people(design) or says_something(labels.stands_for):
        return
    words = (labels.source, labels.definition)
    in_words = mentions(_DECIDED, *words) and not mentions(_OUTCOME, *words, labels.quality, labels.selection)
    if labels.rest_on == "decision" or (labels.rest_on is None and in_words):
        yield Fault(
            "requirements.labels.source",
            f"The labels are what people decided before ({labels.source.rstrip('.')}), not what came of it.",
            "Learn from an outcome, such as how it went a year later; or say in 'stands_for' how decisions were "
            "compared with outcomes, in each group.",
        )


_PART = (
    r"\bpilot|\b(one|a single|the first|two|three|first) (shop|store|site|city|hospital|clinic|country|region|plant"
    r"|branch|market|customer|ward|warehouse|team|language)|\bemployees\b|\bvolunteers?\b|\bbeta\b|\btest users"
)


@rule(
    "DATA024",
    "warning",
    title="Labels from a part of where the model is used",
    prevents="a model that was good in the pilot and is used everywhere else",
    wrong_when="Wrong if the words of the selection mean something else; name a random sample of all in it.",
)
def labels_from_a_part(design: Design) -> Iterator[Fault]:
    """What is learnt and tested in one place says little about the others."""
    labels = design.requirements.labels if design.requirements else None
    release = design.planes.release if design.planes else None
    if labels is None or release is None or not mentions(_PART, labels.selection, labels.source):
        return
    if labels.explored or mentions(
        r"random|stratif|each|every|all (shops|sites|stores|hospitals|countr)", labels.selection
    ):
        return
    if not any(says_something(text) for gate in release.gates for text in gate.slices):
        yield Fault(
            "requirements.labels.selection",
            f"Labels come from a part of where the model is used "
            f"({(labels.selection or labels.source).rstrip('.')}), and no gate tests it elsewhere.",
            "Label a sample of every place, and add a gate with 'slices' by place, some held out from training.",
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
    if not people or any(cases_per_s(one) is None for one in people):
        return
    given = sum((cases_per_s(one) or 0.0) * period_s for one in people)
    needed = new_labels(labels, period_s)
    if given < needed * (1 - _SAME):
        where = "cases_per_day" if people[0].rate is None else "rate"
        yield Fault(
            f"planes.components.{people[0].id}.{where}",
            f"A training needs {needed:,.0f} new labels by hand, and in {show_seconds(period_s)} "
            f"{listed([p.id for p in people])} can give {given:,.0f}.",
            "Label fewer items, train less often, or plan more people. Where labels of earlier trainings are used "
            "again, state for how long under 'labels.kept_for'.",
        )


@rule(
    "DATA017",
    "warning",
    title="Labels paid from no budget",
    prevents="a project whose largest bill is in no plan",
    wrong_when="Wrong if labels are kept from training to training; state for how long under 'kept_for'.",
)
def labels_not_in_plan(design: Design) -> Iterator[Fault]:
    """Labels by hand are often the largest cost of a model, and belong in the sum."""
    labels = design.requirements.labels if design.requirements else None
    plan, planes = design.capacity, design.planes
    if not (labels and labels.items and labels.cost_per_label):
        return
    period_s = planes.retraining.period if planes and planes.retraining else None
    once = new_labels(labels, period_s) * labels.cost_per_label
    if plan and plan.budget_per_month:
        if not (plan.fleets or plan.costs) or (planes and labels_in_costs(plan.costs, planes)):
            return  # nothing but servers is planned, or the labels are in the sum
        per_month = labels_per_month(design) or 0.0
        if per_month > _LABEL_BILL_SHARE * plan.budget_per_month:
            yield Fault(
                "capacity.costs",
                f"The new labels of one training cost {money(design, once)}, about {money(design, per_month)} a month; "
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


def labels_in_costs(costs: Iterable[Cost], planes: Planes) -> bool:
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
    matters = regulated or not {"snapshot", "code"}.isdisjoint(
        missing
    )  # the rest alone moves a figure by little
    if missing and matters:
        at = f"data.training.{missing[0]}" if training else "data.training" if design.data else "data"
        why = " The system decides about people." if regulated and training is None else ""
        yield Fault(
            at,
            f"The design does not say how a training is fixed: {', '.join(missing)} not stated.{why}",
            "State under 'data.training' how data, code, environment and seed are fixed, and where it is "
            "recorded which of them a model comes from.",
        )


@rule(
    "DATA033",
    "warning",
    title="What meets a constraint may be left out",
    prevents="payments that are released unscreened, each time the check is slow",
    wrong_when="Wrong if something else meets it meanwhile; name that as 'otherwise', or write 'needs: any'. Wrong if "
    "nothing that it forbids is done then; write 'held_without: true' on the constraint.",
    needs=sketched,
)
def constraint_fails_open(design: Design, planes: Planes) -> Iterator[Fault]:
    """What the law or a contract demands holds while the part that meets it does not answer, too."""
    before = {flow.otherwise: flow.end for flow in planes.flows if flow.otherwise}
    kinds = {one.id: one.kind for one in planes.components}
    passing = {  # without them nothing is got of what they stand before
        flow.start for _, flow in waiting_flows(planes) if kinds[flow.end] in _GIVING
    }
    for one in constraints_of(design):
        if one.source not in {"law", "contract"} or one.region or one.held_without:
            continue
        for place, flow in flow_places(planes):
            if kinds[flow.end] in _RECORDS and flow.fallback and has_fallback(flow):
                continue  # a record that is written later is written
            if one.source == "contract" and (flow.end in passing or kinds[flow.start] == "event stream"):
                continue  # nothing goes on, or later
            others = {*one.met_by} - {flow.end, before.get(flow.id or "")} if one.needs == "any" else ()
            if not others and flow.end in one.met_by and flow.fails == "open" and flow.otherwise is None:
                yield Fault(
                    f"{place}.fails",
                    f"{flow.end} meets the constraint {one.id} ({one.text.rstrip('.')}), and without its answer "
                    f"{flow.start} goes on.",
                    "Fail closed, or name a flow that meets it too as 'otherwise'.",
                )
                break


_GIVING = (*_ANSWERING, "llm gateway", "api gateway", "external service", "orchestrator", "prediction store")
_RECORDS = ("prediction log", "offline store", "event stream")


@rule(
    "DATA034",
    title="Predictions are gone before their labels come",
    prevents="a quality that cannot be measured, since what was predicted is deleted before the truth is known",
    wrong_when="Wrong if another store keeps what was predicted for that long; add it as a set of data.",
    needs=sketched,
)
def gone_before_labels(design: Design, planes: Planes) -> Iterator[Fault]:
    """A label is compared with what was predicted, so that has to be kept until the label comes."""
    labels = design.requirements.labels if design.requirements else None
    logs = {one.id for one in planes.components if one.kind == "prediction log"}
    held = design.data
    trained_on = held.training.trained_on if held and held.training else ()
    datasets = held.datasets if held else ()
    kept = [one for one in datasets if logs & {*one.kept_in}]
    kept = kept or [
        one for one in datasets if one.id in trained_on
    ]  # where nothing is logged, these are joined
    if labels is None or not labels.delay or not kept or any(one.retention is None for one in kept):
        return
    longest = max(kept, key=lambda one: one.retention or 0.0)
    if (longest.retention or 0.0) < labels.delay * (1 - _SAME):
        yield Fault(
            f"data.datasets.{longest.id}.retention",
            f"{longest.id} is kept for {show_seconds(longest.retention or 0)}, and labels come after "
            f"{show_seconds(labels.delay)}.",
            "Keep what was predicted, with its features, until its label has come and was compared.",
        )


_TRAINING = ("training pipeline", "training compute")
_ATTACKED = (
    r"extract|memori[sz]|recit|regurgitat|verbatim|canar(y|ies) (string|token|text|secret)|membership|leak"
)


@rule(
    "DATA032",
    "warning",
    title="Trained on what belongs to others",
    prevents="a model that recites one customer's code or prices to another, and a customer who never agreed to it",
    incident="Carlini et al., Extracting Training Data from Large Language Models (USENIX Security 2021).",
    wrong_when="Wrong if each tenant has a model of its own; write that under 'extraction'.",
    needs=sketched,
)
def trained_on_tenants(design: Design, planes: Planes) -> Iterator[Fault]:
    """What a model has learnt of one it can give out to another, so that needs a right and a test."""
    training = design.data.training if design.data else None
    gates = planes.release.gates if planes.release else ()
    answered = says_something(training.extraction if training else None)
    answered = answered or any(mentions(_ATTACKED, gate.metric) for gate in gates)
    learnt = _trained_on(design, planes)
    tenants = [one for one in learnt if says_something(one.belongs_to) and one.confidential is not False]
    told = [
        one for one in learnt if generates(design) and (one in tenants or _is_written(one, design, planes))
    ]
    open_ones = [] if answered else list(dict.fromkeys(one.id for one in (*tenants, *told)))
    on_interests = [one for one in told if one.personal and one.basis == "legitimate interests"]
    bound = [
        one
        for one in learnt
        if one.personal
        and (one.basis in _FOR_ONE_PURPOSE or (one.basis == "consent" and says_something(one.purpose)))
    ]
    for_training = [one for one in bound if mentions(_TO_LEARN, one.purpose)]
    bound += on_interests
    no_right = [
        one.id
        for one in dict.fromkeys((*tenants, *bound))
        if not says_something(one.training_allowed_by) and (one in tenants or one not in for_training)
    ]
    if not open_ones and not no_right:
        return
    lacks = ["nothing says what keeps the model from giving one's data to another"] * bool(open_ones)
    lacks += [f"no right to train on {listed(no_right)} is named"] * bool(no_right)
    at = f"data.datasets.{no_right[0]}.training_allowed_by" if no_right and not open_ones else "data.training"
    names = listed(list(dict.fromkeys([*open_ones, *no_right])))
    bases = {one.basis for one in learnt if one.id in no_right and one not in tenants}
    alone = not open_ones and not {*no_right} & {one.id for one in tenants} and len(bases) == 1
    what = (
        _KEPT_FOR.get(next(iter(bases), None) or "", "is kept by a duty alone")
        if alone
        else "comes from others"
    )
    yield Fault(
        f"{at}.extraction" if at == "data.training" and training else at,
        f"A model is trained on {names}, which {what}, and {' and '.join(lacks)}.",
        "State in 'training.extraction' how that is prevented and tested, such as a gate that tries to extract planted "
        "texts; and in 'training_allowed_by' of each set of data what allows it. Or train a model for each.",
    )


_TO_LEARN = (
    r"\btrain|\blearn|model|predict|improv|detect|monitor|scor|rank|recommend|forecast|estimat|classif|recogni|suggest"
    r"|personali|match|triage|evaluat"
)
_KEPT_FOR = {
    "consent": "is kept by a consent to something else",
    "legitimate interests": "is kept on legitimate interests alone",
}
_FOR_ONE_PURPOSE = ("legal obligation", "vital interests")
"""Bases that allow what the duty or the emergency needs, and no other use."""


def _trained_on(design: Design, planes: Planes) -> list[Dataset]:
    """Return the sets of data that a model is trained on: as said, or those whose stores lead to a training."""
    held = design.data
    datasets = held.datasets if held else ()
    if held and held.training and held.training.trained_on:
        return [one for one in datasets if one.id in held.training.trained_on]
    trains = {one.id for one in planes.components if one.kind in _TRAINING}
    moving = [
        flow
        for flow in planes.flows
        if flow.carries in {"batch", "events", "labels", "features", "predictions"}
    ]
    before = reached(trains, steps_back(moving)) - trains
    parts = {one.id: one.kind for one in planes.components}
    # an index on the way keeps what is read, and is no source of training by itself
    return [
        one
        for one in datasets
        if any(name in before and parts[name] not in {"vector index", "cache"} for name in one.kept_in)
    ]


def _is_written(one: Dataset, design: Design, planes: Planes) -> bool:
    """Tell whether a set of data is kept of what users wrote and got: it is secret or personal, or in the log."""
    kinds = {part.id: part.kind for part in planes.components}
    return bool(
        one.personal
        or is_confidential(design, one)
        or (one.confidential is None and any(kinds.get(name) == "prediction log" for name in one.kept_in))
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
