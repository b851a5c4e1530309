"""Approve, deploy, promote, roll back: nothing is ordered that was not shown, and No is the default."""

import asyncio

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import screen_text, settle, shows, status

from engine.errors import Conflict
from engine.wire.base import Failure
from mlops_tui.app import MlopsApp


@pytest.fixture
def versions(fake: FakeEngine) -> FakeEngine:
    fake.fleet = [made.fleet_row("fraud")]
    fake.versions = {("fraud", at): made.version(at) for at in (1, 2, 3)}
    return fake


async def test_it_shows_from_what_to_what_and_on_what_evidence(app: MlopsApp, versions: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show fraud", "enter")
        await settle(pilot, shows(pilot, "▸ fraud@3"))
        await pilot.press("P")
        await settle(pilot, shows(pilot, "Type fraud"))
        drawn = "\n".join(screen_text(pilot))
        for told in (
            "Make fraud@3 the champion?",
            "@2 → @3",
            "@2  100% → 0%, then deployment 4 ends",
            "@3  0% → 100% once it is ready: new, 2 replicas (auto)",
            "is recorded as yours",
            "✓ pass",
            "reaches the 0.60 asked for",
            "$ mlops promote fraud@3",
        ):
            assert told in drawn, told


async def test_a_live_champion_goes_only_when_its_name_is_typed(app: MlopsApp, versions: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        for typed in ("y", "frau"):
            await pilot.press("D")
            await settle(pilot, shows(pilot, "Type fraud"))
            await pilot.press(*typed, "enter")
            await settle(pilot, shows(pilot, f"{typed} is not fraud: type that, or esc leaves it."))
            await pilot.press("escape")
            await settle(pilot, lambda: "Not done: mlops deploy fraud@3" in status(pilot).said.text)
            app.say("")
        assert versions.asked("POST", "/endpoints/fraud/deploy") == []
        await pilot.press("D")
        await settle(pilot, shows(pilot, "Type fraud"))
        await pilot.press(*"fraud", "enter")
        await settle(pilot, lambda: "fraud@3 is starting" in status(pilot).said.text)
        assert versions.asked("POST", "/endpoints/fraud/deploy") == [
            {"version": 3, "share": 1.0, "override": None, "reason": ""}
        ]


async def test_an_approval_asks_once_and_no_is_the_default(app: MlopsApp, versions: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("A")
        await settle(pilot, shows(pilot, "[n] no"))
        await pilot.press("enter")
        await settle(pilot, lambda: "Not done: mlops approve fraud@3" in status(pilot).said.text)
        await pilot.press("A")
        await settle(pilot, shows(pilot, "[n] no"))
        await pilot.press("y")
        await settle(pilot, lambda: "fraud@3 is approved" in status(pilot).said.text)


async def test_what_did_not_pass_needs_a_reason_which_the_command_line_shows(app: MlopsApp, versions: FakeEngine):
    versions.previews["approve"] = made.approval_preview(
        outcome="insufficient", reasons=["these rows cannot tell; about 9,000 test rows could."], needs_override=True
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("A")
        await settle(pilot, shows(pilot, "Say why all the same"))
        assert shows(pilot, "about 9,000 test rows could")()
        await pilot.press("n", "o", "enter")
        await settle(pilot, shows(pilot, "at least 3 letters"))
        await pilot.press("space", *"way", "enter")
        await settle(pilot, lambda: "mlops approve fraud@3 --override 'no way'" in status(pilot).said.text)
        assert versions.asked("POST", "/models/fraud/versions/3/approve") == [{"override": "no way"}]


async def test_a_reason_and_a_name_are_asked_for_one_after_the_other(app: MlopsApp, versions: FakeEngine):
    versions.previews["promote"] = made.preview(outcome="fail", reasons=["worse."], needs_override=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("P")
        await settle(pilot, shows(pilot, "Say why all the same, then type fraud"))
        await pilot.press(*"urgent", "enter")
        assert versions.asked("POST", "/endpoints/fraud/promote") == []
        await pilot.press(*"fraud", "enter")
        await settle(pilot, lambda: len(versions.asked("POST", "/endpoints/fraud/promote")) == 1)
        assert versions.asked("POST", "/endpoints/fraud/promote")[0]["override"] == "urgent"


async def test_what_cannot_be_says_why_and_cannot_be_said_yes_to(app: MlopsApp, versions: FakeEngine):
    told = Failure(code="not_found", message="fraud has no version before this one to go back to.", hint="Deploy one.")
    versions.previews["rollback"] = made.preview("rollback", refusal=told, steps=[], champion_after=2)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("R")
        await settle(pilot, shows(pilot, "no version before this one"))
        await pilot.press("y", "enter")
        await settle(pilot, lambda: "Not done" in status(pilot).said.text)
        assert versions.asked("POST", "/endpoints/fraud/rollback") == []


async def test_what_is_so_already_is_not_ordered(app: MlopsApp, versions: FakeEngine):
    step = made.preview().steps[0].model_copy(update={"after": 1.0, "ends": False})
    versions.previews["deploy"] = made.preview("deploy", champion_after=2, steps=[step], approves=False, version=2)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("D")
        await settle(pilot, shows(pilot, "nothing would change"))
        await pilot.press("y", "enter")
        await settle(pilot, lambda: "Not done" in status(pilot).said.text)


async def test_a_yes_that_was_typed_ahead_answers_nothing(app: MlopsApp, versions: FakeEngine):
    """On a slow link keys come before what they answer is seen."""
    told = asyncio.Event()
    engine = app.engine
    look = engine.preview_release

    async def slow(*args: object, **kwargs: object) -> object:
        await told.wait()
        return await look(*args, **kwargs)  # type: ignore[arg-type]

    engine.preview_release = slow  # type: ignore[method-assign, assignment]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("A", "y", "y")
        await settle(pilot, shows(pilot, "Looking what would change"))
        told.set()
        await settle(pilot, shows(pilot, "[n] no"))
        assert versions.asked("POST", "/models/fraud/versions/3/approve") == []


async def test_help_says_who_may_do_what_the_caller_may_not(app: MlopsApp, versions: FakeEngine):
    versions.role = "operator"
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot, lambda: app.caller is not None)
        await pilot.press("question_mark")
        await settle(pilot, shows(pilot, "On this screen"))
        marked = {
            line.split()[0]: "Only an" in line
            for line in screen_text(pilot)
            if ":approve " in line or ":deploy " in line
        }
        assert marked == {"A": True, "D": False}


async def test_what_would_change_is_needed_to_go_on(app: MlopsApp, versions: FakeEngine):
    versions.refusals["/endpoints/fraud/preview"] = Conflict("The registry is locked.", "Wait.")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("A")
        await settle(pilot, shows(pilot, "cannot be told, so it is not done."))
        await pilot.press("y", "escape")
        await settle(pilot, lambda: "Not done" in status(pilot).said.text)
        assert versions.asked("POST", "/models/fraud/versions/3/approve") == []


@pytest.mark.parametrize(
    ("role", "key", "told"),
    [
        ("viewer", "t", "ada is viewer here, and only an operator may train."),
        ("viewer", "D", "only an operator may deploy"),
        ("operator", "A", "only an approver may approve"),
    ],
)
async def test_a_role_that_is_not_enough_is_told_at_once(
    app: MlopsApp, versions: FakeEngine, role: str, key: str, told: str
):
    versions.role = role
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot, lambda: app.caller is not None and shows(pilot, "▸ fraud")())
        await pilot.press(key)
        await settle(pilot, lambda: told in status(pilot).said.text)
        assert not [call for call in versions.calls if call[0] == "POST"]


async def test_hostile_reasons_are_drawn_harmless(app: MlopsApp, versions: FakeEngine):
    versions.previews["promote"] = made.preview(reasons=["\x1b[31m[b]bold[/b]\u202e" + "x" * 3000])
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("P")
        await settle(pilot, shows(pilot, "[b]bold[/b]"))
        assert shows(pilot, "Type fraud")()
        assert not any(bad in "".join(screen_text(pilot)) for bad in "\x1b\u202e")
