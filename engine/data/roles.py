"""What each column of a new project is for: key, time, feature, or nothing; each with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import polars as pl

from engine.data.corrections import AS_SEEN, Corrections
from engine.data.schema import ColumnSchema, Schema
from engine.data.text_columns import why_no_day

Role = Literal["feature", "target", "id", "time", "ignored"]

_KEY_NAME = re.compile(r"(?:^|[\W_])(?:id|uuid|guid|key)$|^(?:id|uuid|guid)(?:[\W_]|$)|^(?:id|uuid|guid)$", re.I)
_CAMEL_KEY_NAME = re.compile(r"[a-z](?:Id|ID|Key)$")
_NUMBER_NAME = re.compile(
    r"(?:\w(?:nummer|number|nr|code|schlüssel|schluessel|kennung)|[\W_](?:nr|no|num))\.?$"
    r"|^(?:kunden?|customers?|clients?|patients?|mitglied(?:er)?|members?|nummer|number|code|nr|no)$",
    re.I,
)
_CAMEL_NUMBER_NAME = re.compile(r"[a-z](?:No|Num)$")
_PERIOD_NAME = re.compile(r"day|week|month|year|period|time|tag|woche|monat|jahr", re.I)
_TIME_NAME = re.compile(r"date|time|timestamp|(?:^|[\W_])(?:at|on|ds|ts|day|month|when)$|datum|fecha|zeit", re.I)
_NO_EVENT_NAME = re.compile(r"birth|born|dob|expir|due|valid|until|end", re.I)
_INDEX_NAME = re.compile(
    r"^(?:unnamed_1|unnamed: ?0|index|row|rownum|row_?number|rownames?|level_0|nr|no"
    r"|(?:zeilen?|satz|line|lfd|laufende|serial)[\W_]*(?:nr|no|nummer|number)\.?)$",
    re.I,
)
_SLASH_DATE = r"^\d{1,2}[/-]\d{1,2}[/-]\d{2}(\d{2})?( |$)"
_FULL_YEAR = r"^\d{1,2}[/-]\d{1,2}[/-]\d{4}"
_DRESSED_NUMBER = r"^[^\w\s]? ?[+-]?\d[\d.,' ]*\s?(%|[a-zA-Z€$£¥]{1,3}|\p{Sc})?$"
_DIGITS = r"^\d+$"
_MANY_VALUES = 50
_FREE_TEXT_SHARE = 0.5
_LEAST_TIMES = 10
_SAID = "it was said so"


@dataclass(frozen=True)
class Chosen:
    """A column's role and why it has it; a plain feature needs no reason."""

    role: Role
    why: str = ""


def choose_roles(frame: pl.DataFrame, schema: Schema, target: str, said: Corrections = AS_SEEN) -> dict[str, Chosen]:
    """The role of each column of a canonical frame; what is said goes before what is seen.

    At least one stays a feature if any is not empty or constant, and nobody says otherwise.
    """
    roles = {target: Chosen("target")}
    roles |= {name: Chosen("feature", _SAID) for name in said.use}
    roles |= {name: Chosen("ignored", _SAID) for name in said.ignore}
    for role, named in (("time", said.time), ("id", said.id)):
        if named:
            roles[named] = Chosen("time" if role == "time" else "id", _SAID)
    if said.time is None and (found := _find_time(frame, schema, target)) is not None:
        roles.setdefault(found[0], Chosen("time", found[1]))
    if said.id is None and (found := _find_key(frame, schema, target)) is not None:
        roles.setdefault(found[0], Chosen("id", found[1]))
    for column in schema.columns:
        if column.name not in roles:
            why = _why_not(frame[column.name], column)
            roles[column.name] = Chosen("ignored", why) if why else Chosen("feature")
    return roles


def is_key_name(name: str) -> bool:
    """Whether a name says that its column holds keys: `id`, `user_id`, `PassengerId`, `order key`…"""
    return bool(_KEY_NAME.search(name) or _CAMEL_KEY_NAME.search(name))


