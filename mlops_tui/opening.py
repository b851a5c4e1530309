"""From any screen to one thing: `:show fraud@3`, `:show run 12`, as `mlops show` has it."""

from __future__ import annotations

from textual.widget import AwaitMount

from engine.errors import EngineError, InvalidInput
from mlops_tui.screens.base import LoopScreen

_LONGEST_NUMBER = 15


class OpeningScreen(LoopScreen):
    """A screen from which others are opened on top."""

    def do_show(self, argument: str) -> AwaitMount | None:
        """Open a model, a version, a run, a job's log or a snapshot."""
        wanted = argument or self.subject("thing") or self.subject("version") or self.subject("model")
        if not wanted:
            self.say("Show what? :show fraud@3, run 12, job 12 or snapshot 2.", "warn")
            return None
        try:
            return self._open_thing(wanted)
        except EngineError as error:
            self.say(f"✗ {error.message} {error.hint}", "bad")
            return None

    def _open_thing(self, wanted: str) -> AwaitMount:
        kind, _, text = wanted.partition(" ")
        if text:
            openers = {"run": self.open_run, "job": self.open_log, "snapshot": self.open_snapshot}
            if kind not in openers:
                raise InvalidInput(f"{kind[:40]!r} is nothing that is numbered.", "run 12, job 12 or snapshot 2.")
            return openers[kind](numbered(text))
        name, number = version_named(wanted)
        return self.open_versions(name) if number is None else self.open_version(name, number)

    def open_run(self, run_id: int) -> AwaitMount:
        """Its leaderboard and curves."""
        from mlops_tui.screens.run import RunScreen

        self.say(f"$ mlops show run {run_id}")
        return self.app.push_screen(RunScreen(run_id, self._mode_id))

    def open_log(self, job_id: int) -> AwaitMount:
        """What a job prints."""
        from mlops_tui.screens.logs import LogScreen

        self.say(f"$ mlops logs {job_id} -f")
        return self.app.push_screen(LogScreen(job_id, self._mode_id))

    def open_versions(self, model: str) -> AwaitMount:
        """The versions of a model."""
        from mlops_tui.screens.versions import VersionsScreen

        self.say(f"$ mlops show {model}")
        return self.app.push_screen(VersionsScreen(model, self._mode_id))

    def open_version(self, model: str, number: int) -> AwaitMount:
        """One version: its verdict with the evidence, its lineage."""
        from mlops_tui.screens.version import VersionScreen

        self.say(f"$ mlops show {model}@{number}")
        return self.app.push_screen(VersionScreen(model, number, self._mode_id))

    def open_snapshot(self, snapshot_id: int) -> AwaitMount:
        """The schema of a snapshot, what changed, and what rows broke."""
        from mlops_tui.screens.snapshot import SnapshotScreen

        self.say(f"$ mlops show snapshot {snapshot_id}")
        return self.app.push_screen(SnapshotScreen(snapshot_id, self._mode_id))

    def open_watched(self, model: str, pane: str = "columns") -> AwaitMount:
        """A model in production."""
        from mlops_tui.screens.monitoring_model import WatchedScreen

        self.say(f"$ mlops drift {model}")
        return self.app.push_screen(WatchedScreen(model, self._mode_id, pane))

    def open_alarm(self, model: str, alarm_id: int | None = None) -> AwaitMount:
        """An alarm with what it is about and its next step; None: the one of a model that most asks for somebody."""
        from mlops_tui.screens.alarm import AlarmScreen

        self.say(f"$ mlops alarms {model}")
        return self.app.push_screen(AlarmScreen(model, alarm_id, self._mode_id))

    def open_chain(self, model: str, number: int | None) -> AwaitMount:
        """Why a version came to be; None: the champion, or where none serves the newest."""
        from mlops_tui.screens.chain import ChainScreen

        self.say(f"$ mlops why {model}{'' if number is None else f'@{number}'}")
        return self.app.push_screen(ChainScreen(model, number, self._mode_id))


def version_named(text: str) -> tuple[str, int | None]:
    """`fraud@3` as name and number; None where it has none. Raises `InvalidInput`."""
    name, at, number = text.partition("@")
    if at and not _is_number(number):
        raise InvalidInput(f"{text[:60]!r} names no version.", "Write fraud@3.")
    return name, int(number) if at else None


def numbered(text: str) -> int:
    """A number as it is typed. Raises `InvalidInput`."""
    if not _is_number(text):
        raise InvalidInput(f"{text[:40]!r} is no number.", "Write run 12, job 12 or snapshot 2.")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
