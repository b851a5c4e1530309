"""What adding a project has come to so far, kept while one goes back and forth, and until it is added."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_tui.view.adding import Draft
from mlops_tui.view.files import Listing

if TYPE_CHECKING:
    from engine.wire.looks import LookView


@dataclass
class Guide:
    """One for the whole terminal."""

    folder: Path
    """Where the file picker stands."""
    hidden: bool = False
    listing: Listing | None = None
    """Of the folder that the data lies in."""
    looks: dict[Draft, LookView] = field(default_factory=dict)
    """What was seen, by what was asked."""
    drafts: dict[tuple[str, str], Draft] = field(default_factory=dict)
    """What was said, by data and target."""

    def begin(self) -> None:
        """Files may have changed since; what was said stays."""
        self.looks.clear()

    def path(self, typed: str) -> Path:
        """What was typed, from the picker's folder on; quoted as a shell has it, or not."""
        plain = typed[1:-1] if len(typed) > 1 and typed[0] == typed[-1] and typed[0] in "'\"" else typed
        return (self.folder / Path(plain).expanduser()).absolute()

    def forget(self, data: str) -> None:
        """Its project is added."""
        self.drafts = {key: draft for key, draft in self.drafts.items() if key[0] != data}
        self.looks.clear()
