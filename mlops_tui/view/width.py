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


def wrap(text: str, width: int) -> list[str]:
    """Words of one clean line, over as many lines of at most `width` columns as they take; [""] for nothing."""
    lines = [""]
    for word in text.split(" "):
        for piece in _pieces(word, width):
            joined = f"{lines[-1]} {piece}" if lines[-1] else piece
            if width_of(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(piece)
    return lines


def _pieces(word: str, width: int) -> list[str]:
    if width_of(word) <= width:
        return [word]
    pieces = [""]
    for character in word:
        if width_of(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
