"""What is asked of systemd: through its own commands, the system's manager or that of the user."""

from __future__ import annotations

import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import Conflict, Forbidden, NotFound, Unavailable
from mlops_tui.cli.service_unit import MARK, ServiceUnit

Scope = Literal["system", "user"]

SYSTEM_FOLDER = Path("/etc/systemd/system")

_RUNS = frozenset({"running", "degraded", "starting", "initializing", "maintenance", "stopping"})
_ANSWERS_WITHIN_S = 120.0
_SHOWN = ("LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "NRestarts")


@dataclass(frozen=True)
class Service:
    """A unit by its name, in one of the two managers."""

    name: str
    scope: Scope

    @property
    def unit(self) -> str:
        """Its full name."""
        return f"{self.name}.service"

    @property
    def path(self) -> Path:
        """Where its file lies."""
        if self.scope == "system":
            return SYSTEM_FOLDER / self.unit
        config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(config) / "systemd" / "user" / self.unit

    def need_manager(self) -> None:
        """Raises `Unavailable` where no systemd runs that could take the service."""
        if self._run("is-system-running").stdout.strip() not in _RUNS:
            whose = "systemd" if self.scope == "system" else "This user's systemd"
            raise Unavailable(
                f"{whose} does not run on this machine, so there can be no service.",
                "`--dry-run` prints the unit; `mlops up` starts the engine in the background all the same.",
            )

    def need_rights(self) -> None:
        """Raises `Forbidden` where a system service is meant by somebody who is not root."""
        if self.scope == "system" and os.geteuid() != 0:
            raise Forbidden("A service of the system needs root.", "Say it with sudo, or use --user for one of yours.")

    def check_ours(self, unit: ServiceUnit | None = None) -> bool:
        """Whether its file is there already.

        Raises:
            Conflict: somebody else wrote it, or it is another home's than `unit`'s.
        """
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return False
        marks = [line for line in lines if line.startswith(MARK)]
        if not marks:
            raise Conflict(f"{self.path} was not written by mlops.", "Choose another name with --name.")
        if unit is not None and marks != [unit.mark]:
            home = marks[0].removeprefix(MARK)
            raise Conflict(f"{self.unit} serves another home, {home}.", "Choose another name with --name.")
        return True

    def install(self, unit: ServiceUnit) -> None:
        """Write the file, and have it start now and with the machine."""
        self._write(unit.text())
        self._do("daemon-reload")
        self._do("enable", self.unit)
        self._do("restart", self.unit)

    def remove(self) -> None:
        """End the engine, and take the file away. Raises `NotFound`, or `Conflict` as `check_ours`."""
        if not self.check_ours():
            raise NotFound(f"There is no service {self.unit}.", "`mlops service install` makes one.")
        self._do("disable", "--now", self.unit)
        self.path.unlink()
        self._do("daemon-reload")

    def show(self) -> dict[str, str]:
        """What the manager knows of it, by systemd's own names."""
        properties = [f"--property={name}" for name in _SHOWN]
        lines = self._do("show", self.unit, *properties).stdout.splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    @property
    def is_active(self) -> bool:
        """The service's own engine runs."""
        return self._run("is-active", self.unit).stdout.strip() in ("active", "activating", "reloading")

    def _write(self, text: str) -> None:
        begun = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            begun.write_text(text, encoding="utf-8")
            begun.chmod(0o644)
            begun.replace(self.path)
        except OSError as error:
            begun.unlink(missing_ok=True)
            raise Unavailable(f"{self.path} cannot be written: {error.strerror}.", "Look at the folder.") from error

    def _do(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = self._run(*words)
        if done.returncode:
            raise Unavailable(
                f"systemd refused `{words[0]}`: {_last(done.stderr)}.",
                f"`journalctl {'--user ' if self.scope == 'user' else ''}-u {self.unit}` may say more.",
            )
        return done

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(["systemctl", *(["--user"] if self.scope == "user" else []), "--no-pager", *words])


def linger(user: str) -> str:
    """Have the user's services run without a login; why not, in a sentence, or nothing."""
    done = run(["loginctl", "enable-linger", user])
    return f"It ends when {user} logs out: {_last(done.stderr)}." if done.returncode else ""


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """One of systemd's commands. Raises `Unavailable` where it is not there, or hangs."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWERS_WITHIN_S, check=False
        )
    except FileNotFoundError:
        raise Unavailable(
            f"There is no `{command[0]}` on this machine, so there can be no service.",
            "`--dry-run` prints the unit; `mlops up` starts the engine in the background all the same.",
        ) from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"`{' '.join(command)}` does not come back.", "Look at systemd.") from None


def _last(stderr: str) -> str:
    return (stderr.strip().splitlines() or ["it does not say why"])[-1].rstrip(".")
