"""The home folder: where everything of one engine lies, and its `config.toml`."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import Forbidden, InvalidConfig, InvalidInput

SOCKET_PATH_LIMIT_BYTES = 100
"""Linux takes 107 bytes in a Unix socket's address; the rest is our margin."""

LONGEST_SOCKET_SUFFIX = "/serve/d-00000000/r00/s"
"""The longest path below the home folder at which a socket is bound."""

_FOLDERS = {"run": 0o750} | dict.fromkeys(("blobs", "captures", "gateway", "images", "logs", "serve", "work"), 0o700)


@dataclass(frozen=True)
class Home:
    """Paths of one home folder. Making one touches nothing; `prepare` makes the folders."""

    root: Path

    @property
    def run(self) -> Path:
        """Sockets of the engine and the gateway, and nothing else (0750)."""
        return self.root / "run"

    @property
    def engine_socket(self) -> Path:
        """Where the engine's API listens."""
        return self.run / "engine.sock"

    @property
    def gateway_socket(self) -> Path:
        """Where the gateway takes its routes from the engine."""
        return self.run / "gateway.sock"

    @property
    def lock(self) -> Path:
        """Held by the one engine of this home for as long as it lives."""
        return self.root / "engine.lock"

    @property
    def stopped_mark(self) -> Path:
        """Present while the engine is down because somebody said `mlops down`."""
        return self.root / "engine.down"

    @property
    def restoring_mark(self) -> Path:
        """Present while a backup is being restored here: what lies here then is not whole."""
        return self.root / "restoring"

    @property
    def database(self) -> Path:
        """The registry."""
        return self.root / "registry.db"

    @property
    def config(self) -> Path:
        """The engine's own settings, by its owner."""
        return self.root / "config.toml"

    @property
    def blobs(self) -> Path:
        """Content-addressed files, `ab/cdef…`."""
        return self.root / "blobs"

    @property
    def captures(self) -> Path:
        """Compacted captures, a folder an endpoint."""
        return self.root / "captures"

    @property
    def gateway(self) -> Path:
        """The gateway's routes, which it starts from when no engine is there."""
        return self.root / "gateway"

    @property
    def images(self) -> Path:
        """What goes into every container image: packages, as they were copied and compiled once."""
        return self.root / "images"

    @property
    def logs(self) -> Path:
        """Logs of the engine, the gateway, workers (`jobs/`) and model servers (`serve/`)."""
        return self.root / "logs"

    def work(self, job_id: int, attempt: int) -> Path:
        """The folder one attempt of one job may write."""
        return self.root / "work" / str(job_id) / str(attempt)

    def job_log(self, job_id: int, attempt: int) -> Path:
        """What one attempt of one job printed."""
        return self.logs / "jobs" / f"{job_id}-{attempt}.log"

    def serve(self, deployment_id: int) -> Path:
        """The folder of one deployment: its bundle, and a folder a replica with socket and captures."""
        return self.root / "serve" / f"d-{deployment_id}"

    def prepare(self) -> None:
        """Make the folders with the modes of the design; refuse another user's home.

        Raises:
            Forbidden: the folder belongs to another user.
            InvalidInput: its path is too long for a Unix socket, or cannot be made.
        """
        longest = len(os.fsencode(str(self.root))) + len(LONGEST_SOCKET_SUFFIX)
        if longest > SOCKET_PATH_LIMIT_BYTES:
            raise InvalidInput(
                f"The home folder's path is {longest - SOCKET_PATH_LIMIT_BYTES} bytes too long for a Unix socket: "
                f"{self.root}",
                "Set MLOPS_HOME to a shorter path.",
            )
        try:
            self.root.mkdir(mode=0o710, parents=True, exist_ok=True)
            self.check_owner()
            self.root.chmod(0o710)
            for name, mode in _FOLDERS.items():
                folder = self.root / name
                folder.mkdir(mode=mode, exist_ok=True)
                folder.chmod(mode)
            for folder in (self.logs / "jobs", self.logs / "serve"):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"The home folder {self.root} cannot be used: {error.strerror}.", "Set MLOPS_HOME to another folder."
            ) from error

    def check_owner(self) -> None:
        """Raise `Forbidden` where the home exists and belongs to another user."""
        try:
            owner = self.root.stat().st_uid
        except FileNotFoundError:
            return
        if owner != os.getuid():
            raise Forbidden(
                f"The home folder {self.root} belongs to another user (uid {owner}).",
                "Set MLOPS_HOME to a folder of your own, or run the engine as that user.",
            )


