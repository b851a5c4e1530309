import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.fake_engine import FakeEngine
from typer.testing import CliRunner

import engine.client
from mlops_tui.cli import waiting
from mlops_tui.cli.app import app


@dataclass(frozen=True)
class Ran:
    """What one command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Mlops = Callable[..., Ran]


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def mlops(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Mlops:
    """Runs a verb against the fake engine."""
    monkeypatch.setattr(engine.client, "connect", lambda home: fake.client())
    monkeypatch.setattr(engine.client, "EngineClient", lambda home: fake.client())
    monkeypatch.setattr(waiting, "POLL_S", 0.0)

    def run(*words: str, stdin: str | bytes | None = None) -> Ran:
        result = CliRunner().invoke(app, list(words), input=stdin, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
