"""The boundary of the command line: every error becomes one sentence, a hint and an exit code.

Exit codes: 0 done, 1 failed, 2 usage, 3 gate refused, 4 insufficient evidence, 5 engine unreachable, 130 detached by
ctrl-c. With `--json` a failure is also one JSON line `{"error": problem}` on stdout, so that stdout is JSON always.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from typer._click.exceptions import ClickException, UsageError
from typer.core import TyperGroup

from engine.errors import EngineError, InvalidInput
from mlops_tui.cli.console import Console

DETACHED = 130
"""Exit code of a wait that ctrl-c ended; the work itself goes on."""


class RootCommand(TyperGroup):
    """All verbs, and what happens when one of them fails."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        """Run one verb and leave the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        options["standalone_mode"] = False
        try:
            result = super().main(words, *rest, **options)
            sys.stdout.flush()
        except ClickException as error:
            sys.exit(show_error(_as_usage(error), as_json="--json" in words))
        except EngineError as error:
            sys.exit(show_error(error, as_json="--json" in words))
        except BrokenPipeError:
            _leave_a_closed_pipe()
        sys.exit(result if isinstance(result, int) else 0)


def show_error(error: EngineError, *, as_json: bool = False) -> int:
    """Say it on stderr (and as JSON on stdout); the exit code to leave with."""
    console = Console()
    console.fail(error.message, error.hint)
    if as_json:
        console.json_line({"error": error.to_problem()})
    return error.exit_code


def _as_usage(error: ClickException) -> InvalidInput:
    message = error.format_message().strip()
    line = message if message.endswith((".", "?", "!")) else message + "."
    context = getattr(error, "ctx", None)
    hint = f"See `{context.command_path} --help`." if isinstance(error, UsageError) and context else ""
    return InvalidInput(line[:1].upper() + line[1:], hint)


def _leave_a_closed_pipe() -> None:
    """The reader of our output is gone (`mlops jobs | head`): end as if the signal had ended us."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(128 + signal.SIGPIPE)