def find_home() -> Home:
    """`$MLOPS_HOME`, else the platform's user data folder."""
    named = os.environ.get("MLOPS_HOME")
    root = Path(named) if named else Path(platformdirs.user_data_dir("mlops", appauthor=False))
    return Home(root.expanduser().absolute())


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Roles(_Section):
    """Who may do what: Unix users, or groups written `@group`. The engine's own user is always admin."""

    viewer: tuple[str, ...] = ()
    operator: tuple[str, ...] = ()
    approver: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()


class Jobs(_Section):
    """How jobs run."""

    slots: int = Field(default=2, ge=1, le=64)
    """Workers at once."""
    progress_limit_s: float = Field(default=900.0, gt=0)
    """A worker that says nothing for this long is ended."""


class Gateway(_Section):
    """The one address of all endpoints."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65535)
    """None: chosen once, then kept in the registry."""
    sticky_header: str = "x-mlops-key"
    """Requests with the same value of this header go to the same version."""


class Capture(_Section):
    """Logged predictions."""

    limit_mb: int = Field(default=512, ge=8)
    """Not yet compacted captures of one replica; past it an answer is not captured but counted as dropped."""


class Docker(_Section):
    """Containers for model servers."""

    enabled: bool = True
    """False: `auto` never means Docker, and nothing is asked of it."""
    socket: str | None = None
    """None: that of `DOCKER_HOST`, else `/var/run/docker.sock`."""
    base_image: str = Field(
        default="mlops-base:bookworm", max_length=200, pattern=r"^[a-z0-9][A-Za-z0-9._/-]*(:[0-9]+/[A-Za-z0-9._/-]+)?"
        r"(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$"
    )  # fmt: skip
    """Holds Python of the engine's own minor version. `tools/make_base_image.sh` makes the default one."""
    memory_mb: int = Field(default=512, ge=64)
    """Of one model server; past it the kernel ends it."""
    cpus: float = Field(default=1.0, ge=0.01)
    """Cores of one model server."""


class Retention(_Section):
    """How long, and how much of, what grows by itself is kept; the oldest goes first."""

    captures_days: int = Field(default=90, ge=1)
    """Compacted captures: predictions with their inputs, which labels and retraining need."""
    captures_mb: int = Field(default=10_240, ge=1)
    """Of all endpoints together."""
    checks_days: int = Field(default=365, ge=1)
    """Figures of checks by column. That a check was made, and what it said, stays."""
    checks_mb: int = Field(default=2_048, ge=1)
    """Distributions of all checks together."""
    logs_days: int = Field(default=30, ge=1)
    """Logs of jobs and model servers that are over."""
    logs_mb: int = Field(default=512, ge=1)
    """Of all job logs, and as much of all logs of model servers."""


class Config(_Section):
    """`config.toml`, whole. Every key has a default."""

    roles: Roles = Roles()
    jobs: Jobs = Jobs()
    gateway: Gateway = Gateway()
    capture: Capture = Capture()
    retention: Retention = Retention()
    docker: Docker = Docker()


def load_config(home: Home) -> Config:
    """Read `config.toml`; a missing file means the defaults.

    Raises:
        InvalidConfig: not TOML, an unknown key (with the nearest known one), or a value out of range.
    """
    try:
        text = home.config.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    try:
        return Config.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"{home.config} is not TOML: {error}.", "Mend the line it names.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise InvalidConfig(f"{home.config}: unknown key `{where}`.", _nearest_key(first["loc"])) from error
        told = first["msg"].removeprefix("Value error, ")
        raise InvalidConfig(f"{home.config}: `{where}`: {told}.", "Mend that key.") from error


def _nearest_key(location: tuple[int | str, ...]) -> str:
    known: dict[str, Any] = {name: field.annotation for name, field in Config.model_fields.items()}
    names = list(known)
    if len(location) > 1 and location[0] in known:
        names = list(known[str(location[0])].model_fields)
    near = difflib.get_close_matches(str(location[min(1, len(location) - 1)]), names, n=1)
    return f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(names)}."
