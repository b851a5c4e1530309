from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.deployment.rollout import routes_of, shares_with, shares_without
from engine.gateway.routes import decode_routes, encode_routes
from engine.registry.queries.rollouts import RolloutRow

weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=6).map(lambda parts: dict(enumerate(parts, 1)))


def whole(parts: dict[int, int]) -> dict[int, int]:
    """Weights as the registry has them: adding up to 10,000, or all 0."""
    shares = shares_without(99, {99: 1} | parts)
    del shares[99]
    return shares


@given(weights, st.integers(1, 10_000))
def test_weights_add_up_with_a_newcomer(parts: dict[int, int], target: int) -> None:
    now = whole(parts)
    after = shares_with(50, target, now)
    assert sum(after.values()) == 10_000
    assert set(after) == {*now, 50}
    assert min(after.values()) >= 0
    if any(now.values()):
        assert after[50] == target
    assert all(after[number] == 0 for number, weight in now.items() if weight == 0)


@given(weights)
def test_weights_add_up_without_a_leaver(parts: dict[int, int]) -> None:
    now = whole(parts)
    after = shares_without(1, now)
    assert after[1] == 0
    assert sum(after.values()) in (0, 10_000)
    assert (sum(after.values()) == 0) is not any(weight for number, weight in now.items() if number != 1)


def test_a_small_share_does_not_starve_a_smaller_one() -> None:
    assert shares_with(3, 9_990, {1: 9_999, 2: 1}) == {1: 9, 2: 1, 3: 9_990}


def test_routes_hold_every_share_oldest_first_and_pass_the_gateways_check() -> None:
    def row(number: int, name: str, weight: int, replicas: int = 1) -> RolloutRow:
        return RolloutRow(
            number, name, 1, number, number, "running", "live", weight, weight, False, "process", replicas
        )

    rows = [row(3, "b", 10_000, 2), row(2, "a", 1_000), row(1, "a", 9_000), row(4, "a", 0), row(5, "c", 0)]
    routes = routes_of(rows, 7, lambda deployment, index: f"/d-{deployment}/{index}")
    assert decode_routes(encode_routes(routes)) == routes
    assert [each.deployment for each in routes.endpoints["a"].backends] == [1, 2]
    assert routes.endpoints["b"].backends[0].sockets == ("/d-3/0", "/d-3/1")
    assert set(routes.endpoints) == {"a", "b"}
