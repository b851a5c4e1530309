from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import aiohttp
import pytest
from fakes.model_server import FakeModelServer

from engine.gateway import bodies, front, proxy, upstream
from engine.gateway.routes import Backend

if TYPE_CHECKING:
    from .conftest import InProcessGateway

Servers = list[FakeModelServer]


def backend(server: FakeModelServer, weight: int, *more: FakeModelServer) -> Backend:
    """A deployment whose number is ten times its version."""
    return Backend(server.version * 10, server.version, weight, tuple(str(each.socket) for each in (server, *more)))


async def test_a_request_and_its_answer_pass_unchanged(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    servers[0].body, servers[0].status = b'{"predictions": []}', 422
    url = f"{gateway.url}/predict/fraud?explain=1&x=%20"
    async with gateway.client.post(url, data=b"\x00\xff", headers={"X-Custom": "a"}) as answer:
        assert (answer.status, await answer.read()) == (422, b'{"predictions": []}')
        assert answer.headers["x-mlops-version"] == "1"
        assert answer.headers["content-type"] == "application/json"
    asked = servers[0].asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/predict/fraud?explain=1&x=%20", b"\x00\xff")
    assert asked.header("x-custom") == "a"


@pytest.mark.parametrize("path", ["", "/ready", "/infer", "/versions/1", "/versions/1/ready", "/versions/1/infer"])
async def test_the_open_inference_protocol_reaches_the_model(
    gateway: InProcessGateway, servers: Servers, path: str
) -> None:
    gateway.put(backend(servers[0], 10_000))
    method = "POST" if path.endswith("infer") else "GET"
    async with gateway.client.request(method, f"{gateway.url}/v2/models/fraud{path}") as answer:
        assert answer.status == 200
    assert servers[0].asked[0].path == f"/v2/models/fraud{path}"


async def test_a_request_by_version_reaches_that_version_even_without_a_share(
    gateway: InProcessGateway, servers: Servers
) -> None:
    gateway.put(backend(servers[0], 10_000), backend(servers[1], 0))
    async with gateway.client.post(f"{gateway.url}/v2/models/fraud/versions/2/infer") as answer:
        assert (await answer.json())["version"] == 2
    async with gateway.client.post(f"{gateway.url}/v2/models/fraud/versions/7/infer") as answer:
        assert answer.status == 404
        assert (await answer.json())["hint"] == "Versions there: 1, 2."


async def test_the_same_key_stays_with_its_version_and_shares_are_kept(
    gateway: InProcessGateway, servers: Servers
) -> None:
    gateway.put(backend(servers[0], 7_000), backend(servers[1], 3_000))
    seen: dict[int, set[object]] = {}
    for _ in range(2):
        for key in range(200):
            _, body = await gateway.predict(headers={"x-mlops-key": f"customer {key}"})
            seen.setdefault(key, set()).add(body["version"])
    assert all(len(versions) == 1 for versions in seen.values())
    assert 35 <= sum(versions == {2} for versions in seen.values()) <= 85


@pytest.mark.parametrize(("given", "kept"), [("order-7.a_B", True), ("a b", False), ("x" * 65, False), ("", False)])
async def test_a_sane_request_id_is_kept_and_any_other_replaced(
    gateway: InProcessGateway, servers: Servers, given: str, kept: bool
) -> None:
    gateway.put(backend(servers[0], 10_000))
    await gateway.predict(headers={"x-request-id": given})
    await gateway.predict(headers={"x-request-id": given})
    first, second = (asked.header("x-request-id") for asked in servers[0].asked)
    assert (first == given) is kept
    assert (first == second) is kept
    assert first and second


async def test_headers_of_one_hop_go_no_further(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    servers[0].extra = b"keep-alive: timeout=5\r\nserver: secret/1\r\nproxy-authenticate: x\r\n"
    headers = {"TE": "trailers", "Connection": "keep-alive, X-Mine", "X-Mine": "1", "Proxy-Authorization": "p"}
    async with gateway.client.post(f"{gateway.url}/predict/fraud", headers=headers) as answer:
        assert answer.headers["server"] == "mlops-gateway"
        assert not {"Keep-Alive", "Proxy-Authenticate"} & set(answer.headers)
    names = {name.lower() for name, _ in servers[0].asked[0].headers}
    assert not {"te", "connection", "x-mine", "proxy-authorization"} & names


async def test_a_body_in_chunks_reaches_the_model_with_its_length(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))

    async def pieces() -> object:
        for _ in range(3):
            yield b"x" * 100_000
            await asyncio.sleep(0)

    status, _ = await gateway.predict(json=None, data=pieces())
    assert status == 200
    asked = servers[0].asked[0]
    assert (len(asked.body), asked.header("content-length")) == (300_000, "300000")
    assert asked.header("transfer-encoding") is None


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_long_answer_comes_whole(gateway: InProcessGateway, servers: Servers, chunked: bool) -> None:
    gateway.put(backend(servers[0], 10_000))
    servers[0].body, servers[0].chunked = bytes(range(256)) * 30_000, chunked
    for _ in range(2):
        async with gateway.client.post(f"{gateway.url}/predict/fraud") as answer:
            assert await answer.read() == servers[0].body
    assert gateway.table.deployments[10].in_flight == 0


async def test_a_long_answer_that_breaks_off_is_never_taken_for_whole(
    gateway: InProcessGateway, servers: Servers
) -> None:
    gateway.put(backend(servers[0], 10_000))
    servers[0].body = b"x" * 5_000_000
    async with gateway.client.post(f"{gateway.url}/predict/fraud") as answer:
        await servers[0].kill()
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
    assert gateway.table.deployments[10].in_flight == 0


async def test_a_kept_connection_that_was_just_closed_is_no_failed_request(
    gateway: InProcessGateway, servers: Servers
) -> None:
    servers[0].mode = "drop_kept"
    gateway.put(backend(servers[0], 10_000))
    assert [(await gateway.predict())[0] for _ in range(20)] == [200] * 20


async def test_another_replica_answers_for_a_dead_one(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000, servers[1]))
    assert {(await gateway.predict())[1]["version"] for _ in range(10)} == {1, 2}
    await servers[0].kill()
    answers = [await gateway.predict() for _ in range(20)]
    assert [(status, body["version"]) for status, body in answers] == [(200, 2)] * 20


