"""What a container wrote, brought into the replica's log when somebody asks for it, and before it is removed."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from engine.deployment.docker_runtime import DockerDaemon
from engine.deployment.process_log import bound_log

LINES = 5000
"""At most so many at once; Docker keeps 30 MB of a container, and older ones are read there."""


class ContainerLogs:
    """For any thread. Beside each log lies `.at`: the container and the time of the last line brought over."""

    def __init__(self, daemon: DockerDaemon) -> None:
        self._daemon = daemon
        self._lock = threading.Lock()

    def bring(self, container: str, log: Path) -> None:
        """Append what is new. Raises what the daemon's calls raise."""
        with self._lock:
            mark = log.with_name(log.name + ".at")
            before = _last(mark, container)
            said = self._daemon.log(container, since_s=_second(before), lines=LINES)
            lines = [line for line in _timed(said) if line[0] > before]
            if not lines:
                return
            log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "wb") as file:
                file.writelines(text for _, text in lines)
            part = mark.with_name(mark.name + ".part")
            part.write_text(f"{container} {lines[-1][0]}", "ascii")
            part.replace(mark)
            bound_log(log)


def _timed(said: bytes) -> list[tuple[str, bytes]]:
    """(time, line) of each line. Docker's times are of one length but for trailing zeros, so text compares."""
    found = []
    for line in said.splitlines(keepends=True):
        moment, _, text = line.partition(b" ")
        found.append((moment.decode("ascii", "replace"), text))
    return found


def _last(mark: Path, container: str) -> str:
    try:
        of, _, moment = mark.read_text("ascii").partition(" ")
    except (OSError, UnicodeDecodeError):
        return ""
    return moment if of == container else ""


def _second(moment: str) -> int:
    try:
        return int(datetime.fromisoformat(moment[:19]).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
