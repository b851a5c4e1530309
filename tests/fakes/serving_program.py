"""A model server's stand-in as a process: `python serving_program.py FOLDER`, and it behaves as `behave` there says.

`answer` (or no such file), `die WORDS`, `never-ready`, `ignore-term`, `fork` (a child that outlives it), `spam`,
`flood MB` (of output), `eat MB` (of memory, once it is asked to predict), `eat-at-once MB`, `say WORDS`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

folder = Path(sys.argv[1])
behave = (folder / "behave").read_text() if (folder / "behave").exists() else "answer"
(folder / "environment").write_text("\n".join(f"{name}={value}" for name, value in os.environ.items()))


def eat(megabytes: int) -> None:
    held.extend(bytearray(b"x" * (1 << 20)) for _ in range(megabytes))


held: list[bytearray] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.client_address = ("gateway", 0)
        self.send_response(503 if behave == "never-ready" else 200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if behave.startswith("eat "):
            eat(int(behave.split()[1]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if behave.startswith("die"):
    sys.exit(behave.partition(" ")[2])
if behave.startswith("say "):
    print(behave.partition(" ")[2], flush=True)
if behave.startswith("eat-at-once "):
    eat(int(behave.split()[1]))
if behave.startswith("flood "):
    for _ in range(int(behave.split()[1])):
        sys.stdout.write(("x" * 999 + "\n") * 1000)
    sys.stdout.flush()
    (folder / "flooded").touch()
if behave == "fork":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
if behave == "spam":
    sys.stdout.write(("x" * 99 + "\n") * 60_000)
    sys.stdout.flush()

(folder / "s").unlink(missing_ok=True)
server = ThreadingUnixStreamServer(str(folder / "s"), Handler)
signal.signal(
    signal.SIGTERM,
    signal.SIG_IGN if behave == "ignore-term" else lambda *_: threading.Thread(target=server.shutdown).start(),
)
server.serve_forever(poll_interval=0.02)
