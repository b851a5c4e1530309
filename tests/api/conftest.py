from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from fakes.api_in_process import ApiInProcess

from engine.settings import Home


@pytest_asyncio.fixture(loop_scope="function")
async def api(home: Home) -> AsyncIterator[ApiInProcess]:
    made = ApiInProcess(home)
    yield made
    made.close()
