"""1 Fleet."""

from datetime import timedelta

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import Clock, screen_text, settle, shows, status, table, title

from engine.wire.events import Progress
from mlops_tui.app import MlopsApp


@pytest.fixture
def three(fake: FakeEngine) -> FakeEngine:
    fake.fleet = [
        made.fleet_row("fraud", needs="approve @3"),
        made.fleet_row("tumour", train_status="running", train_fraction=0.1, job_id=13, champion=None),
        made.fleet_row("churn", live_status=None, champion=None, gate="insufficient"),
    ]
    return fake


async def test_without_a_project_it_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "mlops init data.csv --target COLUMN"))
        told = "\n".join(screen_text(pilot))
        assert "n  here" in told and "sample_projects/" in told


async def test_a_first_project_takes_the_place_of_the_welcome(app: MlopsApp, fake: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "mlops init"))
        fake.fleet = [made.fleet_row("fraud")]
        fake.tell(made.event(1, verb="project.added"))
        await settle(pilot, shows(pilot, "▸ fraud"))
        assert not shows(pilot, "mlops init")()


async def test_a_row_tells_the_whole_loop_by_glyph_and_word(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(200, 24)) as pilot:
        await settle(pilot, shows(pilot, "fraud"))
        line = next(line for line in screen_text(pilot) if line.startswith("▸ fraud"))
        for told in ("300k", "✓ 2m ago", "✓ pass @3", "● live", "· no check yet", "@2", "12.5/s", "2.1 ms", "▁▅█"):
            assert told in line


async def test_what_needs_a_person_stands_on_top(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▲ fraud: approve @3"))
        lines = screen_text(pilot)
        assert lines.index(" ▲ fraud: approve @3") < next(at for at, line in enumerate(lines) if "▸ fraud" in line)


async def test_progress_shows_without_asking_the_engine_again(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "train 10%"))
        asked = len(three.asked("GET", "/fleet"))
        three.tell(Progress(job_id=13, attempt=1, step="fit", fraction=0.8, note=""))
        await settle(pilot, shows(pilot, "train 80%"))
        assert len(three.asked("GET", "/fleet")) == asked


async def test_the_keys_of_vi_move_the_cursor(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        for key, row in (("j", "tumour"), ("G", "churn"), ("k", "tumour"), ("g", "fraud"), ("ctrl+d", "churn")):
            await pilot.press(key)
            await settle(pilot, shows(pilot, f"▸ {row}"), f"{key} to {row}")


async def test_the_cursor_keeps_to_its_model_when_the_order_changes(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("s")
        await settle(pilot, lambda: "by name" in status(pilot).place)
        assert table(pilot).key == "fraud"
        assert [line[2:8].strip() for line in screen_text(pilot)[3:6]] == ["churn", "fraud", "tumour"]


async def test_a_filter_keeps_what_has_the_words_and_its_inverse_the_rest(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("/", *"chu")
        await settle(pilot, shows(pilot, "▸ churn"))
        assert not shows(pilot, "tumour")()
        await pilot.press("enter", "/", "home", "!", "enter")
        await settle(pilot, lambda: "1/2" in status(pilot).place)
        assert not shows(pilot, "churn")()
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "churn"))


async def test_describe_shows_everything_and_its_command_line(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("d")
        await settle(pilot, shows(pilot, "p50 0.8 ms · p95 2.1 ms"))
        assert status(pilot).said.text == "$ mlops show fraud"
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "▸ fraud"))


async def test_training_is_asked_for_and_shows_its_command_line(app: MlopsApp, three: FakeEngine):
    three.projects["fraud"] = made.project()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("t")
        await settle(pilot, lambda: "✓ $ mlops train fraud: job 1 is queued" in status(pilot).said.text)


