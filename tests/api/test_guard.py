from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import pytest
from fakes.api_in_process import JOB_TOKEN, ApiInProcess

from engine.api import body as body_module
from engine.api.body import BODY_LIMIT_BYTES
from engine.wire.base import API_HEADER

JSON = {"content-type": "application/json"}


async def test_every_answer_says_which_version_is_spoken(api: ApiInProcess) -> None:
    for path, role in (("/v1/about", "owner"), ("/v1/nothing", "owner"), ("/v1/about", "nobody")):
        assert (await api.ask("GET", path, role=role)).headers[API_HEADER] == "1"


@pytest.mark.parametrize("spoken", ["2", "0", "x", ""])
async def test_another_version_is_refused(api: ApiInProcess, spoken: str) -> None:
    answer = await api.ask("GET", "/v1/about", headers={API_HEADER: spoken})
    assert (answer.status_code, answer.json()["code"]) == (426, "version_mismatch")


@pytest.mark.parametrize("header", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
async def test_no_web_page_may_ask(api: ApiInProcess, header: dict[str, str]) -> None:
    assert (await api.ask("GET", "/v1/about", headers=header)).status_code == 403


async def test_an_unknown_address_is_a_problem_in_one_sentence(api: ApiInProcess) -> None:
    answer = await api.ask("GET", "/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "There is no '/v1/nothing' here."


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/models/", "/docs", "/redoc", "/openapi.json", "//v1/about"])
async def test_only_the_stated_addresses_exist(api: ApiInProcess, path: str) -> None:
    assert (await api.ask("GET", path)).status_code == 404


async def test_a_wrong_method_is_told_the_right_ones(api: ApiInProcess) -> None:
    answer = await api.ask("DELETE", "/v1/projects")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/..%2f..%2fetc%2fpasswd",
        "/v1/models/%2e%2e",
        "/v1/models/%252e%252e%252f",
        "/v1/models/..",
        "/v1/models/a%00b",
        "/v1/models/a%5c..%5cb",
        "/v1/models/fraud;x=1",
        "/v1/models/fraud%23x",
        "/v1/models/file:%2f%2f%2fetc",
        "/v1/models/%0a%0dx",
        "/v1/models/%1b%5d52;c;x",
        "/v1/jobs/-1",
        "/v1/jobs/1e9",
        "/v1/jobs/99999999999999999999999999",
        "/v1/runs?order_by=metric.x%27%20OR%201=1--",
        "/v1/events?after=-1",
        "/v1/events?limit=0",
        "/v1/events?project=a%00b",
        "/v1/jobs?status=hanging",
    ],
)
async def test_a_hostile_address_is_refused_in_one_sentence(api: ApiInProcess, path: str) -> None:
    answer = await api.ask("GET", path)
    assert answer.status_code in (200, 404, 422)
    if answer.status_code == 200:
        assert answer.json() == {"runs": [], "next_before": None}
    else:
        assert "\x1b" not in answer.text
        assert "\n" not in answer.json()["detail"]


async def test_a_large_body_is_refused_by_what_it_says(api: ApiInProcess) -> None:
    answer = await api.ask("POST", "/v1/runs", content=b"x" * (BODY_LIMIT_BYTES + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["connection"] == "close"


async def test_a_large_body_is_refused_while_it_comes(api: ApiInProcess) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    answer = await api.ask("POST", "/v1/runs", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert sent < 2 * BODY_LIMIT_BYTES


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 40, "0x10", "²"])
async def test_a_content_length_that_is_no_number_is_refused(api: ApiInProcess, length: str) -> None:
    headers = {name.encode(): value.encode("latin-1") for name, value in JSON.items()}
    headers[b"content-length"] = length.encode("latin-1")
    answer = await api.ask("POST", "/v1/runs", content=b"{}", headers=headers)
    assert answer.status_code in (400, 413)


async def test_a_worker_may_send_more(api: ApiInProcess) -> None:
    note = json.dumps({"step": "fit", "note": "x" * BODY_LIMIT_BYTES}).encode()
    answer = await api.ask("POST", "/v1/jobs/12/progress", token=JOB_TOKEN, content=note, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("`note` ")


async def test_a_slow_body_is_given_up(api: ApiInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(body_module, "BODY_WITHIN_S", 0.0)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await api.ask("POST", "/v1/runs", content=never(), headers=JSON)
    assert answer.status_code == 408


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_body_that_is_no_json_is_refused(api: ApiInProcess, kind: str) -> None:
    answer = await api.ask("POST", "/v1/runs", content=b'{"project": "fraud"}', headers={"content-type": kind})
    assert (answer.status_code, answer.json()["detail"]) == (422, "A body must be JSON.")


BAD_RUNS: dict[str, tuple[bytes, str]] = {
    "no body": (b"", "The body is missing."),
    "a list": (b"[]", "The body "),
    "an unknown field": (b'{"project":"fraud","metric":{}}', "`metric` is not known here."),
    "a missing field": (b"{}", "`project` is missing."),
    "a wrong type": (b'{"project":"fraud","metrics":{"auc":"high"}}', "`metrics.auc` "),
    "infinity": (b'{"project":"fraud","metrics":{"auc":1e999}}', "The body holds a number too large"),
    "an escape in a field's name": (b'{"\\u001b[31m":1}', "`?[31m` is not known here."),
    "a name that is none": (b'{"project":"../x"}', "`project` "),
    "no JSON": (b"{project: fraud}", "The body is not JSON"),
    "too deep": (b'{"project":' + b"[" * 100 + b"]" * 100 + b"}", "The body is nested more than 64 deep."),
}


@pytest.mark.parametrize("body, told", BAD_RUNS.values(), ids=BAD_RUNS)
async def test_a_bad_body_is_answered_with_the_field_it_is_about(api: ApiInProcess, body: bytes, told: str) -> None:
    answer = await api.ask("POST", "/v1/runs", content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(told)


async def test_a_refused_text_is_not_repeated(api: ApiInProcess) -> None:
    answer = await api.ask("POST", "/v1/runs", json={"project": "s3cret/\x1b[31m"})
    assert answer.status_code == 422
    assert "s3cret" not in answer.text


async def test_a_defect_is_told_by_a_number_that_is_in_the_log(
    api: ApiInProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from engine.api.routers import models

    def fails(*_: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(models.models, "list_models", fails)
    answer = await api.ask("GET", "/v1/models")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "inside" not in answer.text
    assert answer.json()["about"]["failure"] in caplog.text
    assert "ZeroDivisionError: inside" in caplog.text


async def test_a_failure_of_the_guard_itself_lets_nobody_in(api: ApiInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.api import guard

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    check: Callable[..., None] = fails
    monkeypatch.setattr(guard, "_check_role", check)
    assert (await api.ask("GET", "/v1/about")).status_code == 500


async def test_the_description_lists_the_routes(api: ApiInProcess) -> None:
    described = (await api.ask("GET", "/v1/openapi.json", role="viewer")).json()
    assert "/v1/projects/{name}/train" in described["paths"]
    named = [field["name"] for field in described["paths"]["/v1/jobs"]["get"]["parameters"]]
    assert named == ["status", "project", "limit", "before"]


async def test_down_is_recorded_remembered_and_then_done(api: ApiInProcess) -> None:
    answer = await api.ask("POST", "/v1/down", json={"all": True})
    assert answer.status_code == 202
    assert api.stopped == [True]
    assert api.home.stopped_mark.exists()
    told = (await api.ask("GET", "/v1/events")).json()["events"]
    assert [event["verb"] for event in told] == ["engine.stopped"]
