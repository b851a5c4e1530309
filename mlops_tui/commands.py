"""The one table of commands: it feeds the keys, the `:` bar and its completion, the footer, the help and the palette.

A screen or the app answers a command `x` with its method `do_x(argument)`; see `dispatch.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Argument = Literal["", "model", "version", "job", "alarm", "thing", "theme", "file", "on"]
"""`thing` is whatever `mlops show` takes: a model, a version, `run 12`, `job 12`, `snapshot 2`."""
Role = Literal["viewer", "operator", "approver", "admin"]
Where = Literal[
    "everywhere", "fleet", "runs", "run", "models", "versions", "version", "deployments", "endpoint", "data",
    "snapshot", "jobs", "audit", "event", "errors", "lines", "root",
    "monitoring", "watched", "check", "alarm", "why",
    "pick", "target", "preview", "draft", "schedule", "log",
]  # fmt: skip


@dataclass(frozen=True)
class Command:
    """Something a person can ask for."""

    id: str
    title: str
    help: str
    key: str = ""
    """In Textual's names; several by commas. Empty: only by `:` and the palette."""
    where: tuple[Where, ...] = ("everywhere",)
    """Screens whose keys and footer have it. The `:` bar and the palette have all but those of `lines`."""
    takes: Argument = ""
    """What may follow it on the `:` bar; left out, it is about the row under the cursor."""
    cli: str = ""
    """The same on the command line; `{}` stands for the argument."""
    footer: bool = False
    shown_key: str = ""
    short: str = ""
    """Of a screen: its name where there is little room."""

    @property
    def keys_shown(self) -> str:
        """The key as a person reads it."""
        return self.shown_key or self.key.split(",")[0]

    def line(self, argument: str) -> str:
        """Its command line."""
        return self.cli.replace("{}", argument).strip()


_ROWS: tuple[Where, ...] = (
    *("fleet", "runs", "run", "models", "versions"),
    *("deployments", "endpoint", "data", "snapshot", "jobs", "audit"),
    *("monitoring", "watched", "check", "alarm"),
    *("pick", "target", "schedule"),
)
"""Screens with rows that open."""
_RELEASES: tuple[Where, ...] = (
    *("fleet", "run", "models", "versions", "version"),
    *("deployments", "endpoint", "alarm", "monitoring"),
)
"""Screens that are about a version."""
_TRAINS: tuple[Where, ...] = ("fleet", "runs", "models", "versions")
_EMPTY_AT_FIRST: tuple[Where, ...] = ("fleet", "runs", "models", "monitoring", "data")
_JOBS: tuple[Where, ...] = (
    *("fleet", "runs", "run", "deployments", "endpoint", "jobs", "alarm", "watched", "schedule"),
    *("check", "monitoring"),
)
_WATCHES: tuple[Where, ...] = ("monitoring", "watched", "check", "alarm")
"""Screens that are about a model in production."""

