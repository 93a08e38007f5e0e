"""Lesson 00, start here: short exercises on habits, one a module, and the mistakes that people make in them."""

ORDER = ("incidents", "inequality", "fallback", "response", "kill")
