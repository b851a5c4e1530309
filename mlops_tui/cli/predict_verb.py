"""`predict`: rows from a file to the endpoint, through the gateway, as any client would send them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import BadData, GatewayUnavailable, InvalidInput, NotFound, TooLarge, Unavailable
from mlops_tui.cli.console import Console
from mlops_tui.cli.names import split_version
from mlops_tui.cli.options import AsJson, ModelName
from mlops_tui.cli.rows import Row, Wanted, batches, format_of, read_rows
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    import httpx

    from engine.client import EngineClient
    from engine.wire.endpoints import EndpointView

verbs = typer.Typer()

STICKY_HEADER = "x-mlops-key"
_WARNINGS_SHOWN = 10


@verbs.command(rich_help_panel="Release")
def predict(
    name: ModelName,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rows as JSON, JSON lines or CSV; - reads stdin.")],
    key: Annotated[str | None, typer.Option(help="The same key always goes to the same version.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a released model. Prints a table; with --json a line of JSON for each row."""
    checked, number = split_version(name)
    if number is not None:
        raise InvalidInput(f"An endpoint answers with its own version, not with {name}.", f"mlops predict {checked} …")
    content, where = _read(file)
    with open_engine() as engine:
        url, wanted, project_file = _endpoint(engine, checked)
    rows = read_rows(content, where, wanted, format_of(project_file))
    printer = _JsonLines() if as_json else _Table()
    sent = 0
    for batch, answer in _answers(url, rows, key):
        printer.print(sent, batch, answer)
        sent += len(batch)
    if not sent:
        raise BadData(f"{where} has no rows.", "Give it at least one.")
    printer.end()


def _read(file: str) -> tuple[bytes, str]:
    if file == "-":
        return sys.stdin.buffer.read(), "stdin"
    try:
        return Path(file).expanduser().read_bytes(), Path(file).name
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.", "Give a file of rows, or - for stdin.") from None
    except OSError as error:
        raise BadData(f"{file} cannot be read: {error.strerror}.", "Give a file of rows, or - for stdin.") from error


def _endpoint(engine: EngineClient, name: str) -> tuple[str, Wanted, str]:
    """Its address, what its version takes, and the project's file."""
    try:
        endpoint = engine.endpoint(name)
    except NotFound as error:
        engine.project(name)  # nobody knows it: says so itself
        raise NotFound(error.message, f"Release a version first: mlops deploy {name}") from error
    serving = _serving(endpoint)
    if serving is None or endpoint.url is None:
        raise Unavailable(f"Nothing answers behind {name}.", f"`mlops endpoints` says why; mlops deploy {name}")
    version = engine.version(name, serving)
    others = [column for column in (version.id_column, version.time_column) if column is not None]
    names = {str(one["name"]) for one in version.inputs}
    wanted = Wanted(f"{name}@{serving}", version.inputs, [column for column in others if column not in names])
    return endpoint.url, wanted, engine.project(name).config


def _serving(endpoint: EndpointView) -> int | None:
    """The version that gets most of the traffic: the rows are typed by its inputs."""
    live = [one for one in endpoint.deployments if one.share > 0]
    return max(live, key=lambda one: one.share).version if live else None


def open_gateway(key: str | None) -> httpx.Client:
    """Plain HTTP, as any client would speak it. Our own gateway is meant: no proxy has business between."""
    import httpx

    headers = {STICKY_HEADER: key} if key is not None else {}
    return httpx.Client(timeout=httpx.Timeout(120.0, connect=5.0), trust_env=False, headers=headers)


def _answers(url: str, rows: Iterator[Row], key: str | None) -> Iterator[tuple[list[Row], dict[str, Any]]]:
    first = 0
    with open_gateway(key) as http:
        for batch in batches(rows):
            yield batch, _ask(http, url, batch, first)
            first += len(batch)


def _ask(http: httpx.Client, url: str, batch: Sequence[Row], first: int) -> dict[str, Any]:
    import httpx

    # httpx would refuse NaN, infinity and half a surrogate pair itself; the model names their row and column.
    body = json.dumps({"rows": batch})
    try:
        response = http.post(url, content=body, headers={"content-type": "application/json"})
        answer = response.json()
    except httpx.TransportError as error:
        raise GatewayUnavailable(f"The gateway does not answer at {url}.", "`mlops doctor` says why.") from error
    except ValueError as error:
        raise GatewayUnavailable(f"What answers at {url} is no model.", "`mlops doctor` says why.") from error
    if response.status_code < 400 and isinstance(answer, dict):
        return answer
    raise _refusal(response.status_code, answer if isinstance(answer, dict) else {}, first)


def _refusal(status: int, answer: Mapping[str, Any], first: int) -> BadData | Unavailable | TooLarge:
    told = str(answer.get("error") or f"The model server answered with status {status}.")
    hint = str(answer.get("hint") or "")
    if first:
        hint = f"{hint} Rows count from row {first} of the file; those before were answered.".strip()
    if status == 413:
        return TooLarge(told, hint)
    return Unavailable(told, hint) if status >= 500 else BadData(told, hint)


class _JsonLines:
    """A line for each row: `row`, `version`, `request_id`, the prediction's own fields; `warnings` of its request."""

    def print(self, first: int, batch: Sequence[Row], answer: Mapping[str, Any]) -> None:
        """All rows of one answer."""
        console = Console()
        head = {"version": answer.get("version"), "request_id": answer.get("request_id")}
        for at, prediction in enumerate(answer.get("predictions", [])):
            line = {"row": first + at} | head | prediction
            if at == 0 and answer.get("warnings"):
                line["warnings"] = answer["warnings"]
            console.json_line(line)

    def end(self) -> None:
        """Nothing more."""


class _Table:
    """A table, batch by batch, its warnings beside it."""

    def __init__(self) -> None:
        self._warnings = 0

    def print(self, first: int, batch: Sequence[Row], answer: Mapping[str, Any]) -> None:
        """All rows of one answer."""
        from mlops_tui.view.predictions import prediction_heads, prediction_row

        predictions = answer.get("predictions", [])
        heads = prediction_heads(predictions)
        rows = [
            prediction_row(first + at, answer.get("version"), prediction, heads)
            for at, prediction in enumerate(predictions)
        ]
        Console().table(heads, rows)
        for warning in answer.get("warnings", []):
            self._warnings += 1
            if self._warnings <= _WARNINGS_SHOWN:
                Console().note(f"! {warning}", "warn")

    def end(self) -> None:
        """How many warnings were not shown."""
        if self._warnings > _WARNINGS_SHOWN:
            Console().note(f"! {self._warnings - _WARNINGS_SHOWN} more warnings; --json has them all.", "warn")
