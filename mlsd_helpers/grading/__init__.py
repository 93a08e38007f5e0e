"""Class-scale grading on nbgrader: student versions made, hand-ins graded, feedback that keeps its secrets.

Here goes what only an instructor runs. It builds on nbgrader's own converters, preprocessors and gradebook,
and is named in `nbgrader_config.py`, so that nbgrader's commands and `mlsd` do the same thing.
"""