COMMANDS: tuple[Command, ...] = (
    Command("fleet", "Fleet", "Every model and its loop.", "1", cli="mlops models"),
    Command("runs", "Runs", "Leaderboard, curves, compare.", "2", takes="model", cli="mlops runs {}"),
    Command("models", "Models", "Versions, lineage, verdicts.", "3", takes="model", cli="mlops models"),
    Command(
        "deployments",
        "Deployments",
        "Endpoints and rollouts.",
        "4",
        takes="model",
        cli="mlops endpoints",
        short="Deploy",
    ),
    Command(
        "monitoring", "Monitoring", "Checks, drift, alarms.", "5", takes="model", cli="mlops drift {}", short="Monitor"
    ),
    Command("data", "Data", "Snapshots and schemas.", "6", takes="model"),
    Command("jobs", "Jobs", "Queue, progress, logs.", "7", takes="model", cli="mlops jobs"),
    Command("audit", "Audit", "Who did what, when.", "8", takes="model", cli="mlops audit {}"),
    Command("open", "Open", "Open the row under the cursor.", "enter", _ROWS, footer=True),
    Command("proceed", "Next", "To the file that would be written.", "enter", ("preview",), footer=True),
    Command("write", "Write", "Write the file and add the project.", "enter", ("draft",), footer=True),
    Command("above", "Above", "The folder around this one.", "h,left,backspace", ("pick",), footer=True),
    Command("hidden", "Hidden", "Show hidden files, or not.", "full_stop", ("pick",), shown_key="."),
    Command("use_column", "Use", "The column is a feature, or none.", "space", ("preview",), footer=True),
    Command("id_column", "Id", "It tells one row from the others.", "i", ("preview",), footer=True),
    Command("time_column", "Time", "It tells when a row happened.", "t", ("preview",), footer=True),
    Command("task", "Task", "Another task that the target can have.", "T", ("preview",), footer=True),
    Command("positive", "Positive", "The other value of the target.", "p", ("preview",), footer=True),
    Command("name", "Name", "Another name for the project.", "N", ("preview",), footer=True),
    Command("folder", "Folder", "Another place for its mlops.toml.", "F", ("preview",), footer=True),
    Command("describe", "Describe", "All that is known of the row.", "d", (*_ROWS, "preview"), footer=True),
    Command("logs", "Logs", "Follow what its job or server prints.", "l", _JOBS, "job", "mlops logs {} -f", True),
    Command("metric", "Metric", "The curves of the next metric.", "m", ("run",), footer=True),
    Command("alarm", "Alarm", "What it rings about.", "a", ("fleet", "monitoring"), "model", "mlops alarms {}", True),
    Command(
        "acknowledge", "Seen", "You look after it.", "a", ("watched", "alarm"), "alarm", "mlops acknowledge {}", True
    ),
    Command(
        "next_pane", "Next", "Columns, checks, alarms, performance, retrains.", "tab,right", ("watched",), footer=True
    ),
    Command("next_alarm", "Next", "Another alarm of the model.", "tab", ("alarm",)),
    Command("previous_pane", "Before", "The other way round.", "shift+tab,left", ("watched",)),
    Command(
        "check",
        "Check",
        "Look at what it is sent, now.",
        "c",
        ("monitoring", "watched"),
        "model",
        "mlops check {}",
        True,
    ),
    Command("retrain", "Retrain", "Train it on what came since.", "r", _WATCHES, "model", "mlops retrain {}", True),
    Command("verdict", "Verdict", "What the retrain came to.", "v", ("alarm",), "version", "mlops show {}", True),
    Command("add", "Add", "A project, from a file of data.", "n", _EMPTY_AT_FIRST, "file", "mlops init {}"),
    Command("train", "Train", "Train the model and judge it.", "t", _TRAINS, "model", "mlops train {}", True),
    Command("approve", "Approve", "Approve a version.", "A", _RELEASES, "version", "mlops approve {}", True),
    Command("deploy", "Deploy", "Put it behind its endpoint.", "D", _RELEASES, "version", "mlops deploy {}", True),
    Command("promote", "Promote", "Give a version all the traffic.", "P", _RELEASES, "version", "mlops promote {}"),
    Command("rollback", "Roll back", "To the champion before.", "R", _RELEASES, "model", "mlops rollback {}", True),
    Command(
        "cancel", "Cancel", "Cancel the job, with its processes.", "X", ("jobs", "log"), "job", "mlops cancel {}", True
    ),
    Command("schedule", "Schedule", "What the clock does next.", "S", ("jobs",), cli="mlops schedule", footer=True),
    Command("find", "Find", "Mark and jump to what has these letters.", "f", ("log",), footer=True),
    Command("next_hit", "Next", "To the next line that was found.", "n", ("log",), footer=True),
    Command("previous_hit", "Before", "To the one before.", "N", ("log",), footer=True),
    Command("verify", "Verify", "Hash every event and file again.", "V", ("audit", "event"), cli="mlops verify"),
    Command("why", "Why", "The whole chain.", "w", (*_WATCHES, "versions", "version"), "version", "mlops why {}", True),
    Command(
        "close", "Close", "It is over, or was expected.", "C", ("watched", "alarm"), "alarm", "mlops close {}", True
    ),
    Command("curl", "Curl", "Send a curl line that asks it to the clipboard.", "c", ("deployments", "endpoint")),
    Command(
        "copy",
        "Copy",
        "Send it to the clipboard, as JSON or plain.",
        "y",
        (*_ROWS, "version", "event", "errors", "why", "preview", "draft", "log"),
    ),
    Command("sort", "Sort", "Another order.", "s", _ROWS, footer=True),
    Command("filter", "Filter", "Only what has these words; /! turns it round.", "slash", shown_key="/", footer=True),
    Command("command", "Command", "Type a command; tab completes.", "colon", shown_key=":", footer=True),
    Command("help", "Help", "The keys of this screen.", "question_mark", shown_key="?", footer=True),
    Command("palette", "Palette", "Search all commands.", "ctrl+p"),
    Command("back", "Back", "One level back; clears a filter first.", "escape", shown_key="esc"),
    Command("quit", "Quit", "Leave; everything goes on. At the root only.", "q", footer=True),
    Command("show", "Show", "fraud@3, run 12, job 12 or snapshot 2.", takes="thing", cli="mlops show {}"),
    Command("error", "Errors", "What went wrong lately, whole.", "exclamation_mark", shown_key="!"),
    Command("save", "Save", "Write what the screen shows to a file.", takes="file"),
    Command("theme", "Theme", "dark, light, safe (colour-blind), ansi, ansi-light.", takes="theme"),
    Command("slow", "Slow", "Fewer frames, for a slow link: on or off.", takes="on"),
    Command("down", "Down", "Next line.", "j,down", ("lines",)),
    Command("up", "Up", "Line before.", "k,up", ("lines",)),
    Command("top", "Top", "First line.", "g,home", ("lines",)),
    Command("bottom", "Bottom", "Last line.", "G,end", ("lines",)),
    Command("page_down", "Half a page down", "Also page down.", "ctrl+d,pagedown", ("lines",)),
    Command("page_up", "Half a page up", "Also page up.", "ctrl+u,pageup", ("lines",)),
)

NEEDS: dict[str, Role] = {
    **dict.fromkeys(("train", "deploy", "promote", "rollback", "cancel", "verify"), "operator"),
    **dict.fromkeys(("check", "retrain", "acknowledge", "close"), "operator"),
    "approve": "approver",
    "add": "admin",
}
"""Who may, by a command's id: this role and those above it. Anybody may do what is not named."""

BY_ID = {command.id: command for command in COMMANDS}

SCREENS = ("fleet", "runs", "models", "deployments", "monitoring", "data", "jobs", "audit")
"""In the order of their keys, 1 to 8."""


def commands_of(where: Where) -> tuple[Command, ...]:
    """Those whose keys a place has."""
    return tuple(command for command in COMMANDS if where in command.where)


def typed_commands() -> tuple[Command, ...]:
    """Those that the `:` bar and the palette know."""
    return tuple(command for command in COMMANDS if "lines" not in command.where and command.id != "command")


def find(word: str, among: Sequence[Command] = ()) -> Command | None:
    """A typed command by its name, or by a beginning that only one has. `q` and `q!` quit, as everywhere.

    `among`: those to look through; empty: all.
    """
    if word in ("q", "q!", "exit"):
        return BY_ID["quit"]
    known = among or typed_commands()
    exact = [command for command in known if command.id == word]
    near = exact or [command for command in known if word and command.id.startswith(word)]
    return near[0] if len(near) == 1 else None
