"""`mlops.toml`: what a project says about its data, its training, its gate and its release.

Unknown keys are refused with the nearest known one; keys of the design that are not built yet are refused with
"not there yet". Every key has a default that a careful practitioner would choose.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from engine.cron import plain_cron
from engine.errors import InvalidConfig, InvalidName, NotThereYet

PROJECT_FILE = "mlops.toml"
NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,39}")

Task = Literal["binary", "multiclass", "regression"]
ColumnType = Literal["number", "integer", "boolean", "category"]
MetricName = Literal[
    "average_precision", "roc_auc", "log_loss", "brier", "accuracy", "f1", "balanced_accuracy", "macro_f1",
    "rmse", "mae", "r2",
]  # fmt: skip
Scalar = str | int | float | bool

LOSSES: frozenset[str] = frozenset({"log_loss", "brier", "rmse", "mae"})
"""Metrics of which less is better."""

MOST_TRAININGS = 3
"""That a retrain's cause may ask for as long as none of them comes to a verdict; then a person is asked."""

METRICS_OF_TASK: dict[Task, tuple[MetricName, ...]] = {
    "binary": ("average_precision", "roc_auc", "log_loss", "brier", "accuracy", "f1", "balanced_accuracy"),
    "multiclass": ("macro_f1", "log_loss", "accuracy", "balanced_accuracy"),
    "regression": ("rmse", "mae", "r2"),
}
"""The first one judges where `[gate] metric` is left out."""

NOT_THERE_YET: frozenset[str] = frozenset(
    {"data.sql", "data.url", "train.search", "gate.slices", "gate.fairness", "gate.serving", "release.canary"}
)  # fmt: skip
"""Keys of the design without a part behind them."""


def check_name(name: str) -> str:
    """The name itself, when it is one.

    Raises:
        InvalidName: it is not `[a-z][a-z0-9-]{0,39}`.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise InvalidName(
            f"{name[:60]!r} is not a name.", "Use 1 to 40 of a-z, 0-9 and '-', starting with a letter.", name=name[:60]
        )
    return name


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Section):
    """`[data.columns.NAME]`: what one column must be like."""

    type: ColumnType | None = None
    """None: seen from the data."""
    min: float | None = None
    max: float | None = None
    nullable: bool = True
    allowed: tuple[Scalar, ...] | None = None
    """The only values that may occur, besides null."""


class Data(_Section):
    """`[data]`: where the rows come from and which column is what."""

    source: str | tuple[str, ...]
    """A file or glob below the project's folder, or an absolute one: CSV, Parquet or JSON lines."""
    target: str
    positive: Scalar | None = None
    """Binary: which value counts as positive; None: 1, true, "yes"… where that is plain, else the rarer one."""
    id: str | None = None
    ignore: tuple[str, ...] = ()
    time: str | None = None
    """Given: rows are split in time order, never at random."""
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    """CSV only: what stands before the fraction of a number."""
    missing: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
    """CSV only: cells that mean null."""
    columns: dict[str, Column] = Field(default_factory=dict)


class Train(_Section):
    """`[train]`."""

    seed: int = Field(default=7, ge=0, lt=2**31)
    estimator: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None = None
    """`module:function`; `function(params)` gives a scikit-learn estimator. None: the built-in candidates."""
    params: dict[str, Scalar] = Field(default_factory=dict)
    """Handed to `function`."""


class Gate(_Section):
    """`[gate]`: what a model must show before it may be released."""

    metric: MetricName | None = None
    """None: the first of `METRICS_OF_TASK`."""
    at_least: float | None = None
    at_most: float | None = None
    margin: float | None = Field(default=None, ge=0)
    """How much worse than the champion still counts as "not worse", in units of the metric. None: chosen from the
    power of the test rows, and shown."""
    min_rows_per_class: int = Field(default=20, ge=1)
    """Test rows of a class below which nothing is judged."""


class Release(_Section):
    """`[release]`."""

    approval: Literal["manual", "auto"] = "manual"
    runtime: Literal["auto", "process", "docker"] = "auto"
    replicas: int = Field(default=1, ge=1, le=16)


_INTERVAL = r"^[1-9]\d{0,5}[smhd]$"
Interval = Annotated[str, StringConstraints(pattern=_INTERVAL)]
"""`30s`, `15m`, `6h`, `1d`."""
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def interval_s(interval: str) -> int:
    """Seconds of an `Interval`.

    >>> interval_s("15m")
    900
    """
    return int(interval[:-1]) * _UNIT_S[interval[-1]]


class Watch(_Section):
    """`[watch]`: how a model in production is looked at."""

    every: Interval | Literal["never"] = "15m"
    """How often; a check waits until at least 500 new rows are there. `never`: only by hand."""
    alarms_per_year: float = Field(default=1.0, gt=0, le=365)
    """False alarms of drift and performance a year that would be bearable."""
    silent_after: Interval | None = "24h"
    """An endpoint that had traffic and has had none for so long is told of; None: never."""
    label_delay: Interval | None = None
    """How long labels take until they are complete; younger rows are not judged. None: seen from how they come."""


Trigger = Literal["drift", "performance", "schedule", "labels"]


