from __future__ import annotations

from functools import partial

import pytest
from fakes.registry import World

from engine.deployment import records
from engine.deployment.serve_folder import clear
from engine.errors import DiskFull
from engine.gateway.routes import Routes
from engine.registry.tables import Deployment, GatewayState
from engine.registry.tx import Tx
from engine.settings import Config, Gateway


def test_a_first_version_is_started_routed_and_made_champion(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    assert world.statuses() == {first: "live"}
    assert world.gateway.weights("fraud") == {first: 10_000}
    assert world.champion() == 1
    assert world.stored(first).live_at is not None
    assert world.stored(first).runtime == "process"
    assert world.row(first).replica(0).healthy
    released = ["gateway.started", "alias.moved", "deployment.switched", "deployment.released"]
    assert world.verbs() == ["project.added", *released]


def test_nothing_listens_before_a_version_is_ready(world: World) -> None:
    world.runtime.never_ready = {world.deploy(1)}
    world.settle()
    assert world.gateway.pid is None
    assert world.rows().gateway is None


def test_a_new_version_takes_over_only_when_all_its_replicas_are_ready(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2, replicas=3)
    world.runtime.silent = {(second, 2)}
    world.settle()
    assert world.statuses() == {first: "live", second: "starting"}
    assert world.gateway.weights("fraud") == {first: 10_000}
    assert world.champion() == 1
    world.runtime.silent = set()
    world.settle()
    assert world.statuses() == {first: "stopped", second: "live"}
    assert world.gateway.weights("fraud") == {second: 10_000}
    assert len(world.gateway.routes.endpoints["fraud"].backends[0].sockets) == 3
    assert world.champion() == 2
    assert {key[0] for key in world.runtime.running} == {second}


def test_the_old_version_ends_only_after_the_gateway_has_let_go_of_it(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.gateway.busy = {first}
    second = world.deploy(2)
    world.settle(passes=100)
    assert world.statuses() == {first: "draining", second: "live"}
    assert (first, 0) in world.runtime.running
    world.gateway.busy = set()
    world.settle()
    assert world.statuses() == {first: "stopped", second: "live"}


def test_requests_that_never_end_do_not_hold_the_old_version_for_ever(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.gateway.busy = {first}
    world.deploy(2)
    world.settle(passes=40, step_s=1.0)
    assert world.statuses()[first] == "stopped"


def test_the_old_version_runs_on_while_the_gateway_takes_no_routes(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.gateway.refuses = True
    second = world.deploy(2)
    world.settle()
    assert world.statuses() == {first: "draining", second: "ready"}
    assert (first, 0) in world.runtime.running
    assert world.rows().gateway.acknowledged == 1
    world.gateway.refuses = False
    world.settle()
    assert world.statuses() == {first: "stopped", second: "live"}
    assert world.rows().gateway.acknowledged == world.rows().gateway.generation == world.gateway.routes.generation


def test_a_share_is_taken_from_the_others_and_moves_no_champion(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2, weight=1_000)
    world.settle()
    assert world.statuses() == {first: "live", second: "live"}
    assert world.gateway.weights("fraud") == {first: 9_000, second: 1_000}
    assert world.champion() == 1


def test_giving_up_a_share_gives_it_back(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2, weight=1_000)
    world.settle()
    world.give_up(second)
    world.settle()
    assert world.statuses() == {first: "live", second: "stopped"}
    assert world.gateway.weights("fraud") == {first: 10_000}


def test_a_version_that_was_given_up_keeps_the_traffic_until_the_next_is_ready(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2)
    world.runtime.never_ready = {second}
    world.give_up(first)
    world.settle()
    assert world.gateway.weights("fraud") == {first: 10_000}
    world.runtime.never_ready = set()
    world.settle()
    assert world.statuses() == {first: "stopped", second: "live"}
    assert all(
        sum(each.weight for each in routes.endpoints["fraud"].backends) == 10_000 for routes in world.gateway.history
    )


def test_a_version_that_was_given_up_for_one_that_fails_is_wanted_again(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2)
    world.runtime.dies = {second: "no"}
    world.give_up(first)
    world.settle(passes=200, step_s=0.5)
    assert world.statuses() == {first: "live", second: "failed"}
    assert world.stored(first).desired == "running"
    assert world.gateway.weights("fraud") == {first: 10_000}


def test_a_version_that_keeps_dying_fails_with_its_last_words_and_the_old_one_stays(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2)
    world.runtime.dies = {second: "The golden rows are answered otherwise."}
    world.settle(passes=200, step_s=0.5)
    assert world.statuses() == {first: "live", second: "failed"}
    assert world.runtime.started.count((second, 0)) == 5
    note = world.stored(second).note
    assert note.startswith("It ended 5 times soon after its start.")
    assert note.endswith("The golden rows are answered otherwise.")
    assert world.gateway.weights("fraud") == {first: 10_000}
    assert world.champion() == 1
    assert world.verbs().count("deployment.failed") == 1


def test_a_version_that_never_gets_ready_fails_in_the_end(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2)
    world.runtime.never_ready = {second}
    world.settle(passes=400, step_s=1.0)
    assert world.statuses() == {first: "live", second: "failed"}
    assert "it was not ready after 60 s" in world.stored(second).note


def test_a_replica_that_dies_is_started_again_at_once(world: World) -> None:
    first = world.deploy(1, replicas=2)
    world.settle()
    world.clock.now += 100
    world.runtime.kill((first, 1), "Killed")
    world.reconciler.run_pass()
    world.settle(passes=3)
    assert (first, 1) in world.runtime.running
    assert world.statuses() == {first: "live"}
    assert (world.row(first).replica(1).restarts, world.row(first).failed_starts) == (1, 0)
    assert world.verbs().count("replica.ended") == 1


def test_a_replica_that_falls_silent_is_replaced(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.runtime.silent = {(first, 0)}
    world.settle(passes=4, step_s=5.0)
    assert world.runtime.forced == [(first, 0)]
    world.runtime.silent = set()
    world.settle()
    assert world.row(first).replica(0).healthy
    assert world.row(first).replica(0).restarts == 1


def test_the_only_version_that_answers_is_started_again_for_ever(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.runtime.dies = {first: "out of memory"}
    world.runtime.kill((first, 0), "out of memory")
    world.settle(passes=400, step_s=0.5)
    assert world.statuses() == {first: "live"}
    assert world.runtime.started.count((first, 0)) > 8
    assert "out of memory" in world.row(first).note
    world.runtime.dies = {}
    world.settle(passes=100, step_s=1.0)
    assert world.row(first).replica(0).healthy
    assert (world.row(first).failed_starts, world.row(first).note) == (0, "")


def test_a_share_that_keeps_dying_gives_its_traffic_back(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2, weight=1_000)
    world.settle()
    world.runtime.dies = {second: "out of memory"}
    world.runtime.kill((second, 0), "out of memory")
    world.settle(passes=200, step_s=0.5)
    assert world.statuses() == {first: "live", second: "failed"}
    assert world.gateway.weights("fraud") == {first: 10_000}


def test_a_later_promotion_overtakes_a_slow_one(world: World) -> None:
    first, second = world.deploy(1), world.deploy(2)
    world.runtime.never_ready = {first}
    world.settle()
    assert world.statuses() == {first: "stopped", second: "live"}
    assert world.champion() == 2
    assert set(world.runtime.running) == {(second, 0)}


def test_a_failed_version_leaves_the_list_with_the_next_promotion(world: World) -> None:
    first = world.deploy(1)
    world.runtime.dies = {first: "no"}
    world.settle(passes=200, step_s=0.5)
    second = world.deploy(2)
    world.settle()
    assert world.statuses() == {first: "failed", second: "live"}
    assert world.stored(first).desired == "stopped"


def test_endpoints_do_not_disturb_each_other(world: World) -> None:
    world.project("tumour")
    first, other = world.deploy(1), world.deploy(1, name="tumour")
    world.settle()
    second = world.deploy(2)
    world.runtime.dies = {second: "no"}
    world.settle(passes=200, step_s=0.5)
    assert world.gateway.weights("fraud") == {first: 10_000}
    assert world.gateway.weights("tumour") == {other: 10_000}
    assert (world.champion(), world.champion("tumour")) == (1, 1)


def test_a_damaged_blob_is_never_served(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    second = world.deploy(2)
    blob = world.blobs.path(world.row(second).bundle[0]["sha256"])
    blob.chmod(0o600)
    blob.write_bytes(b"other bytes")
    world.settle()
    assert world.statuses() == {first: "live", second: "failed"}
    assert "damaged" in world.stored(second).note
    assert (second, 0) not in world.runtime.started
    assert not world.home.serve(second).exists()


def test_a_served_copy_that_changed_is_laid_out_again(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    copy = world.home.serve(first) / "bundle" / "model.txt"
    copy.chmod(0o600)
    copy.write_bytes(b"tampered")
    world.runtime.kill((first, 0))
    world.settle()
    assert copy.read_bytes() == b"model of fraud"


def test_a_runtime_that_is_not_there_yet_is_said(world: World) -> None:
    first = world.deploy(1, runtime="docker")
    world.settle()
    assert world.statuses() == {first: "failed"}
    assert world.stored(first).note.startswith("The runtime docker is not there yet")


def test_a_full_disk_is_said_and_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise DiskFull("The disk is full: a file could not be laid out.", "Make room.")

    with monkeypatch.context() as patched:
        patched.setattr(world.blobs, "materialise", no_room)
        first = world.deploy(1)
        world.settle()
        assert world.statuses() == {first: "starting"}
        assert world.row(first).note == "The disk is full: a file could not be laid out."
    world.settle(passes=20, step_s=1.0)
    assert world.statuses() == {first: "live"}
    assert world.row(first).note == ""


@pytest.mark.parametrize("step", ["start", "runs", "stop", "tidy"])
def test_what_goes_wrong_with_one_deployment_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    broken = world.deploy(1)
    if step != "start":
        world.settle()
    world.project("churn", versions=1)
    if step == "stop":
        world.deploy(2)
    told = fail_for(world, monkeypatch, step, broken)
    other = world.deploy(1, name="churn")
    world.settle(step_s=0.4)
    assert world.statuses()[other] == "live"
    assert world.gateway.weights("churn") == {other: 10_000}
    assert 0 < len(told) < 5, "it is tried again, but not in every pass"
    if step in ("start", "runs"):
        assert "unforeseen ZeroDivisionError" in world.stored(broken).note
    monkeypatch.undo()
    world.settle(passes=60, step_s=1.0)
    assert world.statuses()[broken] == ("stopped" if step == "stop" else "live")
    assert world.stored(broken).note == ""
    assert len(world.runtime.started) == len(set(world.runtime.started)), "nothing was started twice"


def fail_for(world: World, monkeypatch: pytest.MonkeyPatch, step: str, broken: int) -> list[str]:
    """One method of the runtime is out of order for one deployment; what it was asked."""
    works = getattr(world.runtime, step)
    its = {each for (deployment, _), each in world.runtime.running.items() if deployment == broken}
    told: list[str] = []

    def fails(subject: object, **options: object) -> object:
        if subject in its or getattr(subject, "deployment", None) == broken:
            told.append(step)
            raise ZeroDivisionError("out of order")
        return works(subject, **options)

    monkeypatch.setattr(world.runtime, step, fails)
    return told


def test_the_gateway_is_started_again_with_its_port_and_routes(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    port = world.gateway.port
    world.gateway.die()
    world.settle()
    assert world.gateway.port == port
    assert world.gateway.weights("fraud") == {first: 10_000}
    assert world.rows().gateway.port == port


def test_a_port_taken_is_said_and_tried_again(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    port = world.gateway.port
    world.gateway.die()
    world.gateway.taken = {port}
    world.settle()
    assert world.rows().gateway.note == f"The gateway cannot listen on 127.0.0.1 port {port}."
    assert world.reconciler.gateway_note == world.rows().gateway.note
    second = world.deploy(2)
    world.settle()
    assert world.statuses() == {first: "live", second: "starting"}
    assert world.row(second).note.startswith("Ready; it waits for the gateway.")
    world.gateway.taken = set()
    world.settle(passes=40, step_s=1.0)
    assert world.gateway.port == port
    assert world.rows().gateway.note == world.reconciler.gateway_note == ""
    assert world.statuses() == {first: "stopped", second: "live"}


def test_a_set_port_that_is_taken_from_the_start_is_said(world: World) -> None:
    world.config = Config(gateway=Gateway(port=9_999))
    world.restart()
    world.gateway.taken = {9_999}
    first = world.deploy(1)
    world.settle()
    assert world.rows().gateway.note == "The gateway cannot listen on 127.0.0.1 port 9999."
    world.gateway.taken = set()
    world.settle(passes=20, step_s=1.0)
    assert world.statuses() == {first: "live"}
    assert (world.rows().gateway.port, world.rows().gateway.note) == (9_999, "")


def test_a_changed_port_moves_the_gateway(world: World) -> None:
    world.deploy(1)
    world.settle()
    world.config = Config(gateway=Gateway(port=9_998))
    world.restart()
    world.settle()
    assert world.gateway.port == world.rows().gateway.port == 9_998


def test_routes_of_a_restored_registry_count_as_newer(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.gateway.routes = Routes(57, {})
    world.restart()
    world.settle()
    assert world.gateway.weights("fraud") == {first: 10_000}
    assert world.rows().gateway.generation == world.gateway.routes.generation == 58


def test_a_gateway_that_lost_its_routes_is_told_again(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.gateway.die()
    world.gateway.routes = Routes()
    world.settle()
    assert world.gateway.weights("fraud") == {first: 10_000}


def test_model_servers_outlive_the_engine_and_are_adopted(world: World) -> None:
    first = world.deploy(1, replicas=2)
    world.settle()
    world.restart()
    world.settle()
    assert world.runtime.started == [(first, 0), (first, 1)]
    assert world.statuses() == {first: "live"}


def test_a_model_server_started_and_not_yet_recorded_is_adopted(world: World) -> None:
    first = world.deploy(1)
    from engine.deployment.serve_folder import replica_spec

    world.runtime.start(replica_spec(world.home, first, 0))
    world.settle()
    assert world.runtime.started == [(first, 0)]
    assert world.statuses() == {first: "live"}


def test_orphans_are_ended(world: World) -> None:
    from engine.deployment.serve_folder import replica_spec

    first = world.deploy(1)
    world.runtime.start(replica_spec(world.home, 99, 0))
    world.runtime.start(replica_spec(world.home, first, 5))
    world.settle()
    assert set(world.runtime.running) == {(first, 0)}


def test_a_model_server_that_will_not_end_is_ended(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.runtime.stubborn = {first}
    second = world.deploy(2)
    world.settle(passes=30, step_s=1.0)
    assert world.statuses() == {first: "stopped", second: "live"}
    assert world.runtime.forced == [(first, 0)]


def test_a_death_while_the_engine_was_away_speaks_against_nobody(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    for _ in range(6):
        world.runtime.kill((first, 0))
        world.restart()
        world.settle(passes=3)
    assert world.row(first).failed_starts == 0
    assert world.row(first).replica(0).healthy


def test_ending_everything_leaves_what_is_wanted(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    world.reconciler.stop(everything=True)
    assert world.gateway.pid is None
    assert not world.runtime.running
    assert world.row(first).desired == "running"
    world.reconciler = None
    world.restart()
    world.settle()
    assert world.statuses() == {first: "live"}
    assert world.row(first).replica(0).restarts == 0
    assert world.gateway.weights("fraud") == {first: 10_000}


def test_what_a_stopped_deployment_needs_no_more_is_cleared_and_captures_stay(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    captures = world.home.serve(first) / "r00" / "captures" / "00000000.jsonl"
    captures.write_text("{}\n")
    world.deploy(2)
    world.settle()
    left = sorted(str(path.relative_to(world.home.serve(first))) for path in world.home.serve(first).rglob("*"))
    # With the captures stays what tells a worker how to read them.
    assert left == [
        "bundle",
        "bundle/manifest.json",
        "r00",
        "r00/captures",
        "r00/captures/00000000.jsonl",
        "r00/serve.json",
    ]
    captures.unlink()
    clear(world.home, first)
    assert not world.home.serve(first).exists()


def test_half_a_copy_that_a_kill_left_goes_with_its_deployment(world: World) -> None:
    first = world.deploy(1)
    world.settle()
    (world.home.serve(first) / ".bundle.0a1b2c3d").mkdir()
    world.deploy(2)
    world.settle()
    assert not world.home.serve(first).exists()


class Killed(BaseException):
    """The engine is killed here."""


STEPS = ["record_started", "record_ready", "record_gateway", "switch", "record_in_force", "finish"]


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_an_engine_killed_at_any_step_goes_on_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, committed: bool
) -> None:
    first = world.deploy(1)
    if step == "finish":
        world.settle()
    second = world.deploy(2) if step == "finish" else first
    real = getattr(records, step)

    def kill(tx: Tx, *arguments: object, **named: object) -> None:
        raise LookupError("killed before the commit")

    def write(operation: partial[None], original: object = world.writer.write_and_wait) -> object:
        if getattr(operation, "func", None) is real or getattr(operation, "func", None) is kill:
            if committed:
                original(partial(real, *operation.args, **operation.keywords))  # type: ignore[operator]
            raise Killed
        return original(operation)  # type: ignore[operator]

    with monkeypatch.context() as patched:
        patched.setattr(world.writer, "write_and_wait", write)
        with pytest.raises(Killed):
            world.settle()
    world.restart()
    world.settle()
    assert world.statuses()[second] == "live"
    assert set(world.runtime.running) == {(second, 0)}
    assert world.gateway.weights("fraud") == {second: 10_000}
    assert world.runtime.started.count((second, 0)) == 1
    for verb in ("deployment.switched", "deployment.released"):
        assert world.verbs().count(verb) == len(world.statuses())


def test_an_event_tells_of_each_switch_what_moved(world: World) -> None:
    from engine.registry.queries.events import list_events

    first = world.deploy(1)
    world.settle()
    second = world.deploy(2, rollback=True)
    world.settle()
    switched = [
        each for each in list_events(world.reader, after=0, limit=500).events if each.verb == "deployment.switched"
    ]
    assert [each.subject for each in switched] == ["fraud@1", "fraud@2"]
    assert switched[1].evidence == {
        "deployment": second,
        "generation": 2,
        "weights": {str(second): 10_000},
        "replaced": [first],
        "rollback": True,
    }


def test_weights_in_the_registry_always_add_up(world: World) -> None:
    world.deploy(1)
    world.settle()
    for share in (3_333, 2_500, 1):
        world.deploy(2, weight=share)
        world.settle()
        weights = world.writer.write_and_wait(lambda tx: [row.weight for row in tx.all(Deployment)])
        assert sum(weights) == 10_000
    state = world.writer.write_and_wait(lambda tx: tx.get(GatewayState, 1))
    assert state is not None
    assert state.acknowledged == state.generation
