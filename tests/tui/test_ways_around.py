"""Where somebody who has never seen it looks for the way on: the title, the footer, the bar, the line at the bottom."""

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import screen_text, settle, shows, status

from mlops_tui.app import MlopsApp
from mlops_tui.commands import typed_commands
from mlops_tui.dispatch import answer_of


@pytest.fixture
def two(fake: FakeEngine) -> FakeEngine:
    fake.projects["fraud"] = made.project()
    fake.fleet = [made.fleet_row("fraud"), made.fleet_row("other")]
    return fake


async def test_at_80_columns_every_screen_has_a_name(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        first = screen_text(pilot)[0]
        assert "1 Fleet 2 Runs 3 Models 4 Deploy 5 Monitor 6 Data 7 Jobs 8 Audit" in first
        assert "● engine" in first


async def test_what_lies_under_a_screen_is_told_before_the_names_of_others(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("?")
        await settle(pilot, lambda: "› help" in screen_text(pilot)[0])


async def test_the_footer_tells_how_to_leave_this_screen(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(160, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        assert "q Quit" in screen_text(pilot)[-1]
        await pilot.press("?")
        await settle(pilot, lambda: "› help" in screen_text(pilot)[0])
        assert "esc Back" in screen_text(pilot)[-1]
        assert "q Quit" not in screen_text(pilot)[-1]


async def test_the_number_of_the_open_screen_leads_to_its_first_page(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press("d", "?")
        await settle(pilot, lambda: "› help" in screen_text(pilot)[0])
        await pilot.press("7")
        await settle(pilot, lambda: app.current_mode == "jobs")
        await pilot.press("1")
        await settle(pilot, lambda: "› help" in screen_text(pilot)[0])
        await pilot.press("1")
        await settle(pilot, lambda: len(app.screen_stack) == 1)
        await settle(pilot, shows(pilot, "▸ fraud"))


async def test_tab_walks_through_what_begins_alike_and_back(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        first, *_, last = [
            one.id for one in typed_commands() if one.id.startswith("s") and answer_of(app.screen, one.id)
        ]
        await pilot.press(":", "s", "tab")
        await settle(pilot, shows(pilot, f":{first}"))
        await pilot.press("shift+tab")
        await settle(pilot, shows(pilot, f":{last}"))
        await pilot.press("tab")
        await settle(pilot, shows(pilot, f":{first}"))


async def test_tab_walks_through_the_names_of_models(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press(":", *"train", "space")
        await settle(pilot, shows(pilot, "train fraud  train other"))
        await pilot.press("tab", "tab", "enter")
        await settle(pilot, lambda: "mlops train other" in status(pilot).said.text)


async def test_commands_of_other_screens_are_no_offer(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press(":", *"next")
        await settle(pilot, shows(pilot, ":next"))
        assert not shows(pilot, "next_pane")()
        assert "Next" not in [one.title for one in app.get_system_commands(app.screen)]


async def test_the_bar_tells_what_a_command_does(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press(":", *"rollb")
        await settle(pilot, shows(pilot, "To the champion before.  $ mlops rollback MODEL"))
        await pilot.press("escape", "/")
        await settle(pilot, shows(pilot, "/! those without"))


async def test_a_misspelt_command_is_told_of_the_one_that_is_like_it(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        await pilot.press(":", *"trian", "enter")
        await settle(pilot, lambda: "Did you mean :train?" in status(pilot).said.text)


async def test_only_a_failure_is_said_to_be_whole_among_the_errors(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "▸ fraud"))
        app.say("word " * 200)
        await settle(pilot, shows(pilot, "…"))
        assert not shows(pilot, "shows it whole")()
        app.say("word " * 200, "bad")
        await settle(pilot, shows(pilot, "… ! shows it whole"))


async def test_the_end_of_what_was_begun_here_is_told_on_any_screen(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, lambda: app.caller is not None)
        assert app.caller is not None
        await pilot.press("8")
        job = {"job": 12, "kind": "train"}
        two.tell(made.event(900, verb="job.queued", subject="job 12", actor=app.caller.user, evidence=job))
        registered = {"job": 12, "verdict": "pass"}
        two.tell(made.event(901, verb="version.registered", subject="fraud@4", actor="engine", evidence=registered))
        await settle(pilot, lambda: "fraud@4 is trained and judged: pass" in status(pilot).said.text)
