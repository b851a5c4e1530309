"""`python -m engine.serving FOLDER`: serve the replica whose `serve.json` lies in FOLDER.

Ends with 0 on SIGTERM after the requests in flight are answered, 1 when the bundle cannot be served, 2 when called
wrongly.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.serving.problems import ServingProblem
from engine.serving.server import serve


def main(arguments: list[str]) -> int:
    """Serve; the exit code."""
    if len(arguments) != 1:
        print("Usage: python -m engine.serving FOLDER", file=sys.stderr)  # noqa: T201
        return 2
    # The thread that scores large requests shares the interpreter's lock with the event loop; at the default of 5 ms a
    # single row would wait that long for its turn.
    sys.setswitchinterval(0.001)
    try:
        serve(Path(arguments[0]))
    except ServingProblem as problem:
        print(f"{problem.message} {problem.hint}".strip(), file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
