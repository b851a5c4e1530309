"""Somebody answers an alarm: has seen it, or says that it is over."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import Conflict, NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.registry.alarms import acknowledge_alarm, close_alarm
from engine.registry.events import Actor
from engine.registry.queries.alarms import get_alarm
from engine.registry.tables import Alarm
from engine.registry.tx import Tx
from engine.wire.monitoring import AlarmView, AnswerAlarm


def acknowledge(parts: Parts, caller: Caller, alarm_id: int, ask: AnswerAlarm) -> AlarmView:
    """Record that somebody looks after it. It stays, and calls for nobody until it grows. Again changes nothing.

    Raises:
        NotFound: there is no such alarm.
        Conflict: it is closed.
    """
    caller.need("operator", "acknowledge an alarm")

    def check_and_acknowledge(tx: Tx, actor: Actor, alarm: Alarm, note: str) -> None:
        if alarm.status == "closed":
            raise Conflict(f"Alarm {alarm_id} is closed already.", "There is nothing to acknowledge.", alarm=alarm_id)
        acknowledge_alarm(tx, actor, alarm, note)

    return _answer(parts, caller, alarm_id, ask.note, check_and_acknowledge)


def close(parts: Parts, caller: Caller, alarm_id: int, ask: AnswerAlarm) -> AlarmView:
    """It is over, or was expected: for what it was about none opens again, until that has been calm. Again changes
    nothing.

    Raises:
        NotFound: there is no such alarm.
    """
    caller.need("operator", "close an alarm")
    return _answer(parts, caller, alarm_id, ask.note, close_alarm)


def _answer(
    parts: Parts, caller: Caller, alarm_id: int, note: str, act: Callable[[Tx, Actor, Alarm, str], None]
) -> AlarmView:
    def answer(tx: Tx) -> AlarmView:
        alarm = tx.get(Alarm, alarm_id)
        if alarm is None:
            raise NotFound(f"There is no alarm {alarm_id}.", "`mlops alarms` lists them.", alarm=alarm_id)
        act(tx, caller, alarm, note)
        return get_alarm(tx, alarm_id)

    return parts.writer.write_and_wait(answer)
