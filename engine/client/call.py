"""One request as a value: built once, sent by either client."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from engine.errors import InvalidInput
from engine.wire.base import Body, StrictBody
from engine.wire.sentence import name_the_field

if TYPE_CHECKING:
    from engine.client.asynchronous import AsyncEngineClient
    from engine.client.synchronous import EngineClient

T = TypeVar("T")
B = TypeVar("B", bound=Body)
S = TypeVar("S", bound=StrictBody)
P = ParamSpec("P")

QUICK_S = 30.0
"""How long an ordinary answer may take."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """What is asked, and how the answer is read."""

    method: str
    path: str
    read: Callable[[bytes], T]
    params: dict[str, str] = field(default_factory=dict)
    body: BaseModel | None = None
    file: Path | None = None
    """Sent instead of a body, as it is."""
    timeout_s: float = QUICK_S
    repeatable: bool = False
    """Asking twice does no more than asking once, so it may be sent again when the connection broke."""


def get(path: str, answer: type[B], **params: str | int | bool | None) -> Call[B]:
    """A question. Parameters that are None are left out."""
    return Call("GET", path, answer.model_validate_json, params=query(params), repeatable=True)


def post(
    path: str, body: BaseModel, answer: type[B], *, timeout_s: float = QUICK_S, repeatable: bool = False
) -> Call[B]:
    """An order."""
    return Call(
        "POST", path, answer.model_validate_json, body=body, timeout_s=timeout_s, repeatable=repeatable
    )  # fmt: skip


def query(params: dict[str, str | int | bool | None]) -> dict[str, str]:
    """Parameters as they stand in an address; None is left out."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in params.items()
        if value is not None
    }


def path(*parts: str | int) -> str:
    """`/v1/…` of the parts, each quoted whole, so that no name can lead elsewhere."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def fill(kind: type[S], **fields: Any) -> S:
    """A request's body; a value it cannot hold is the caller's mistake.

    Raises:
        InvalidInput: naming the field.
    """
    try:
        return kind(**fields)
    except ValidationError as error:
        raise InvalidInput(name_the_field(error.errors()), "") from error


class Route(Generic[P, T]):
    """A method that both clients have: it builds a `Call`, and the client it is asked on sends it."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._build = build
        update_wrapper(self, build)  # type: ignore[arg-type]

    @overload
    def __get__(self, client: EngineClient, owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncEngineClient, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: object, owner: type[Any]) -> Any: ...
    def __get__(self, client: Any, owner: type[Any]) -> Any:
        """The bound method; on the class itself the route, which knows its docstring."""
        if client is None:
            return self

        def ask(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.send(self._build(client, *args, **kwargs))

        return ask
