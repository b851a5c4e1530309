"""The list of jobs, of which only the pages that were looked at are here, moved on by their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_tui.view.numbered_pages import NumberedPages

if TYPE_CHECKING:
    from engine.wire.events import Progress
    from engine.wire.jobs import JobView


class JobPages(NumberedPages["JobView"]):
    """Jobs by their number."""

    def move_on(self, progress: Progress) -> int | None:
        """Take a job's progress in; its number where it is here and not over."""
        job: JobView | None = self.get(progress.job_id)
        if job is None or job.status not in ("queued", "running"):
            return None
        newer = {"status": "running", "step": progress.step or job.step, "note": progress.note or job.note}
        if progress.fraction is not None:
            newer["fraction"] = progress.fraction  # type: ignore[assignment]
        self.change(job.model_copy(update=newer))
        return job.id
