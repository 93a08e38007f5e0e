"""Where a lesson treats what an exercise is about, and what a known mistake gets wrong.

`mlsd report` links to these sections. A mistake that is treated elsewhere than its exercise stands by its own name.
"""

from collections.abc import Mapping
from types import MappingProxyType

SECTIONS: Mapping[str, str] = MappingProxyType({
    "00-incidents": "5 Check, hint, hand in",
    "00-inequality": "01_requirements/3 From a sentence to an inequality",
    "00-fallback": "02_planes/3 What dies with what",
    "00-response": "3 Where could it have been caught?",
    "00-kill": "",
    "01-briefs": "2 Four axes, and what hides behind them",
    "01-peak": "5 The peak",
    "01-percentile": "4 The tail",
    "01-contradictions": "7 Write it down",
    "01-contradictions/added_the_percentiles": "4 The tail",
    "01-fan-out": "4 The tail",
    "01-decide": "7 Write it down",
    "01-repair": "7 Write it down",
    "01-repair/kept_the_median": "4 The tail",
    "01-repair/promised_p90": "4 The tail",
    "01-repair/sized_for_the_mean": "5 The peak",
    "01-repair/peak_out_of_the_air": "5 The peak",
    "02-place": "2 Five planes",
    "02-blast": "3 What dies with what",
    "02-lint": "2 Five planes",
    "02-gate": "6 Lab: the file that doubled",
    "02-repair": "7 Write it down",
    "02-availability": "4 Availability, and what it hides",
    "02-canary": "5 Out and back: canary and rollback",
    "03-trace": "1 Two clocks",
    "03-ages": "3 Chains",
    "03-gaps": "2 Which schedule keeps an age limit?",
    "03-gaps/last_hop_alone": "3 Chains",
    "03-gaps/added_the_branches": "3 Chains",
    "03-repair": "2 Which schedule keeps an age limit?",
    "03-join": "4 Training: join on when it became readable",
    "03-parity": "5 The same feature on both paths",
    "03-labels": "No publication times, and labels that come late",
    "03-design": "8 Write it down",
    "03-design/period_set_to_the_sla": "2 Which schedule keeps an age limit?",
    "03-design/joined_on_event_time": "4 Training: join on when it became readable",
    "04-choose": "2 Feasible first",
    "04-choose/cheapest_at_any_age": "3 Then cost",
    "04-choose/always_cost": "3 Then cost",
    "04-crossover": "4 Where does the choice flip?",
    "04-cache-trace": "6 Caches",
    "04-cache-key": "6 Caches",
    "04-lag": "7 Streams are late",
    "04-critique": '5 "A fails above 1,000 requests a second"',
    "04-design": "9 Write it down",
    "05-faded-sizing": "1 The rule",
    "05-units-rounding": "1 The rule",
    "05-erlang-p99": "3 A number for the wait: Erlang C",
    "05-headroom": "4 Which failure does the headroom pay for?",
    "05-backlog": "5 Autoscaling is late",
    "05-audit": "A model that writes: memory comes first",
    "05-plan": "4 Which failure does the headroom pay for?",
    "05-plan/cost_at_the_peak": "6 What it costs",
    "05-plan/cost_of_one_replica": "6 What it costs",
})  # fmt: skip
"""The heading of a section, by exercise, or by exercise and mistake; "" where the exercise alone treats it.

It is in the lesson with the name of the assignment, or in the one before the slash.
"""


def section_of(assignment: str, exercise: str, mistake: str = "") -> tuple[str, str]:
    """Return the lesson and the heading that treat a mistake of an exercise; an empty heading where there is none."""
    lesson, _, heading = SECTIONS.get(f"{exercise}/{mistake}", SECTIONS.get(exercise, "")).rpartition("/")
    return lesson or assignment, heading
