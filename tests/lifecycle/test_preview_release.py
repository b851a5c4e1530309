"""What a release would change is told without changing anything, and is what then happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.core import ADA, BEN, CY, add, go_live, train

from engine.errors import NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.parts import Parts
from engine.lifecycle.preview_release import preview_release
from engine.lifecycle.rollback_endpoint import rollback_endpoint
from engine.registry.queries.endpoints import get_endpoint
from engine.registry.queries.events import list_events
from engine.registry.queries.models import get_model, get_version
from engine.registry.tables import GatewayState, Version
from engine.registry.tx import Tx
from engine.wire.endpoints import Deploy, ReleasePreview, Rollback

EVE = Caller("eve", 1003, "viewer")


@pytest.fixture
def two(parts: Parts, tmp_path: Path) -> Parts:
    """fraud with two versions that passed; the first is the champion."""
    add(parts, tmp_path)
    train(parts)
    go_live(parts, deploy_version(parts, ADA, "fraud", Deploy(version=1)).id)
    train(parts)
    judged(parts, "pass", 2)
    return parts


def judged(parts: Parts, outcome: str, number: int) -> None:
    def set_outcome(tx: Tx) -> None:
        version = tx.first(Version, Version.number == number)
        assert version is not None
        version.outcome, version.reasons = outcome, [f"It is a {outcome}."]

    parts.writer.write_and_wait(set_outcome)


def steps(seen: ReleasePreview) -> list[tuple[int, float, float, bool]]:
    return [(step.version, step.before, step.after, step.ends) for step in seen.steps]


def state(parts: Parts) -> tuple[object, ...]:
    return (
        list_events(parts.reader, limit=1000),
        get_endpoint(parts.reader, "fraud"),
        get_version(parts.reader, "fraud", 2),
        get_model(parts.reader, "fraud"),
    )


def test_a_promotion_takes_all_traffic_from_the_champion_which_ends(two: Parts) -> None:
    seen = preview_release(two, ADA, "fraud", "promote", version=2)
    assert (seen.champion_before, seen.champion_after) == (1, 2)
    assert steps(seen) == [(1, 1.0, 0.0, True), (2, 0.0, 1.0, False)]
    assert [step.deployment for step in seen.steps] == [1, None]
    assert (seen.approves, seen.approved_by, seen.needs_override, seen.refusal) == (True, None, False, None)


def test_the_first_release_of_a_home_is_told_before_any_gateway_runs(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    judged(parts, "pass", 1)
    seen = preview_release(parts, ADA, "fraud", "deploy", version=1)
    assert (seen.champion_before, seen.champion_after, seen.refusal) == (None, 1, None)
    assert steps(seen) == [(1, 0.0, 1.0, False)]
    assert parts.writer.write_and_wait(lambda tx: tx.get(GatewayState, 1)) is None


def test_a_share_is_taken_from_the_champion_which_stays(two: Parts) -> None:
    seen = preview_release(two, ADA, "fraud", "deploy", version=2, share=0.1)
    assert (seen.champion_before, seen.champion_after) == (1, 1)
    assert steps(seen) == [(1, 1.0, 0.9, False), (2, 0.0, 0.1, False)]


@pytest.mark.parametrize(
    ("verb", "version"), [("deploy", 2), ("promote", 2), ("approve", 2), ("rollback", None), ("deploy", 9)]
)
def test_looking_changes_nothing(two: Parts, verb: str, version: int | None) -> None:
    before = state(two)
    preview_release(two, ADA, "fraud", verb, version=version)  # type: ignore[arg-type]
    assert state(two) == before


def test_what_is_told_is_what_happens(two: Parts) -> None:
    seen = preview_release(two, ADA, "fraud", "deploy", version=2, share=0.3)
    go_live(two, deploy_version(two, ADA, "fraud", Deploy(version=2, share=0.3)).id)
    there = {one.version: one.share for one in get_endpoint(two.reader, "fraud").deployments}
    assert there == {step.version: step.after for step in seen.steps}


def test_a_rollback_names_the_version_that_comes_back(two: Parts) -> None:
    go_live(two, deploy_version(two, ADA, "fraud", Deploy(version=2)).id)
    seen = preview_release(two, CY, "fraud", "rollback")
    assert (seen.version, seen.champion_before, seen.champion_after) == (1, 2, 1)
    assert (1, 0.0, 1.0, False) in steps(seen)
    assert (2, 1.0, 0.0, True) in steps(seen)
    assert rollback_endpoint(two, CY, "fraud", Rollback()).version == 1


def test_a_rollback_beside_a_challenger_takes_that_away(two: Parts) -> None:
    go_live(two, deploy_version(two, ADA, "fraud", Deploy(version=2, share=0.1)).id)
    seen = preview_release(two, ADA, "fraud", "rollback")
    assert (seen.champion_before, seen.champion_after) == (1, 1)
    assert steps(seen) == [(1, 0.9, 1.0, False), (2, 0.1, 0.0, True)]


def test_what_did_not_pass_needs_a_reason_and_shows_what_it_would_change(two: Parts) -> None:
    judged(two, "insufficient", 2)
    seen = preview_release(two, BEN, "fraud", "deploy", version=2)
    assert (seen.needs_override, seen.refusal, seen.outcome) == (True, None, "insufficient")
    assert seen.reasons == ["It is a insufficient."]
    assert seen.champion_after == 2


@pytest.mark.parametrize(
    ("caller", "verb", "told"),
    [
        (EVE, "deploy", "eve is viewer here, and only an operator may deploy a version."),
        (EVE, "rollback", "only an operator may roll back"),
        (CY, "approve", "only an approver may approve"),
        (CY, "deploy", "fraud@2 passed and is not approved yet."),
        (ADA, "rollback", "no version before this one"),
    ],
)
def test_who_may_not_is_told_why(two: Parts, caller: Caller, verb: str, told: str) -> None:
    version = None if verb == "rollback" else 2
    seen = preview_release(two, caller, "fraud", verb, version=version)  # type: ignore[arg-type]
    assert seen.refusal is not None
    assert told in seen.refusal.message
    assert (seen.steps, seen.champion_after) == ([], 1)


def test_an_operator_is_not_asked_for_a_reason_that_only_an_approver_may_give(two: Parts) -> None:
    judged(two, "fail", 2)
    seen = preview_release(two, CY, "fraud", "deploy", version=2)
    assert seen.refusal is not None
    assert "override the gate" in seen.refusal.message
    assert not seen.needs_override


def test_an_approval_says_who_it_is_by_and_moves_no_traffic(two: Parts) -> None:
    seen = preview_release(two, BEN, "fraud", "approve", version=2)
    assert (seen.approves, seen.approved_by, seen.steps) == (True, None, [])
    again = preview_release(two, BEN, "fraud", "approve", version=1)
    assert (again.approves, again.approved_by) == (False, "ada")


def test_a_model_nobody_knows_is_no_preview(parts: Parts) -> None:
    with pytest.raises(NotFound):
        preview_release(parts, ADA, "nobody", "rollback")


def test_the_same_version_at_the_same_share_changes_nothing(two: Parts) -> None:
    seen = preview_release(two, ADA, "fraud", "promote", version=1)
    assert (seen.champion_before, seen.champion_after) == (1, 1)
    assert steps(seen) == [(1, 1.0, 1.0, False)]
