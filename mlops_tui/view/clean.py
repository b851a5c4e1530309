"""Text that others wrote, made safe to show.

Names, reasons, logs and data may hold escape sequences, right-to-left overrides, invisible characters or ten
thousand letters. Everything that is drawn or printed for a person passes here; nothing that passes can move the
cursor, change a colour, reorder a line or hide.
"""

from __future__ import annotations

import unicodedata

LONGEST = 2000
"""Characters kept of one value by default; the rest becomes `…`."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Printable by their category, and yet nothing to see."""

_MOST_MARKS = 3
"""Combining marks kept on one letter; a pile of them covers the lines around."""


def clean(text: str, *, longest: int = LONGEST) -> str:
    r"""`text` as one harmless line of at most `longest` characters.

    Control characters become their pictures, other invisible or reordering ones their code point.

    >>> clean("a\x1b[31mred\nb")
    'a␛[31mred␊b'
    >>> clean("tfel\u202e right")
    'tfel⟨U+202E⟩ right'
    """
    if len(text) > longest:
        text = text[: max(longest - 1, 0)] + "…"
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(map(_shown, _without_piles(text)))
    return shown if len(shown) <= longest else shown[: max(longest - 1, 0)] + "…"


def clean_lines(text: str, *, longest_line: int = LONGEST) -> list[str]:
    r"""`text` as harmless lines: what a program printed, as it would have been left on a terminal.

    Tabs become spaces, and of a line that was overwritten by a carriage return the last writing stays.

    >>> clean_lines("10%\r20%\ndone\tok\n")
    ['20%', 'done    ok']
    """
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [clean(_last_writing(line).expandtabs(8), longest=longest_line) for line in lines]


def _last_writing(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


def _shown(character: str) -> str:
    if character.isprintable() and character not in _BLANK_LETTERS:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) == "Zs":
        return " "
    return f"⟨U+{code:04X}⟩"


def _without_piles(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
