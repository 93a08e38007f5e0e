"""The list of system calls: right numbers, and none that honest answers miss."""

import re
from pathlib import Path

import pytest

from mlsd_helpers.errors import GradingError
from mlsd_helpers.grading.sandbox import choose_sandbox, confinement, syscalls

HEADERS = (
    Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    Path("/usr/include/asm-generic/unistd.h"),
)


@pytest.mark.parametrize("column", [0, 1], ids=["x86-64", "64-bit ARM"])
def test_the_numbers_are_the_kernels(column):
    if not HEADERS[column].exists():
        pytest.skip(f"NOT TRIED: no {HEADERS[column]} here (apt install linux-libc-dev)")
    found = re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", HEADERS[column].read_text(), re.MULTILINE)
    kernel = {name: int(number) for name, number in found}
    listed = syscalls.numbers(column)
    assert {name for name in listed if kernel.get(name, listed[name]) != listed[name]} == set()
    assert len(kernel.keys() & listed.keys()) > 150
    names = {"fstat", "newfstatat"} if column else set()  # which have another name in that header
    assert listed.keys() - kernel.keys() <= {
        *names,
        "fchmodat2",
        "futex_wake",
        "futex_wait",
        "futex_requeue",
        "cachestat",
    }


def test_an_architecture_without_a_filter_is_refused(monkeypatch):
    monkeypatch.setattr(syscalls.platform, "machine", lambda: "riscv64")
    syscalls.program.cache_clear()
    with pytest.raises(OSError, match="riscv64"):
        syscalls.program("bubblewrap")
    with pytest.raises(GradingError, match=r"(?s)bubblewrap.*riscv64.*landlock.*riscv64"):
        choose_sandbox()
    assert choose_sandbox(unsafe=True) == "none"


def test_a_sandbox_that_cannot_be_opened_is_refused(monkeypatch):
    monkeypatch.setattr(confinement, "_TRY", "raise OSError('no such user')  # {}")
    assert "no such user" in confinement._no_landlock()


HONEST = {
    "copies": """
        import os, pathlib, shutil, tempfile, zipfile
        pathlib.Path("a.txt").write_text("a")
        shutil.copy("a.txt", "b.txt"), shutil.copy2("a.txt", "c.txt"), shutil.move("c.txt", "d.txt")
        os.makedirs("deep/er", exist_ok=True), shutil.copytree("deep", "deep2")
        pathlib.Path("a.txt").touch(), os.chmod("a.txt", 0o600)
        with zipfile.ZipFile("z.zip", "w") as z: z.write("a.txt")
        with zipfile.ZipFile("z.zip") as z: z.extractall("out")
        with tempfile.TemporaryDirectory() as t, tempfile.NamedTemporaryFile() as f: f.write(b"x")
        shutil.make_archive("tar", "gztar", "deep"), shutil.unpack_archive("tar.tar.gz", "untar")
        shutil.rmtree("deep2")""",
    "data": """
        import sqlite3, pandas as pd, numpy as np
        pd.DataFrame({"a": [1]}).to_csv("a.csv"); assert len(pd.read_csv("a.csv")) == 1
        with sqlite3.connect("a.db") as d: d.execute("create table t (a)"); d.execute("insert into t values (1)")
        np.save("a.npy", np.ones(3)); np.load("a.npy", mmap_mode="r").sum()""",
    "figures": """
        import matplotlib.pyplot as plt
        plt.plot([1, 2]); plt.title("ä"); plt.savefig("a.png"); plt.savefig("a.pdf"); plt.close()""",
    "threads and processes": """
        import asyncio, concurrent.futures, os, subprocess, sys, threading, time
        async def later(): await asyncio.sleep(0.01); return 1
        assert asyncio.run(later()) == 1
        async def command():
            p = await asyncio.create_subprocess_exec("echo", "hi", stdout=-1)
            return (await p.communicate())[0]
        assert asyncio.run(command()) == b"hi\\n"
        with concurrent.futures.ThreadPoolExecutor(4) as pool: assert sum(pool.map(abs, range(9))) == 36
        assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True).stdout == "1\\n"
        assert subprocess.check_output("echo a | tr a b", shell=True) == b"b\\n"
        os.nice(1), os.cpu_count(), os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)
        import socket; a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x" """,
    "numbers": """
        import random, secrets, time, uuid, platform, resource, signal, getpass
        random.random(), secrets.token_hex(), uuid.uuid4(), platform.platform(), time.sleep(0.01), getpass.getuser()
        resource.getrusage(resource.RUSAGE_SELF), time.process_time(), signal.getitimer(signal.ITIMER_REAL)""",
}
IN_BUBBLEWRAP = {
    "a server": """
        import http.server, threading, urllib.request
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).status == 200""",
    "pools": """
        import concurrent.futures, multiprocessing
        with multiprocessing.Pool(2) as pool: assert pool.map(abs, [-1, 2]) == [1, 2]
        with concurrent.futures.ProcessPoolExecutor(2) as pool: assert sum(pool.map(abs, range(9))) == 36
        from multiprocessing import shared_memory
        m = shared_memory.SharedMemory(create=True, size=10); m.close(); m.unlink()""",
    "a shell command": """
        import os
        assert get_ipython().getoutput("echo hi") == ["hi"]
        os.chmod("data.csv", 0o400); assert oct(os.stat("data.csv").st_mode)[-3:] == "400" """,
}


@pytest.mark.parametrize("what", [*HONEST, *IN_BUBBLEWRAP])
def test_honest_code_goes_on(server, session, text, what):
    if what in IN_BUBBLEWRAP and server.sandbox != "bubblewrap":
        return  # sockets, shared memory and terminals: SECURITY.md says that this sandbox has none
    lines = {**HONEST, **IN_BUBBLEWRAP}[what].splitlines()
    cell = "\n".join(line[8:] for line in lines)
    assert text(session.run(f"{cell}\nprint('went on')")).endswith("went on\n")
