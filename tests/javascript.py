"""Parse JavaScript without a page: with Node, on PATH or in the copy that Playwright brings."""

import re
import shutil
import subprocess
from pathlib import Path

import playwright

from mlsd_helpers import widgets

FOLDER = Path(widgets.__file__).parent
FILES = sorted(FOLDER.glob("*.js"))
_PLAYWRIGHTS = Path(playwright.__file__).parent / "driver"


def node():
    """Return where Node is; without one nothing can be parsed, and that is an error."""
    found = shutil.which("node") or shutil.which("node", path=_PLAYWRIGHTS)
    assert found, f"There is no Node, neither on PATH nor in {_PLAYWRIGHTS}: no JavaScript can be parsed."
    return found


def syntax_error(name, text):
    """Return what is wrong with the syntax of a module, with its name and the line, or nothing."""
    command = [node(), "--input-type=module", "--check", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    place, *lines = done.stderr.strip().splitlines()
    return "\n".join([f"{name}:{place.rpartition(':')[2]}", *lines[:4]])


def syntax_errors():
    """Return what is wrong with the syntax of each of our files."""
    return [found for path in FILES if (found := syntax_error(path.name, path.read_text(encoding="utf-8")))]


def in_our_files(complaint):
    """Return what a page says with places of a widget's module as lines of our files; a syntax error has none there."""
    if "SyntaxError" in complaint:
        return "\n".join([complaint, *syntax_errors()])
    shared = (FOLDER / "base.js").read_text(encoding="utf-8").count("\n") + 1

    def place(found):
        name, line = found[1], int(found[2])
        return f"base.js:{line}" if line <= shared else f"{name}:{line - shared}"

    return re.sub(r"mlsd/(\w+\.js):(\d+)", place, complaint)