async def test_another_version_answers_where_all_replicas_of_one_are_dead(
    gateway: InProcessGateway, servers: Servers
) -> None:
    gateway.put(backend(servers[0], 5_000), backend(servers[1], 5_000), backend(servers[2], 0))
    await servers[0].kill()
    answers = [await gateway.predict() for _ in range(20)]
    assert [(status, body["version"]) for status, body in answers] == [(200, 2)] * 20


async def test_a_replica_that_dies_with_requests_in_flight_fails_none_of_them(
    gateway: InProcessGateway, servers: Servers
) -> None:
    gateway.put(backend(servers[0], 10_000, servers[1]))
    servers[0].hold = asyncio.Event()
    waiting = [asyncio.create_task(gateway.predict()) for _ in range(20)]
    while len(servers[0].asked) < 5:
        await asyncio.sleep(0.001)
    await servers[0].kill()
    assert {await each for each in map(_status, waiting)} == {200}


async def _status(task: asyncio.Task[tuple[int, dict[str, object]]]) -> int:
    return (await task)[0]


async def test_requests_wait_for_a_sole_model_server_that_is_started_again(
    gateway: InProcessGateway, servers: Servers
) -> None:
    gateway.put(backend(servers[0], 10_000))
    await gateway.predict()
    await servers[0].kill()
    waiting = [asyncio.create_task(gateway.predict()) for _ in range(30)]
    while not gateway.table.down_replicas():
        await asyncio.sleep(0.001)
    await servers[0].start()
    assert {await each for each in map(_status, waiting)} == {200}


