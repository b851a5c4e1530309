"""Runs where a model server would, tries what it may not, and writes what came of it into `/replica/probe.json`."""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path


def refusal(attempt: object) -> str:
    """The name of the error that an attempt ends with; empty where it succeeds."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ""


def status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def cgroup(*names: str) -> str:
    """The first of these limits that is there: version 1 or 2 of control groups."""
    return next((Path("/sys/fs/cgroup", name).read_text().strip() for name in names
                 if Path("/sys/fs/cgroup", name).exists()), "")  # fmt: skip


def execute_in_tmp() -> None:
    program = Path("/tmp/program")
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o777)
    subprocess.run([str(program)], check=True)


def fill_tmp() -> None:
    with Path("/tmp/large").open("wb") as file:
        try:
            for _ in range(80):
                file.write(b"x" * (1 << 20))
                file.flush()
        finally:
            Path("/tmp/large").unlink()


def connect(address: str) -> None:
    with socket.socket() as outside:
        outside.settimeout(2)
        outside.connect((address, 80))


def count_children() -> int:
    """How many processes it may have beside itself."""
    children: list[int] = []
    try:
        while len(children) < 1000:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except BlockingIOError:
        pass
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)
    return len(children)


def open_many() -> None:
    files = []
    try:
        for _ in range(2000):
            files.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for file in files:
            os.close(file)


def mounts() -> dict[str, list[str]]:
    """Options by place."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        found[fields[4]] = fields[5].split(",")
    return found


own = status()
there = mounts()
probe = {
    "uids": os.getresuid(),
    "gids": os.getresgid(),
    "groups": os.getgroups(),
    "capabilities": {name: own[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
    "no_new_privileges": own["NoNewPrivs"],
    "seccomp": own["Seccomp"],
    "write_root": refusal(lambda: Path("/file").write_text("x")),
    "write_program": refusal(lambda: Path("/program/file").write_text("x")),
    "write_replica": refusal(lambda: Path("/replica/file").write_text("x")),
    "root_options": there["/"],
    "tmp_options": there["/tmp"],
    "execute_in_tmp": refusal(execute_in_tmp),
    "fill_tmp": refusal(fill_tmp),
    "interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
    "connect": refusal(lambda: connect("192.0.2.1")),
    "docker_socket": [path for path in ("/var/run/docker.sock", "/run/docker.sock") if Path(path).exists()],
    "children": count_children(),
    "pids": cgroup("pids/pids.max", "pids.max"),
    "memory": cgroup("memory/memory.limit_in_bytes", "memory.max"),
    "swap": cgroup("memory/memory.memsw.limit_in_bytes", "memory.swap.max"),
    "cpu": cgroup("cpu/cpu.cfs_quota_us", "cpu.max").split()[:1],
    "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "open_many": refusal(open_many),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "pid": os.getpid(),
    "init": Path("/proc/1/cmdline").read_bytes().decode().split("\0")[0],
    "namespaces": {kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("ipc", "net", "pid", "mnt", "uts")},
    "shm": there.get("/dev/shm", []),
    "disks": [path.name for path in Path("/dev").iterdir() if stat.S_ISBLK(path.lstat().st_mode)],
    "environment": dict(os.environ),
    "writable_mounts": sorted(
        place for place, options in there.items()
        if "rw" in options and not place.startswith(("/proc", "/dev", "/sys", "/etc/"))
    ),
}  # fmt: skip
Path(sys.argv[1], "probe.part").write_text(json.dumps(probe))
Path(sys.argv[1], "probe.part").rename(Path(sys.argv[1], "probe.json"))
time.sleep(600)
