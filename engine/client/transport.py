"""HTTP over the engine's Unix socket."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx
from httpcore._backends.sync import SyncStream

from engine.settings import Home

LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30.0)
"""Idle connections go sooner than the engine would close them, so that none closes while a request is on its way."""


def waiting_transport(home: Home) -> httpx.HTTPTransport:
    """For the client that waits."""
    transport = httpx.HTTPTransport(uds=str(home.engine_socket), verify=False, limits=LIMITS)
    # httpx offers no place to hand in a backend.
    transport._pool = httpcore.ConnectionPool(
        uds=str(home.engine_socket),
        max_connections=LIMITS.max_connections,
        max_keepalive_connections=LIMITS.max_keepalive_connections,
        keepalive_expiry=LIMITS.keepalive_expiry,
        network_backend=_ClosingBackend(),
    )
    return transport


def awaited_transport(home: Home) -> httpx.AsyncHTTPTransport:
    """For the client that is awaited."""
    return httpx.AsyncHTTPTransport(uds=str(home.engine_socket), verify=False, limits=LIMITS)


class _ClosingBackend(httpcore.SyncBackend):
    """httpcore 1.0 leaves its socket open where a connection is refused, and a patient client is refused many times."""

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(path)
        except TimeoutError as error:
            connection.close()
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            connection.close()
            raise httpcore.ConnectError(str(error)) from error
        return SyncStream(connection)
