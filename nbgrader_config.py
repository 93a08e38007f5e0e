"""How nbgrader treats this course. nbgrader reads this file from the folder in which it is started."""

from mlsd_helpers.grading.pages import TEMPLATES

c = get_config()  # noqa: F821 - nbgrader defines it

# ---- your term: docs/instructors.md. `mlsd release` checks it, and enters the due dates into the gradebook.

c.CourseDirectory.course_id = "mlsd"
c.Term.timezone = "UTC"  # of the due dates, such as "Europe/Berlin"
c.Term.due = {}  # by assignment: "2027-03-12 18:00", or a date alone for the end of that day
c.Term.points = {}  # by assignment or exercise: what it counts in `mlsd marks`, unless as its notebook says
c.Term.leave_out = []  # exercises that the student version does not have, such as "05-backlog"
c.Term.late_per_day = 0.0  # the share of a score that each day begun after the due date costs
c.Term.decimals = 2  # of a mark in `mlsd marks`

# ---- the course

# nbgrader copies whatever else lies in source/ to the student, and the text twins hold the solutions.
c.CourseDirectory.ignore.append("*.py")

c.ClearSolutions.code_stub = {
    "python": '# Your code here.\nraise NotImplementedError("Write this step, then run the check below.")'
}
c.GenerateAssignment.preprocessors.prepend(
    ["mlsd_helpers.grading.student_version.LeaveOut", "mlsd_helpers.grading.student_version.AddCells"]
)
c.GenerateAssignment.preprocessors.extend(
    ["mlsd_helpers.grading.release.NameCells", "mlsd_helpers.grading.term.SetDueDate"]
)
c.AssignLatePenalties.plugin_class = "mlsd_helpers.grading.term.Term"

c.Execute.timeout = 60  # seconds a cell
c.Execute.kernel_name = "python3"

# Autograded notebooks hold the hidden tests again; a feedback page must not.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "mlsd_helpers.grading.explaining.ExplainScore",
    "mlsd_helpers.grading.feedback.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# What a student wrote is sanitised when it is graded, and once more when nbgrader shows it: the formgrader's page is in
# JupyterLab's origin, logged in. nbgrader's pages load nothing from elsewhere, and run nothing but nbgrader's scripts.
c.Autograde.autograde_preprocessors.append("mlsd_helpers.grading.sanitising.Sanitise")
c.HTMLExporter.preprocessors = ["mlsd_helpers.grading.sanitising.Sanitise"]
c.HTMLExporter.filters = {"highlight_code": "mlsd_helpers.grading.sanitising.highlighted"}
c.HTMLExporter.extra_template_basedirs = list(TEMPLATES)

# `mlsd collect` and `nbgrader zip_collect` read a student from the file names of Canvas and Moodle. Names of
# another LMS are described so: c.FileNameCollectorPlugin.named_regexp = r"(.*/)?(?P<student_id>\w+)-(?P<file_id>.+)"
c.ZipCollectApp.collector_plugin = "mlsd_helpers.grading.downloads.LmsNames"
