"""Lesson 04, patterns: exercises on when an answer is computed, one a module, and the mistakes made there."""

ORDER = ("choose", "crossover", "cache_trace", "cache_key", "lag", "critique", "design")
