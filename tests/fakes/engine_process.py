"""A real engine as a process of its own, in a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from engine.client import EngineClient
from engine.settings import Home

READY_WITHIN_S = 30.0


class EngineProcess:
    """`python -m engine` for `home`; started and ended as often as a test likes."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, **environment: str) -> None:
        """Return once it is ready."""
        report, told = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "engine", "--home", str(self.home.root), "--report-fd", str(told)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(told,),
                env=os.environ | environment,
                start_new_session=True,
            )
            os.close(told)
            said = os.read(report, 65_536)
        finally:
            os.close(report)
        assert said == b"ready\n", said.decode()

    def client(self, **options: float) -> EngineClient:
        return EngineClient(self.home, **options)

    def kill(self) -> None:
        """As `kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As systemd ends it; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(READY_WITHIN_S)


def end_everything(home: Home) -> None:
    """Kill every process that was started in this home: it is a test's own, so they are the test's own."""
    found = [process for process in psutil.process_iter() if _belongs(process, home.root)]
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=10)


def _belongs(process: psutil.Process, root: Path) -> bool:
    try:
        arguments, folder = process.cmdline(), Path(process.cwd())
    except (psutil.Error, OSError):
        return False
    return process.pid != os.getpid() and (
        any(part == str(root) or part.startswith(f"{root}/") for part in arguments) or folder.is_relative_to(root)
    )
