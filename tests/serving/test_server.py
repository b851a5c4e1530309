import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fakes.bundles import make_rows
from fakes.replicas import Replica, run_to_end
from prometheus_client.parser import text_string_to_metric_families

from engine.serving.manifest import MANIFEST_NAME, dump_manifest, load_manifest
from engine.serving.problems import BadBundle
from engine.serving.program import program_sha256
from engine.serving.server import bind_socket


@pytest.fixture
def folder(short_folder: Path, replica_folder: Callable[..., Path]) -> Path:
    return replica_folder(short_folder)


def raw(folder: Path, *parts: bytes) -> bytes:
    """Send bytes as they are; all that comes back until the server closes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(folder / "s"))
        try:
            for part in parts:
                connection.sendall(part)
        except BrokenPipeError:
            pass
        found = b""
        # A server that closes before it has read everything resets the connection after its answer.
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                found += piece
        return found


class TestStart:
    def refuse(self, folder: Path, sentence: str) -> None:
        code, said = run_to_end(folder)
        assert code == 1
        assert sentence in said
        assert said.count("\n") == 1 and "Traceback" not in said
        assert not (folder / "s").exists()

    def test_golden_rows_that_are_answered_otherwise(self, folder: Path) -> None:
        manifest = load_manifest(folder / "bundle")
        golden = msgspec.structs.replace(
            manifest.golden, scores=tuple((score[0], score[1] + 0.01) for score in manifest.golden.scores)
        )
        (folder / "bundle" / MANIFEST_NAME).write_bytes(dump_manifest(msgspec.structs.replace(manifest, golden=golden)))
        self.refuse(folder, "Golden row 0 is answered alone with")

    def test_a_model_file_with_another_hash(self, folder: Path) -> None:
        path = folder / "bundle" / "model.txt"
        path.write_bytes(path.read_bytes() + b"\n")
        self.refuse(folder, "model file 'model.txt' is damaged")

    def test_no_spec(self, tmp_path: Path) -> None:
        self.refuse(tmp_path, "no serve.json")

    def test_a_spec_with_an_unknown_key(self, folder: Path) -> None:
        spec = json.loads((folder / "serve.json").read_bytes())
        (folder / "serve.json").write_text(json.dumps({**spec, "port": 80}))
        self.refuse(folder, "serve.json cannot be used")

    def test_no_library(self, folder: Path) -> None:
        code, said = run_to_end(folder, MLOPS_LIGHTGBM_SO="/none.so")
        assert (code, said.count("\n")) == (1, 1) and "/none.so" in said

    def test_no_folder_named(self) -> None:
        done = subprocess.run([sys.executable, "-m", "engine.serving"], capture_output=True, check=False, text=True)
        assert (done.returncode, done.stderr) == (2, "Usage: python -m engine.serving FOLDER\n")

    def test_a_socket_left_behind_is_replaced(self, folder: Path) -> None:
        bind_socket(folder / "s").close()
        with Replica(folder) as replica:
            assert replica.predict(make_rows(1)).status_code == 200

    def test_a_second_server_on_the_same_socket_is_refused_and_the_first_goes_on(self, folder: Path) -> None:
        with Replica(folder) as first:
            code, said = run_to_end(folder)
            assert code == 1 and "already listens on s" in said
            assert first.predict(make_rows(1)).status_code == 200

    def test_the_socket_is_open_to_all_who_reach_its_folder(self, folder: Path) -> None:
        with Replica(folder):
            assert stat.S_IMODE((folder / "s").stat().st_mode) == 0o666

    def test_a_socket_that_cannot_be_bound_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(BadBundle, match="cannot be bound"):
            bind_socket(tmp_path / ("x" * 120))
        (tmp_path / "file").write_text("")
        with pytest.raises(BadBundle, match="cannot be bound"):
            bind_socket(tmp_path / "file")


@pytest.mark.parametrize("model_format", ["lightgbm", "linear"])
def test_nothing_heavy_is_imported_to_answer(
    model_format: str, short_folder: Path, replica_folder: Callable[..., Path]
) -> None:
    replica_folder(short_folder, model_format)
    program = """
