"""What all screens share: the line to the engine, `:`, help, palette, sizes, colours."""

from datetime import timedelta
from pathlib import Path

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import Clock, screen_text, settle, shows, status, title
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from engine.settings import Home
from mlops_tui.app import SLOW_PACE_S, MlopsApp
from mlops_tui.commands import BY_ID, commands_of


async def test_it_says_since_when_the_engine_is_gone_and_comes_back_without_a_loss(
    app: MlopsApp, fake: FakeEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mlops_tui.feed.utc_now", clock)
    monkeypatch.setattr("mlops_tui.feed.RETRY_S", (0.0,))
    fake.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        fake.go_down()
        await settle(pilot, lambda: "no engine" in title(pilot).link.text)
        clock.now += timedelta(seconds=95)
        app.link = app.link
        await settle(pilot, lambda: "✗ no engine for 1m35s" in title(pilot).link.text)
        assert "No engine since 14:05:09 UTC" in status(pilot).said.text
        assert shows(pilot, "fraud")()
        fake.fleet = [made.fleet_row("fraud"), made.fleet_row("tumour")]
        fake.events.append(made.event(1, verb="project.added"))
        fake.is_up = True
        await settle(pilot, shows(pilot, "tumour"))
        assert title(pilot).link.text == "● engine"
        assert "nothing was lost" in status(pilot).said.text


async def test_commands_are_typed_completed_and_remembered(app: MlopsApp, fake: FakeEngine):
    fake.projects["fraud"] = made.project()
    fake.fleet = [made.fleet_row("fraud"), made.fleet_row("other")]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press(":", *"tr")
        await settle(pilot, shows(pilot, "train"))
        await pilot.press("tab", "space", "f", "tab", "enter")
        await settle(pilot, lambda: "mlops train fraud" in status(pilot).said.text)
        assert app.typed == ["train fraud"]
        await pilot.press(":", "up")
        await settle(pilot, shows(pilot, ":train fraud"))
        await pilot.press("escape")
        await settle(pilot, lambda: not shows(pilot, ":train fraud")())


@pytest.mark.parametrize(
    ("typed", "told"),
    [("nonsense", "No command 'nonsense'"), ("theme pink", "Themes: dark"), ("slow maybe", ":slow on")],
)
async def test_a_command_that_is_none_says_so(app: MlopsApp, typed: str, told: str):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(":", *("space" if letter == " " else letter for letter in typed), "enter")
        await settle(pilot, lambda: told in status(pilot).said.text)


async def test_jobs_can_be_cancelled_by_number_from_any_screen(app: MlopsApp, fake: FakeEngine):
    fake.jobs = {12: made.running(12)}
    fake.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press(":", *"cancel", "space", "1", "2", "enter")
        await settle(pilot, shows(pilot, "Cancel job 12"))
        await pilot.press("y")
        await settle(pilot, lambda: fake.jobs[12].status == "cancelled")


async def test_help_shows_the_keys_of_this_screen_from_the_table(app: MlopsApp):
    async with app.run_test(size=(100, 80)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("?")
        await settle(pilot, shows(pilot, "On this screen"))
        drawn = "\n".join(screen_text(pilot))
        assert all(one.help in drawn for place in ("fleet", "everywhere", "lines") for one in commands_of(place))
        assert BY_ID["why"].help in drawn
        assert BY_ID["metric"].help not in drawn
        await pilot.press("escape")
        await settle(pilot, lambda: not shows(pilot, "On this screen")())


async def test_the_palette_finds_commands_and_runs_them(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("ctrl+p", *"jobs")
        await settle(pilot, shows(pilot, "mlops jobs"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "No jobs yet."))


async def test_q_quits_only_at_the_root(app: MlopsApp, fake: FakeEngine):
    fake.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("d")
        await settle(pilot, shows(pilot, "› fraud"))
        await pilot.press("q")
        await settle(pilot, lambda: "at the root only" in status(pilot).said.text)
        assert app.is_running
        await pilot.press("escape", "q")
        await settle(pilot, lambda: app._exit)


@pytest.mark.parametrize("size", [(59, 24), (80, 14), (20, 5)])
async def test_a_window_that_is_too_small_gets_a_sentence(app: MlopsApp, size: tuple[int, int]):
    async with app.run_test(size=size) as pilot:
        await settle(pilot, shows(pilot, "Too small"))
        assert not shows(pilot, "Fleet")()


async def test_it_comes_back_when_the_window_grows(app: MlopsApp):
    async with app.run_test(size=(40, 10)) as pilot:
        await settle(pilot, shows(pilot, "Too small"))
        await pilot.resize_terminal(80, 24)
        await settle(pilot, shows(pilot, "1 Fleet"))
        assert not shows(pilot, "Too small")()


async def test_a_screen_that_was_covered_while_the_window_changed_knows_its_size(app: MlopsApp, fake: FakeEngine):
    fake.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("d")
        await settle(pilot, shows(pilot, "› fraud"))
        await pilot.resize_terminal(50, 24)
        await settle(pilot, shows(pilot, "Too small"))
        await pilot.press("escape")
        await settle(pilot, lambda: len(app.screen_stack) == 1)
        assert shows(pilot, "Too small")()
        await pilot.press("7")
        await pilot.resize_terminal(80, 24)
        await settle(pilot, shows(pilot, "No jobs yet."))
        await pilot.press("1")
        await settle(pilot, shows(pilot, "▸ fraud"))


async def test_a_screen_under_a_question_knows_the_size_of_the_window(app: MlopsApp, fake: FakeEngine):
    fake.jobs = {12: made.running(12)}
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await settle(pilot, shows(pilot, "▸     12"))
        await pilot.press("X")
        await settle(pilot, shows(pilot, "Cancel job 12"))
        await pilot.resize_terminal(50, 24)
        await pilot.press("n")
        await settle(pilot, shows(pilot, "Too small"))
        await pilot.resize_terminal(80, 24)
        await settle(pilot, shows(pilot, "▸     12"))


@pytest.mark.parametrize(("name", "theme"), [("light", "light"), ("ansi", "ansi-dark"), ("safe", "safe")])
async def test_themes_change(app: MlopsApp, name: str, theme: str):
    async with app.run_test(size=(80, 24)) as pilot:
        app.do_theme(name)
        await settle(pilot, lambda: app.theme == theme)
        assert status(pilot).said.text == f"Theme {name}."


@pytest.mark.parametrize("theme", ["ansi", "dark", "light"])
async def test_no_color_leaves_every_colour_to_the_terminal(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, theme: str
):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    fake.fleet = [made.fleet_row("fraud", needs="approve @3")]
    plain = MlopsApp(Home(Path("/nowhere")), engine=fake.async_client())
    async with plain.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        plain.do_theme(theme)
        await settle(pilot, lambda: status(pilot).said.text == f"Theme {theme}.")
        drawn = [segment for strip in pilot.app.screen._compositor.render_strips() for segment in strip]
        sent = [plain_style(segment, plain) for segment in drawn if segment.style]
        assert sent
        assert all(style.color and style.color.is_default and style.bgcolor for style in sent)
        assert all(style.bgcolor.is_default for style in sent if style.bgcolor)


def plain_style(segment: Segment, app: MlopsApp) -> Style:
    """As the driver would send it."""
    for one in app._filters:
        if one.enabled:
            (segment,) = one.apply([segment], Color(0, 0, 0))
    return segment.style or Style()


async def test_a_slow_link_gathers_news_for_longer(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    assert MlopsApp(Home(Path("/nowhere")), engine=fake.async_client()).pace_s == SLOW_PACE_S


async def test_the_screen_is_saved_as_text(app: MlopsApp, fake: FakeEngine, tmp_path: Path):
    fake.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        app.screen.do_save(str(tmp_path / "fleet.txt"))  # type: ignore[attr-defined]
        await settle(pilot, lambda: "is written" in status(pilot).said.text)
    assert "fraud\t300k" in (tmp_path / "fleet.txt").read_text()
