"""Projects, their code, and looks at data."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.roles import Admin, Operator, Viewer
from engine.lifecycle.add_project import add_project
from engine.lifecycle.look_at_data import look_at_data
from engine.lifecycle.train_project import train_project
from engine.registry.queries import projects
from engine.wire.jobs import JobView
from engine.wire.looks import AskLook
from engine.wire.projects import AddedProject, AddProject, ProjectList, ProjectView, TrainAnswer, TrainProject

router = APIRouter(prefix="/v1", tags=["projects"])


@router.post("/looks")
def post_look(engine: InEngine, caller: Admin, body: AskLook) -> JobView:
    """Have a worker look at a file of data."""
    return look_at_data(engine.parts, caller, body)


@router.get("/projects")
def list_projects(engine: InEngine, caller: Viewer) -> ProjectList:
    """All projects, by name."""
    return projects.list_projects(engine.parts.reader)


@router.post("/projects")
def post_project(engine: InEngine, caller: Admin, body: AddProject) -> AddedProject:
    """Register the project in a folder, or store its code again."""
    return add_project(engine.parts, caller, body)


@router.get("/projects/{name}")
def get_project(engine: InEngine, caller: Viewer, name: str) -> ProjectView:
    """One project."""
    return projects.get_project(engine.parts.reader, name)


@router.post("/projects/{name}/train")
def train(engine: InEngine, caller: Operator, name: str, body: TrainProject) -> TrainAnswer:
    """Queue a training run."""
    return train_project(engine.parts, caller, name, body)
