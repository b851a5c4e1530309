"""Which rows a model learns from, which choose among candidates, and which judge: 60 / 20 / 20.

Without a time, by a salted hash of the row's id (of the whole row where there is none), so that a row never changes
sides. Equal rows without an id are on the same side, for copies made by accident would let a model be judged on rows
it learnt; but where most rows are copies (a few categories and nothing else), they are the data's nature, and each
copy goes its own way: a handful of distinct rows cannot be cut into three fair parts. With a time, by cut-offs in
time order: a model is judged on what came after everything it learnt from.

Where a champion is to be beaten, the test rows lie after everything it learnt from too; and where the world has
changed, after the change: of the rows that came since, the earlier half is learnt, for a model that is to know the new
world must have seen it, and the later half judges, as long as that is at most a fifth of all rows. Of those that are
learnt after a change the later half chooses among candidates, where they are enough: old rows would choose for the old
world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import BadData
from engine.training.row_hash import Hashes, hash_rows, hash_values, to_fraction

Indices = npt.NDArray[np.int64]

TRAIN_UNTIL = 0.6
VALIDATION_UNTIL = 0.8
LEAST_NEW = 100
"""Rows after a change that learn, and as many that choose: with fewer they choose by noise."""
LEAST_NEW_OF_CLASS = 25
"""Of each class, in both."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Split:
    """Row numbers of each side, ascending."""

    train: Indices
    validation: Indices
    test: Indices
    by: Literal["id", "row", "copy", "time"]
    """`copy`: by row, and each copy of a row by itself."""
    columns: tuple[str, ...] = ()
    """By row: those that were hashed."""
    train_until: datetime | None = None
    """With a time: the last one on the train side."""
    trained_until: datetime | None = None
    """With a time: the cut-off between validation and test; the model is fitted again on all up to it."""
    changed_from: datetime | None = None
    """Where the world has changed, and enough rows of train and all of validation are of the new one."""
    new: Indices = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Then those of train and validation that are."""

    @property
    def learnt(self) -> Indices:
        """Train and validation together."""
        return np.sort(np.concatenate([self.train, self.validation]))

    def to_dict(self) -> dict[str, Any]:
        """Sizes and cut-offs as plain JSON values."""
        return {
            "by": self.by,
            "columns": list(self.columns),
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
            "train_until": self.train_until.isoformat() if self.train_until else None,
            "trained_until": self.trained_until.isoformat() if self.trained_until else None,
            **({"changed_from": self.changed_from.isoformat(), "new": len(self.new)} if self.changed_from else {}),
        }


def split_rows(
    frame: pl.DataFrame,
    *,
    salt: str,
    id_column: str | None = None,
    columns: Sequence[str] = (),
    time_column: str | None = None,
    judge_after: datetime | None = None,
    cut_offs: tuple[datetime, datetime] | None = None,
    changed_from: datetime | None = None,
    classes: pl.Series | None = None,
) -> Split:
    """Split the rows of a canonical frame.

    `columns` are those by which rows were hashed before, where there is no id: a column that is new since then moves
    no row. Where one of them is gone, or none are given, all of the frame are taken.
    `judge_after` is the later of the champion's own `trained_until` and the beginning of a change: every test row is
    later. It counts with a time only, for a hash keeps a row's side anyway. `cut_offs` are `train_until` and
    `trained_until` of an earlier split, to have the same again, with its `changed_from`. Else this is since when the
    world is another one, and counts with a time and where enough rows came since; `classes` is the target, where it
    has classes. Validation and test may be empty where rows are few,
    and test where none is later than `judge_after`.

    Raises:
        BadData: a row without a time, or no row at all on the train side.
    """
    if time_column is not None:
        found = _by_time(frame[time_column], judge_after, cut_offs, changed_from, classes)
    else:
        hashed = tuple(columns if columns and set(columns) <= set(frame.columns) else frame.columns)
        by, hashes = _hashes(frame, hashed, salt, id_column)
        place = to_fraction(hashes)
        found = Split(
            train=np.flatnonzero(place < TRAIN_UNTIL),
            validation=np.flatnonzero((place >= TRAIN_UNTIL) & (place < VALIDATION_UNTIL)),
            test=np.flatnonzero(place >= VALIDATION_UNTIL),
            by=by,
            columns=() if by == "id" else hashed,
        )
    if not len(found.train):
        raise BadData(
            f"No row is left to learn from: the data has {frame.height}, and three in five of them train a model.",
            "Add rows; a few hundred are a start.",
            rows=frame.height,
        )
    return found


def _hashes(
    frame: pl.DataFrame, columns: Sequence[str], salt: str, id_column: str | None
) -> tuple[Literal["id", "row", "copy"], Hashes]:
    if id_column is not None:
        return "id", hash_values(frame[id_column], salt)
    hashes = hash_rows(frame.select(columns), salt)
    if len(np.unique(hashes)) * 2 >= frame.height:
        return "row", hashes
    copy = pl.Series("hash", hashes).to_frame().select(pl.int_range(pl.len()).over("hash").alias("copy"))
    return "copy", hash_rows(copy.with_columns(hash=pl.Series(hashes.view(np.int64))), salt)


def _by_time(
    times: pl.Series,
    judge_after: datetime | None,
    cut_offs: tuple[datetime, datetime] | None,
    changed_from: datetime | None,
    classes: pl.Series | None,
) -> Split:
    if times.null_count():
        raise BadData(
            f"The column {times.name!r} has {times.null_count():,} nulls, and rows are split in its order.",
            "Fill it in or leave these rows out; or take `time` out of [data], and rows are split at random.",
            column=times.name,
        )
    at = times.to_physical().to_numpy()
    first, latest = map(_microseconds, cut_offs) if cut_offs else _cut_offs(np.sort(at), judge_after)
    changed = _microseconds(changed_from) if changed_from is not None else None
    if changed is not None and cut_offs is None:
        cut = _cut_in_new_world(at, first, latest, changed, classes)
        first, changed = (cut, changed) if cut is not None else (first, None)
    return Split(
        train=np.flatnonzero(at <= first),
        validation=np.flatnonzero((at > first) & (at <= latest)),
        test=np.flatnonzero(at > latest),
        by="time",
        train_until=_moment(first),
        trained_until=_moment(latest),
        changed_from=changed_from if changed is not None else None,
        new=np.flatnonzero((at >= changed) & (at <= latest)) if changed is not None else np.empty(0, dtype=np.int64),
    )


def _cut_in_new_world(
    at: npt.NDArray[np.int64], first: int, latest: int, changed: int, classes: pl.Series | None
) -> int | None:
    """The cut-off of train for which validation is all of the new world, and at most its later half; None: too few
    rows are of it, or all are.
    """
    learnt, new = at <= latest, (at >= changed) & (at <= latest)
    if new.sum() < 2 * LEAST_NEW or new.sum() == learnt.sum():
        return None
    cut = max(first, _cut(np.sort(at[new]), int(new.sum()) // 2))
    for side in (new & (at <= cut), new & (at > cut)):
        if side.sum() < LEAST_NEW:
            return None
        if classes is not None:
            counted = classes.filter(pl.Series(side)).value_counts()
            known = classes.filter(pl.Series(learnt)).n_unique()
            if counted.height < known or int(counted["count"].min() or 0) < LEAST_NEW_OF_CLASS:  # type: ignore[arg-type]
                return None
    return cut


def _cut_offs(ordered: npt.NDArray[np.int64], judge_after: datetime | None) -> tuple[int, int]:
    if judge_after is None:
        latest = _cut(ordered, round(len(ordered) * VALIDATION_UNTIL))
    else:
        latest = _cut_after(ordered, _microseconds(judge_after))
    learnt = ordered[: np.searchsorted(ordered, latest, side="right")]
    return _cut(learnt, round(len(learnt) * TRAIN_UNTIL / VALIDATION_UNTIL)), latest


def _cut_after(ordered: npt.NDArray[np.int64], after: int) -> int:
    """The last time that is learnt, `after` or later: the later half of what follows it judges, a fifth of all at
    most.
    """
    known = int(np.searchsorted(ordered, after, side="right"))
    since = len(ordered) - known
    if not since:
        return after
    judges = max(1, min(since // 2, len(ordered) - round(len(ordered) * VALIDATION_UNTIL)))
    return max(after, _cut(ordered, len(ordered) - judges))


def _cut(ordered: npt.NDArray[np.int64], count: int) -> int:
    """The time of the row number `count`, from 1. Rows of one time stay together, on the earlier side; but where that
    leaves nothing to the later side they go there, as long as something is earlier.
    """
    if not len(ordered):
        return 0
    at = ordered[max(0, count - 1)]
    if at == ordered[-1] and at > ordered[0]:
        at = ordered[np.searchsorted(ordered, at) - 1]
    return int(at)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))
