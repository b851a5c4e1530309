"""What can be looked at of one model in production: one pane at a time, each a list with something beneath it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.columns import Column
from mlops_tui.view.distribution import draw
from mlops_tui.view.labels import performance_lines
from mlops_tui.view.monitoring import alarm_lines, check_lines
from mlops_tui.view.monitoring_performance import plot_performance
from mlops_tui.view.monitoring_rows import (
    ALARM_COLUMNS,
    CHECK_COLUMNS,
    COLUMN_COLUMNS,
    RETRAIN_COLUMNS,
    WINDOW_COLUMNS,
    alarm_cells,
    check_cells,
    columns_now,
    evidence_facts,
    retrain_cells,
    texts,
    unended,
    window_cells,
    with_alarms,
)
from mlops_tui.view.times import exact
from mlops_tui.widgets.picture import Draw

if TYPE_CHECKING:
    from engine.client import AsyncEngineClient
    from engine.wire.monitoring import AlarmView, DriftView, PerformanceView

PAGE = 100
Page = tuple[Sequence[Any], int | None]
"""Things, newest first, and where the next page begins."""


@dataclass(frozen=True)
class Seen:
    """What every pane is about."""

    drift: DriftView
    alarms: Sequence[AlarmView]


class Pane(ABC):
    """One of them. Holds what was read of it."""

    id: ClassVar[str]
    columns: ClassVar[Sequence[Column]]

    def __init__(self, model: str) -> None:
        self.model = model
        self.things: list[Any] | None = None
        """None: not read yet."""
        self.next_before: int | None = None

    @abstractmethod
    async def ask(self, engine: AsyncEngineClient, seen: Seen, before: int | None) -> Page:
        """A page of it."""

    @abstractmethod
    def key(self, thing: Any) -> Hashable:
        """What tells one from the others."""

    @abstractmethod
    def cells(self, thing: Any, now: datetime) -> Mapping[str, Cell]:
        """A row."""

    @abstractmethod
    def nothing(self) -> Sequence[Cell]:
        """What to do where there is none."""

    def take(self, things: Sequence[Any], next_before: int | None, before: int | None) -> None:
        """A page has come: the newest, which is all there is then, or one that follows."""
        if before is None:
            # Pages further down are asked for again when somebody goes there.
            self.things, self.next_before = list(things), next_before
            return
        known = {self.key(thing) for thing in self.things or ()}
        self.things = [*(self.things or ()), *(thing for thing in things if self.key(thing) not in known)]
        self.next_before = next_before

    def words(self, thing: Any, now: datetime) -> str:
        """What a filter looks through."""
        return texts(self.cells(thing, now))

    def picture(self, thing: Any | None) -> Draw | None:
        """What is drawn beneath; None: lines stand there."""
        return None

    def lines(self, thing: Any) -> Sequence[Cell]:
        """What is told beneath of the row under the cursor."""
        return ()

    def facts(self, thing: Any, now: datetime) -> list[tuple[str, Cell]]:
        """All of a row, times exact."""
        return list(self.cells(thing, now).items())


class ColumnsPane(Pane):
    """The newest check, column by column; both distributions of the one under the cursor."""

    id = "columns"
    columns = COLUMN_COLUMNS

    async def ask(self, engine: AsyncEngineClient, seen: Seen, before: int | None) -> Page:
        """All of them: they came with the check."""
        return with_alarms(columns_now(seen.drift), unended(seen.alarms)), None

    def key(self, thing: Any) -> Hashable:
        """Answers may bear the name of a column."""
        return thing.figures.kind == "prediction", thing.figures.column

    def cells(self, thing: Any, now: datetime) -> Mapping[str, Cell]:
        """Its distance against the floor, and how it fared before."""
        row: Mapping[str, Cell] = thing.row
        return row

    def nothing(self) -> Sequence[Cell]:
        """How a first check comes to be."""
        return [
            cell(f"No check of {self.model} has looked at its columns yet.", "strong"),
            Cell("A check needs 500 captured rows of a version that serves; c looks now, and the clock does"),
            Cell("as [watch] in mlops.toml says. Where nothing serves yet, 1 shows what is missing."),
        ]

    def picture(self, thing: Any | None) -> Draw | None:
        """At training and now, over each other."""
        if thing is None:
            return lambda width, height: []
        return lambda width, height: draw(thing.shape, width, height, thing.told)


class ChecksPane(Pane):
    """All looks, newest first."""

    id = "checks"
    columns = CHECK_COLUMNS

    async def ask(self, engine: AsyncEngineClient, seen: Seen, before: int | None) -> Page:
        """A page."""
        page = await engine.checks(self.model, limit=PAGE, before=before)
        return page.checks, page.next_before

    def key(self, thing: Any) -> Hashable:
        """Its number."""
        return int(thing.id)

    def cells(self, thing: Any, now: datetime) -> Mapping[str, Cell]:
        """Its outcome."""
        return check_cells(thing, now)

    def nothing(self) -> Sequence[Cell]:
        """How a first check comes to be."""
        return [
            cell(f"{self.model} has not been looked at yet.", "strong"),
            Cell("c looks now, where a version serves."),
        ]

    def facts(self, thing: Any, now: datetime) -> list[tuple[str, Cell]]:
        """Its row, and when to the second."""
        return [*super().facts(thing, now), ("exactly", cell(exact(thing.created_at))), ("job", cell(thing.job_id))]

    def lines(self, thing: Any) -> Sequence[Cell]:
        """What it found."""
        return [cell(line.text, line.tone) for line in check_lines(thing)]


class AlarmsPane(Pane):
    """Those that are open first."""

    id = "alarms"
    columns = ALARM_COLUMNS

    async def ask(self, engine: AsyncEngineClient, seen: Seen, before: int | None) -> Page:
        """A page."""
        page = await engine.alarms(model=self.model, limit=PAGE, before=before)
        return page.alarms, page.next_before

    def key(self, thing: Any) -> Hashable:
        """Its number."""
        return int(thing.id)

    def cells(self, thing: Any, now: datetime) -> Mapping[str, Cell]:
        """What it is about."""
        return alarm_cells(thing, now)

    def nothing(self) -> Sequence[Cell]:
        """That is good."""
        return [cell(f"Nothing has rung about {self.model} yet.", "strong"), Cell("What rings shows here by itself.")]

    def facts(self, thing: Any, now: datetime) -> list[tuple[str, Cell]]:
        """Its row, when to the second, and what it rests on."""
        when = [("opened", cell(exact(thing.opened_at))), ("last seen", cell(exact(thing.last_seen_at)))]
        return [*super().facts(thing, now), *when, ("message", cell(thing.message)), *evidence_facts(thing.evidence)]

    def lines(self, thing: Any) -> Sequence[Cell]:
        """All of it."""
        told = [cell(line.text, line.tone) for line in alarm_lines(thing) if not line.text.startswith("→")]
        # The command lines that its hint names are keys here.
        return [*told, Cell("→ enter opens it, with its columns and its next step", "dim")]


class PerformancePane(Pane):
    """What its answers were worth, newest first; all of it drawn beneath."""

    id = "performance"
    columns = WINDOW_COLUMNS
    found: PerformanceView | None = None

    async def ask(self, engine: AsyncEngineClient, seen: Seen, before: int | None) -> Page:
        """All there is."""
        self.found = await engine.performance(self.model)
        return self.found.windows[::-1], None

    def key(self, thing: Any) -> Hashable:
        """A version and when it began."""
        return thing.version, thing.starts_at

    def cells(self, thing: Any, now: datetime) -> Mapping[str, Cell]:
        """Its value against the promise."""
        assert self.found is not None
        return window_cells(thing, self.model, self.found)

    def nothing(self) -> Sequence[Cell]:
        """What is missing."""
        told = [] if self.found is None else performance_lines(self.model, self.found)
        said = [cell(line.text, line.tone) for line in told]
        return said or [cell(f"mlops label {self.model} labels.csv brings outcomes in.")]

    def picture(self, thing: Any | None) -> Draw | None:
        """Over time, with intervals."""
        found = self.found
        if found is None:
            return lambda width, height: []
        return lambda width, height: plot_performance(found, width, height)


class RetrainsPane(Pane):
    """Wishes to train again, newest first."""

    id = "retrains"
    columns = RETRAIN_COLUMNS

    async def ask(self, engine: AsyncEngineClient, seen: Seen, before: int | None) -> Page:
        """A page."""
        page = await engine.retrains(model=self.model, limit=PAGE, before=before)
        return page.retrains, page.next_before

    def key(self, thing: Any) -> Hashable:
        """Its number."""
        return int(thing.id)

    def cells(self, thing: Any, now: datetime) -> Mapping[str, Cell]:
        """What it waits for, or came to."""
        return retrain_cells(thing, now)

    def nothing(self) -> Sequence[Cell]:
        """What asks for one."""
        return [
            cell(f"{self.model} was never trained again.", "strong"),
            Cell("An alarm, a schedule or new labels ask for it, as [retrain] in mlops.toml says; r does now."),
        ]

    def facts(self, thing: Any, now: datetime) -> list[tuple[str, Cell]]:
        """Its row, and when to the second."""
        ended = None if thing.ended_at is None else exact(thing.ended_at)
        when = [("asked", cell(exact(thing.created_at))), ("ended", cell(ended)), ("job", cell(thing.job_id))]
        return [*super().facts(thing, now), *when, ("why", cell(thing.reason))]

    def lines(self, thing: Any) -> Sequence[Cell]:
        """Why, what it waits for, what came of it."""
        told = [cell(f"Retrain {thing.id}: {thing.reason}", "strong"), *([cell(thing.note)] if thing.note else [])]
        told.append(cell(f"asked for by {thing.by} ({thing.trigger}) {exact(thing.created_at)}", "dim"))
        if thing.judge_after is not None:
            told.append(cell(f"judged on rows after {exact(thing.judge_after)}", "dim"))
        what = "enter shows its version" if thing.version is not None else "enter shows its log"
        return [*told, Cell(what, "dim")] if thing.job_id is not None else told


PANES: tuple[type[Pane], ...] = (ColumnsPane, ChecksPane, AlarmsPane, PerformancePane, RetrainsPane)
"""In the order that tab walks through."""
