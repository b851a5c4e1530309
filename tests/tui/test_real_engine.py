"""The terminal on a real engine: what the engine in memory promises, holds."""

import asyncio
from pathlib import Path

import pytest
from fakes.engine_process import EngineProcess
from fakes.terminal import settle, shows, title

from engine.client import AsyncEngineClient, EngineClient
from mlops_tui.app import MlopsApp

PROJECT = '[project]\nname = "{}"\ntask = "binary"\n[data]\nsource = "d.csv"\ntarget = "y"\n'


def a_project(folder: Path, name: str) -> str:
    place = folder / name
    place.mkdir()
    (place / "mlops.toml").write_text(PROJECT.format(name))
    (place / "d.csv").write_text("x,y\n1,0\n2,1\n")
    return str(place)


@pytest.fixture
def real(engine: EngineProcess) -> MlopsApp:
    app = MlopsApp(engine.home, engine=AsyncEngineClient(engine.home), slow=False)
    app.pace_s = 0.01
    return app


async def test_what_others_do_appears_by_itself(real: MlopsApp, client: EngineClient, tmp_path: Path):
    async with real.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "mlops init data.csv"))
        await asyncio.to_thread(client.add_project, a_project(tmp_path, "first"))
        await settle(pilot, shows(pilot, "▸ first"))
        await pilot.press("7")
        await settle(pilot, shows(pilot, "No jobs yet."))
        job = (await asyncio.to_thread(client.train, "first")).job
        await settle(pilot, shows(pilot, f"{job.id} train   first"))
        await pilot.press("X", "y")
        await settle(pilot, shows(pilot, "cancelled"))


async def test_nothing_is_missed_while_the_engine_is_away(
    real: MlopsApp, engine: EngineProcess, client: EngineClient, tmp_path: Path
):
    async with real.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await asyncio.to_thread(engine.kill)
        await settle(pilot, lambda: "no engine" in title(pilot).link.text)
        await asyncio.to_thread(engine.start)
        await asyncio.to_thread(client.add_project, a_project(tmp_path, "second"))
        await settle(pilot, shows(pilot, "▸ second"))
        assert title(pilot).link.text == "● engine"
