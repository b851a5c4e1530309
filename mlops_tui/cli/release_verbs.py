"""`deploy`, `promote`, `rollback` and `endpoints`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_tui.cli.console import Console
from mlops_tui.cli.names import need_model, split_version
from mlops_tui.cli.options import AsJson, ModelName, ModelVersion, NoWait, Override, Reason
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    from engine.client import EngineClient
    from engine.wire.endpoints import DeploymentView

verbs = typer.Typer()
_PANEL = "Release"


@verbs.command(rich_help_panel=_PANEL)
def deploy(
    version: ModelVersion,
    share: Annotated[float, typer.Option(help="Part of the traffic, above 0 to 1.")] = 1.0,
    override: Override = None,
    reason: Reason = "",
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Put a version behind its endpoint: the newest approved one, or the one you name. Full weight is a promotion."""
    name, number = split_version(version)
    with open_engine() as engine:
        begun = engine.deploy(name, version=number, share=share, override=override, reason=reason)
        _finish(engine, begun, no_wait, as_json)


@verbs.command(rich_help_panel=_PANEL)
def promote(
    version: ModelVersion,
    override: Override = None,
    reason: Reason = "",
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Give a version all the traffic: it becomes the champion."""
    name, number = split_version(version)
    with open_engine() as engine:
        begun = engine.promote(name, version=number, override=override, reason=reason)
        _finish(engine, begun, no_wait, as_json)


@verbs.command(rich_help_panel=_PANEL)
def rollback(name: ModelName, reason: Reason = "", no_wait: NoWait = False, as_json: AsJson = False) -> None:
    """Go back to the champion before."""
    checked = need_model(name, "mlops rollback")
    with open_engine() as engine:
        _finish(engine, engine.rollback(checked, reason=reason), no_wait, as_json)


@verbs.command(rich_help_panel=_PANEL)
def endpoints(as_json: AsJson = False) -> None:
    """List the endpoints, what answers behind them, and how it fares."""
    from mlops_tui.view.endpoints import DEPLOYMENT_HEADS, REPLICA_HEADS, deployment_row, replica_rows
    from mlops_tui.view.times import utc_now

    with open_engine() as engine:
        found = engine.endpoints()
    console = Console()
    if as_json:
        console.json(found)
        return
    if not found.endpoints:
        console.say("Nothing is released yet.")
        console.next_command("mlops deploy NAME")
        return
    now = utc_now()
    for endpoint in found.endpoints:
        console.say(f"{endpoint.name}  {endpoint.url or 'has no address yet'}", "strong")
        if endpoint.acknowledged < endpoint.generation:
            console.say("  ! newer routes are not in force at the gateway yet", "warn")
        console.table(DEPLOYMENT_HEADS, [deployment_row(one, now) for one in endpoint.deployments])
        if servers := [row for one in endpoint.deployments for row in replica_rows(one)]:
            console.table(REPLICA_HEADS, servers)
        for one in endpoint.deployments:
            if one.runtime_reason:
                console.say(f"@{one.version} runs as {one.runtime_reason[:1].lower()}{one.runtime_reason[1:]}", "dim")


def _finish(engine: EngineClient, begun: DeploymentView, no_wait: bool, as_json: bool) -> None:
    from mlops_tui.cli.waiting import wait_for_deployment
    from mlops_tui.view.figures import share

    console = Console()
    ended = begun if no_wait else wait_for_deployment(engine, begun)
    if as_json:
        console.json(ended)
        return
    what = f"{ended.endpoint}@{ended.version}"
    if no_wait:
        console.say(f"{what} is {ended.status}.")
        console.next_command("mlops endpoints")
        return
    url = engine.endpoint(ended.endpoint).url
    full = " and is the champion" if ended.champion else ""
    console.say(f"● {what} is live with {share(ended.target_share)} of the traffic{full}.", "good")
    if ended.runtime_reason:
        console.say(f"  It runs as {ended.runtime_reason[:1].lower()}{ended.runtime_reason[1:]}", "dim")
    console.say(f"  {url or 'It has no address yet: see `mlops doctor`.'}")
    console.next_command(f"mlops predict {ended.endpoint} rows.json")
