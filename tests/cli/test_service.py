"""The engine as a service: what the unit says, and what is asked of systemd."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidInput
from engine.lock import take_lock
from engine.settings import Home
from mlops_tui.cli import service_verbs, systemd
from mlops_tui.cli.service_unit import ServiceUnit

Mlops = Callable[..., Any]

SYSTEMCTL = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
  *is-system-running*) cat {state} ;;
  *is-active*) cat {active} ;;
  *show*) printf 'LoadState=loaded\\nActiveState=%s\\nUnitFileState=enabled\\nMainPID=7\\n' "$(cat {active})" ;;
  *restart*) if [ -e {refused} ]; then cat {refused} >&2; exit 1; fi ;;
esac
"""


class FakeSystemd:
    """`systemctl` and `loginctl` on the PATH, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.say("state", "running")
        self.say("active", "inactive")
        words = {name: shlex.quote(str(folder / name)) for name in ("log", "state", "active", "refused")}
        for name in ("systemctl", "loginctl"):
            program = folder / name
            program.write_text(SYSTEMCTL.format(**words))
            program.chmod(0o755)

    def say(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def asked(self) -> list[str]:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.replace("--no-pager ", "") for line in lines if "is-system-running" not in line]


@pytest.fixture
def fake_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystemd:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(systemd, "SYSTEM_FOLDER", tmp_path / "system")
    return FakeSystemd(folder)


@pytest.fixture
def unit_file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "systemd" / "user" / "mlops.service"


ODD = 'a home with 100% of "quotes", $dollars and back\\slashes'


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here that could read the unit")
@pytest.mark.parametrize("name", ["plain", ODD])
@pytest.mark.parametrize("user", ["daemon", None])
def test_systemd_reads_the_unit_without_a_complaint(tmp_path: Path, name: str, user: str | None) -> None:
    home = tmp_path / name
    home.mkdir()
    program = tmp_path / "100% my $own" / "mlops"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / "mlops.service"
    file.write_text(ServiceUnit(home, [str(program)], user, writable=[tmp_path]).text())
    scope = ["--user"] if user is None else []
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", "verify", *scope, "--man=no", str(file)], capture_output=True, text=True, env=environment
    )
    complaints = [line for line in done.stderr.splitlines() if "mlops" in line]
    assert (complaints, done.returncode) == ([], 0)


def test_a_unit_keeps_paths_whole_and_has_no_variables_put_in() -> None:
    text = ServiceUnit(Path("/srv/50% of $x"), ["/opt/my venv/bin/mlops"], "ada").text()
    assert 'ExecStart="/opt/my venv/bin/mlops" "--home" "/srv/50%% of $$x" "engine"' in text
    assert 'ReadWritePaths="/srv/50%% of $x"' in text


def test_a_program_that_systemd_would_not_run_is_told_before() -> None:
    with pytest.raises(InvalidInput, match="no program with such a name"):
        ServiceUnit(Path("/srv/h"), ['/opt/"x"/mlops'], "ada").text()


def test_a_path_that_would_end_the_line_is_refused() -> None:
    with pytest.raises(InvalidInput, match="control character"):
        ServiceUnit(Path("/srv/x\nExecStartPre=/bin/sh"), ["/bin/mlops"], "ada").text()


def test_what_the_engine_started_outlives_it() -> None:
    for user in ("ada", None):
        lines = ServiceUnit(Path("/srv/h"), ["/bin/mlops"], user).text().splitlines()
        assert {"KillMode=process", "OOMPolicy=continue", "Restart=on-failure", "NoNewPrivileges=yes"} <= set(lines)


def test_a_dry_run_prints_the_unit_and_does_nothing(mlops: Mlops, fake_systemd: FakeSystemd, unit_file: Path) -> None:
    ran = mlops("service", "install", "--user", "--home", "/srv/h", "--dry-run")
    assert ran.code == 0
    assert "[Service]" in ran.out
    assert '"--home" "/srv/h"' in ran.out
    assert str(unit_file) in ran.err
    assert (fake_systemd.asked, unit_file.exists()) == ([], False)


def test_a_service_of_ones_own_is_installed_and_outlives_the_login(
    mlops: Mlops, fake_systemd: FakeSystemd, unit_file: Path, home: Home
) -> None:
    ran = mlops("service", "install", "--user", "--home", str(home.root))
    assert ran.code == 0, ran.err
    assert "ProtectSystem" not in unit_file.read_text()
    assert fake_systemd.asked[:3] == [
        "--user daemon-reload",
        "--user enable mlops.service",
        "--user restart mlops.service",
    ]
    assert re.fullmatch(r"enable-linger \S+", fake_systemd.asked[3])
    assert unit_file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in unit_file.parent.iterdir()] == ["mlops.service"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs a service of the machine")
def test_a_service_of_the_machine_gets_a_home_of_its_user(
    mlops: Mlops, fake_systemd: FakeSystemd, tmp_path: Path
) -> None:
    home = tmp_path / "lib" / "mlops"
    ran = mlops("service", "install", "--system", "--home", str(home), "--as", "nobody", "--writable", "/srv/backups")
    assert ran.code == 0, ran.err
    text = (tmp_path / "system" / "mlops.service").read_text()
    assert "User=nobody\n" in text
    assert f'ReadWritePaths="{home}" "/srv/backups"' in text
    import pwd

    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (pwd.getpwnam("nobody").pw_uid, 0o710)
    assert fake_systemd.asked == ["daemon-reload", "enable mlops.service", "restart mlops.service"]
    again = mlops("service", "install", "--system", "--home", str(home))
    assert again.code == 0, "the home's owner is known by now"
    os.chown(home, 12345, -1)
    assert mlops("service", "install", "--system", "--home", str(home), "--as", "nobody").code == 1


def test_the_engine_never_runs_as_root(mlops: Mlops, fake_systemd: FakeSystemd) -> None:
    ran = mlops("service", "install", "--system", "--as", "root", "--dry-run")
    assert (ran.code, "does not run as root" in ran.err) == (2, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gets so far")
def test_a_user_who_is_not_there_is_told_with_the_command_that_makes_one(
    mlops: Mlops, fake_systemd: FakeSystemd
) -> None:
    ran = mlops("service", "install", "--system", "--home", "/srv/nowhere", "--as", "nobody-at-all")
    assert (ran.code, "useradd --system" in ran.err) == (2, True)


def test_a_service_of_the_machine_needs_root(
    mlops: Mlops, fake_systemd: FakeSystemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_verbs.os, "geteuid", lambda: 1000)
    for verb in ("install", "remove"):
        ran = mlops("service", verb, "--system")
        assert (ran.code, "needs root" in ran.err) == (1, True)
    assert fake_systemd.asked == []


@pytest.mark.parametrize("verb", ["install", "status", "remove"])
def test_without_systemd_there_is_one_clear_sentence(mlops: Mlops, fake_systemd: FakeSystemd, verb: str) -> None:
    fake_systemd.say("state", "offline")
    ran = mlops("service", verb, "--user")
    assert (ran.code, "does not run on this machine" in ran.err, "--dry-run" in ran.err) == (1, True, True)
    assert fake_systemd.asked == []


def test_without_its_commands_too(mlops: Mlops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    ran = mlops("service", "status", "--user")
    assert (ran.code, "no `systemctl`" in ran.err) == (1, True)


def test_a_unit_that_somebody_else_wrote_is_left_alone(
    mlops: Mlops, fake_systemd: FakeSystemd, unit_file: Path, home: Home
) -> None:
    unit_file.parent.mkdir(parents=True)
    unit_file.write_text("[Service]\nExecStart=/bin/true\n")
    for words in (("install", "--home", str(home.root)), ("remove",)):
        ran = mlops("service", *words, "--user")
        assert (ran.code, "not written by mlops" in ran.err) == (1, True)
    assert unit_file.read_text() == "[Service]\nExecStart=/bin/true\n"
    assert fake_systemd.asked == []


def test_another_homes_service_keeps_its_name(
    mlops: Mlops, fake_systemd: FakeSystemd, unit_file: Path, home: Home
) -> None:
    assert mlops("service", "install", "--user", "--home", str(home.root)).code == 0
    other = ("service", "install", "--user", "--home", "/srv/other")
    ran = mlops(*other)
    assert (ran.code, "serves another home" in ran.err) == (1, True)
    assert mlops(*other, "--name", "mlops-other").code == 0
    assert mlops(*other, "--name", "../mlops").code == 2


def test_an_engine_that_is_not_the_services_is_not_fought_with(
    mlops: Mlops, fake_systemd: FakeSystemd, unit_file: Path, home: Home
) -> None:
    lock = take_lock(home)
    ran = mlops("service", "install", "--user", "--home", str(home.root))
    assert (ran.code, "mlops down" in ran.err, unit_file.exists()) == (1, True, False)
    fake_systemd.say("active", "active")
    assert mlops("service", "install", "--user", "--home", str(home.root)).code == 0, "its own is started anew"
    os.close(lock)


def test_what_systemd_refuses_is_told_in_its_words(mlops: Mlops, fake_systemd: FakeSystemd, home: Home) -> None:
    fake_systemd.say("refused", "Job for mlops.service failed.\n")
    ran = mlops("service", "install", "--user", "--home", str(home.root))
    assert (ran.code, "Job for mlops.service failed." in ran.err, "journalctl" in ran.err) == (1, True, True)


def test_the_status_says_whether_it_runs(mlops: Mlops, fake_systemd: FakeSystemd) -> None:
    assert mlops("service", "status", "--user").code == 1
    fake_systemd.say("active", "active")
    ran = mlops("service", "status", "--user")
    assert (ran.code, "mlops.service is active" in ran.out) == (0, True)
    told = mlops("service", "status", "--user", "--json").json
    assert (told["unit"], told["scope"], told["systemd"]["MainPID"]) == ("mlops.service", "user", "7")


def test_removing_ends_it_and_takes_the_file_away(
    mlops: Mlops, fake_systemd: FakeSystemd, unit_file: Path, home: Home
) -> None:
    assert mlops("service", "remove", "--user").code == 1
    mlops("service", "install", "--user", "--home", str(home.root))
    ran = mlops("service", "remove", "--user")
    assert (ran.code, unit_file.exists()) == (0, False)
    assert fake_systemd.asked[-2:] == ["--user disable --now mlops.service", "--user daemon-reload"]
