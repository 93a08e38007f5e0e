"""Lesson 02, planes: exercises on boxes and arrows, one a module, and the mistakes people make in them.

The numbers C12 to C21 in comments are those of docs/misconceptions.md.
"""

ORDER = ("place", "blast", "lint", "repair", "availability", "canary", "gate")
