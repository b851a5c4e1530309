"""Why a worker ended without its result, in a sentence."""

from __future__ import annotations

import signal
from pathlib import Path

from engine.wire.base import Failure

_MEMORY_EVENTS = Path("/sys/fs/cgroup/memory.events")


def count_memory_kills(events: Path = _MEMORY_EVENTS) -> int | None:
    """How often the kernel has killed for memory in our control group; None: it does not tell."""
    try:
        lines = events.read_text().splitlines()
    except OSError:
        return None
    counts = dict(line.split() for line in lines if len(line.split()) == 2)
    return int(counts["oom_kill"]) if "oom_kill" in counts else None


def death_of(returncode: int | None, *, memory_kills: int = 0) -> Failure:
    """A `WorkerDied`, told for people.

    `returncode` as `subprocess` gives it, None where the engine was not its parent. `memory_kills`: how many processes
    the kernel has killed for memory since it started.
    """
    hint = "The job's log may say more."
    if returncode is None:
        message = "The worker ended without its result."
    elif returncode >= 0:
        message = f"The worker ended with exit code {returncode} and without its result."
    else:
        message = f"The worker was killed by {_signal_name(-returncode)}."
        if -returncode == signal.SIGKILL and memory_kills > 0:
            message = "The worker was killed: out of memory."
            hint = "Train on fewer rows or columns, or give the engine more memory."
        elif -returncode == signal.SIGKILL:
            hint = "That is how the kernel ends a process when memory runs out: look at `dmesg`. " + hint
    return Failure(code="worker_died", message=message, hint=hint)


def death_by_silence(silent_s: float) -> Failure:
    """It lives and says nothing."""
    return Failure(
        code="worker_died",
        message=f"The worker said nothing for {silent_s:.0f} s and was ended.",
        hint="Let long work report progress, or raise `progress_limit_s` under [jobs] in config.toml.",
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
