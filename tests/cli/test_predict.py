"""`predict`, through a gateway that answers as the real one does."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine

from mlops_tui.cli import predict_verb

CSV = "amount,items,country,online\n1.5,2,de,0\n2.5,1,xx,1\n"


OPEN_GATEWAY = predict_verb.open_gateway


class FakeGateway:
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.is_up = True
        self.refusal: tuple[int, Any] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if not self.is_up:
            raise httpx.ConnectError("refused", request=request)
        if self.refusal is not None:
            return httpx.Response(self.refusal[0], json=self.refusal[1])
        rows = json.loads(request.content)["rows"]
        unseen = [at for at, row in enumerate(rows) if row.get("country") == "xx"]
        return httpx.Response(
            200,
            json={
                "endpoint": "fraud",
                "version": 3,
                "request_id": "r-1",
                "predictions": [{"label": 1, "probability": 0.875} for _ in rows],
                "warnings": [f"row {at}: 'xx' is new in column 'country'" for at in unseen],
            },
        )


def _behind(answering: FakeGateway, key: str | None) -> httpx.Client:
    with OPEN_GATEWAY(key) as real:
        headers = real.headers
    return httpx.Client(transport=httpx.MockTransport(answering), headers=headers)


@pytest.fixture
def gateway(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    fake.projects["fraud"] = made.project()
    fake.endpoints["fraud"] = made.endpoint()
    fake.versions["fraud", 3] = made.version(3)
    answering = FakeGateway()
    monkeypatch.setattr(predict_verb, "open_gateway", lambda key: _behind(answering, key))
    return answering


def test_answers_are_a_table_and_warnings_stand_beside_it(mlops, gateway: FakeGateway, here: Path):
    (here / "rows.csv").write_text(CSV)
    ran = mlops("predict", "fraud", "rows.csv")
    assert ran.code == 0
    assert "0.875" in ran.out
    assert "@3" in ran.out
    assert "row 1: 'xx' is new in column 'country'" in ran.err
    assert "xx" not in ran.out


def test_with_json_each_row_is_a_line(mlops, gateway: FakeGateway, here: Path):
    (here / "rows.csv").write_text(CSV)
    lines = [json.loads(line) for line in mlops("predict", "fraud", "rows.csv", "--json").out.splitlines()]
    assert [line["row"] for line in lines] == [0, 1]
    assert lines[1] == {"row": 1, "version": 3, "request_id": "r-1", "label": 1, "probability": 0.875}
    assert lines[0]["warnings"] == ["row 1: 'xx' is new in column 'country'"]


def test_rows_may_come_from_stdin(mlops, gateway: FakeGateway):
    ran = mlops("predict", "fraud", "-", stdin='[{"amount": 1, "items": 2, "country": "de", "online": true}]')
    assert ran.code == 0
    assert json.loads(gateway.requests[0].content)["rows"][0]["online"] is True


def test_a_key_is_sent_as_the_sticky_header(mlops, gateway: FakeGateway, here: Path):
    (here / "rows.csv").write_text(CSV)
    mlops("predict", "fraud", "rows.csv", "--key", "customer-7")
    assert gateway.requests[0].headers["x-mlops-key"] == "customer-7"


def test_many_rows_are_sent_in_batches_and_numbered_through(mlops, gateway: FakeGateway, here: Path):
    (here / "rows.csv").write_text("amount,items,country,online\n" + "1,2,de,0\n" * 2_001)
    lines = mlops("predict", "fraud", "rows.csv", "--json").out.splitlines()
    assert len(gateway.requests) == 3
    assert json.loads(lines[-1])["row"] == 2_000


def test_a_missing_column_is_told_before_anything_is_sent(mlops, gateway: FakeGateway, here: Path):
    (here / "rows.csv").write_text("amount,items,online\n1,2,0\n")
    ran = mlops("predict", "fraud", "rows.csv")
    assert ran.code == 1
    assert "rows.csv has no column 'country', which fraud@3 needs." in ran.err
    assert gateway.requests == []


def test_the_model_servers_own_sentence_is_shown(mlops, gateway: FakeGateway, here: Path):
    gateway.refusal = (422, {"error": "Row 0: column 'amount' is missing.", "hint": "Send all columns."})
    (here / "rows.json").write_text('[{"items": 1}]')
    ran = mlops("predict", "fraud", "rows.json")
    assert ran.code == 1
    assert "Row 0: column 'amount' is missing." in ran.err
    assert "Send all columns." in ran.err


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"'])
def test_what_no_json_may_hold_is_left_to_the_model_to_name(mlops, gateway: FakeGateway, value: str):
    gateway.refusal = (422, {"error": "Row 0, column 'amount' is NaN.", "hint": ""})
    ran = mlops("predict", "fraud", "-", stdin=f'[{{"amount": {value}, "items": 1}}]')
    assert ran.code == 1
    assert "Row 0, column 'amount' is NaN." in ran.err


def test_a_project_that_nobody_knows_is_not_said_to_lack_a_release(mlops, fake: FakeEngine):
    ran = mlops("predict", "nobody", "-", stdin="[]")
    assert ran.code == 1
    assert "nobody" in ran.err
    assert "mlops deploy" not in ran.err


def test_a_gateway_that_is_not_there_is_told(mlops, gateway: FakeGateway, here: Path):
    gateway.is_up = False
    (here / "rows.csv").write_text(CSV)
    ran = mlops("predict", "fraud", "rows.csv")
    assert ran.code == 1
    assert "The gateway does not answer at http://127.0.0.1:18080/predict/fraud." in ran.err


def test_an_endpoint_without_a_live_version_is_told(mlops, gateway: FakeGateway, fake: FakeEngine, here: Path):
    fake.endpoints["fraud"] = made.endpoint(made.deployment(status="starting", share=0.0))
    (here / "rows.csv").write_text(CSV)
    ran = mlops("predict", "fraud", "rows.csv")
    assert ran.code == 1
    assert "Nothing answers behind fraud." in ran.err


def test_an_endpoint_that_was_never_released_says_how_to(mlops, gateway: FakeGateway, fake: FakeEngine, here: Path):
    fake.projects["other"] = made.project("other")
    (here / "rows.csv").write_text(CSV)
    ran = mlops("predict", "other", "rows.csv")
    assert ran.code == 1
    assert "mlops deploy other" in ran.err


@pytest.mark.parametrize("text", ["amount,items,country,online\n", "[]"])
def test_a_file_without_rows_is_told(mlops, gateway: FakeGateway, here: Path, text: str):
    (here / "rows.csv").write_text(text)
    ran = mlops("predict", "fraud", "rows.csv")
    assert ran.code == 1
    assert "rows.csv has no rows." in ran.err


def test_the_version_with_most_of_the_traffic_types_the_rows(mlops, gateway: FakeGateway, fake: FakeEngine):
    small, large = made.deployment(6, version=4, share=0.1), made.deployment(5, version=3, share=0.9)
    assert predict_verb._serving(made.endpoint(small, large)) == 3
