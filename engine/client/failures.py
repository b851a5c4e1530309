"""What goes wrong between a client and the engine, as errors of the one tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.errors import EngineError, EngineUnreachable, Forbidden, VersionMismatch, from_problem
from engine.settings import Home
from engine.wire.base import API_HEADER, API_VERSION

if TYPE_CHECKING:
    import httpx


def answer_lost(message: str) -> EngineUnreachable:
    """The connection broke after the question was sent: it may have been heard."""
    return EngineUnreachable(message, "Look before you ask again.", heard=True)


def unreachable(home: Home) -> EngineUnreachable:
    """No engine answers; says whether somebody put it down."""
    if home.stopped_mark.exists():
        return EngineUnreachable(
            f"The engine of {home.root} is down, because somebody ended it with `mlops down`.",
            "`mlops up` starts it again.",
        )
    return EngineUnreachable(
        f"No engine answers for {home.root}.", "`mlops up` starts one; `mlops doctor` looks around."
    )


def translate(error: httpx.TransportError, home: Home) -> EngineError:
    """A transport's failure: refused, forbidden, too slow, or broken off."""
    import httpx

    root = _root(error)
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout) or isinstance(root, BlockingIOError):
        return EngineUnreachable(f"The engine of {home.root} is too busy to answer.", "Try again in a moment.")
    if isinstance(error, httpx.ConnectError):
        return may_not_reach(home) if isinstance(root, PermissionError) else unreachable(home)
    if isinstance(error, httpx.ReadTimeout):
        return answer_lost("The engine did not answer in time; it may still do what was asked.")
    return answer_lost("The engine went away before it had answered; what was asked may have been done.")


def may_not_reach(home: Home) -> Forbidden:
    """The socket's folder lets this user no further."""
    return Forbidden(
        f"You may not reach the engine of {home.root}: its folder lets only its owner and group in.",
        "Ask its owner to add you to the folder's group and to a role in config.toml.",
    )


def check_version(response: httpx.Response) -> None:
    """Refuse an answer in other words than ours.

    Raises:
        VersionMismatch: the engine speaks another version of the API.
    """
    spoken = response.headers.get(API_HEADER)
    if spoken is not None and spoken != str(API_VERSION):
        raise version_mismatch(spoken)


def version_mismatch(spoken: str) -> VersionMismatch:
    """Client and engine speak different versions."""
    return VersionMismatch(
        f"The engine speaks version {spoken[:20]} of the API, this client version {API_VERSION}.",
        "End the engine with its own `mlops down`, then `mlops up` with this one; or use the engine's client.",
    )


def raise_problem(response: httpx.Response) -> None:
    """Raise what the engine told of, when it told of a failure."""
    check_version(response)
    if response.status_code < 400:
        return
    try:
        problem = json.loads(response.content)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        busy = response.status_code == 503
        problem = {
            "code": "unavailable" if busy else None,
            "detail": "The engine has too many clients at once."
            if busy
            else f"The engine answered with status {response.status_code} and no reason.",
            "hint": "Try again in a moment." if busy else "",
        }
    raise from_problem(problem, response.status_code)


def misread(error: ValidationError) -> VersionMismatch:
    """The engine's answer is not what this client knows, though it said the same version."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return VersionMismatch(
        f"The engine's answer is not one this client understands ({error.title}: {place}).",
        "Client and engine differ; end the engine with `mlops down` and start it again.",
    )


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
