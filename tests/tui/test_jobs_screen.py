"""7 Jobs."""

from pathlib import Path

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import command, pane, screen_text, settle, shows, status, table

from engine.wire.base import Failure
from engine.wire.events import Progress
from mlops_tui.app import MlopsApp


@pytest.fixture
def many(fake: FakeEngine) -> FakeEngine:
    fake.jobs = {at: made.job(at) for at in range(1, 1001)}
    told = Failure(code="bad_data", message="Column amount holds infinity.")
    fake.jobs[998] = made.job(998, status="failed", failure=told)
    fake.jobs[999] = made.job(999, status="queued", waits_for="a free slot", started_at=None, ended_at=None)
    fake.jobs[1000] = made.running(1000)
    return fake


async def test_it_shows_what_runs_what_waits_and_why(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1000"))
        drawn = "\n".join(screen_text(pilot))
        for told in (
            "━━────  40%",
            "fit · about 1m left · lightgbm",
            "waits: a free slot",
            "✗ failed",
            "holds infinity",
        ):
            assert told in drawn


async def test_no_jobs_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "No jobs yet."))
        assert ":train NAME" in "\n".join(screen_text(pilot))


async def test_only_the_pages_that_are_looked_at_are_asked_for(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        assert len(many.asked("GET", "/jobs")) == 1
        await pilot.press("G")
        await settle(pilot, shows(pilot, "▸      1 train"))
        assert len(many.asked("GET", "/jobs")) == 2


async def test_progress_moves_the_bar_without_asking(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "40%"))
        asked = len(many.calls)
        many.tell(Progress(job_id=1000, attempt=1, step="judge", fraction=0.9, note="on 4,000 rows"))
        await settle(pilot, shows(pilot, "judge · about 4s left · on 4"))
        assert "90%" in "\n".join(screen_text(pilot))
        assert len(many.calls) == asked


async def test_a_new_job_appears_and_the_cursor_keeps_to_its_own(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        many.jobs[1001] = made.running(1001)
        many.tell(made.event(1, verb="job.queued", subject="job 1001"))
        await settle(pilot, shows(pilot, "2/1001"))
        assert table(pilot).key == 1000


async def test_an_old_job_that_changed_is_read_again(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("G")
        await settle(pilot, shows(pilot, "▸      1 train"))
        many.jobs[1] = made.job(1, status="cancelled")
        many.tell(made.event(1, verb="job.cancelled", subject="job 1"))
        await settle(pilot, shows(pilot, "■ cancelled"))


async def test_cancel_asks_first_and_no_is_the_default(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("X")
        await settle(pilot, shows(pilot, "Cancel job 1000, with all its processes?"))
        assert shows(pilot, "$ mlops cancel 1000")()
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "Not done: mlops cancel 1000"))
        assert many.jobs[1000].status == "running"
        await pilot.press("X", "y")
        await settle(pilot, lambda: "job 1000 is cancelled" in status(pilot).said.text)
        assert many.jobs[1000].status == "cancelled"


async def test_logs_follow_until_they_are_scrolled(app: MlopsApp, many: FakeEngine):
    many.logs[1000] = "".join(f"line {at}\n" for at in range(50))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "line 49"))
        many.logs[1000] += "newer\n"
        await settle(pilot, shows(pilot, "newer"))
        await pilot.press("g")
        await settle(pilot, shows(pilot, "line 0"))
        many.logs[1000] += "newest\n"
        await settle(pilot, lambda: len(pane(pilot).lines) == 52)
        assert not shows(pilot, "newest")()
        await pilot.press("G")
        await settle(pilot, shows(pilot, "newest"))
        many.jobs[1000] = made.job(1000)
        await settle(pilot, lambda: "the job is over" in status(pilot).place)


async def test_logs_are_filtered_and_drawn_harmless(app: MlopsApp, many: FakeEngine):
    many.logs[1000] = "keep \x1b[2J this\n" + "other\n" * 30
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("l", "/", *"keep", "enter")
        await settle(pilot, shows(pilot, "keep ␛[2J this"))
        assert not shows(pilot, "other")()


