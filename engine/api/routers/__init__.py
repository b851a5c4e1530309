"""One router per noun, each thin: a request to a use case or a query, and its answer."""

from engine.api.routers import (
    endpoints,
    engine,
    events,
    housekeeping,
    jobs,
    labels,
    models,
    monitoring,
    projects,
    retrains,
    runs,
    uploads,
    work,
)

ALL = tuple(
    noun.router
    for noun in (
        engine,
        projects,
        jobs,
        work,
        runs,
        models,
        endpoints,
        monitoring,
        uploads,
        labels,
        retrains,
        events,
        housekeeping,
    )
)
