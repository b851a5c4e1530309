import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.bundles import make_rows
from fakes.replicas import Replica

from engine.serving import capture
from engine.serving.capture import CaptureLog
from engine.serving.manifest import ServeSpec
from engine.serving.problems import BadBundle


def make_log(folder: Path, limit_bytes: int = 2**20) -> CaptureLog:
    spec = ServeSpec("shop", 3, 7, 0, "bundle", capture_limit_bytes=limit_bytes)
    return CaptureLog(folder, spec, ["a", "id"])


def append(log: CaptureLog, name: str = "r", value: Any = 1.5) -> bool:
    return log.append(name, 1_700_000_000.25, 0.000_05, [(value, "k")], [[0.25, 0.75]], ["yes"], [])


def lines(folder: Path) -> list[Any]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def test_a_request_becomes_one_line(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    log.append("r-1", 1_700_000_000.25, 0.000_05, [(1.5, "k"), (None, None)], [[0.3, 0.7]] * 2, ["yes"] * 2, [(1, "a")])
    assert lines(tmp_path) == [
        {
            "v": 1,
            "endpoint": "shop",
            "version": 3,
            "deployment": 7,
            "replica": 0,
            "request_id": "r-1",
            "received_at": "2023-11-14T22:13:20.250000Z",
            "latency_s": 0.00005,
            "columns": ["a", "id"],
            "rows": [[1.5, "k"], [None, None]],
            "answers": [[0.3, 0.7], [0.3, 0.7]],
            "labels": ["yes", "yes"],
            "unseen": [[1, "a"]],
        }
    ]
    assert (log.captured, log.dropped) == (1, 0)


def test_text_in_a_row_cannot_break_a_line(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    append(log, value='a\n"b\u2028\x00')
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    assert lines(tmp_path)[0]["rows"][0][0] == 'a\n"b\u2028\x00'


def test_a_segment_is_left_at_its_size_and_on_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "SEGMENT_BYTES", 1000)
    log = make_log(tmp_path)
    for _ in range(9):
        append(log)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["00000001.jsonl", "00000002.jsonl"]
    append(make_log(tmp_path))
    assert (tmp_path / "00000003.jsonl").stat().st_size > 0
    assert len(lines(tmp_path)) == 10


def test_an_empty_segment_is_taken_up_again(tmp_path: Path) -> None:
    for _ in range(3):
        make_log(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["00000001.jsonl"]


def test_over_the_limit_requests_are_dropped_counted_and_told_later(tmp_path: Path) -> None:
    log = make_log(tmp_path, limit_bytes=2000)
    results = [append(log, f"r{index}") for index in range(12)]
    assert results[0] and not results[-1]
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert size <= 2000
    assert log.captured + log.dropped == 12
    dropped = log.dropped

    first, *_, last = sorted(tmp_path.glob("*.jsonl"))
    assert first != last
    first.unlink()  # as compaction does
    log._looked_at = float("-inf")
    assert append(log, "later")
    assert lines(tmp_path)[-2:][0] == {"v": 1, "dropped": dropped}
    assert lines(tmp_path)[-1]["request_id"] == "later"


def test_a_short_write_is_taken_back_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = make_log(tmp_path)
    append(log, "whole")
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:50]))
    assert not append(log, "half")
    monkeypatch.setattr(os, "write", write)
    append(log, "after")
    whole, dropped, after = lines(tmp_path)
    assert (whole["request_id"], dropped, after["request_id"]) == ("whole", {"v": 1, "dropped": 1}, "after")


def test_what_cannot_be_taken_back_ends_its_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = make_log(tmp_path)

    def fail(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    write = os.write
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:50]))
        broken.setattr(os, "ftruncate", fail)
        assert not append(log)
    assert append(log, "after")
    assert json.loads((tmp_path / "00000002.jsonl").read_bytes().splitlines()[-1])["request_id"] == "after"


def test_a_full_disk_drops_captures_and_answers_all_the_same(
    short_folder: Path, replica_folder: Callable[..., Path]
) -> None:
    """The kernel refuses to let any file grow over 1 kB."""
    limited = ["/bin/sh", "-c", 'ulimit -f 2; exec "$@"', "sh"]
    with Replica(replica_folder(short_folder), command=limited) as replica:
        answers = [replica.predict(make_rows(1)) for _ in range(20)]
        metrics = replica.client.get("/metrics").text
        replica.end()
        said = replica.stderr.read()
    assert [answer.status_code for answer in answers] == [200] * 20
    kept = len(lines(short_folder / "captures"))
    assert 0 < kept < 20
    assert (
        f'mlops_dropped_captures_total{{endpoint="shop",version="3",deployment="7",replica="0"}} {20 - kept}' in metrics
    )
    assert said.count("Answers are not captured") == 1


def test_a_folder_that_may_not_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "captures").write_text("a file")
    with pytest.raises(BadBundle, match="Captures cannot be written to captures/"):
        make_log(tmp_path / "captures")


def test_kill_9_leaves_every_answer_given_readable(short_folder: Path, replica_folder: Callable[..., Path]) -> None:
    with Replica(replica_folder(short_folder)) as replica:
        began = datetime.now(UTC)
        given = [replica.predict(make_rows(3)).json()["request_id"] for _ in range(50)]
        replica.end(signal.SIGKILL)
    found = lines(short_folder / "captures")
    assert [line["request_id"] for line in found] == given
    assert began - timedelta(seconds=1) < datetime.fromisoformat(found[0]["received_at"]) < datetime.now(UTC)
    with Replica(short_folder) as again:
        again.predict(make_rows(1))
    assert len(lines(short_folder / "captures")) == 51


def test_an_answer_is_captured_before_it_is_sent(replica: Replica) -> None:
    rows = make_rows(2)
    rows[0] |= {"customer": "k", "seen_at": "2026-05-01T10:00:00Z", "country": "zz"}
    answer = replica.predict(rows).json()
    line = lines(replica.folder / "captures")[-1]
    assert line["request_id"] == answer["request_id"]
    assert line["columns"] == ["amount", "balance", "visits", "member", "country", "customer", "seen_at"]
    assert line["rows"][0] == [*(rows[0][name] for name in line["columns"])]
    assert line["labels"] == [each["label"] for each in answer["predictions"]]
    assert [scores[1] for scores in line["answers"]] == [each["probability"] for each in answer["predictions"]]
    assert line["unseen"] == [[0, "country"]]
    assert 0 < line["latency_s"] < 10


def test_a_refused_request_is_not_captured(replica: Replica) -> None:
    replica.predict(make_rows(1))
    before = lines(replica.folder / "captures")
    assert replica.predict({"amount": 1}).status_code == 422
    assert lines(replica.folder / "captures") == before
