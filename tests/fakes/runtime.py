"""A runtime in memory: model servers that are ready, hang or die as a test wants it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from engine.deployment.runtime import Identity, Readiness, ReplicaSpec, Running
from engine.errors import Unavailable

Key = tuple[int, int]


@dataclass
class FakeRuntime:
    """`never_ready`, `dies`: deployments whose model servers do so after every start."""

    running: dict[Key, Identity] = field(default_factory=dict)
    started: list[Key] = field(default_factory=list)
    never_ready: set[int] = field(default_factory=set)
    dies: dict[int, str] = field(default_factory=dict)
    silent: set[Key] = field(default_factory=set)
    stubborn: set[int] = field(default_factory=set)
    refuses: str = ""
    words: dict[Key, str] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)
    forced: list[Key] = field(default_factory=list)
    _pids: count[int] = field(default_factory=lambda: count(4_000_001))

    def readiness(self) -> Readiness:
        return Readiness(True, "It is always there.")

    def remove_unused(self, needed: set[str]) -> None:
        self.needed = needed

    def refresh_log(self, replica: ReplicaSpec) -> None:
        """It writes nothing."""

    def start(self, replica: ReplicaSpec) -> Identity:
        if self.refuses:
            raise Unavailable(self.refuses, "Wait.")
        key = (replica.deployment, replica.index)
        if key in self.running:
            return self.running[key]
        identity = Identity(next(self._pids), 1.0)
        self.started.append(key)
        self.words.pop(key, None)
        self.running[key] = identity
        if replica.deployment in self.dies:
            self.kill(key, self.dies[replica.deployment])
        return identity

    def kill(self, key: Key, words: str = "") -> None:
        del self.running[key]
        self.words[key] = words

    def runs(self, identity: Identity) -> bool:
        return identity in self.running.values()

    def is_ready(self, replica: ReplicaSpec) -> bool:
        key = (replica.deployment, replica.index)
        return key in self.running and replica.deployment not in self.never_ready and key not in self.silent

    def last_words(self, replica: ReplicaSpec) -> str:
        return self.words.get((replica.deployment, replica.index), "")

    def stop(self, identity: Identity, *, force: bool) -> None:
        for key, each in list(self.running.items()):
            if each == identity and (force or key[0] not in self.stubborn):
                if force:
                    self.forced.append(key)
                del self.running[key]

    def ours(self) -> list[Running]:
        return [Running(deployment, index, each) for (deployment, index), each in self.running.items()]

    def tidy(self, replica: ReplicaSpec) -> None:
        """Nothing grows here."""
