"""3 Models: every model with its champion and its newest verdict; enter opens its versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.screens.listed import ListedScreen
from mlops_tui.view.cell import Cell
from mlops_tui.view.models import MODEL_COLUMNS, MODEL_ORDERS, model_cells, model_facts, model_words
from mlops_tui.view.welcome import welcome_lines

if TYPE_CHECKING:
    from engine.wire.models import ModelView


class ModelsScreen(ListedScreen["ModelView"]):
    """The list of models."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("models")
    mode = "models"
    place: ClassVar[Where] = "models"
    columns = MODEL_COLUMNS
    orders: Mapping[str, Callable[[ModelView], Any] | None] = MODEL_ORDERS

    async def ask(self) -> Sequence[ModelView]:
        """All models."""
        return (await self.engine_app.engine.models()).models

    def key(self, thing: ModelView) -> str:
        """Its name."""
        return thing.name

    def cells(self, thing: ModelView) -> Mapping[str, Cell]:
        """A model's row."""
        return model_cells(thing, self.now())

    def words(self, thing: ModelView) -> str:
        """What a filter looks through."""
        return model_words(thing)

    def nothing(self) -> Sequence[Cell]:
        """How a first model comes to be."""
        return welcome_lines()

    def narrow(self, about: str) -> None:
        """One model: its versions, on top."""
        self.open_versions(about)

    def subject(self, takes: Argument) -> str:
        """Of the model under the cursor; a version is its newest."""
        model = self.current()
        if model is None:
            return ""
        if takes == "version":
            return "" if model.latest is None else f"{model.name}@{model.latest}"
        return model.name if takes in ("model", "thing") else ""

    def do_open(self, _: str) -> AwaitMount | None:
        """Its versions."""
        model = self.current()
        return None if model is None else self.open_versions(model.name)

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one model."""
        from mlops_tui.screens.describe import DescribeScreen

        model = self.current()
        if model is None:
            return None
        self.say(f"$ mlops show {model.name}")
        kinds: tuple[Argument, ...] = ("model", "version")
        subjects = {kind: self.subject(kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(model.name, model_facts(model, self.now()), self.mode, subjects))
