"""Rules on security: trust boundaries, limits for callers, what a model reads and says, secrets, updates."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from mlsd_helpers.analysis.graph import reached, steps_along, steps_back, waiting_flows
from mlsd_helpers.analysis.request import has_fallback
from mlsd_helpers.analysis.words import says_something
from mlsd_helpers.design import Component, Design, Flow, Planes, Promise
from mlsd_helpers.review.rule import Fault, rule
from mlsd_helpers.review.scope import (
    flow_places,
    generates,
    is_confidential,
    personal_data,
    sketched,
    worked_out,
)
from mlsd_helpers.review.words import affirmed, listed, mentions
from mlsd_helpers.units import show_seconds

OWASP = "OWASP Top 10 for Large Language Model Applications, 2025: {}."
_PUBLIC = r"public|internet|outside|anonymous|untrusted|customer|\bweb\b"
_GATES = ("rate limiter", "api gateway", "llm gateway")
_GUARDS = ("guardrail", "business rules")
_INPUT = r"input|prompt|question|request|incoming|injection|turn\b|message|document|passage|before the model"
_OUTPUT = r"output|answer|response|repl(y|ies)|completion|outgoing|after the model|shown|\bsaid\b"
_PIECE = r"(chunk|sentence|paragraph|piece|part|segment|line|clause)"
_PIECES = (
    rf"\b(each|every|by|per) {_PIECE}\b|\b{_PIECE}s? (by|before|at a time)|before (it|they|each|a|any) .{{0,30}}"
    r"(shown|sent|seen|leaves?)|\b(hold|held|buffer)(s|ed|ing)?\b|while it is (written|streamed)"
)
_SECRETS = r"(key|password|secret|token|certificate|credential|account|login)s?"
_SHARED = (
    rf"\b(one|same|shared|common|single)\b.{{0,20}}\b{_SECRETS}\b"
    rf"|\b{_SECRETS}\b.{{0,20}}\b(for all|shared|of all|everywhere)\b"
)
_OF_ONE = r"\b(each|every|per)\b"
_KEPT = (
    r"(?<!public )\b(api.?)?keys?\b(?!.?less)|pass(word|phrase)s?(?!.?less)|\b(shared|client) secrets?\b"
    r"|\bstatic token"
)
"""What somebody has to keep, and who has it is believed; a public key is for everybody."""
_OF_A_USER = (
    r"user|caller|customer|tenant|session|on.behalf|delegat|\bobo\b|person|row.level|\bacl|rights of|patient"
    r"|member"
)
_OF_A_SERVICE = (
    r"\bkey\b|service account|workload identity|mtls|mutual tls|password|shared|certificate|machine|static"
)
_READ = ("vector index", "feature store", "cache", "prediction store", "offline store")


# ---- trust boundaries


@rule(
    "SEC001",
    "warning",
    title="Call across a trust boundary without authentication",
    prevents="calls in somebody else's name, by whoever reaches the address",
    wrong_when="Acceptable if everybody may call; write that under 'auth', such as 'anonymous, limited by address'.",
    needs=sketched,
)
def crosses_without_auth(design: Design, planes: Planes) -> Iterator[Fault]:
    """Where a flow enters another zone of trust, the receiver has to know who sends it."""
    alike = defaultdict[frozenset[str], list[tuple[str, Flow, str, str]]](list)
    for place, flow, start, end in _unproved(design, planes):
        alike[frozenset({start, end} - {"provider"} or {flow.start, flow.end})].append(
            (place, flow, start, end)
        )
    for ways in alike.values():
        place, _, start, end = ways[0]
        names = [f"{flow.start} → {flow.end}" for _, flow, _, _ in ways]
        yield Fault(
            f"{place}.auth",
            f"Between {start or 'our system'} and {end or 'our system'} it is not said how the sender proves who "
            f"it is: {listed(names)}.",
            "State it in 'auth', such as workload identity, the user's token, or a key from the secret store.",
        )


def _unproved(design: Design, planes: Planes) -> Iterator[tuple[str, Flow, str, str]]:
    """Yield the flows between two zones of trust that say nothing of who sends: place, flow and the zones.

    Who reads something is no receiver that has to check, and an answer comes on the connection of its call.
    """
    grown = worked_out(design) is not None
    kinds = {one.id: one.kind for one in planes.components}
    zone = {
        one.id: one.trust_zone or ("provider" if grown and one.kind == "external service" else "")
        for one in planes.components
    }
    asked = {(flow.start, flow.end) for flow in planes.flows if says_something(affirmed(flow.auth))}
    for place, flow in flow_places(planes):
        start, end = zone.get(flow.start, ""), zone.get(flow.end, "")
        crosses = (start and end and start.casefold() != end.casefold()) or (end == "provider" and not start)
        known = (
            says_something(affirmed(flow.auth))
            or (flow.end, flow.start) in asked
            or flow.carries == "metrics"
        )
        known = known or flow.carries == "model"  # what is taken is checked itself: SEC013
        if crosses and not known and kinds[flow.end] != "people":
            yield place, flow, start, end


@rule(
    "SEC015",
    "warning",
    title="Personal data inside for whoever asks",
    prevents="one broken component from which everything else can be asked for",
    incident="NIST SP 800-207, Zero Trust Architecture (2020): no trust follows from where in the network one stands.",
    wrong_when="Acceptable if the network lets these callers through and no others; write that under 'auth'.",
    needs=worked_out,
)
def inside_without_auth(design: Design, planes: Planes) -> Iterator[Fault]:
    """A caller inside the network proves who it is too, since an attacker who breaks one component is inside."""
    crossing = {place for place, *_ in _unproved(design, planes)}
    left_out = {"people", *(_READ if generates(design) else ())}  # whose rights decide there, SEC010 asks
    told = {one.id for one in planes.components if one.kind in left_out}
    places = list(flow_places(planes))
    calls = [places[position] for position, _ in waiting_flows(planes)]
    unproved = [
        (place, flow)
        for place, flow in calls
        if flow.personal and flow.end not in told and place not in crossing and not says_something(flow.auth)
    ]
    if unproved and any(says_something(flow.auth) for flow in planes.flows):
        yield Fault(
            f"{unproved[0][0]}.auth",
            "These calls carry personal data, and it is not said how the callee knows who asks: "
            f"{listed([f'{flow.start} → {flow.end}' for _, flow in unproved])}.",
            "State it in 'auth', such as workload identity or mutual TLS.",
        )


@rule(
    "SEC002",
    "warning",
    title="Who may call is not stated",
    prevents="a service that believes each caller, since nobody has said who can reach it",
    wrong_when="Wrong if everything runs in one network that only one team can reach; give all components that "
    "zone, and whoever calls them another.",
    needs=worked_out,
    whole=True,
)
def boundaries_not_stated(design: Design, planes: Planes) -> Iterator[Fault]:
    """Who can reach the entry decides where authentication and checks belong."""
    if any(one.trust_zone for one in planes.components):
        yield from _beside_the_zones(planes)
        return
    if any(_unproved(design, planes)):
        return  # SEC001 asks for what crosses a boundary
    if any(says_something(flow.auth) for flow in planes.flows):
        return
    devices = any(one.kind == "device fleet" for one in planes.components)
    exposed = any(waiting_flows(planes)) and generates(design)
    if devices or exposed or personal_data(design, planes).said:
        called = {flow.end for _, flow in waiting_flows(planes)}
        entries = [flow.start for _, flow in waiting_flows(planes) if flow.start not in called]
        entry = (entries or [one.id for one in planes.components])[0]
        yield Fault(
            f"planes.components.{entry}.trust_zone",
            f"Nothing in the design says who may call {entry}, and how a caller proves who it is.",
            "Give whoever calls and whatever is called a 'trust_zone', such as public, internal, vendor, and the "
            "flows between zones an 'auth'.",
        )


def _beside_the_zones(planes: Planes) -> Iterator[Fault]:
    """Find what is called without authentication between a component in a zone and one in none."""
    zones = {one.id: one.trust_zone for one in planes.components}
    calls = [
        (name, flow)
        for _, flow in waiting_flows(planes)
        for name, other in ((flow.start, flow.end), (flow.end, flow.start))
        if not zones[name]
        and mentions("vendor|partner|provider", zones[other])
        and not says_something(affirmed(flow.auth))
    ]
    if calls:
        names = list(dict.fromkeys(name for name, _ in calls))
        ways = listed(list(dict.fromkeys(f"{flow.start} → {flow.end}" for _, flow in calls)))
        yield Fault(
            f"planes.components.{names[0]}.trust_zone",
            f"Others have a zone of trust, and {listed(names)} {'has' if len(names) == 1 else 'have'} none, so that "
            f"nothing tells whether {ways} must prove who asks.",
            "State its 'trust_zone', or the 'auth' of these calls.",
        )


@rule(
    "SEC003",
    "warning",
    title="Public entry without a limit",
    prevents="one caller who takes the capacity, or runs up the bill, of all",
    incident=OWASP.format("LLM10, unbounded consumption")
    + " For other systems: CWE-770, allocation without limits.",
    wrong_when="Wrong if a network in front limits each caller; draw it as a rate limiter.",
    needs=sketched,
)
def public_without_limit(design: Design, planes: Planes) -> Iterator[Fault]:
    """What everybody can call needs a limit for each caller before the expensive part."""
    writes = generates(design)
    calls = [flow for _, flow in waiting_flows(planes)]
    called = {flow.end for flow in calls}
    public = [
        one.id for one in planes.components if one.kind == "client" or mentions(_PUBLIC, one.trust_zone)
    ]
    clients = {
        one.id
        for one in planes.components
        if one.id not in called and (one.kind in _CLIENTS or mentions(_THEIRS, one.trust_zone))
    }
    limiters = {one.id for one in planes.components if one.kind == "rate limiter"}
    asking = {flow.start for flow in calls if flow.end in limiters}
    gates = asking | {
        one.id
        for one in planes.components
        if one.quota or one.id in limiters or (one.kind in _GATES and not writes)
    }
    gates -= clients  # who limits himself protects nobody
    flows = [flow for flow in calls if flow.start not in gates and flow.end not in gates]
    starts = {flow.start for flow in flows}
    entries = [name for name in public if name not in gates and name in starts]
    behind = sorted(reached(entries, steps_along(flows)) - set(public))
    parts = {one.id: one.kind for one in planes.components}
    planned = {plan.component for plan in design.fleets.values()}
    if any(name in planned or parts[name] in _COSTLY for name in behind):
        yield Fault(
            f"planes.components.{entries[0]}",
            f"{listed(entries)} {'is' if len(entries) == 1 else 'are'} outside, and requests get from there to "
            f"{listed(behind)} without any limit{' (a generating model is paid by the token)' if writes else ''}.",
            "Put a rate limiter in between, or state the 'quota' of a caller at what is called first: requests or "
            "tokens, per user.",
        )


_COSTLY = (
    "model server", "batch scorer", "external service", "llm gateway", "embedder", "re-ranker", "candidate generator",
    "vector index", "feature store",
)  # fmt: skip
_CLIENTS = ("client", "device fleet", "people", "raw source")
_THEIRS = r"customer|client|\busers?\b|device|browser|untrusted|outside|partner"


# ---- what a generating model reads and says


@dataclass(frozen=True)
class _Guarded:
    """The calls around the models that write, and what checks their input and their output."""

    design: Design
    planes: Planes

    @cached_property
    def flows(self) -> list[Flow]:
        return [flow for _, flow in waiting_flows(self.planes)]

    @cached_property
    def models(self) -> set[str]:
        """The components that write texts, of those that requests wait for."""
        waited = {name for flow in self.flows for name in (flow.start, flow.end)}
        parts = [one for one in self.planes.components if one.id in waited]
        planned = {plan.component for plan in self.design.fleets.values() if plan.generation}
        kinds = ("external service", "model server", "llm gateway")
        writing = {one.id for one in parts if one.id in planned or (one.kind in kinds and _writes(one))}
        return writing or {one.id for one in parts if one.kind == "model server"} or {
            one.id for one in parts if one.kind in kinds
        }  # fmt: skip

    def words(self, guard: Component) -> list[str | None]:
        """What is said of a guard and of the calls to it."""
        calls = [text for _, flow in self._to.get(guard.id, ()) for text in (flow.check, flow.fallback)]
        return [guard.does, guard.title, *calls]

    @cached_property
    def leading(self) -> set[str]:
        """The components whose calls lead to a model, the models included."""
        return reached(self.models, steps_back(self.flows))

    @cached_property
    def _to(self) -> dict[str, list[tuple[int, Flow]]]:
        """The calls of each component that is called, with their places."""
        calls = defaultdict[str, list[tuple[int, Flow]]](list)
        for place, flow in enumerate(self.flows):
            calls[flow.end].append((place, flow))
        return dict(calls)

    @cached_property
    def _first_and_last(self) -> dict[str, tuple[int, int]]:
        """For each component, the places of its first and its last call that leads to a model."""
        found = dict[str, tuple[int, int]]()
        for place, flow in enumerate(self.flows):
            if flow.end in self.leading:
                found[flow.start] = (found.get(flow.start, (place,))[0], place)
        return found

    @cached_property
    def guards(self) -> list[tuple[Component, bool, bool]]:
        """Each guard that requests pass, and whether it checks input and output.

        A guard that calls the model sees both. One that is called beside it checks input if it is called first, output
        if it is called later. What it does in words says more than that.
        """
        after = reached(self.models, steps_along(self.flows))
        used = {name for flow in self.flows for name in (flow.start, flow.end)}
        found = []
        for one in self.planes.components:
            if one.kind not in _GUARDS or one.id not in used:
                continue
            beside = [
                (place, self._first_and_last[flow.start])
                for place, flow in self._to.get(one.id, ())
                if flow.start in self._first_and_last
            ]
            around = one.id in self.leading
            before = around or any(place < last for place, (_, last) in beside)
            behind = around or one.id in after or any(place > first for place, (first, _) in beside)
            into, out = mentions(_INPUT, *self.words(one)), mentions(_OUTPUT, *self.words(one))
            if into or out:
                before, behind = into or (before and not behind), out or (behind and not before)
            found.append((one, before, behind))
        return found


def _guarded(design: Design) -> _Guarded | None:
    planes = worked_out(design)
    writes = planes and (generates(design) or any(map(_writes, planes.components)))
    around = _Guarded(design, planes) if planes and writes else None
    return around if around and around.models else None


def _writes(one: Component) -> bool:
    """Tell whether a component writes texts, by its tokens or their price, whatever the system predicts."""
    priced = one.price and one.price.per_million_output_tokens
    return bool((one.tokens and one.tokens.output) or priced)


def _model_place(around: _Guarded) -> str:
    return f"planes.components.{min(around.models)}"


@rule(
    "SEC004",
    "warning",
    title="Untrusted text reaches a generating model unchecked",
    prevents="a text by a stranger that the model takes for an instruction",
    incident=OWASP.format("LLM01, prompt injection"),
    wrong_when="Acceptable if the model sees and does nothing that its user may not see and do anyway; accept "
    "it with that reason.",
    needs=_guarded,
)
def input_unchecked(_: Design, around: _Guarded) -> Iterator[Fault]:
    """To a model, instructions in a question or a document look like those of its owner."""
    if any(before for _, before, _ in around.guards):
        return
    documents = any(one.kind == "vector index" for one in around.planes.components)
    texts = "texts of users and of documents" if documents else "texts of users"
    output = "" if any(behind for _, _, behind in around.guards) else ", and nothing checks what it answers"
    yield Fault(
        _model_place(around),
        f"{listed(sorted(around.models))} reads {texts}, and no guardrail checks them first{output}.",
        "Add a guardrail before the model and one after it, say in 'does' what each checks, and give the model "
        "no right that its user does not have.",
    )


@rule(
    "SEC005",
    "warning",
    title="Generated answer is not checked",
    prevents="an answer with other people's data, or that must not be given, in front of a user",
    incident=OWASP.format("LLM02 and LLM05, disclosure and output handling"),
    needs=_guarded,
)
def output_unchecked(_: Design, around: _Guarded) -> Iterator[Fault]:
    """What a model writes is not known before it is written, so it is checked before it is shown."""
    guards = around.guards
    if any(before for _, before, _ in guards) and not any(behind for _, _, behind in guards):
        yield Fault(
            _model_place(around),
            f"{listed([one.id for one, _, _ in guards])} checks what {listed(sorted(around.models))} reads, and "
            "nothing checks what it answers.",
            "Add a guardrail behind the model, or say in 'does' that this one checks answers too.",
        )


@rule(
    "SEC006",
    "warning",
    title="Answer is shown before it is checked",
    prevents="a filter that finds a harmful answer after the user has read it",
    wrong_when="Wrong if the answer is checked piece by piece before it is shown; write "
    "'checks_answers: piece by piece'.",
    needs=_guarded,
)
def shown_before_checked(design: Design, around: _Guarded) -> Iterator[Fault]:
    """A streamed answer is read from its first token on, long before the whole of it can be checked."""
    latency = design.requirements.latency if design.requirements else None
    first = [one for one in latency.promises if one.what == "first token"] if latency else []
    behind = [one for one, _, checks_output in around.guards if checks_output]
    in_pieces = [
        one
        for one in behind
        if one.checks_answers == "piece by piece"
        or (one.checks_answers is None and mentions(_PIECES, *around.words(one)))
    ]
    if not first or not behind or in_pieces:
        return
    late = min(behind, key=lambda one: one.checks_answers is None)
    how = {
        "whole": "waits for the whole answer, so that nothing is left of the stream",
        "afterwards": "checks it after it was shown",
        None: "checks answers: it is not said how it does so before they are shown",
    }
    yield Fault(
        f"planes.components.{late.id}",
        f"Answers are shown from the first token on, and {late.id} {how[late.checks_answers]}."
        f"{_too_late(around, late, first[0])}",
        "Check each sentence before it is shown, allow for that in the first token, and write 'checks_answers: piece "
        "by piece'; or do not stream.",
    )


def _too_late(around: _Guarded, guard: Component, first: Promise) -> str:
    """Say that a guard that waits for the whole answer, and the model, take longer than the first token may."""
    model = max(
        (one.latency or 0.0 for one in around.planes.components if one.id in around.models), default=0.0
    )
    taken = model + (guard.latency or 0.0)
    if guard.checks_answers != "whole" or taken <= first.within * (1 + 1e-9):
        return ""
    return (
        f" The model and {guard.id} take {show_seconds(taken)}, and the first token is promised within "
        f"{show_seconds(first.within)}."
    )


@rule(
    "SEC007",
    "warning",
    title="Guardrail that fails open",
    prevents="attacks and harmful answers that pass while the check is down",
    wrong_when="Acceptable if a second check stands behind it; say which.",
    needs=sketched,
)
def guardrail_fails_open(_: Design, planes: Planes) -> Iterator[Fault]:
    """Who wants to get past a check makes it fail."""
    guards = {one.id for one in planes.components if one.kind == "guardrail"}
    for place, flow in flow_places(planes):
        if (
            flow.end in guards
            and flow.fails == "open"
            and flow.otherwise is None
            and not _checked_otherwise(flow)
        ):
            yield Fault(
                f"{place}.fails",
                f"Without an answer of {flow.end}, {flow.start} goes on unchecked.",
                "Let it fail closed, with an answer that is safe, or fall back to a simpler check.",
            )


_GOES_ON = (
    r"unchecked|without (the |a )?(check|guard|filter)|go(es)? on|pass(es)? (on|through|it)|skip|anyway|unfiltered"
    r"|let (it|them) (pass|through)"
)


def _checked_otherwise(flow: Flow) -> bool:
    """Tell whether a fallback does something else than to go on as if the check had passed."""
    goes_on = mentions(_GOES_ON, flow.fallback)
    return has_fallback(flow) and not goes_on


@rule(
    "SEC008",
    "warning",
    title="Key or password without a secret store",
    prevents="keys in code, images and logs, which nobody can replace in an hour",
    wrong_when="Wrong if the platform keeps the secrets; draw it as a secret store, with the owner who answers for it.",
    needs=worked_out,
)
def secrets_kept_nowhere(_: Design, planes: Planes) -> Iterator[Fault]:
    """A secret is kept in one place that hands it out, logs that, and replaces it."""
    if any(one.kind == "secret store" for one in planes.components):
        return
    for place, flow in flow_places(planes):
        shown = affirmed(flow.auth)
        if mentions(_SHARED, shown) and not mentions(_OF_ONE, shown):
            continue  # SEC014 says so
        if mentions(_KEPT, shown) and not mentions(_IN_A_STORE, shown):
            yield Fault(
                f"{place}.auth",
                f"{flow.start} → {flow.end} uses a secret ({(flow.auth or '').rstrip('.')}), and the design draws "
                "no secret store.",
                "Add a secret store, and say how often the secret is replaced; or use workload identity.",
            )
            return


_IN_A_STORE = r"vault|\bkms\b|\bhsm\b|key management|secrets? (store|manage\w*)|parameter store|key ?chain"


@rule(
    "SEC009",
    title="Device that does not check the signature of an update",
    prevents="somebody else's software on every device",
    incident="NIST SP 800-193, Platform Firmware Resiliency Guidelines (2018): updates are authenticated before use.",
    needs=sketched,
)
def update_unsigned(_: Design, planes: Planes) -> Iterator[Fault]:
    """A device installs whatever reaches it, unless it checks who has signed it."""
    for one in planes.components:
        if one.devices and one.devices.signed is False:
            yield Fault(
                f"planes.components.{one.id}.devices.signed",
                f"{one.devices.number:,} devices take a release without checking its signature.",
                "Sign each release, and let devices refuse what is not signed.",
            )


@rule(
    "SEC010",
    "warning",
    title="Data of many are read without the rights of who asks",
    prevents="an answer to one customer out of another customer's data",
    incident=OWASP.format("LLM08, vector and embedding weaknesses"),
    wrong_when="Wrong if what is kept there may be seen by everybody; write 'personal: false' and 'confidential: "
    "false' on the set of data.",
    needs=sketched,
)
def read_without_users_rights(design: Design, planes: Planes) -> Iterator[Fault]:
    """What is read for a user is limited to what that user may see, by the store and not by the caller."""
    datasets = design.data.datasets if design.data else ()
    generated = generates(design)
    # what a caller of any system could read of others, and what a model could tell
    shared = {
        name: one
        for one in datasets
        if generated or says_something(one.belongs_to)
        if is_confidential(design, one)
        for name in one.kept_in
    }
    kept = {name for one in datasets if generated and one.personal for name in one.kept_in}
    kept |= personal_data(design, planes).stored_in if generated else set()
    said = {name for one in datasets for name in one.kept_in}
    keeping = said & (kept | shared.keys()) or kept  # a service keeps what the sets of data say
    stores = {
        one.id
        for one in planes.components
        if one.kind in _READ or (one.id in keeping and one.kind in {"service", "raw source"})
    }
    public = said - {
        name
        for one in datasets
        if one.personal is not False or is_confidential(design, one)
        for name in one.kept_in
    }
    stores -= public  # whatever the query says of who asks
    calls = dict(waiting_flows(planes))
    told = set[str]()
    for position, (place, drawn) in enumerate(flow_places(planes)):
        flow = calls.get(position, drawn)
        secret = shared.get(flow.end)
        held = generated and (flow.personal or (flow.end in kept and flow.personal is None))
        reads = flow.carries in {"request", "features"} and flow.end in stores and position in calls
        if not reads or not (held or secret) or flow.end in told:
            continue
        apart = secret.separated_by if secret else None
        if secret and apart in {"filter of the caller", "nothing"}:
            told.add(flow.end)
            yield Fault(
                f"data.datasets.{secret.id}.separated_by",
                f"{flow.start} reads {secret.id} of all its owners in {flow.end}, and "
                f"{'the filter is one of the caller, which can be forgotten' if apart != 'nothing' else _NO_FILTER}.",
                "Give each tenant a store or a namespace of its own, or let the store filter by the verified identity "
                "of who asks.",
            )
        elif apart is None and (how := _not_of_a_user(flow)):
            told.add(flow.end)
            what = "data of many owners" if secret and not held else "personal data of many users"
            yield Fault(
                f"{place}.auth",
                f"{flow.start} reads {what} in {flow.end}, and {how}.",
                "State in 'auth' whose rights decide, such as the user's token, and in 'separated_by' of the set of "
                "data that the store filters by tenant and user.",
            )


@rule(
    "SEC016",
    "warning",
    title="Kept answer that crosses between owners",
    prevents="an answer out of one client's files, given from the cache to whoever asks the same question",
    incident=OWASP.format("LLM08, vector and embedding weaknesses"),
    wrong_when="Wrong if the key holds the owner under another name; write 'shared_by: one owner'.",
    needs=sketched,
)
def cache_crosses_owners(design: Design, planes: Planes) -> Iterator[Fault]:
    """An answer that is made of what some may read is kept for those alone."""
    calls = [flow for _, flow in waiting_flows(planes)]
    owned = [
        one
        for one in (design.data.datasets if design.data else ())
        if says_something(one.belongs_to)
        and (one.personal or one.confidential)
        and one.separated_by not in {None, "nothing"}
    ]
    for path in design.pattern.paths if design.pattern else ():
        cache = path.cache
        if cache is None or cache.shared_by in {"one owner", "one user"}:
            continue
        near = {flow.start for flow in calls if path.component in {None, flow.start, flow.end}}
        read = {flow.end for flow in calls if flow.start in reached(near, steps_along(calls))}
        for one in owned:
            names = "|".join(re.findall(r"[^\W\d_]{4,}", one.belongs_to or "")) or "owner"
            told = cache.shared_by is None and mentions(rf"{_OWNER_IN_KEY}|{names}", *cache.key)
            if read & {*one.kept_in} and not told:
                yield Fault(
                    f"pattern.paths.{path.id}.cache.key",
                    f"Answers are made of {one.id}, which belongs to {one.belongs_to}, and are kept by "
                    f"{listed(list(cache.key))}: who asks the same gets them, whatever they may read.",
                    "Take into the key whose data were read, or what the user may read; or write in 'shared_by' to "
                    "whom a kept answer is given.",
                )
                break


_OWNER_IN_KEY = (
    r"user|tenant|customer|client|owner|account|role|right|permission|entitle|session|group|member|person"
)


_NO_FILTER = "nothing keeps them apart"


def _not_of_a_user(flow: Flow) -> str | None:
    """Tell why a read is not limited to the user who asks, where that is so by its authentication."""
    if mentions(_OF_A_USER, affirmed(flow.auth)):
        return None
    if not says_something(flow.auth):
        return "nothing limits a read to the user who asks"
    if mentions(_OF_A_SERVICE, affirmed(flow.auth)):
        return f"what it shows there ({(flow.auth or '').rstrip('.')}) is the same for every user"
    return None


@rule(
    "SEC011",
    "warning",
    title="Generating model that acts without a check",
    prevents="a text by a stranger that ends in a refund, a mail or a deleted record",
    incident=OWASP.format("LLM06, excessive agency"),
    wrong_when="Acceptable if the action can be undone and costs nothing; say so under 'check'.",
    needs=_guarded,
)
def model_acts_unchecked(_: Design, around: _Guarded) -> Iterator[Fault]:
    """What a model decides to do is checked by rules or a person before it is done."""
    kinds = {one.id: one.kind for one in around.planes.components}
    acting = {
        name for name in around.leading if kinds.get(name) in {"orchestrator", "model server", "llm gateway"}
    }
    for place, flow in flow_places(around.planes):
        outward = kinds[flow.end] in {"service", "external service", "other", "raw source"}
        if flow.start in acting and flow.carries == "command" and outward and not says_something(flow.check):
            yield Fault(
                f"{place}.check",
                f"{flow.start} commands {flow.end} by what a model has written, and nothing checks the command.",
                "State in 'check' which actions are allowed, up to which amount, in whose name, and which a "
                "person confirms.",
            )


_OF_CONTENT = (
    r"inject|instruction|content|moderat|saniti|strip|approv|review|hidden|html|prompt|malicious|\bscan|safety|guard"
    r"|links?\b"
)
_STRANGERS = (
    r"ticket|review|comment|\bmails?\b|e-?mail|\bweb\b|crawl|forum|internet|upload|user|customer|public|post(s|ing)?\b|chat"
    r"|wiki|attachment|feedback|partner|supplier|seller|third part"
)


@rule(
    "SEC012",
    "warning",
    title="Indexed texts of strangers that nothing checks",
    prevents="an instruction in a ticket or a web page that the model follows for every user who finds it",
    incident=OWASP.format("LLM01 and LLM08, indirect prompt injection by way of retrieved texts"),
    wrong_when="Acceptable if only few people write what is indexed, and each text is approved; write that as the "
    "'check' of the flow.",
    needs=_guarded,
)
def index_filled_unchecked(design: Design, around: _Guarded) -> Iterator[Fault]:
    """What is found in an index is read by the model like the words of its owner, whoever has written it."""
    del design
    planes = around.planes
    parts = {one.id: one for one in planes.components}
    asked = {flow.end for flow in around.flows}
    indexes = {one.id for one in planes.components if one.kind == "vector index" and one.id in asked}
    if not indexes or not any(before for _, before, _ in around.guards):
        return  # SEC004 says that nothing checks what the model reads
    moving = [
        flow
        for flow in planes.flows
        if flow.carries in {"batch", "events", "features", "labels", "predictions"}
        and not mentions(_OF_CONTENT, flow.check)
        and parts[flow.start].kind not in _GUARDS
    ]
    open_ways = reached(indexes, steps_back(moving))
    if any(
        mentions(r"document|passage|retriev|context|found", *around.words(one)) for one, _, _ in around.guards
    ):
        return
    sources = [
        name
        for name in open_ways
        if parts[name].kind in {"raw source", "people", "external service", "event stream"}
        and (
            mentions(_PUBLIC, parts[name].trust_zone)
            or mentions(_STRANGERS, name, parts[name].title, parts[name].does)
        )
    ]
    if sources:
        first = next(flow for flow in moving if flow.start == min(sources))
        place = next(place for place, flow in flow_places(planes) if flow is first)
        yield Fault(
            f"{place}.check",
            f"What is written in {listed(sorted(sources))} gets into {listed(sorted(indexes))} and from there to "
            f"{listed(sorted(around.models))}, and nothing on the way checks it.",
            "State in 'check' what is removed before it is indexed (instructions, hidden text, personal data), and let "
            "the guardrail check what is found too.",
        )


@rule(
    "SEC013",
    "warning",
    title="Model or data from outside unchecked",
    prevents="weights that run somebody else's code, or a file that was changed on the way",
    incident="MITRE ATLAS AML.T0010, machine learning supply chain compromise.",
    wrong_when="Wrong if the signature is checked by the registry behind; write that as the 'check' of the flow.",
    needs=sketched,
)
def model_from_outside(_: Design, planes: Planes) -> Iterator[Fault]:
    """A model file can hold code, and whoever can replace it decides what the system does."""
    parts = {one.id: one for one in planes.components}
    for place, flow in flow_places(planes):
        one = parts[flow.start]
        outside = one.kind == "external service" or mentions(rf"{_PUBLIC}|vendor", one.trust_zone)
        if flow.carries == "model" and outside and not says_something(flow.check):
            yield Fault(
                f"{place}.check",
                f"{flow.end} takes a model from {flow.start}, outside our system, and nothing checks it.",
                "Fix its version by a digest, check the signature, load a format without code, and keep a copy of "
                "your own.",
            )


@rule(
    "SEC014",
    "warning",
    title="One secret for all who call",
    prevents="one stolen device, or one former colleague, that opens everything until all keys are replaced at once",
    wrong_when="Wrong if 'one' means one for each; write 'a key for each'.",
    needs=sketched,
)
def secret_shared(_: Design, planes: Planes) -> Iterator[Fault]:
    """A secret that many hold is known sooner or later, and cannot be taken from one of them."""
    for place, flow in flow_places(planes):
        shown = affirmed(flow.auth)
        if mentions(_SHARED, shown) and not mentions(_OF_ONE, shown):
            yield Fault(
                f"{place}.auth",
                f"{flow.start} → {flow.end} is opened by a secret that all share: {(flow.auth or '').rstrip('.')}.",
                "Give each device, user or service a credential of its own, which can be withdrawn alone.",
            )
            return
