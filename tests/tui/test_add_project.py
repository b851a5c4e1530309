"""Adding a project from the terminal: file, target, what was seen and what one knows better, the file, training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.looks import COLUMNS, see
from fakes.terminal import command, screen_text, settle, shows, status, table
from textual.pilot import Pilot

from engine.errors import Conflict
from engine.wire.base import Failure
from mlops_tui.app import MlopsApp


@pytest.fixture
def data(tmp_path: Path, fake: FakeEngine, app: MlopsApp) -> Iterator[Path]:
    """A folder of the server, in which the picker begins."""
    folder = tmp_path / "data"
    (folder / "older").mkdir(parents=True)
    (folder / "orders.csv").write_text("x")
    (folder / "photo.jpg").write_text("x")
    (folder / ".hidden.csv").write_text("x")
    fake.on_look = see
    app.guide.folder = folder
    yield folder
    for closed in folder.iterdir():
        closed.chmod(0o755)


async def reach_target(pilot: Pilot[Any]) -> None:
    await settle(pilot, shows(pilot, "n  here"))
    await pilot.press("n")
    await settle(pilot, shows(pilot, "orders.csv"))
    await pilot.press("G", "enter")
    await settle(pilot, shows(pilot, "Which column shall the model tell?"))


async def reach_preview(pilot: Pilot[Any]) -> None:
    await reach_target(pilot)
    await pilot.press("/", *"returned", "enter", "enter")
    await settle(pilot, shows(pilot, "N name"))


def text(pilot: Pilot[Any]) -> str:
    return "\n".join(screen_text(pilot))


async def test_the_whole_way_from_a_file_to_a_job_that_trains(app: MlopsApp, fake: FakeEngine, data: Path):
    fake.projects["fraud"] = made.project()
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "[project]"))
        place = data / "orders"
        assert "mlops init" in text(pilot) and "--target returned" in text(pilot)
        assert not place.exists()
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "t   train fraud now"))
        assert (place / "mlops.toml").read_text() == '[project]\nname = "orders"\n'
        assert fake.asked("POST", "/projects") == [{"folder": str(place)}]
        await pilot.press("t")
        await settle(pilot, shows(pilot, "› logs of job"))
        assert len(fake.asked("POST", "/projects/fraud/train")) == 1
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "n  here"))


async def test_what_nobody_corrects_is_looked_at_once_for_each_step(app: MlopsApp, fake: FakeEngine, data: Path):
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "[project]"))
        assert [asked["target"] for asked in fake.asked("POST", "/looks")] == [None, "returned"]


async def test_corrections_go_to_the_engine_and_into_the_command_line(app: MlopsApp, fake: FakeEngine, data: Path):
    async with app.run_test(size=(120, 30)) as pilot:
        await reach_preview(pilot)
        await pilot.press("p", "T", "j", "space", "j", "t")
        await settle(pilot, shows(pilot, "✎ 3 changes"))
        await pilot.press("T")
        await settle(pilot, shows(pilot, "✎ 2 changes"), "a task that is as it was seen is no change, nor its value")
        await pilot.press("p", "N", *["backspace"] * 6, *"returns", "enter")
        await settle(pilot, shows(pilot, "returns ✎"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "[project]"))
        asked = fake.asked("POST", "/looks")[-1]
        assert asked["positive"] == "no"
        assert (asked["ignore"], asked["time"], asked["name"]) == (["shop"], "", "returns")
        assert asked["relative_to"] == str(data / "returns")
        line = " ".join(text(pilot).split())
        for told in ("--name returns", "--time ''", "--positive no", "--ignore shop", "mkdir -p"):
            assert told in line


async def test_back_and_forth_loses_nothing(app: MlopsApp, fake: FakeEngine, data: Path):
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        await pilot.press("p", "enter")
        await settle(pilot, shows(pilot, "[project]"))
        looks = len(fake.asked("POST", "/looks"))
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "no ✎"))
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "▸ returned"))
        await pilot.press("escape")  # the filter
        await settle(pilot, shows(pilot, "order_id"))
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "▸ orders.csv"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "Which column"))
        await pilot.press("/", *"returned", "enter", "enter")
        await settle(pilot, shows(pilot, "no ✎"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "[project]"))
        assert len(fake.asked("POST", "/looks")) == looks


async def test_a_file_that_is_there_is_written_over_only_after_a_yes(app: MlopsApp, fake: FakeEngine, data: Path):
    place = data / "orders"
    place.mkdir()
    (place / "mlops.toml").write_text("mine")
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        assert "asked before it is written over" in text(pilot)
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "[project]"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "Write over"))
        assert "--force" in text(pilot)
        await pilot.press("enter")
        await settle(pilot, lambda: "Not written." in status(pilot).said.text)
        assert (place / "mlops.toml").read_text() == "mine"
        await pilot.press("enter", "y")
        await settle(pilot, shows(pilot, "fraud is added"))
        assert (place / "mlops.toml").read_text().startswith("[project]")


async def test_an_engine_that_refuses_the_project_may_be_asked_again(app: MlopsApp, fake: FakeEngine, data: Path):
    fake.refusals["/projects"] = Conflict("The name orders belongs to the project in /elsewhere.", "Give another.")
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "[project]"))
        await pilot.press("enter")
        await settle(pilot, lambda: "belongs to the project in /elsewhere" in status(pilot).said.text)
        fake.refusals.clear()
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "fraud is added"))


async def test_a_folder_that_is_a_project_is_just_added(app: MlopsApp, fake: FakeEngine, data: Path):
    (data / "older" / "mlops.toml").write_text("")
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "◆ folder of a project"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "▸ mlops.toml"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "fraud is added"))
        assert fake.asked("POST", "/projects") == [{"folder": str(data / "older")}]
        assert fake.asked("POST", "/looks") == []
        await pilot.press("enter")
        await settle(pilot, lambda: "t trains it" in status(pilot).said.text)
        await pilot.press("n")
        await settle(pilot, shows(pilot, "◆ folder of a project"))


async def test_the_picker_shows_folders_then_data_and_nothing_else(app: MlopsApp, data: Path):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "1/2"))
        drawn = text(pilot)
        assert drawn.index("older/") < drawn.index("orders.csv")
        assert "photo.jpg" not in drawn and ".hidden" not in drawn
        assert "2 files of other kinds" in drawn
        await pilot.press(".")
        await settle(pilot, shows(pilot, ".hidden.csv"))
        await pilot.press("h")
        await settle(pilot, shows(pilot, "▸ data/"))


async def test_a_folder_that_may_not_be_read_is_told_and_not_entered(
    app: MlopsApp, data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mlops_tui.folder_listing.os.access", lambda path, mode: "older" not in str(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "✗ may not be read"))
        await pilot.press("enter")
        await settle(pilot, lambda: "look at its permissions" in status(pilot).said.text)
        assert "▸ older/" in text(pilot)


async def test_a_folder_that_is_gone_is_told_in_a_sentence(app: MlopsApp, data: Path):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "older/"))
        (data / "older").rmdir()
        await pilot.press("enter")
        await settle(pilot, lambda: "There is no folder" in status(pilot).said.text)


async def test_a_folder_of_100_000_files_opens_and_moves(app: MlopsApp, data: Path, monkeypatch: pytest.MonkeyPatch):
    from mlops_tui.view.files import Entry, Listing

    many = tuple(Entry(f"part-{at:06}.csv", False, at) for at in range(100_000))
    monkeypatch.setattr(
        "mlops_tui.screens.add_project_pick.list_folder", lambda folder, hidden: Listing(str(folder), many, 0)
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "1/100000"))
        await pilot.press("G")
        await settle(pilot, shows(pilot, "▸ part-099999.csv"))
        await pilot.press("/", *"00777", "enter")
        await settle(pilot, shows(pilot, "1/11"))


async def test_a_column_that_cannot_be_learnt_is_no_target(app: MlopsApp, data: Path):
    async with app.run_test(size=(120, 24)) as pilot:
        await reach_target(pilot)
        assert "✗ nothing" in text(pilot)
        await pilot.press("/", *"day", "enter", "enter")
        await settle(pilot, lambda: "day cannot be learnt: a time" in status(pilot).said.text)


async def test_a_look_that_fails_is_told_whole_and_esc_goes_back(app: MlopsApp, fake: FakeEngine, data: Path):
    fake.on_look = lambda asked: Failure(
        code="bad_data", message="orders.csv, line 3: expected 2 fields.", hint="Mend."
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "orders.csv"))
        await pilot.press("G", "enter")
        await settle(pilot, shows(pilot, "line 3: expected 2 fields."))
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "▸ orders.csv"))


async def test_a_correction_that_the_data_refuses_leaves_the_preview_as_it_was(
    app: MlopsApp, fake: FakeEngine, data: Path
):
    told = Failure(code="invalid_input", message="'shop' is to be the id, and has 10 different values in 100 rows.")
    fake.on_look = lambda asked: told if asked["id"] else see(asked)
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        await pilot.press("j", "i", "enter")
        await settle(pilot, shows(pilot, "10 different values in 100 rows"))
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "shop ✎"))


async def test_a_look_that_is_left_is_cancelled(app: MlopsApp, fake: FakeEngine, data: Path):
    fake.on_look = lambda asked: None
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "orders.csv"))
        await pilot.press("G", "enter")
        await settle(pilot, shows(pilot, "reading the data"))
        await pilot.press("escape")
        await settle(pilot, lambda: fake.jobs[1].status == "cancelled")


async def test_a_path_may_be_typed(app: MlopsApp, fake: FakeEngine, data: Path):
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await command(pilot, f"add {data}/or*.csv")
        await settle(pilot, shows(pilot, "Which column"))
        assert fake.asked("POST", "/looks")[0]["path"] == f"{data}/or*.csv"
        await pilot.press("escape")
        await command(pilot, f"add '{data}/orders.csv'")
        await settle(pilot, lambda: len(fake.asked("POST", "/looks")) == 2)
        assert fake.asked("POST", "/looks")[1]["path"] == f"{data}/orders.csv"
        await settle(pilot, shows(pilot, "Which column"))
        await pilot.press("escape")
        await command(pilot, f"add {data}/nothing")
        await settle(pilot, lambda: "There is no file" in status(pilot).said.text)
        await command(pilot, f"add {data}/older")
        await settle(pilot, shows(pilot, "No folder and no data here"))


async def test_only_an_admin_may_add(app: MlopsApp, fake: FakeEngine, data: Path):
    fake.role = "operator"
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, lambda: app.caller is not None)
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, lambda: "only an admin may add" in status(pilot).said.text)


async def test_a_name_that_is_none_is_refused(app: MlopsApp, data: Path):
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        await pilot.press("N", *" X", "enter")
        await settle(pilot, shows(pilot, "'orders X' is no name"))
        assert shows(pilot, "The project's name")(), "the line stays, with what was typed"
        await pilot.press("backspace", "backspace", *"-x", "enter")
        await settle(pilot, shows(pilot, "orders-x ✎"))
        assert table(pilot).key == COLUMNS[0]["name"]


async def test_a_folder_that_is_none_is_refused_where_it_is_typed(app: MlopsApp, data: Path):
    async with app.run_test(size=(100, 24)) as pilot:
        await reach_preview(pilot)
        await pilot.press("F", "ctrl+u", *"orders.csv", "enter")
        await settle(pilot, shows(pilot, "is a file."))
        await pilot.press("ctrl+u", *"~nobody-of-that-name", "enter")
        await settle(pilot, shows(pilot, "is no place for a folder"))
        assert shows(pilot, "The project's folder")()
        await pilot.press("ctrl+u", *"mine", "enter")
        await settle(pilot, shows(pilot, "data/mine"))
