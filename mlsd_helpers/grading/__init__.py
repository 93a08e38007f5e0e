"""Grading of whole classes on nbgrader: student versions, grading, and feedback without hidden tests.

    release, term         student versions from source/, and a term's names, dates and points
    downloads, archives   downloads from an LMS, sorted into submitted/
    classroom, workers    a class: worker processes, progress, a summary
      grade               one submission from start to end
        restore             a student's answers in a fresh student version
        judging           runs its cells in a sandbox, and judges its answers outside
          sandbox/           the sandbox
        flags             what an instructor should look at
          inspection      static inspection of code, as reading_code reads it
        converting        runs nbgrader's converters in a temporary directory
          sanitising      removes what is not safe to show from cells and outputs
          bookkeeping     one connection to nbgrader's gradebook
    records               what grading found in each submission
      analysis, report    the class report; anonymity removes names from it
    marks, spreadsheets   the gradebook as CSV
    feedback              takes hidden tests out of feedback pages
    pages, formgrader     nbgrader's pages and its formgrader, with a content security policy
    synthetic, standalone a synthetic class, made of known mistakes
    end_to_end            release to feedback once, for `mlsd demo` and the tests

This package is what only an instructor runs. It uses nbgrader's converters, preprocessors and gradebook, and
`nbgrader_config.py` names its parts, so that nbgrader's commands and `mlsd` do the same.
"""
