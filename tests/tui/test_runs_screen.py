"""2 Runs, and one run with its leaderboard and curves."""

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.terminal import screen_text, settle, shows, status, table

from engine.wire.base import Failure
from engine.wire.events import Progress
from engine.wire.runs import CandidateView, CurvePoint
from mlops_tui.app import MlopsApp


def curve(candidate: str, steps: int, key: str = "average_precision") -> list[CurvePoint]:
    return [CurvePoint(candidate=candidate, key=key, step=at, value=1 - 0.9 / (at + 1)) for at in range(steps)]


def candidate(name: str, value: float, **changes: object) -> CandidateView:
    told = {"kind": "lightgbm", "params": {"leaves": 31}, "status": "fitted", "metrics": {"average_precision": value}}
    return CandidateView.model_validate({"name": name} | told | changes)


@pytest.fixture
def many(fake: FakeEngine) -> FakeEngine:
    fake.runs = {at: made.run(at, project="fraud" if at % 2 else "tumour") for at in range(1, 401)}
    fake.runs[400] = made.run(400, status="running", job_id=9, verdict=None, version=None, ended_at=None, metrics={})
    fake.runs[399] = made.run(
        399, status="failed", verdict=None, version=None,
        failure=Failure(code="bad_data", message="Column amount holds infinity in row 17.", hint="Mend it."),
    )  # fmt: skip
    return fake


@pytest.fixture
def two(fake: FakeEngine) -> FakeEngine:
    """One run that trains, with two candidates, of which one has a curve so far."""
    fake.runs[7] = made.run(
        7, status="running", verdict=None, version=None, ended_at=None, job_id=12,
        candidates=[candidate("slow", 0.61, status="running"), candidate("quick", 0.73, best=True)],
    )  # fmt: skip
    fake.curves[7] = curve("slow", 5)
    return fake


async def test_no_runs_says_what_to_do(app: MlopsApp):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2")
        await settle(pilot, shows(pilot, "No runs yet."))
        assert ":train NAME" in "\n".join(screen_text(pilot))


async def test_a_list_of_any_length_is_asked_for_by_the_page(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot, shows(pilot, "● engine"))
        await pilot.press("2")
        await settle(pilot, shows(pilot, "1/400"))
        assert shows(pilot, "Column amount")()
        await pilot.press("G")
        await settle(pilot, shows(pilot, "▸      1 fraud"))
        assert len(many.asked("GET", "/runs")) == 2


