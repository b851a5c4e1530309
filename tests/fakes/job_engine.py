"""An engine that has one job: it listens on a home's socket and remembers what the job's worker tells it."""

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

from fakes import wire_objects as made

from engine.errors import EngineError
from engine.settings import Home
from engine.wire.base import API_HEADER, API_VERSION
from engine.wire.work import WorkOrder

TOKEN = "a-job-token"


class JobEngine:
    """Listens from `start` to `stop`; may be started again."""

    def __init__(self, home: Home, order: WorkOrder) -> None:
        self.home = home
        self.order = order
        self.steps: dict[str, dict[str, Any]] = {}
        self.progress: list[dict[str, Any]] = []
        self.failure: dict[str, str] | None = None
        self.refusals: dict[str, EngineError] = {}
        """By the last word of the path (`work`, `progress`, `look`…): what is answered instead."""
        self._server: socketserver.ThreadingUnixStreamServer | None = None

    def start(self) -> None:
        self.home.engine_socket.unlink(missing_ok=True)
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = False

            def handle(self) -> None:
                self.client_address = ("worker", 0)
                super().handle()

            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def _answer(self, body: Any) -> None:
                try:
                    status, told = 200, engine.hear(self.path, self.headers["authorization"], body)
                except EngineError as error:
                    status, told = error.status, json.dumps(error.to_problem())
                self.send_response(status)
                self.send_header(API_HEADER, str(API_VERSION))
                self.send_header("content-length", str(len(told.encode())))
                self.end_headers()
                self.wfile.write(told.encode())

            def log_message(self, *_: Any) -> None:
                return

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(str(self.home.engine_socket), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self.home.engine_socket.unlink(missing_ok=True)

    def hear(self, path: str, authorization: str, body: Any) -> str:
        """The answer to a request."""
        assert authorization == f"Bearer {TOKEN}"
        word = path.rsplit("/", 1)[-1]
        if word in self.refusals:
            raise self.refusals[word]
        if word == "work":
            return self.order.model_dump_json()
        if word == "progress":
            self.progress.append(body)
            return "null"
        if word == "fail":
            self.failure = body["failure"]
            return made.job(id=self.order.job_id).model_dump_json()
        self.steps[word] = body["result"]
        return json.dumps({"finished": True, "job": json.loads(made.job(id=self.order.job_id).model_dump_json())})
