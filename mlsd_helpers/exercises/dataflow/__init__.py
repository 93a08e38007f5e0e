"""Lesson 03, data flow: exercises on the age of features, one a module, and the mistakes that people make.

The numbers C22 to C33 in comments are those of docs/misconceptions.md.
"""

ORDER = ("trace", "ages", "gaps", "repair", "join", "parity", "labels", "design")
