"""Trouble, shown calmly: read whole, copied, told by what it is."""

from pathlib import Path

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import command, pane, screen_text, settle, shows, status, title

from engine.errors import BadData, DiskFull, EngineUnreachable, VersionMismatch
from mlops_tui.app import MlopsApp
from mlops_tui.messages import EngineFound, EngineLost

LONG = "word " * 300 + "the end."


@pytest.fixture
def refused(fake: FakeEngine) -> FakeEngine:
    fake.fleet = [made.fleet_row("fraud")]
    fake.refusals["/projects/fraud/train"] = BadData(f"Column \x1b[31mamount holds infinity. {LONG}", "Clean it.")
    return fake


async def test_a_long_failure_leaves_the_keys_in_sight_and_is_read_whole(app: MlopsApp, refused: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("t")
        await settle(pilot, shows(pilot, "! shows it whole"))
        assert "? Help" in screen_text(pilot)[-1]
        assert not shows(pilot, "the end.")()
        await pilot.press("!", "G")
        await settle(pilot, shows(pilot, "the end."))
        whole = "\n".join(line.text for line in pane(pilot).lines)
        for told in ("Column ␛[31mamount holds infinity.", "Clean it.", "mlops train fraud", "14:05:09 UTC"):
            assert told in whole


async def test_the_newest_failure_is_copied_and_saved_whole(
    app: MlopsApp, refused: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("t")
        await settle(pilot, shows(pilot, "! shows it whole"))
        await pilot.press("!", "y")
        await command(pilot, f"save {tmp_path}/errors")
        await settle(pilot, lambda: "is written" in status(pilot).said.text)
        assert "the end." in copied[0]
        assert "the end." in (tmp_path / "errors").read_text()


async def test_the_same_failure_again_is_counted(app: MlopsApp, refused: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        for _ in range(3):
            await pilot.press("t")
            await settle(pilot, shows(pilot, "! shows it whole"))
            await pilot.press("escape")
            await settle(pilot, lambda: not shows(pilot, "shows it whole")())
        await pilot.press("!")
        await settle(pilot, shows(pilot, "3 times"))


async def test_without_a_failure_the_list_says_so(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("!")
        await settle(pilot, shows(pilot, "has gone wrong since"))
        await pilot.press("!", "escape")
        await settle(pilot, shows(pilot, "mlops init"))


async def test_an_engine_of_another_version_is_told_as_such_and_what_to_do(app: MlopsApp, fake: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        error = VersionMismatch("The engine speaks version 2 of the API, this client version 1.", "Use its client.")
        app.post_message(EngineLost(made.NOW, error))
        await settle(pilot, lambda: title(pilot).link.text == "✗ engine of another version")
        said = status(pilot).said.text
        assert "speaks version 2" in said
        assert app.troubles[0].text.startswith("✗ The engine speaks version 2")
        assert "Use its client. This screen waits since 14:05:09 UTC" in said
        app.post_message(EngineFound(0))
        await settle(pilot, lambda: title(pilot).link.text == "● engine")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DiskFull("The disk is full.", "Make room."), "The disk is full."),
        (VersionMismatch("The answer is not one this client understands.", ""), "not one this client understands"),
    ],
)
async def test_what_an_engine_refuses_is_not_taken_for_its_absence(
    app: MlopsApp, fake: FakeEngine, error: DiskFull, told: str
):
    fake.fleet = [made.fleet_row("fraud")]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        app.tell_failure(error)
        await settle(pilot, lambda: told in status(pilot).said.text)


async def test_that_nobody_answers_is_told_by_its_own_line_only(app: MlopsApp, fake: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        app.tell_failure(EngineUnreachable("No engine answers.", ""))
        assert app.said.text == ""
