"""What was behind an endpoint stays readable."""

from __future__ import annotations

import pytest
from fakes.registry import World

from engine.errors import NotFound
from engine.registry.queries.endpoints import list_deployments


@pytest.fixture
def released(world: World) -> World:
    """Three deployments of fraud one after the other, and one of another project."""
    world.project("other")
    for version in (1, 2, 3):
        world.deploy(version)
        world.settle()
    world.deploy(1, name="other")
    world.settle()
    return world


def test_ended_deployments_are_listed_too_newest_first(released: World) -> None:
    found = list_deployments(released.reader, "fraud")
    assert [(one.version, one.status) for one in found.deployments] == [(3, "live"), (2, "stopped"), (1, "stopped")]
    assert [one.ended_at is None for one in found.deployments] == [True, False, False]
    assert found.next_before is None


def test_pages_of_deployments_hold_each_once(released: World) -> None:
    first = list_deployments(released.reader, "fraud", limit=2)
    second = list_deployments(released.reader, "fraud", limit=2, before=first.next_before)
    assert [one.version for one in (*first.deployments, *second.deployments)] == [3, 2, 1]


def test_the_history_of_a_project_that_nobody_knows_is_not_there(released: World) -> None:
    with pytest.raises(NotFound):
        list_deployments(released.reader, "nobody")
