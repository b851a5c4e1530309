from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from engine.errors import Fenced
from engine.serving.capture import CaptureLog
from engine.serving.manifest import MANIFEST_NAME, File, Golden, Input, Manifest, ServeSpec, dump_manifest
from engine.wire.work import CompactOrder, CompactResult, WorkOrder
from engine.worker.compact import compact, run_compact
from engine.worker.segments import Offset, list_segments
from engine.worker.session import Session

INPUTS = (
    Input("amount", "number"),
    Input("visits", "integer"),
    Input("member", "boolean"),
    Input("land, Land", "category", categories=("de", "fr")),
)
COLUMNS = [*(column.name for column in INPUTS), "order", "at"]
MOMENT = 1_767_225_600.25


@pytest.fixture
def replica(tmp_path: Path) -> Callable[..., Path]:
    """The captures folder of a replica with its bundle's manifest."""

    def making(number: int = 0, task: str = "binary", classes: tuple[Any, ...] = ("no", "yes")) -> Path:
        folder = tmp_path / "serve" / "d-4" / f"r{number:02d}"
        (folder / "b").mkdir(parents=True)
        spec = ServeSpec("fraud", 3, 4, number, "b")
        manifest = Manifest(
            "fraud", task, "y", INPUTS, (), "linear", File("model.json", "0" * 64, 1), Golden((), ()), "7", "0" * 64,
            classes=classes, id="order", time="at",
        )  # type: ignore[arg-type]  # fmt: skip
        (folder / "serve.json").write_bytes(msgspec.json.encode(spec))
        (folder / "b" / MANIFEST_NAME).write_bytes(dump_manifest(manifest))
        return folder / "captures"

    return making


def answer(log: CaptureLog, request: str, rows: Sequence[Sequence[Any]] = (), **changes: Any) -> None:
    rows = rows or [[1.5, 2, True, "de", f"o-{request}", "2026-01-01T00:00:00Z"]]
    told = {"answers": [[0.25, 0.75]] * len(rows), "labels": ["yes"] * len(rows), "unseen": []} | changes
    assert log.append(request, MOMENT, 0.002, rows, told["answers"], told["labels"], told["unseen"])


def open_log(captures: Path, number: int = 0, limit: int = 1 << 29) -> CaptureLog:
    return CaptureLog(captures, ServeSpec("fraud", 3, 4, number, "b", capture_limit_bytes=limit), COLUMNS)


def order(captures: Path, after: CompactResult | None = None, **changes: Any) -> CompactOrder:
    told: dict[str, Any] = {
        "endpoint": "fraud", "deployment": 4, "captures_folder": str(captures),
        "out_folder": str(captures.parents[3] / "captures" / "fraud"),
        "segment": after.segment if after else 0, "byte": after.byte if after else 0,
    }  # fmt: skip
    return CompactOrder(**told | changes)


def stored(told: CompactOrder) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted(Path(told.out_folder).glob("*.parquet"))])


def test_each_predicted_row_is_a_row_with_its_keys_and_inputs(replica: Callable[..., Path]) -> None:
    captures = replica()
    log = open_log(captures)
    rows = [[1.5, 2, True, "de", 17, "2026-01-01T02:00:00+02:00"], [None, None, False, "xx", "o-2", None]]
    answer(log, "r-1", rows, answers=[[0.25, 0.75], [0.9, 0.1]], labels=["yes", "no"], unseen=[(1, "land, Land")])
    asked = order(captures)
    result = compact(asked)
    assert (result.rows, result.requests, result.duplicates, result.damaged_lines, result.dropped) == (2, 1, 0, 0, 0)
    assert Path(asked.out_folder, result.files[0]).exists()
    first, second = stored(asked).to_dicts()
    assert first == {
        "endpoint": "fraud", "version": 3, "deployment": 4, "replica": 0, "request_id": "r-1", "row_index": 0,
        "received_at": datetime.fromtimestamp(MOMENT, UTC), "latency_s": 0.002, "label": "yes", "probability": 0.75,
        "value": None, "scores": [0.25, 0.75], "unseen": [], "id": "17", "event_time": datetime(2026, 1, 1, tzinfo=UTC),
        "input.amount": 1.5, "input.visits": 2, "input.member": True, "input.land, Land": "de",
    }  # fmt: skip
    assert (second["id"], second["event_time"], second["unseen"]) == ("o-2", None, ["land, Land"])
    assert (second["input.amount"], second["label"], second["row_index"]) == (None, "no", 1)


