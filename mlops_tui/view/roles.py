"""Who may do what. The engine decides; this is to say so before somebody asks in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_tui.commands import NEEDS, Command

if TYPE_CHECKING:
    from engine.wire.about import About

_ORDER = ("viewer", "operator", "approver", "admin")
"""Each may do what those before it may."""


def may(caller: About | None, command: Command) -> bool:
    """Whether the caller's role is enough; None: not known yet, so the engine will say."""
    needed = NEEDS.get(command.id, "viewer")
    if caller is None or caller.role not in _ORDER:
        return True
    return _ORDER.index(caller.role) >= _ORDER.index(needed)


def why_not(caller: About, command: Command) -> str:
    """One sentence, and what to do."""
    needed = f"an {NEEDS.get(command.id, 'viewer')}"
    return (
        f"{caller.user} is {caller.role} here, and only {needed} may {command.title.lower()}. "
        f"Ask {needed}, or have the role given to you in config.toml."
    )
