"""Failures become `application/problem+json` (RFC 9457) here, once."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.errors import EngineError, InvalidInput
from engine.wire.sentence import harmless, name_the_field

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Refused(Exception):
    """An error that HTTP has a more exact status for than the error's own, or an answer with headers of its own."""

    def __init__(self, error: EngineError, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.status = status
        self.headers = headers or {}


def problem(error: EngineError, headers: Mapping[str, str] | None = None, status: int | None = None) -> Response:
    """The answer that tells of `error`. `status` is given where HTTP has a more exact one than the error's own."""
    body = error.to_problem()
    body |= {told: harmless(body[told]) for told in ("detail", "hint")}
    if status is not None:
        body["status"] = status
    return Response(
        json.dumps(body, default=str), status_code=body["status"], headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def unexpected(error: BaseException) -> EngineError:
    """A defect of ours: logged whole under an id, of which the caller is told only the id."""
    number = secrets.token_hex(4)
    log.error("unexpected failure %s", number, exc_info=error)
    return EngineError(
        f"The engine failed in a way it should not have (failure {number}).",
        f"logs/engine.log has the details under {number}; please report it.",
        failure=number,
    )


def install(app: FastAPI) -> None:
    """Have all failures inside `app` told this way."""

    @app.exception_handler(EngineError)
    async def told(_: Request, error: EngineError) -> Response:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return problem(InvalidInput(name_the_field(error.errors())))

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return problem(InvalidInput(f"{error.detail}."), error.headers, error.status_code)

    @app.exception_handler(Exception)
    async def defect(_: Request, error: Exception) -> Response:
        return problem(unexpected(error))
