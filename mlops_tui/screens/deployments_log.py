"""`l` on Deployments: what a model server writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_tui.commands import Argument
from mlops_tui.screens.logs import PAGE_BYTES, FollowedLog
from mlops_tui.view.cell import Cell, cell

if TYPE_CHECKING:
    from engine.wire.endpoints import DeploymentView
    from engine.wire.jobs import LogPage


class ReplicaLogScreen(FollowedLog):
    """Its last lines, and those that come."""

    over = "the model server has ended"
    mode = "deployments"

    def __init__(self, deployment: DeploymentView, replica: int) -> None:
        self._what = f"{deployment.endpoint}@{deployment.version} r{replica}"
        super().__init__(f"logs of {self._what}", self.mode)
        self._deployment = deployment
        self._replica = replica

    async def page(self, offset: int | None) -> LogPage:
        """From its last lines on."""
        one = self._deployment
        return await self.engine_app.engine.replica_log(
            one.endpoint, one.id, self._replica, offset=offset, limit=PAGE_BYTES
        )

    def nothing(self, ended: bool) -> Sequence[Cell]:
        """A model server says little while all is well."""
        told = "wrote nothing." if ended else "has written nothing so far; what it writes shows here."
        return [cell(f"{self._what} {told}", "strong"), Cell("esc, then d: how it stands.")]

    def subject(self, takes: Argument) -> str:
        """The deployment whose log it is."""
        one = self._deployment
        if takes == "version":
            return f"{one.endpoint}@{one.version}"
        return one.endpoint if takes == "model" else ""
