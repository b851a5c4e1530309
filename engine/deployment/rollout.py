"""What follows next for the deployments of all endpoints: decided from rows and observations, touching nothing.

    starting ──all replicas ready──▶ ready ──routes in force──▶ live ──replaced──▶ draining ──▶ stopped
        └──five quick deaths──▶ failed                            └──(stopped by hand, or failed beside another)

A deployment's `weight` is what the registry wants routed to it. It moves in the transaction that makes a deployment
`ready` (with the champion and the generation), and only once those routes are in force does the old one drain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.gateway.routes import FULL_WEIGHT, Backend, EndpointRoutes, Routes
from engine.registry.queries.rollouts import RolloutRow

QUICK_DEATHS = 5
"""Deaths soon after a start, after which a deployment has failed."""


@dataclass(frozen=True)
class StartReplica:
    """Start (again) one model server."""

    deployment: RolloutRow
    index: int


@dataclass(frozen=True)
class StopReplica:
    """End one model server."""

    deployment: RolloutRow
    index: int


@dataclass(frozen=True)
class Switch:
    """Give a deployment whose replicas are all ready its share of the traffic."""

    deployment: RolloutRow


@dataclass(frozen=True)
class Withdraw:
    """Take a deployment out of the traffic and let it drain."""

    deployment: RolloutRow


@dataclass(frozen=True)
class Fail:
    """Give a deployment up; the others keep the traffic."""

    deployment: RolloutRow


@dataclass(frozen=True)
class Drain:
    """Wait for the requests in flight to a deployment without a route, then end its replicas."""

    deployment: RolloutRow


@dataclass(frozen=True)
class Finish:
    """Nothing of a deployment runs any more: write that down."""

    deployment: RolloutRow


Action = StartReplica | StopReplica | Switch | Withdraw | Fail | Drain | Finish


def next_actions(
    deployments: Iterable[RolloutRow], alive: Mapping[tuple[int, int], bool], *, in_force: bool
) -> list[Action]:
    """What to do now, oldest deployment first. Doing nothing of it, or doing it twice, is safe.

    `alive` tells of (deployment, replica) whether its process is; `in_force` whether the gateway has taken the routes
    as the registry wants them now.
    """
    rows = list(deployments)
    actions: list[Action] = []
    for row in rows:
        actions += _for_one(row, rows, alive, in_force=in_force)
    return actions


def _for_one(
    row: RolloutRow, rows: list[RolloutRow], alive: Mapping[tuple[int, int], bool], *, in_force: bool
) -> Sequence[Action]:
    running = [replica.index for replica in row.started if alive.get((row.id, replica.index), False)]
    if row.status in ("stopped", "failed"):
        return [StopReplica(row, index) for index in running] or ([Finish(row)] if row.started else [])
    if row.status == "draining":
        if not in_force:
            return []
        return [Drain(row)] if running else [Finish(row)]
    alone = _answers_alone(row, rows)
    if (row.desired == "stopped" or _is_replaced(row, rows)) and not alone:
        return [Withdraw(row)]
    if row.failed_starts >= QUICK_DEATHS and not alone:
        return [Fail(row)]
    missing = [index for index in range(row.replicas) if index not in running]
    if missing:
        return [StartReplica(row, index) for index in missing]
    if row.status == "starting" and all(row.replica(index).healthy for index in range(row.replicas)):
        return [Switch(row)]
    return []


def _is_replaced(row: RolloutRow, rows: list[RolloutRow]) -> bool:
    """A deployment still starting when a later one has taken the whole endpoint comes too late."""
    return row.status == "starting" and any(
        other.endpoint == row.endpoint and other.id > row.id and other.promotes and other.weight for other in rows
    )


def _answers_alone(row: RolloutRow, rows: list[RolloutRow]) -> bool:
    """The only one that answers stays: it is started again for ever, and goes only when another has its share."""
    others = (other for other in rows if other.endpoint == row.endpoint and other.id != row.id)
    return row.weight > 0 and not any(other.weight for other in others)


def shares_with(newcomer: int, target: int, now: Mapping[int, int]) -> dict[int, int]:
    """Weights once `newcomer` has `target` parts of 10,000: the others shrink in proportion, and none that had a
    share loses all of it unless the newcomer takes everything. With no other it gets everything.

    >>> shares_with(3, 1_000, {1: 9_000, 2: 1_000})
    {1: 8100, 2: 900, 3: 1000}
    >>> shares_with(2, 10_000, {1: 10_000})
    {1: 0, 2: 10000}
    """
    others = {number: weight for number, weight in now.items() if number != newcomer and weight}
    if not others:
        target = FULL_WEIGHT
    shares = _scale(others, FULL_WEIGHT - target)
    return {number: shares.get(number, 0) for number in now if number != newcomer} | {newcomer: target}


def shares_without(leaver: int, now: Mapping[int, int]) -> dict[int, int]:
    """Weights once `leaver` has none: the others grow in proportion; with no other there is none at all.

    >>> shares_without(2, {1: 9_000, 2: 1_000})
    {1: 10000, 2: 0}
    """
    others = {number: weight for number, weight in now.items() if number != leaver and weight}
    shares = _scale(others, FULL_WEIGHT) if others else {}
    return {number: shares.get(number, 0) for number in now}


def _scale(weights: Mapping[int, int], total: int) -> dict[int, int]:
    """Whole parts in proportion, adding up to `total`; the largest remainders are rounded up."""
    whole = sum(weights.values())
    if not weights or total < len(weights):
        return dict.fromkeys(weights, 0) if not total or not weights else _first(weights, total)
    shares = {number: max(1, weight * total // whole) for number, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda number: weights[number] * total % whole, reverse=True)
    while (missing := total - sum(shares.values())) != 0:
        for number in by_remainder:
            step = 1 if missing > 0 else -1
            if shares[number] + step >= 1 and missing:
                shares[number] += step
                missing -= step
    return shares


def _first(weights: Mapping[int, int], total: int) -> dict[int, int]:
    """Fewer parts than deployments: the largest get one each."""
    largest = sorted(weights, key=lambda number: weights[number], reverse=True)[:total]
    return {number: int(number in largest) for number in weights}


def routes_of(rows: Iterable[RolloutRow], generation: int, socket_of: Callable[[int, int], str]) -> Routes:
    """The routes that the registry wants: every deployment with a share, by endpoint, oldest first."""
    endpoints: dict[str, list[Backend]] = {}
    for row in sorted(rows, key=lambda each: each.id):
        if row.weight:
            sockets = tuple(socket_of(row.id, index) for index in range(row.replicas))
            endpoints.setdefault(row.endpoint, []).append(Backend(row.id, row.version, row.weight, sockets))
    return Routes(generation, {name: EndpointRoutes(tuple(backends)) for name, backends in endpoints.items()})
