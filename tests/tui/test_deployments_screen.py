"""4 Deployments, one endpoint, and the log of a model server."""

import json
import shlex

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import Clock, pane, screen_text, settle, shows, status, table

from engine.wire.endpoints import ReplicaView, Traffic
from mlops_tui.app import MlopsApp


def container(index: int = 0, **changes: object) -> ReplicaView:
    return ReplicaView.model_validate(
        {
            "index": index, "runtime": "docker", "pid": None, "container": "0f3a9c77d1e2", "healthy": True,
            "restarts": 0, "memory_bytes": 96 * 1024 * 1024, "cpu_share": 0.034,
        }
        | changes
    )  # fmt: skip


@pytest.fixture
def canary(fake: FakeEngine) -> FakeEngine:
    """fraud: the champion @2 with nine tenths, @3 coming in a container; @1 is over. tumour: nothing answers."""
    champion = made.deployment(4, version=2, share=0.9, target_share=1.0)
    coming = made.deployment(
        5, version=3, status="ready", share=0.1, target_share=0.5, champion=False, live_at=None, by="ben",
        note="waits for 120 more requests", replicas=[container(0), container(1, healthy=False, restarts=2)],
        traffic=Traffic(requests_per_s=1.2, p50_ms=1.0, p95_ms=3.4, p99_ms=9.0, error_share=0.02),
    )  # fmt: skip
    seen = Traffic(requests_per_s=13.7, p50_ms=0.8, p95_ms=2.2, p99_ms=4.4, error_share=0.002)
    fake.endpoints = {
        "fraud": made.endpoint(coming, champion, traffic=seen, generation=5, acknowledged=4),
        "tumour": made.endpoint(name="tumour", url=None, deployments=[]),
    }
    fake.history = {
        "fraud": [
            made.deployment(
                3, version=1, status="failed", note="the model server ended with code 1", champion=False,
                replicas=[], ended_at=made.ago(hours=2),
            )
        ]
    }  # fmt: skip
    fake.versions = {("fraud", 2): made.version(2), ("fraud", 3): made.version(3)}
    return fake


async def test_nothing_released_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "Nothing is released yet."))
        assert "mlops deploy NAME" in "\n".join(screen_text(pilot))


async def test_a_row_tells_weights_servers_and_traffic(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(190, 24)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        line = next(line for line in screen_text(pilot) if line.startswith("▸ fraud"))
        weights = "███████▓ @2 90%  @3 10%→50%"
        for told in ("◑ ready", weights, "2/3 up", "13.7/s", "0.8 ms", "2.2 ms", "4.4 ms", "0.2%"):
            assert told in line
        assert "newer routes are not in force yet" in line
        assert shows(pilot, "nothing answers")()


async def test_what_changes_appears_by_itself(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        live = made.deployment(5, version=3)
        canary.endpoints["fraud"] = made.endpoint(live)
        canary.tell(made.event(1, verb="rollout.switched"))
        await settle(pilot, shows(pilot, "████████ @3 100%"))


async def test_news_that_is_about_no_deployment_asks_nothing(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        asked = len(canary.asked("GET", "/endpoints"))
        for at in range(20):
            canary.tell(made.event(at + 1, verb="run.logged"))
        canary.tell(made.event(30, verb="alias.moved"))
        await settle(pilot, lambda: len(canary.asked("GET", "/endpoints")) == asked + 1)


async def test_enter_shows_the_endpoint_with_its_servers_and_its_history(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(200, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "the model server ended with code 1"))
        drawn = "\n".join(screen_text(pilot))
        for told in (
            "◑ ready @3 for 1m, 10% → 50% of the traffic: waits for 120 more requests",
            "http://127.0.0.1:18080/predict/fraud",
            "! generation 5 of the routes is not in force yet; 4 is",
            "13.7/s · p50 0.8 ms · p95 2.2 ms · p99 4.4 ms · errors 0.2%",
            "└ r0  ● healthy",
            "└ r1  ✗ not ready",
            "container 0f3a9c77d1e2",
            "process 99",
            "96 MiB",
            "3.4%",
            "✗ failed",
            "3 deployments  newest first",
        ):
            assert told in drawn, told


async def test_enter_on_a_server_follows_its_log(app: MlopsApp, canary: FakeEngine):
    canary.replica_logs["fraud", 5, 1] = "ready in 0.1 s\nwarn \x1b[2J unseen category\n"
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "└ r1"))
        await pilot.press("j", "j", "enter")
        await settle(pilot, shows(pilot, "warn ␛[2J unseen category"))
        assert shows(pilot, "logs of fraud@3 r1")()
        canary.replica_logs["fraud", 5, 1] += "one more\n"
        await settle(pilot, shows(pilot, "one more"))
        assert "◐ following" in status(pilot).place


async def test_the_log_of_a_server_that_says_nothing(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "fraud@3 r0 has written nothing so far"))
        assert app.said.text == "$ mlops logs fraud@3 -f"