class Retrain(_Section):
    """`[retrain]`: when the model is trained again by itself."""

    on: tuple[Trigger, ...] = ("drift", "performance")
    schedule: Annotated[str, StringConstraints(max_length=100)] | None = None
    """A cron line, in UTC; weekdays count from Sunday, 0 or 7."""
    labels: int | None = Field(default=None, ge=100)
    """New labelled rows since the last training that ask for another."""
    cooldown: Interval = "6h"
    """At least so long between two retrains that nobody asked for by hand."""

    @field_validator("schedule")
    @classmethod
    def _schedule_comes(cls, line: str | None) -> str | None:
        if line is not None:
            plain_cron(line)
        return line

    @model_validator(mode="after")
    def _triggers_are_told(self) -> Retrain:
        if "schedule" in self.on and self.schedule is None:
            raise ValueError('on has "schedule" and no schedule is given; add one, such as schedule = "0 3 * * 1"')
        if "labels" in self.on and self.labels is None:
            raise ValueError('on has "labels" and no number is given; add one, such as labels = 10000')
        return self


class _Head(_Section):
    name: str
    task: Task

    @model_validator(mode="after")
    def _name_is_one(self) -> _Head:
        check_name(self.name)
        return self


class Project(_Section):
    """A whole `mlops.toml`."""

    project: _Head
    data: Data
    train: Train = Train()
    gate: Gate = Gate()
    release: Release = Release()
    watch: Watch = Watch()
    retrain: Retrain = Retrain()

    @property
    def name(self) -> str:
        """The project's name, which is its model's and its endpoint's."""
        return self.project.name

    @property
    def task(self) -> Task:
        """What is learnt."""
        return self.project.task

    @property
    def metric(self) -> MetricName:
        """What the gate judges by."""
        return self.gate.metric or METRICS_OF_TASK[self.task][0]

    @model_validator(mode="after")
    def _keys_agree(self) -> Project:
        if self.metric not in METRICS_OF_TASK[self.task]:
            known = ", ".join(METRICS_OF_TASK[self.task])
            raise ValueError(f"gate.metric {self.metric!r} is no metric of a {self.task} task; use one of: {known}")
        if self.gate.at_least is not None and self.metric in LOSSES:
            raise ValueError(f"gate.at_least: less is better for {self.metric}; use at_most")
        if self.gate.at_most is not None and self.metric not in LOSSES:
            raise ValueError(f"gate.at_most: more is better for {self.metric}; use at_least")
        for role, column in (("id", self.data.id), ("time", self.data.time)):
            if column == self.data.target:
                raise ValueError(f"data.{role} is the target column {column!r}")
        if self.data.target in self.data.ignore:
            raise ValueError(f"data.ignore holds the target column {self.data.target!r}")
        if self.data.positive is not None and self.task != "binary":
            raise ValueError(f"data.positive belongs to a binary task, and this one is {self.task}")
        return self


def parse_project(text: str, *, where: str = PROJECT_FILE) -> Project:
    """Read the text of an `mlops.toml`.

    `where` names the file in messages.

    Raises:
        InvalidConfig: not TOML, a key that is unknown (with the nearest), missing, or of a wrong value.
        NotThereYet: a key of the design without a part behind it.
        InvalidName: `project.name` is no name.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfig(f"{where} is not TOML: {error}.", "Mend the line it names.", file=where) from error
    if early := _not_there_yet(tree):
        raise NotThereYet(f"{where}: `{early}` is not there yet.", "Take it out for now.", key=early)
    if isinstance(tree.get("project"), dict) and isinstance(tree["project"].get("name"), str):
        check_name(tree["project"]["name"])
    try:
        return Project.model_validate(tree)
    except ValidationError as error:
        raise _first_problem(error, where) from error


def _not_there_yet(tree: dict[str, Any]) -> str | None:
    for key in sorted(NOT_THERE_YET):
        section, _, name = key.partition(".")
        inside = tree.get(section)
        if (inside is not None and not name) or (name and isinstance(inside, dict) and name in inside):
            return key
    return None


def _first_problem(error: ValidationError, where: str) -> InvalidConfig:
    unknown_first = sorted(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    first = unknown_first[0]
    location = tuple(str(part) for part in first["loc"])
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _keys_at(location[:-1]), n=1, cutoff=0.5)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(_keys_at(location[:-1]))}."
        return InvalidConfig(f"{where}: unknown key `{key}`.", hint, file=where, key=key)
    if first["type"] == "missing":
        return InvalidConfig(f"{where}: `{key}` is missing.", "Add it.", file=where, key=key)
    told = first["msg"].removeprefix("Value error, ")
    message = f"{where}: `{key}`: {told}." if key else f"{where}: {told}."
    return InvalidConfig(message, "Mend that key.", file=where, key=key)


def _keys_at(location: tuple[str, ...]) -> list[str]:
    """Names that may stand in the table at `location`."""
    at: type[BaseModel] = Project
    for step in location:
        if (at is Data and step == "columns") or step not in at.model_fields:
            at = Column if at is Data else at
            continue
        kind = at.model_fields[step].annotation
        if get_origin(kind) is not None:
            kind = next((arg for arg in get_args(kind) if isinstance(arg, type) and issubclass(arg, BaseModel)), None)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            at = kind
    return list(at.model_fields)
