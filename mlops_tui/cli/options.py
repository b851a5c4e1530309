"""Options and arguments that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the wire objects as JSON.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Start it and come back at once.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why, for the audit.", show_default=False)]
Override = Annotated[
    str | None,
    typer.Option("--override", metavar="WHY", help="Release a version that did not pass; recorded for ever."),
]
ModelName = Annotated[str, typer.Argument(metavar="NAME", help="A model's name.", show_default=False)]
ModelVersion = Annotated[
    str, typer.Argument(metavar="NAME[@V]", help="A model, or one of its versions: fraud@3.", show_default=False)
]
