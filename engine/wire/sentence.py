"""A validation error in one sentence that names the field. Client and API say it the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "json_invalid": "is not JSON",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "finite_number": "must be a finite number",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a list",
}
_PATTERNS = {"^[a-z][a-z0-9-]{0,39}$": "must be 1 to 40 of a-z, 0-9 and '-', starting with a letter"}
_OUTER = {"body", "query", "path", "header"}
_ECHO_LIMIT = 60


def name_the_field(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first of pydantic's errors (`ValidationError.errors()`) as a sentence.

    Only the field's place and the rule are told; what was sent is not repeated, as it may be long or secret.
    """
    # A mistyped name makes two errors, and the unknown one tells more than the missing one.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    # A field nobody knows is named by whoever sent it.
    place = [harmless(str(part)[:_ECHO_LIMIT]) for part in first["loc"]]
    if place and place[0] in _OUTER and (len(place) > 1 or first["type"] in ("json_invalid", "missing")):
        place = [part for part in place[1:] if not part.isdigit()] if first["type"] == "json_invalid" else place[1:]
    field = f"`{'.'.join(place)}`" if place and place != ["body"] else "The body"
    rule = _PLAIN.get(str(first["type"])) or _PATTERNS.get(str((first.get("ctx") or {}).get("pattern")))
    if rule is None:
        told = str(first["msg"]).removeprefix("Value error, ")
        rule = f"is refused: {told[:1].lower()}{told[1:]}"
    return f"{field} {rule.rstrip('.')}."


def harmless(text: str) -> str:
    """`text` on one line, without what would move a terminal's cursor: a sentence may name what somebody sent."""
    return "".join(one if one.isprintable() else " " if one in "\n\t" else "?" for one in text)
