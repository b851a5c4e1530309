"""Which of a model's alarms most needs a person: the engine names that one, and the terminal opens it."""

from __future__ import annotations

_KINDS = ("silence", "quality", "performance", "drift")
"""Nothing comes; what comes is wrong, and no retrain begins meanwhile; answers are worse; the world moved."""


def alarm_urgency(kind: str, status: str) -> tuple[bool, int]:
    """To sort by: what nobody has answered first, then what a retrain cannot mend by itself.

    >>> sorted(["drift", "quality", "performance"], key=lambda kind: alarm_urgency(kind, "open"))
    ['quality', 'performance', 'drift']
    """
    return status != "open", _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