async def test_a_row_without_a_server_has_no_log(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("j", "l")
        await settle(pilot, lambda: "No model server of this row" in status(pilot).said.text)


async def test_the_address_and_a_line_that_asks_it_are_copied(
    app: MlopsApp, canary: FakeEngine, monkeypatch: pytest.MonkeyPatch
):
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("y", "c")
        await settle(pilot, lambda: len(copied) == 2)
        assert copied[0] == "http://127.0.0.1:18080/predict/fraud"
        words = shlex.split(copied[1])
        assert words[:3] == ["curl", "-s", copied[0]]
        assert json.loads(words[-1]) == {"rows": [{"amount": 0.0, "items": 0, "country": "de", "online": False}]}
        assert canary.asked("GET", "/models/fraud/versions/2") == [None]
        await settle(pilot, shows(pilot, "curl -s http"))


async def test_an_endpoint_without_an_address_says_so(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("j", "y")
        await settle(pilot, lambda: "tumour has no address yet" in status(pilot).said.text)
        await pilot.press("c")
        await settle(pilot, lambda: "tumour answers nothing yet" in status(pilot).said.text)


async def test_describe_tells_all_of_a_deployment(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "└ r1"))
        await pilot.press("d")
        await settle(pilot, shows(pilot, "5 · fraud@3"))
        drawn = "\n".join(line.text for line in pane(pilot).lines)
        for told in ("waits for 120 more requests", "by ben", "p50, p95, p99", "2 restarts", "CPU 3.4% of a core"):
            assert told in drawn


async def test_the_filter_and_the_order_of_endpoints(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("s")
        await settle(pilot, lambda: status(pilot).place == "1/2  by traffic")
        await pilot.press("/", *"tumour", "enter")
        await settle(pilot, lambda: status(pilot).place == "1/1  /tumour  by traffic")
        assert table(pilot).key == "tumour"


async def test_a_filter_of_deployments_keeps_their_servers(app: MlopsApp, canary: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "└ r1"))
        await pilot.press("/", *"champion", "enter")
        await settle(pilot, lambda: not shows(pilot, "└ r1")())
        assert shows(pilot, "└ r0")()


async def test_a_release_is_followed_where_it_was_asked_for(app: MlopsApp, canary: FakeEngine, clock: Clock):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "└ r1"))
        failed = made.deployment(5, version=3, status="failed", note="given up", champion=False, replicas=[])
        canary.endpoints["fraud"] = made.endpoint(made.deployment(4, version=2))
        canary.history["fraud"].append(failed)
        canary.tell(made.event(1, verb="deployment.failed"))
        await settle(pilot, shows(pilot, "given up"))


async def test_what_is_coming_is_released_and_where_nothing_is_the_newest_that_may_be(
    app: MlopsApp, canary: FakeEngine
):
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("4")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("D")
        await settle(pilot, shows(pilot, "$ mlops deploy fraud@3"))
        await pilot.press("escape")
        await settle(pilot, lambda: "Not done" in status(pilot).said.text)
        app.say("")
        canary.endpoints["fraud"] = made.endpoint(made.deployment(4, version=2))
        canary.tell(made.event(9, verb="deployment.stopped"))
        await settle(pilot, lambda: not shows(pilot, "@3")())
        await pilot.press("D")
        await settle(pilot, shows(pilot, "$ mlops deploy fraud"))
        assert not shows(pilot, "$ mlops deploy fraud@")()
