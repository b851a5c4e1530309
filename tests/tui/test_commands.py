"""The one table, what is made of it, and keys of one's own."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import settle, shows, status

from engine.settings import Home
from mlops_tui import screens
from mlops_tui.app import MlopsApp
from mlops_tui.cli.app import app as command_line
from mlops_tui.commands import BY_ID, COMMANDS, SCREENS, commands_of, find
from mlops_tui.completion import completions
from mlops_tui.dispatch import answer_of
from mlops_tui.keymap import AVOIDED, read_keys
from mlops_tui.screens.base import LoopScreen

PLACES = sorted({place for one in COMMANDS for place in one.where} - {"everywhere", "lines", "root"})


def screen_classes() -> list[type[LoopScreen]]:
    """Every screen that can be on the screen: those that are only built upon have none of their own keys."""
    for module in pkgutil.iter_modules(screens.__path__):
        importlib.import_module(f"{screens.__name__}.{module.name}")
    found, waiting = [], [LoopScreen]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        found.append(one)
    return found


def test_no_two_commands_of_a_screen_share_a_key():
    for place in PLACES:
        here = [one for one in COMMANDS if {place, "lines", "everywhere"} & set(one.where)]
        keys = [key for one in here for key in one.key.split(",") if key]
        assert len(keys) == len(set(keys))


def test_keys_that_terminals_keep_for_themselves_are_left_to_them():
    assert not {key for one in COMMANDS for key in one.key.split(",")} & AVOIDED


def test_destructive_keys_are_capitals_and_everyday_ones_are_not():
    assert {BY_ID[name].key for name in ("approve", "deploy", "rollback", "cancel")} == {"A", "D", "R", "X"}


def test_every_command_line_that_is_shown_is_a_verb_there_is():
    groups = [group.typer_instance for group in command_line.registered_groups]
    verbs = {one.callback.__name__ for group in groups for one in group.registered_commands}
    for one in COMMANDS:
        if one.cli:
            assert one.cli.split()[1] in verbs


def test_every_key_of_a_screen_is_answered_by_it():
    seen = set()
    for screen in screen_classes():
        seen.add(screen.place)
        for one in commands_of(screen.place) if screen.place != "everywhere" else ():
            answers = [who for who in (screen, MlopsApp) if hasattr(who, f"do_{one.id}")]
            assert answers, (screen, one.id)
    assert {"fleet", "deployments", "endpoint", "jobs", "audit", "event", "errors"} <= seen


def test_every_command_of_the_bar_is_known_to_somebody():
    answered = {name for screen in (*screen_classes(), MlopsApp) for name in dir(screen)}
    assert [one.id for one in COMMANDS if f"do_{one.id}" not in answered and one.id not in SCREENS] == []


async def test_every_command_is_answered_on_its_screens(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        for mode in ("fleet", "deployments", "jobs", "audit"):
            await pilot.app.switch_mode(mode)
            for one in COMMANDS:
                if mode in one.where or "everywhere" in one.where:
                    assert answer_of(app.screen, one.id) is not None, (mode, one.id)


@pytest.mark.parametrize(
    ("word", "found"), [("train", "train"), ("tr", "train"), ("q", "quit"), ("d", None), ("", None)]
)
def test_a_beginning_is_enough_where_only_one_command_has_it(word: str, found: str | None):
    command = find(word)
    assert (command.id if command else None) == found


def test_completion_offers_commands_then_what_they_take():
    names = {"model": ["fraud", "tumour"], "version": ["fraud@3"]}
    assert completions("tr", lambda takes: names.get(takes, [])) == ["train"]
    assert completions("train ", lambda takes: names.get(takes, [])) == ["train fraud", "train tumour"]
    assert completions("approve fr", lambda takes: names.get(takes, [])) == ["approve fraud@3"]
    assert completions("theme s", lambda takes: names.get(takes, [])) == ["theme safe"]
    assert completions("nonsense x", lambda takes: names.get(takes, [])) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('tarin = "T"', "Did you mean 'train'?"),
        ("train = 3", "write a key as text"),
        ('train = "ctrl+b"', "terminals keep ctrl+b for themselves"),
        ("train =", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_key_file_is_said_in_a_sentence(tmp_path: Path, text: str, told: str):
    file = tmp_path / "keys.toml"
    file.write_text(text)
    own = read_keys(file)
    assert told in own.problem
    assert own.keys == {}


async def test_a_key_of_ones_own_works_and_is_shown(fake: FakeEngine, tmp_path: Path):
    (tmp_path / "keys.toml").write_text('train = "T"\n')
    fake.projects["fraud"] = made.project()
    fake.fleet = [made.fleet_row("fraud")]
    mine = MlopsApp(Home(Path("/nowhere")), engine=fake.async_client(), keys=tmp_path / "keys.toml", slow=False)
    async with mine.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        assert shows(pilot, "T Train")()
        await pilot.press("t", "T")
        await settle(pilot, lambda: "mlops train fraud: job 1" in status(pilot).said.text)
        assert len(fake.asked("POST", "/projects/fraud/train")) == 1
