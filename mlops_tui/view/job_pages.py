"""A list of any number of jobs, of which only the pages that were looked at are here.

Jobs are numbered from 1 on without gaps to speak of, so the place of a job in the whole list follows from its number,
and `G` needs no walk through all pages. Numbers that turn out to belong to no job are shown as such.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell
from mlops_tui.view.filter import Filter
from mlops_tui.view.jobs import job_cells, job_words

if TYPE_CHECKING:
    from engine.wire.events import Progress
    from engine.wire.jobs import JobList, JobView

PAGE = 100
"""Jobs asked for at once."""
SEARCH_PAGE = 500
"""Jobs asked for at once while a filter looks through all of them; reading them holds the screen for 10 ms."""
MOST_KEPT = 5_000
"""Jobs kept; what was looked at longest ago leaves first, and is asked for again when it is looked at."""


class JobPages:
    """The whole list, newest or oldest first."""

    def __init__(self) -> None:
        self.newest = 0
        self._jobs: OrderedDict[int, JobView] = OrderedDict()
        self._stale: set[int] = set()
        self._gaps: set[int] = set()
        self.oldest_first = False

    def __len__(self) -> int:
        return self.newest

    def add(self, page: JobList, before: int | None) -> None:
        """A page that was asked for: the jobs numbered below `before`; None: the newest there are."""
        if before is None:
            self.newest = max([self.newest, *(job.id for job in page.jobs[:1])])
        highest = self.newest if before is None else before - 1
        lowest = 1 if page.next_before is None else min((job.id for job in page.jobs), default=highest + 1)
        found = {job.id for job in page.jobs}
        self._gaps |= set(range(max(lowest, highest - 10 * PAGE), highest + 1)) - found
        self._gaps -= found
        for job in page.jobs:
            self.put(job)

    def put(self, job: JobView) -> None:
        """One job as it is now."""
        self._jobs[job.id] = job
        self._jobs.move_to_end(job.id)
        self._stale.discard(job.id)
        self.newest = max(self.newest, job.id)
        while len(self._jobs) > MOST_KEPT:
            self._jobs.popitem(last=False)

    def get(self, job_id: int) -> JobView | None:
        """A job that is here."""
        return self._jobs.get(job_id)

    def all_here(self) -> Iterable[JobView]:
        """The jobs that are here, in no order."""
        return list(self._jobs.values())

    def spoil(self, job_id: int | None) -> None:
        """A job has changed; None: any may have, as after a break."""
        if job_id is None:
            self._stale |= set(self._jobs)
        elif job_id in self._jobs:
            self._stale.add(job_id)

    def move_on(self, progress: Progress) -> int | None:
        """Take a job's progress in; its number where it is here."""
        job = self._jobs.get(progress.job_id)
        if job is None or job.status not in ("queued", "running"):
            return None
        newer = {"status": "running", "step": progress.step or job.step, "note": progress.note or job.note}
        if progress.fraction is not None:
            self._jobs[job.id] = job.model_copy(update=newer | {"fraction": progress.fraction})
        else:
            self._jobs[job.id] = job.model_copy(update=newer)
        return job.id

    def wanted(self, rows: range) -> int | None:
        """What to ask for so that these rows can be drawn, as `before`; None: all are here and fresh."""
        ids = [self.id_at(index) for index in rows]
        absent = [at for at in ids if at in self._stale or (at not in self._jobs and at not in self._gaps)]
        return max(absent) + 1 if absent else None

    def id_at(self, index: int) -> int:
        """The number of the job in a row."""
        return index + 1 if self.oldest_first else self.newest - index

    def row_of(self, job_id: int) -> int:
        """The row of a job."""
        return job_id - 1 if self.oldest_first else self.newest - job_id


class PagedRows:
    """The whole list as the table reads it."""

    def __init__(self, pages: JobPages, now: datetime) -> None:
        self._pages = pages
        self._now = now

    def __len__(self) -> int:
        return len(self._pages)

    def cells(self, index: int) -> Mapping[str, Cell] | None:
        """A job's cells."""
        job = self._pages.get(self._pages.id_at(index))
        if job is not None:
            return job_cells(job, self._now)
        if self._pages.wanted(range(index, index + 1)) is None:
            return {"job": Cell(str(self._pages.id_at(index)), "dim", right=True), "what": Cell("no such job", "dim")}
        return None

    def key(self, index: int) -> int | None:
        """The job's number."""
        return self._pages.id_at(index) if index < len(self._pages) else None

    def index_of(self, key: Hashable) -> int | None:
        """Where the job stands now."""
        return self._pages.row_of(key) if isinstance(key, int) and 1 <= key <= self._pages.newest else None


class Matches:
    """What passes a filter, as far as the list was looked through, from the newest down."""

    def __init__(self, wanted: Filter, newest: int) -> None:
        self.filter = wanted
        self.looked_down_to = newest + 1
        """All jobs from this number on were looked at."""
        self.is_done = newest == 0
        self._found: dict[int, JobView] = {}

    def add(self, page: JobList, before: int | None) -> bool:
        """Look through a page. Whether something in it passes.

        Only the page that follows what was looked at brings the search on: an answer may come late, asked for by a
        filter that was typed before this one.
        """
        for job in page.jobs:
            self.put(job)
        if before == self.looked_down_to:
            self.looked_down_to = min((job.id for job in page.jobs), default=1)
            self.is_done = page.next_before is None or len(self._found) >= MOST_KEPT
        return any(job.id in self._found for job in page.jobs)

    def put(self, job: JobView) -> None:
        """One job as it is now."""
        if self.filter.keeps(job_words(job)):
            self._found[job.id] = job
        else:
            self._found.pop(job.id, None)

    def newest_first(self) -> list[JobView]:
        """What was found."""
        return [self._found[at] for at in sorted(self._found, reverse=True)]


class MatchedRows:
    """What passes a filter, as the table reads it."""

    def __init__(self, jobs: list[JobView], now: datetime) -> None:
        self._jobs = jobs
        self._now = now
        self._index = {job.id: at for at, job in enumerate(jobs)}

    def __len__(self) -> int:
        return len(self._jobs)

    def cells(self, index: int) -> Mapping[str, Cell]:
        """A job's cells."""
        return job_cells(self._jobs[index], self._now)

    def key(self, index: int) -> int | None:
        """The job's number."""
        return self._jobs[index].id if index < len(self._jobs) else None

    def index_of(self, key: Hashable) -> int | None:
        """Where the job stands now."""
        return self._index.get(key) if isinstance(key, int) else None
