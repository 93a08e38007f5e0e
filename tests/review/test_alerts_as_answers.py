"""Systems whose answer is an alert: how it gets to people, how many get it, and what is none of it."""

from tests.review.mutations.fuller import setting, without
from tests.review.test_entries_by_a_clock import design, found

__all__ = ["design"]


def test_alerts_with_a_second_way_are_sound(design):
    for code in ("PLANE072", "PLANE073", "SERV007"):
        assert found(design, code) == [], code


def test_alerts_by_one_provider_alone_are_found(design):
    alone = without(setting(design, "planes.flows.push", otherwise=None), "planes.components.sirens")
    assert found(alone, "PLANE072")
    assert not found(setting(alone, "planes.flows.push", fallback="Wardens are called by hand"), "PLANE072")


def test_a_way_that_delivers_less_than_promised_is_an_error(design):
    alone = without(setting(design, "planes.flows.push", otherwise=None), "planes.components.sirens")
    weak = setting(alone, "planes.components.phones", availability="97%")
    (one,) = found(weak, "PLANE073")
    assert "97%" in one
    assert not found(weak, "PLANE072")


def test_an_alert_about_the_system_itself_is_no_product(design):
    watching = setting(design, "planes.flows.push", start="metrics", otherwise=None)
    assert not found(watching, "PLANE072")


def test_cases_come_to_people_through_a_service_of_others(design):
    assert found(design, "SERV008") == []
    many = setting(design, "planes.flows.push", share="1%")
    assert any("wardens gets 2,880" in one for one in found(many, "SERV008"))


def test_a_quota_behind_a_limiter_is_compared_with_what_the_limiter_lets_through(design):
    assert found(design, "SERV025") == []
    assert found(setting(design, "planes.components.limiter", quota=None), "SERV025")


def test_nobody_waits_for_a_provider_that_a_job_beside_the_runs_calls(design):
    assert not any("archive" in one for one in found(design, "SERV003"))


def test_only_the_components_of_a_workload_are_compared_in_their_availability(design):
    assert not any("gateway" in one for one in found(design, "PLANE071"))


def test_a_late_run_is_heard_of_by_an_alert_on_its_parts(design):
    assert found(design, "PLANE049") == []
    elsewhere = setting(design, "planes.alerts.run_late", of="web")
    assert found(elsewhere, "PLANE049")
    quality = setting(design, "planes.alerts.run_late", watches="quality", metric="mean age of the gauges")
    assert not [one for one in found(quality, "PLANE049") if "page" in one]


def test_a_peak_that_is_an_estimate_says_so(design):
    assert found(design, "REQ007") == []


def test_a_record_that_is_written_later_meets_a_constraint(design):
    law = {
        "id": "records",
        "text": "Alerts are kept.",
        "source": "law",
        "met_by": ("log",),
        "kept_at_least": "10 years",
    }
    demanded = setting(design, "requirements", constraints=(law,))
    kept = setting(demanded, "planes.flows.record", fails="open", fallback="Kept on disk and sent later")
    assert found(kept, "DATA033") == []
    assert found(setting(demanded, "planes.flows.record", fails="open"), "DATA033")
