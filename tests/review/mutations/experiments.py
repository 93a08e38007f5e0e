"""Known mistakes in experiments, decisions, risks, open questions and accepted findings."""

from mlsd_helpers.design import Acceptance, Component, Design, Flow
from tests.review.mutations.fuller import adding, setting
from tests.review.mutations.mutation import breaks

FULL = "in full"


@breaks("EXP001", FULL)
def no_guardrails(design: Design) -> Design:
    return setting(design, "experiments.limit", guardrails="none")


@breaks("EXP002", FULL)
def too_few_users(design: Design) -> Design:
    return setting(design, "experiments.limit", units_per_day=1_000)


@breaks("EXP003", FULL)
def looked_at_each_day(design: Design) -> Design:
    return setting(design, "experiments.limit", looks=14)


@breaks("EXP004", FULL)
def users_who_share_couriers(design: Design) -> Design:
    return setting(
        design, "experiments.limit", interference="Users of both arms share the couriers of their city"
    )


@breaks("EXP005", FULL)
def over_on_thursday(design: Design) -> Design:
    return setting(design, "experiments.limit", duration="3 d")


@breaks("EXP006", FULL)
def accurate_to_three_nines(design: Design) -> Design:
    design = setting(
        design, "planes.release", validation="Accuracy no worse than the model in use, in each age group"
    )
    return setting(design, "planes.release.gates.recall", metric="AUC")


@breaks("EXP007")
def platform_without_an_experiment(design: Design) -> Design:
    platform = Component(id="experiments_on_users", kind="experiment platform", owner="Payments")
    design = adding(design, "planes.components", platform)
    flow = Flow(
        start="experiments_on_users", end="gateway", carries="configuration", check="Shares add up to 100%"
    )
    return adding(design, "planes.flows", flow)


@breaks("EXP006", FULL)
def recall_only_in_words(design: Design) -> Design:
    design = setting(design, "planes.release", validation="Recall is looked at, in each age group")
    return setting(design, "planes.release.gates.recall", metric="AUC")


@breaks("EXP006", FULL)
def passed_by_always_saying_no(design: Design) -> Design:
    design = setting(design, "requirements.prediction", base_rate="15%")
    return setting(design, "planes.release.gates.recall", metric="accuracy", at_least="80%")


@breaks("EXP002", FULL)
def a_mean_that_varies(design: Design) -> Design:
    return setting(design, "experiments.limit", metric="Minutes per user", baseline=None, variation=30)


@breaks("EXP002", FULL)
def half_of_the_outcomes_still_open(design: Design) -> Design:
    return setting(design, "experiments.limit", units_per_day=10_000, outcome_after="12 d")


@breaks("EXP002", FULL)
def clusters_taken_for_units(design: Design) -> Design:
    fields = {"units_per_day": None, "units": 150_000, "cluster_size": 40, "correlation": "20%"}
    return setting(design, "experiments.limit", **fields)


@breaks("EXP003", FULL)
def stopped_when_it_wins(design: Design) -> Design:
    return setting(design, "experiments.limit", question="Stop as soon as the result is significant")


@breaks("EXP008", FULL)
def premium_by_a_score(design: Design) -> Design:
    return setting(design, "requirements.prediction", used_as="number")


@breaks("EXP009", FULL)
def users_who_bid_for_the_same(design: Design) -> Design:
    return design.with_part(summary="Ranks the offers of a marketplace of used cars")


@breaks("EXP010", FULL)
def over_before_it_is_known(design: Design) -> Design:
    return setting(design, "experiments.limit", outcome_after="30 d")


@breaks("EXP011", FULL)
def learns_clicks_for_orders(design: Design) -> Design:
    design = setting(
        design, "requirements.labels", source="Clicks in the app", definition="A click within a minute"
    )
    return setting(design, "experiments.limit", metric="orders per user")


@breaks("EXP012", FULL)
def twenty_positives(design: Design) -> Design:
    return setting(design, "planes.release.gates.recall", positives=20)


@breaks("EXP013", FULL)
def a_random_tenth(design: Design) -> Design:
    return setting(design, "planes.release.gates.recall", on="A random 10% of all payments")


@breaks("DEC001", FULL)
def decided_for_good(design: Design) -> Design:
    return setting(design, "decisions.rules_first", because="tbd", flips_when="tbd")


@breaks("DEC002", FULL)
def asked_long_ago(design: Design) -> Design:
    return setting(design, "questions.scheme", until="2001-01-01")


@breaks("DEC002", FULL)
def asked_of_nobody(design: Design) -> Design:
    return setting(design, "questions.scheme", owner=None)


@breaks("DEC003", FULL)
def risk_on_a_list(design: Design) -> Design:
    return setting(design, "risks.drift", answer="tbd")


def _accepting(design: Design, **fields: str) -> Design:
    given = {
        "rule": "PLANE004",
        "where": "drift",
        "because": "The team is being founded",
        "by": "Head of data",
    }
    ownerless = setting(design, "planes.components.drift", owner=None)
    return ownerless.with_part(accepted=[Acceptance(**(given | fields))])


@breaks("DEC005")
def accepts_a_rule_that_is_none(design: Design) -> Design:
    accepted = Acceptance(rule="PLANE999", because="It is always wrong here", by="Head of data")
    return design.with_part(accepted=[accepted])


@breaks("DEC006")
def accepts_what_is_mended(design: Design) -> Design:
    return setting(_accepting(design), "planes.components.drift", owner="Model team")


@breaks("DEC008")
def accepts_what_has_changed(design: Design) -> Design:
    """Keep an acceptance with old figures beside one for any."""
    design = _accepting(design)
    (given,) = design.accepted
    return design.with_part(accepted=[given.changed(found="40 of 50 components have no owner."), given])


@breaks("DEC007")
def accepts_for_no_reason(design: Design) -> Design:
    return _accepting(design, because="x")


@breaks("DEC004")
def accepted_for_a_time_that_is_over(design: Design) -> Design:
    return setting(_accepting(design, until="2001-01-01"), "planes.components.drift", owner="Model team")


@breaks("EXP012", FULL)
def difference_of_less_than_a_case(design: Design) -> Design:
    gate = {"positives": 40, "at_least": None, "baseline": "The model in use", "worse_by_at_most": "1%"}
    return setting(design, "planes.release.gates.recall", **gate)
