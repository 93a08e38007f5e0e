"""Lesson 02, planes: exercises on boxes and arrows, one a module, and the mistakes"""

ORDER = ("place", "blast", "lint", "gate", "repair", "availability", "canary")
