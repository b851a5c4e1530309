"""What is said of labels and of realised performance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.wire.monitoring import LabelCounts, LabelList, PerformanceView, WindowView
from mlops_tui.view.labels import count_rows, difference, labelled_line, performance_lines, window_row

AT = datetime(2026, 5, 1, tzinfo=UTC)


def window(week: int, value: float | None, **other: Any) -> WindowView:
    told = {
        "version": 3, "starts_at": AT + timedelta(weeks=week), "ends_at": AT + timedelta(weeks=week + 1), "rows": 900,
        "labelled": 600, "metric": "average_precision", "value": value, "lower": None if value is None else value - 0.1,
        "upper": None if value is None else value + 0.1, "mature": True,
    }  # fmt: skip
    return WindowView(**told | other)


def view(
    *windows: WindowView, metric: str = "average_precision", note: str = "", captured: int = 1000
) -> PerformanceView:
    promised: dict[str, dict[str, float | None]] = {"3": {"value": 0.6, "lower": 0.5, "upper": 0.7}}
    return PerformanceView(
        metric=metric, windows=list(windows), promised=promised, captured=captured, labelled=captured // 2, note=note
    )


def test_what_did_not_occur_in_a_file_is_left_out() -> None:
    counts = LabelCounts(rows=12, matched=10, early=0, repeated=0, corrected=3, refused=2)
    assert [[one.text for one in row[:2]] for row in count_rows(counts)] == [
        ["12", "read"], ["10", "matched"], ["2", "refused"], ["3", "corrected"],
    ]  # fmt: skip


def test_how_far_rows_are_labelled_is_one_line() -> None:
    told = LabelList(files=[], captured=2000, labelled=500, mature_until=AT)
    assert labelled_line(told).startswith("500 of 2,000 captured rows are labelled now (25%); those up to 2026-05-01")
    assert "none are old enough" in labelled_line(told.model_copy(update={"mature_until": None}))


def test_the_newest_settled_window_is_told_first() -> None:
    found = view(window(0, 0.62), window(1, 0.58), window(2, 0.1, mature=False))
    first, spark, *_ = performance_lines("fraud", found)
    assert first.tone == "good"
    assert "fraud@3 was 0.58 [0.48, 0.68] from 2026-05-08" in first.text
    assert first.text.endswith("the gate promised 0.6.")
    assert "0.58 to 0.62" in spark.text


def test_a_loss_beyond_the_interval_is_a_warning() -> None:
    [first, *_] = performance_lines("fraud", view(window(0, 0.3)))
    assert (first.text[0], first.tone) == ("!", "warn")


def test_less_of_a_loss_metric_is_better() -> None:
    found = view(window(0, 0.3), metric="rmse")
    assert performance_lines("fraud", found)[0].tone == "good"
    assert difference(found.windows[0], found) == 0.5
    assert difference(window(0, 0.9), found) is not None and difference(window(0, 0.9), found) < 0  # type: ignore[operator]


def test_a_window_without_a_figure_or_a_promise_is_a_row_all_the_same() -> None:
    found = view(window(0, None), window(1, 0.5, version=9))
    texts = [[one.text for one in window_row("fraud", one_window, found)] for one_window in found.windows]
    assert texts[0][5:9] == ["–", "–", "0.6", "–"]
    assert texts[1][7:9] == ["–", "–"]
    assert "promised nothing" in performance_lines("fraud", view(window(1, 0.5, version=9)))[0].text


def test_why_there_is_nothing_to_see_is_told() -> None:
    assert performance_lines("fraud", view(note="No labels have come yet.", captured=0))[0].text.startswith("No labels")
