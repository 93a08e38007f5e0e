"""Class-scale grading on nbgrader: student versions made, submissions graded, feedback that keeps its secrets.

    release, term         student versions from source/, and a term's names, dates and points
    downloads, archives   what an LMS gives, sorted into submitted/
    classroom, workers    a class: processes side by side, progress, a summary
      grade               one submission from start to end, and its record
        restore             a student's answers in a fresh student version
        judging           its cells run in a sandbox, its answers judged outside
          sandbox/           the sandbox
        flags             what an instructor should look at
          sightings       ... in code, as reading_code reads it
        staging           nbgrader's converters, in a folder aside
          sanitising      what of a student's cells and outputs may be shown
          bookkeeping     its gradebook, kept open
    records               what was found out about each submission
      analysis, report    ... as a page about the class; anonymity takes the names out
    marks, spreadsheets   the gradebook as CSV
    feedback              takes hidden tests out of feedback pages
    pages, formgrader     nbgrader's pages with a policy, and its formgrader where a student's files run nowhere
    synthetic, standalone a class made of known mistakes
    end_to_end            release to feedback once, for `mlsd demo` and the tests

Here goes what only an instructor runs. It builds on nbgrader's own converters, preprocessors and gradebook,
and is named in `nbgrader_config.py`, so that nbgrader's commands and `mlsd` do the same thing.
"""
