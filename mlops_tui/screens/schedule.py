"""What the clock does next; enter opens the last job of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.screens.listed import ListedScreen
from mlops_tui.view.cell import Cell
from mlops_tui.view.schedule import SCHEDULE_COLUMNS, SCHEDULE_ORDERS, schedule_cells, schedule_facts, schedule_words

if TYPE_CHECKING:
    from engine.wire.jobs import ScheduleView

TIMES_EVERY_S = 10.0
"""That the clock has rung is no event: it is asked for."""


class ScheduleScreen(ListedScreen["ScheduleView"]):
    """Checks, retrains, housekeeping."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("schedule")
    place: ClassVar[Where] = "schedule"
    columns = SCHEDULE_COLUMNS
    orders: Mapping[str, Callable[[ScheduleView], Any] | None] = SCHEDULE_ORDERS
    notes: ClassVar[Sequence[str]] = (
        "Checks and retrains are set in a model's mlops.toml, under [watch] and [retrain].",
    )

    def __init__(self, mode: str) -> None:
        super().__init__("schedule", mode)

    def on_mount(self) -> None:
        """Ask again now and then."""
        self.set_interval(TIMES_EVERY_S, self._ask_if_seen)

    def _ask_if_seen(self) -> None:
        if self.is_current and self.engine_app.link.found:
            self.read()

    async def ask(self) -> Sequence[ScheduleView]:
        """All of them."""
        return (await self.engine_app.engine.schedules()).schedules

    def key(self, thing: ScheduleView) -> Hashable:
        """Its number."""
        return thing.id

    def cells(self, thing: ScheduleView) -> Mapping[str, Cell]:
        """A row."""
        return schedule_cells(thing, self.now())

    def words(self, thing: ScheduleView) -> str:
        """What a filter looks through."""
        return schedule_words(thing)

    def nothing(self) -> Sequence[Cell]:
        """When the clock has something to do."""
        return [
            Cell("The clock has nothing to do.", "strong"),
            Cell("A model that is live is checked as [watch] every in its mlops.toml says."),
        ]

    def subject(self, takes: Argument) -> str:
        """Of the schedule under the cursor."""
        one = self.current()
        if one is None:
            return ""
        if takes == "job":
            return str(one.last_job.id) if one.last_job is not None else ""
        return one.project or "" if takes == "model" else ""

    def do_schedule(self, _: str) -> None:
        """It is open already."""

    def do_open(self, _: str) -> AwaitMount | None:
        """The log of its last job."""
        one = self.current()
        if one is None:
            return None
        if one.last_job is None:
            self.say(
                f"{one.name} has begun no job yet." if one.project else f"{one.name} is done by the engine itself."
            )
            return None
        return self.open_log(one.last_job.id)

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one schedule."""
        from mlops_tui.screens.describe import DescribeScreen

        one = self.current()
        if one is None:
            return None
        kinds: tuple[Argument, ...] = ("model", "job")
        subjects = {kind: self.subject(kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(one.name, schedule_facts(one, self.now()), self._mode_id, subjects))
