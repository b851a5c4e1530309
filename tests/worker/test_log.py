from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from engine.worker.log import drain


class Full(io.RawIOBase):
    def write(self, _: object) -> int:
        raise OSError(28, "No space left on device")


def drained(printed: bytes, limit: int, tail: int) -> bytes:
    log = io.BytesIO()
    drain(io.BytesIO(printed), log, limit, tail)
    return log.getvalue()


def test_a_short_log_is_kept_whole() -> None:
    assert drained(b"hello\n" * 100, 1000, 100) == b"hello\n" * 100


@pytest.mark.parametrize("size", [1001, 70_000, 200_000])
def test_a_long_log_keeps_its_begin_and_end_and_counts_the_rest(size: int) -> None:
    printed = bytes(48 + place % 10 for place in range(size))
    kept = drained(printed, 1000, 100)
    assert kept.startswith(printed[:900] + b"\n[mlops: ")
    assert kept.endswith(b"]\n" + printed[-100:])
    assert b"[mlops: %d bytes were printed here and not kept" % (size - 1000) in kept


def test_a_full_disk_stops_nobody_from_printing() -> None:
    pipe = io.BytesIO(b"x" * 500_000)
    drain(pipe, Full(), 1000, 100)  # type: ignore[arg-type]
    assert pipe.read() == b""


def run(script: str, path: Path, limit: int = 10_000) -> subprocess.CompletedProcess[str]:
    """A process whose log is open, and then does what `script` says."""
    opening = "from engine.worker.log import open_log\nfrom pathlib import Path\n"
    opening += f"log = open_log(Path({str(path)!r}), {limit})\n"
    return subprocess.run(
        [sys.executable, "-c", opening + textwrap.dedent(script)], capture_output=True, text=True, timeout=60
    )


def test_a_process_that_was_started_with_its_output_in_a_file_can_open_its_log(tmp_path: Path) -> None:
    path = tmp_path / "1-1.log"
    with path.open("a") as file:
        subprocess.run(
            [sys.executable, "-c", f"from engine.worker.log import open_log; from pathlib import Path; "
             f"print('before'); log = open_log(Path({str(path)!r})); print('after'); log.close()"],
            stdout=file, stderr=file, check=True, timeout=60,
        )  # fmt: skip
    assert path.read_text() == "before\nafter\n"


def test_all_that_a_worker_and_its_children_print_is_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "jobs" / "1-1.log"
    done = run(
        """
        import os, sys
        print('from python')
        print('from stderr: \\ud800', file=sys.stderr)
        os.system('echo from a child')
        log.close()
        """,
        path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert path.read_text().splitlines() == ["from python", "from stderr: \\ud800", "from a child"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_code_that_prints_while_it_holds_the_interpreters_lock_is_not_stuck(tmp_path: Path) -> None:
    # PyDLL keeps the lock during the call, so no thread of the worker could drain the pipe meanwhile.
    script = """
        import ctypes
        write = ctypes.PyDLL(None).write
        for _ in range(40):
            write(1, b'x' * 60000, 60000)
        log.close()
        """
    assert run(script, tmp_path / "1-1.log").returncode == 0
    assert b"bytes were printed here and not kept" in (tmp_path / "1-1.log").read_bytes()


def test_what_was_printed_before_a_kill_is_in_the_log(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        Path({str(tmp_path / "drain")!r}).write_text(str(log._drain_pid))
        print('last words', flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    assert run(script, tmp_path / "1-1.log").returncode == -9
    drain_pid = int((tmp_path / "drain").read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(drain_pid).wait(timeout=30)
    assert (tmp_path / "1-1.log").read_text() == "last words\n"


def test_a_child_that_outlives_the_job_does_not_hold_it_up(tmp_path: Path) -> None:
    script = """
        import subprocess
        child = subprocess.Popen(['sleep', '30'])
        print('done')
        log.close(within_s=0.2)
        child.kill()
        """
    assert run(script, tmp_path / "1-1.log").returncode == 0
    assert (tmp_path / "1-1.log").read_text() == "done\n"
