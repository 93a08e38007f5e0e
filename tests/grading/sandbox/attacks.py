"""What a hostile submission tries against each promise of SECURITY.md. This file runs in a sandbox, as one cell.

The docstring of each function is the promise, word for word. It returns what it could do.
"""

# Promises are no commands, and attacks have bad manners.
# ruff: noqa: D401, PTH101, PTH208, PTH211, S103, S108, S606

import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

BOTH, BUBBLEWRAP = ("bubblewrap", "landlock"), ("bubblewrap",)
LIBC = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() == "aarch64"
PROMISED = {}


def promised(sandboxes):
    def keep(attack):
        PROMISED[attack.__name__] = (" ".join(attack.__doc__.split()), sandboxes, attack)
        return attack

    return keep


class Tries:
    """Notes what worked."""

    def __init__(self):
        self.worked = []

    def __call__(self, what, attack, *args):
        with suppress(OSError, ValueError, LookupError):
            self.worked.append(f"{what}: {attack(*args)!r}"[:200])

    def call(self, what, x86, arm, *args):
        """Make a system call by its number."""
        self(what, raw, arm if ARM else x86, *args)


def raw(number, *args):
    plain = [ctypes.c_long(one) if isinstance(one, int) else one for one in args]
    result = LIBC.syscall(ctypes.c_long(number), *plain)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def libc(name, *args):
    result = getattr(LIBC, name)(*args)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


@promised(BOTH)
def reads_no_file(given):
    """A sandbox reads no file but its own and those of Python and the system's programs."""
    tries = Tries()
    for path in (*given["secrets"], "/etc/passwd", "/etc/shadow", "/proc/1/environ", "/proc/self/mountinfo"):
        tries(path, lambda path=path: Path(path).read_bytes()[:20])
        tries(f"a link to {path}", lambda path=path: (os.symlink(path, "link"), Path("link").read_bytes()))
        tries(
            f"a second name of {path}", lambda path=path: (os.link(path, "name"), Path("name").read_bytes())
        )
        tries(f"an attribute of {path}", os.getxattr, path, "user.secret")
    for folder in (*given["folders"], "/proc", "/sys", "/home", "/root", "/var"):
        tries(f"names in {folder}", lambda folder=folder: strange(folder, given["python"])[0])
    return tries.worked


def strange(folder, python):
    """Return the names in a folder that do not lead to Python."""
    return [
        name for name in os.listdir(folder) if not any(one.startswith(f"{folder}/{name}/") for one in python)
    ]


@promised(BUBBLEWRAP)
def sees_no_name(given):
    """A sandbox cannot tell which other files there are on the disk."""
    return [path for path in given["secrets"] if os.path.lexists(path)]


@promised(BOTH)
def reads_no_answer(given):
    """A sandbox reads no reference answer, in whichever copy of the package."""
    tries = Tries()
    for path in given["answers"]:
        tries(path, lambda path=path: Path(path).read_bytes()[:20])
    del sys.modules["mlsd_helpers.exercises"]
    sys.meta_path[:] = [one for one in sys.meta_path if type(one).__name__ != "_Finder"]
    with suppress(ImportError, OSError):
        from mlsd_helpers.exercises import ALL

        tries.worked.append(f"imported {len(ALL)}")
    return tries.worked


@promised(BOTH)
def writes_no_file(given):
    """A sandbox writes and removes nothing outside of its own folder."""
    tries = Tries()
    for path in given["secrets"]:
        tries(f"wrote {path}", lambda path=path: Path(path).write_text("taken"))
        tries(f"cut {path}", os.truncate, path, 0)
        tries(f"removed {path}", os.unlink, path)
        tries(f"moved {path}", os.rename, path, path + ".moved")
    for folder in (
        *given["folders"],
        *given["python"],
        "/dev",
        "/dev/shm/..",
        "/usr",
        "/etc",
        "/var/tmp",
        "/",
    ):
        tries(f"a file in {folder}", lambda folder=folder: Path(folder, "left").write_text("taken"))
        tries(f"a folder in {folder}", os.mkdir, f"{folder}/left-folder")
    tries("a device", os.mknod, "device", 0o600 | 0o20000, os.makedev(1, 3))
    return tries.worked


