"""Commands that ask the engine to do something. Each shows its command line; the grave ones ask first."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import on
from textual.widget import AwaitMount

from engine.errors import EngineError, InvalidInput
from mlops_tui.commands import BY_ID, Command
from mlops_tui.messages import ActionDone, ActionFailed, TrainingBegun
from mlops_tui.opening import OpeningScreen, version_named
from mlops_tui.screens.confirm import ConfirmScreen
from mlops_tui.view.roles import may, why_not

if TYPE_CHECKING:
    from engine.client import AsyncEngineClient
    from engine.wire.endpoints import ReleasePreview, ReleaseVerb
    from engine.wire.projects import AddedProject
    from mlops_tui.screens.release import Order

Ask = Callable[["AsyncEngineClient"], Awaitable[str]]
"""Asks the engine and gives a sentence on what came of it."""
AskForOrder = Callable[["AsyncEngineClient", str, "Order"], Awaitable[str]]
"""The same, for a model and what was said yes to."""
AskWithNote = Callable[["AsyncEngineClient", int, str], Awaitable[str]]
"""The same, for an alarm and a note on it."""


class ActingScreen(OpeningScreen):
    """A screen on whose rows something can be done; the argument of a command goes before the row."""

    def do_train(self, argument: str) -> AwaitMount | None:
        """Train a model."""
        command, name = BY_ID["train"], argument or self.subject("model")

        async def ask(engine: AsyncEngineClient) -> str:
            job = (await engine.train(name)).job
            return f"job {job.id} is {job.status}; 7 shows it"

        return self._do(command, name, ask)

    def do_add(self, argument: str) -> AwaitMount | None:
        """A project from a file of data: choose it, choose the target, correct what was seen, write."""
        from mlops_tui.screens.add_project_pick import PickScreen

        command = BY_ID["add"]
        if not self._may(command, argument or "data"):
            return None
        guide = self.engine_app.guide
        guide.begin()
        if not argument:
            return self.app.push_screen(PickScreen(guide, self._mode_id))
        wanted = guide.path(argument)
        if wanted.is_dir():
            guide.folder = wanted
            return self.app.push_screen(PickScreen(guide, self._mode_id))
        if not (wanted.is_file() or set("*?[") & set(argument)):
            self.say(f"✗ There is no file {wanted}.", "bad")
            return None
        guide.listing = None
        from mlops_tui.screens.add_project_target import TargetScreen

        return self.app.push_screen(TargetScreen(guide, self._mode_id, str(wanted)))

    def offer_training(self, added: AddedProject) -> None:
        """A project is new here: train it now, and watch it?"""
        from mlops_tui.screens.add_project_done import AddedScreen

        project = added.project
        done = "is added" if added.changed else "was added already, and nothing has changed"
        told = f"{project.name} {done}: {project.task}, judged by {project.metric}."

        def begin(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._train_and_follow(project.name), group="actions")
            else:
                self.say(f"✓ {told} t trains it.", "good")

        self.app.push_screen(AddedScreen(project.name, told), begin)

    async def _train_and_follow(self, name: str) -> None:
        try:
            job = (await self.engine_app.engine.train(name)).job
        except EngineError as error:
            self.post_message(ActionFailed(BY_ID["train"].line(name), error))
        else:
            self.post_message(TrainingBegun(job.id))

    @on(TrainingBegun)
    def _training_begun(self, message: TrainingBegun) -> None:
        self.do_logs(str(message.job_id))

    def do_approve(self, argument: str) -> AwaitMount | None:
        """Approve a version, on its verdict."""

        async def ask(engine: AsyncEngineClient, name: str, order: Order) -> str:
            await engine.approve(name, order.version or 0, override=order.override)
            return f"{name}@{order.version} is approved; D releases it"

        return self._release("approve", argument, ask)

    def do_deploy(self, argument: str) -> AwaitMount | None:
        """Release a version, once it is seen what that changes."""

        async def ask(engine: AsyncEngineClient, name: str, order: Order) -> str:
            begun = await engine.deploy(name, version=order.version, override=order.override)
            return f"{begun.endpoint}@{begun.version} is {begun.status}"

        return self._release("deploy", argument, ask)

    def do_promote(self, argument: str) -> AwaitMount | None:
        """Give a version all the traffic, once it is seen what that changes."""

        async def ask(engine: AsyncEngineClient, name: str, order: Order) -> str:
            begun = await engine.promote(name, version=order.version, override=order.override)
            return f"{begun.endpoint}@{begun.version} is {begun.status}"

        return self._release("promote", argument, ask)

    def do_rollback(self, argument: str) -> AwaitMount | None:
        """Back to the champion before, once it is seen which one that is."""

        async def ask(engine: AsyncEngineClient, name: str, order: Order) -> str:
            begun = await engine.rollback(name)
            return f"{begun.endpoint}@{begun.version} is {begun.status}"

        return self._release("rollback", argument, ask)

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

    def do_check(self, argument: str) -> AwaitMount | None:
        """Look at what a model is sent, now."""
        command, name = BY_ID["check"], argument or self.subject("model")

        async def ask(engine: AsyncEngineClient) -> str:
            job = await engine.check(name)
            return f"job {job.id} looks at it; what it finds shows here"

        return self._do(command, name, ask)

    def do_retrain(self, argument: str) -> AwaitMount | None:
        """Train a model again, when it can be judged fairly or at once."""
        from mlops_tui.screens.alarm_answer import RetrainScreen

        command, name = BY_ID["retrain"], argument or self.subject("model")
        if not self._may(command, name):
            return None
        line = command.line(name)

        def begin(now: bool | None) -> None:
            if now is None:
                self.say(f"Not done: {line}")
                return
            told = f"{line} --now" if now else line
            self.say(f"$ {told} …", "busy")
            self.run_worker(self._retrain(told, name, now), group="actions")

        return self.app.push_screen(RetrainScreen(name, line), begin)

    async def _retrain(self, line: str, name: str, now: bool) -> None:
        try:
            answer = await self.engine_app.engine.retrain(name, now=now)
        except EngineError as error:
            self.post_message(ActionFailed(line, error))
            return
        asked, job = answer.retrain, answer.job
        told = (
            f"retrain {asked.id} {asked.status}: {asked.note}"
            if job is None
            else f"job {job.id} trains it; l follows its log"
        )
        self.post_message(ActionDone(line, told, waits=job is None))

    def do_acknowledge(self, argument: str) -> AwaitMount | None:
        """Say that one looks after an alarm."""

        async def ask(engine: AsyncEngineClient, alarm_id: int, note: str) -> str:
            alarm = await engine.acknowledge(alarm_id, note=note)
            return f"{alarm.acknowledged_by} looks after alarm {alarm.id} of {alarm.model}"

        return self._answer("acknowledge", argument, ask)

    def do_close(self, argument: str) -> AwaitMount | None:
        """Close an alarm, with a note on why."""

        async def ask(engine: AsyncEngineClient, alarm_id: int, note: str) -> str:
            alarm = await engine.close_alarm(alarm_id, note=note)
            return f"alarm {alarm.id} of {alarm.model} is closed"

        return self._answer("close", argument, ask)

    def do_alarm(self, argument: str) -> AwaitMount | None:
        """What most asks for somebody."""
        name = argument or self.subject("model")
        if not name:
            self.say("✗ Alarm of what? :alarm MODEL", "bad")
            return None
        return self.open_alarm(name)

    def do_why(self, argument: str) -> AwaitMount | None:
        """The whole chain behind a version."""
        about = argument or self.subject("version") or self.subject("model")
        if not about:
            self.say("✗ Why what? :why fraud@3", "bad")
            return None
        try:
            return self.open_chain(*version_named(about))
        except InvalidInput as error:
            self.say(f"✗ {error.message} {error.hint}", "bad")
            return None

    def _answer(self, verb: str, argument: str, ask: AskWithNote) -> AwaitMount | None:
        """Ask for a note, then answer an alarm."""
        from mlops_tui.screens.alarm_answer import NoteScreen

        command, about = BY_ID[verb], argument or self.subject("alarm")
        if not self._may(command, about):
            return None
        if not (about.isascii() and about.isdigit() and len(about) < 16):
            self.say(f"✗ {about[:40]!r} is no alarm's number. :{verb} 3", "bad")
            return None
        line = command.line(about)

        def begin(note: str | None) -> None:
            if note is None:
                self.say(f"Not done: {line}")
                return
            told = f"{line} --note {shlex.quote(note)}" if note else line
            self.say(f"$ {told} …", "busy")
            self.run_worker(self._ask(told, lambda engine: ask(engine, int(about), note)), group="actions")

        return self.app.push_screen(NoteScreen(verb, about, line), begin)

    def _release(self, verb: ReleaseVerb, argument: str, ask: AskForOrder) -> AwaitMount | None:
        """Show what it would change; yes gives just that order."""
        from mlops_tui.screens.release import ReleaseScreen

        command = BY_ID[verb]
        about = argument or self.subject(command.takes)
        if not self._may(command, about):
            return None
        try:
            name, number = version_named(about)
            if verb == "approve" and number is None:
                raise InvalidInput(f"{about[:60]!r} names no version.", f"Write {name[:40]}@1.")
        except InvalidInput as error:
            self.say(f"✗ {error.message} {error.hint}", "bad")
            return None
        number = None if verb == "rollback" else number
        line = command.line(name if number is None else f"{name}@{number}")

        async def look() -> ReleasePreview:
            return await self.engine_app.engine.preview_release(name, verb, version=number)

        def begin(order: Order | None) -> None:
            if order is None:
                self.say(f"Not done: {line}")
                return
            told = line if order.override is None else f"{line} --override {shlex.quote(order.override)}"
            self.say(f"$ {told} …", "busy")
            self.run_worker(self._ask(told, lambda engine: ask(engine, name, order)), group="actions")

        return self.app.push_screen(ReleaseScreen(look, f"{command.title} {about}", line), begin)

    def _may(self, command: Command, about: str) -> bool:
        """Whether there is something to do it to, and the role for it; says what is missing."""
        caller = self.engine_app.caller
        if not about:
            self.say(f"✗ {command.title} what? :{command.id} {command.takes.upper()}", "bad")
        elif caller is not None and not may(caller, command):
            self.say(f"✗ {why_not(caller, command)}", "bad")
        else:
            return True
        return False

    def _do(
        self, command: Command, argument: str, ask: Ask, *, question: str = "", typed: str = ""
    ) -> AwaitMount | None:
        if not self._may(command, argument):
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


def _job(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidInput("No job is meant here." if not text else f"{text[:40]!r} is no job's number.", ":logs 12")
    return int(text)
