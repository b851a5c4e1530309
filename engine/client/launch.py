"""Find the home's engine, or start one in the background, as `tmux` starts its server."""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import sys
import time
from pathlib import Path

import engine
from engine.client.failures import may_not_reach, unreachable
from engine.errors import EngineError, EngineRunning, EngineUnreachable, from_problem
from engine.settings import Home

READY_WITHIN_S = 30.0
"""A start takes about a second; a migration of a large registry takes longer."""
_LOOK_EVERY_S = 0.02
_WINNER_ANSWERS_WITHIN_S = 2.0
_TAIL_BYTES = 2000


def ensure_engine(home: Home, *, start: bool = True) -> None:
    """Return once an engine answers for `home`. Only the home's owner starts one.

    With `start=False` an engine that was put down by `mlops down` stays down; one that died is started again.
    Clients may race: one engine wins, all use it.

    Raises:
        EngineUnreachable: none answers, and none may be started; or it does not become ready in time.
        EngineError: why it could not start, in the engine's own words.
    """
    if answers(home):
        return
    if home.stopped_mark.exists() and not start:
        raise unreachable(home)
    home.prepare()
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        failure = _start(home, deadline)
        if failure is None:
            return
        if not isinstance(failure, EngineRunning):
            raise failure
        if _answers_within(home, min(_WINNER_ANSWERS_WITHIN_S, deadline - time.monotonic())):
            return
    raise EngineUnreachable(
        f"Another engine holds {home.root}, but does not answer.",
        "Look into logs/engine.log, and end the process that engine.lock names.",
    )


def answers(home: Home) -> bool:
    """Somebody listens on the engine's socket.

    Raises:
        Forbidden: the folder lets this user no further.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(home.engine_socket))
        except PermissionError as error:
            raise may_not_reach(home) from error
        except OSError:
            return False
    return True


def lock_is_free(home: Home) -> bool:
    """No engine holds the home. A user who may not see the lock goes by the socket."""
    try:
        lock = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except PermissionError:
        return not answers(home)
    try:
        # Shared, so that lookers do not disturb each other; an engine that starts just now tries for longer than this.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _answers_within(home: Home, timeout_s: float) -> bool:
    until = time.monotonic() + timeout_s
    while not answers(home):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _start(home: Home, deadline: float) -> EngineError | None:
    """Start an engine and wait for its word: None when it is ready, else why not."""
    import subprocess

    report, told = os.pipe()
    out = home.logs / "engine.out"
    try:
        with out.open("wb") as printed:
            # -P: a folder named `engine` where the user happens to stand is not the engine. The child forks once
            # more and ends, so that the engine belongs to nobody's terminal and leaves no zombie behind.
            subprocess.run(
                [sys.executable, "-P", "-m", "engine", "--home", str(home.root), "--detach", "--report-fd", str(told)],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                pass_fds=(told,),
                start_new_session=True,
                cwd="/",
                env=os.environ | {"PYTHONPATH": with_this_program()},
                check=False,
            )
        os.close(told)
        return _read_report(report, out, deadline)
    finally:
        os.close(report)


def with_this_program() -> str:
    """The engine is of the same program as the client, also where that runs from a source tree."""
    program = str(Path(engine.__path__[0]).resolve().parent)
    return os.pathsep.join(dict.fromkeys([program, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]))


def _read_report(report: int, out: Path, deadline: float) -> EngineError | None:
    said = b""
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([report], [], [], left_s)[0]:
            return EngineUnreachable(
                f"The engine was started, and is not ready after {READY_WITHIN_S:.0f} s.",
                "It may still come up; logs/engine.log says what it does.",
            )
        if not (chunk := os.read(report, 65_536)):
            break
        said += chunk
    if said == b"ready\n":
        return None
    try:
        return from_problem(json.loads(said), 500)
    except ValueError:
        return EngineUnreachable(f"The engine ended while it started{_last_words(out)}", "Look into logs/engine.log.")


def _last_words(out: Path) -> str:
    try:
        lines = out.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return f": {lines[-1].strip()}" if lines else "."
