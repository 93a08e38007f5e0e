"""Lesson 03, data flow: exercises on the age of features, one a module, and the mistakes that people make."""

ORDER = ("trace", "ages", "gaps", "repair", "join", "parity", "labels", "design")
