"""Lesson 05, capacity: exercises on sizing, one a module, and the mistakes that"""

ORDER = ("faded_sizing", "units_rounding", "erlang_p99", "headroom", "backlog", "audit", "plan")
