"""How a call looks in HTTP; the same for both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from engine.client.call import Call
from engine.client.failures import misread, raise_problem
from engine.client.file_body import awaited_pieces, file_size, pieces
from engine.wire.base import API_HEADER, API_VERSION

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

BASE_URL = "http://engine"
"""The host is only a word: the socket decides who is asked."""
CONNECT_S = 5.0


def headers(token: str | None) -> dict[str, str]:
    """What every request carries."""
    said = {API_HEADER: str(API_VERSION)}
    if token is not None:
        said["authorization"] = f"Bearer {token}"
    return said


def request(call: Call[Any], timeout: httpx.Timeout, *, awaited: bool = False) -> dict[str, Any]:
    """The arguments of `httpx.Client.request`, for one try: a file's bytes are read once. `awaited`: of its async twin.

    Raises:
        EngineError: the call's file cannot be sent.
    """
    asked: dict[str, Any] = {"method": call.method, "url": call.path, "timeout": timeout}
    if call.params:
        asked["params"] = call.params
    if call.body is not None:
        # Unset fields stay out, so that an engine a little older is not shown fields it refuses.
        asked["content"] = call.body.model_dump_json(exclude_unset=True)
        asked["headers"] = {"content-type": "application/json"}
    if call.file is not None:
        size_bytes = file_size(call.file)
        asked["content"] = awaited_pieces(call.file) if awaited else pieces(call.file)
        asked["headers"] = {"content-type": "application/octet-stream", "content-length": str(size_bytes)}
    return asked


def answer(call: Call[T], response: httpx.Response) -> T:
    """The answer, read.

    Raises:
        EngineError: the one the engine told of.
        VersionMismatch: an answer nobody understands.
    """
    raise_problem(response)
    try:
        return call.read(response.content)
    except ValidationError as error:
        raise misread(error) from error
