"""A program on a pseudo-terminal, and what a terminal would show of what it writes."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from rich.cells import cell_len

PATIENCE_S = 60.0
_PLAIN = re.compile(r"[ -~]+")
_SEQUENCE = re.compile(
    r"\x1b\[(?P<private>[<=>?]?)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b[\]P_^X].*?(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]",
    re.DOTALL,
)


class ShownScreen:
    """Enough of a terminal to read it: text, cursor, erasing, modes. Anything else is an error, not a guess."""

    def __init__(self, columns: int, lines: int) -> None:
        self.modes: set[str] = set()
        """Private modes that are set: `1049` is the alternate screen, `25` a cursor that is seen."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""
        self.resize(columns, lines)

    def resize(self, columns: int, lines: int) -> None:
        """Another size; the program draws anew."""
        self.columns, self.height = columns, lines
        self._cells = [[" "] * columns for _ in range(lines)]
        self._x = self._y = 0

    @property
    def lines(self) -> list[str]:
        """What stands there, line by line."""
        return ["".join(cells).rstrip() for cells in self._cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def feed(self, sent: bytes) -> None:
        """What the program wrote."""
        text = self._rest + self._decoder.decode(sent)
        self._rest = ""
        at = 0
        while at < len(text):
            if (plain := _PLAIN.match(text, at)) is not None:
                self._write_plain(plain[0])
                at = plain.end()
                continue
            if text[at] != "\x1b":
                self._put(text[at])
                at += 1
                continue
            found = _SEQUENCE.match(text, at)
            if found is None:
                self._rest = text[at:]  # the rest of it is to come
                assert len(self._rest) < 100_000, f"no terminal understands {self._rest[:40]!r}"
                return
            if found["final"]:
                self._control(found)
            at = found.end()

    def _put(self, character: str) -> None:
        if character == "\r":
            self._x = 0
        elif character == "\n":
            self._y = min(self._y + 1, self.height - 1)
        elif character == "\b":
            self._x = max(self._x - 1, 0)
        elif character == "\x07":
            return
        else:
            assert character.isprintable() or character in "\u00ad\u200d\ufe0f", f"raw {character!r} on the screen"
            self._write(character, cell_len(character))

    def _write_plain(self, run: str) -> None:
        # As quick as that of a real terminal: what is measured is the program, not its reader.
        fits = run[: self.columns - self._x]
        self._cells[self._y][self._x : self._x + len(fits)] = fits
        self._x += len(fits)

    def _write(self, character: str, width: int) -> None:
        if not width:
            if self._x:
                self._cells[self._y][self._x - 1] += character
            return
        if self._x + width <= self.columns:
            self._cells[self._y][self._x] = character
            if width == 2:
                self._cells[self._y][self._x + 1] = ""
            self._x += width

    def _control(self, found: re.Match[str]) -> None:
        final, numbers = found["final"], [int(one) for one in found["numbers"].split(";") if one.isdigit()]
        first = numbers[0] if numbers else 0
        if found["private"] or found["between"]:
            if found["private"] == "?" and final in "hl":
                for number in numbers:
                    (self.modes.add if final == "h" else self.modes.discard)(str(number))
        elif final in "Hf":
            self._y = min(max(first, 1), self.height) - 1
            self._x = min(max(numbers[1] if len(numbers) > 1 else 1, 1), self.columns) - 1
        elif final in "ABCD":
            step = max(first, 1)
            self._y += {"A": -step, "B": step}.get(final, 0)
            self._x += {"C": step, "D": -step}.get(final, 0)
        elif final == "J":
            assert first == 2, "only the whole screen is ever erased"
            self._cells = [[" "] * self.columns for _ in range(self.height)]
        elif final == "K":
            self._cells[self._y][self._x :] = [" "] * (self.columns - self._x)


class PtyTerminal:
    """A program, typed at and read. Used as a context: it is gone at the end."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], columns: int = 80, lines: int = 24):
        self.screen = ShownScreen(columns, lines)
        self.received_bytes = 0
        self.raw = b""
        """All that was written since `raw` was emptied last."""
        self._ours, theirs = pty.openpty()
        self._set_size(columns, lines)
        self.process = subprocess.Popen(
            list(command), stdin=theirs, stdout=theirs, stderr=theirs, env=dict(environment), start_new_session=True
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)
        self.hang_up()

    def hang_up(self) -> None:
        """The window is closed, or the link has broken."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def type(self, keys: str) -> None:
        """As from a keyboard."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """As a window that is dragged: by steps, of which the program may miss all but the last."""
        self.screen.resize(columns, lines)
        for step in (1, 0):
            self._set_size(columns + step, lines)
            self.process.send_signal(signal.SIGWINCH)
            self.read(0.05)
        self.screen.resize(columns, lines)

    def read(self, within_s: float) -> bool:
        """Take what the program has written; False: nothing in that time, or it has ended."""
        if not select.select([self._ours], [], [], max(within_s, 0.0))[0]:
            return False
        try:
            sent = os.read(self._ours, 65_536)
        except OSError:  # Linux says so when nobody holds the other end any more
            return False
        self.received_bytes += len(sent)
        self.raw += sent
        self.screen.feed(sent)
        return bool(sent)

    def wait_until(self, reached: Callable[[], bool], what: str = "", within_s: float = PATIENCE_S) -> None:
        """Until the screen is as wanted. Raises `AssertionError` with what it shows instead."""
        until = time.monotonic() + within_s
        while not reached():
            if time.monotonic() > until:
                raise AssertionError(f"not reached: {what or reached}\n{self.screen.text}")
            self.read(0.1)

    def wait_for(self, words: str, within_s: float = PATIENCE_S) -> None:
        """Until these words stand on the screen."""
        self.wait_until(lambda: words in self.screen.text, repr(words), within_s)

    def wait_for_end(self) -> int:
        """Until the program has left; its exit code."""
        self.wait_until(lambda: self.process.poll() is not None, "the end of the program")
        while self.read(0.0):
            pass
        return self.process.wait(10)

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