async def test_a_running_run_shows_how_far_it_is_without_asking(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2")
        await settle(pilot, shows(pilot, "◐ running"))
        asked = len(many.asked("GET", "/runs"))
        many.tell(Progress(job_id=9, attempt=1, step="fit", fraction=0.4, note=""))
        await settle(pilot, shows(pilot, "◐ train 40%"))
        assert len(many.asked("GET", "/runs")) == asked


async def test_it_is_narrowed_to_a_model_and_widened_again(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("2")
        await settle(pilot, shows(pilot, "1/400"))
        await pilot.press("colon", *"runs tumour", "enter")
        await settle(pilot, lambda: "1/199  of tumour" in status(pilot).place)
        assert not shows(pilot, "fraud")()
        await pilot.press("escape")
        await settle(pilot, shows(pilot, "3/400"))
        assert table(pilot).key == 398


async def test_the_runs_of_one_model_are_sorted_by_what_the_metric_says(app: MlopsApp, fake: FakeEngine):
    values = {1: 0.5, 2: 0.9, 3: 0.7}
    fake.runs = {at: made.run(at, metrics={"test.average_precision": value}) for at, value in values.items()}
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("colon", *"runs fraud", "enter")
        await settle(pilot, lambda: "1/3  of fraud" in status(pilot).place)
        await pilot.press("s", "s")
        await settle(pilot, lambda: "best first" in status(pilot).place)
        assert [line[2:8].strip() for line in screen_text(pilot)[2:5]] == ["2", "3", "1"]


async def test_a_new_run_appears_and_the_cursor_keeps_to_its_own(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await settle(pilot, shows(pilot, "1/400"))
        many.runs[401] = made.run(401, status="queued", started_at=None, ended_at=None)
        many.tell(made.event(1, verb="job.queued", subject="job 99", evidence={"job": 99, "run": 401}))
        await settle(pilot, shows(pilot, "2/401"))
        assert table(pilot).key == 400


async def test_nothing_is_asked_for_a_list_that_is_not_seen(app: MlopsApp, many: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await settle(pilot, shows(pilot, "1/400"))
        await pilot.press("7")
        await settle(pilot, shows(pilot, "No jobs yet."))
        asked = len(many.asked("GET", "/runs"))
        many.runs[401] = made.run(401)
        jobs = len(many.asked("GET", "/jobs"))
        many.tell(made.event(1, evidence={"run": 401}))
        await settle(pilot, lambda: len(many.asked("GET", "/jobs")) > jobs)
        assert len(many.asked("GET", "/runs")) == asked
        await pilot.press("2")
        await settle(pilot, shows(pilot, "/401"))


async def test_the_leaderboard_has_the_best_on_top_and_marks_it(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("2")
        await settle(pilot, shows(pilot, "1/7"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "▸ quick"))
        lines = screen_text(pilot)
        at = next(at for at, line in enumerate(lines) if "  candidate" in line)
        assert "★" in lines[at + 1]
        assert "◐ running" in lines[at + 2]


async def test_curves_grow_while_it_trains(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("colon", *"show run 7", "enter")
        await settle(pilot, shows(pilot, "step 4"))
        two.curves[7] = curve("slow", 50)
        two.tell(Progress(job_id=12, attempt=1, step="fit", fraction=0.5, note="50 trees"))
        await settle(pilot, shows(pilot, "step 49"))
        assert shows(pilot, "50% · fit · 50 trees")()


async def test_the_curve_of_the_candidate_under_the_cursor_is_told(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("colon", *"show run 7", "enter")
        await settle(pilot, shows(pilot, "no values of quick yet"))
        await pilot.press("j")
        await settle(pilot, shows(pilot, "⣿ slow 0.82, best 0.82 at step 4"))


async def test_another_metric_is_drawn_on_demand(app: MlopsApp, two: FakeEngine):
    two.curves[7] += curve("slow", 5, "log_loss")
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("colon", *"show run 7", "enter")
        await settle(pilot, shows(pilot, "m: 1 more"))
        await pilot.press("m")
        await settle(pilot, shows(pilot, "log_loss ↓ (m: 1 more) · no values of quick yet"))


async def test_a_run_without_curves_says_so(app: MlopsApp, fake: FakeEngine):
    fake.runs[7] = made.run(7)
    fake.versions["fraud", 3] = made.version(3)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show run 7", "enter")
        await settle(pilot, shows(pilot, "No curves: each was measured once."))
        assert shows(pilot, "✓ pass: fraud@3")()


async def test_a_failure_is_readable_whole(app: MlopsApp, fake: FakeEngine):
    told = Failure(code="bad_data", message="word " * 60 + "end.", hint="Mend the rows.")
    fake.runs[7] = made.run(7, status="failed", failure=told, verdict=None, version=None)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show run 7", "enter")
        await settle(pilot, shows(pilot, "end. Mend the rows."))
        await pilot.press("d")
        await settle(pilot, shows(pilot, "failure"))
        assert shows(pilot, "end. Mend the rows.")()


async def test_a_candidate_opens_with_all_its_parameters(app: MlopsApp, two: FakeEngine):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show run 7", "enter")
        await settle(pilot, shows(pilot, "▸ quick"))
        await pilot.press("enter")
        await settle(pilot, shows(pilot, "param.leaves"))
        assert shows(pilot, "★ the best of this run")()


async def test_a_run_that_is_not_there_is_told_in_the_engines_words(app: MlopsApp):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("colon", *"show run 99", "enter")
        await settle(pilot, lambda: "There is no run 99." in status(pilot).said.text)


@pytest.mark.parametrize("typed", ["show nonsense 3", "show run x", "show fraud@x"])
async def test_what_cannot_be_shown_says_how_it_is_written(app: MlopsApp, typed: str):
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("colon", *typed, "enter")
        await settle(pilot, lambda: status(pilot).said.text.startswith("✗"))


async def test_hostile_names_of_candidates_are_drawn_harmless(app: MlopsApp, fake: FakeEngine):
    name = "\x1b]52;c;aGk=\x07[red]\u202e" + "x" * 10_000
    fake.runs[7] = made.run(7, reason=name, by=name, candidates=[candidate(name, 0.5, note=name, kind=name)])
    fake.curves[7] = curve(name, 4, key=name) + curve(name, 4)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"show run 7", "enter")
        await settle(pilot, shows(pilot, "step 3"))
        await pilot.press("m")
        await settle(pilot, shows(pilot, "m: 1 more"))
        assert not any(bad in "".join(screen_text(pilot)) for bad in "\x1b\x07\u202e")
