"""Known mistakes with workloads."""

from functools import partial

from mlsd_helpers import cases
from mlsd_helpers.design import Design
from tests.review.mutations.fuller import setting
from tests.review.mutations.mutation import breaks

SEVERAL = "several workloads"
STARTS = {SEVERAL: partial(cases.load, "netflix_recommendations")}


@breaks("WORK001", SEVERAL)
def runs_that_begin_nowhere(design: Design) -> Design:
    return setting(design, "requirements.workloads.stored_rows", entry=())


@breaks("WORK002", SEVERAL)
def page_that_enters_behind_the_gateway(design: Design) -> Design:
    return setting(design, "requirements.workloads.home_page", entry="scorer")


@breaks("WORK003", SEVERAL)
def two_pages_by_one_door(design: Design) -> Design:
    page = design.at("requirements.workloads.home_page")
    few = page.throughput.changed(peak="1 rps", mean="0.5 rps")
    other = page.changed(id="kids_page", throughput=few)
    asked = setting(design, "pattern.paths.order_page", workload=("home_page", "kids_page"))
    return setting(asked, "requirements", workloads=(*design.requirements.workloads, other))