def _is_number_name(name: str) -> bool:
    """Whether a name says that its column holds numbers that are given to things: `Kundennr`, `order no`…"""
    named = _NUMBER_NAME.search(name) or _CAMEL_NUMBER_NAME.search(name)
    return bool(named) and not _PERIOD_NAME.search(name)


def _find_key(frame: pl.DataFrame, schema: Schema, target: str) -> tuple[str, str] | None:
    unique = [
        column for column in schema.columns
        if column.name != target and column.type in ("integer", "category") and _is_unique(column, frame.height)
        and not _is_row_number(frame[column.name], column)
    ]  # fmt: skip
    for column in unique:
        if is_key_name(column.name):
            return column.name, "unique in every row, and named like a key"
    for column in unique:
        if _is_number_name(column.name):
            return column.name, "unique in every row, and named like a number that is given to things"
    for column in unique:
        if column.type == "category" and _holds_codes(frame[column.name]):
            return column.name, "a code that is unique in every row"
    return None


def _holds_codes(text: pl.Series) -> bool:
    dressed = text.str.contains(_DRESSED_NUMBER) & ~text.str.contains(_DIGITS)
    other = text.str.contains(_SLASH_DATE) | dressed
    return bool(text.str.contains(r"^\S*\d\S*$").all()) and not other.any()


def _is_unique(column: ColumnSchema, rows: int) -> bool:
    return not column.nulls and column.distinct >= rows


def _find_time(frame: pl.DataFrame, schema: Schema, target: str) -> tuple[str, str] | None:
    times = [
        column for column in schema.columns
        if column.type == "time" and column.name != target and not column.nulls and column.distinct >= _LEAST_TIMES
        and not _NO_EVENT_NAME.search(column.name)
    ]  # fmt: skip
    named = [column for column in times if _TIME_NAME.search(column.name)]
    if named:
        return named[0].name, "times in every row, and named like one"
    if len(times) == 1:
        return times[0].name, "the only column of times"
    return None


def _is_row_number(values: pl.Series, column: ColumnSchema) -> bool:
    """Counts the rows as they stand in the file, which is nothing that a new row has."""
    is_key = is_key_name(column.name) or _is_number_name(column.name)
    if column.type != "integer" or column.nulls or (is_key and not _INDEX_NAME.search(column.name)):
        return False
    first = values[0]
    return first in (0, 1) and bool((values.diff().drop_nulls() == 1).all())


def _why_not(values: pl.Series, column: ColumnSchema) -> str:
    filled = len(values) - values.null_count()
    if not filled:
        return "no row has a value"
    if column.distinct == 1 and not column.nulls:
        return "every row has the same value"
    if column.type == "time":
        return "a time, and no event's; models here take no times as features"
    if _is_row_number(values, column):
        return "it numbers the rows of the file"
    if is_key_name(column.name) and column.distinct > _MANY_VALUES and column.type in ("integer", "category"):
        return "named like a key: a number to tell things apart, not a quantity"
    if column.type == "category" and column.distinct > _MANY_VALUES:
        return _why_no_category(values.drop_nulls(), column.distinct)
    return ""


def _why_no_category(filled: pl.Series, distinct: int) -> str:
    """Why text of many values is no feature; empty where its values repeat."""
    first = filled[0][:20]
    if filled.str.contains(_SLASH_DATE).all():
        return f"dates such as {first!r}: {_why_no_date(filled)}; write them as 2026-01-31"
    if filled.str.contains(_DRESSED_NUMBER).all() and not filled.str.contains(_DIGITS).all():
        return f"numbers with a sign beside them, such as {first!r}; write plain numbers to have them used"
    if distinct > _FREE_TEXT_SHARE * len(filled):
        return f"free text or codes: {distinct:,} different values in {len(filled):,} rows"
    return ""


def _why_no_date(filled: pl.Series) -> str:
    """Why a column of dates with slashes is no column of times."""
    if not filled.str.contains(_FULL_YEAR).all():
        return "where the year has two digits, day, month and year cannot be told apart"
    return why_no_day(filled) or "not every one is a date and time"
