"""Each hardening setting, proved from inside a container that was started as every model server is."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.containers import asked_of_docker, begun, containers, is_root, open_folder

from engine.deployment.serve_folder import replica_spec
from engine.settings import Home

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("hardening")]

PROBE = Path(__file__).parents[1] / "fakes" / "probe_program.py"
MEMORY_MB = 96
CANARY = "a-secret-of-the-host"


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What the probe found, and what Docker says of its container."""
    import shutil
    import tempfile

    home = Home(Path(tempfile.mkdtemp(prefix="m", dir="/tmp")))
    home.prepare()
    os.environ["MLOPS_CANARY"] = CANARY
    replica = replica_spec(home, 7, 0)
    open_folder(replica)
    try:
        with containers(home, PROBE, memory_mb=MEMORY_MB, cpus=0.5) as runtime:
            identity = begun(runtime, replica)
            found = replica.folder / "probe.json"
            while not found.exists():
                time.sleep(0.02)
            yield json.loads(found.read_text()), asked_of_docker("GET", f"/containers/{identity.container}/json")
    finally:
        del os.environ["MLOPS_CANARY"]
        shutil.rmtree(home.root, ignore_errors=True)


@pytest.fixture
def probe(container: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return container[0]


@pytest.fixture
def inspected(container: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return container[1]


def test_it_runs_as_nobody_and_has_no_capability(probe: dict[str, Any]) -> None:
    assert probe["uids"] == [65532] * 3
    assert probe["gids"] == [65532] * 3
    assert set(probe["groups"]) <= {65532}
    assert {int(held, 16) for held in probe["capabilities"].values()} == {0}


def test_it_can_gain_no_privilege(probe: dict[str, Any]) -> None:
    assert probe["no_new_privileges"] == "1"
    assert probe["seccomp"] == "2"
    assert probe["disks"] == []


def test_it_can_write_nothing_but_its_folder_and_tmp(probe: dict[str, Any]) -> None:
    assert "ro" in probe["root_options"]
    assert probe["write_root"] == probe["write_program"] == "EROFS"
    assert probe["write_replica"] == ""
    assert probe["writable_mounts"] == ["/replica", "/tmp"]


def test_nothing_in_tmp_can_be_run_and_tmp_is_bounded(probe: dict[str, Any]) -> None:
    assert {"noexec", "nosuid", "nodev"} <= set(probe["tmp_options"])
    assert probe["execute_in_tmp"] == "EACCES"
    assert probe["fill_tmp"] == "ENOSPC"


def test_it_has_no_network_and_no_docker(probe: dict[str, Any]) -> None:
    assert probe["interfaces"] == ["lo"]
    assert probe["connect"] == "ENETUNREACH"
    assert probe["docker_socket"] == []


def test_its_processes_are_bounded(probe: dict[str, Any]) -> None:
    assert probe["pids"] == "128"
    assert 0 < probe["children"] < 128


def test_its_memory_is_bounded_and_it_has_no_swap(probe: dict[str, Any]) -> None:
    assert int(probe["memory"]) == MEMORY_MB << 20
    # Version 1 counts both together, version 2 swap alone; a kernel without swap accounting tells nothing.
    assert probe["swap"] in (str(MEMORY_MB << 20), "0", "")


def test_its_cpu_is_bounded(probe: dict[str, Any]) -> None:
    assert probe["cpu"] == ["50000"]


def test_its_files_are_bounded_and_it_dumps_no_core(probe: dict[str, Any]) -> None:
    assert probe["files"] == [1024, 1024]
    assert probe["open_many"] == "EMFILE"
    assert probe["core"] == [0, 0]


def test_an_init_reaps_its_children(probe: dict[str, Any]) -> None:
    assert "init" in probe["init"]
    assert probe["pid"] != 1


def test_it_shares_no_namespace_with_the_host(probe: dict[str, Any]) -> None:
    ours = {kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in probe["namespaces"]}
    assert [kind for kind, name in probe["namespaces"].items() if ours[kind] == name] == []
    assert {"noexec", "nosuid", "nodev"} <= set(probe["shm"])


def test_nothing_of_the_host_s_environment_comes_in(probe: dict[str, Any]) -> None:
    assert CANARY not in json.dumps(probe["environment"])
    assert [name for name in probe["environment"] if "proxy" in name.lower()] == []


def test_docker_restarts_it_five_times_and_keeps_30_mb_of_its_log(inspected: dict[str, Any]) -> None:
    host = inspected["HostConfig"]
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 5}
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}
    assert (host["Privileged"], host["IpcMode"], host["NetworkMode"]) == (False, "private", "none")
    assert inspected["Config"]["Healthcheck"]["Test"][0] == "CMD"


@pytest.mark.skipif(not is_root(), reason="Docker's own folder is root's")
def test_a_flood_of_output_leaves_30_mb(home: Home) -> None:
    replica = replica_spec(home, 7, 0)
    open_folder(replica, "flood 100")
    with containers(home) as runtime:
        identity = begun(runtime, replica)
        while not (replica.folder / "flooded").exists():
            time.sleep(0.05)
        path = Path(asked_of_docker("GET", f"/containers/{identity.container}/json")["LogPath"])
        sizes = [file.stat().st_size for file in path.parent.glob(path.name + "*")]
    assert 10e6 < sum(sizes) <= 33e6
