from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.api_in_process import ApiInProcess

from engine.api import doctor
from engine.api.context import GatewayHealth
from engine.settings import Home

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def test_a_healthy_home_has_no_complaint(api: ApiInProcess) -> None:
    findings = (await api.ask("GET", "/v1/doctor", role="viewer")).json()
    assert [finding["what"] for finding in findings] == [
        "home", "disk", "sqlite", "lightgbm", "gateway", "docker", "clock", "alarms",
    ]  # fmt: skip
    assert [finding for finding in findings if not finding["ok"]] == []


def test_a_folder_that_is_gone_is_named(home: Home) -> None:
    (home.root / "captures").rmdir()
    finding = doctor.check_folders(home)
    assert not finding.ok
    assert "no folder captures" in finding.detail


@pytest.mark.parametrize("name", ["", "run", "blobs", "gateway", "work", "logs"])
def test_a_folder_that_is_open_to_others_is_named(home: Home, name: str) -> None:
    (home.root / name).chmod(0o777)
    finding = doctor.check_folders(home)
    assert not finding.ok
    assert f"{name or 'the home folder'} is 777" in finding.detail


def test_a_disk_without_room_is_a_complaint(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM_BYTES", 1 << 62)
    finding = doctor.check_room(home.root)
    assert (finding.ok, finding.hint != "") == (False, True)


def test_an_old_sqlite_is_told_of_and_why_it_does_no_harm() -> None:
    assert "old flaw" in doctor.check_sqlite((3, 40, 1)).detail
    assert "old flaw" not in doctor.check_sqlite((3, 51, 3)).detail


def test_a_missing_library_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_has_libgomp", lambda: False)
    finding = doctor.check_lightgbm()
    assert not finding.ok
    assert "libgomp" in finding.hint


def test_looking_for_lightgbm_does_not_import_it() -> None:
    import subprocess
    import sys

    program = "import sys; from engine.api.doctor import check_lightgbm; check_lightgbm(); print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not {"lightgbm", "sklearn", "numpy", "scipy"} & set(listed.split())


@pytest.mark.parametrize(
    "health, ok, told",
    [
        (GatewayHealth(alive=True), True, "answers"),
        (GatewayHealth(alive=False), True, "Nothing has been released"),
        (GatewayHealth(alive=False, note="Port 8700 is taken."), False, "Port 8700 is taken."),
    ],
)
def test_a_gateway_that_should_be_there_is_missed(health: GatewayHealth, ok: bool, told: str) -> None:
    finding = doctor.check_gateway(health)
    assert finding.ok == ok
    assert told in finding.detail


def test_a_clock_behind_what_was_written_is_a_complaint() -> None:
    assert doctor.check_clock(NOW, NOW - timedelta(days=1)).ok
    assert not doctor.check_clock(NOW, NOW + timedelta(hours=1)).ok
    assert not doctor.check_clock(datetime(1970, 1, 1, tzinfo=UTC), NOW).ok
