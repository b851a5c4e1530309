"""A line for a shell that asks an endpoint."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

_PLACEHOLDERS: dict[str, Any] = {"integer": 0, "boolean": False, "category": ""}


def curl_line(url: str, inputs: Sequence[Mapping[str, Any]]) -> str:
    """A `curl` line with one row of made-up values, each of the type that the version takes."""
    body = json.dumps({"rows": [{str(one.get("name")): _value(one) for one in inputs}]}, ensure_ascii=False)
    return f"curl -s {shlex.quote(url)} -H 'content-type: application/json' -d {shlex.quote(body)}"


def _value(column: Mapping[str, Any]) -> Any:
    known = column.get("categories")
    if known:
        return known[0]
    return _PLACEHOLDERS.get(str(column.get("type")), 0.0)
