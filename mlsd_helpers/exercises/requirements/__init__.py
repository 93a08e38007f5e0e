"""Lesson 01, requirements: exercises, one a module, and the mistakes that people make in them."""

ORDER = ("briefs", "peak", "percentile", "contradictions", "fan_out", "decide", "repair")
