"""A list of any length, a page at a time."""

from fakes import wire_objects as made

from engine.wire.events import Progress
from engine.wire.jobs import JobView
from mlops_tui.view.cell import Cell
from mlops_tui.view.filter import Filter
from mlops_tui.view.job_pages import JobPages
from mlops_tui.view.jobs import job_words
from mlops_tui.view.numbered_pages import MOST_KEPT, PAGE, Matches, PagedRows


def page(
    first: int, last: int, *, more: bool = True, without: tuple[int, ...] = ()
) -> tuple[list[JobView], int | None]:
    """Jobs from `first` down to `last`."""
    jobs = [made.job(at) for at in range(first, last - 1, -1) if at not in without]
    return jobs, last if more else None


def rows_of(pages: JobPages) -> PagedRows[JobView]:
    return PagedRows(pages, lambda job: {"job": Cell(str(job.id))}, lambda number: {"job": Cell("nobody")})


def test_the_last_page_can_be_asked_for_without_those_between():
    pages = JobPages()
    pages.add(*page(100_000, 100_000 - PAGE + 1), None)
    assert len(pages) == 100_000
    assert pages.wanted(range(20)) is None
    assert pages.wanted(range(99_980, 100_000)) == 21


def test_a_row_that_has_not_come_is_not_made_up():
    pages = JobPages()
    pages.add(*page(300, 201), None)
    rows = rows_of(pages)
    assert rows.cells(0) is not None
    assert rows.cells(250) is None


def test_a_number_without_a_job_is_asked_for_once_and_then_said_to_be_none():
    pages = JobPages()
    pages.add(*page(20, 1, more=False, without=(7,)), None)
    assert pages.wanted(range(20)) is None
    cells = rows_of(pages).cells(pages.row_of(7))
    assert cells is not None
    assert cells["job"].text == "nobody"


def test_what_has_changed_is_asked_for_again_and_drawn_meanwhile():
    pages = JobPages()
    pages.add(*page(20, 1, more=False), None)
    pages.spoil(5)
    assert pages.wanted(range(20)) == 6
    assert rows_of(pages).cells(pages.row_of(5)) is not None
    pages.put(made.job(5, status="failed"))
    assert pages.wanted(range(20)) is None


def test_after_a_break_everything_on_the_screen_is_asked_for_again():
    pages = JobPages()
    pages.add(*page(20, 1, more=False), None)
    pages.spoil(None)
    assert pages.wanted(range(20)) == 21


def test_memory_is_bounded():
    pages = JobPages()
    for first in range(3 * MOST_KEPT, 0, -PAGE):
        pages.add(*page(first, first - PAGE + 1), first + 1 if first < 3 * MOST_KEPT else None)
    assert len(list(pages.all_here())) == MOST_KEPT


def test_late_progress_does_not_wake_a_job_that_is_over():
    pages = JobPages()
    pages.put(made.job(3, status="failed"))
    assert pages.move_on(Progress(job_id=3, attempt=1, step="fit", fraction=0.5, note="")) is None
    ended = pages.get(3)
    assert ended is not None
    assert ended.status == "failed"


def test_a_filter_remembers_how_far_it_has_looked():
    matches = Matches(Filter("tumour"), job_words, 300)
    matches.add(*page(300, 201), 301)
    assert (matches.looked_down_to, matches.is_done) == (201, False)
    matches.put(made.job(150, project="tumour"))
    matches.add(*page(200, 1, more=False), 201)
    assert matches.is_done
    assert matches.newest_first() == []


def test_a_late_answer_does_not_make_a_filter_skip_what_it_has_not_looked_at():
    matches = Matches(Filter("fraud"), job_words, 1000)
    assert matches.add(*page(300, 201), 301)
    assert matches.looked_down_to == 1001
    assert [job.id for job in matches.newest_first()][:1] == [300]


def test_a_list_whose_beginning_is_not_known_is_looked_through_from_its_first_page():
    matches = Matches(Filter(""), job_words)
    assert matches.add(*page(300, 201), None)
    assert (matches.looked_down_to, matches.is_done) == (201, False)
