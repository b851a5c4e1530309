"""The v2 protocol, by a client that knows only the protocol."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes.bundles import make_columns, make_replica, make_rows
from fakes.replicas import Replica

from engine.serving.manifest import Input

MODEL = "/v2/models/shop"


class InferenceClient:
    """Minimal, independent: builds tensors from the metadata alone, as any v2 client would."""

    def __init__(self, http: httpx.Client, path: str = MODEL) -> None:
        self.http, self.path = http, path

    def metadata(self) -> dict[str, Any]:
        answer = self.http.get(self.path)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def infer(self, columns: dict[str, list[Any]], **extra: Any) -> dict[str, Any]:
        tensors = []
        for tensor in self.metadata()["inputs"]:
            values = columns[tensor["name"]]
            described = {"name": tensor["name"], "datatype": tensor["datatype"], "shape": [len(values)], "data": values}
            if tensor["datatype"] == "BYTES":
                described["data"] = ["" if value is None else value for value in values]
                nulls = [str(index) for index, value in enumerate(values) if value is None]
                described["parameters"] = {"nulls": ",".join(nulls)} if nulls else {}
            tensors.append(described)
        answer = self.http.post(f"{self.path}/infer", json={"inputs": tensors, **extra})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def client(replica: Replica) -> InferenceClient:
    return InferenceClient(replica.client)


def outputs(answer: dict[str, Any]) -> dict[str, Any]:
    return {output["name"]: output["data"] for output in answer["outputs"]}


def test_the_server_and_the_model_describe_themselves(replica: Replica) -> None:
    server = replica.client.get("/v2").json()
    assert server["name"] == "mlops" and server["extensions"] == [] and server["version"]
    for path in (MODEL, f"{MODEL}/versions/3"):
        model = replica.client.get(path).json()
        assert (model["name"], model["versions"], model["platform"]) == ("shop", ["3"], "mlops_lightgbm")
        assert [tensor["datatype"] for tensor in model["inputs"]] == ["FP64", "FP64", "INT64", "BOOL", "BYTES"]
        assert model["outputs"] == [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probability", "datatype": "FP64", "shape": [-1]},
        ]


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", f"{MODEL}/ready", f"{MODEL}/versions/3/ready"])
def test_health_and_readiness_answer(path: str, replica: Replica) -> None:
    assert replica.client.get(path).status_code == 200


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/versions/3"])
def test_tensors_are_answered_as_rows_are(path: str, replica: Replica) -> None:
    rows, columns = make_rows(40, seed=5), make_columns(40, seed=5)
    expected = replica.predict(rows).json()["predictions"]
    answer = InferenceClient(replica.client, path).infer(columns, id="abc")
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("shop", "3", "abc")
    assert [output["shape"] for output in answer["outputs"]] == [[40], [40]]
    assert outputs(answer) == {
        "label": [prediction["label"] for prediction in expected],
        "probability": [prediction["probability"] for prediction in expected],
    }


def test_an_answer_has_no_id_that_was_not_given(client: InferenceClient) -> None:
    assert "id" not in client.infer(make_columns(1))


def test_only_the_outputs_asked_for_come_in_the_order_asked_for(client: InferenceClient) -> None:
    for names in (["probability"], ["probability", "label"]):
        answer = client.infer(make_columns(2), outputs=[{"name": name} for name in names])
        assert [output["name"] for output in answer["outputs"]] == names


def test_an_unseen_category_is_told_in_the_parameters(client: InferenceClient) -> None:
    answer = client.infer({**make_columns(1), "country": ["zz"]})
    assert "'zz'" in answer["parameters"]["warnings"]


def tensor(name: str, datatype: str, data: Any, shape: list[int] | None = None, **parameters: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data, "parameters": parameters}


def tensors(*changed: dict[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    good = [
        tensor("amount", "FP64", [1.5, 2]),
        tensor("balance", "FP32", [3.25, None]),
        tensor("visits", "INT64", [3, None]),
        tensor("member", "BOOL", [True, False]),
        tensor("country", "BYTES", ["de", ""], nulls=[1]),
    ]
    by_name = {each["name"]: each for each in (*good, *changed) if each["name"] not in without}
    return {"inputs": list(by_name.values())}


def infer(replica: Replica, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return replica.client.post(f"{MODEL}/infer", content=content)


def last_capture(replica: Replica) -> Any:
    segment = max((replica.folder / "captures").glob("*.jsonl"))
    return json.loads(segment.read_bytes().splitlines()[-1])


def test_null_is_null_nan_or_listed(replica: Replica) -> None:
    expected = replica.predict(
        [
            {"amount": 1.5, "balance": 3.25, "visits": 3, "member": True, "country": "de"},
            {"amount": 2, "balance": None, "visits": None, "member": False, "country": None},
        ]
    ).json()["predictions"]
    for changed in (
        [],
        [tensor("balance", "FP64", [3.25, float("nan")]), tensor("visits", "FP64", [3.0, float("nan")])],
        [tensor("country", "BYTES", ["de", ""], nulls="1")],
        [tensor("country", "BYTES", ["de", None])],
        [tensor("member", "UINT8", [1, 0]), tensor("amount", "FP64", [[1.5], [2]], [2, 1])],
    ):
        answer = infer(replica, tensors(*changed))
        assert answer.status_code == 200, answer.text
        assert outputs(answer.json())["probability"] == [prediction["probability"] for prediction in expected]
        assert last_capture(replica)["rows"][1] == [2.0, None, None, False, None, None, None]


def test_a_rows_id_comes_as_a_tensor_of_its_own_and_is_captured(replica: Replica) -> None:
    answer = infer(replica, tensors(tensor("customer", "BYTES", ["k1", "k2"]), tensor("note", "BYTES", ["", ""])))
    assert answer.status_code == 200 and "parameters" not in answer.json()
    assert [row[5] for row in last_capture(replica)["rows"]] == ["k1", "k2"]


def test_a_tensor_too_many_is_named_in_a_warning(replica: Replica) -> None:
    answer = infer(replica, tensors(tensor("colour", "BYTES", ["red", "blue"])))
    assert "'colour' is no input" in answer.json()["parameters"]["warnings"]


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        (b"", 400, "not JSON"),
        (b"[]", 400, "no request of the v2 protocol"),
        ({}, 400, "inputs"),
        ({"inputs": []}, 422, "no tensors"),
        ({"inputs": [{"name": "amount"}]}, 400, "shape"),
        (b'{"inputs":' + b"[" * 100_000, 400, "protocol"),
        (b'{"id":' + b"1" * 5000 + b"}", 400, "protocol"),
        (tensors(without=("visits",)), 422, "no tensor 'visits'"),
        (tensors(tensor("amount", "FP64", [1.0])), 422, "'balance' has 2 rows, and 'amount' has 1"),
        (tensors(tensor("amount", "FP64", [1.0, 2.0], [2, 2])), 422, "'amount' has the shape [2, 2]"),
        (tensors(tensor("amount", "FP64", [1.0], [2])), 422, "1 values instead of 2"),
        (tensors(tensor("amount", "FP64", [1.0, 2.0], [-2])), 422, "shape [-2]"),
        (tensors(tensor("amount", "FP64", [1.0, 2.0], [2, 1, 1])), 422, "shape [2, 1, 1]"),
        (tensors(tensor("amount", "FP64", [1.0] * 9, [2])), 422, "shape [2], and more than 2 values."),
        (tensors(tensor("country", "BYTES", ["de"] * 9, [2])), 422, "shape [2], and more than 2 values."),
        (tensors(tensor("amount", "FP64", [1.0, 2.0], [1] * 9)), 422, "shape […] of 9 dimensions"),
        ({**tensors(), "parameters": {"a": {"b": {}}}}, 400, "no request of the v2 protocol"),
        (tensors(tensor("amount", "BYTES", ["1", "2"])), 422, "'amount' has the datatype 'BYTES'"),
        (tensors(tensor("amount", "FP8", [1, 2])), 422, "datatype 'FP8'"),
        (tensors(tensor("amount", "FP64", ["1", "2"])), 422, "not of the datatype FP64"),
        (tensors(tensor("amount", "FP64", [True, 2])), 422, "not of the datatype FP64"),
        (tensors(tensor("amount", "FP64", [1.0, None])), 422, "Row 1, column 'amount' is null"),
        (tensors(tensor("amount", "FP64", [1.0, float("nan")])), 422, "Row 1, column 'amount' is null"),
        (tensors(tensor("amount", "FP64", [1.0, float("inf")])), 422, "infinite"),
        (tensors(tensor("visits", "FP64", [1.0, 2.5])), 422, "Row 1, column 'visits' is 2.5"),
        (tensors(tensor("visits", "INT64", [1, 2**63])), 422, "Row 1, column 'visits' does not fit"),
        (tensors(tensor("member", "INT8", [1, 2])), 422, "Row 1, column 'member' is 2"),
        (tensors(tensor("country", "FP64", [1, 2])), 422, "'country' has the datatype 'FP64'"),
        (tensors(tensor("country", "BYTES", ["de", "fr"], nulls=[1])), 422, "parameters.nulls"),
        (tensors(tensor("country", "BYTES", ["de", ""], nulls=[2])), 422, "parameters.nulls"),
        (tensors(tensor("country", "BYTES", ["de", ""], nulls="x")), 422, "parameters.nulls"),
        (tensors(tensor("country", "BYTES", ["de", ""], nulls=-1)), 422, "parameters.nulls"),
        (tensors(tensor("other", "FP64", [1.0] * 10, [2, 5])), 422, "takes text too"),
        ({**tensors(), "outputs": [{"name": "score"}]}, 422, "no output 'score'"),
        ({"inputs": [tensor("amount", "FP64", [])]}, 422, "no rows"),
        ({"inputs": [tensor("amount", "FP64", [1.0])] * 2}, 422, "comes twice"),
        ({"inputs": [tensor("amount", "FP64", [], [100_001])]}, 413, "100001 rows"),
        ({**tensors(), "parameters": {"binary_data_output": True}}, 415, "Binary tensors are not there yet."),
        ({**tensors(), "outputs": [{"name": "label", "parameters": {"binary_data": True}}]}, 415, "Binary tensors"),
        (tensors(tensor("amount", "FP64", [], [2], binary_data_size=16)), 415, "Binary tensors"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_request_gets_one_sentence(body: Any, status: int, part: str, replica: Replica) -> None:
    answer = infer(replica, body)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "hint"}
    assert part in answer.json()["error"]


def test_text_full_of_quotes_and_commas_is_counted_rightly(replica: Replica) -> None:
    answer = infer(replica, tensors(tensor("country", "BYTES", ['"a","b"\\', ',"","",'])))
    assert answer.status_code == 200
    assert [row[4] for row in last_capture(replica)["rows"]] == ['"a","b"\\', ',"","",']


def test_the_header_of_the_binary_extension_is_refused(replica: Replica) -> None:
    headers = {"inference-header-content-length": "100"}
    answer = replica.client.post(f"{MODEL}/infer", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (415, "Binary tensors are not there yet.")


def test_binary_data_switched_off_is_no_binary_data(replica: Replica) -> None:
    assert infer(replica, {**tensors(), "parameters": {"binary_data_output": False}}).status_code == 200


@pytest.fixture(scope="module")
def numbers_replica() -> Iterator[Replica]:
    """A multiclass model of numbers only, without id and time."""
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    inputs = (Input("a", "number"), Input("n", "integer"), Input("b", "boolean", nullable=False))
    columns = {
        "a": [float(i) for i in range(100)],
        "n": [i % 7 for i in range(100)],
        "b": [i % 2 == 0 for i in range(100)],
    }
    make_replica(
        folder,
        "linear",
        "multiclass",
        inputs=inputs,
        columns=columns,
        target_values=[i // 34 for i in range(100)],
        classes=(1, 2, 3),
        id=None,
        time=None,
    )
    with Replica(folder) as running:
        yield running
    shutil.rmtree(folder)


class TestNumbersOnly:
    """A model of numbers only also takes one matrix."""

    @pytest.fixture
    def replica(self, numbers_replica: Replica) -> Replica:
        return numbers_replica

    @pytest.mark.parametrize("data", [[1.5, 2, 1, 99, None, 0], [[1.5, 2, 1], [99, None, 0]]], ids=["flat", "nested"])
    def test_one_matrix_is_answered_as_rows_are(self, data: Any, replica: Replica) -> None:
        rows = [{"a": 1.5, "n": 2, "b": True}, {"a": 99, "n": None, "b": False}]
        expected = replica.predict(rows).json()["predictions"]
        answer = infer(replica, {"inputs": [tensor("input-0", "FP64", data, [2, 3])]}).json()
        label, probability = answer["outputs"]
        assert label == {"name": "label", "datatype": "INT64", "shape": [2], "data": [1, 3]}
        assert probability["shape"] == [2, 3]
        assert probability["data"] == [p for each in expected for p in each["probability"].values()]
        assert list(expected[0]["probability"]) == ["1", "2", "3"]

    @pytest.mark.parametrize(
        ("shape", "data", "part"),
        [
            ([1, 4], [1, 2, 3, 4], "has 4 columns, and there are 3 inputs"),
            ([2, 3], [1, 2, 3], "3 values instead of 6"),
            ([1, 3], [1, 2.5, 0], "column 'n' is 2.5"),
            ([1, 3], [1, 2, 0.5], "column 'b' is 0.5"),
            ([1, 3], [1, 2, None], "column 'b' is null"),
        ],
    )
    def test_a_wrong_matrix_gets_one_sentence(
        self, shape: list[int], data: list[Any], part: str, replica: Replica
    ) -> None:
        answer = infer(replica, {"inputs": [tensor("x", "FP64", data, shape)]})
        assert answer.status_code == 422 and part in answer.json()["error"]


@pytest.mark.parametrize(
    ("classes", "datatype"), [((False, True), "BOOL"), ((0, 1), "INT64"), (("no", 1), "BYTES")], ids=str
)
def test_labels_keep_their_type(classes: Any, datatype: str, tmp_path: Path, short_folder: Path) -> None:
    make_replica(short_folder, "linear", classes=classes)
    with Replica(short_folder) as replica:
        label = infer(replica, tensors()).json()["outputs"][0]
        predicted = [each["label"] for each in replica.predict(make_rows(2)).json()["predictions"]]
    assert label["datatype"] == datatype
    expected = [str(each) for each in classes] if datatype == "BYTES" else list(classes)
    assert all(type(each) is type(expected[0]) and each in expected for each in label["data"])
    assert all(each in classes for each in predicted)


def test_regression_answers_a_value(short_folder: Path, replica_folder: Callable[..., Path]) -> None:
    with Replica(replica_folder(short_folder, "linear", "regression")) as replica:
        values = [each["value"] for each in replica.predict(make_rows(3)).json()["predictions"]]
        answer = InferenceClient(replica.client).infer(make_columns(3, seed=1))
    assert answer["outputs"] == [{"name": "value", "datatype": "FP64", "shape": [3], "data": values}]
