"""A model in production is looked at: by hand, by its schedule, and from a file; alarms are answered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from fakes.shell import Shell, customers, write_rows


@pytest.fixture
def served(shell: Shell, churn: Callable[[int], None]) -> Callable[..., Any]:
    """A live model; sends it so many customers, as they always were or older than ever."""
    churn(3000)
    shell("train", "churn")
    shell("deploy", "churn")
    sent = [100_000]

    def send(count: int, *, older_by: float = 0.0) -> None:
        write_rows(shell.folder / "now.csv", people(count, sent[0], older_by))
        sent[0] += count
        shell("predict", "churn", "now.csv")

    return send


def people(count: int, first: int, older_by: float = 0.0) -> list[dict[str, Any]]:
    rows = customers(count, seed=first, first=first)
    for row in rows:
        row.pop("churned", None)
        if older_by and row.get("age") not in (None, ""):
            row["age"] = float(row["age"]) + older_by
    return rows


def test_what_moved_is_an_alarm_and_what_did_not_is_none(shell: Shell, served: Callable[..., Any]) -> None:
    served(200)
    few = shell.try_("check", "churn", "--json")
    assert (few.code, few.json["check"]["outcome"], few.json["check"]["rows"]) == (4, "insufficient", 200)
    served(800)
    calm = shell.try_("check", "churn", "--json")
    assert (calm.code, calm.json["check"]["rows"], calm.json["check"]["drifted"]) == (0, 1000, [])
    served(1000, older_by=15.0)
    moved = shell.try_("check", "churn", "--json")
    assert (moved.code, moved.json["check"]["rows"]) == (1, 1000)
    assert "age" in moved.json["check"]["drifted"]
    told = shell("drift", "churn").out
    assert "An alarm needs p ≤" in told and "age" in told
    (alarm,) = shell("alarms", "churn", "--json").json["alarms"]
    assert (alarm["kind"], alarm["status"]) == ("drift", "open")
    assert shell("status", "--json").json["open_alarms"] == 1
    assert shell("acknowledge", str(alarm["id"]), "--json").json["status"] == "acknowledged"
    assert shell("close", str(alarm["id"]), "-m", "a new market", "--json").json["closed_by"]
    assert shell("status", "--json").json["open_alarms"] == 0


def test_a_file_is_looked_at_without_an_alarm(shell: Shell, served: Callable[..., Any]) -> None:
    write_rows(shell.folder / "calm.csv", people(900, 1))
    write_rows(shell.folder / "moved.csv", people(900, 5_000, older_by=20.0))
    assert shell.try_("check", "churn", "--data", "calm.csv").code == 0
    assert shell.try_("check", "churn", "--data", "moved.csv").code == 1
    assert shell("alarms", "--json").json["alarms"] == []


def test_a_schedule_looks_by_itself(shell: Shell, churn: Callable[[int], None]) -> None:
    churn(3000)
    file = shell.folder / "mlops.toml"
    file.write_text(re.sub(r"(?m)^every = .*$", 'every = "1s"', file.read_text()))
    shell("add", ".")
    shell("train", "churn")
    shell("deploy", "churn")
    write_rows(shell.folder / "now.csv", people(1000, 100_000, older_by=15.0))
    shell("predict", "churn", "now.csv")
    deadline = time.monotonic() + 60
    while not (found := shell("alarms", "churn", "--json").json["alarms"]):
        assert time.monotonic() < deadline, "in vain waited for an alarm"
        time.sleep(0.2)
    assert [alarm["kind"] for alarm in found] == ["drift"]
    assert shell("schedule", "--json").json["schedules"]
