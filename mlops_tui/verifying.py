"""`:verify`: the chain of events and every stored file hashed again, while everything else goes on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from engine.errors import EngineError
from mlops_tui.commands import BY_ID
from mlops_tui.messages import ActionFailed, Verified
from mlops_tui.view.audit import verified
from mlops_tui.view.times import duration

if TYPE_CHECKING:
    from textual.timer import Timer

    from mlops_tui.app import MlopsApp

TELL_EVERY_S = 1.0


class Verifying:
    """One verification at a time. It takes minutes where there is much; how long so far is told."""

    def __init__(self, app: MlopsApp) -> None:
        self._app = app
        self._line = BY_ID["verify"].line("")
        self._began: datetime | None = None
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Ask the engine, and tell that it works on it."""
        if self._began is not None:
            self._tell()
            return
        self._began = self._app.now()
        self._timer = self._app.set_interval(TELL_EVERY_S, self._tell)
        self._tell()
        self._app.run_worker(self._ask(), group="verify")

    def end(self) -> None:
        """It is answered."""
        self._began = None
        if self._timer is not None:
            self._timer.stop()

    def _tell(self) -> None:
        if self._began is not None:
            lasts = duration((self._app.now() - self._began).total_seconds())
            self._app.say(f"$ {self._line} … every event and every file, for {lasts} so far", "busy")

    async def _ask(self) -> None:
        try:
            found = verified(await self._app.engine.verify())
        except EngineError as error:
            self._app.post_message(Verified(self._line, None))
            self._app.post_message(ActionFailed(self._line, error))
        else:
            self._app.post_message(Verified(self._line, found))
