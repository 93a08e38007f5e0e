"""Lesson 01, requirements: exercises, one a module, and the mistakes that people make in them."""

ORDER = ("briefs", "peak", "percentile", "fan_out", "contradictions", "decide", "repair")
