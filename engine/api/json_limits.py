"""What a JSON body may be before anything reads it: strict, shallow, and of finite, sensible numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from engine.errors import InvalidInput

DEPTH_LIMIT = 64
DIGIT_LIMIT = 300
"""A float holds numbers of up to 308 digits; converting longer integers takes time that grows with their square."""

_SUSPECT = re.compile(rb"[0-9]{%d}|[eE]\+?[0-9]{3}|\\u0000" % (DIGIT_LIMIT + 1))
"""Only a body with one of these is walked through: a long number, a huge exponent, a NUL."""


def check_json(body: bytes) -> None:
    """Refuse what is no JSON, NaN and infinity, lone surrogates, NUL, depth and numbers beyond the limits.

    Raises:
        InvalidInput: in one sentence.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput(f"The body is not JSON the engine takes: {str(error)[:200]}.") from error
    # Nothing can be deeper than its opening brackets are many, so a usual body is not walked through.
    if body.count(b"[") + body.count(b"{") > DEPTH_LIMIT and _deeper_than(value, DEPTH_LIMIT):
        raise InvalidInput(f"The body is nested more than {DEPTH_LIMIT} deep.")
    if _SUSPECT.search(body):
        for leaf in _leaves(value):
            _check_leaf(leaf)


def _check_leaf(leaf: Any) -> None:
    if isinstance(leaf, str) and "\0" in leaf:
        raise InvalidInput("The body holds a NUL character, which no name, path or text may.")
    if isinstance(leaf, int) and abs(leaf) >= 10**DIGIT_LIMIT:
        raise InvalidInput(f"The body holds a number of more than {DIGIT_LIMIT} digits.")
    if isinstance(leaf, float) and not math.isfinite(leaf):
        raise InvalidInput("The body holds a number too large to be one.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _leaves(value: Any) -> Iterator[Any]:
    """Every value that holds no others, and every key."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield from found
        if isinstance(found, dict | list):
            waiting += _children(found)
        else:
            yield found
