"""Commands that ask the engine to do something. Each shows its command line; the grave ones ask first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual.widget import AwaitMount

from engine.errors import EngineError, InvalidInput
from mlops_tui.commands import BY_ID, Command
from mlops_tui.messages import ActionDone, ActionFailed
from mlops_tui.opening import OpeningScreen
from mlops_tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from engine.client import AsyncEngineClient

Ask = Callable[["AsyncEngineClient"], Awaitable[str]]
"""Asks the engine and gives a sentence on what came of it."""


class ActingScreen(OpeningScreen):
    """A screen on whose rows something can be done; the argument of a command goes before the row."""

    def do_train(self, argument: str) -> AwaitMount | None:
        """Train a model."""
        command, name = BY_ID["train"], argument or self.subject("model")

        async def ask(engine: AsyncEngineClient) -> str:
            job = (await engine.train(name)).job
            return f"job {job.id} is {job.status}; 7 shows it"

        return self._do(command, name, ask)

    def do_approve(self, argument: str) -> AwaitMount | None:
        """Approve a version, after a question."""
        command, version = BY_ID["approve"], argument or self.subject("version")

        async def ask(engine: AsyncEngineClient) -> str:
            name, number = _version(version)
            await engine.approve(name, _needed(number, version))
            return f"{version} is approved"

        return self._do(command, version, ask, question=f"Approve {version}?")

    def do_deploy(self, argument: str) -> AwaitMount | None:
        """Release a version, after a question."""
        command, version = BY_ID["deploy"], argument or self.subject("version")

        async def ask(engine: AsyncEngineClient) -> str:
            name, number = _version(version)
            begun = await engine.deploy(name, version=number)
            return f"{begun.endpoint}@{begun.version} is {begun.status}"

        return self._do(command, version, ask, question=f"Give {version} all the traffic of its endpoint?")

    def do_promote(self, argument: str) -> AwaitMount | None:
        """Give a version all the traffic, after a question."""
        command, version = BY_ID["promote"], argument or self.subject("version")

        async def ask(engine: AsyncEngineClient) -> str:
            name, number = _version(version)
            begun = await engine.promote(name, version=number)
            return f"{begun.endpoint}@{begun.version} is {begun.status}"

        return self._do(command, version, ask, question=f"Make {version} the champion?")

    def do_rollback(self, argument: str) -> AwaitMount | None:
        """Back to the champion before; a live champion's name must be typed."""
        command, name = BY_ID["rollback"], argument or self.subject("model")

        async def ask(engine: AsyncEngineClient) -> str:
            begun = await engine.rollback(name)
            return f"{begun.endpoint}@{begun.version} is {begun.status}"

        return self._do(command, name, ask, question=f"Take the champion of {name} out of service?", typed=name)

    def do_cancel(self, argument: str) -> AwaitMount | None:
        """Cancel a job, after a question."""
        command, job_id = BY_ID["cancel"], argument or self.subject("job")

        async def ask(engine: AsyncEngineClient) -> str:
            job = await engine.cancel(_job(job_id))
            return f"job {job.id} is {'being cancelled' if job.status == 'running' else job.status}"

        return self._do(command, job_id, ask, question=f"Cancel job {job_id}, with all its processes?")

    def do_logs(self, argument: str) -> AwaitMount | None:
        """Follow a job's log."""
        from mlops_tui.screens.logs import LogScreen

        job_id = argument or self.subject("job")
        try:
            number = _job(job_id)
        except InvalidInput as error:
            self.say(f"✗ {error.message} {error.hint}", "bad")
            return None
        self.say(f"$ {BY_ID['logs'].line(job_id)}")
        return self.app.push_screen(LogScreen(number, self._mode_id))

    def _do(
        self, command: Command, argument: str, ask: Ask, *, question: str = "", typed: str = ""
    ) -> AwaitMount | None:
        if not argument:
            self.say(f"✗ {command.title} what? :{command.id} {command.takes.upper()}", "bad")
            return None
        line = command.line(argument)

        def begin(yes: bool | None) -> None:
            if yes:
                self.say(f"$ {line} …", "busy")
                self.run_worker(self._ask(line, ask), group="actions", exit_on_error=True)
            else:
                self.say(f"Not done: {line}")

        if question:
            return self.app.push_screen(ConfirmScreen(question, line, name=typed), begin)
        begin(True)
        return None

    async def _ask(self, line: str, ask: Ask) -> None:
        try:
            said = await ask(self.engine_app.engine)
        except EngineError as error:
            self.post_message(ActionFailed(line, error))
        else:
            self.post_message(ActionDone(line, said))


def _version(text: str) -> tuple[str, int | None]:
    name, at, number = text.partition("@")
    if at and not (number.isascii() and number.isdigit() and len(number) < 16):
        raise InvalidInput(f"{text[:60]!r} names no version.", "Write fraud@3.")
    return name, int(number) if at else None


def _needed(number: int | None, text: str) -> int:
    if number is None:
        raise InvalidInput(f"{text[:60]!r} names no version.", f"Write {text[:40]}@1.")
    return number


def _job(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidInput("No job is meant here." if not text else f"{text[:40]!r} is no job's number.", ":logs 12")
    return int(text)
