"""As much of an engine as rolls out: `python rollout_program.py HOME VERSION [docker]`.

It ends once VERSION is live and alone.

The version is deployed unless it is already; run again after a kill, it goes on.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.containers import SETTINGS, SOCKET, ProgramImage
from fakes.registry import open_world

from engine.deployment.builtin_gateway import BuiltinGateway
from engine.deployment.container_runtime import ContainerRuntime
from engine.deployment.docker_runtime import DockerDaemon
from engine.deployment.process_runtime import ProcessRuntime
from engine.registry.tables import Deployment, Version
from engine.settings import Home

home, version = Home(Path(sys.argv[1])), int(sys.argv[2])
program = Path(__file__).with_name("serving_program.py")
runtime: Any
if "docker" in sys.argv:
    daemon = DockerDaemon(SOCKET)
    runtime = ContainerRuntime(home, SETTINGS, daemon, builder=ProgramImage(daemon, home))
    runtime.start_looking()
else:
    runtime = ProcessRuntime(home, (sys.executable, str(program)))
with open_world(home, runtime, BuiltinGateway(home), "docker" if "docker" in sys.argv else "process") as world:
    if world.writer.write_and_wait(lambda tx: tx.count(Version)) == 0:
        world.project()
    deployed = world.writer.write_and_wait(
        lambda tx: [
            row.id for row in tx.all(Deployment) if (tx.get(Version, row.version_id) or Version()).number == version
        ]
    )
    deployment = deployed[0] if deployed else world.deploy(version)
    world.reconciler.start()
    while set(world.statuses().values()) - {"stopped"} != {"live"} or world.statuses()[deployment] != "live":
        time.sleep(0.02)
    world.reconciler.stop()
