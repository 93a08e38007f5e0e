"""What the project raises when input cannot be used.

    MlsdError
    ├── QuantityError     a quantity that cannot be read, or in the wrong unit
    ├── RangeError        a number outside the range where a formula means something
    ├── DesignError       a design file that cannot be read
    ├── ExerciseError     an exercise id that does not exist
    ├── MeasurementError          a part of the testbed that cannot start, or that ended
    ├── WorkspaceError    a folder, port or notebook that `mlsd` cannot use
    └── GradingError      grading that cannot start or cannot go on

Each message says what was given, what was expected and what to do next.
"""


class MlsdError(Exception):
    """Base of every error that this package raises on purpose."""


class QuantityError(MlsdError, ValueError):
    """A quantity that cannot be read, or that has the wrong unit."""


class RangeError(MlsdError, ValueError):
    """A number outside the range where the formula means something."""


class DesignError(MlsdError, ValueError):
    """A design file that cannot be read."""


class ExerciseError(MlsdError, KeyError):
    """An exercise id that does not exist."""

    def __str__(self) -> str:
        """Return the plain message; KeyError would show its repr."""
        return str(self.args[0])


class MeasurementError(MlsdError, RuntimeError):
    """A server, store, stream or measurement of the testbed that cannot start, or that ended."""


LabError = MeasurementError  # its name until 0.2; goes with 0.3


class WorkspaceError(MlsdError, OSError):
    """A folder, port or notebook that a command cannot use."""


class GradingError(MlsdError, RuntimeError):
    """Grading that cannot start, or cannot go on; what is graded so far stays graded."""
