"""Take away figures of old checks: by column, and their distributions. That a check was, and what it said, stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.lifecycle.drop_blobs import drop_blobs
from engine.lifecycle.parts import Parts
from engine.lifecycle.retain_captures import Removed
from engine.registry.core import CHECK_FIGURE, MODEL_CHECK
from engine.registry.queries.old_checks import OldCheck, figures_bytes, oldest_checks
from engine.registry.tx import Tx

ROUND = 200
"""Checks in one round of housekeeping, which comes each minute."""


def retain_checks(parts: Parts, at: datetime) -> Removed:
    """One round, as of the moment `at`. The caller holds `parts.removal`."""
    kept = parts.config.retention
    not_before = at - timedelta(days=kept.checks_days)
    too_many_bytes = figures_bytes(parts.reader) - (kept.checks_mb << 20)
    chosen = choose_checks(oldest_checks(parts.reader, ROUND), not_before, too_many_bytes)
    if not chosen:
        return Removed()
    ids = [check.id for check in chosen]

    def forget(tx: Tx) -> None:
        tx.execute(CHECK_FIGURE.delete().where(CHECK_FIGURE.c.check_id.in_(ids)))
        tx.execute(MODEL_CHECK.update().where(MODEL_CHECK.c.id.in_(ids)).values(figures_sha256=None))

    parts.writer.write_and_wait(forget)
    drop_blobs(parts, [check.figures_sha256 for check in chosen], now_s=at.timestamp())
    return Removed(len(chosen), sum(check.size_bytes for check in chosen))


def choose_checks(oldest: list[OldCheck], not_before: datetime, too_many_bytes: int) -> list[OldCheck]:
    """Those that go, of checks with the oldest first; `too_many_bytes` is how much all are over the limit."""
    chosen = []
    for check in oldest:
        if check.created_at >= not_before and too_many_bytes <= 0:
            break
        chosen.append(check)
        too_many_bytes -= check.size_bytes
    return chosen
