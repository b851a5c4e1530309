from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.api.job_log import read_job_log
from engine.settings import Home
from engine.wire.jobs import JobView, LogPage


def job(status: str = "running", attempt: int = 1) -> JobView:
    return JobView.model_validate(
        {
            "id": 7, "kind": "train", "project": "fraud", "status": status, "attempt": attempt, "step": None,
            "fraction": None, "note": "", "reason": "", "by": "anna", "created_at": datetime.now(UTC),
            "started_at": None, "ended_at": None, "waits_for": "", "failure": None, "run_id": None, "result": {},
        }
    )  # fmt: skip


def follow(home: Home, of: JobView, limit: int) -> list[LogPage]:
    pages = [read_job_log(home, of, offset=0, limit=limit)]
    while not pages[-1].ended and pages[-1].next_offset > pages[-1].offset:
        pages.append(read_job_log(home, of, offset=pages[-1].next_offset, limit=limit))
    return pages


def test_pages_of_any_size_give_the_text_whole(home: Home) -> None:
    text = "größer ✓ 模型\n" * 50
    home.job_log(7, 1).write_text(text, encoding="utf-8")
    for limit in (4, 5, 7, 100, 10_000):
        pages = follow(home, job("succeeded"), limit)
        assert "".join(page.text for page in pages) == text
        assert pages[-1].ended


def test_a_character_that_is_not_whole_waits(home: Home) -> None:
    whole = "ab✓".encode()
    home.job_log(7, 1).write_bytes(whole[:-1])
    page = read_job_log(home, job(), offset=0, limit=100)
    assert (page.text, page.next_offset, page.ended) == ("ab", 2, False)
    home.job_log(7, 1).write_bytes(whole)
    assert read_job_log(home, job(), offset=2, limit=100).text == "✓"


def test_a_log_that_ends_inside_a_character_still_ends(home: Home) -> None:
    home.job_log(7, 1).write_bytes("ab✓".encode()[:-1])
    page = read_job_log(home, job("failed"), offset=0, limit=100)
    assert (page.text, page.ended) == ("ab�", True)


def test_the_attempts_of_a_job_follow_each_other(home: Home) -> None:
    home.job_log(7, 1).write_text("first\n")
    home.job_log(7, 3).write_text("third\n")
    assert "".join(page.text for page in follow(home, job("failed", 3), 4)) == "first\nthird\n"


def test_a_running_jobs_log_has_not_ended(home: Home) -> None:
    home.job_log(7, 1).write_text("so far\n")
    page = read_job_log(home, job(), offset=0, limit=100)
    assert (page.text, page.ended) == ("so far\n", False)
    assert read_job_log(home, job(), offset=page.next_offset, limit=100).text == ""


@pytest.mark.parametrize("offset", [7, 10**12])
def test_an_offset_beyond_the_end_is_the_end(home: Home, offset: int) -> None:
    home.job_log(7, 1).write_text("so far\n")
    page = read_job_log(home, job(), offset=offset, limit=100)
    assert (page.text, page.offset, page.next_offset) == ("", 7, 7)


def test_a_job_that_printed_nothing_has_an_empty_log(home: Home) -> None:
    assert read_job_log(home, job("cancelled", 0), offset=0, limit=100).ended
