"""What is seen to before the terminal opens."""

from __future__ import annotations

import io

from mlops_tui.open_terminal import written_whole


class Interrupted(io.RawIOBase):
    """Takes a few bytes of what it is given, as a terminal does that a signal comes to."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, given: object) -> int:
        some = bytes(given)[:7]  # type: ignore[call-overload]
        self.taken += some
        return len(some)


def test_nothing_is_lost_where_python_runs_unbuffered() -> None:
    terminal = Interrupted()
    stream = io.TextIOWrapper(terminal, "utf-8", "replace", write_through=True)  # type: ignore[type-var]
    written = written_whole(stream)
    written.write("\x1b[38;2;216;222;230mFleet · 3 models\n")
    written.flush()
    assert terminal.taken.decode() == "\x1b[38;2;216;222;230mFleet · 3 models\n"
    assert written.errors == "replace"


def test_what_has_a_buffer_stays() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    assert written_whole(stream) is stream