async def test_requests_that_wait_follow_new_routes(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    await servers[0].kill()
    waiting = asyncio.create_task(gateway.predict())
    while not gateway.table.down_replicas():
        await asyncio.sleep(0.001)
    gateway.put(backend(servers[1], 10_000))
    assert await waiting == (200, {"version": 2})


async def test_nobody_there_is_one_sentence_with_503(
    gateway: InProcessGateway, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "PATIENCE_S", 0.1)
    gateway.put(backend(servers[0], 10_000))
    await servers[0].kill()
    async with gateway.client.post(f"{gateway.url}/predict/fraud") as answer:
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert (await answer.json())["error"] == "No model server of fraud takes connections."
    meter = gateway.table.deployments[10].meter
    assert (meter.requests, meter.errors) == (1, 1)


async def test_only_so_many_requests_wait(
    gateway: InProcessGateway, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "MOST_WAITING", 1)
    gateway.put(backend(servers[0], 10_000))
    await servers[0].kill()
    waiting = asyncio.create_task(gateway.predict())
    while not gateway.table.down_replicas():
        await asyncio.sleep(0.001)
    async with gateway.client.post(f"{gateway.url}/predict/fraud") as answer:
        assert answer.status == 503
    gateway.put(backend(servers[1], 10_000))
    assert await waiting == (200, {"version": 2})


async def test_a_request_that_ends_its_model_server_is_not_sent_for_ever(
    gateway: InProcessGateway, servers: Servers
) -> None:
    servers[0].mode = servers[1].mode = "drop"
    gateway.put(backend(servers[0], 10_000, servers[1]))
    status, body = await gateway.predict()
    assert status == 502
    assert body["error"] == "Version 1 of fraud ended while it worked on this request."
    assert len(servers[0].asked) + len(servers[1].asked) == proxy.SENT_IN_VAIN


async def test_an_answer_that_is_not_http_counts_as_none(gateway: InProcessGateway, servers: Servers) -> None:
    servers[0].mode = "garbage"
    gateway.put(backend(servers[0], 5_000), backend(servers[1], 5_000))
    assert [await gateway.predict() for _ in range(10)] == [(200, {"version": 2})] * 10


async def test_a_model_server_that_says_nothing_is_504(
    gateway: InProcessGateway, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "ANSWER_S", 0.05)
    servers[0].hold = asyncio.Event()
    gateway.put(backend(servers[0], 10_000))
    status, body = await gateway.predict()
    assert (status, body["error"]) == (504, "Version 1 of fraud did not answer in time.")
    assert gateway.table.deployments[10].in_flight == 0


async def test_errors_of_the_model_pass_and_are_counted(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    servers[0].status = 500
    assert (await gateway.predict())[0] == 500
    servers[0].status = 422
    assert (await gateway.predict())[0] == 422
    meter = gateway.table.deployments[10].meter
    assert (meter.requests, meter.errors) == (2, 1)


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("POST", "/predict/nobody", 404, "There is no endpoint named nobody."),
        ("POST", "/predict/%2e%2e", 404, "There is no endpoint of that name."),
        ("POST", "/predict/fraud/../x", 404, "There is nothing at this path."),
        ("POST", "/predict/fraud%00", 404, "There is no endpoint of that name."),
        ("POST", "/predict/", 404, "There is nothing at this path."),
        ("GET", "/v2/models/fraud/versions/1%2f..%2f2", 404, "There is nothing at this path."),
        ("GET", "/predict/fraud", 405, "Rows are sent with POST."),
        ("DELETE", "/v2/models/fraud", 405, "DELETE is not part of the protocol."),
        ("POST", "/v2/health/live", 405, "/v2/health/live is only read."),
    ],
)
async def test_what_cannot_be_routed_is_one_sentence_and_a_hint(
    gateway: InProcessGateway, servers: Servers, method: str, path: str, status: int, error: str
) -> None:
    gateway.put(backend(servers[0], 10_000))
    told = await gateway.raw(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert told.startswith(f"HTTP/1.1 {status} ".encode())
    assert f'{{"error":"{error}","hint":"'.encode() in told
    assert (b"\r\nAllow: " in told) is (status == 405)
    assert not servers[0].asked


async def test_the_gateway_answers_for_itself(gateway: InProcessGateway, servers: Servers) -> None:
    async def get(path: str) -> tuple[int, str]:
        async with gateway.client.get(gateway.url + path) as answer:
            return answer.status, await answer.text()

    assert (await get("/v2/health/ready"))[0] == 503
    gateway.put(backend(servers[0], 10_000))
    await gateway.predict()
    assert await get("/v2/health/ready") == (200, '{"ready":true}\n')
    assert await get("/v2/health/live") == (200, '{"live":true}\n')
    assert '"name":"mlops-gateway"' in (await get("/v2"))[1]
    assert "endpoints: fraud" in (await get("/"))[1]
    assert 'requests_total{endpoint="fraud",version="1",deployment="10"} 1' in (await get("/metrics"))[1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:80"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "LocalHost"}, 200),
        ({}, 200),
    ],
)
async def test_web_pages_of_other_origins_are_refused(
    gateway: InProcessGateway, servers: Servers, headers: dict[str, str], status: int
) -> None:
    gateway.put(backend(servers[0], 10_000))
    assert (await gateway.predict(headers=headers))[0] == status


