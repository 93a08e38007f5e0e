"""The system calls that a sandbox can make. seccomp refuses every other one, so also those that a new kernel adds.

A refused call fails with EPERM, and one that is newer than the list with ENOSYS, as on an older kernel: the C library
then works without it.
"""

import ctypes
import errno
import platform
import re
import struct
import sys
from functools import cache
from typing import NamedTuple

from mlsd_helpers.grading.sandbox.namespaces import prctl

# Name, number on x86-64, number on 64-bit ARM.
_LISTED = """
files
    read 0 63; write 1 64; open 2 -; close 3 57; stat 4 -; fstat 5 80; lstat 6 -; lseek 8 62; pread64 17 67;
    pwrite64 18 68; readv 19 65; writev 20 66; preadv 295 69; pwritev 296 70; preadv2 327 286; pwritev2 328 287;
    access 21 -; faccessat 269 48; faccessat2 439 439; dup 32 23; dup2 33 -; dup3 292 24; sendfile 40 71;
    copy_file_range 326 285; sync_file_range 277 84; fsync 74 82; fdatasync 75 83; truncate 76 45; ftruncate 77 46;
    fallocate 285 47; getdents 78 -; getdents64 217 61; getcwd 79 17; chdir 80 49; fchdir 81 50; rename 82 -;
    renameat 264 38; renameat2 316 276; mkdir 83 -; mkdirat 258 34; rmdir 84 -; creat 85 -; link 86 -; linkat 265 37;
    unlink 87 -; unlinkat 263 35; symlink 88 -; symlinkat 266 36; readlink 89 -; readlinkat 267 78; umask 95 166;
    newfstatat 262 79; openat 257 56; openat2 437 437; statx 332 291; statfs 137 43; fstatfs 138 44;
    fadvise64 221 223; mknod 133 -; mknodat 259 33; close_range 436 436; fcntl 72 25; ioctl 16 29; flock 73 32;
    cachestat 451 451; pipe 22 -; pipe2 293 59; sync 162 81; syncfs 306 267
what is noted of files
    chmod 90 -; fchmod 91 52; fchmodat 268 53; fchmodat2 452 452; chown 92 -; fchown 93 55; lchown 94 -;
    fchownat 260 54; utime 132 -; utimes 235 -; futimesat 261 -; utimensat 280 88
    setxattr 188 5; lsetxattr 189 6; fsetxattr 190 7; getxattr 191 8; lgetxattr 192 9; fgetxattr 193 10;
    listxattr 194 11; llistxattr 195 12; flistxattr 196 13; removexattr 197 14; lremovexattr 198 15;
    fremovexattr 199 16
memory
    mmap 9 222; mprotect 10 226; munmap 11 215; brk 12 214; mremap 25 216; msync 26 227; madvise 28 233;
    mlock 149 228; munlock 150 229; mlock2 325 284; mlockall 151 230; munlockall 152 231; get_mempolicy 239 236;
    membarrier 324 283
waiting
    poll 7 -; ppoll 271 73; select 23 -; pselect6 270 72; epoll_create 213 -; epoll_create1 291 20; epoll_ctl 233 21;
    epoll_wait 232 -; epoll_pwait 281 22; epoll_pwait2 441 441; eventfd 284 -; eventfd2 290 19; signalfd 282 -;
    signalfd4 289 74; timerfd_create 283 85; timerfd_settime 286 86; timerfd_gettime 287 87; pause 34 -;
    nanosleep 35 101; clock_nanosleep 230 115; futex 202 98; futex_waitv 449 449; futex_wake 454 454;
    futex_wait 455 455; futex_requeue 456 456; set_robust_list 273 99; restart_syscall 219 128; rseq 334 293
signals
    rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigreturn 15 139; rt_sigpending 127 136; rt_sigtimedwait 128 137;
    rt_sigsuspend 130 133; rt_sigqueueinfo 129 138; rt_tgsigqueueinfo 297 240; sigaltstack 131 132; kill 62 129;
    tkill 200 130; tgkill 234 131
time
    gettimeofday 96 169; time 201 -; times 100 153; clock_gettime 228 113; clock_getres 229 114; getitimer 36 102;
    setitimer 38 103; alarm 37 -; timer_create 222 107; timer_settime 223 110; timer_gettime 224 108;
    timer_getoverrun 225 109; timer_delete 226 111
processes
    clone 56 220; clone3 435 435; fork 57 -; vfork 58 -; execve 59 221; execveat 322 281; exit 60 93;
    exit_group 231 94; wait4 61 260; waitid 247 95; getpid 39 172; getppid 110 173; gettid 186 178;
    set_tid_address 218 96; getpgid 121 155; setpgid 109 154; getpgrp 111 -; setsid 112 157; getsid 124 156;
    getuid 102 174; geteuid 107 175; getgid 104 176; getegid 108 177; getresuid 118 148; getresgid 120 150;
    getgroups 115 158; capget 125 90; getpriority 140 141; setpriority 141 140; sched_yield 24 124;
    sched_getaffinity 204 123; sched_setaffinity 203 122; sched_getparam 143 121; sched_getscheduler 145 120;
    sched_getattr 315 275; sched_get_priority_max 146 125; sched_get_priority_min 147 126;
    sched_rr_get_interval 148 127; getrlimit 97 163; setrlimit 160 164; prlimit64 302 261; getrusage 98 165;
    sysinfo 99 179; uname 63 160; getcpu 309 168; getrandom 318 278; prctl 157 167; arch_prctl 158 -
sockets
    socket 41 198; socketpair 53 199; connect 42 203; accept 43 202; accept4 288 242; bind 49 200; listen 50 201;
    shutdown 48 210; sendto 44 206; recvfrom 45 207; sendmsg 46 211; recvmsg 47 212; sendmmsg 307 269;
    recvmmsg 299 243; getsockname 51 204; getpeername 52 205; setsockopt 54 208; getsockopt 55 209
"""
_NEWEST = 462  # of the calls that were considered; x86-64's second set of the same calls lies far above
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _ArgumentCheck(NamedTuple):
    """Allow a call only if the low half of an argument, masked by `bits`, is in `values`; else fail with `error`."""

    argument: int
    values: tuple[int, ...]
    error: int = errno.EPERM
    bits: int = 0xFFFFFFFF


