"""Tries each promise of SECURITY.md in one sandbox, as whoever runs this, and prints what could be done.

python promises.py SANDBOX
"""

import json
import os
import resource
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mlsd_helpers
from mlsd_helpers.grading.sandbox import ForkServer, Limits, confinement
from tests.grading.sandbox import attacks

LIMITS = Limits(cell_s=60, cells_s=300, memory=2**30, processes=30, files=16 * 2**20, output=200_000)
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/tty")
SOURCE = Path(attacks.__file__).read_text(encoding="utf-8")


ENDS = "Nothing that a sandbox started outlives the worker, however that ends."
"""The promise that is tried on a worker of its own."""


def promised() -> dict[str, tuple[str, ...]]:
    """Return each promise, and the sandboxes that give it."""
    return {says: sandboxes for says, sandboxes, _ in attacks.PROMISED.values()} | {ENDS: attacks.BOTH}


def main(name: str) -> dict[str, list[str]]:
    """Return what could be done against each promise, or why this sandbox cannot be had here, as "refused"."""
    refusal = {"bubblewrap": confinement._no_bubblewrap, "landlock": confinement._no_landlock}[name]()
    if refusal:
        return {"refused": [refusal]}
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="mlsd-promises-") as root:
        return {**tried(name, Path(root)), ENDS: outlived(name)}


def outlived(name: str) -> list[str]:
    """Kill a worker whose sandbox has started what would sleep for hours, and return whether that still does."""
    hours = f"43{secrets.randbelow(10**8):08}"
    with subprocess.Popen(
        [sys.executable, __file__, name, hours], stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        said = worker.stdout.readline()
        before = hours in commands()
        worker.kill()
    for _ in range(100):
        if hours not in commands():
            return [] if before else [f"nothing was started: {said}"]
        time.sleep(0.1)
    return ["a sleeper"]


def commands() -> str:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.replace(
        __file__, ""
    )


def work(name: str, hours: str) -> None:
    """Be the worker that is killed."""
    source = f"""
import os, subprocess
subprocess.Popen(["sleep", "{hours}"], start_new_session=True)
if not os.fork():
    os.setsid()
    os.execvp("sleep", ["sleep", "{hours}"])
"""
    with (
        tempfile.TemporaryDirectory() as folder,
        ForkServer(name, limits=LIMITS) as server,
        server.session(Path(folder)) as session,
    ):
        session.run(source)
        print("ready", flush=True)
        session.run("import time; time.sleep(50)")


def tried(name: str, root: Path) -> dict[str, list[str]]:
    course, submission = root / "course", root / "submission"
    bait = [course / "gradebook.db", course / "source/05/05.ipynb", course / "submitted/ada/05/05.ipynb"]
    for path in bait:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("swordfish")
    submission.mkdir()
    package = Path(mlsd_helpers.__file__).parent
    marked = [*bait, course, package, package / "units.py", *map(Path, DEVICES)]
    swordfish = secrets.token_hex(8)
    os.environ["A_SECRET"] = swordfish
    kept_open = os.open(bait[0], os.O_RDONLY)
    os.set_inheritable(kept_open, True)
    victim = subprocess.Popen(["sleep", "600"])
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as path,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract,
    ):
        udp.bind(("127.0.0.1", 0))
        path.bind(str(root / "socket"))
        abstract.bind(f"\0{swordfish}")
        given = {
            "secrets": [*map(str, bait), f"/proc/{os.getpid()}/environ"],
            "folders": [str(course), str(course / "submitted")],
            "python": [f"{one}/" for one in (package, sys.prefix, sys.base_prefix)],
            "answers": [str(one) for one in package.glob("exercises/**/*.py")][:9],
            "devices": DEVICES,
            "readable": str(package / "units.py"),
            "victim": victim.pid,
            "worker": os.getpid(),
            "tcp": tcp.getsockname(),
            "udp": udp.getsockname(),
            "path": str(root / "socket"),
            "abstract": swordfish,
            "key": 4711,
            "swordfish": swordfish,
        }
        before, limits, ipc = marks(marked), state(victim.pid), system_v()
        found = {}
        with ForkServer(name, limits=LIMITS, hidden=[course]) as server:
            for attack, (says, sandboxes, _) in attacks.PROMISED.items():
                for _ in range(1 + (attack == "passes_nothing_on")) if name in sandboxes else ():
                    with server.session(submission) as session:
                        session.run(f"import json\n{SOURCE}")
                        call = f"PROMISED[{attack!r}][2](json.loads({json.dumps(given)!r}))"
                        found[says] = worked(session.run(f"print('WORKED', json.dumps({call}))"))
        by_name = {attack: found.get(says, []) for attack, (says, *_) in attacks.PROMISED.items()}
        by_name["changes_no_mark"] += [
            f"{one[0]} is now {one[1]}" for one in sorted(set(marks(marked)) - set(before))
        ]
        by_name["leaves_processes_alone"] += [] if state(victim.pid) == limits else ["the victim has changed"]
        by_name["uses_no_odd_call"] += sorted(set(system_v()) - set(ipc))
        udp.setblocking(False)
        for one in (udp, path, abstract):
            one.setblocking(False)
            try:
                by_name["reaches_nobody"].append(f"received {one.recv(100)!r}")
            except BlockingIOError:
                continue
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    return found


def worked(outputs: list[dict]) -> list[str]:
    text = "".join(one.get("text") or one.get("evalue") or "" for one in outputs)
    return json.loads(text.partition("WORKED ")[2] or json.dumps([f"no end: {text[:500]}"]))


def marks(paths: list[Path]) -> list[tuple[str, tuple[object, ...]]]:
    found: list[tuple[str, tuple[object, ...]]] = []
    for path in paths:
        there = path.stat()
        attributes = tuple(os.listxattr(path)) if path.is_file() else ()
        flags = subprocess.run(["lsattr", "-d", path], capture_output=True, text=True, check=False).stdout[
            :20
        ]
        time = there.st_mtime_ns if path.is_file() else 0
        found.append((str(path), (oct(there.st_mode), there.st_uid, there.st_gid, time, attributes, flags)))
    return found


def state(pid: int) -> tuple[object, ...]:
    limits = tuple(resource.prlimit(pid, kind) for kind in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE))
    return limits, os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), os.sched_getscheduler(pid)


def system_v() -> list[str]:
    """Return the shared memory, queues and semaphores of the machine."""
    return [
        f"{kind}: {line.split()[0]}"
        for kind in ("shm", "msg", "sem")
        for line in Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
        if line.split()[0] == "4711"
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        work(*sys.argv[1:])
    else:
        print(json.dumps(main(sys.argv[1])))
