"""The one route that takes a body of any kind, piece by piece."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.api_in_process import ApiInProcess
from fakes.engine_process import EngineProcess

from engine.api import body as body_module
from engine.client import AsyncEngineClient, EngineClient
from engine.errors import DiskFull, InvalidInput, NotFound
from engine.wire.monitoring import UPLOAD_LIMIT_BYTES

ROUTE = "/v1/uploads"


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def temporary_files(api: ApiInProcess) -> list[Path]:
    return list((api.home.blobs / "tmp").iterdir())


async def test_a_file_is_stored_by_its_hash(api: ApiInProcess) -> None:
    answer = await api.ask("POST", ROUTE, content=in_pieces(b"id,y\n", b"1,1\n"))  # type: ignore[arg-type]
    digest = hashlib.sha256(b"id,y\n1,1\n").hexdigest()
    assert (answer.status_code, answer.json()) == (200, {"sha256": digest, "size_bytes": 9})
    assert api.blobs.read(digest) == b"id,y\n1,1\n"
    assert temporary_files(api) == []


async def test_no_kind_of_content_is_refused_and_none_is_looked_into(api: ApiInProcess) -> None:
    for kind in ("application/json", "text/html", ""):
        answer = await api.ask("POST", ROUTE, content=b"[[[ no JSON", headers={"content-type": kind})
        assert answer.status_code == 200


async def test_an_empty_file_is_refused(api: ApiInProcess) -> None:
    answer = await api.ask("POST", ROUTE, content=b"")
    assert (answer.status_code, answer.json()["detail"]) == (422, "The file is empty.")


async def test_a_viewer_may_send_nothing(api: ApiInProcess) -> None:
    assert (await api.ask("POST", ROUTE, role="viewer", content=b"x")).status_code == 403
    assert (await api.ask("POST", ROUTE, role="operator", content=b"x")).status_code == 200


async def test_what_is_announced_as_too_large_is_refused_before_it_comes(api: ApiInProcess) -> None:
    headers = {"content-length": str(UPLOAD_LIMIT_BYTES + 1)}
    answer = await api.ask("POST", ROUTE, content=in_pieces(b"x"), headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["connection"] == "close"


async def test_what_comes_too_large_is_refused_on_the_way_and_leaves_nothing(api: ApiInProcess) -> None:
    route = next(one for one in api.app._routes if one.pattern.match(ROUTE))  # type: ignore[attr-defined]
    object.__setattr__(route, "limit_bytes", 1000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 500
            yield b"x" * 500

    answer = await api.ask("POST", ROUTE, content=endless())  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert sent < 5000
    assert temporary_files(api) == []


async def test_a_silent_sender_is_given_up(api: ApiInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "BODY_WITHIN_S", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield b"id"
        await asyncio.Event().wait()

    answer = await api.ask("POST", ROUTE, content=never())  # type: ignore[arg-type]
    assert answer.status_code == 408
    assert temporary_files(api) == []


async def test_a_full_disk_is_told_and_leaves_nothing(api: ApiInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFull("The disk is full: a file could not be stored.", "Make room and ask again.")

    monkeypatch.setattr("engine.blobs.store.Incoming.write", full)
    answer = await api.ask("POST", ROUTE, content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert temporary_files(api) == []


async def test_every_other_route_keeps_its_limit(api: ApiInProcess) -> None:
    answer = await api.ask("POST", "/v1/models/fraud/labels", content=b"x" * 1_000_001)
    assert answer.status_code == 413


def test_both_clients_send_a_file(engine: EngineProcess, client: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"id,y\n" + b"1,1\n" * 500_000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    first = client.upload(path)

    async def again() -> str:
        async with AsyncEngineClient(engine.home) as waiting:
            return (await waiting.upload(str(path))).sha256

    assert (first.sha256, first.size_bytes, asyncio.run(again())) == (digest, path.stat().st_size, digest)


def test_what_is_no_file_is_refused_before_it_is_sent(client: EngineClient, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        client.upload(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="no regular file"):
        client.upload(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(InvalidInput, match="The file is empty"):
        client.upload(tmp_path / "empty")
    assert client.about().user
