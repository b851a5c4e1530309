"""The built-in gateway as the engine sees it: a process found by its mark, and a control socket."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

import engine
from engine.deployment.marked import clean_environment, find_marked, home_mark, send
from engine.deployment.process_log import last_line
from engine.deployment.unix_http import ask
from engine.errors import DiskFull, GatewayUnavailable, NotThereYet, PortTaken
from engine.gateway.protocol import GatewayStatus, StaleRoutes
from engine.gateway.routes import Routes, encode_routes
from engine.settings import Home

MARK = "MLOPS_GATEWAY"

ANSWER_S = 2.0
PUT_S = 15.0
"""Storing routes syncs the disk."""

SILENT_S = 15.0
"""A gateway that runs and answers nothing for this long is ended; a machine under load may take a while."""

START_S = 20.0
END_S = 40.0
"""The gateway itself gives requests in flight 30 s."""

_TAKEN, _HELD = 3, 4


class BuiltinGateway:
    """See `engine.gateway.protocol.Gateway`.

    Raises:
        NotThereYet: `host` is not this machine's own address.
    """

    def __init__(self, home: Home, host: str = "127.0.0.1", sticky_header: str = "x-mlops-key") -> None:
        if not _is_loopback(host):
            raise NotThereYet(
                f"The gateway cannot listen on {host} yet: there every request would have to say who it is.",
                'Leave host = "127.0.0.1" in config.toml, and let a proxy of yours ask who it is.',
            )
        self._home = home
        self._host = host
        self._sticky_header = sticky_header
        self._children: list[subprocess.Popen[bytes]] = []
        self._silent_since: float | None = None

    def start(self, port: int) -> GatewayStatus:
        """Adopt or start it; see `Gateway`."""
        self._reap()
        status = self.status()
        if status is not None:
            self._silent_since = None
            return status
        self._end_silent_one()
        child = self._spawn(port)
        give_up_at = time.monotonic() + START_S
        while time.monotonic() < give_up_at:
            code = child.poll()
            if code is not None:
                raise self._ended(code, port)
            status = self.status()
            if status is not None and status.pid == child.pid:
                return status
            time.sleep(0.02)
        child.kill()
        child.wait()
        raise GatewayUnavailable("The gateway did not start in time.", f"Its log says more: {self._log}.")

    def status(self) -> GatewayStatus | None:
        """What it tells of itself; None while it does not answer."""
        try:
            code, body = ask(self._home.gateway_socket, "GET", "/status", timeout_s=ANSWER_S)
            return msgspec.json.decode(body, type=GatewayStatus) if code == 200 else None
        except (OSError, msgspec.DecodeError):
            return None

    def put_routes(self, routes: Routes) -> None:
        """Bring routes in force; see `Gateway`."""
        code, body = self._ask("PUT", "/routes", encode_routes(routes), timeout_s=PUT_S)
        if code == 409:
            status = self.status()
            raise StaleRoutes(status.generation if status else routes.generation)
        if code == 507:
            raise DiskFull(_sentence(body), "Make room and the routes are put again.")
        if code != 200:
            raise GatewayUnavailable(f"The gateway refused its routes: {_sentence(body)}", f"Its log: {self._log}.")

    def drain(self, deployment: int, timeout_s: float) -> bool:
        """Wait until nothing is in flight; see `Gateway`."""
        target = f"/drain/{deployment}?timeout_s={timeout_s:g}"
        code, body = self._ask("POST", target, None, timeout_s=timeout_s + ANSWER_S)
        if code not in (200, 504):
            raise GatewayUnavailable(f"The gateway does not drain: {_sentence(body)}", f"Its log: {self._log}.")
        return code == 200

    def stop(self) -> None:
        """End it after the requests in flight."""
        marked = list(find_marked(MARK, self._home))
        for each in marked:
            send(each.pid, each.created_at, signal.SIGTERM)
        give_up_at = time.monotonic() + END_S
        while any(True for _ in find_marked(MARK, self._home)) and time.monotonic() < give_up_at:
            self._reap()
            time.sleep(0.02)
        self._kill()

    @property
    def _log(self) -> Path:
        return self._home.logs / "gateway.log"

    @property
    def _errors(self) -> Path:
        return self._home.logs / "gateway.err"

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        environment = clean_environment(MARK, f"{port}-{home_mark(self._home)}")
        environment["PYTHONPATH"] = str(Path(engine.__path__[0]).parent)
        arguments = [str(self._home.gateway), str(self._home.gateway_socket), self._host, str(port)]
        options = ["--sticky-header", self._sticky_header, "--log", str(self._log)]
        try:
            with self._errors.open("wb") as errors:
                child = subprocess.Popen(
                    [sys.executable, "-P", "-m", "engine.gateway", *arguments, *options],
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    cwd=self._home.gateway,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise GatewayUnavailable(f"The gateway cannot be started: {error}.", "Look at this machine.") from error
        self._children.append(child)
        return child

    def _ended(self, code: int, port: int) -> PortTaken | GatewayUnavailable:
        sentence = last_line(self._errors) or f"The gateway ended with code {code}."
        if code == _TAKEN:
            hint = "End the other program, or name another port: [gateway] port in config.toml."
            return PortTaken(sentence, hint, port=port)
        return GatewayUnavailable(sentence, f"Its log says more: {self._log}.")

    def _end_silent_one(self) -> None:
        """A gateway of ours that does not answer holds the folder and the port: after a while it is ended.

        Raises:
            GatewayUnavailable: it may still come to answer.
        """
        now = time.monotonic()
        if not any(True for _ in find_marked(MARK, self._home)):
            self._silent_since = None
            return
        if self._silent_since is None:
            self._silent_since = now
        if now - self._silent_since < SILENT_S:
            raise GatewayUnavailable("The gateway runs but does not answer.", "It is started anew if it stays so.")
        self._kill()
        self._silent_since = None

    def _kill(self) -> None:
        for each in find_marked(MARK, self._home):
            send(each.pid, each.created_at, signal.SIGKILL)
        give_up_at = time.monotonic() + ANSWER_S
        while any(True for _ in find_marked(MARK, self._home)) and time.monotonic() < give_up_at:
            self._reap()
            time.sleep(0.01)
        self._reap()

    def _reap(self) -> None:
        self._children = [child for child in self._children if child.poll() is None]

    def _ask(self, method: str, target: str, body: bytes | None, *, timeout_s: float) -> tuple[int, bytes]:
        try:
            return ask(self._home.gateway_socket, method, target, body, timeout_s=timeout_s)
        except OSError as error:
            raise GatewayUnavailable("The gateway does not answer.", "The engine starts it again.") from error


def _sentence(body: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError):
        told = msgspec.json.decode(body)
        if isinstance(told, dict):
            return str(told.get("error", ""))[:300]
    return "it gave no reason."


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