import sys
from pathlib import Path
from engine.serving.server import make_app, read_spec
from engine.serving.model import load_bundle
folder = Path(sys.argv[1])
app = make_app(folder, read_spec(folder))
bundle = load_bundle(folder / "bundle")
names = [column.name for column in bundle.manifest.inputs]
bundle.model.score_rows([[row[name] for name in names] for row in bundle.manifest.golden.rows] * 200)
heavy = {"numpy", "pandas", "sklearn", "lightgbm", "scipy", "polars", "skops", "pydantic", "fastapi", "starlette"}
foreign = {name for name in sys.modules if name.startswith("engine.") and not name.startswith("engine.serving")}
print(sorted((heavy & set(sys.modules)) | foreign))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(short_folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_with_0_and_takes_its_socket_away(self, number: int, folder: Path) -> None:
        with Replica(folder) as replica:
            replica.predict(make_rows(1))
            assert replica.end(number) == 0
            assert replica.stderr.read() == ""
        assert not (folder / "s").exists()

    def test_a_request_half_sent_is_still_answered(self, folder: Path) -> None:
        body = json.dumps(make_rows(1)).encode()
        head = b"POST /predict/shop HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
        with Replica(folder) as replica, socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(folder / "s"))
            connection.sendall(head + body[:10])
            replica.client.get("/v2/health/ready")  # the server has read what was sent before
            replica.process.send_signal(signal.SIGTERM)
            while replica.listens():
                assert replica.process.poll() is None
            connection.sendall(body[10:])
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200") and b"connection: close" in answer
            assert replica.process.wait(30) == 0
        assert len((folder / "captures" / "00000001.jsonl").read_bytes().splitlines()) == 1

    def test_while_it_ends_a_request_is_answered_whole_or_not_at_all(self, folder: Path) -> None:
        """A connection that the kernel took and the server did not gets nothing, so the gateway asks elsewhere."""
        seen: list[bytes] = []
        body = json.dumps(make_rows(1)).encode()
        head = b"POST /predict/shop HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)

        def ask() -> None:
            with contextlib.suppress(ConnectionError, FileNotFoundError):
                while True:
                    seen.append(raw(folder, head + body))

        with Replica(folder) as replica:
            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            while len(seen) < 40:
                assert replica.process.poll() is None
            assert replica.end() == 0
            for thread in threads:
                thread.join()
        answers = [answer for answer in seen if answer]
        assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}
        assert all(json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"] for answer in answers)
        captured = (folder / "captures" / "00000001.jsonl").read_bytes().splitlines()
        assert len(captured) == len(answers)


class TestHostileBytes:
    def test_what_is_no_http_is_told_so(self, replica: Replica) -> None:
        answer = raw(replica.folder, b"\x16\x03\x01 hello\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400") and b'{"error":' in answer

    def test_headers_without_end_are_refused(self, replica: Replica) -> None:
        answer = raw(replica.folder, b"GET /v2 HTTP/1.1\r\n", *[b"x: " + b"y" * 8000 + b"\r\n"] * 1000)
        assert answer.startswith(b"HTTP/1.1 431") and b"larger than 64 kB" in answer

    def test_a_large_body_in_one_piece_is_no_large_head(self, replica: Replica) -> None:
        rows = json.dumps({"rows": make_rows(1) * 5000}).encode()
        assert len(rows) > 400_000
        assert replica.client.post("/predict/shop", content=rows).status_code == 200
        assert replica.client.post("/predict/shop", content=rows).status_code == 200

    def test_a_client_that_goes_in_mid_request_harms_nobody(self, replica: Replica) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(replica.folder / "s"))
            connection.sendall(b"POST /predict/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        assert replica.predict(make_rows(1)).status_code == 200

    def test_pipelined_requests_are_answered_in_order(self, replica: Replica) -> None:
        one = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"
        last = b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        answer = raw(replica.folder, one + one + last)
        assert [piece[:3] for piece in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404"]

    def test_an_upgrade_is_passed_over(self, replica: Replica) -> None:
        answer = raw(
            replica.folder,
            b"GET /v2 HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n",
        )
        assert answer.startswith(b"HTTP/1.1 200")

    def test_it_still_lives(self, replica: Replica) -> None:
        assert replica.predict(make_rows(1)).status_code == 200
        assert replica.process.poll() is None


def test_a_model_that_fails_on_a_row_is_a_500_with_a_sentence(
    short_folder: Path, replica_folder: Callable[..., Path]
) -> None:
    """A forest whose imputer meets a number beyond float32, which scikit-learn refuses."""
    with Replica(replica_folder(short_folder, "skops")) as replica:
        answer = replica.predict({**make_rows(1)[0], "amount": 1e300})
        assert answer.status_code == 500
        assert answer.json()["error"] == "The model failed on this request: ValueError."
        assert replica.predict(make_rows(1)).status_code == 200
        replica.end()
        assert "float32" in replica.stderr.read()


def test_metrics_are_prometheus_text(folder: Path) -> None:
    with Replica(folder) as replica:
        replica.predict(make_rows(5))
        replica.predict({**make_rows(1)[0], "country": "zz"})
        replica.predict({})
        replica.client.post("/v2/models/shop/infer", content=b"")
        answer = replica.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    where = {"endpoint": "shop", "version": "3", "deployment": "7", "replica": "0"}
    counted = {
        (sample.name, *(value for name, value in sample.labels.items() if name not in where)): sample.value
        for family in families.values()
        for sample in family.samples
        if sample.labels.items() >= where.items()
    }
    assert counted["mlops_requests_total", "predict", "200"] == 2
    assert counted["mlops_requests_total", "predict", "422"] == 1
    assert counted["mlops_requests_total", "v2", "400"] == 1
    assert counted["mlops_errors_total",] == 2
    assert counted["mlops_rows_total",] == 6
    assert counted["mlops_unseen_categories_total",] == 1
    assert counted["mlops_captured_requests_total",] == 2
    assert counted["mlops_dropped_captures_total",] == 0
    assert counted["mlops_latency_seconds_count",] == 4 == counted["mlops_latency_seconds_bucket", "+Inf"]


def test_the_programs_hash_is_a_function_of_its_files() -> None:
    assert program_sha256() == program_sha256()
    assert len(program_sha256()) == 64
    other = subprocess.run(
        [sys.executable, "-c", "from engine.serving.program import program_sha256 as p; print(p())"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert other.stdout.strip() == program_sha256()
