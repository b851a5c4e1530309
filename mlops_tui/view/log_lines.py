"""Lines of a log in the tone of their level. The level itself is there to read: colour adds nothing but speed."""

from __future__ import annotations

import re

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.clean import clean_lines

_LOOKED_AT = 160
"""Characters at the beginning in which a level stands."""
_LEVEL = re.compile(
    r"(?:^|[\s\[|<(:\-])(?P<plain>CRITICAL|FATAL|ERROR|WARNING|WARN|DEBUG|TRACE)(?=[\]\s|>):\-]|$)"
    r"|(?:^|\[)(?P<mixed>Fatal|Error|Warning|Debug)(?=\]|: )"
    r'|"level(?:name)?":\s*"(?P<json>\w+)"|\blevel=(?P<pair>\w+)'
)
_EXCEPTION = re.compile(
    r"^(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt)(?::|$)|^Traceback \(most recent call last\):"
)
_WARNING_OF_PYTHON = re.compile(r"\b[A-Z]\w*Warning: ")
_TONES: dict[str, Tone] = {
    "critical": "bad", "fatal": "bad", "error": "bad", "warning": "warn", "warn": "warn", "debug": "dim", "trace": "dim"
}  # fmt: skip


def log_lines(text: str) -> list[Cell]:
    """What a program printed, as harmless lines."""
    return [Cell(line, level_tone(line)) for line in clean_lines(text)]


def level_tone(line: str) -> Tone:
    """By the level that a line names, as logging of Python, LightGBM, JSON and key=value do.

    >>> level_tone("2026-01-31 12:00:00,123 ERROR no such column"), level_tone("[LightGBM] [Warning] few rows")
    ('bad', 'warn')
    >>> level_tone("0 errors in 12 rows"), level_tone("ValueError: no rows")
    ('plain', 'bad')
    """
    if _EXCEPTION.match(line):
        return "bad"
    begun = line[:_LOOKED_AT]
    found = _LEVEL.search(begun)
    if found is not None:
        return _TONES.get(str(found[found.lastgroup or 0]).lower(), "plain")
    return "warn" if _WARNING_OF_PYTHON.search(begun) else "plain"
