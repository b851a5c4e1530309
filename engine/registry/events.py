"""The audit chain: each event carries the hash of the one before, so none can be changed or taken out unseen.

    hash = sha256(prev_hash + canonical JSON of seq, at, actor, role, verb, subject, project, evidence)

Canonical JSON is ASCII, with sorted keys and without blanks; `at` is RFC 3339 in UTC with microseconds; `project` is
the project's name, so that anyone can check the chain from what `GET /v1/events` shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python
from sqlalchemy import Connection, select

from engine.registry.core import EVENT, EVENT_HEAD, PROJECT

GENESIS = "0" * 64
"""What the first event takes for the hash before it."""


class Actor(Protocol):
    """Who did it."""

    @property
    def name(self) -> str:
        """A Unix user, `job 12`, or `engine`."""

    @property
    def role(self) -> str:
        """What they were allowed by."""


@dataclass(frozen=True)
class Named:
    """An actor that is no caller."""

    name: str
    role: str


ENGINE = Named("engine", "engine")
"""The engine itself."""


@dataclass(frozen=True)
class Head:
    """The end of the chain: nothing yet has `seq` 0."""

    seq: int = 0
    hash: str = GENESIS


def clean_evidence(evidence: dict[str, Any]) -> dict[str, Any]:
    """As it will be read back: plain JSON values, with NaN and infinity as null."""
    try:
        plain = to_json(evidence, inf_nan_mode="null", fallback=str)
    except PydanticSerializationError:
        # A file name may carry bytes that are no text (surrogates): they are told as escapes.
        plain = json.dumps(_escaped(to_jsonable_python(evidence, fallback=str))).encode()
    cleaned: dict[str, Any] = json.loads(plain)
    return cleaned


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {_escaped(key): _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    if isinstance(value, float) and value - value != 0.0:
        return None
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def event_hash(
    prev_hash: str,
    *,
    seq: int,
    at: datetime,
    actor: str,
    role: str,
    verb: str,
    subject: str,
    project: str | None,
    evidence: dict[str, Any],
) -> str:
    """The hash of one event, hexadecimal. `evidence` is plain JSON already."""
    told = {
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "role": role,
        "verb": verb,
        "subject": subject,
        "project": project,
        "evidence": evidence,
    }
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(prev_hash.encode() + canonical.encode()).hexdigest()


@dataclass(frozen=True)
class ChainCheck:
    """What `verify_chain` found."""

    events: int
    broken: int | None
    """Sequence number of the first event that does not fit; None: the chain holds."""
    why: str = ""


def verify_chain(connection: Connection) -> ChainCheck:
    """Walk the whole chain, a thousand events at a time, and name the first that does not fit.

    A missing event shows as a gap, a changed one as a hash that differs, and a tail that was cut off as an end
    that lies before the recorded one. Somebody who can write the file and recomputes every hash from there on, and
    the recorded end, stays unseen.
    """
    head = Head()
    rows = connection.execution_options(yield_per=1000).execute(
        select(*EVENT.c, PROJECT.c.name.label("project"))
        .select_from(EVENT.outerjoin(PROJECT, PROJECT.c.id == EVENT.c.project_id))
        .order_by(EVENT.c.seq)
    )
    checked = _walk(rows, head)
    if checked.broken is not None:
        return checked
    recorded = connection.execute(select(EVENT_HEAD)).first()
    if recorded is None:
        return checked if checked.events == 0 else ChainCheck(checked.events, checked.events, "its end is not recorded")
    if recorded.seq != checked.events:
        return ChainCheck(
            checked.events, min(recorded.seq, checked.events) + 1, "the chain does not end where recorded"
        )
    return checked


def _walk(rows: Iterable[Any], head: Head) -> ChainCheck:
    for row in rows:
        if row.seq != head.seq + 1:
            return ChainCheck(head.seq, head.seq + 1, "an event is missing")
        expected = event_hash(
            head.hash,
            seq=row.seq,
            at=row.at,
            actor=row.actor,
            role=row.role,
            verb=row.verb,
            subject=row.subject,
            project=row.project,
            evidence=row.evidence,
        )
        if row.prev_hash != head.hash or row.hash != expected:
            return ChainCheck(head.seq, row.seq, "its hash does not fit")
        head = Head(row.seq, row.hash)
    return ChainCheck(head.seq, None)
