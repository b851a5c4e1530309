"""kill -9 of the engine at any moment of training and of a swap under traffic: nothing acknowledged is lost, nothing
is doubled, no request fails."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from fakes.engine_process import EngineProcess
from fakes.shell import Shell, customers, write_rows

from engine.client import EngineClient
from engine.wire.jobs import ENDED, JobView
from tools.steady_traffic import SteadyTraffic

pytestmark = pytest.mark.slow

ROUNDS = 20


def ended(engine: EngineProcess, job_id: int, *, within_s: float = 100.0) -> JobView:
    until = time.monotonic() + within_s
    with EngineClient(engine.home, patience_s=within_s) as client:
        while (job := client.job(job_id)).status not in ENDED:
            assert time.monotonic() < until, f"job {job_id} still {job.status}: {job.note}"
            time.sleep(0.05)
    return job


def live(engine: EngineProcess, deployment: int, *, within_s: float = 60.0) -> None:
    until = time.monotonic() + within_s
    with EngineClient(engine.home, patience_s=within_s) as client:
        while True:
            found = [one for one in client.endpoint("churn").deployments if one.id == deployment]
            if found and found[0].status == "live" and found[0].share == 1.0:
                return
            assert time.monotonic() < until, found
            time.sleep(0.05)


@pytest.mark.timeout(900)
def test_training_survives_kills_at_any_moment(home, shell: Shell, churn: Callable[[int], None]) -> None:
    churn(1500)
    shell("down")
    engine, chance = EngineProcess(home), random.Random(17)
    engine.start()
    jobs = []
    for number in range(ROUNDS):
        with engine.client() as client:
            jobs.append(client.train("churn", key=f"round-{number}").job.id)
        # The moment of death is the point: anywhere in the two seconds or so that a run takes.
        time.sleep(chance.uniform(0.0, 2.5))
        engine.kill()
        engine.start()
    for job_id in jobs:
        assert ended(engine, job_id).status == "succeeded"
    with engine.client() as client:
        versions = client.versions("churn").versions
        registered = [event.subject for event in client.events(verb="version.registered", limit=1000).events]
        checked = client.verify()
    engine.stop()
    assert sorted(version.number for version in versions) == list(range(1, ROUNDS + 1))
    assert len({version.lineage.run_id for version in versions}) == ROUNDS
    assert len(registered) == len(set(registered)) == ROUNDS
    assert (checked.broken_event, checked.damaged, checked.missing) == (None, [], [])


@pytest.mark.timeout(900)
def test_swaps_under_traffic_survive_kills_at_any_moment(home, shell: Shell, churn: Callable[[int], None]) -> None:
    churn(1500)
    shell("train", "churn")
    write_rows(shell.folder / "churn.csv", customers(2500))
    assert shell.try_("train", "churn").code in (
        0,
        3,
        4,
    )  # each home splits in its own way: one in some dozens is worse, or tells too little
    shell("deploy", "churn@1")
    url = shell("endpoints", "--json").json["endpoints"][0]["url"]
    shell("approve", "churn@2", "--override", "both are to be swapped")
    shell("down")
    engine, chance = EngineProcess(home), random.Random(23)
    engine.start()
    row = {"customer id": "X1", "age": 40, "plan": "plus", "support.calls": 3, "paperless": True}
    with SteadyTraffic(url, [row] * 100_000, clients=4, per_second=50) as traffic:
        for number in range(ROUNDS):
            with engine.client() as client:
                deployment = client.deploy("churn", version=2 - number % 2).id
            time.sleep(chance.uniform(0.0, 1.5))
            engine.kill()
            engine.start()
            live(engine, deployment)
        tally = traffic.tally
    with engine.client() as client:
        left = client.endpoint("churn").deployments
        checked = client.verify()
    engine.stop()
    assert tally.failures == []
    assert tally.answered > 50 * ROUNDS / 4
    assert [one.status for one in left if one.share] == ["live"]
    assert checked.broken_event is None
