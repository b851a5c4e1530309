"""The end of model servers that a test started as local processes."""

from __future__ import annotations

from engine.deployment.process_runtime import ProcessRuntime


def end_processes(runtime: ProcessRuntime) -> None:
    """Kill what it runs, and wait for its children: one that is ending has lost its mark before its end."""
    for running in runtime.ours():
        runtime.stop(running.identity, force=True)
    for child in runtime._children.values():
        child.wait(timeout=30)
