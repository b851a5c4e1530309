"""What the reconciler sleeps on: a poke from another thread, the end of a process it watches, or the time."""

from __future__ import annotations

import contextlib
import os
import select
import threading


class Waker:
    """One thread sleeps; any thread may poke. Where the system cannot watch processes, only pokes and time wake."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._closing = threading.Lock()
        self._closed = False
        self._watched: dict[int, int] = {}
        self._gone: set[int] = set()
        """Told of already."""

    def poke(self) -> None:
        """Wake the sleeper, or have its next sleep end at once; once closed, nothing."""
        # A late one must not write into whatever file has got the closed descriptor's number.
        with self._closing, contextlib.suppress(BlockingIOError):
            if not self._closed:
                os.write(self._write, b"x")

    def watch(self, pids: set[int]) -> None:
        """Wake when one of these processes ends, from now on."""
        for pid in set(self._watched) - pids:
            os.close(self._watched.pop(pid))
        self._gone &= pids
        for pid in pids - set(self._watched) - self._gone:
            try:
                self._watched[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                self._gone.add(pid)
                self.poke()
            except (OSError, AttributeError):
                # The system has no such descriptors (before Linux 5.3, macOS): time alone wakes.
                return

    @property
    def has_seen_an_end(self) -> bool:
        """One of the processes that are watched has ended."""
        return bool(self._gone)

    def sleep(self, seconds: float) -> None:
        """Until a poke, an end, or this long."""
        poll = select.poll()
        for descriptor in (self._read, *self._watched.values()):
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(seconds * 1000):
            if descriptor == self._read:
                os.read(self._read, 4096)
            else:
                self._forget(descriptor)

    def close(self) -> None:
        """Give the descriptors back; nobody sleeps any more."""
        self.watch(set())
        with self._closing:
            self._closed = True
            os.close(self._read)
            os.close(self._write)

    def _forget(self, descriptor: int) -> None:
        for pid in [pid for pid, each in self._watched.items() if each == descriptor]:
            os.close(self._watched.pop(pid))
            self._gone.add(pid)
