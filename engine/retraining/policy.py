"""When a model is trained again: may it be, and is enough known to judge it fairly.

Pure and light, for it runs inside the engine's transaction. The rules, in order:

1. What an alarm asked for is given up once that alarm is over.
2. Runs of one project come one after another; a wish that was there when another retrain began is answered by it.
3. A fault of the data (an open quality alarm) blocks: a model would learn the fault.
4. Enough mature labelled rows lie after the champion's cut-off and after the beginning of the change, for the later
   half of them is to judge: 500, and so many that this half holds `min_rows_per_class` of the rarest class as the
   champion's test rows had it; and that many of the rarest are there. A wish of the clock or of a person waits for them
   only where labels come at all: else the labels lie in the project's own source, of which nothing is known here.
5. Between two retrains that nobody asked for by hand lies the cool-down.
6. A training that fails (a full disk, a lost source) is tried again after the cool-down, three times in all for a
   cause; then a person is asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from engine.project import MOST_TRAININGS

Trigger = Literal["drift", "performance", "schedule", "labels", "hand"]
Status = Literal["waiting", "blocked", "training", "given_up"]

LEAST_ROWS = 500
MOST_TRIES = 4
"""For one alarm; each needs twice the rows of the one before."""


@dataclass(frozen=True)
class Stretch:
    """Captured rows of a stretch of time that are labelled."""

    starts_at: datetime
    ends_at: datetime
    labelled: int
    by_class: Mapping[str, int]
    """Empty for regression."""


@dataclass(frozen=True)
class Need:
    """What must be labelled before a model can be judged."""

    rows: int
    per_class: int
    """Of each class in `classes`."""
    classes: tuple[str, ...]
    """Empty for regression."""


@dataclass(frozen=True)
class There:
    """What is labelled."""

    rows: int
    by_class: Mapping[str, int]


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    trigger: Trigger
    alarm_over: str = ""
    """Why the alarm that asked for it is over, as a sentence without its end; empty: it is not, or none did."""


@dataclass(frozen=True)
class World:
    """What else there is."""

    now: datetime
    since: datetime | None
    """Rows after it count; None: there is no champion to be beaten, and none are asked for."""
    need: Need
    there: There
    labels_come: bool
    """Labels of captures have come at least once."""
    before: str = ""
    """What is trained just now for the same model, such as `retrain 3`."""
    fault: str = ""
    """What is wrong with the data, and how it ends: a sentence."""
    cool_until: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """What becomes of a wish now."""

    status: Status
    note: str = ""
    """Why, in one sentence; empty where it is trained."""


def rows_needed(rows_per_class: Mapping[str, int], min_rows_per_class: int, *, tries: int = 1, before: int = 0) -> Need:
    """From the champion's test rows by class (empty for regression), and `[gate] min_rows_per_class`.

    The first try needs what the rule says. A later one needs twice as many rows as `before`, which were there at the
    one before.

    >>> rows_needed({"0": 1976, "1": 24}, 20)
    Need(rows=3334, per_class=40, classes=('0', '1'))
    >>> rows_needed({}, 20).rows
    500
    """
    twice, total, rarest = 2 * min_rows_per_class, sum(rows_per_class.values()), min(rows_per_class.values(), default=0)
    by_rarest = math.ceil(twice * total / rarest) if rarest else 0
    rows = max(LEAST_ROWS, by_rarest, 2 * before if tries > 1 else 0)
    return Need(rows, twice if rows_per_class else 0, tuple(sorted(rows_per_class)))


def rows_there(stretches: Sequence[Stretch], since: datetime | None, mature_until: datetime | None) -> There:
    """Labelled rows of whole stretches after `since` that are mature. Without `mature_until` none is."""
    if mature_until is None:
        return There(0, {})
    counted = [
        one for one in stretches if one.ends_at <= mature_until and (since is None or one.starts_at >= since)
    ]  # fmt: skip
    by_class: dict[str, int] = {}
    for one in counted:
        for name, count in one.by_class.items():
            by_class[name] = by_class.get(name, 0) + count
    return There(sum(one.labelled for one in counted), by_class)


def labelled_since(before: Sequence[tuple[datetime, int]], stretches: Sequence[Stretch]) -> int:
    """How many more captured rows have their label than at an earlier look.

    `before` has the end of each stretch there was, and its labelled rows. Those of stretches that are gone by now, as
    retention takes away the oldest captures, are not missed: they would hide as many new ones.

    >>> day = [datetime(2026, 1, number) for number in (1, 2, 3, 4)]
    >>> now = [Stretch(day[1], day[2], 50, {}), Stretch(day[2], day[3], 40, {})]
    >>> labelled_since([(day[1], 60), (day[2], 30)], now)
    60
    """
    oldest = min((one.starts_at for one in stretches), default=None)
    known = sum(labelled for ends_at, labelled in before if oldest is None or ends_at > oldest)
    return max(0, sum(one.labelled for one in stretches) - known)


def trainings(cause_key: str) -> int:
    """Which training of its cause this key stands for, from 1: `alarm:7`, then `alarm:7#2`."""
    return int(cause_key.partition("#")[2] or 1)


def key_after_failure(cause_key: str) -> str | None:
    """The key of one more training for the same cause; None: there were enough.

    >>> key_after_failure("alarm:7"), key_after_failure("alarm:7:2#2"), key_after_failure("alarm:7#3")
    ('alarm:7#2', 'alarm:7:2#3', None)
    """
    after = trainings(cause_key) + 1
    return f"{cause_key.partition('#')[0]}#{after}" if after <= MOST_TRAININGS else None


def decide(wish: Wish, world: World, *, at_once: bool = False) -> Decision:
    """What becomes of a wish; `at_once`: somebody has asked not to wait for rows, faults or time.

    >>> need, there = rows_needed({"0": 1976, "1": 24}, 20), There(2130, {"0": 2104, "1": 26})
    >>> world = World(datetime(2026, 6, 1), datetime(2026, 5, 7), need, there, labels_come=True)
    >>> decide(Wish("drift"), world).note
    '1,204 more labelled rows after 2026-05-07 are needed (2,130 of 3,334 are there).'
    """
    if wish.alarm_over:
        return Decision("given_up", _sentence(wish.alarm_over))
    if world.before:
        return Decision("waiting", _sentence(f"{world.before} of the same model is trained first"))
    if at_once:
        return Decision("training")
    if world.fault:
        return Decision("blocked", _sentence(world.fault))
    if lacking := _lacking(wish, world):
        return Decision("waiting", lacking)
    if wish.trigger != "hand" and world.cool_until is not None and world.cool_until > world.now:
        return Decision("waiting", f"It cools down until {_moment(world.cool_until, world.now)}.")
    return Decision("training")


def _lacking(wish: Wish, world: World) -> str:
    """How many rows are missing; empty: none are, or none are waited for."""
    if world.since is None or (wish.trigger in ("schedule", "hand") and not world.labels_come):
        return ""
    need, there = world.need, world.there
    after = f"after {_moment(world.since, world.now)}"
    if there.rows < need.rows:
        told = _missing(need.rows, there.rows, f"labelled {{rows}} {after}")
        return told if world.labels_come else f"{told[:-1]}, and no label has come yet."
    rarest = min(need.classes, key=lambda name: there.by_class.get(name, 0), default=None)
    if rarest is not None and there.by_class.get(rarest, 0) < need.per_class:
        return _missing(need.per_class, there.by_class.get(rarest, 0), f"{{rows}} labelled {rarest} {after}")
    return ""


def _missing(needed: int, there: int, what: str) -> str:
    lacking = needed - there
    rows, are = ("row", "is") if lacking == 1 else ("rows", "are")
    them = "is" if there == 1 else "are"
    return f"{lacking:,} more {what.format(rows=rows)} {are} needed ({there:,} of {needed:,} {them} there)."


def _moment(at: datetime, now: datetime) -> str:
    """The day; for one that is near, or was just now, the minute too."""
    near = abs((now - at).total_seconds()) < 2 * 86_400
    at = at.astimezone(UTC) if at.tzinfo is not None else at
    return f"{at:%Y-%m-%d %H:%M} UTC" if near else f"{at:%Y-%m-%d}"


def _sentence(text: str) -> str:
    told = text.rstrip(".")
    return f"{told[:1].upper()}{told[1:]}."
