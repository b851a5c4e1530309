"""From an alarm to a decision: Fleet, the alarm, its columns, the retrain, its job, the verdict, the release."""

from collections.abc import Sequence

import pytest
from fakes import drifted
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import screen_text, settle, shows, status
from textual.pilot import Pilot

from engine.wire.events import Progress
from mlops_tui.app import MlopsApp


@pytest.fixture
def world(fake: FakeEngine) -> FakeEngine:
    drifted.drift(fake)
    return fake


async def rings(pilot: Pilot[None], *keys: str) -> None:
    await settle(pilot, shows(pilot, "▸ fraud"))
    await pilot.press("a")
    await settle(pilot, shows(pilot, "Alarm 4 · drift"))
    await pilot.press(*keys)


def released(fake: FakeEngine) -> Sequence[str]:
    return [path for method, path, _ in fake.calls if method == "POST"]


@pytest.mark.parametrize("key", ["a", "enter"])
async def test_one_key_leads_from_the_fleet_to_the_alarm(app: MlopsApp, world: FakeEngine, key: str):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▲ fraud: look at the drift alarm: a"))
        await pilot.press(key)
        await settle(pilot, shows(pilot, "Alarm 4 · drift · open"))
        drawn = "\n".join(screen_text(pilot))
        assert "▸ channel" in drawn and "distance_km" in drawn and "amount" not in drawn
        assert "opened 2026-11-03 13:56:09 UTC, seen 2 times" in drawn
        assert "▒ both  ░ training only  █ now only" in drawn


async def test_the_answers_stand_among_the_columns_that_an_alarm_names(app: MlopsApp, world: FakeEngine):
    told = {"channel": "distance 0.31", "the answers (is_fraud)": "distance 0.24"}
    world.alarms[4] = drifted.drift_alarm(evidence={"columns": list(told), "told": told})
    async with app.run_test(size=(80, 24)) as pilot:
        await rings(pilot)
        await settle(pilot, shows(pilot, "  → is_fraud"))
        assert not shows(pilot, "  distance_km  ")()
        await pilot.press("j")
        await settle(pilot, shows(pilot, "distance 0.24"))


