"""The client that waits: for the command line, workers and tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from engine.client import wire_format
from engine.client.call import Call
from engine.client.failures import answer_lost, raise_problem, translate, version_mismatch
from engine.client.launch import ensure_engine
from engine.client.patience import Patience
from engine.client.routes import Routes
from engine.client.stream import SILENCE_S, STREAM_PATH, Bookmark, News
from engine.errors import EngineUnreachable, Unavailable
from engine.settings import Home, find_home
from engine.wire.base import API_VERSION

T = TypeVar("T")


class EngineClient(Routes):
    """Asks the engine of one home. Safe to share among threads.

    `token` is a job's; without one the engine goes by the Unix user. `patience_s` is how long a call waits for an
    engine that is not there (0: not at all; `math.inf`: until it is back, as workers do).
    """

    def __init__(self, home: Home, *, token: str | None = None, patience_s: float = 0.0) -> None:
        import httpx

        from engine.client.transport import waiting_transport

        self.home = home
        self._patience_s = patience_s
        self._http = httpx.Client(
            transport=waiting_transport(home),
            base_url=wire_format.BASE_URL,
            headers=wire_format.headers(token),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Ask, and wait for the answer. The methods of `Routes` are the way to say it.

        Raises:
            EngineUnreachable: no engine answers within the client's patience.
            EngineError: what the engine told of.
        """
        import httpx

        patience = Patience(self._patience_s)
        timeout = httpx.Timeout(call.timeout_s, connect=wire_format.CONNECT_S)
        while True:
            asked = wire_format.request(call, timeout)
            try:
                return wire_format.answer(call, self._http.request(**asked))
            except httpx.TransportError as error:
                told = translate(error, self.home)
                if not isinstance(told, EngineUnreachable):
                    raise told from error
                pause_s = patience.pause_s(told, call)
            time.sleep(pause_s)

    def stream(
        self,
        after: int | None = None,
        *,
        patience_s: float | None = None,
        lost: Callable[[Unavailable], None] | None = None,
    ) -> Iterator[News]:
        """Events after `after` (None: from now on) as they happen, and progress.

        Resumes by itself after a break, losing no event, and says so with another `Connected`; `lost` is told of
        each break. `patience_s` is how long it tries to be connected again (None: the client's own).

        Raises:
            EngineUnreachable: the engine stayed away longer than that.
        """
        bookmark = Bookmark(after)
        patience_s = self._patience_s if patience_s is None else patience_s
        patience = Patience(patience_s)
        while True:
            try:
                for news in self._stream_once(bookmark):
                    patience = Patience(patience_s)
                    yield news
                broken: Unavailable = answer_lost("The engine closed the event stream.")
            except Unavailable as error:
                broken = error
            if lost is not None:
                lost(broken)
            time.sleep(patience.pause_s(broken))

    def _stream_once(self, bookmark: Bookmark) -> Iterator[News]:
        import httpx
        from httpx_sse import EventSource

        timeout = httpx.Timeout(SILENCE_S, connect=wire_format.CONNECT_S)
        try:
            with self._http.stream("GET", STREAM_PATH, params=bookmark.params(), timeout=timeout) as response:
                if response.status_code != 200:
                    response.read()
                    raise_problem(response)
                for sent in EventSource(response).iter_sse():
                    if (news := bookmark.read(sent)) is not None:
                        yield news
        except httpx.TransportError as error:
            raise translate(error, self.home) from error

    def wait_until_down(self, timeout_s: float = 60.0) -> None:
        """Return once the engine let go of its home; used after `down`.

        Raises:
            EngineUnreachable: it is still there.
        """
        from engine.client.launch import lock_is_free

        deadline = time.monotonic() + timeout_s
        while not lock_is_free(self.home):
            if time.monotonic() > deadline:
                raise EngineUnreachable(
                    f"The engine of {self.home.root} was asked to end, and still runs.", "Look into logs/engine.log."
                )
            time.sleep(0.02)


def connect(home: Home | None = None, *, start: bool = True) -> EngineClient:
    """A client whose engine answers and speaks the same version. None: the home of `$MLOPS_HOME` or the default one.

    The home's owner starts an engine where none runs. With `start=False` one that was put down by `mlops down`
    stays down.

    Raises:
        EngineUnreachable: none answers, and none may be started.
        VersionMismatch: it speaks another version.
        EngineError: why it could not start, in its own words.
    """
    home = home or find_home()
    ensure_engine(home, start=start)
    client = EngineClient(home)
    try:
        about = client.about()
        if about.api_version != API_VERSION:
            raise version_mismatch(str(about.api_version))
    except BaseException:
        client.close()
        raise
    return client