@pytest.mark.parametrize(
    ("task", "classes", "scores", "label", "expected"),
    [
        ("regression", (), [12.5], 12.5, {"probability": None, "value": 12.5, "label": 12.5}),
        ("multiclass", (1, 2, 3), [0.1, 0.2, 0.7], 3, {"probability": None, "value": None, "label": 3}),
        ("binary", (False, True), [0.1, 0.9], True, {"probability": 0.9, "value": None, "label": True}),
    ],
)
def test_answers_of_each_task_find_their_columns(
    task: str, classes: Any, scores: list[float], label: Any, expected: dict[str, Any], replica: Callable[..., Path]
) -> None:
    captures = replica(task=task, classes=classes)
    answer(open_log(captures), "r", answers=[scores], labels=[label])
    asked = order(captures)
    compact(asked)
    row = stored(asked).row(0, named=True)
    assert {name: row[name] for name in expected} == expected
    assert row["scores"] == scores


def test_compaction_goes_on_where_it_stopped(replica: Callable[..., Path]) -> None:
    captures = replica()
    log = open_log(captures)
    answer(log, "a")
    first = compact(order(captures))
    nothing = compact(order(captures, first))
    answer(log, "b")
    second = compact(order(captures, nothing))
    assert (nothing.rows, nothing.files, nothing.byte) == (0, [], first.byte)
    assert second.rows == 1
    assert stored(order(captures))["request_id"].to_list() == ["a", "b"]


def test_half_a_line_waits_in_the_open_segment_and_is_damaged_in_a_closed_one(replica: Callable[..., Path]) -> None:
    captures = replica()
    answer(open_log(captures), "a")
    path = captures / "00000001.jsonl"
    line = path.read_bytes().replace(b'"a"', b'"b"')
    with path.open("ab") as file:
        file.write(line[:50])
    first = compact(order(captures))
    assert (first.rows, first.damaged_lines, first.byte) == (1, 0, len(line))
    with path.open("ab") as file:
        file.write(line[50:] + line[:50])
    open_log(captures)
    second = compact(order(captures, first))
    assert (second.rows, second.damaged_lines, second.segment, second.byte) == (1, 1, 2, 0)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense", b"", b"\xff\xfe", b"[]", b'{"v":2,"request_id":"a"}', b'{"v":1,"request_id":"a","rows":[[1]]}',
        b'{"v":1,"request_id":"a","columns":["x"],"rows":[[1,2]],"answers":[[1]],"labels":[1]}',
        b'{"v":1,"request_id":"a","columns":["x"],"rows":[[{}]],"answers":[[1]],"labels":[1]}', b"[" * 10_000,
    ],
)  # fmt: skip
def test_a_damaged_line_is_counted_and_spoils_no_other(line: bytes, replica: Callable[..., Path]) -> None:
    captures = replica()
    log = open_log(captures)
    answer(log, "a")
    with (captures / "00000001.jsonl").open("ab") as file:
        file.write(line + b"\n")
    answer(log, "b")
    result = compact(order(captures))
    assert (result.rows, result.damaged_lines) == (2, 1)


def test_dropped_answers_are_counted(replica: Callable[..., Path]) -> None:
    captures = replica()
    answer(open_log(captures), "a")
    with (captures / "00000001.jsonl").open("ab") as file:
        file.write(b'{"v":1,"dropped":5}\n')
    result = compact(order(captures))
    assert (result.rows, result.dropped, result.damaged_lines) == (1, 5, 0)


def test_a_request_answered_twice_counts_once(replica: Callable[..., Path]) -> None:
    captures, other = replica(0), replica(1)
    log = open_log(captures)
    answer(log, "a")
    answer(log, "a")
    first = compact(order(captures))
    again = open_log(other, 1)
    answer(again, "a")
    answer(again, "b")
    second = compact(order(other))
    assert (first.rows, first.duplicates) == (1, 1)
    assert (second.rows, second.duplicates) == (1, 1)
    assert sorted(stored(order(captures))["request_id"]) == ["a", "b"]


