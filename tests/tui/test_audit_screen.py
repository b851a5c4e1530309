"""8 Audit."""

from datetime import timedelta

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import Clock, pane, screen_text, settle, shows, status, table

from engine.errors import Forbidden
from engine.wire.events import Verification
from mlops_tui.app import MlopsApp


@pytest.fixture
def many(fake: FakeEngine) -> FakeEngine:
    """A thousand events: every tenth is an approval by ben."""
    fake.events = [
        made.event(at, verb="version.approved", actor="ben", subject=f"fraud@{at}")
        if at % 10 == 0
        else made.event(at, verb="job.queued", subject=f"job {at}", project="tumour", evidence={"kind": "train"})
        for at in range(1, 1001)
    ]
    return fake


async def test_it_shows_who_did_what_the_newest_first(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        line = next(line for line in screen_text(pilot) if line.startswith("▸"))
        for told in ("1000", "1m ago", "ben", "version.approved", "fraud@1000", "verdict=pass"):
            assert told in line


async def test_nothing_yet_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "Nothing has happened yet."))
        assert "mlops add DIR" in "\n".join(screen_text(pilot))


async def test_only_the_pages_that_are_looked_at_are_asked_for(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        assert len(many.asked("GET", "/events")) == 1
        await pilot.press("G")
        await settle(pilot, shows(pilot, "▸       1 "))
        assert len(many.asked("GET", "/events")) == 2
        await pilot.press("g", "G")
        await settle(pilot, shows(pilot, "▸       1 "))
        assert len(many.asked("GET", "/events")) == 2


async def test_the_order_turns_round_and_its_pages_come(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("s", "g")
        await settle(pilot, shows(pilot, "▸       1 "))
        assert status(pilot).place == "1/1000  oldest first"


async def test_what_happens_appears_without_asking_and_the_cursor_keeps_to_its_event(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        asked = len(many.asked("GET", "/events"))
        many.tell(made.event(1001, verb="alias.moved"))
        await settle(pilot, shows(pilot, "2/1001"))
        assert shows(pilot, "alias.moved")()
        assert table(pilot).key == 1000
        assert len(many.asked("GET", "/events")) == asked


async def test_a_key_between_two_drawings_moves_from_the_row_that_is_seen(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        app.pace_s = 3600.0  # what comes is not drawn within this test
        for at in range(1001, 1021):
            many.tell(made.event(at))
        await settle(pilot, lambda: app.screen.pages.get(1020) is not None)  # type: ignore[attr-defined]
        await pilot.press("j")
        await settle(pilot, lambda: table(pilot).key == 999)
        app.screen._tick()  # type: ignore[attr-defined]
        await settle(pilot, lambda: status(pilot).place == "22/1020  newest first")
        assert table(pilot).key == 999


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("who:ben what:approved model:fraud", "1/100  /who:ben what:approved model:fraud"),
        ("!who:ada", "1/100  /!who:ada"),
        ("fraud@70", "1/2  /fraud@70"),
    ],
)
async def test_the_engine_filters_by_who_what_model_and_words(app: MlopsApp, many: FakeEngine, typed: str, place: str):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        app.screen.do_filter(typed)  # type: ignore[attr-defined]
        await settle(pilot, lambda: status(pilot).place == place)


async def test_further_pages_of_a_filter_come_when_they_are_looked_at(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        app.screen.do_filter("who:ada")  # type: ignore[attr-defined]
        await settle(pilot, lambda: status(pilot).place == "1/200+  /who:ada")
        await pilot.press("G")
        await settle(pilot, lambda: "/400+" in status(pilot).place)


async def test_what_happens_while_a_filter_stands_is_shown_where_it_passes(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        app.screen.do_filter("who:ben")  # type: ignore[attr-defined]
        await settle(pilot, lambda: status(pilot).place == "1/100  /who:ben")
        many.tell(made.event(1001, actor="ada"))
        many.tell(made.event(1002, actor="ben", subject="fraud@9999"))
        await settle(pilot, shows(pilot, "fraud@9999"))
        assert status(pilot).place == "2/101  /who:ben"


async def test_a_filter_that_nothing_passes_says_so_and_how_to_write_one(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("/", *"zzz", "enter")
        await settle(pilot, shows(pilot, "No event passes this filter."))
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "1/1000"))


async def test_it_opens_narrowed_to_a_model(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press(":", *"audit", "space", *"fraud", "enter")
        await settle(pilot, lambda: status(pilot).place == "1/100  /model:fraud")


async def test_enter_shows_the_evidence_whole_with_the_hashes(app: MlopsApp, many: FakeEngine):
    reason = "because " * 60
    many.events[-1] = made.event(
        1000, hash="cd" * 32, evidence={"verdict": {"outcome": "pass", "rows": 4000}, "reasons": [reason], "none": None}
    )
    async with app.run_test(size=(80, 60)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "Evidence"))
        lines = [line.text for line in pane(pilot).lines]
        for told in (
            f"hash      {'cd' * 32}",
            f"before    {made.HASH}",
            "verdict",
            "  outcome  pass",
            "  rows  4000",
            "reasons",
            f"  1.  {reason}",
            "none  null",
        ):
            assert told in lines
        assert app.said.text == "$ mlops audit --before 1001 --limit 1 --json"


async def test_an_event_that_is_gone_shows_as_a_gap(app: MlopsApp, many: FakeEngine):
    del many.events[-3]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "✗ missing: :verify"))
        assert shows(pilot, "     998 ")()


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, "✓ $ mlops verify: 4,120 events and 312 files hash as recorded"),
        ({"broken_event": 17}, "✗ $ mlops verify: event 17 does not fit the one before it"),
        ({"missing": [made.HASH]}, f"✗ $ mlops verify: 1 file is missing · {made.HASH}"),
    ],
)
async def test_verify_says_in_a_sentence_what_it_found(
    app: MlopsApp, many: FakeEngine, found: dict[str, object], told: str
):
    sound = {"events": 4120, "broken_event": None, "blobs": 312, "damaged": [], "missing": []}
    many.verification = Verification.model_validate(sound | found)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        await pilot.press("V")
        await settle(pilot, lambda: status(pilot).said.text == told)


async def test_how_long_a_verification_lasts_is_told_and_it_runs_once(app: MlopsApp, many: FakeEngine, clock: Clock):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("8")
        await settle(pilot, shows(pilot, "1/1000"))
        app.do_verify("")
        clock.now += timedelta(seconds=75)
        app.do_verify("")
        assert "every event and every file, for 1m15s so far" in app.said.text
        await settle(pilot, lambda: "hash as recorded" in status(pilot).said.text)
        assert len(many.asked("POST", "/verify")) == 1


async def test_who_may_not_verify_is_told_and_may_try_again(app: MlopsApp, many: FakeEngine):
    many.refusals["/verify"] = Forbidden("You are a viewer; an operator may do this.", "Ask its owner.")
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("8", "V")
        await settle(pilot, lambda: "You are a viewer" in status(pilot).said.text)
        del many.refusals["/verify"]
        await pilot.press("V")
        await settle(pilot, lambda: "hash as recorded" in status(pilot).said.text)
