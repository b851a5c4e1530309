"""What the gateway says itself: always JSON, one sentence and a hint."""

from __future__ import annotations

import msgspec
from aiohttp.web import Response
from multidict import CIMultiDict

SERVER = "mlops-gateway"


class Problem(Exception):
    """A request that the gateway answers itself, with a status of 4xx or 5xx."""

    def __init__(self, status: int, error: str, hint: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.hint = hint
        self.headers = headers or {}


def json_answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer of the gateway's own."""
    return Response(
        status=status,
        body=msgspec.json.encode(body) + b"\n",
        headers=CIMultiDict({"Content-Type": "application/json", "Server": SERVER, **(headers or {})}),
    )


def problem_body(error: str, hint: str) -> dict[str, str]:
    """The body of every 4xx and 5xx answer."""
    return {"error": error, "hint": hint}


def problem_answer(problem: Problem) -> Response:
    """A problem as an answer."""
    return json_answer(problem_body(problem.error, problem.hint), problem.status, problem.headers)
