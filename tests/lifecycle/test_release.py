"""Who may release what, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from fakes.core import ADA, BEN, CY, add, go_live, train
from pydantic import ValidationError
from sqlalchemy import event

from engine.deployment.records import switch
from engine.errors import Conflict, Forbidden, GateRefused, InsufficientEvidence, InvalidInput, NotFound
from engine.lifecycle.approve_version import approve_version
from engine.lifecycle.caller import Caller
from engine.lifecycle.deploy_version import deploy_version, promote_version
from engine.lifecycle.parts import Parts
from engine.lifecycle.rollback_endpoint import champions_stack, rollback_endpoint
from engine.registry.queries.endpoints import get_deployment, get_endpoint
from engine.registry.queries.events import list_events
from engine.registry.queries.models import get_model, get_version
from engine.registry.tables import Deployment, Version, now
from engine.registry.tx import Tx
from engine.wire.endpoints import Deploy, DeploymentView, Rollback
from engine.wire.models import ApproveVersion
from engine.wire.projects import TrainProject

EVE = Caller("eve", 1003, "viewer")


@pytest.fixture
def model(parts: Parts, tmp_path: Path) -> Parts:
    """fraud with one version that passed."""
    add(parts, tmp_path)
    train(parts)
    return parts


def judged(parts: Parts, outcome: str, number: int = 1) -> None:
    def set_outcome(tx: Tx) -> None:
        version = tx.first(Version, Version.number == number)
        assert version is not None
        version.outcome, version.reasons = outcome, [f"It is a {outcome}."]

    parts.writer.write_and_wait(set_outcome)


def with_status(parts: Parts, deployment: int, status: str) -> None:
    def set_status(tx: Tx) -> None:
        row = tx.get(Deployment, deployment)
        assert row is not None
        row.status = status
        row.live_at = now() if status == "live" else row.live_at

    parts.writer.write_and_wait(set_status)


def live(parts: Parts, version: int, share: float = 1.0) -> DeploymentView:
    deployed = deploy_version(parts, ADA, "fraud", Deploy(version=version, share=share))
    go_live(parts, deployed.id)
    return get_deployment(parts.reader, deployed.id)


def test_an_approvers_deploy_is_the_approval(model: Parts) -> None:
    deployed = deploy_version(model, BEN, "fraud", Deploy(reason="go"))
    assert (deployed.version, deployed.status, deployed.target_share, deployed.share) == (1, "starting", 1.0, 0.0)
    approval = get_version(model.reader, "fraud", 1).approval
    assert approval is not None
    assert (approval.by, approval.override, approval.automatic) == ("ben", None, False)


def test_an_operator_deploys_only_what_is_approved(model: Parts) -> None:
    with pytest.raises(Forbidden, match="No version of fraud is approved"):
        deploy_version(model, CY, "fraud", Deploy())
    with pytest.raises(Forbidden, match="fraud@1 passed and is not approved"):
        deploy_version(model, CY, "fraud", Deploy(version=1))
    approve_version(model, BEN, "fraud", 1, ApproveVersion())
    assert deploy_version(model, CY, "fraud", Deploy()).version == 1


@pytest.mark.parametrize("caller", [BEN, CY], ids=lambda caller: caller.role)
def test_the_newest_version_is_found_without_loading_all_of_them(model: Parts, caller: Caller) -> None:
    for _ in range(3):
        train(model)
    approve_version(model, BEN, "fraud", 2, ApproveVersion())
    judged(model, "fail", 4)
    loaded: list[int] = []

    def load(version: Version, _: object) -> None:
        loaded.append(version.number)

    event.listen(Version, "load", load)
    try:
        version = deploy_version(model, caller, "fraud", Deploy()).version
        train(model)
    finally:
        event.remove(Version, "load", load)
    assert version == (3 if caller is BEN else 2)
    assert 1 not in loaded


def test_an_override_without_a_version_means_the_newest(model: Parts) -> None:
    train(model)
    judged(model, "fail", 2)
    assert deploy_version(model, BEN, "fraud", Deploy(override="needed now")).version == 2


@pytest.mark.parametrize("release", [deploy_version, promote_version])
@pytest.mark.parametrize("caller", [ADA, BEN, CY, EVE], ids=lambda caller: caller.role)
def test_all_traffic_needs_the_same_role_by_either_name(
    model: Parts, caller: Caller, release: Callable[[Parts, Caller, str, Deploy], DeploymentView]
) -> None:
    if not caller.may("approver"):
        with pytest.raises(Forbidden):
            release(model, caller, "fraud", Deploy(version=1))
        approve_version(model, BEN, "fraud", 1, ApproveVersion())
    if not caller.may("operator"):
        with pytest.raises(Forbidden):
            release(model, caller, "fraud", Deploy(version=1))
        return
    assert release(model, caller, "fraud", Deploy(version=1)).target_share == 1.0


@pytest.mark.parametrize(("outcome", "error"), [("fail", GateRefused), ("insufficient", InsufficientEvidence)])
def test_a_version_that_did_not_pass_needs_a_recorded_override(
    model: Parts, outcome: str, error: type[Exception]
) -> None:
    judged(model, outcome)
    for call in (
        lambda: deploy_version(model, BEN, "fraud", Deploy(version=1)),
        lambda: deploy_version(model, BEN, "fraud", Deploy()),
        lambda: deploy_version(model, CY, "fraud", Deploy()),
        lambda: approve_version(model, BEN, "fraud", 1, ApproveVersion()),
    ):
        with pytest.raises(error, match=f"It is a {outcome}"):
            call()
    with pytest.raises(Forbidden, match="only an approver may override"):
        deploy_version(model, CY, "fraud", Deploy(version=1, override="trust me"))
    deploy_version(model, BEN, "fraud", Deploy(version=1, override="the old one is broken"))
    approval = get_version(model.reader, "fraud", 1).approval
    assert approval is not None
    assert approval.override == "the old one is broken"
    told = [event for event in list_events(model.reader).events if event.verb == "version.approved"]
    assert told[0].evidence["override"] == "the old one is broken"


def test_approving_twice_is_approving_once(model: Parts) -> None:
    first = approve_version(model, BEN, "fraud", 1, ApproveVersion())
    assert approve_version(model, ADA, "fraud", 1, ApproveVersion()) == first
    with pytest.raises(Forbidden):
        approve_version(model, CY, "fraud", 1, ApproveVersion())


def test_what_is_not_there_is_told(model: Parts) -> None:
    with pytest.raises(NotFound, match="no project 'nobody'"):
        deploy_version(model, ADA, "nobody", Deploy())
    with pytest.raises(NotFound, match="no version 7 of fraud"):
        deploy_version(model, ADA, "fraud", Deploy(version=7))
    with pytest.raises(NotFound, match="Nothing of fraud has been deployed"):
        get_endpoint(model.reader, "fraud")


def test_a_share_needs_somebody_to_share_with(model: Parts) -> None:
    with pytest.raises(Conflict, match="Nothing else serves fraud"):
        deploy_version(model, ADA, "fraud", Deploy(share=0.1))


def test_asking_twice_for_the_same_release_is_asking_once(model: Parts) -> None:
    first = deploy_version(model, ADA, "fraud", Deploy())
    assert deploy_version(model, ADA, "fraud", Deploy()).id == first.id
    go_live(model, first.id)
    assert deploy_version(model, ADA, "fraud", Deploy()).id == first.id


def test_a_newer_release_supersedes_one_that_is_still_starting(model: Parts) -> None:
    train(model)
    train(model)
    champion = live(model, 1)
    waiting = deploy_version(model, ADA, "fraud", Deploy(version=2))
    newest = deploy_version(model, ADA, "fraud", Deploy(version=3))
    assert "given up for version 3" in get_deployment(model.reader, waiting.id).note
    wanted = {row.id for row in get_endpoint(model.reader, "fraud").deployments if row.status == "live"}
    assert wanted == {champion.id}
    assert newest.status == "starting"


def test_promoting_a_canary_makes_it_the_champion(model: Parts) -> None:
    train(model)
    live(model, 1)
    canary = live(model, 2, share=0.1)
    assert (canary.share, get_model(model.reader, "fraud").champion) == (0.1, 1)
    go_live(model, promote_version(model, CY, "fraud", Deploy(version=2)).id)
    assert get_model(model.reader, "fraud").champion == 2


def test_rollback_goes_to_the_champion_before_and_then_further_back(model: Parts) -> None:
    for _ in range(2):
        train(model)
    for number in (1, 2, 3):
        live(model, number)
    for expected in (2, 1):
        back = rollback_endpoint(model, CY, "fraud", Rollback(reason="bad"))
        assert back.version == expected
        go_live(model, back.id)
    with pytest.raises(NotFound, match="no version before"):
        rollback_endpoint(model, CY, "fraud", Rollback())


def test_rollback_without_anything_before_says_so(model: Parts) -> None:
    with pytest.raises(NotFound, match="Nothing of fraud has been deployed"):
        rollback_endpoint(model, CY, "fraud", Rollback())
    live(model, 1)
    with pytest.raises(NotFound, match="no version before"):
        rollback_endpoint(model, CY, "fraud", Rollback())


def test_a_rollback_asked_for_again_while_it_is_under_way_is_the_same_one(model: Parts) -> None:
    for _ in range(2):
        train(model)
    for number in (1, 2, 3):
        live(model, number)
    back = rollback_endpoint(model, CY, "fraud", Rollback(reason="bad"))
    before = len(list_events(model.reader).events)
    for status in ("starting", "ready"):
        again = rollback_endpoint(model, ADA, "fraud", Rollback(reason="still bad"))
        assert (again.id, again.version, again.status, again.reason) == (back.id, 2, status, "bad")
        assert len(list_events(model.reader).events) == before
        model.writer.write_and_wait(partial(switch, deployment=back.id))
        before = len(list_events(model.reader).events)
    with_status(model, back.id, "live")
    assert rollback_endpoint(model, CY, "fraud", Rollback()).version == 1


def test_a_rollback_that_failed_is_begun_again(model: Parts) -> None:
    train(model)
    live(model, 1)
    live(model, 2)
    back = rollback_endpoint(model, CY, "fraud", Rollback())
    with_status(model, back.id, "failed")
    again = rollback_endpoint(model, CY, "fraud", Rollback())
    assert again.id != back.id
    assert (again.version, again.status) == (1, "starting")


def test_a_release_given_after_a_rollback_is_what_the_next_rollback_takes_back(model: Parts) -> None:
    for _ in range(2):
        train(model)
    live(model, 1)
    champion = live(model, 2)
    rollback_endpoint(model, CY, "fraud", Rollback())
    newer = deploy_version(model, ADA, "fraud", Deploy(version=3))
    assert rollback_endpoint(model, CY, "fraud", Rollback()).id == champion.id
    assert "taken back by cy" in get_deployment(model.reader, newer.id).note


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_rollback_takes_back_what_is_on_its_way(model: Parts, share: float) -> None:
    train(model)
    champion = live(model, 1)
    coming = deploy_version(model, ADA, "fraud", Deploy(version=2, share=share))
    assert rollback_endpoint(model, CY, "fraud", Rollback()).id == champion.id
    assert "taken back by cy" in get_deployment(model.reader, coming.id).note
    assert get_model(model.reader, "fraud").champion == 1


def test_rollback_takes_back_a_canary(model: Parts) -> None:
    train(model)
    champion = live(model, 1)
    canary = live(model, 2, share=0.2)
    assert rollback_endpoint(model, CY, "fraud", Rollback()).id == champion.id
    assert "taken back" in get_deployment(model.reader, canary.id).note


def test_a_version_that_came_again_by_a_plain_deploy_is_no_rollback() -> None:
    assert champions_stack([(1, False), (2, False), (1, False)]) == [1, 2, 1]


def test_a_version_no_registry_can_hold_is_refused_in_a_sentence(model: Parts) -> None:
    with pytest.raises(InvalidInput, match="too large"):
        deploy_version(model, ADA, "fraud", Deploy(version=2**70))


@pytest.mark.parametrize("seed", [-1, 2**31, 2**70])
def test_a_seed_no_worker_can_use_is_refused(seed: int) -> None:
    with pytest.raises(ValidationError, match="seed"):
        TrainProject(seed=seed)
