"""One router per noun, each thin: a request to a use case or a query, and its answer."""

from engine.api.routers import endpoints, engine, events, housekeeping, jobs, models, monitoring, projects, runs, work

ALL = tuple(
    noun.router for noun in (engine, projects, jobs, work, runs, models, endpoints, monitoring, events, housekeeping)
)
