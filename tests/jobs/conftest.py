from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.core import engine_core

from engine.lifecycle.parts import Parts


@pytest.fixture
def parts() -> Iterator[Parts]:
    with engine_core() as made:
        yield made
