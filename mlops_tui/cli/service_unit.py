"""The systemd unit of an engine, as text. Nothing here touches the system.

The engine alone is the service's process: gateway, model servers and workers outlive it (`KillMode=process`), so that
released models answer while it is stopped, updated or restarted, and one of them that runs out of memory does not take
the rest along (`OOMPolicy=continue`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InvalidInput

MARK = "X-MlopsHome="
"""systemd passes over keys that begin with X-; this one says whose unit it is."""

_ENDED_BY_CONFIG = 2
"""Exit code of an engine whose config.toml is wrong: starting it again would not mend it."""

_SYSTEM_ONLY = """\
# It writes its home, and nothing else of this machine.
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
CapabilityBoundingSet=
AmbientCapabilities=
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
"""


@dataclass(frozen=True)
class ServiceUnit:
    """One engine as a service."""

    home: Path
    command: Sequence[str]
    """What runs `mlops`; the first is an absolute path."""
    user: str | None = None
    """Whom a system service runs as. None: a service of the user's own manager."""
    group: str | None = None
    """Whose members may ask the engine; None: the user's own group."""
    writable: Sequence[Path] = ()
    """Folders that a system service may write beside its home, for backups."""

    @property
    def mark(self) -> str:
        """The line by which a unit is known as this home's."""
        return f"{MARK}{_quoted(str(self.home))}"

    def text(self) -> str:
        """The unit file.

        Raises:
            InvalidInput: a path holds a character that no unit file can.
        """
        words = [*self.command, "--home", str(self.home), "engine"]
        if any(character in words[0] for character in "\"'\\"):
            raise InvalidInput(f"systemd runs no program with such a name: {words[0]}.", "Install mlops elsewhere.")
        # Variables are put in for all words but the program itself.
        started = " ".join([_quoted(words[0]), *(_quoted(word).replace("$", "$$") for word in words[1:])])
        after = ["After=network.target docker.service"] if self.user else []
        return "\n".join(
            [
                "# Written by `mlops service install`; `systemctl edit` changes it beside this file.",
                "[Unit]",
                f"Description=mlops engine of {_escaped(str(self.home))}",
                *after,
                "StartLimitIntervalSec=60",
                "StartLimitBurst=10",
                self.mark,
                "",
                "[Service]",
                "Type=exec",
                f"ExecStart={started}",
                *self._identity(),
                "Restart=on-failure",
                "RestartSec=2",
                f"RestartPreventExitStatus={_ENDED_BY_CONFIG}",
                "# Gateway, model servers and workers outlive the engine, which finds them again.",
                "KillMode=process",
                "OOMPolicy=continue",
                "TimeoutStopSec=90",
                "UMask=0077",
                "NoNewPrivileges=yes",
                *self._walls(),
                "",
                "[Install]",
                f"WantedBy={'multi-user.target' if self.user else 'default.target'}",
                "",
            ]
        )

    def _identity(self) -> list[str]:
        user = [f"User={_escaped(self.user)}"] if self.user else []
        return user + ([f"Group={_escaped(self.group)}"] if self.user and self.group else [])

    def _walls(self) -> list[str]:
        """A user's manager has no right to most of these."""
        if not self.user:
            return []
        paths = " ".join(_quoted(str(path)) for path in (self.home, *self.writable))
        return [_SYSTEM_ONLY + f"ReadWritePaths={paths}"]


def _quoted(text: str) -> str:
    """One word, whatever is in it."""
    return '"' + _escaped(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _escaped(text: str) -> str:
    """Per cent signs begin specifiers; a control character would end the line or more."""
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise InvalidInput(f"{text!r} holds a control character, which no unit file can.", "Use another path.")
    return text.replace("%", "%%")
