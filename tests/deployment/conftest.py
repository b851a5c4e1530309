from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.registry import World, open_world

from engine.settings import Home


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with open_world(home) as made:
        made.project()
        yield made
