from pathlib import Path

import pytest
from fakes.fake_engine import FakeEngine
from fakes.terminal import Clock

from engine.settings import Home
from mlops_tui.app import MlopsApp


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def app(fake: FakeEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> MlopsApp:
    """The terminal, on an engine in memory, with nothing gathered before it is asked for."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    made_app = MlopsApp(Home(Path("/nowhere")), engine=fake.async_client(), clock=clock)
    made_app.pace_s = 0.001
    return made_app