async def test_a_filter_looks_through_the_whole_list(app: MlopsApp, many: FakeEngine):
    many.jobs[3] = made.job(3, project="tumour")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("/", *"tumour", "enter")
        await settle(pilot, lambda: status(pilot).place == "1/1  /tumour")
        assert table(pilot).key == 3


async def test_a_filter_is_remembered_on_the_way_back_and_not_carried_to_another_screen(
    app: MlopsApp, many: FakeEngine
):
    many.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("/", *"failed", "enter", "1")
        await settle(pilot, shows(pilot, "▸ fraud"))
        assert "/failed" not in status(pilot).place
        await pilot.press("7")
        await settle(pilot, lambda: "/failed" in status(pilot).place)


async def test_the_order_turns_round(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("s", "g")
        await settle(pilot, shows(pilot, "▸      1 train"))
        assert "oldest first" in status(pilot).place


async def test_what_is_typed_ahead_reaches_the_screen_it_was_meant_for(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("1", "7", "j", "j", "d")
        await settle(pilot, shows(pilot, "› job 998"))


async def test_a_long_line_of_a_log_loses_no_letter_to_the_scrollbar(app: MlopsApp, many: FakeEngine):
    many.logs[1000] = "0123456789" * 170 + "\n" + "end\n" * 30
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "end"))
        await pilot.press("g")
        await settle(pilot, shows(pilot, "0123456789"))
        wrapped = [line[:79] for line in screen_text(pilot)[1:20]]
        assert "".join(wrapped) == ("0123456789" * 170)[: 79 * 19]


async def test_a_log_is_saved_in_the_lines_it_was_printed_in(app: MlopsApp, many: FakeEngine, tmp_path: Path):
    many.logs[1000] = "a " * 150 + "\nshort\n"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "short"))
        assert "2 lines" in status(pilot).place
        await command(pilot, f"save {tmp_path}/log")
        await settle(pilot, lambda: "is written" in status(pilot).said.text)
        assert [line.strip() for line in (tmp_path / "log").read_text().splitlines()] == [("a " * 150).strip(), "short"]


async def test_nothing_is_written_over_without_a_yes(app: MlopsApp, many: FakeEngine, tmp_path: Path):
    (tmp_path / "mine").write_text("mine")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await command(pilot, f"save {tmp_path}/mine")
        await settle(pilot, shows(pilot, "Write over"))
        await pilot.press("enter")
        await settle(pilot, lambda: "Not saved" in status(pilot).said.text)
        assert (tmp_path / "mine").read_text() == "mine"


async def test_a_job_that_printed_nothing_says_so(app: MlopsApp, many: FakeEngine):
    many.jobs[1000], many.logs[1000] = made.job(1000), ""
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "Job 1000 printed nothing."))


async def test_no_question_is_asked_about_a_job_that_is_over(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("j", "j", "j", "X")
        await settle(pilot, lambda: "Job 997 is over already" in status(pilot).said.text)


async def test_every_screen_completes_the_names_of_the_fleet(app: MlopsApp, many: FakeEngine):
    many.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "fraud"))
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("colon", *"approve ")
        await settle(pilot, shows(pilot, "approve fraud@3"))
        await pilot.press("escape", "l", "colon", *"rollback ")
        await settle(pilot, shows(pilot, "rollback fraud"))


async def test_what_is_described_wraps_under_its_value(app: MlopsApp, many: FakeEngine):
    many.jobs[999] = made.job(999, status="failed", failure=Failure(code="bad_data", message="word " * 40))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("j", "d")
        await settle(pilot, shows(pilot, "what      word"))
        at = next(at for at, line in enumerate(screen_text(pilot)) if line.startswith("what "))
        assert screen_text(pilot)[at + 1].startswith("          word")
