"""What one cell may hold, and how a sentence names it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from engine.serving.manifest import Input, Scalar
from engine.serving.problems import Refused

NAMES = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}
WANTED = {"number": "a number", "integer": "a whole number", "boolean": "true or false", "category": "text"}


def check_value(column: Input, value: Any, where: str) -> Scalar:
    """The value as the column's type.

    Raises:
        Refused: 422 it is of another type, or null where it may not be.
    """
    if value is None:
        if column.takes_null:
            return None
        raise Refused(422, f"{where} is null, and may not be.")
    return CHECKS[column.type](value, where)


def _check_number(value: Any, where: str) -> float:
    if type(value) is not float and type(value) is not int:
        raise _wrong_type("number", value, where)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isfinite(number):
        return number
    raise Refused(
        422, f"{where} is {'NaN' if math.isnan(number) else 'infinite'}.", "Send null for a value that is missing."
    )


def _check_integer(value: Any, where: str) -> int:
    if type(value) is float:
        if not _check_number(value, where).is_integer():
            raise Refused(422, f"{where} is {value}, and a whole number is expected.")
        value = int(value)
    if type(value) is not int:
        raise _wrong_type("integer", value, where)
    if not -(2**63) <= value < 2**63:
        raise Refused(422, f"{where} does not fit into 64 bits.")
    return int(value)


def _check_boolean(value: Any, where: str) -> bool:
    if type(value) is not bool:
        raise _wrong_type("boolean", value, where)
    return value


def _check_category(value: Any, where: str) -> str:
    if type(value) is not str:
        raise _wrong_type("category", value, where)
    return value


CHECKS: dict[str, Callable[[Any, str], Scalar]] = {
    "number": _check_number,
    "integer": _check_integer,
    "boolean": _check_boolean,
    "category": _check_category,
}


def check_key(value: Any, where: str) -> Scalar:
    """A row's id or time: text, a number, or nothing.

    Raises:
        Refused: 422.
    """
    if value is None or type(value) is str:
        return value
    if type(value) is int:
        return _check_integer(value, where)
    if type(value) is float:
        return _check_number(value, where)
    raise Refused(422, f"{where} is {name_of(value)}, and text or a number is expected.")


def name_of(value: Any) -> str:
    """What a JSON value is, in a word, with its text where that helps."""
    if value is None:
        return "null"
    kind = NAMES[type(value)]
    return f"{kind} ({shown(value)})" if isinstance(value, str | bool) else kind


def shown(value: Any) -> str:
    """A value for a sentence: quoted, escaped, at most 60 characters."""
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _wrong_type(expected: str, value: Any, where: str) -> Refused:
    hint = "Numbers go without quotes." if isinstance(value, str) and expected in ("number", "integer") else ""
    return Refused(422, f"{where} is {name_of(value)}, and {WANTED[expected]} is expected.", hint)
