"""Can this Python make the course's environment? Runs before anything is installed, on old Pythons too."""

import sys

FIRST, END = (3, 11), (3, 14)
version = "Python " + sys.version.split()[0] + " (" + sys.executable + ")"

if not FIRST <= sys.version_info[:2] < END:
    sys.exit(
        version + " cannot run the course, which needs 3.11, 3.12 or 3.13. "
        "Install one of them and name it, as in: make lab PYTHON=python3.12"
    )

try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit(
        version + " comes without venv, which the course needs. "
        "On Debian and Ubuntu: sudo apt install python3-venv"
    )
