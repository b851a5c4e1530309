"""A log: find, jump, copy, levels; and the schedule beside it."""

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import pane, screen_text, settle, shows, status
from rich.style import Style

from engine.wire.jobs import ScheduleView
from mlops_tui.app import MlopsApp

LOG = "".join(f"step {at}: {'loss is nan' if at % 40 == 7 else 'fine'}\n" for at in range(200)) + "ERROR it is over\n"


@pytest.fixture
def one(fake: FakeEngine) -> FakeEngine:
    fake.jobs = {1: made.job(1)}
    fake.logs = {1: LOG}
    return fake


async def test_what_is_found_is_jumped_to_round_and_round(app: MlopsApp, one: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7", "l")
        await settle(pilot, shows(pilot, "ERROR it is over"))
        await pilot.press("g", "f", *"NAN", "enter")
        await settle(pilot, lambda: "» NAN: 1/5" in status(pilot).place)
        await pilot.press("n")
        await settle(pilot, shows(pilot, "step 47: loss is nan"))
        await pilot.press("n", "n", "n")
        await settle(pilot, lambda: "5/5" in status(pilot).place)
        await pilot.press("n")
        await settle(pilot, lambda: "1/5" in status(pilot).place)
        await pilot.press("N")
        await settle(pilot, shows(pilot, "step 167: loss is nan"))
        await pilot.press("escape")
        await settle(pilot, lambda: "»" not in status(pilot).place)


async def test_what_is_found_is_marked_where_it_stands(app: MlopsApp, one: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7", "l")
        await settle(pilot, shows(pilot, "ERROR it is over"))
        await pilot.press("g", "f", *"loss", "enter")
        await settle(pilot, lambda: "1/5" in status(pilot).place)
        at = next(at for at, line in enumerate(screen_text(pilot)) if line.startswith("step 7:"))
        marked = [part.text for part in pane(pilot).render_line(at - 1) if (part.style or Style()).reverse]
        assert marked == ["loss"]


async def test_letters_that_no_line_has_are_told(app: MlopsApp, one: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7", "l")
        await settle(pilot, shows(pilot, "ERROR it is over"))
        await pilot.press("f", *"[x", "enter")
        await settle(pilot, lambda: "No line has '[x'" in status(pilot).said.text)


async def test_find_looks_only_through_what_a_filter_leaves(app: MlopsApp, one: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7", "l")
        await settle(pilot, shows(pilot, "ERROR it is over"))
        await pilot.press("/", *"!fine", "enter", "f", *"step 4", "enter")
        await settle(pilot, lambda: "» step 4: 1/1" in status(pilot).place)
        assert "6 lines" in status(pilot).place


async def test_a_log_is_copied_as_it_is_filtered_and_its_newest_end_where_it_is_long(
    app: MlopsApp, one: FakeEngine, monkeypatch: pytest.MonkeyPatch
):
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    one.logs[1] = LOG + "x" * 1000 + "\n" + "last of many\n" * 9000
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7", "l")
        await settle(pilot, shows(pilot, "last of many"))
        await pilot.press("y")
        await settle(pilot, lambda: bool(copied))
        assert 99_000 < len(copied[0]) <= 100_000 and copied[0].startswith("last of many\n")
        await pilot.press("/", *"ERROR", "enter", "y")
        await settle(pilot, lambda: len(copied) > 1)
        assert copied[1] == "ERROR it is over"


async def test_a_job_is_cancelled_from_its_log(app: MlopsApp, one: FakeEngine):
    one.jobs[1] = made.running(1)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7", "l")
        await settle(pilot, shows(pilot, "ERROR it is over"))
        await pilot.press("X", "y")
        await settle(pilot, lambda: one.jobs[1].status == "cancelled")


async def test_the_schedule_tells_what_comes_next_and_opens_its_last_job(app: MlopsApp, one: FakeEngine):
    one.schedules = schedules()
    async with app.run_test(size=(140, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1"))
        await pilot.press("S")
        await settle(pilot, shows(pilot, "▸ check:fraud"))
        drawn = "\n".join(screen_text(pilot))
        for told in ("in 5m", "✗ failed · no rows", "■ rests", "2026-", "15m"):
            assert told in drawn
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "› logs of job 1"))
        await pilot.press("escape", "j", "enter")
        await settle(pilot, lambda: "done by the engine itself" in status(pilot).said.text)
        await pilot.press("g", "d")
        await settle(pilot, shows(pilot, "UTC"))


async def test_a_clock_without_anything_to_do_says_when_it_has(app: MlopsApp, one: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1"))
        await pilot.press("S")
        await settle(pilot, shows(pilot, "The clock has nothing to do."))


def schedules() -> list[ScheduleView]:
    failed = made.job(1, kind="check", status="failed", failure={"code": "bad_data", "message": "no rows"})
    return [
        ScheduleView(
            id=1, name="check:fraud", kind="check", project="fraud", every="15m", last_nominal_at=made.ago(minutes=10),
            next_at=made.ago(minutes=-5), last_job=failed,
        ),
        ScheduleView(
            id=2, name="housekeeping", kind="housekeeping", project=None, every="60m", last_nominal_at=None,
            next_at=made.ago(minutes=-30),
        ),
        ScheduleView(
            id=3, name="retrain:fraud", kind="retrain", project="fraud", every="0 3 * * 1", last_nominal_at=None,
            next_at=None,
        ),
    ]  # fmt: skip
