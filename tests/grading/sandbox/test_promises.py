"""Each promise of SECURITY.md, in each sandbox, as root and as an ordinary user."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.grading.sandbox import attacks, promises

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[3]
WHO = ("root", "an ordinary user")
NOBODY = "65534"
# Python may lie where only root may go: show it to all, in a mount namespace of its own.
SHOW = """
stash=$(mktemp -d); shut=$1; shift
while [ "$1" != -- ]; do mkdir -p "$stash$1"; mount --rbind "$1" "$stash$1"; there="$there $1"; shift; done; shift
mount -t tmpfs -o mode=755 tmpfs "$shut"
for one in $there; do mkdir -p "$one"; mount --move "$stash$one" "$one"; done
exec "$@"
"""


def shut_to_others(path):
    """Return the outermost folder on the way to a path that only its owner may enter."""
    ways = [*reversed(path.resolve().parents), path.resolve()]
    return next((one for one in ways if not one.stat().st_mode & 0o001), None)


def as_an_ordinary_user(command):
    """Return a command that runs another one as a user without rights; this is run by root."""
    dropped = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", *command]
    needed = {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), ROOT.resolve()}
    needed = {one for one in needed if not needed & set(one.parents)}
    shut = {shut_to_others(one) for one in needed} - {None}
    if not shut:
        return dropped
    if len(shut) > 1:
        pytest.skip(f"NOT TRIED as an ordinary user: only root may enter {shut}")
    (outer,) = shut
    inside = [str(one) for one in needed if one.is_relative_to(outer)]
    return ["unshare", "--mount", "sh", "-ec", SHOW, "sh", str(outer), *inside, "--", *dropped]


@pytest.fixture(scope="session", params=[(name, who) for name in attacks.BOTH for who in WHO], ids=": ".join)
def done(request):
    """Return the sandbox, and what could be done against each of its promises."""
    name, who = request.param
    command = [sys.executable, promises.__file__, name]
    root = os.getuid() == 0
    if who == "root" and not root:
        pytest.skip(f"NOT TRIED as root, no promise of {name}: whoever runs the tests is not")
    if who != "root" and root:
        command = as_an_ordinary_user(command)
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    environ |= {"PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environ, cwd=ROOT, timeout=600
    )
    if "unshare: " in ran.stderr:
        pytest.skip(f"NOT TRIED as an ordinary user, no promise of {name}: {ran.stderr}")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    if "refused" in found:
        if name == "bubblewrap" and os.environ.get("CI") == "true":
            pytest.fail(f"{name} as {who}: {found['refused']}. CI has to try its promises")
        pytest.skip(f"NOT TRIED as {who}, no promise of {name}: {found['refused']}")
    return name, found


@pytest.mark.parametrize("says", promises.promised())
def test_a_promise_is_kept(done, says):
    name, found = done
    if name in promises.promised()[says]:
        assert found[says] == []
    else:
        assert says not in found


def test_what_is_promised_is_tried():
    rows = re.findall(
        r"^\| (.*?) \| (yes|no) \| (yes|no) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE
    )
    promised = {
        says: tuple(n for n, it in zip(attacks.BOTH, given, strict=True) if it == "yes")
        for says, *given in rows
    }
    assert promised == promises.promised()
