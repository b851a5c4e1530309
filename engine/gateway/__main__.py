"""`python -m engine.gateway FOLDER CONTROL_SOCKET HOST PORT`: the one address of all endpoints.

Exit codes: 0 ended by SIGTERM, 2 wrong arguments, 3 the address is taken, 4 another gateway serves from the folder.
"""

from __future__ import annotations

import argparse
import logging
import logging.handlers
import os
import sys
from pathlib import Path

import uvloop

from engine.gateway.builtin import AddressTaken, AlreadyRunning, Options, run

LOG_BYTES = 5 * 1024 * 1024
LOG_FILES = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the gateway; returns its exit code."""
    given = _parser().parse_args(arguments)
    os.umask(0o077)
    _log_to(given.log)
    try:
        uvloop.run(run(Options(given.folder, given.control, given.host, given.port, given.sticky_header)))
    except (AddressTaken, AlreadyRunning) as error:
        sys.stderr.write(f"{error}\n")
        return 3 if isinstance(error, AddressTaken) else 4
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.gateway", description="The built-in gateway.")
    parser.add_argument("folder", type=Path, help="where routes.json is kept")
    parser.add_argument("control", type=Path, help="Unix socket for the engine")
    parser.add_argument("host")
    parser.add_argument("port", type=int, help="0: any free one")
    parser.add_argument("--sticky-header", default="x-mlops-key")
    parser.add_argument("--log", type=Path, help="file to log to; it is rotated. Left out: standard error")
    return parser


def _log_to(path: Path | None) -> None:
    handler: logging.Handler = logging.StreamHandler()
    if path is not None:
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    sys.exit(main())
