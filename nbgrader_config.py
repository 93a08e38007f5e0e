"""How nbgrader treats this course. nbgrader reads this file from the folder in which it is started."""

c = get_config()  # noqa: F821 - nbgrader defines it

c.CourseDirectory.course_id = "mlsd"
# nbgrader copies whatever else lies in source/ to the student, and the text twins hold the solutions.
c.CourseDirectory.ignore.append("*.py")

c.ClearSolutions.code_stub = {
    "python": '# Your code here.\nraise NotImplementedError("Write this step, then run the check below.")'
}
c.GenerateAssignment.preprocessors.append("mlsd_helpers.grading.release.NameCells")

c.Execute.timeout = 60  # seconds a cell
c.Execute.kernel_name = "python3"

# Autograded notebooks hold the hidden tests again; a feedback page must not.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "mlsd_helpers.grading.feedback.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# `mlsd collect` and `nbgrader zip_collect` read a student from the file names of Canvas and Moodle. Names of
# another LMS are described so: c.FileNameCollectorPlugin.named_regexp = r"(.*/)?(?P<student_id>\w+)-(?P<file_id>.+)"
c.ZipCollectApp.collector_plugin = "mlsd_helpers.grading.downloads.LmsNames"