@promised(BOTH)
def changes_no_mark(given):
    """A sandbox changes no mode, owner, time or attribute of a file that is not its own; the devices have them too."""
    paths = (*given["secrets"], *given["folders"], *given["python"], *given["devices"])
    for path in paths:
        for attack in (
            lambda path=path: os.chmod(path, 0o777),
            lambda path=path: os.chown(path, os.getuid(), os.getgid()),
            lambda path=path: os.utime(path, (1, 1)),
            lambda path=path: os.setxattr(path, "user.left", b"x"),
            lambda path=path: change_by_handle(path),
        ):
            with suppress(OSError):
                attack()
    return []  # the runner looks, outside


def change_by_handle(path):
    """Change a file, and its flags, by a handle that can only read."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    flags = ctypes.c_long(0x40)  # FS_NODUMP_FL
    LIBC.ioctl(handle, ctypes.c_ulong(0x40086602), ctypes.byref(flags))
    LIBC.fcntl(handle, 1024, 1)  # F_SETLEASE
    os.fchmod(handle, 0o777)
    os.fchown(handle, os.getuid(), os.getgid())
    os.utime(handle, (1, 1))


@promised(BOTH)
def leaves_processes_alone(given):
    """A sandbox neither ends, slows, looks into nor limits a process that is not its own."""
    tries = Tries()
    for pid in {given["worker"], os.getppid(), 1} - {
        0,
        os.getpid(),
    }:  # nothing that would hurt, were it allowed
        tries(f"a signal to {pid}", os.kill, pid, 0)
        tries(f"the limits of {pid}", resource.prlimit, pid, resource.RLIMIT_CPU)
        tries(f"status of {pid}", lambda pid=pid: Path(f"/proc/{pid}/status").read_text()[:20])
    victim = given["victim"]
    tries("a limit", resource.prlimit, victim, resource.RLIMIT_CPU, (1, 1))
    tries("the priority", os.setpriority, os.PRIO_PROCESS, victim, 19)
    tries("the processor", os.sched_setaffinity, victim, {0})
    tries("the scheduler", os.sched_setscheduler, victim, os.SCHED_IDLE, os.sched_param(0))
    tries.call("the disk", 251, 30, 1, victim, 3 << 13)
    tries.call("memory", 310, 270, victim, None, 0, None, 0, 0)
    tries.call("comparing", 312, 272, victim, os.getpid(), 0, 0, 0)
    tries.call("a handle", 434, 434, victim, 0)
    tries.call("moving pages", 279, 239, victim, 0, None, None, None, 0)
    tries.call("tracing", 101, 117, 16, victim, 0, 0)
    tries("a signal", os.kill, victim, signal.SIGTERM)
    tries("all of a user", os.setpriority, os.PRIO_USER, 0, os.getpriority(os.PRIO_PROCESS, 0))
    return tries.worked


@promised(BOTH)
def reaches_nobody(given):
    """A sandbox reaches no server and no other machine; AF_UNIX, AF_INET and AF_INET6 are all the sockets there are."""
    tries = Tries()
    tries("TCP", lambda: socket.create_connection(tuple(given["tcp"]), 1).close())
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        with suppress(OSError), socket.socket(socket.AF_INET, kind) as any_socket:
            any_socket.sendto(b"a sandbox was here", tuple(given["udp"]))  # the runner listens
    for address in (given["path"], "\0" + given["abstract"]):
        for make in (lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), datagram_pair):
            tries(f"AF_UNIX {address!r}", lambda make=make, address=address: make().sendto(b"x", address))
    for family in range(3, 46):
        if family != socket.AF_INET6:
            tries(f"family {family}", lambda family=family: socket.socket(family, socket.SOCK_DGRAM).close())
            tries(
                f"a stream of {family}",
                lambda family=family: socket.socket(family, socket.SOCK_STREAM).close(),
            )
    tries("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close())
    tries("SCTP", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close())
    return tries.worked


def datagram_pair():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]


@promised(BOTH)
def gains_no_right(given):
    """A sandbox is not root, has no right to change the system, and gets none by a namespace or a program."""
    tries = Tries()
    tries("root", lambda: os.setuid(0) if os.getuid() else "it is root")
    tries("another user", os.setuid, os.getuid() + 1)
    tries("groups", os.setgroups, [0])
    for name, flag in (
        ("user", 0x10000000),
        ("mounts", 0x20000),
        ("network", 0x40000000),
        ("processes", 0x20000000),
    ):
        tries(f"unshare {name}", libc, "unshare", flag)
        tries.call(f"clone {name}", 56, 220, flag | signal.SIGCHLD, 0, 0, 0, 0)
    arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, signal.SIGCHLD)
    tries.call("clone3", 435, 435, ctypes.byref(arguments), 88)
    tries.call("a sibling", 56, 220, 0x8000 | signal.SIGCHLD, 0, 0, 0, 0)
    tries("mount", libc, "mount", b"x", b".", b"tmpfs", 0, None)
    tries("unmount", libc, "umount2", b"/proc", 2)
    tries("chroot", os.chroot, ".")
    tries("a host's name", libc, "sethostname", b"x", 1)
    tries("a clock", time.clock_settime, time.CLOCK_REALTIME, time.time())
    tries.call("opening a tree", 428, 428, -100, b".", 1)
    tries.call("a namespace", 308, 268, 0, 0)
    tries.call("a root", 155, 41, b".", b".")
    for command in (
        ["su", "-c", "true"],
        ["mount"],
        ["bwrap", "--dev-bind", "/", "/", "true"],
        ["unshare", "-r", "true"],
    ):
        with suppress(OSError):
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False
            )
            if done.returncode == 0:
                tries.worked.append(f"{command}: {done.stdout[:100]!r}")
    return tries.worked


@promised(BOTH)
def uses_no_odd_call(given):
    """A sandbox makes no system call that no answer needs, by whichever set of numbers; a new one is refused too."""
    tries = Tries()
    for name, x86, arm, *arguments in (
        ("bpf", 321, 280, 0, None, 0),
        ("perf", 298, 241, None, 0, -1, -1, 0),
        ("io_uring", 425, 425, 1, ctypes.byref((ctypes.c_uint32 * 30)())),
        ("userfaultfd", 323, 282, 1),
        ("memfd", 319, 279, b"x", 0),
        ("secret memory", 447, 447, 0),
        ("a key", 248, 217, b"user", b"left", b"x", 1, -3),
        ("a keyring", 250, 219, 1, None),
        ("fanotify", 300, 262, 0, 0),
        ("inotify", 294, 26, 0),
        (
            "a file's handle",
            303,
            264,
            -100,
            b".",
            ctypes.create_string_buffer(200),
            ctypes.byref(ctypes.c_int()),
            0,
        ),
        ("by a file's handle", 304, 265, 0, ctypes.create_string_buffer(200), 0),
        ("personality", 135, 92, 8),
        ("seccomp", 317, 277, 2, 0, None),
        ("Landlock", 444, 444, None, 0, 1),
        ("quota", 179, 60, 0x80000100, None, 0, None),
        ("the kernel's log", 103, 116, 10, None, 0),
        ("shared memory", 29, 194, given["key"], 4096, 0o1666),
        ("a queue", 68, 186, given["key"], 0o1666),
        ("semaphores", 64, 190, given["key"], 1, 0o1666),
        ("a queue with a name", 240, 180, b"left", 0o102, 0o600, None),
        ("pages", 317 if ARM else 237, 235, None, 0, 0, None, 0, 0),
        ("a splice", 275, 76, 0, None, 1, None, 1, 0),
        ("what is new", 463, 463, -100, b".", 0, b"user.left", None, 0),
        ("what is not there yet", 599, 599),
    ):
        tries.call(name, x86, arm, *arguments)
    if not ARM:
        tries("a 32-bit call", old_call)
        tries("x32", raw, 0x40000000 + 39)
    for code in (0x5412, 0x541C, 0x40046602):  # typing into a terminal
        tries(f"ioctl {code:#x}", lambda code=code: libc("ioctl", 0, ctypes.c_ulong(code), b"x"))
    return tries.worked


def old_call():
    """Ask for the process's number by the way of 32-bit programs, in a process of its own: it may be a crash."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20; int 0x80; ret
        ask = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
        os.write(writing, str(ask()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    said = int(os.read(reading, 20) or b"-38")
    if said < 0:
        raise OSError(-said, "refused")
    return said


@promised(BOTH)
def has_limits(given):
    """The kernel limits a sandbox's processes, memory, open files and file sizes, also as root."""
    tries = Tries()
    for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        most = resource.getrlimit(kind)[1]
        if most == resource.RLIM_INFINITY:
            tries.worked.append(f"limit {kind} is not set")
        tries(f"raising {kind}", lambda kind=kind, most=most: resource.setrlimit(kind, (most + 1, most + 1)))
    tries("memory", lambda: len(mmap.mmap(-1, 2**35)))
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    resource.setrlimit(resource.RLIMIT_NPROC, (2, soft))  # a limit that holds is one that can be reached
    children = []
    try:
        for _ in range(4):
            children.append(os.fork())
            if not children[-1]:
                time.sleep(5)
                os._exit(0)
        tries.worked.append("the limit of processes does not hold")
    except OSError as error:
        if error.errno != errno.EAGAIN:
            raise
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, soft))
    return tries.worked


