"""The world moves: labels tell, an alarm, a retrain on what was captured, a verdict, a takeover; by nobody's hand."""

from __future__ import annotations

import math
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.shell import Shell, write_rows

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = timedelta(minutes=20)
CHANGES_AT = 5000
"""From this row on another column decides, and both look as they did before."""

PROJECT = """
[project]
name = "loop"
task = "binary"
[data]
source = "rows.csv"
target = "y"
id = "key"
time = "at"
[release]
approval = "auto"
runtime = "process"
[watch]
label_delay = "1d"
every = "never"
"""


def rows(first: int, count: int) -> list[dict[str, Any]]:
    chance = random.Random(first)
    made = []
    for number in range(first, first + count):
        a, b = chance.gauss(0, 1), chance.gauss(0, 1)
        pull = 3 * b if number >= CHANGES_AT else 2.5 * a
        y = int(chance.random() < 1 / (1 + math.exp(0.5 - pull)))
        at = (FIRST + number * EVERY).isoformat().replace("+00:00", "Z")
        made.append({"key": number, "at": at, "a": round(a, 4), "b": round(b, 4), "y": y})
    return made


def predict_and_label(shell: Shell, folder: Path, first: int, count: int) -> Any:
    made = rows(first, count)
    write_rows(folder / "new.csv", [{name: row[name] for name in ("key", "at", "a", "b")} for row in made])
    write_rows(folder / "labels.csv", [{"key": row["key"], "y": row["y"]} for row in made])
    shell("predict", "loop", "new.csv")
    return shell("label", "loop", "labels.csv", "--json").json["counts"]


def wait_for_champion(shell: Shell, number: int) -> None:
    for _ in range(240):
        if shell("models", "--json").json["models"][0]["champion"] == number:
            return
        time.sleep(0.5)
    raise AssertionError(f"loop@{number} never took over:\n" + shell("retrains").out + shell("jobs").out)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_no_longer_holds_is_noticed_learnt_anew_and_replaced(shell: Shell) -> None:
    folder = shell.folder
    write_rows(folder / "rows.csv", rows(0, 3000))
    (folder / "mlops.toml").write_text(PROJECT)
    shell("add", ".")
    shell("train", "loop")
    wait_for_champion(shell, 1)
    # As before: labels come, and nothing is wrong.
    assert predict_and_label(shell, folder, 3000, 2000)["matched"] == 2000
    assert shell("alarms", "--json").json["alarms"] == []
    # The world moves.
    predict_and_label(shell, folder, CHANGES_AT, 2500)
    wait_for_champion(shell, 2)
    (alarm,) = shell("alarms", "--json").json["alarms"]
    (retrain,) = shell("retrains", "--json").json["retrains"]
    assert (alarm["kind"], alarm["status"], alarm["note"]) == ("performance", "closed", "loop@2 took over")
    assert (retrain["alarm_id"], retrain["status"], retrain["verdict"]) == (alarm["id"], "done", "pass")
    snapshot = shell("show", "snapshot", "2", "--json").json
    assert [source["path"] for source in snapshot["sources"]] == ["rows.csv", "captures/loop"]
    assert snapshot["rows"] > 3000 + 2000 + 500
    # The newcomer answers, and is worth more where the world is new.
    predict_and_label(shell, folder, 8000, 1500)
    why = shell("why", "loop@2", "--json").json
    assert why["before"]["value"] > 0.8
    assert why["during"]["value"] < why["after"]["value"]
    assert {"alarm", "retrain", "data", "train", "verdict", "approval", "takeover", "release", "performance"} == {
        link["what"] for link in why["chain"]
    }
    assert shell("verify", "--json").json["broken_event"] is None
