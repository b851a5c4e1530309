"""The fraud sample's world, week by week: payments as they come, and labels as they arrive, days later."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

UNKNOWN_WHEN_SCORED = ("is_fraud", "labelled_at")


@dataclass(frozen=True)
class Week:
    """Seven days of payments."""

    first: date
    rows: list[dict[str, Any]]
    """As they are scored: without what is known only later."""

    @property
    def ends_at(self) -> datetime:
        """The moment after its last day."""
        return datetime.combine(self.first + timedelta(days=7), time(), UTC)

    @property
    def name(self) -> str:
        """`May 1 to 7`."""
        last = self.first + timedelta(days=6)
        return f"{self.first:%b} {self.first.day} to {last:%b} {last.day}"


class World:
    """Weeks from `first` on, with a drift of `cause` from the day `drift_on`."""

    def __init__(self, sample: Path, first: date, weeks: int, drift_on: date, cause: str) -> None:
        sys.path.insert(0, str(sample))
        import simulate  # type: ignore[import-not-found, unused-ignore]

        last = first + timedelta(days=7 * weeks - 1)
        self._frame: pl.DataFrame = simulate.simulate(first, last, drift=simulate.Drift(drift_on, cause))
        self._first = first
        self._labelled_until = datetime.min.replace(tzinfo=UTC)
        self.change: str = simulate.CAUSES[cause]

    def week(self, number: int) -> Week:
        """The payments of week `number`, from 0."""
        first = self._first + timedelta(days=7 * number)
        begins = datetime.combine(first, time(), UTC)
        frame = self._frame.filter(pl.col("occurred_at").is_between(begins, begins + timedelta(days=7), closed="left"))
        told = frame.drop(UNKNOWN_WHEN_SCORED).with_columns(pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
        return Week(first, told.to_dicts())

    def write_labels(self, until: datetime, path: Path) -> int:
        """Write the labels that have arrived since the last time, up to a moment, of payments up to then; how many."""
        arrived = self._frame.filter(
            (pl.col("labelled_at") > self._labelled_until) & (pl.col("labelled_at") <= until)
        ).sort("labelled_at")
        self._labelled_until = until
        arrived.select("transaction_id", "is_fraud", "labelled_at").write_csv(
            path, datetime_format="%Y-%m-%dT%H:%M:%SZ"
        )
        return arrived.height