@promised(BUBBLEWRAP)
def fills_no_disk(given):
    """All that a sandbox writes together has a limit, and lies in memory that is freed with the sandbox."""
    written = 0
    with suppress(OSError):
        for number in range(40):
            Path(f"filling-{number}").write_bytes(bytes(2**20))
            written += 1
    for path in Path().glob("filling-*"):
        path.unlink()
    return [f"{written} MB"] if written > 30 else []


@promised(BOTH)
def knows_nothing_of_us(given):
    """A sandbox has none of the grader's environment variables, open files and terminal."""
    found = [name for name, value in os.environ.items() if given["swordfish"] in value]
    for number in range(256):
        with suppress(OSError):
            kind = os.fstat(number).st_mode
            if number > 3 and kind & 0o170000 in {0o140000, 0o100000}:  # a socket or a file
                found.append(f"an open file {number}")
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR))
        found.append("a terminal")
    return found


@promised(BOTH)
def passes_nothing_on(given):
    """Nothing passes from one sandbox to the next: no file, process, port, lock, queue or changed module."""
    found = left(given)  # of the sandbox before, when there was one
    for place in places():
        with suppress(OSError):
            Path(place, "left-behind").write_text("x")
    for number in range(9):
        with suppress(OSError), socket.create_server(("127.0.0.1", 40000 + number)) as server:
            one = socket.create_connection(server.getsockname())
            server.accept()[0].close()  # its port then waits for a minute
            one.close()
    sys.modules["math"].left = os.environ["LEFT"] = "x"
    if not os.fork():
        os.setsid()
        if not os.fork():
            lock(given)
            with suppress(OSError):
                socket.socket(socket.AF_UNIX).bind("\0left-behind")
            os.execvp("sleep", ["sleep", "4711"])
        os._exit(0)
    os.wait()
    time.sleep(0.2)
    return found


def places():
    import tempfile

    home = [os.environ[name] for name in ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR")]
    return ["/tmp", "/var/tmp", "/dev/shm", "/dev", "/run", "/", ".", "..", tempfile.gettempdir(), *home]


def lock(given):
    import fcntl

    handle = os.open(given["readable"], os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.set_inheritable(handle, True)


def left(given):
    found = [place for place in places() if Path(place, "left-behind").exists()]
    for number in range(9):
        try:
            with socket.socket() as one:  # without SO_REUSEADDR, which would take a port that waits
                one.bind(("127.0.0.1", 40000 + number))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                found.append(f"port {number}")
    found += [name for name, there in (("a module", hasattr(sys.modules["math"], "left")),) if there]
    found += ["the environment"] if "LEFT" in os.environ else []
    try:
        lock(given)
    except OSError as error:
        found.append(f"a lock: {error}")
    for pid in range(max(2, os.getpid() - 30), os.getpid()):
        with suppress(OSError):
            os.kill(pid, 0)
            found.append(f"process {pid}")
    return found
