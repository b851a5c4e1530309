"""What `mlops init` saw in a file of data."""

from __future__ import annotations

from typing import Any, Literal

from engine.wire.base import Body, Name, StrictBody


class AskLook(StrictBody):
    """`POST /v1/looks`: an admin asks a worker to look at a file.

    What is said of columns and task goes before what is seen; left out, the look decides.
    """

    path: str
    """Absolute path or glob on the engine's host."""
    target: str | None = None
    """None: not chosen yet; the columns are listed with what learning each would be, and nothing is said of them."""
    name: Name | None = None
    """None: made from the file's name."""
    relative_to: str | None = None
    """Folder the project file will lie in; the source is written relative to it where it lies below."""
    task: Literal["binary", "multiclass", "regression"] | None = None
    id: str | None = None
    """Empty: no column is the id."""
    time: str | None = None
    """Empty: no column is the time."""
    positive: str | None = None
    """Of two values the one whose probability is answered, as it is written."""
    ignore: tuple[str, ...] = ()
    """Columns that are no features, besides those that the look finds."""
    use: tuple[str, ...] = ()
    """Columns that are features, although the look would not have them."""


class LookView(Body):
    """The result of a `look` job (in `JobView.result`)."""

    name: Name
    task: str
    """Empty where no target was given."""
    rows: int
    columns: list[dict[str, Any]]
    """Each: name, type, role (feature, target, id, time, ignored), nulls, distinct, why, seen. Without a target
    instead of the role: task, that learning it would be; None: it cannot be learnt, and `why` says why."""
    notes: list[str]
    """Sentences on what was decided and why."""
    project_file: str
    """Text of a commented `mlops.toml`; empty where no target was given."""
    positive: str | None = None
    """The value of a binary target whose probability is answered."""
    values: tuple[str, ...] = ()
    """Both values of a binary target; of others none."""