_SELF = (0,)
_CHECKED_ARGUMENTS = {
    # CLONE_PARENT, which hides a process from its family, and all flags that make a namespace
    "clone": (_ArgumentCheck(0, (0,), bits=0x7E028000),),
    "prlimit64": (_ArgumentCheck(0, _SELF),),
    "setpriority": (_ArgumentCheck(0, (0,)), _ArgumentCheck(1, _SELF)),  # PRIO_PROCESS
    # Names, the end with the parent, no more rights, huge pages, and how the C library names its memory.
    "prctl": (_ArgumentCheck(0, (1, 2, 3, 15, 16, 21, 23, 38, 39, 41, 42, 0x53564D41), errno.EINVAL),),
    # Copies of a handle, flags, locks, the size of a pipe. Leases and signals would concern others.
    "fcntl": (_ArgumentCheck(1, (*range(8), 36, 37, 38, 1027, 1030, 1032), errno.EINVAL),),
    # Terminals of its own, but no typing into one (TIOCSTI); how much there is to read; closing at exec.
    # Others change a file's flags for good through a handle that can only read (FS_IOC_SETFLAGS, fs-verity).
    "ioctl": (
        _ArgumentCheck(
            1,
            (
                *(0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540B, 0x540E, 0x540F, 0x5410, 0x5413, 0x5414),
                *(0x541B, 0x5421, 0x5422, 0x5429, 0x5441, 0x5450, 0x5451, 0x40045431, 0x80045430),
                *(0x802C542A, 0x402C542B, 0x402C542C, 0x402C542D),
            ),
            errno.ENOTTY,
        ),
    ),
    # AF_UNIX, AF_INET, AF_INET6; no raw sockets; TCP and UDP
    "socket": (
        _ArgumentCheck(0, (1, 2, 10), errno.EAFNOSUPPORT),
        _ArgumentCheck(1, (1, 2, 5), bits=0xF),
        _ArgumentCheck(2, (0, 6, 17), errno.EPROTONOSUPPORT),
    ),
    # The size of a socket's buffer, which is memory that counts to nobody (SO_SNDBUF, SO_RCVBUF, and by force).
    "setsockopt": (_ArgumentCheck(2, tuple(set(range(1, 80)) - {7, 8, 32, 33}), 0),),
    "socketpair": (_ArgumentCheck(0, (1,), errno.EAFNOSUPPORT),),
}
_FIXED_RESULTS = {
    "clone3": errno.ENOSYS,  # a filter cannot read its flags, which lie in memory; the C library then uses clone
    "sync": 0,  # would flush the disks of the whole machine
    "syncfs": 0,
    "sched_setaffinity": errno.EPERM,  # a sandbox stays on its worker's processor
}
_SETS_METADATA = re.compile(r"^(f?chmod|[fl]?chown|f?utime)")
_USES_ATTRIBUTES = re.compile(r"xattr$")

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_SET_SECCOMP, _MODE_FILTER = 22, 2

