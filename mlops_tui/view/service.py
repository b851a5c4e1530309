"""What systemd says of the engine's service."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_tui.view.cell import Cell, Tone, cell

_RUNS: tuple[str, Tone] = ("●", "good")
_RUNS_NOT: tuple[str, Tone] = ("✗", "bad")


def service_facts(unit: str, path: str, known: Mapping[str, str]) -> list[tuple[str, Cell]]:
    """Name and value, one a line."""
    if known.get("LoadState") == "not-found":
        return [("service", cell(f"■ {unit} is not installed", "dim"))]
    state, sub = known.get("ActiveState", "unknown"), known.get("SubState", "")
    active = state == "active"
    mark, tone = _RUNS if active else _RUNS_NOT
    with_machine = known.get("UnitFileState") == "enabled"
    facts = [
        ("service", cell(f"{mark} {unit} is {state}" + (f" ({sub})" if sub else ""), tone)),
        ("file", cell(path)),
        ("starts", cell("with the machine" if with_machine else "only when it is told to")),
    ]
    if active:
        facts.append(("process", cell(known.get("MainPID"))))
    if known.get("NRestarts", "0") not in ("", "0"):
        facts.append(("restarts", cell(f"{known['NRestarts']}, because it failed", "warn")))
    return facts
