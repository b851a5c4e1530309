"""The loop of the fraud sample, faster than life: watched, drifted, alarmed, labelled, trained again, taken over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from demo_shell import DemoFailed, Mlops, Told
from simulated_world import Week, World
from steady_traffic import SteadyTraffic, Tally, send_all

NAME = "fraud"
EVERY = "5s"
"""How often the engine looks, for a week that takes seconds; `mlops.toml` of the sample says 15 minutes."""
FIRST = date(2026, 5, 1)
DRIFT_ON = date(2026, 5, 15)
CAUSE = "app-scam"
WEEKS = 12
CALM_WEEKS = 2
WEEKS_AFTER = 3
"""Labels of the first week after the takeover are complete two weeks later."""
TAKEOVER_ANSWERS = 200
"""Answers the new version must have given before the takeover counts as seen."""


@dataclass
class ClosedLoop:
    """What came of it."""

    version: dict[str, Any] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    """Of the requests while the model was trained again and taken over."""
    payments: int = 0
    weeks: int = 0
    alarms_before: int = 0
    metric: str = ""
    realised: str = ""
    runtime: str = ""


def close_the_loop(mlops: Mlops, told: Told, project: Path, url: str) -> ClosedLoop:
    """Weeks of payments, until a version that saw the new world has taken over and its labels have come."""
    world = World(project, FIRST, WEEKS, DRIFT_ON, CAUSE)
    return _Loop(mlops, told, world, project, url).run()


class _Loop:
    def __init__(self, mlops: Mlops, told: Told, world: World, project: Path, url: str) -> None:
        self._mlops, self._told, self._world, self._project, self._url = mlops, told, world, project, url
        self._closed = ClosedLoop()
        self._number = 0

    def run(self) -> ClosedLoop:
        for _ in range(CALM_WEEKS):
            self._pass_week()
        if alarms := self._alarms():
            raise DemoFailed(f"An alarm came before anything had changed: {alarms[-1]['message']}")
        self._told.stage(NAME, "drift", f"from {DRIFT_ON:%B} {DRIFT_ON.day} on {self._world.change}")
        alarm = self._until_the_alarm()
        self._until_taken_over(alarm)
        for _ in range(WEEKS_AFTER):
            self._pass_week()
        self._realised()
        self._closed.runtime, self._closed.weeks = self._runtime(), self._number
        return self._closed

    def _until_the_alarm(self) -> dict[str, Any]:
        for _ in range(2):
            self._pass_week()
            if alarms := [alarm for alarm in self._alarms() if alarm["kind"] == "drift"]:
                self._told.stage(NAME, "alarm", alarms[0]["message"])
                return alarms[0]
        raise DemoFailed(f"Two weeks after the change no alarm has come; see `mlops drift {NAME}`.")

    def _until_taken_over(self, alarm: dict[str, Any]) -> None:
        """The retrain waits for labels, which come late; one that could not show enough asks again for more."""
        while self._number < WEEKS - WEEKS_AFTER:
            retrain = self._retrain(alarm)
            if retrain["status"] == "waiting":
                self._told.stage(NAME, "retrain", f"waits: {retrain['note']}")
                self._pass_week()
            elif self._take_over(retrain):
                return
        raise DemoFailed(f"No version has taken over: {self._retrain(alarm)['note']}")

    def _take_over(self, retrain: dict[str, Any]) -> bool:
        """Payments go on one by one while it trains, is judged and takes over; False: it did not pass."""
        week = self._next_week()
        self._told.stage(NAME, "retrain", f"trains, job {retrain['job_id']}: {retrain['reason']}")
        self._told.doing("training again, while payments go on")
        with SteadyTraffic(self._url, week.rows, per_second=50) as traffic:
            ended = self._wait(
                "the version that was trained again",
                lambda: _ended(self._mlops("retrains", NAME)["retrains"], retrain["id"]),
                180,
            )
            if ended["version"] is None:
                raise DemoFailed(f"The retrain was given up: {ended['note']}")
            version = self._mlops("show", f"{NAME}@{ended['version']}")
            self._told.stage(NAME, "verdict", f"{ended['verdict']}: {version['verdict']['reasons'][0]}")
            passed: bool = ended["verdict"] == "pass"
            if passed:
                self._told.doing(f"{NAME}@{ended['version']} takes over")
                seen = traffic.wait_for(ended["version"], TAKEOVER_ANSWERS, timeout_s=90)
        tally = traffic.tally
        if tally.failures:
            raise DemoFailed(f"{len(tally.failures)} requests failed meanwhile, the first: {tally.failures[0]}")
        if passed and not seen:
            raise DemoFailed(f"Version {ended['version']} gave fewer than {TAKEOVER_ANSWERS} answers in 90 s.")
        self._closed.payments += traffic.sent
        if passed:
            by_version = " and ".join(f"{number} ({count:,})" for number, count in sorted(tally.by_version.items()))
            self._told.stage(
                NAME,
                "takeover",
                f"{tally.answered:,} requests answered meanwhile by version {by_version}, 0 failed, "
                f"p95 {tally.percentile_ms(0.95):.1f} ms",
            )
            self._closed.version, self._closed.tally = version, tally
        self._live(week, week.rows[traffic.sent :])
        return passed

    def _pass_week(self) -> None:
        week = self._next_week()
        self._live(week, week.rows)

    def _next_week(self) -> Week:
        week = self._world.week(self._number)
        self._number += 1
        return week

    def _live(self, week: Week, rows: list[dict[str, Any]]) -> None:
        """Answer a week's payments, let the engine look at them, and hand in the labels that have come by its end."""
        self._told.doing(f"{week.name}: {len(week.rows):,} payments")
        tally = send_all(self._url, rows)
        if tally.failures:
            raise DemoFailed(f"{len(tally.failures)} requests failed, the first: {tally.failures[0]}")
        self._closed.payments += len(rows)
        self._told.doing(f"{week.name}: the engine looks at it")
        check = self._wait("the engine's look at the week", lambda: self._looked_at(week), 60)
        labels = self._project / "labels.csv"
        arrived = self._world.write_labels(week.ends_at, labels)
        counts = self._mlops("label", NAME, str(labels))["job"]["result"] if arrived else {}
        strongest = check["figures"][0] if check["figures"] else None
        shown = f" (strongest: {strongest['column']} {strongest['distance']:.3f})" if strongest else ""
        self._told.stage(
            NAME,
            "week",
            f"{week.name}: {len(week.rows):,} payments answered; check {check['outcome']}{shown}; "
            f"{counts.get('rows', 0):,} labels came",
        )

    def _looked_at(self, week: Week) -> dict[str, Any] | None:
        """The newest check, once every payment of the week has been looked at."""
        drift = self._mlops("drift", NAME)
        check = drift["check"]
        if check is None or drift["waiting_rows"] or check["last_at"] is None:
            return None
        last = datetime.fromisoformat(week.rows[-1]["occurred_at"])
        return dict(check) if datetime.fromisoformat(check["last_at"]) >= last else None

    def _alarms(self) -> list[dict[str, Any]]:
        return list(self._mlops("alarms", NAME)["alarms"])

    def _retrain(self, alarm: dict[str, Any]) -> dict[str, Any]:
        found = [one for one in self._mlops("retrains", NAME)["retrains"] if one["alarm_id"] == alarm["id"]]
        if not found:
            raise DemoFailed("The alarm asked for no retrain; see `mlops alarms`.")
        newest = max(found, key=lambda one: int(one["id"]))
        if newest["status"] not in ("waiting", "training") and newest["verdict"] != "pass":
            raise DemoFailed(f"The retrain is {newest['status']} ({newest['verdict']}): {newest['note']}")
        return dict(newest)

    def _realised(self) -> None:
        """What the answers were worth, before, during and after, by the labels."""
        why = self._mlops("why", f"{NAME}@{self._closed.version['number']}")
        shown = []
        for when in ("before", "during", "after"):
            window = why[when]
            if window is None or window["value"] is None:
                raise DemoFailed(
                    f"The realised {why['metric']} {when} the change is not known; see `mlops performance`."
                )
            shown.append(f"{window['value']:.3f} {when}")
            self._told.stage(
                NAME,
                "realised",
                f"{when}: {why['metric']} {window['value']:.3f} ({window['lower']:.3f} to {window['upper']:.3f}) on "
                f"{window['labelled']:,} labelled payments answered by version {window['version']}",
            )
        self._closed.metric, self._closed.realised = why["metric"], ", ".join(shown)

    def _runtime(self) -> str:
        endpoint = next(one for one in self._mlops("endpoints")["endpoints"] if one["name"] == NAME)
        runtime = endpoint["deployments"][0]["replicas"][0]["runtime"]
        return "containers" if runtime == "docker" else "local processes (no Docker)"

    def _wait(self, what: str, look: Callable[[], dict[str, Any] | None], limit_s: float) -> dict[str, Any]:
        until = time.monotonic() + limit_s
        while (found := look()) is None:
            if time.monotonic() > until:
                raise DemoFailed(f"In vain waited {limit_s:g} s for {what}.")
            time.sleep(0.3)
        return found


def _ended(retrains: list[dict[str, Any]], number: int) -> dict[str, Any] | None:
    found = next(one for one in retrains if one["id"] == number)
    return found if found["status"] in ("done", "given_up", "blocked") else None
