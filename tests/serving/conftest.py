import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.bundles import make_replica
from fakes.replicas import Replica


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose sockets' paths fit into 100 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def replica_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a replica with a fitted bundle, copied from one that is fitted once per session."""
    made: dict[tuple[str, str], Path] = {}

    def copy(to: Path, model_format: str = "lightgbm", task: str = "binary") -> Path:
        if (model_format, task) not in made:
            made[model_format, task] = tmp_path_factory.mktemp("replica")
            make_replica(made[model_format, task], model_format, task)
        shutil.copytree(made[model_format, task], to, dirs_exist_ok=True)
        return to

    return copy


@pytest.fixture(scope="module")
def replica(replica_folder: Callable[..., Path]) -> Iterator[Replica]:
    """A running LightGBM replica with a binary task; for tests that only ask."""
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    with Replica(replica_folder(folder)) as running:
        yield running
    shutil.rmtree(folder)
