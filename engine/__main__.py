"""`python -m engine --home DIR`: the engine, headless. Arguments → lock → bootstrap → serve.

With `--restore FOLDER` it makes the home of a backup instead, and ends.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from engine.errors import Conflict, DiskFull, EngineError, EngineUnreachable
from engine.lock import take_lock
from engine.log import start_log
from engine.settings import Home, find_home, load_config


def main(arguments: list[str] | None = None) -> int:
    """Run an engine until it is told to end; its exit code."""
    asked = _parse(arguments)
    if asked.detach and os.fork():
        # The one who started us waits for this process; the engine goes on as nobody's child.
        os._exit(0)
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    home = Home(asked.home.expanduser().absolute()) if asked.home else find_home()
    report = _Report(asked.report_fd)
    try:
        if asked.restore:
            _restore(asked.restore, home)
        else:
            _run(home, report, foreground=not asked.detach)
    except EngineError as error:
        report.failed(error)
        return error.exit_code
    except OSError as error:
        report.failed(_translate(error, home))
        return 1
    return 0


def _run(home: Home, report: _Report, *, foreground: bool) -> None:
    home.prepare()
    # Before anything heavy is imported, so that the loser of a race is gone at once.
    # It is let go by the end of the process itself: whoever gets it next finds nothing of this one.
    take_lock(home)
    if home.restoring_mark.exists():
        raise Conflict(
            f"A restore into {home.root} was cut off, so what lies there is not whole.",
            "Run `mlops restore` again; it begins anew.",
        )
    start_log(home, foreground=foreground)
    config = load_config(home)
    from engine.bootstrap import build

    build(home, config).run(report.ready)


def _restore(folder: Path, home: Home) -> None:
    """What was restored, as JSON on stdout."""
    import getpass

    from engine.lifecycle.restore_backup import restore_backup

    restored = restore_backup(folder.expanduser().absolute(), home, getpass.getuser())
    sys.stdout.write(restored.model_dump_json() + "\n")


class _Report:
    """Tells whoever started this engine, through a pipe, that it is ready or why not; to others on stderr."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def ready(self) -> None:
        self._tell(b"ready\n")

    def failed(self, error: EngineError) -> None:
        self._tell(json.dumps(error.to_problem(), default=str).encode())
        sys.stderr.write(f"{error.message}\n{error.hint}\n" if error.hint else f"{error.message}\n")

    def _tell(self, word: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, word)
        except BrokenPipeError:
            pass
        finally:
            os.close(self._descriptor)
            self._descriptor = None


def _translate(error: OSError, home: Home) -> EngineError:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"The disk is full: no engine can run in {home.root}.", "Make room and start it again.")
    return EngineUnreachable(
        f"The engine cannot run in {home.root}: {error.strerror or error}.", "logs/engine.log may say more."
    )


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine", description="The engine of one home folder.")
    parser.add_argument("--home", type=Path, help="its home folder; default: $MLOPS_HOME, else the user's data folder")
    parser.add_argument("--foreground", action="store_true", help="stay in the foreground (the default)")
    parser.add_argument("--detach", action="store_true", help="go on in the background")
    parser.add_argument("--restore", type=Path, metavar="FOLDER", help="make the home of this backup, and end")
    parser.add_argument("--report-fd", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
