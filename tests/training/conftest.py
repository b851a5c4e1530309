import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_project_code_stays_imported() -> Iterator[None]:
    """A worker runs one project; these tests run many in one process."""
    path, flag = list(sys.path), sys.dont_write_bytecode
    yield
    sys.path[:] = path
    sys.dont_write_bytecode = flag
    sys.modules.pop("model", None)
