"""The text of a commented `mlops.toml`, from a look at the data."""

from __future__ import annotations

import json
import re
import textwrap

from engine.data.look import Look, LookColumn
from engine.data.missing_cells import DEFAULT_MISSING
from engine.data.wording import agreeing, counted
from engine.project import LOSSES, METRICS_OF_TASK, Scalar

_WIDTH = 100
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def write_project_file(look: Look) -> str:
    """TOML that `engine.project.parse_project` takes, with a comment on whatever was decided."""
    parts = [
        _head(look), "", "[data]", *_source(look), *_target(look), *_key_and_time(look), *_ignored(look), "",
        *_columns(look), "", *_train(look), "", *_gate(look), "", *_release(), "",
        *_watch(), "", *_retrain(),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def toml_string(text: str) -> str:
    """A basic TOML string. JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(name: str) -> str:
    """A key of a table, quoted where it must be."""
    return name if _BARE_KEY.fullmatch(name) else toml_string(name)


def toml_value(value: Scalar) -> str:
    """A scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return toml_string(value) if isinstance(value, str) else repr(value)


def _head(look: Look) -> str:
    seen = f"Written from a look at {counted(look.rows, 'row')}."
    lines = [
        *_comment(f"{seen} Change what is wrong: this file decides, not the look."),
        "[project]",
        f"name = {toml_string(look.name)}",
        _noted(f'task = "{look.task}"', f"binary, multiclass or regression; {look.why_task}"),
    ]
    return "\n".join(lines)


def _source(look: Look) -> list[str]:
    lines = [_noted(f"source = {toml_string(look.source)}", "CSV, Parquet or JSON lines; a glob reads many as one")]
    if look.format != "csv":
        return lines
    lines.append(f"delimiter = {toml_string(look.delimiter)}")
    lines.append(f"encoding = {toml_string(look.encoding)}")
    if look.decimal != ".":
        lines.append(_noted(f"decimal = {toml_string(look.decimal)}", "what stands before a number's fraction"))
    return [*lines, *_missing(look)]


def _missing(look: Look) -> list[str]:
    seen = [f"{toml_string(marker.text)} ({marker.rows:,})" for marker in look.missing]
    lines = _comment(f"Cells that mean null; in this data: {', '.join(seen) or 'none'}.")
    added = [marker.text for marker in look.missing if marker.text not in DEFAULT_MISSING]
    listed = ", ".join(toml_string(text) for text in [*DEFAULT_MISSING, *added])
    return [*lines, f"missing = [{listed}]"]


def _target(look: Look) -> list[str]:
    lines = [f"target = {toml_string(look.target)}"]
    if look.rows_without_target:
        left_out = agreeing(look.rows_without_target, "has no target; it is", "have no target; they are")
        lines = [*_comment(f"{counted(look.rows_without_target, 'row')} {left_out} left out."), *lines]
    if look.positive is not None:
        lines.append(_noted(f"positive = {toml_value(look.positive)}", "the value whose probability is answered"))
    return lines


def _key_and_time(look: Look) -> list[str]:
    keys, times = look.having("id"), look.having("time")
    lines = [_noted(f"id = {toml_string(column.name)}", column.why) for column in keys]
    if not keys:
        lines.append(_noted('# id = "…"', _no_key(look)))
    split = "rows are split in time order; without it at random"
    lines += [_noted(f"time = {toml_string(column.name)}", split) for column in times]
    if not times:
        lines.append(_noted('# time = "…"', "when a row happened; then rows are split in time order"))
    return lines


def _no_key(look: Look) -> str:
    unique = look.differing
    return f"a column that is unique in every row, {f'as is {unique[0]}' if unique else 'and none is'}"


def _ignored(look: Look) -> list[str]:
    ignored = look.having("ignored")
    if not ignored:
        return [_noted("ignore = []", "columns that are no features")]
    rows = [_noted(f"  {toml_string(column.name)},", column.why) for column in ignored]
    return [_noted("ignore = [", "columns that are no features"), *rows, "]"]


def _columns(look: Look) -> list[str]:
    """A line for each feature and the target: its type, as a key; what was seen, as a comment."""
    shown = [column for column in look.columns if column.role in ("feature", "target")]
    lines = _comment(
        "Types: number, integer, boolean or category. A column may also be held to `min`, `max`, `nullable = false` "
        "or `allowed = [...]`: no model is trained on rows that break it."
    )
    return [*lines, "[data.columns]", *(_column(column) for column in shown)]


def _column(column: LookColumn) -> str:
    nulls = f"; {column.nulls:,} null" if column.nulls else ""
    hint = f"; LOOK: {column.hint}" if column.hint else ""
    return _noted(f'{toml_key(column.name)} = {{ type = "{column.type}" }}', column.seen + nulls + hint, width=44)


def _train(look: Look) -> list[str]:
    return [
        "[train]",
        "seed = 7",
        *_comment(
            'Left out, the built-in candidates compete. Or "module:function" of a Python file beside this one; '
            "function(params) returns a scikit-learn estimator."
        ),
        '# estimator = "model:build"',
    ]


def _gate(look: Look) -> list[str]:
    metric = METRICS_OF_TASK[look.task][0]
    bound = "at_most" if metric in LOSSES else "at_least"
    return [
        *_comment("What a model must show on rows it has never seen before it may be released."),
        "[gate]",
        _noted(f'metric = "{metric}"', f"or {', '.join(METRICS_OF_TASK[look.task][1:])}"),
        _noted(f"# {bound} = …", "a limit of your own, beside the comparison with the champion"),
    ]


def _release() -> list[str]:
    return [
        "[release]",
        _noted('approval = "manual"', 'or "auto": what passes the gate is released'),
        _noted('runtime = "auto"', "docker where it answers, else process"),
    ]


def _watch() -> list[str]:
    return [
        *_comment("Once it serves: what comes in is compared with what it was trained on."),
        "[watch]",
        _noted('every = "15m"', 'a check waits for at least 500 new rows; "never": only `mlops check`'),
        _noted("alarms_per_year = 1", "false ones of drift and performance that would be bearable"),
        _noted('# label_delay = "14d"', "how long labels take to be complete; left out, seen from how they come"),
    ]


def _retrain() -> list[str]:
    return [
        *_comment(
            "What asks for another training: an alarm of drift or performance; also schedule (with a cron line, UTC) "
            "and labels (with a number of new ones). It waits for enough labelled rows after the change."
        ),
        "[retrain]",
        'on = ["drift", "performance"]',
        _noted('# schedule = "0 3 * * 1"', 'with "schedule" in `on`'),
        'cooldown = "6h"',
    ]


def _noted(setting: str, comment: str, width: int = 32) -> str:
    return f"{setting:<{width}}  # {_plain(comment)}" if comment else setting


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(_plain(text), _WIDTH)]


def _plain(text: str) -> str:
    """One line without control characters, which a TOML comment may not hold."""
    return "".join(character if character.isprintable() else " " for character in text)