_Steps = tuple[tuple[int, int, int, int], ...]
"""BPF instructions: code, instructions to skip if true, if false, and the constant."""


def is_supported() -> bool:
    """Tell whether the table has the numbers of this machine's system calls."""
    return platform.machine() in _ARCHITECTURES and sys.maxsize > 2**32


def numbers(column: int) -> dict[str, int]:
    """Return the number of each listed call: 0 for x86-64, 1 for 64-bit ARM."""
    found = re.findall(r"(\w+) (\d+) (\d+|-)", _LISTED)
    return {name: int(both[column]) for name, *both in found if both[column] != "-"}


def install_filter(sandbox: str) -> None:
    """Install the filter of a kind of sandbox in this process; all descendants inherit it.

    Raises OSError where the kernel has no seccomp, and on an architecture that the table does not have.
    """
    steps = program(sandbox)
    kept = ctypes.create_string_buffer(steps, len(steps))
    whole = ctypes.create_string_buffer(struct.pack("HP", len(steps) // 8, ctypes.addressof(kept)))
    prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(whole))


@cache
def program(sandbox: str) -> bytes:
    """Return the BPF program of a kind of sandbox. Raises OSError on an architecture that the table does not have."""
    if not is_supported():
        raise OSError(errno.ENOSYS, f"the system calls of {platform.machine()} are not known here")
    column, architecture = _ARCHITECTURES[platform.machine()]
    blocks = {0: _fail(errno.EPERM), _NEWEST + 1: _fail(errno.ENOSYS)}
    for name, number in numbers(column).items():
        blocks[number] = _block(name, sandbox)
        blocks.setdefault(number + 1, _fail(errno.EPERM))
    steps: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        *_fail(errno.ENOSYS),  # the calls of a 32-bit program
        (_LOAD, 0, 0, _NUMBER),
    ]
    starts = sorted(blocks)
    starts = [
        one for before, one in zip([-1, *starts], starts, strict=False) if blocks.get(before) != blocks[one]
    ]
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        if following is not None:
            steps.append((_AT_LEAST, len(blocks[start]), 0, following))
        steps += blocks[start]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _block(name: str, sandbox: str) -> _Steps:
    """Return the instructions that decide about a call."""
    if _USES_ATTRIBUTES.search(name):
        return _fail(errno.ENOTSUP)  # which `shutil.copy` tolerates
    if name in _FIXED_RESULTS:
        return _fail(_FIXED_RESULTS[name])
    checks = _CHECKED_ARGUMENTS.get(name, ())
    if sandbox == "landlock":  # Landlock restricts neither file metadata nor named sockets
        if _SETS_METADATA.match(name):
            return _fail(0)  # do nothing and report success: an error would end `shutil.copy`
        if name in {"socket", "connect", "accept", "accept4", "bind", "listen"}:
            return _fail(errno.EPERM)
        if name == "socketpair":  # a datagram could be sent to any name
            checks += (_ArgumentCheck(1, (1,), bits=0xF),)
    steps: list[tuple[int, int, int, int]] = []
    for check in checks:
        steps += [(_LOAD, 0, 0, _ARGUMENTS + 8 * check.argument), (_AND, 0, 0, check.bits)]
        steps += [(_EQUAL, len(check.values) - at, 0, value) for at, value in enumerate(check.values)]
        steps += _fail(check.error)
    return (*steps, (_RETURN, 0, 0, _ALLOW))


def _fail(number: int) -> _Steps:
    return ((_RETURN, 0, 0, _ERROR | number),)
