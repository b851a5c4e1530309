"""Job `label`: a file of outcomes → labels by key, and what the model's answers were worth by all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from engine.data.damaged_captures import fresh_files, naming_damage
from engine.monitoring.label_file import LabelFileRead, read_label_file
from engine.monitoring.label_join import TIME, read_captures, read_label_files
from engine.monitoring.label_news import LabelNews, label_news
from engine.monitoring.performance import all_classes, labelled_figures
from engine.project import Project, parse_project
from engine.wire.monitoring import LabelCounts
from engine.wire.work import LabelOrder, LabelResult
from engine.worker.durable_parquet import write_durably
from engine.worker.given_file import lay_out_given
from engine.worker.session import Session


def run_label(session: Session) -> None:
    """Read the file, store what it says that was not known, and finish step `label`.

    Raises:
        BadData: the file cannot be used, or captures are damaged; nothing is stored then.
        DiskFull, OSError: the labels cannot be written.
    """
    order = LabelOrder.model_validate(session.args)
    session.begin("label", f"reading {order.file}")
    if "label" not in session.finished:
        with naming_damage(fresh_files(order.labels.fresh)):
            told = take_labels(order, session)
        session.step("label", told)


def take_labels(order: LabelOrder, session: Session) -> LabelResult:
    """The labels, stored, and all that is known by them."""
    project = parse_project(session.order.project_file)
    fresh = order.labels.fresh
    folder, out = Path(fresh.captures_folder), Path(order.out_folder)
    known = read_label_files(out, fresh.label_files)
    read = read_label_file(
        lay_out_given(session, order.sha256, order.file, otherwise="labels.csv"),
        project,
        all_classes(order.labels.signatures),
        _seen_at(order, project),
    )
    session.progress(0.3, "comparing with what is known")
    names = ["id", "request_id", "row_index"] if read.labels["id"].null_count() else ["id"]
    news = label_news(known, read.labels, read_captures(folder, fresh.capture_files, names))
    for example in read.examples:
        print(example)  # noqa: T201
    name = f"J{session.job_id}.parquet"
    # A worker that was frozen while another did its work is told so here, before it writes.
    session.begin("label", "storing the labels")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(news.kept, out / name)
    figures = labelled_figures(
        order.labels, project, pl.concat([known, news.kept]), told=lambda note: session.progress(0.6, note)
    )
    counts = _counts(read, news)
    return LabelResult(file=name, rows=news.kept.height, counts=counts.model_dump(), labelled=figures)


def _counts(read: LabelFileRead, news: LabelNews) -> LabelCounts:
    return LabelCounts(
        rows=read.rows,
        matched=news.matched,
        early=news.early,
        repeated=news.repeated,
        corrected=news.corrected,
        refused=read.rows - read.labels.height,
        examples=read.examples,
    )


def _seen_at(order: LabelOrder, project: Project) -> datetime:
    """Now, on the clock of the rows: where they have a time of their own, that of the newest one captured."""
    fresh = order.labels.fresh
    if project.data.time is not None:
        times = read_captures(Path(fresh.captures_folder), fresh.capture_files, ["event_time"])["event_time"]
        newest = times.cast(TIME).max()
        if isinstance(newest, datetime):
            return newest
    return datetime.now(UTC)
