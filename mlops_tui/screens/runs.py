"""2 Runs: every training run; enter opens its leaderboard and curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EventCame, ProgressCame
from mlops_tui.screens.numbered import NumberedScreen
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.runs import RUN_COLUMNS, best_first, run_cells, run_facts, run_words
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.runs import RunView

_NOTHING = (
    Cell("No runs yet.", "strong"),
    Cell("`mlops train NAME` begins one; so does :train NAME here, or t on the Fleet screen."),
)
_ORDERS = ("newest first", "oldest first", "best first")


class RunsScreen(NumberedScreen["RunView"]):
    """The list, of any length, of all models or narrowed to one."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runs")
    mode = "runs"
    place: ClassVar[Where] = "runs"
    columns = RUN_COLUMNS
    noun = "run"

    def __init__(self) -> None:
        super().__init__()
        self._fractions: dict[int, float] = {}
        self._order = 0

    async def ask(self, limit: int, before: int | None) -> tuple[Sequence[RunView], int | None]:
        """A page of runs."""
        page = await self.engine_app.engine.runs(project=self.about or None, limit=limit, before=before)
        return page.runs, page.next_before

    def cells(self, thing: RunView) -> Mapping[str, Cell]:
        """A run's row."""
        return run_cells(thing, self.now(), self._fractions.get(thing.job_id or 0))

    def words(self, thing: RunView) -> str:
        """What a filter looks through."""
        return run_words(thing)

    def nothing(self) -> Sequence[Cell]:
        """How a run begins."""
        if self.about:
            return [cell(f"No runs of {self.about} yet.", "strong"), Cell(f":train {self.about} begins one.")]
        return _NOTHING

    def spoiled(self, message: EventCame) -> Iterable[int]:
        """The run that an event is about, by itself or by its job."""
        told = message.event.evidence
        job = told.get("job")
        found = [run.id for run in self.pages.all_here() if job is not None and run.job_id == job]
        return [*found, told["run"]] if isinstance(told.get("run"), int) else found

    @on(ProgressCame)
    def _progress_came(self, message: ProgressCame) -> None:
        if message.progress.fraction is None:
            return
        self._fractions[message.progress.job_id] = message.progress.fraction
        for run in self.pages.all_here():
            if run.job_id == message.progress.job_id:
                self.query_one(LineTable).redraw_row(run.id)

    def subject(self, takes: Argument) -> str:
        """Of the run under the cursor."""
        run = self.current()
        return "" if run is None else run_subject(run, takes)

    def do_open(self, _: str) -> AwaitMount | None:
        """Its leaderboard and curves."""
        run = self.current()
        return None if run is None else self.open_run(run.id)

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one run."""
        from mlops_tui.screens.describe import DescribeScreen

        run = self.current()
        if run is None:
            return None
        self.say(f"$ mlops show run {run.id}")
        kinds: tuple[Argument, ...] = ("model", "version", "job")
        subjects = {kind: run_subject(run, kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(f"run {run.id}", run_facts(run, self.now()), self.mode, subjects))

    def do_sort(self, argument: str) -> None:
        """Newest or oldest first; of one model also by what the metric says."""
        self._order = (self._order + 1) % (len(_ORDERS) if self.about else 2)
        self.pages.oldest_first = self._order == 1
        self.show_rows()
        self._fill()

    def narrow(self, about: str) -> None:
        """Show those of one model only; empty: of all."""
        self._order = 0
        super().narrow(about)

    def order_title(self) -> str:
        """How it is sorted."""
        return _ORDERS[self._order]

    def listed(self, newest_first: list[RunView]) -> list[RunView]:
        """Of one model, in the order that was asked for."""
        if not self.about or self._order == 0:
            return newest_first
        return newest_first[::-1] if self._order == 1 else best_first(newest_first)


def run_subject(run: RunView, takes: Argument) -> str:
    """What a command on a run is about."""
    if takes == "job":
        return "" if run.job_id is None else str(run.job_id)
    if takes == "version":
        return "" if run.version is None else f"{run.project}@{run.version}"
    if takes == "thing":
        return f"run {run.id}"
    return run.project if takes == "model" else ""
