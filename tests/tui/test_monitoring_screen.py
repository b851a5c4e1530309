"""5 Monitoring, a watched model, and one check of it."""

import json
from datetime import timedelta

import pytest
from fakes import drifted
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import Clock, screen_text, settle, shows, status, table
from textual.pilot import Pilot

from engine.errors import Conflict
from mlops_tui.app import MlopsApp


@pytest.fixture
def world(fake: FakeEngine) -> FakeEngine:
    drifted.drift(fake)
    return fake


async def watched(pilot: Pilot[None], *tabs: str) -> None:
    await pilot.press("5")
    await settle(pilot, shows(pilot, "▸ fraud"))
    await pilot.press("enter")
    await settle(pilot, shows(pilot, "▸ channel"))
    await pilot.press(*tabs)


async def test_models_that_ring_come_first_with_what_they_wait_for(app: MlopsApp, world: FakeEngine):
    world.fleet.reverse()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await settle(pilot, shows(pilot, "▸ fraud"))
        drawn = "\n".join(screen_text(pilot))
        assert "! alarm 3m ago" in drawn and "! 2" in drawn and "in 12m" in drawn
        assert "fraud waits for retrain 2: 480 more labelled rows after 2026-11-01 are needed" in drawn
        assert "drifted 3m ago: channel, distance_km" in drawn
        assert "a shows what rings" in drawn
        await pilot.press("j")
        await settle(pilot, shows(pilot, "tumour waits for 500 new rows, 40 are there"))
        assert not shows(pilot, "a shows what rings")()


async def test_no_models_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await settle(pilot, shows(pilot, "mlops init"))


async def test_a_column_is_drawn_at_training_and_now_with_why_it_rings(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await watched(pilot)
        await settle(pilot, shows(pilot, "channel  ▒ both  ░ training only  █ now only"))
        drawn = "\n".join(screen_text(pilot))
        assert "distance 0.31 (Jensen-Shannon); 17.8% of rows have a value" in drawn
        app_line = next(line for line in screen_text(pilot) if line.startswith(" app "))
        assert "█" in app_line and "░" not in app_line and "0% → 18%" in app_line
        await pilot.press("j")
        await settle(pilot, shows(pilot, "23.9% of rows have no value"))
        assert shows(pilot, "40%┤")()


async def test_what_the_model_answers_is_told_from_its_columns(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await watched(pilot, "G")
        await settle(pilot, shows(pilot, "▸ → is_fraud"))
        assert "0.031" in next(line for line in screen_text(pilot) if "→ is_fraud" in line)


async def test_a_column_without_kept_distributions_says_so(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await watched(pilot, "j", "j")
        await settle(pilot, shows(pilot, "▸ amount"))
        await settle(pilot, shows(pilot, "Its distributions are not kept any more"))


async def test_tab_walks_through_the_panes_and_back(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot)
        for words in ("? insufficient", "▸      4 ! open", "┄ promised", "○ waiting", "▸ channel"):
            await pilot.press("tab")
            await settle(pilot, shows(pilot, words))
        await pilot.press("shift+tab")
        await settle(pilot, shows(pilot, "○ waiting"))


async def test_a_check_of_the_past_opens_with_its_columns(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "tab")
        await settle(pilot, shows(pilot, "✓ quiet"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "check 4 of fraud"))
        await settle(pilot, shows(pilot, "▸ channel"))
        assert shows(pilot, "! alarm: channel, distance_km no longer look like")()
        await pilot.press("d")
        await settle(pilot, shows(pilot, "JS 0.309"))


async def test_a_check_with_too_few_rows_says_so(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "tab")
        await settle(pilot, shows(pilot, "✓ quiet"))
        await pilot.press("G", "enter")
        await settle(pilot, shows(pilot, "It looked at no column"))


async def test_older_checks_are_asked_for_where_they_are_gone_to(app: MlopsApp, world: FakeEngine):
    one = world.checks[3]
    world.checks = {at: one.model_copy(update={"id": at}) for at in range(1, 251)}
    async with app.run_test(size=(80, 24)) as pilot:
        await watched(pilot, "tab")
        await settle(pilot, lambda: status(pilot).place.startswith("1/100+"))
        await pilot.press("G")
        await settle(pilot, lambda: "/200+" in status(pilot).place)
        await pilot.press("G")
        await settle(pilot, lambda: status(pilot).place.endswith("/250"))


async def test_what_happens_appears_by_itself(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "tab", "tab")
        await settle(pilot, shows(pilot, "alarms 1"))
        world.alarms[5] = drifted.performance_alarm()
        world.tell(made.event(1, verb="alarm.opened"))
        await settle(pilot, shows(pilot, "alarms 2"))
        assert shows(pilot, "performance average_precision")()


async def test_news_of_another_model_asks_nothing(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot)
        asked = len(world.asked("GET", "/models/fraud/drift"))
        world.tell(made.event(1, project="tumour"))
        world.tell(made.event(2, project="fraud"))
        await settle(pilot, lambda: len(world.asked("GET", "/models/fraud/drift")) == asked + 1)


async def test_c_looks_now(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "c")
        await settle(pilot, lambda: "✓ $ mlops check fraud: job 15 looks at it" in app.said.text)
        assert len(world.asked("POST", "/models/fraud/checks")) == 1


async def test_a_check_that_is_refused_says_why(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot)
        world.refusals["/models/fraud/checks"] = Conflict("Nothing of fraud serves yet.", "Deploy it.")
        await pilot.press("c")
        await settle(pilot, lambda: app.said.tone == "bad")
        assert "Nothing of fraud serves yet. Deploy it." in app.said.text


@pytest.mark.parametrize("key", ["a", "C"])
async def test_where_nothing_rings_there_is_nothing_to_answer(app: MlopsApp, world: FakeEngine, key: str):
    world.alarms = {}
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, key)
        await settle(pilot, lambda: app.said.text == "Nothing rings about fraud.")


async def test_a_row_without_a_log_says_where_logs_are(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "l")
        await settle(pilot, lambda: "Checks and retrains have logs" in app.said.text)
        await pilot.press("tab")
        await settle(pilot, shows(pilot, "✓ quiet"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "7,012 rows"))


async def test_describe_tells_the_exact_time_of_a_row(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 40)) as pilot:
        await watched(pilot, "tab", "tab")
        await settle(pilot, shows(pilot, "! open"))
        await pilot.press("d")
        await settle(pilot, shows(pilot, "2026-11-03 13:56:09 UTC"))
        assert shows(pilot, "channel, distance_km")()


async def test_a_retrain_leads_to_its_version_or_its_log(app: MlopsApp, world: FakeEngine):
    world.retrains[2] = drifted.retrained(status="training", job_id=14, note="")
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "shift+tab")
        await settle(pilot, shows(pilot, "enter shows its log"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "fitting"))
        await pilot.press("escape")
        world.retrains[2] = drifted.retrained(status="done", job_id=14, version=3, verdict="pass")
        world.tell(made.event(1))
        await settle(pilot, shows(pilot, "enter shows its version"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "✓ pass: fraud@3"))