def test_files_of_long_ago_are_not_opened_to_look_for_a_request_answered_twice(
    replica: Callable[..., Path],
) -> None:
    captures = replica()
    answer(open_log(captures), "a")
    told = order(captures)
    old = Path(told.out_folder) / "d9-r00-00000001-0-to-00000002-0.parquet"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"no Parquet")
    os.utime(old, (MOMENT - 2 * 86_400,) * 2)
    assert compact(told).rows == 1


def job(asked: CompactOrder, tmp_path: Path, ears: Any, finished: dict[str, Any] | None = None) -> Session:
    work = WorkOrder(
        job_id=1, attempt=1, kind="compact", args=asked.model_dump(), work_folder=str(tmp_path), blobs_folder="/",
        finished=finished or {},
    )  # fmt: skip
    return Session(work, ears)


class Ears:
    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.steps: dict[str, dict[str, Any]] = {}

    def progress(self, job_id: int, report: Any) -> None:
        return

    def finish_step(self, job_id: int, step: str, result: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.steps[step] = result.result


def fill(captures: Path, segments: int) -> None:
    """Closed segments 1, 2, … and an open one."""
    for number in range(segments):
        answer(open_log(captures), f"r{number}")


def test_segments_go_only_when_the_step_is_recorded(replica: Callable[..., Path], tmp_path: Path) -> None:
    captures = replica()
    fill(captures, 12)
    assert len(list_segments(captures)) == 12
    with pytest.raises(Fenced):
        run_compact(job(order(captures), tmp_path, Ears(Fenced("over"))))
    assert len(list_segments(captures)) == 12

    ears = Ears()
    run_compact(job(order(captures), tmp_path, ears))
    assert list_segments(captures) == [12]
    assert ears.steps["compact"]["rows"] == 12
    assert ears.steps["compact"]["duplicates"] == 0
    assert sorted(stored(order(captures))["request_id"]) == sorted(f"r{number}" for number in range(12))


def test_a_killed_attempt_between_record_and_deletion_is_made_good(
    replica: Callable[..., Path], tmp_path: Path
) -> None:
    captures = replica()
    fill(captures, 3)
    asked = order(captures)
    done = json.loads(compact(asked).model_dump_json())
    ears = Ears(AssertionError("the step is finished already"))
    run_compact(job(asked, tmp_path, ears, {"compact": done}))
    assert list_segments(captures) == [3]
    assert stored(asked).height == 3


def test_a_retired_replicas_last_segment_goes_too(replica: Callable[..., Path], tmp_path: Path) -> None:
    captures = replica()
    fill(captures, 2)
    run_compact(job(order(captures, retired=True), tmp_path, Ears()))
    assert list_segments(captures) == []


def test_what_a_dead_attempt_wrote_beyond_its_offset_is_replaced(replica: Callable[..., Path]) -> None:
    captures = replica()
    log = open_log(captures)
    answer(log, "a")
    recorded = compact(order(captures))
    answer(log, "b")
    compact(order(captures, recorded))
    answer(log, "c")
    result = compact(order(captures, recorded))
    assert (result.rows, result.duplicates) == (2, 0)
    assert stored(order(captures))["request_id"].to_list() == ["a", "b", "c"]


def test_captures_without_their_manifest_are_kept_all_the_same(replica: Callable[..., Path]) -> None:
    captures = replica()
    answer(open_log(captures), "a")
    (captures.parent / "serve.json").unlink()
    asked = order(captures)
    assert compact(asked).rows == 1
    row = stored(asked).row(0, named=True)
    assert (row["input.order"], row["id"], row["probability"]) == ("o-a", None, 0.75)


def test_a_replica_without_captures_has_nothing_to_compact(tmp_path: Path) -> None:
    asked = order(tmp_path / "serve" / "d-4" / "r00" / "captures")
    result = compact(asked)
    assert (result.rows, result.files, Offset(result.segment, result.byte)) == (0, [], Offset(0, 0))


def test_a_write_that_fails_leaves_no_half_file(replica: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    captures = replica()
    answer(open_log(captures), "a")
    asked = order(captures)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        compact(asked)
    assert list(Path(asked.out_folder).iterdir()) == []
    assert list_segments(captures) == [1]
