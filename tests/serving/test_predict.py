from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes.bundles import CLASSES, make_rows
from fakes.replicas import Replica

from engine.serving.model import load_bundle


@pytest.mark.parametrize("task", CLASSES)
@pytest.mark.parametrize("model_format", ["lightgbm", "linear", "skops"])
def test_every_format_and_task_answers_what_the_bundle_scores(
    model_format: str, task: str, short_folder: Path, replica_folder: Callable[..., Path]
) -> None:
    replica_folder(short_folder, model_format, task)
    bundle, rows = load_bundle(short_folder / "bundle"), make_rows(130)
    with Replica(short_folder) as replica:
        alone = [replica.predict(row).json()["predictions"][0] for row in rows[:3]]
        several = replica.predict(rows[:3]).json()["predictions"]
        many = replica.predict({"rows": rows}).json()["predictions"]
    assert alone == several == many[:3]
    for row, answer in zip(rows, many, strict=True):
        scores = bundle.score_row(row)
        if task == "regression":
            assert answer == {"value": pytest.approx(scores[0])}
        elif task == "binary":
            assert answer == {"label": "yes" if scores[1] >= 0.5 else "no", "probability": pytest.approx(scores[1])}
        else:
            names = CLASSES[task]
            assert answer["probability"] == pytest.approx(dict(zip(names, scores, strict=True)))
            assert answer["label"] == names[scores.index(max(scores))]


def test_an_answer_says_who_answered(replica: Replica) -> None:
    answer = replica.predict(make_rows(1), headers={"x-request-id": "Order-7_a.b"})
    assert answer.headers["x-request-id"] == "Order-7_a.b"
    assert answer.headers["x-mlops-version"] == "3"
    body = answer.json()
    assert list(body) == ["endpoint", "version", "request_id", "predictions", "warnings"]
    assert (body["endpoint"], body["version"], body["request_id"]) == ("shop", 3, "Order-7_a.b")


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'quote"', "ü".encode(), "line\\n"])
def test_a_request_id_that_is_not_sane_is_replaced(given: Any, replica: Replica) -> None:
    first = replica.predict(make_rows(1), headers={"x-request-id": given}).json()["request_id"]
    second = replica.predict(make_rows(1), headers={"x-request-id": given}).json()["request_id"]
    assert first != second
    assert first.replace("-", "").isalnum()


def test_warnings_come_with_the_answer(replica: Replica) -> None:
    body = replica.predict({**make_rows(1)[0], "country": "zz", "colour": 1}).json()
    assert len(body["predictions"]) == 1
    assert [word in text for word, text in zip(["'colour'", "'zz'"], body["warnings"], strict=True)] == [True, True]


def check_problem(answer: httpx.Response, status: int, part: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error", "hint"}
    assert part in answer.json()["error"]


def test_a_row_that_does_not_fit_is_a_422(replica: Replica) -> None:
    check_problem(replica.predict({**make_rows(1)[0], "amount": "5"}), 422, "Row 0, column 'amount' is text")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict/shop", "POST"),
        ("DELETE", "/predict/shop", "POST"),
        ("PUT", "/v2/models/shop/infer", "POST"),
        ("POST", "/metrics", "GET, HEAD"),
        ("POST", "/v2", "GET, HEAD"),
        ("POST", "/v2/models/shop/versions/3", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_which_is_right(method: str, path: str, allow: str, replica: Replica) -> None:
    answer = replica.client.request(method, path)
    check_problem(answer, 405, path)
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/predict",
        "/predict/other",
        "/predict/shop/",
        "/v2/models/shop/versions/4",
        "/v2/models/x/infer",
        "/%2e%2e",
    ],
)
def test_an_unknown_path_is_a_404(path: str, replica: Replica) -> None:
    check_problem(replica.client.post(path, json={}), 404, "nothing at this path")


def test_a_compressed_body_is_refused(replica: Replica) -> None:
    check_problem(replica.predict([], headers={"content-encoding": "gzip"}), 415, "Compressed")


def test_a_body_over_the_limit_is_refused_by_its_announced_length(replica: Replica) -> None:
    check_problem(replica.client.post("/predict/shop", content=b" " * (32 * 2**20 + 1)), 413, "larger than 32 MB")


def test_a_body_over_the_limit_is_refused_while_it_is_read(replica: Replica) -> None:
    check_problem(replica.client.post("/predict/shop", content=(b" " * 2**20 for _ in range(40))), 413, "32 MB")


def test_a_body_in_chunks_is_put_together(replica: Replica) -> None:
    body = b'{"rows":[{"amount":1,"balance":2,"visits":3,"member":true,"country":"de"}]}'
    answer = replica.client.post("/predict/shop", content=iter([body[:7], body[7:30], body[30:]]))
    assert answer.status_code == 200 and len(answer.json()["predictions"]) == 1


def test_head_gets_headers_only(replica: Replica) -> None:
    answer = replica.client.head("/v2/health/ready")
    assert answer.status_code == 200 and answer.content == b""
