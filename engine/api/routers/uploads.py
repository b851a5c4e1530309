"""Files that somebody sends. The one route whose body is no JSON, and is not read whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from engine.api.body import Disconnected
from engine.api.context import InEngine
from engine.api.problems import Refused, problem
from engine.api.roles import Operator, Pieces
from engine.errors import EngineError, InvalidInput
from engine.lifecycle.receive_file import receive_file
from engine.wire.monitoring import UPLOAD_LIMIT_BYTES, Upload

router = APIRouter(prefix="/v1", tags=["monitoring"])

_CLOSING = {"connection": "close"}
"""What is refused is not read to its end, so the connection cannot be used again."""


async def _stream(request: Request) -> AsyncIterator[bytes]:
    return request.stream()


Sent = Annotated[AsyncIterator[bytes], Depends(_stream), Pieces(UPLOAD_LIMIT_BYTES)]


@router.post("/uploads", response_model=Upload)
def post_upload(engine: InEngine, caller: Operator, sent: Sent) -> Upload | Response:
    """Store a file of at most 2 GiB, sent as it is, by its hash."""
    try:
        return receive_file(engine.parts, caller, _pieces(sent))
    except Refused as refused:
        return problem(refused.error, _CLOSING, refused.status)
    except EngineError as error:
        return problem(error, _CLOSING)


def _pieces(sent: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Pieces from the event loop, in the thread that writes them."""

    async def next_piece() -> bytes | None:
        return await anext(sent, None)

    try:
        while (piece := from_thread.run(next_piece)) is not None:
            yield piece
    except Disconnected:
        raise InvalidInput("The connection broke off before the file was whole.", "Send it again.") from None
