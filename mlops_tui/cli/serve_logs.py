"""`logs NAME`: what the model servers behind an endpoint write, those that come later too."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from mlops_tui.cli.console import Console
from mlops_tui.cli.job_verbs import Lines
from mlops_tui.cli.names import split_version
from mlops_tui.cli.session import open_engine
from mlops_tui.cli.waiting import PlainLines, ask_patiently, detachable

if TYPE_CHECKING:
    from engine.client import EngineClient
    from engine.wire.endpoints import EndpointView
    from engine.wire.jobs import LogPage

FOLLOW_S = 1.0

Server = tuple[int, int, int]
"""Version, deployment, replica."""


def print_serve_logs(text: str, *, follow: bool, as_json: bool) -> None:
    """The last lines of each model server, and with `follow` what comes after, until ctrl-c.

    `text` is an endpoint's name, or NAME@V for one version.
    """
    name, version = split_version(text)
    with open_engine() as engine, detachable(f"mlops logs {text} -f"):
        reading = _Reading(engine, name, version, as_json)
        there = reading.look()
        if not follow and not reading.said:
            has = "have written nothing" if there else "are not there"
            Console().note(f"The model servers of {text} {has}.", "dim")
        while follow:
            time.sleep(FOLLOW_S)
            reading.look()
        reading.end()


class _Reading:
    """How far each log was read."""

    def __init__(self, engine: EngineClient, name: str, version: int | None, as_json: bool) -> None:
        self._engine, self._name, self._version, self._as_json = engine, name, version, as_json
        self._offsets: dict[Server, int] = {}
        self._lines: dict[Server, Lines] = {}
        self._beside = PlainLines()
        self.said = False
        """Something was written."""

    def look(self) -> int:
        """Print what is new; how many model servers there are."""
        endpoint = ask_patiently(lambda: self._engine.endpoint(self._name), self._tell)
        servers = self._servers(endpoint)
        for server in servers:
            self._read(server, several=len(servers) > 1 or len(self._lines) > 1)
        if not self._as_json:
            sys.stdout.flush()
        return len(servers)

    def end(self) -> None:
        """Lines that have no end."""
        for lines in self._lines.values():
            lines.end()

    def _servers(self, endpoint: EndpointView) -> list[Server]:
        return [
            (one.version, one.id, replica.index)
            for one in reversed(endpoint.deployments)
            if self._version in (None, one.version)
            for replica in one.replicas
        ]

    def _read(self, server: Server, *, several: bool) -> None:
        version, _, replica = server
        lines = self._lines.setdefault(server, Lines(f"@{version} r{replica} │ " if several else ""))
        while True:
            page = self._page(server)
            moved = page.next_offset != self._offsets.get(server)
            self._offsets[server] = page.next_offset
            if not page.text:
                return
            self.said = True
            if self._as_json:
                about = {"version": version, "deployment": server[1], "replica": replica}
                Console().json_line(about | page.model_dump(mode="json"))
            else:
                lines.print(page.text)
            if not moved:
                return

    def _page(self, server: Server) -> LogPage:
        _, deployment, replica = server
        offset = self._offsets.get(server)
        return ask_patiently(
            lambda: self._engine.replica_log(self._name, deployment, replica, offset=offset), self._tell
        )

    def _tell(self, text: str) -> None:
        self._beside.update(None, text)