async def test_an_alarm_that_waits_for_labels_says_so_and_how_to_go_on(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await rings(pilot)
        await settle(pilot, shows(pilot, "○ retrain 2 waiting: 480 more labelled rows"))
        assert shows(pilot, "r trains it now all the same")()


async def test_the_whole_way_to_a_release_names_each_key(app: MlopsApp, world: FakeEngine):
    world.retrains, world.alarms = {}, {4: drifted.drift_alarm(retrain_id=None)}
    async with app.run_test(size=(100, 30)) as pilot:
        await rings(pilot)
        await settle(pilot, shows(pilot, "→ r retrains it"))
        await pilot.press("r")
        await settle(pilot, shows(pilot, "t   at once (--now)"))
        await pilot.press("t")
        await settle(pilot, shows(pilot, "◐ job 15 trains it again"))
        assert world.asked("POST", "/models/fraud/retrain") == [{"reason": "", "now": True}]
        assert shows(pilot, "l follows its log")()
        begun = world.retrains[1]
        world.retrains[1] = begun.model_copy(update={"status": "done", "version": 3, "verdict": "pass"})
        world.tell(made.event(1))
        await settle(pilot, shows(pilot, "✓ fraud@3 passed: v shows its verdict, A approves it, D also deploys it"))
        await pilot.press("v")
        await settle(pilot, shows(pilot, "✓ pass: fraud@3"))
        await pilot.press("escape", "A")
        await settle(pilot, shows(pilot, "Approve fraud@3?"))
        await pilot.press("y")
        await settle(pilot, shows(pilot, "✓ fraud@3 is approved: D deploys it"))
        await pilot.press("D")
        await settle(pilot, shows(pilot, "Deploy fraud@3?"))
        await pilot.press(*"fraud", "enter")
        await settle(pilot, lambda: "/endpoints/fraud/deploy" in released(world))
        world.versions["fraud", 3] = made.version(3, aliases=["champion"])
        world.alarms[4] = drifted.drift_alarm(status="closed", closed_by="engine", closed_at=made.NOW)
        world.tell(made.event(2))
        await settle(pilot, shows(pilot, "■ closed; w shows the whole chain"))
        await pilot.press("w")
        await settle(pilot, shows(pilot, "fraud@3 took over from fraud@2."))


async def test_how_far_the_training_is_shows_as_it_goes(app: MlopsApp, world: FakeEngine):
    world.retrains[2] = drifted.retrained(status="training", job_id=14, note="")
    async with app.run_test(size=(100, 30)) as pilot:
        await rings(pilot)
        await settle(pilot, shows(pilot, "◐ job 14 trains it again"))
        world.tell(Progress(job_id=14, attempt=1, step="fit", fraction=0.37, note="120 trees"))
        await settle(pilot, shows(pilot, "37% · fit · 120 trees"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "fitting"))


@pytest.mark.parametrize("key", ["v", "A", "D", "P"])
async def test_there_is_nothing_to_release_before_a_version_is_made(app: MlopsApp, world: FakeEngine, key: str):
    async with app.run_test(size=(100, 30)) as pilot:
        await rings(pilot, key)
        await settle(pilot, lambda: "No retrain for alarm 4 has made a version yet" in app.said.text)
        assert released(world) == []


async def test_there_is_no_log_before_a_retrain_begins(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await rings(pilot, "l")
        await settle(pilot, lambda: "No retrain for this alarm has begun" in app.said.text)


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_a_retrain_that_is_not_wanted_is_not_asked_for(app: MlopsApp, world: FakeEngine, key: str):
    async with app.run_test(size=(80, 24)) as pilot:
        await rings(pilot, "r")
        await settle(pilot, shows(pilot, "[n] no"))
        await pilot.press(key)
        await settle(pilot, lambda: app.said.text == "Not done: mlops retrain fraud")
        assert released(world) == []


async def test_a_retrain_waits_until_it_can_be_judged(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await rings(pilot, "r")
        await settle(pilot, shows(pilot, "[n] no"))
        await pilot.press("y")
        await settle(pilot, lambda: "retrain 3 waiting" in app.said.text)
        assert world.asked("POST", "/models/fraud/retrain") == [{"reason": "", "now": False}]


async def test_an_alarm_is_acknowledged_with_a_note_or_without(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await rings(pilot, "a")
        await settle(pilot, shows(pilot, "You look after alarm 4?"))
        await pilot.press("enter")
        await settle(pilot, lambda: "ada looks after alarm 4 of fraud" in app.said.text)
        world.tell(made.event(1))
        await settle(pilot, shows(pilot, "Alarm 4 · drift · acknowledged"))


async def test_an_alarm_is_closed_only_with_a_reason(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await rings(pilot, "C")
        await settle(pilot, shows(pilot, "Close alarm 4?"))
        await pilot.press("x", "enter")
        await settle(pilot, shows(pilot, "A note has at least 3 letters"))
        await pilot.press(*"-sale", "enter")
        await settle(pilot, lambda: "alarm 4 of fraud is closed" in app.said.text)
        assert world.asked("POST", "/alarms/4/close") == [{"note": "x-sale"}]
        assert "--note x-sale" in app.said.text


async def test_tab_shows_what_else_rings(app: MlopsApp, world: FakeEngine):
    world.alarms[5] = drifted.performance_alarm()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("a")
        await settle(pilot, shows(pilot, "Alarm 5 · performance · open"))
        assert shows(pilot, "! tab shows what else rings: alarm 4 (drift, open)")()
        assert shows(pilot, "┄ promised")()
        await pilot.press("tab")
        await settle(pilot, shows(pilot, "Alarm 4 · drift · open"))
        await settle(pilot, shows(pilot, "▸ channel"))
        await pilot.press("tab")
        await settle(pilot, shows(pilot, "Alarm 5 · performance · open"))
        assert not shows(pilot, "▸ channel")()


async def test_enter_opens_what_it_is_about(app: MlopsApp, world: FakeEngine):
    world.alarms = {5: drifted.performance_alarm()}
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("a")
        await settle(pilot, shows(pilot, "Alarm 5"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "90 % interval"))


async def test_nothing_rings(app: MlopsApp, world: FakeEngine):
    world.alarms = {}
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("a")
        await settle(pilot, shows(pilot, "✓ Nothing rings about fraud."))
        await pilot.press("tab", "d", "y", "s", "enter", "escape", "escape")
        await settle(pilot, shows(pilot, "▸ fraud"))


async def test_describe_tells_what_an_alarm_rests_on(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 40)) as pilot:
        await rings(pilot, "d")
        await settle(pilot, shows(pilot, "columns        channel, distance_km"))
        assert shows(pilot, "  distance_km  23.9% of rows have no value")()


async def test_the_chain_is_told_by_days_with_what_passed_between(app: MlopsApp, world: FakeEngine):
    world.whys["fraud", 3].chain[2].refs["alarm"] = 4
    world.retrains[2] = drifted.retrained(status="done", version=3, verdict="pass")
    async with app.run_test(size=(80, 30)) as pilot:
        await rings(pilot, "w")
        await settle(pilot, shows(pilot, "Alarm 4 of fraud, and what came of it"))
        drawn = "\n".join(screen_text(pilot))
        for told in (
            "2026-10-31 UTC",
            "2026-11-03 UTC",
            "· 13:59:09     +2m  Retrain 2 began",
            "● 14:03:09     +1m  fraud@3 took over from fraud@2.",
            "while it rang @2      0.32 [0.3, 0.34]",
        ):
            assert told in drawn, told
        assert status(pilot).place == "8 links"
        await pilot.press("/", *"alarm", "enter")
        await settle(pilot, lambda: not shows(pilot, "took over")())


async def test_the_chain_of_an_alarm_that_nothing_came_of_tells_no_other_alarms_story(app: MlopsApp, world: FakeEngine):
    world.retrains, world.alarms = {}, {4: drifted.drift_alarm(retrain_id=None)}
    async with app.run_test(size=(80, 24)) as pilot:
        await rings(pilot, "w")
        await settle(pilot, shows(pilot, "Nothing has come of alarm 4 yet: no retrain is under way for it."))
        assert shows(pilot, "Drift alarm 4: channel, distance_km no longer look")()
        assert not shows(pilot, "took over")() and status(pilot).place == "1 link"
        world.retrains = {2: drifted.retrained()}
        world.alarms[4] = drifted.drift_alarm()
        world.tell(made.event(1))
        await settle(pilot, shows(pilot, "○ Retrain 2 waits: 480 more labelled rows"))


async def test_a_chain_that_is_not_there_says_why(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("colon", *"why fraud@9", "enter")
        await settle(pilot, lambda: "There is no version fraud@9" in app.said.text)
