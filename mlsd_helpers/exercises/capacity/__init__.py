"""Lesson 05, capacity: exercises on sizing, one a module, and the mistakes that people make in them.

The numbers C45 to C61 in comments are those of docs/misconceptions.md.
"""

ORDER = ("faded_sizing", "units_rounding", "erlang_p99", "headroom", "backlog", "audit", "plan")
