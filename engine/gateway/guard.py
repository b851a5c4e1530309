"""Against web pages that reach for the loopback address: DNS rebinding, and forms that post across origins.

A page cannot choose the `Host` its browser sends, and cannot leave out `Origin` when it posts; programs send the
address they were given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from engine.gateway.answers import Problem


class Guard:
    """Knows the names under which a gateway on loopback may be asked. Elsewhere it lets everything pass."""

    def __init__(self, host: str, port: int) -> None:
        names = ["127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host]
        self._on = is_loopback(host)
        self._hosts = frozenset(name for each in names for name in (each, f"{each}:{port}"))
        self._origins = frozenset(f"http://{name}" for name in self._hosts)

    def check(self, headers: Mapping[str, str]) -> None:
        """Refuse a request that a web page of another origin made.

        Raises:
            Problem: 403.
        """
        if not self._on:
            return
        host = headers.get("Host")
        if host is not None and host not in self._hosts and host.lower() not in self._hosts:
            raise Problem(403, "This gateway does not answer to that Host.", "Ask it as 127.0.0.1 or localhost.")
        origin = headers.get("Origin")
        if origin is not None and origin not in self._origins:
            raise Problem(403, "Web pages of other origins may not ask this gateway.", "Ask it from a program.")


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
