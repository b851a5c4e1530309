"""What the gateway routes: endpoints, the versions behind each, their share, and the sockets of their replicas."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

ROUTES_NAME = "routes.json"
FULL_WEIGHT = 10_000

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""An endpoint's name."""


class Backend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One deployment behind an endpoint."""

    deployment: int
    version: int
    weight: int
    """Parts of 10,000. 0: reached only by asking for its version."""
    sockets: tuple[str, ...]
    """Absolute paths, one a replica."""


class EndpointRoutes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The deployments of one endpoint, in the order in which they divide the buckets."""

    backends: tuple[Backend, ...] = ()


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All routes at one moment. A higher generation replaces a lower one whole."""

    generation: int = 0
    endpoints: dict[str, EndpointRoutes] = {}


class BadRoutes(ValueError):
    """The text is no set of routes; the message says why in one sentence."""


def decode_routes(text: bytes) -> Routes:
    """Read routes and check that every endpoint's weights add up to 10,000, or are all 0.

    Raises:
        BadRoutes: not JSON, not of this shape, or weights that leave buckets without an owner.
    """
    try:
        routes = msgspec.json.decode(text, type=Routes)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRoutes(f"These are no routes: {error}.") from error
    if routes.generation < 0:
        raise BadRoutes("A generation of routes counts from 0.")
    for name, endpoint in routes.endpoints.items():
        if not NAME.fullmatch(name):
            raise BadRoutes(f"{name[:60]!r} is no name of an endpoint.")
        _check(name, endpoint)
    return routes


def encode_routes(routes: Routes) -> bytes:
    """Their text, the same for the same routes."""
    return msgspec.json.format(msgspec.json.encode(routes, order="deterministic"), indent=1) + b"\n"


def _check(name: str, endpoint: EndpointRoutes) -> None:
    if any(not 0 <= backend.weight <= FULL_WEIGHT for backend in endpoint.backends):
        raise BadRoutes(f"Endpoint {name} has a weight outside 0 to {FULL_WEIGHT}.")
    total = sum(backend.weight for backend in endpoint.backends)
    if total not in (0, FULL_WEIGHT):
        raise BadRoutes(f"The weights of endpoint {name} add up to {total}, not to {FULL_WEIGHT}.")
    if any(backend.weight and not backend.sockets for backend in endpoint.backends):
        raise BadRoutes(f"Endpoint {name} sends traffic to a deployment without a replica.")
    if len({backend.deployment for backend in endpoint.backends}) < len(endpoint.backends):
        raise BadRoutes(f"Endpoint {name} names a deployment twice.")


def load_routes(folder: Path) -> Routes:
    """The routes stored last; none yet means generation 0 and no endpoints.

    Raises:
        BadRoutes: the file is damaged.
    """
    try:
        return decode_routes((folder / ROUTES_NAME).read_bytes())
    except FileNotFoundError:
        return Routes()


def store_routes(folder: Path, routes: Routes) -> None:
    """Replace the stored routes, so that a crash leaves the old ones or the new ones, durably.

    Raises:
        OSError: no room, or the folder cannot be written; the old routes stay.
    """
    part = folder / (ROUTES_NAME + ".part")
    try:
        with part.open("wb") as file:
            file.write(encode_routes(routes))
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / ROUTES_NAME)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
