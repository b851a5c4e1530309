"""Job `check`: what came in production, or a file, against the training data and the answers on test rows.

Measures only. What of it is an alarm is decided by the engine.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.data.damaged_captures import fresh_files, naming_damage
from engine.monitoring.answers import answers_of_scores
from engine.monitoring.calmer import calmer
from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.drift import draw_column, measure_column
from engine.monitoring.quality import dropped_captures, find_faults
from engine.monitoring.reference import Reference, read_profile
from engine.project import Column, Project, parse_project
from engine.serving.manifest import MANIFEST_NAME, Manifest
from engine.wire.base import FileEntry
from engine.wire.monitoring import Distribution
from engine.wire.work import CheckOrder, CheckResult, ColumnFigures, LabelledFigures, QualityFinding
from engine.worker.captured_rows import Came, CapturedRows
from engine.worker.given_file import lay_out_given
from engine.worker.session import Session

if TYPE_CHECKING:
    from engine.worker.given_rows import GivenRows

FEWEST_ROWS = 500
"""Below that nothing is judged: a check waits until there are more."""
FIGURES_FILE = "figures.json"

_THREADS = 2


def run_check(session: Session) -> None:
    """Measure and finish step `check`.

    Raises:
        BadData: the file that was given cannot be read, or captures are damaged.
        BadBundle: the version's bundle cannot be loaded.
        OSError: the captures cannot be read.
    """
    order = CheckOrder.model_validate(session.args)
    session.begin("check", "reading what came")
    if "check" not in session.finished:
        session.step("check", check(order, session))


def check(order: CheckOrder, session: Session) -> CheckResult:
    """All figures of one look; with fewer than 500 rows only how many there are."""
    with naming_damage(_read_files(order)):
        return _Check(order, session).run()


def _read_files(order: CheckOrder) -> list[Path]:
    files = [Path(order.captures_folder) / name for name in order.capture_files]
    return files + (fresh_files(order.labels.fresh) if order.labels is not None else [])


class _Check:
    def __init__(self, order: CheckOrder, session: Session) -> None:
        self._order, self._session = order, session
        self._project: Project = parse_project(session.order.project_file)
        self._manifest = _manifest(order, session)
        tree = json.loads(session.blob(order.profile_sha256).read_bytes())
        self._reference_rows = int(tree["rows"])
        self._references = [read_profile(tree)]
        if order.newest_sha256 is not None:
            self._references.append(read_profile(json.loads(session.blob(order.newest_sha256).read_bytes())))

    def run(self) -> CheckResult:
        rows = self._rows()
        first_at, last_at = rows.span
        told = CheckResult(
            rows=rows.rows,
            reference_rows=self._reference_rows,
            first_at=first_at,
            last_at=last_at,
            columns=[],
            findings=[],
            figures=None,
        )
        if rows.rows >= FEWEST_ROWS:
            told = self._measured(told, rows)
        return told.model_copy(update={"labelled": self._labelled()})

    def _rows(self) -> CapturedRows | GivenRows:
        if self._order.source == "captures":
            folder = Path(self._order.captures_folder)
            return CapturedRows(folder, self._order.capture_files, self._order.version, self._manifest)
        from engine.worker.given_rows import GivenRows

        given = lay_out_given(self._session, self._order.data_sha256 or "", self._order.data_name, otherwise="data.csv")
        return GivenRows(given, self._project, self._manifest)

    def _measured(self, told: CheckResult, rows: CapturedRows | GivenRows) -> CheckResult:
        columns: list[ColumnFigures] = []
        drawn: list[Distribution] = []
        findings: list[QualityFinding] = []
        expected = self._project.data.columns
        asked = len(self._manifest.inputs)
        with ThreadPoolExecutor(_THREADS) as pool:
            for group in rows.inputs():
                for column in pool.map(lambda came: _look(came, self._references, expected), group):
                    columns += column.figures
                    drawn += column.drawn
                    findings += column.findings
                del group  # before the next ones are read
                self._session.progress(0.9 * min(1.0, len(drawn) / max(1, asked)), f"{len(drawn)} of {asked} columns")
        for name, reference, now in self._answers(rows):
            columns.append(measure_column(reference, now, prediction=True))
            drawn.append(draw_column(reference, now, prediction=True))
            del name
        return told.model_copy(
            update={
                "columns": columns,
                "findings": findings + self._of_all(rows),
                "figures": _store(drawn, self._session.folder / FIGURES_FILE),
            }
        )

    def _of_all(self, rows: CapturedRows | GivenRows) -> list[QualityFinding]:
        if isinstance(rows, CapturedRows):
            return [dropped_captures(self._order.dropped, rows.rows)] if self._order.dropped else []
        return rows.new_columns()

    def _answers(self, rows: CapturedRows | GivenRows) -> Iterable[tuple[str, Reference, ColumnNow]]:
        """Those that were also given on test rows."""
        if self._order.predictions is None:
            return
        before = read_profile(self._order.predictions)
        now = rows.answers() if isinstance(rows, CapturedRows) else self._scored(rows)
        for name, reference in before.items():
            if name in now and now[name].rows >= FEWEST_ROWS:
                yield name, reference, now[name]

    def _scored(self, rows: GivenRows) -> dict[str, ColumnNow]:
        """What the version would answer to these rows; nothing where it cannot."""
        inputs = rows.scorable()
        if inputs is None:
            return {}
        from engine.serving.model import load_bundle

        self._session.progress(0.9, "asking the model")
        bundle = load_bundle(_laid_out(self._order, self._session), threads=_THREADS)
        try:
            scores = bundle.score_columns(inputs)
        except (TypeError, ValueError, KeyError) as error:
            print(f"The model does not answer these rows, so its answers are not compared: {error}")  # noqa: T201
            return {}
        arrival: Arrival = rows.arrival
        return {name: ColumnNow(values, arrival) for name, values in answers_of_scores(self._manifest, scores).items()}

    def _labelled(self) -> LabelledFigures | None:
        order = self._order.labels
        if order is None:
            return None
        from engine.monitoring.label_join import read_label_files
        from engine.monitoring.performance import labelled_figures

        folder = Path(order.fresh.captures_folder) / "labels"
        labels = read_label_files(folder, order.fresh.label_files)
        return labelled_figures(order, self._project, labels, told=lambda note: self._session.progress(0.95, note))


class _Looked(msgspec.Struct, frozen=True):
    """What one column gave; empty figures where it did not come."""

    figures: list[ColumnFigures] = []
    drawn: list[Distribution] = []
    findings: list[QualityFinding] = []


def _look(came: Came, references: Sequence[Mapping[str, Reference]], expected: Mapping[str, Column]) -> _Looked:
    """A column against the training data, and against the newest of it; what is drawn is the training data."""
    reference = references[0].get(came.name)
    if came.now is None or reference is None:
        return _Looked(findings=came.findings)
    figures = measure_column(reference, came.now)
    for newest in references[1:]:
        if came.name in newest:
            figures = calmer(figures, measure_column(newest[came.name], came.now))
    return _Looked(
        figures=[figures],
        drawn=[draw_column(reference, came.now)],
        findings=came.findings + find_faults(reference, came.now, expected.get(came.name)),
    )


def _manifest(order: CheckOrder, session: Session) -> Manifest:
    file = next(file for file in order.bundle if file.path == MANIFEST_NAME)
    return msgspec.json.decode(session.blob(file.sha256).read_bytes(), type=Manifest)


def _laid_out(order: CheckOrder, session: Session) -> Path:
    """The bundle as a folder again."""
    folder = session.folder / "bundle"
    for file in order.bundle:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(session.blob(file.sha256), path)
    return folder


def _store(drawn: list[Distribution], path: Path) -> FileEntry:
    content = json.dumps({"columns": [one.model_dump(mode="json") for one in drawn]}, ensure_ascii=False).encode()
    path.write_bytes(content)
    return FileEntry(path=path.name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
