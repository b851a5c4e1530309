"""What the screens of deployments share: when they ask again, and what is done with the row under the cursor."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.reactive import reactive
from textual.widget import AwaitMount

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument
from mlops_tui.messages import CurlMade, EngineFound, EventCame
from mlops_tui.screens.deployments_log import ReplicaLogScreen
from mlops_tui.view.clean import clean
from mlops_tui.view.deployments import routed
from mlops_tui.view.deployments_ask import curl_line
from mlops_tui.view.link import Link

if TYPE_CHECKING:
    from engine.wire.endpoints import DeploymentView, EndpointView

TRAFFIC_EVERY_S = 5.0
"""Figures of traffic and of model servers are no events: they are asked for."""
_ABOUT = ("alias.", "deployment.", "endpoint.", "gateway.", "project.", "replica.", "rollout.", "version.")


class DeploymentsReading(ActingScreen):
    """Reads when something has happened, and now and then while it is seen."""

    mode = "deployments"
    began: reactive[bool] = reactive(False)
    group: ClassVar[str] = ""

    def __init__(self, subtitle: str = "") -> None:
        super().__init__(subtitle)
        self._waiting = False

    @abstractmethod
    async def ask(self) -> None:
        """Ask the engine, and post what it says.

        Raises:
            EngineError: it could not be read.
        """

    @abstractmethod
    def current_endpoint(self) -> EndpointView | None:
        """The endpoint that a key is about."""

    @abstractmethod
    def current_deployment(self) -> DeploymentView | None:
        """The deployment that a key is about."""

    def on_mount(self) -> None:
        """Ask now and then."""
        self.set_interval(TRAFFIC_EVERY_S, self._read_if_seen)

    def _link_changed(self, link: Link) -> None:
        super()._link_changed(link)
        if link.found and not self.began:
            self.began = True
            self.read()

    @on(EngineFound)
    def _engine_found(self) -> None:
        self._read_if_seen()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        if message.event.verb.startswith(_ABOUT):
            self._read_if_seen()

    def on_screen_resume(self) -> None:
        """It may have changed while another screen was seen."""
        self._read_if_seen()

    def _read_if_seen(self) -> None:
        if self.is_current and self.engine_app.link.found:
            self.read()

    def read(self) -> None:
        """Ask, soon; what happens in the meantime is one question."""
        if not self._waiting:
            self._waiting = True
            self.set_timer(self.engine_app.pace_s, self._begin_reading)

    def _begin_reading(self) -> None:
        self._waiting = False
        self.run_worker(self._read(), group=self.group, exclusive=True)

    async def _read(self) -> None:
        try:
            await self.ask()
        except EngineError as error:
            self.engine_app.tell_failure(error)

    def subject(self, takes: Argument) -> str:
        """Of the row under the cursor."""
        endpoint, one = self.current_endpoint(), self.current_deployment()
        if takes == "version" and one is not None:
            return f"{one.endpoint}@{one.version}"
        return endpoint.name if endpoint is not None and takes in ("model", "version") else ""

    def do_logs(self, argument: str) -> AwaitMount | None:
        """What a model server of this row writes; with a number a job's log."""
        one = self.current_deployment()
        if argument:
            return super().do_logs(argument)
        if one is None or not one.replicas:
            self.say("No model server of this row is there whose log could be read.")
            return None
        self.say(f"$ mlops logs {one.endpoint}@{one.version} -f")
        return self.app.push_screen(ReplicaLogScreen(one, self.current_replica()))

    def current_replica(self) -> int:
        """Which model server of the deployment a key is about; a deployment's first one."""
        one = self.current_deployment()
        return one.replicas[0].index if one is not None and one.replicas else 0

    def do_copy(self, _: str) -> None:
        """The address rows are posted to."""
        endpoint = self.current_endpoint()
        if endpoint is None:
            return
        if endpoint.url is None:
            self.say(f"{endpoint.name} has no address yet: no gateway listens.", "warn")
        else:
            self.engine_app.send_to_clipboard(endpoint.url)

    def do_curl(self, _: str) -> None:
        """A line that asks the version which gets the most traffic, with a row of made-up values."""
        endpoint = self.current_endpoint()
        if endpoint is None:
            return
        behind = routed(endpoint)
        if endpoint.url is None or not behind:
            self.say(f"{endpoint.name} answers nothing yet, so there is nothing to ask.", "warn")
            return
        most = max(behind, key=lambda one: one.share)
        self.run_worker(self._make_curl(endpoint.url, most), group="curl", exclusive=True)

    async def _make_curl(self, url: str, one: DeploymentView) -> None:
        try:
            version = await self.engine_app.engine.version(one.endpoint, one.version)
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            self.post_message(CurlMade(curl_line(url, version.inputs)))

    @on(CurlMade)
    def _curl_made(self, message: CurlMade) -> None:
        self.engine_app.send_to_clipboard(message.line)
        self.say(f"Sent to the terminal's clipboard: {clean(message.line)}")
