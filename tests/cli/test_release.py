"""`approve`, `deploy`, `promote` and `rollback`."""

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine

from engine.wire.endpoints import EndpointView


def _becomes(fake: FakeEngine, status: str, **changes: object) -> None:
    asked: list[int] = []

    def later(endpoint: EndpointView) -> EndpointView:
        asked.append(1)
        if len(asked) < 2:
            return endpoint
        first = endpoint.deployments[0].model_copy(update={"status": status, **changes})
        return endpoint.model_copy(update={"deployments": [first, *endpoint.deployments[1:]]})

    fake.on_endpoint_asked = later


@pytest.mark.parametrize("verb", ["deploy", "promote", "rollback"])
def test_it_waits_until_the_version_is_live(mlops, fake: FakeEngine, verb: str):
    _becomes(fake, "live", share=1.0, champion=True)
    ran = mlops(verb, "fraud")
    assert ran.code == 0
    assert "● fraud@3 is live with 100% of the traffic and is the champion." in ran.out
    assert "http://127.0.0.1:18080/predict/fraud" in ran.out
    assert "fraud@3 · starting" in ran.err


def test_a_version_that_does_not_become_ready_is_exit_code_1_with_the_reason(mlops, fake: FakeEngine):
    _becomes(fake, "failed", note="the model server ended with code 1")
    ran = mlops("deploy", "fraud@3")
    assert ran.code == 1
    assert "the model server ended with code 1" in ran.err
    assert "The version before keeps the traffic." in ran.err


def test_a_deployment_that_was_replaced_is_no_success(mlops, fake: FakeEngine):
    fake.on_endpoint_asked = lambda endpoint: endpoint.model_copy(update={"deployments": [made.deployment(7)]})
    ran = mlops("deploy", "fraud@3")
    assert ran.code == 1
    assert "was replaced before it was live" in ran.err


def test_share_override_and_reason_are_sent(mlops, fake: FakeEngine):
    mlops("deploy", "fraud@3", "--share", "0.1", "--override", "board decision", "-m", "try", "--no-wait")
    assert fake.asked("POST", "/endpoints/fraud/deploy") == [
        {"version": 3, "share": 0.1, "override": "board decision", "reason": "try"}
    ]


@pytest.mark.parametrize("share", ["0", "1.5", "-1"])
def test_a_share_outside_of_0_to_1_is_wrong_usage(mlops, share: str):
    ran = mlops("deploy", "fraud@3", "--share", share)
    assert ran.code == 2
    assert "share" in ran.err


def test_no_wait_comes_back_with_what_was_begun(mlops, fake: FakeEngine):
    assert mlops("promote", "fraud@3", "--no-wait", "--json").json["status"] == "starting"


def test_ctrl_c_detaches_from_a_rollout(mlops, fake: FakeEngine):
    def interrupted(endpoint: EndpointView) -> EndpointView:
        raise KeyboardInterrupt

    fake.on_endpoint_asked = interrupted
    ran = mlops("deploy", "fraud@3")
    assert ran.code == 130
    assert "mlops endpoints" in ran.err


def test_approve_records_an_override(mlops, fake: FakeEngine):
    fake.versions["fraud", 3] = made.version(3)
    ran = mlops("approve", "fraud@3", "--override", "known drift")
    assert ran.code == 0
    assert fake.asked("POST", "/models/fraud/versions/3/approve") == [{"override": "known drift"}]
    assert "→ mlops deploy fraud@3" in ran.out


def test_a_gateway_that_cannot_listen_ends_the_wait_with_the_reason(
    mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mlops_tui.cli.waiting.GATEWAY_PATIENCE_S", 0.0)
    _becomes(fake, "starting", note="Ready; it waits for the gateway.")
    fake.gateway_note = "The gateway cannot listen on 127.0.0.1 port 8700: it is taken by another program."
    ran = mlops("deploy", "fraud@3")
    assert ran.code == 1
    assert "it is taken by another program" in ran.err
    assert "[gateway]" in ran.err
