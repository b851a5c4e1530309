"""An engine whose every free text tries to take the terminal over."""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin

import httpx
from fakes.fake_engine import Answer, FakeEngine
from pydantic import BaseModel

SIGN = "\x1b[2J"
"""Erases a terminal that takes it for its own."""
HOSTILE = (
    SIGN
    + "\x1b]0;owned\x07\x1b]52;c;aGk=\x07\x9b31m\x1bP1$r\x1b\\\r\n\t\x00\x08\x7f"
    + "[red]markup[/red][@click=app.quit]x[/]\\[b]"
    + "\u202egnp.exe\u2066iso\u2069\u200b\u200d\ufeff\u00ad\u2028\u3164"
    + "日本語 e\u0301\u0301\u0301\u0301\u0301\u0301 🏳️‍🌈 \U000e0041 \ud800"
)
NAME = "fraud"
"""What a hostile name stands for when a screen asks for what is below it."""


class HostileEngine(FakeEngine):
    """Answers what a `FakeEngine` would, with `text` in the place of every text that is free."""

    def __init__(self, text: str = HOSTILE) -> None:
        super().__init__()
        self.text = text.encode("utf-8", "replace").decode()  # JSON carries no lone surrogate

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        parts = path.split("/")
        if any(len(part) > 40 for part in parts):
            path = "/".join(NAME if len(part) > 40 else part for part in parts)
            url = request.url.copy_with(
                raw_path=f"{path}?{query}".encode()
            )  # asked for without its offset, a log never ends
            request = httpx.Request(request.method, url, content=request.content)
        return super()._answer(request)

    def _route(self, method: str, path: str, params: dict[str, str], body: Any) -> Answer:
        if len(params.get("project", "")) > 40:
            params["project"] = NAME
        poisoned: Answer = self._poison(super()._route(method, path, params, body))
        return poisoned

    def _poison(self, value: Any) -> Any:
        if isinstance(value, BaseModel):
            fields = type(value).model_fields
            return value.model_copy(
                update={name: self._field(fields[name].annotation, getattr(value, name)) for name in fields}
            )
        if isinstance(value, dict):
            return {key: self._poison(inner) for key, inner in value.items()}
        return [self._poison(inner) for inner in value] if isinstance(value, list) else value

    def _field(self, kind: Any, value: Any) -> Any:
        """A value by what its field may hold: only what may be any text is changed."""
        kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
        if isinstance(value, str):
            return self.text if str in kinds else value
        if isinstance(value, list) and get_args(kind)[:1] == (str,):
            return [self.text for _ in value]
        if isinstance(value, dict) and get_origin(kind) is dict:
            return self._anything(value, get_args(kind)[1])
        if isinstance(value, list) and get_origin(kind) is list:
            return [self._element(get_args(kind)[0], one) for one in value]
        return self._poison(value)

    def _element(self, kind: Any, value: Any) -> Any:
        return self._anything(value, get_args(kind)[1]) if isinstance(value, dict) else self._field(kind, value)

    def _anything(self, value: dict[str, Any], kind: Any) -> dict[str, Any]:
        """JSON of no fixed kind: what is told by it keeps its keys, and one more is hostile, in key and value."""
        if kind is not Any and kind is not str:
            return {key: self._poison(inner) for key, inner in value.items()}
        changed = {key: self._loose(inner) for key, inner in value.items()}
        return changed | {self.text: self.text}

    def _loose(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._loose(inner) for key, inner in value.items()} | {self.text: self.text}
        if isinstance(value, list):
            return [self._loose(inner) for inner in value]
        return self.text if isinstance(value, str) else value