async def test_what_the_engine_refuses_is_told_in_its_words(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(200, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("t")
        await settle(pilot, lambda: "There is no project fraud. Look at the list." in status(pilot).said.text)
        assert "$ mlops train fraud" in status(pilot).said.text


async def test_a_rollback_of_a_live_champion_wants_its_name_typed(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        for typed in ("y", "frau"):
            await pilot.press("R")
            await settle(pilot, shows(pilot, "Type fraud"))
            await pilot.press(*typed, "enter")
            await settle(pilot, shows(pilot, f"{typed} is not fraud: type that, or esc leaves it."))
            await pilot.press("escape")
            await settle(pilot, lambda: "Not done: mlops rollback fraud" in status(pilot).said.text)
        assert three.asked("POST", "/endpoints/fraud/rollback") == []
        await pilot.press("R")
        await settle(pilot, shows(pilot, "Type fraud"))
        await pilot.press(*"fraud", "enter")
        await settle(pilot, lambda: len(three.asked("POST", "/endpoints/fraud/rollback")) == 1)


async def test_hostile_names_are_drawn_harmless(app: MlopsApp, fake: FakeEngine):
    fake.fleet = [made.fleet_row("a", needs="\x1b]52;c;aGk=\x07[red]bold[/red]\u202e" + "x" * 10_000)]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "[red]bold[/red]"))
        drawn = "".join(screen_text(pilot))
        assert not any(bad in drawn for bad in "\x1b\x07\u202e")


async def test_ages_go_on_while_nothing_happens(app: MlopsApp, three: FakeEngine, clock: Clock):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "✓ 2m ago"))
        clock.now += timedelta(minutes=7)
        app.screen._tick()  # type: ignore[attr-defined]
        await settle(pilot, shows(pilot, "✓ 9m ago"))


async def test_a_row_that_needs_somebody_is_marked_at_every_width(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(60, 15)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        assert ["▲" in line for line in screen_text(pilot)[3:6]] == [True, False, False]


async def test_a_small_screen_tells_the_first_need_whole_and_counts_the_others(app: MlopsApp, three: FakeEngine):
    three.fleet = [made.fleet_row(f"model{at}", needs=f"training failed: {'why ' * 40}") for at in range(4)]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, shows(pilot, "▲ model2: training failed: why"))
        assert shows(pilot, "… · 1 more")()
        await pilot.resize_terminal(60, 15)
        await settle(pilot, lambda: screen_text(pilot)[1].endswith(" · 3 more"))
        assert screen_text(pilot)[1].startswith(" ▲ model0: training failed: why")
        assert "model" in screen_text(pilot)[2]
        assert not shows(pilot, "▲ model1: ")()


async def test_the_log_of_what_failed_opens_from_its_row(app: MlopsApp, three: FakeEngine):
    three.fleet = [made.fleet_row("fraud", train_status="failed", last_job_id=7, needs="training failed: no")]
    three.jobs[7] = made.job(7, status="failed")
    three.logs[7] = "Traceback\n"
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▲ fraud"))
        await pilot.press("l")
        await settle(pilot, shows(pilot, "Traceback"))


async def test_what_was_asked_while_no_engine_is_there_is_told_as_not_done(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▲ fraud"))
        three.go_down()
        await settle(pilot, lambda: "no engine" in title(pilot).link.text)
        await pilot.press("t")
        await settle(
            pilot, lambda: "Not done" in status(pilot).said.text and "No engine since" in status(pilot).said.text
        )
        three.is_up = True
        await settle(pilot, lambda: "● engine" in title(pilot).link.text)
        assert status(pilot).said.text == "✗ Not done, for no engine answered: $ mlops train fraud"
        await pilot.press("escape")
        await settle(pilot, lambda: status(pilot).said.text == "")


async def test_a_filter_that_nothing_passes_says_so(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("slash", *"zzz", "enter")
        await settle(pilot, shows(pilot, "Nothing passes /zzz; esc shows all again."))
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "▸ fraud"))
        assert "Nothing passes" not in "".join(screen_text(pilot))


async def test_what_went_wrong_stays_on_the_screen_it_was_said_on(app: MlopsApp, three: FakeEngine, clock: Clock):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("colon", *"nosuch", "enter")
        await settle(pilot, lambda: "No command" in status(pilot).said.text)
        clock.now += timedelta(seconds=60)
        app.forget_said()
        assert "No command" in app.said.text
        await pilot.press("7")
        await settle(pilot, lambda: app.current_mode == "jobs")
        app.forget_said()
        assert app.said.text == ""
        assert any("No command" in str(one) for one in app.troubles)


async def test_after_a_rollback_the_row_says_which_version_answers(app: MlopsApp, fake: FakeEngine):
    fake.fleet = [made.fleet_row("fraud", gate_version=4, live_version=2, champion=2)]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        assert shows(pilot, "✓ pass @4")() and shows(pilot, "● live @2")()
