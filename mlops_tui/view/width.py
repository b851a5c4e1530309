"""Text by the columns it takes on a terminal."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def width_of(text: str) -> int:
    """Terminal columns of a clean text."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` columns: padded, or cut with `…`.

    >>> fit("champion", 5)
    'cham…'
    """
    taken = width_of(text)
    if taken > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    padding = " " * (width - taken)
    return padding + text if right else text + padding


def wrap(text: str, width: int, *, hang: int = 0) -> list[str]:
    """One clean line over as many lines of at most `width` columns as it takes, broken at a space where there is one.

    Lines after the first stand `hang` columns to the right, which must be fewer than `width`.

    >>> wrap("  a longer line", 9), wrap("is  a longer line", 10, hang=4)
    (['  a', 'longer', 'line'], ['is  a', '    longer', '    line'])
    """
    lines: list[str] = []
    room, indent = width, ""
    while width_of(text) > room:
        fitting = _fitting(text, room)
        at = text.rfind(" ", 0, fitting + 1)
        if not text[: max(at, 0)].strip():
            lines.append(indent + text[:fitting])
            text = text[fitting:]
        else:
            lines.append(indent + text[:at].rstrip())
            text = text[at + 1 :]
        room, indent = width - hang, " " * hang
    return [*lines, indent + text]


def _fitting(text: str, width: int) -> int:
    """How many characters fit, at least one."""
    taken = 0
    for at, character in enumerate(text):
        taken += width_of(character)
        if taken > width:
            return max(at, 1)
    return len(text)
