from __future__ import annotations

from pathlib import Path

import pytest

from engine.gateway.routes import (
    Backend,
    BadRoutes,
    EndpointRoutes,
    Routes,
    decode_routes,
    encode_routes,
    load_routes,
    store_routes,
)


def routes(*weights: int, sockets: tuple[str, ...] = ("/s",)) -> Routes:
    backends = tuple(Backend(number, number, weight, sockets) for number, weight in enumerate(weights, 1))
    return Routes(3, {"fraud": EndpointRoutes(backends)})


def test_stored_routes_are_read_back(tmp_path: Path) -> None:
    store_routes(tmp_path, routes(9_000, 1_000))
    assert load_routes(tmp_path) == routes(9_000, 1_000)
    assert [each.name for each in tmp_path.iterdir()] == ["routes.json"]


def test_no_routes_yet_are_no_endpoints(tmp_path: Path) -> None:
    assert load_routes(tmp_path) == Routes(0, {})


def test_weights_of_nothing_at_all_are_allowed() -> None:
    assert decode_routes(encode_routes(routes(0, 0))) == routes(0, 0)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (routes(9_000, 999), "add up to 9999"),
        (routes(10_001, -1), "outside 0 to 10000"),
        (routes(10_000, sockets=()), "without a replica"),
        (Routes(1, {"Not A Name": EndpointRoutes()}), "no name of an endpoint"),
        (Routes(-1, {}), "counts from 0"),
        (Routes(1, {"a": EndpointRoutes((Backend(1, 1, 5_000, ("/s",)), Backend(1, 2, 5_000, ("/s",))))}), "twice"),
    ],
)
def test_routes_that_leave_requests_without_an_owner_are_refused(bad: Routes, says: str) -> None:
    with pytest.raises(BadRoutes, match=says):
        decode_routes(encode_routes(bad))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"generation": "1"}', b'{"generation": 1, "more": 2}', b"\xff"])
def test_what_is_no_set_of_routes_is_refused(text: bytes) -> None:
    with pytest.raises(BadRoutes):
        decode_routes(text)
