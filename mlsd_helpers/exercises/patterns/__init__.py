"""Lesson 04, patterns: exercises on when an answer is computed, one a module, and the mistakes made there.

The numbers C34 to C44 in comments are those of docs/misconceptions.md.
"""

ORDER = ("choose", "crossover", "cache_trace", "cache_key", "lag", "critique", "design")
