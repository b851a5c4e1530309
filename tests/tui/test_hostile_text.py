"""Whatever a field holds, it reaches the terminal as plain text: no escape of its own, no markup, nothing unseen."""

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import drifted
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.hostile_engine import HOSTILE, HostileEngine
from fakes.terminal import Clock, screen_text, settle, shows
from textual.pilot import Pilot

from engine.errors import BadData
from engine.settings import Home
from engine.wire.base import Failure
from engine.wire.endpoints import ReplicaView
from mlops_tui.app import MlopsApp
from mlops_tui.commands import BY_ID, SCREENS

OURS = re.compile(r"\x1b\[[0-9;]*m")
"""What is sent for colours."""
LONG = (HOSTILE * (10_000 // len(HOSTILE) + 1))[:10_000]


@pytest.fixture(params=[HOSTILE, LONG], ids=["short", "10,000 characters"])
def hostile(request: pytest.FixtureRequest) -> HostileEngine:
    engine = HostileEngine(request.param)
    failed = Failure(code="bad_data", message="said", hint="said")
    replica = ReplicaView(
        index=0, runtime="process", pid=9, healthy=False, restarts=3, memory_bytes=None, note="said", container="said"
    )
    drifted.drift(engine)
    engine.fleet = [drifted.watched_row("fraud", needs="said", challenger=4)]
    engine.jobs = {
        1: made.job(1, status="failed", failure=failed, result={"a": "b"}),
        2: made.job(2, status="queued", waits_for="said", started_at=None, ended_at=None),
        3: made.running(3),
    }
    engine.logs = dict.fromkeys(engine.jobs, f"{engine.text}\n{engine.text}")
    engine.projects = {"fraud": made.project()}
    engine.versions = {("fraud", 3): made.version(3)}
    engine.runs = {7: made.run(7, failure=failed)}
    engine.endpoints = {
        "fraud": made.endpoint(
            made.deployment(5, note="said", reason="said", runtime_reason="said", replicas=[replica]),
            made.deployment(6, champion=False, status="starting", note="said"),
        )
    }
    engine.replica_logs = {("fraud", number, 0): engine.text for number in (5, 6)}
    engine.history = {"fraud": [made.deployment(4, status="failed", note="said", replicas=[])]}
    engine.events = [made.event(at, evidence={"deep": {"deeper": ["said", 1, None]}}) for at in (1, 2)]
    engine.snapshots = {2: made.snapshot(2), 1: made.snapshot(1)}
    return engine


@pytest.fixture
def hostile_app(hostile: HostileEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> MlopsApp:
    monkeypatch.setenv("COLORTERM", "truecolor")
    app = MlopsApp(Home(Path("/nowhere")), engine=hostile.async_client(), clock=clock, slow=False)
    app.pace_s = 0.001
    return app


def sent_to_the_terminal(app: MlopsApp) -> str:
    """A whole drawing, line by line, as the driver would write it."""
    return "".join(strip.render(app.console) for strip in app.screen._compositor.render_strips())


def raw(sent: str) -> Iterator[str]:
    """Characters that a terminal does not show as themselves."""
    for character in OURS.sub("", sent):
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            yield f"U+{ord(character):04X}"


async def look(pilot: Pilot[Any], app: MlopsApp) -> str:
    """Let all happen that can, and check every byte of what is drawn."""
    for _ in range(15):
        await pilot.pause()
    sent = sent_to_the_terminal(app)
    assert set(raw(sent)) == set(), "\n".join(screen_text(pilot))
    return sent


@pytest.mark.parametrize("mode", SCREENS)
@pytest.mark.parametrize(
    "hostile",
    [pytest.param(HOSTILE, id="short"), pytest.param(LONG, id="10,000 characters", marks=pytest.mark.slow)],
    indirect=True,
)
async def test_every_screen_and_what_opens_from_it_shows_plain_text(
    hostile_app: MlopsApp, hostile: HostileEngine, mode: str, monkeypatch: pytest.MonkeyPatch
):
    deeper = (["enter", "enter"], ["enter", "l"], ["enter", "d"], ["?"], ["R"], ["A"])
    copied: list[str] = []
    monkeypatch.setattr(hostile_app, "copy_to_clipboard", copied.append)
    async with hostile_app.run_test(size=(160, 40)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press(BY_ID[mode].key)
        await settle(pilot, shows(pilot, "␛[2J"), f"hostile text on {mode}")
        # Long ones take seconds a screen: what opens from what was opened is looked at with short ones.
        for keys in (["enter"], ["d"], ["l"], *(() if len(hostile.text) == len(LONG) else deeper)):
            await pilot.press(*keys)
            await look(pilot, hostile_app)
            await pilot.press("escape", "escape", "escape")
        await pilot.press("y")
        await look(pilot, hostile_app)


@pytest.mark.parametrize("pane", range(5), ids=["columns", "checks", "alarms", "performance", "retrains"])
@pytest.mark.parametrize("hostile", [HOSTILE], indirect=True, ids=["short"])
async def test_every_pane_of_a_watched_model_shows_plain_text(hostile_app: MlopsApp, pane: int):
    async with hostile_app.run_test(size=(160, 40)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("5", "enter", *["tab"] * pane)
        await settle(pilot, shows(pilot, "␛[2J"))
        await look(pilot, hostile_app)
        for keys in (["d"], ["enter", "d"]):
            await pilot.press(*keys)
            await look(pilot, hostile_app)
            await pilot.press("escape")


async def test_an_alarm_its_columns_and_its_chain_show_plain_text(hostile_app: MlopsApp, hostile: HostileEngine):
    hostile.alarms[5] = drifted.performance_alarm()
    async with hostile_app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, shows(pilot, "␛[2J"))
        await pilot.press("a")
        for keys in ([], ["d"], ["tab"], ["d"], ["w"], ["r"], ["a"], ["C"], ["enter"]):
            await pilot.press(*keys)
            await look(pilot, hostile_app)
            assert shows(pilot, "␛[2J")() or keys in (["a"], ["C"]), keys
            if keys not in ([], ["tab"], ["enter"]):
                await pilot.press("escape")


async def test_what_went_wrong_is_told_as_plain_text(hostile_app: MlopsApp, hostile: HostileEngine):
    hostile.refusals["/projects/fraud/train"] = BadData(hostile.text, hostile.text)
    async with hostile_app.run_test(size=(120, 30)) as pilot:
        await settle(pilot, shows(pilot, "␛[2J"))
        await pilot.press("t")
        await settle(pilot, lambda: hostile_app.said.tone == "bad")
        await look(pilot, hostile_app)
        await pilot.press("!")
        await look(pilot, hostile_app)


async def test_names_on_the_command_bar_are_plain_text(hostile_app: MlopsApp, hostile: HostileEngine):
    async with hostile_app.run_test(size=(120, 30)) as pilot:
        await settle(pilot, shows(pilot, "␛[2J"))
        for typed in ("approve ", "rollback ", "cancel "):
            await pilot.press(":", *("space" if letter == " " else letter for letter in typed), "tab")
            await look(pilot, hostile_app)
            await pilot.press("escape")


async def test_what_is_pasted_is_taken_without_what_cannot_be_seen(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press(":")
        app.screen.focused.insert_text_at_cursor("tra\x1b[31min \u202e")  # type: ignore[union-attr]
        await settle(pilot, shows(pilot, ":tra[31min"))
        await look(pilot, app)


async def test_a_drawing_with_an_escape_in_it_is_seen_by_this_check(app: MlopsApp, fake: FakeEngine):
    from textual.widgets import Static

    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        app.screen.query_one("#too-small", Static).update("\x1b[31m\u202e")
        app.screen.query_one("#too-small").display = True
        await pilot.pause()
        assert {"U+001B", "U+202E"} & set(raw(sent_to_the_terminal(app)))


@pytest.mark.parametrize("name", [HOSTILE, LONG], ids=["short", "10,000 characters"])
async def test_files_and_columns_of_any_name_are_added_as_plain_text(
    app: MlopsApp, fake: FakeEngine, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    name = name.encode("utf-8", "replace").decode()
    file = "".join(one for one in name if one not in "/\0")[:40] + ".csv"
    (tmp_path / file).write_text("")
    (tmp_path / os.fsdecode(b"\xe9\x1b[2J.csv")).write_text("")
    fake.on_look = lambda asked: hostile_look(asked, name)
    app.guide.folder = tmp_path
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot, shows(pilot, "n  here"))
        await pilot.press("n")
        await settle(pilot, shows(pilot, "no UTF-8"))
        await look(pilot, app)
        await pilot.press("j", "enter", "k", "d")
        await look(pilot, app)
        await pilot.press("escape", "y", "enter")
        await settle(pilot, shows(pilot, "Which column"))
        await look(pilot, app)
        await pilot.press("d")
        await look(pilot, app)
        await pilot.press("escape", "enter")
        await settle(pilot, shows(pilot, "N name"))
        for keys in (["j", "space"], ["i"], ["t"], ["p"], ["T"], ["d"], ["escape", "y"], ["F"], ["escape"]):
            await pilot.press(*keys)
            await look(pilot, app)
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "[project]"))
        await look(pilot, app)
        await pilot.press("y", "enter")
        await settle(pilot, shows(pilot, "fraud is added"))
        await look(pilot, app)


def hostile_look(asked: dict[str, Any], name: str) -> dict[str, Any]:
    column = {"type": "category", "nulls": 0, "distinct": 2, "why": name, "seen": name, "task": "binary"}
    return {
        "name": "orders", "task": "binary" if asked["target"] else "", "rows": 9, "positive": name,
        "values": [name, "b"],
        "columns": [column | {"name": name, "role": "target"}, column | {"name": f"{name}2", "role": "feature"}],
        "notes": [f"Task binary, because {name}"], "project_file": f"[project]\n# {name}\n",
    }  # fmt: skip