async def test_the_filter_looks_through_the_columns(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "/", *"calm", "enter")
        await settle(pilot, lambda: status(pilot).place == "1/2  /calm")
        await pilot.press("s")
        await settle(pilot, lambda: status(pilot).place.endswith("last first"))


async def test_the_row_is_copied_as_json(app: MlopsApp, world: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "y")
        await settle(pilot, lambda: bool(copied))
        assert json.loads(copied[0])["column"] == "channel"


async def test_a_model_is_opened_by_name(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("colon", *"monitoring fraud", "enter")
        await settle(pilot, shows(pilot, "▸ channel"))
        assert table(pilot).key == (False, "channel")


async def test_what_was_seen_stays_while_the_engine_is_gone(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot)
        world.go_down()
        await settle(pilot, shows(pilot, "No engine since"))
        assert shows(pilot, "▸ channel")()
        world.is_up = True
        await settle(pilot, shows(pilot, "● engine"))


async def test_nothing_looked_at_yet_says_what_comes(app: MlopsApp, fake: FakeEngine):
    drifted.nothing_yet(fake)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("enter")
        for words in (
            "A check needs 500 captured rows",
            "has not been looked at yet",
            "Nothing has rung about fraud",
            "No labels have come yet",
            "fraud was never trained again",
        ):
            await settle(pilot, shows(pilot, words))
            await pilot.press("tab")


async def test_what_passed_is_approved_where_it_is_seen(app: MlopsApp, world: FakeEngine):
    world.fleet[0] = drifted.watched_row(needs="approve version 3", watched={"retrain": None, "retrain_status": None})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await settle(pilot, shows(pilot, "fraud waits for you: approve version 3: A"))
        await pilot.press("A")
        await settle(pilot, shows(pilot, "Approve fraud@3?"))
        await pilot.press("escape", "w")
        await settle(pilot, lambda: app.said.text == "$ mlops why fraud@2")


async def test_a_retrain_is_begun_and_followed_from_the_list(app: MlopsApp, world: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("r")
        await settle(pilot, shows(pilot, "[n] no"))
        await pilot.press("t")
        await settle(pilot, lambda: "job 15 trains it; l follows its log" in app.said.text)
        world.logs[15] = "epoch 1\n"
        world.fleet[0] = drifted.watched_row(job_id=15)
        world.tell(made.event(1))
        await settle(pilot, lambda: len(world.asked("GET", "/fleet")) > 1)
        await settle(pilot, lambda: app.screen.subject("job") == "15")  # type: ignore[attr-defined]
        await pilot.press("l")
        await settle(pilot, shows(pilot, "epoch 1"))


async def test_ages_go_on_while_nothing_happens(app: MlopsApp, world: FakeEngine, clock: Clock):
    async with app.run_test(size=(100, 30)) as pilot:
        await watched(pilot, "tab")
        await settle(pilot, shows(pilot, "3m ago"))
        clock.now += timedelta(minutes=30)
        app.screen._tick()  # type: ignore[attr-defined]
        await settle(pilot, shows(pilot, "33m ago"))