async def test_a_body_that_says_it_is_too_large_is_refused_unread(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    head = b"POST /predict/fraud HTTP/1.1\r\nHost: localhost\r\nContent-Length: 33554433\r\n\r\n"
    told = await gateway.raw(head)
    assert told.startswith(b"HTTP/1.1 413 ")
    assert b'"error":"The body is larger than 32 MB."' in told


async def test_a_body_that_grows_too_large_is_refused(
    gateway: InProcessGateway, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_LIMIT_BYTES", 200_000)
    gateway.put(backend(servers[0], 10_000))
    chunk = b"186a0\r\n" + b"x" * 100_000 + b"\r\n"
    head = b"POST /predict/fraud HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await gateway.raw(head + 3 * chunk + b"0\r\n\r\n")).startswith(b"HTTP/1.1 413 ")
    assert (await gateway.raw(head + 2 * chunk + b"0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    assert len(servers[0].asked) == 1


async def test_large_bodies_take_turns_for_the_memory(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    servers[0].hold = asyncio.Event()
    body = b"x" * (30 << 20)
    waiting = [asyncio.create_task(gateway.predict(json=None, data=io.BytesIO(body))) for _ in range(3)]
    while len(servers[0].asked) < 2:
        await asyncio.sleep(0.01)
    assert gateway.table.deployments[10].in_flight == 2
    servers[0].hold.set()
    assert {await each for each in map(_status, waiting)} == {200}
    assert len(servers[0].asked) == 3


async def test_a_client_that_asks_first_is_told_to_go_on(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    assert (await gateway.predict(expect100=True))[0] == 200


async def test_a_slow_body_ends_with_408(
    gateway: InProcessGateway, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    gateway.put(backend(servers[0], 10_000))
    told = await gateway.raw(b"POST /predict/fraud HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx")
    assert told.startswith(b"HTTP/1.1 408 ")


async def test_a_slow_head_ends_with_408(gateway: InProcessGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "HEADER_S", 0.0)
    told = await gateway.raw(b"POST /predict/fraud HTTP/1.1\r\nHost: local")
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b'"error"' in told


@pytest.mark.parametrize(
    "head",
    [
        b"POST /predict/fraud HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /predict/fraud HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /predict/fraud HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        b"POST /predict/fraud HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n",
        b"POST /predict/fraud HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_ambiguous_or_broken_heads_reach_nobody(gateway: InProcessGateway, servers: Servers, head: bytes) -> None:
    gateway.put(backend(servers[0], 10_000))
    told = await gateway.raw(head)
    assert told.split(b" ")[1] == b"400"
    assert b'{"error":"This is not HTTP as this gateway reads it."' in told
    assert not servers[0].asked


async def test_requests_of_one_connection_are_answered_in_turn(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    one = b"POST /predict/fraud HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n%s\r\n1"
    told = await gateway.raw((one % b"") * 3 + one % b"Connection: close\r\n")
    assert told.count(b"HTTP/1.1 200 ") == 4


async def test_a_swap_under_traffic_fails_no_request(gateway: InProcessGateway, servers: Servers) -> None:
    gateway.put(backend(servers[0], 10_000))
    statuses: list[int] = []
    done = asyncio.Event()

    async def ask() -> None:
        while not done.is_set():
            statuses.append((await gateway.predict())[0])

    clients = [asyncio.create_task(ask()) for _ in range(8)]
    for swap in range(10):
        old, new = servers[swap % 2], servers[(swap + 1) % 2]
        if swap:
            await new.start()
        gateway.put(backend(new, 10_000))
        status, _ = await gateway.control("POST", f"/drain/{old.version * 10}")
        assert status == 200
        await old.kill()
    done.set()
    await asyncio.gather(*clients)
    assert len(statuses) > 20
    assert set(statuses) == {200}
