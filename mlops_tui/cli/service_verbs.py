"""`service install`, `status` and `remove`: the engine as a service of systemd."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Conflict, EngineRunning, InvalidInput, InvalidName
from mlops_tui.cli.console import Console
from mlops_tui.cli.options import AsJson

if TYPE_CHECKING:
    from engine.settings import Home
    from mlops_tui.cli.service_unit import ServiceUnit
    from mlops_tui.cli.systemd import Service

verbs = typer.Typer()
_service = typer.Typer(no_args_is_help=True, help="The engine as a service of systemd: install, status, remove.")
verbs.add_typer(_service, name="service", rich_help_panel="Engine")

SYSTEM_HOME = Path("/var/lib/mlops")
SYSTEM_USER = "mlops"

ForUser = Annotated[
    bool | None,
    typer.Option(
        "--user/--system",
        help="One of your own, or the machine's.",
        show_default="the machine's for root, else your own",
    ),
]
Named = Annotated[str, typer.Option("--name", help="Of the unit, where a machine has several homes.")]


@_service.command()
def install(
    user: ForUser = None,
    home: Annotated[
        Path | None,
        typer.Option(help="The home folder.", show_default="$MLOPS_HOME, else /var/lib/mlops for the machine's"),
    ] = None,
    run_as: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="USER", help="Whom the machine's runs as.", show_default="the home's owner, or mlops"
        ),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Whose members may ask the machine's engine.", show_default="the user's own")
    ] = None,
    writable: Annotated[
        list[Path] | None,
        typer.Option(help="A folder the machine's may write beside its home, for backups.", show_default=False),
    ] = None,
    name: Named = "mlops",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the unit.")] = False,
) -> None:
    """Have systemd run the engine, from now on and after each start of the machine."""
    from mlops_tui.cli.systemd import linger

    service = _chosen(user, name)
    at = _home(service, home)
    if not dry_run:
        service.need_rights()
        service.need_manager()
    unit = _unit(service, at, run_as, group, writable or [], dry_run=dry_run)
    console = Console()
    if dry_run:
        console.note(f"It would be written to {service.path}:")
        sys.stdout.write(unit.text())
        return
    service.check_ours(unit)
    _check_free(service, at)
    _prepare_home(at, unit)
    service.install(unit)
    console.say(f"✓ {service.unit} runs the engine of {at.root}, and starts with the machine.", "good")
    if service.scope == "user" and (why := linger(_own_name())):
        console.note(f"! {why}", "warn")
        console.next_command(f"sudo loginctl enable-linger {_own_name()}")
    console.next_command(f"mlops service status{_scope_word(service)}", f"mlops --home {at.root} status")


@_service.command()
def status(user: ForUser = None, name: Named = "mlops", as_json: AsJson = False) -> None:
    """Show what systemd knows of it. Exit code 1 where it does not run."""
    from mlops_tui.view.service import service_facts

    service = _chosen(user, name)
    service.need_manager()
    known = service.show()
    console = Console()
    if as_json:
        console.json({"unit": service.unit, "scope": service.scope, "path": str(service.path), "systemd": known})
    else:
        console.facts(service_facts(service.unit, str(service.path), known))
    if known.get("ActiveState") != "active":
        raise typer.Exit(1)


@_service.command()
def remove(user: ForUser = None, name: Named = "mlops") -> None:
    """End the engine and take the service away. Released models go on answering; the home stays."""
    service = _chosen(user, name)
    service.need_rights()
    service.need_manager()
    service.remove()
    console = Console()
    console.say(f"✓ {service.unit} is gone; released models go on answering, and the home stays.", "good")
    console.next_command("mlops up", "mlops down --all")


def _chosen(user: bool | None, name: str) -> Service:
    from mlops_tui.cli.names import is_name
    from mlops_tui.cli.systemd import Service

    if not is_name(name):
        raise InvalidName(f"{name[:60]!r} is no name for a service.", "Use lower-case letters, digits and hyphens.")
    own = os.geteuid() != 0 if user is None else user
    return Service(name, "user" if own else "system")


def _home(service: Service, given: Path | None) -> Home:
    from engine.settings import Home, find_home

    if given is not None:
        return Home(given.expanduser().absolute())
    if service.scope == "system" and not os.environ.get("MLOPS_HOME"):
        return Home(SYSTEM_HOME)
    return find_home()


def _unit(
    service: Service, home: Home, run_as: str | None, group: str | None, writable: list[Path], *, dry_run: bool
) -> ServiceUnit:
    from mlops_tui.cli.service_unit import ServiceUnit

    if service.scope == "user":
        if run_as or group or writable:
            raise InvalidInput("--as, --group and --writable are for the machine's service.", "Use --system.")
        return ServiceUnit(home.root, _command())
    name = run_as or _owner(home) or SYSTEM_USER
    if name == "root":
        raise InvalidInput(
            "The engine does not run as root: it runs the code of projects.", "Name another user with --as."
        )
    if not dry_run:
        _need_user(name, group)
    return ServiceUnit(home.root, _command(), name, group, [path.expanduser().absolute() for path in writable])


def _command() -> list[str]:
    """The program beside the interpreter that runs now, or that interpreter itself in a source tree."""
    beside = Path(sys.executable).absolute().with_name("mlops")
    return [str(beside)] if beside.is_file() else [sys.executable, "-P", "-m", "mlops_tui"]


def _owner(home: Home) -> str | None:
    """Of a home that is there and not root's."""
    import pwd

    try:
        uid = home.root.stat().st_uid
        return None if uid == 0 else pwd.getpwuid(uid).pw_name
    except (OSError, KeyError):
        return None


def _need_user(name: str, group: str | None) -> None:
    import grp
    import pwd

    try:
        pwd.getpwnam(name)
    except KeyError:
        raise InvalidInput(
            f"There is no user {name!r} on this machine, whom the engine could run as.",
            f"useradd --system --home-dir {SYSTEM_HOME} --shell /usr/sbin/nologin {name}, or name one with --as.",
        ) from None
    try:
        if group is not None:
            grp.getgrnam(group)
    except KeyError:
        raise InvalidInput(f"There is no group {group!r} on this machine.", f"groupadd {group}") from None


def _check_free(service: Service, home: Home) -> None:
    """An engine of the service itself may run: it is started anew."""
    from engine.client.launch import lock_is_free

    if not lock_is_free(home) and not service.is_active:
        raise EngineRunning(
            f"An engine runs for {home.root} already, which is not the service's.",
            "End it first with `mlops down`; released models go on answering.",
        )


def _prepare_home(home: Home, unit: ServiceUnit) -> None:
    """The machine's home belongs to the user the engine runs as; systemd cannot name a folder that is not there."""
    import shutil

    if unit.user is None:
        return
    if home.root.exists():
        if _owner(home) != unit.user:
            raise Conflict(f"{home.root} does not belong to {unit.user}.", f"chown -R {unit.user} {home.root}")
        return
    home.root.mkdir(mode=0o710, parents=True)
    shutil.chown(home.root, unit.user, unit.group or None)


def _own_name() -> str:
    import getpass

    return getpass.getuser()


def _scope_word(service: Service) -> str:
    default = "system" if os.geteuid() == 0 else "user"
    named = "" if service.name == "mlops" else f" --name {service.name}"
    return ("" if service.scope == default else f" --{service.scope}") + named
