"""From a file of data to a container that answers, by the command line and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from fakes.containers import SOCKET, asked_of_docker, clear_docker
from fakes.shell import Shell, customers, write_rows
from fakes.traffic import Traffic


@pytest.fixture
def docked(shell: Shell) -> Iterator[Shell]:
    """A home that may use Docker; afterwards nothing of it is left there."""
    shell.home.config.write_text(f'[docker]\nsocket = "{SOCKET}"\nmemory_mb = 256\n')
    yield shell
    shell.try_("down", "--all")
    clear_docker(shell.home)


@pytest.mark.slow
@pytest.mark.docker
def test_a_version_is_trained_deployed_replaced_and_brought_back_in_containers(
    docked: Shell, churn: Callable[[int], None]
) -> None:
    churn(1500)
    docked("train", "churn")
    said = docked("deploy", "churn")
    assert "It runs as a container: Docker answers" in said.out
    endpoint = docked("endpoints", "--json").json["endpoints"][0]
    write_rows(docked.folder / "new.csv", customers(3, seed=9, first=90_000))
    assert [row["version"] for row in docked("predict", "churn", "new.csv", "--json").lines] == [1, 1, 1]
    row = b'{"rows": [{"age": 40, "plan": "basic", "support.calls": 3, "paperless": true}]}'
    port = int(endpoint["url"].rpartition(":")[2].partition("/")[0])
    with Traffic(port, row, "churn") as traffic:
        docked("train", "churn")
        docked("promote", "churn@2")
        container = replica(docked)["container"]
        asked_of_docker("POST", f"/containers/{container}/kill")
        while not ((now := replica(docked))["restarts"] == 1 and now["healthy"]):
            time.sleep(0.1)
    assert dict(traffic.seen) == {"200": traffic.requests}
    shown = docked("endpoints").out
    assert f"container {now['container']}" in shown
    assert "docker: Docker answers" in docked("doctor").out.replace("well    ", "")
    assert docked("logs", "churn").code == 0
    docked("down", "--all")
    assert asked_of_docker("GET", '/containers/json?all=1&filters={"label":["mlops.owner=' + mark(docked) + '"]}') == []


def test_a_version_that_must_have_docker_waits_and_says_why(shell: Shell, churn: Callable[[int], None]) -> None:
    churn(1500)
    file = shell.folder / "mlops.toml"
    text = file.read_text()
    assert 'runtime = "auto"' in text
    file.write_text(text.replace('runtime = "auto"', 'runtime = "docker"'))
    shell("add", ".")
    shell("train", "churn")
    shell("deploy", "churn", "--no-wait")
    while not (note := shell("endpoints", "--json").json["endpoints"][0]["deployments"][0]["note"]):
        time.sleep(0.1)
    assert note.startswith("Docker does not answer at /dev/null/docker.sock")


def replica(shell: Shell) -> dict[str, object]:
    """The champion's only one."""
    deployments = shell("endpoints", "--json").json["endpoints"][0]["deployments"]
    found: dict[str, object] = next(one for one in deployments if one["champion"])["replicas"][0]
    return found


def mark(shell: Shell) -> str:
    from engine.deployment.marked import home_mark

    return home_mark(shell.home)
