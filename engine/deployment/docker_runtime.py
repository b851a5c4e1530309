"""The door to Docker: the only file that knows docker-py, its calls and its errors.

Bodies go in and come out as Docker's API has them (docs.docker.com/reference/api/engine). Every call has a deadline,
for a daemon that hangs takes connections and answers nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from engine.errors import Conflict, DockerUnavailable, NotFound, Unavailable

if TYPE_CHECKING:
    from docker import APIClient

QUICK_S = 2.0
"""Looking: a daemon that has not answered after this hangs."""
SLOW_S = 30.0
"""Making, starting and removing containers."""
BUILD_S = 300.0
"""Between two lines of a build's progress."""

Json = dict[str, Any]


class DockerDaemon:
    """One daemon behind a Unix socket; for any thread. Connects when first asked, and again after it was away.

    Every call raises `DockerUnavailable` where the daemon does not answer, `NotFound` where what it is about is
    gone, `Conflict` where that is in use or a name taken, and `Unavailable` with the daemon's words for the rest.
    """

    def __init__(self, path: Path) -> None:
        self.socket = path
        self._lock = threading.Lock()
        self._clients: dict[float, APIClient] = {}
        self._version = ""

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def containers(self, label: str) -> list[Json]:
        """All containers with a label, ended ones too; briefly."""
        with self._asking(QUICK_S) as client:
            found: list[Json] = client.containers(all=True, filters={"label": [label]})
            return found

    def inspect(self, container: str, timeout_s: float = QUICK_S) -> Json:
        """Everything about one container, by id or name."""
        with self._asking(timeout_s) as client:
            found: Json = client.inspect_container(container)
            return found

    def create(self, name: str, body: Json) -> str:
        """A new container's id; nothing runs yet."""
        with self._asking(SLOW_S) as client:
            made: Json = client.create_container_from_config(body, name)  # type: ignore[no-untyped-call]
            return str(made["Id"])

    def start(self, container: str) -> None:
        """Run it."""
        with self._asking(SLOW_S) as client:
            client.start(container)

    def kill(self, container: str, signal: str) -> None:
        """Send a signal."""
        with self._asking(SLOW_S) as client:
            client.kill(container, signal)

    def wait(self, container: str) -> int:
        """The exit code, once it has ended."""
        with self._asking(SLOW_S) as client:
            return int(client.wait(container, timeout=int(SLOW_S))["StatusCode"])

    def remove(self, container: str) -> None:
        """End it where it runs, and forget it with its log."""
        try:
            with self._asking(SLOW_S) as client:
                client.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except Conflict as error:
            if "already in progress" not in error.message:
                raise

    def log(self, container: str, *, since_s: int, lines: int) -> bytes:
        """The last lines it wrote from a second on, each with its time in front."""
        with self._asking(QUICK_S) as client:
            said: bytes = client.logs(container, timestamps=True, since=since_s or None, tail=lines)
            return said

    def stats(self, container: str) -> Json:
        """Memory and CPU at this moment."""
        with self._asking(QUICK_S) as client:
            seen: Json = client.stats(container, stream=False, one_shot=True)
            return seen

    def image(self, name: str) -> Json:
        """Everything about an image."""
        with self._asking(QUICK_S) as client:
            found: Json = client.inspect_image(name)  # type: ignore[no-untyped-call]
            return found

    def images(self, label: str) -> list[Json]:
        """All images with a label."""
        with self._asking(QUICK_S) as client:
            found: list[Json] = client.images(filters={"label": [label]})
            return found

    def remove_image(self, name: str) -> None:
        """Forget an image that nothing uses."""
        with self._asking(SLOW_S) as client:
            client.remove_image(name)

    def build(self, context: IO[bytes], tag: str, labels: dict[str, str]) -> None:
        """An image from a context with a Dockerfile in it. No network, no proxy settings, nothing pulled.

        Raises:
            Unavailable: the daemon's reason, besides what every call raises.
        """
        with self._asking(BUILD_S) as client:
            said = client.build(
                fileobj=context, custom_context=True, tag=tag, labels=labels, decode=True, rm=True, forcerm=True,
                network_mode="none", use_config_proxy=False,
            )  # fmt: skip
            for line in said:
                if "error" in line:
                    raise Unavailable(f"Docker could not build {tag}: {str(line['error']).strip()}")

    @contextlib.contextmanager
    def _asking(self, timeout_s: float) -> Iterator[APIClient]:
        from docker import errors
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            self._knock()
            yield self._client(timeout_s)
        except errors.NotFound as error:
            raise NotFound(_words(error)) from error
        except errors.APIError as error:
            kind = Conflict if error.status_code == 409 else Unavailable
            raise kind(f"Docker refused: {_words(error)}") from error
        except (errors.DockerException, RequestException, HTTPError, OSError) as error:
            raise self._unreachable(error) from error

    def _knock(self) -> None:
        """docker-py leaves the socket of a refused connection to the garbage collector."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(QUICK_S)
            door.connect(str(self.socket))

    def _client(self, timeout_s: float) -> APIClient:
        from docker import APIClient

        with self._lock:
            if not self._version:
                # Asked for once, and quickly: nobody else comes past this lock meanwhile.
                asking = APIClient(f"unix://{self.socket}", version="auto", timeout=QUICK_S)  # type: ignore[arg-type]
                self._version = asking.api_version
                asking.close()
            client = self._clients.get(timeout_s)
            if client is None:
                client = APIClient(
                    f"unix://{self.socket}",
                    version=self._version,
                    timeout=timeout_s,  # type: ignore[arg-type]
                )
                self._clients[timeout_s] = client
            return client

    def _unreachable(self, error: Exception) -> DockerUnavailable:
        text = str(error)
        if "Permission denied" in text:
            return DockerUnavailable(
                f"Docker's socket {self.socket} may not be used by this user.",
                "Let the engine's user into its group (usually `docker`), which equals root; or use processes.",
            )
        if not self.socket.exists():
            why = "its socket is not there"
        elif "timed out" in text.lower():
            why = "it takes connections and says nothing"
        else:
            why = "nobody listens at its socket"
        return DockerUnavailable(f"Docker does not answer at {self.socket}: {why}.", "Start Docker.")


def _words(error: Any) -> str:
    return str(error.explanation or error).strip()
