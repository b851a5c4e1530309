"""3 Models: the list, versions of one, and one version with its verdict and lineage."""

from pathlib import Path

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import command, screen_text, settle, shows, status, table

from engine.wire.models import ApprovalView
from mlops_tui.app import MlopsApp


@pytest.fixture
def three(fake: FakeEngine) -> FakeEngine:
    fake.versions = {("fraud", at): made.version(at, metrics={"average_precision": 0.6 + at / 50}) for at in (1, 2, 3)}
    fake.versions["fraud", 2] = made.version(2, aliases=["champion"], share=1.0, metrics={"average_precision": 0.9})
    return fake


async def test_without_a_model_it_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await settle(pilot, shows(pilot, "mlops init data.csv --target COLUMN"))


async def test_a_model_opens_its_versions_and_a_version_its_lineage(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("3")
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "▸ fraud@3"))
        assert shows(pilot, "champion")()
        await pilot.press("j", "enter")
        await settle(pilot, shows(pilot, "made from"))
        drawn = "\n".join(screen_text(pilot))
        for told in (made.HASH, "run 7", "snapshot 2", "leaves", "31", "python", "★ champion", "seed 7", "amount"):
            assert told in drawn, told
        await pilot.press("escape", "escape")
        await settle(pilot, shows(pilot, "▸ fraud "))


async def test_what_happens_to_a_version_shows_by_itself(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("colon", *"show fraud@3", "enter")
        await settle(pilot, shows(pilot, "○ not yet"))
        approval = ApprovalView(by="ben", at=made.ago(minutes=1), override="the old one is broken")
        three.versions["fraud", 3] = made.version(3, approval=approval)
        three.tell(made.event(1))
        await settle(pilot, shows(pilot, "! by ben, 1m ago"))
        assert shows(pilot, "the old one is broken")()


async def test_versions_are_sorted_by_what_they_are_worth(app: MlopsApp, three: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("colon", *"models fraud", "enter")
        await settle(pilot, shows(pilot, "▸ fraud@3"))
        await pilot.press("s")
        await settle(pilot, lambda: "best first" in status(pilot).place)
        assert [line[2:9] for line in screen_text(pilot)[2:5]] == ["fraud@2", "fraud@3", "fraud@1"]
        assert table(pilot).key == 3


async def test_a_model_without_versions_says_how_to_get_one(app: MlopsApp, fake: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show fraud", "enter")
        await settle(pilot, shows(pilot, "fraud has no version yet."))


async def test_a_version_page_is_filtered_and_saved_whole(app: MlopsApp, three: FakeEngine, tmp_path: Path):
    file = tmp_path / "version"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show fraud@3", "enter")
        await settle(pilot, shows(pilot, "pass: fraud@3"))
        await pilot.press("/", *"snapshot", "enter")
        await settle(pilot, lambda: not shows(pilot, "pass: fraud@3")())
        await pilot.press("escape")
        await command(pilot, f"save {file}")
        await settle(pilot, lambda: "is written" in status(pilot).said.text)
    assert "inputs" in file.read_text()


async def test_the_bars_of_a_verdict_fit_every_width(app: MlopsApp, three: FakeEngine):
    evidence = {
        "value": 0.71, "lower": 0.69, "upper": 0.73, "test_rows": 4000, "line": 0.6, "margin": 0.02,
        "champion": {"against": "fraud@2", "value": 0.7, "difference": 0.01, "lower": -0.01, "upper": 0.03},
    }  # fmt: skip
    told = made.version(3)
    three.versions["fraud", 3] = told.model_copy(
        update={"verdict": told.verdict.model_copy(update={"evidence": evidence})}
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("colon", *"show fraud@3", "enter")
        await settle(pilot, shows(pilot, "├"))
        assert shows(pilot, "difference to fraud@2")()
        await pilot.resize_terminal(60, 40)
        await settle(pilot, lambda: max(map(len, screen_text(pilot))) <= 60)
        assert shows(pilot, "0.71 [0.69, 0.73]")()
