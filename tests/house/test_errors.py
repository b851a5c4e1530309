"""The error tree is drawn as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from engine import errors
from engine.errors import EngineError, from_problem


def all_errors(root: type[EngineError] = EngineError) -> Iterator[type[EngineError]]:
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)


OURS = [kind for kind in all_errors() if kind.__module__ == errors.__name__]


def test_the_drawing_names_every_error_at_its_depth() -> None:
    drawn = re.findall(r"^ {4}((?:│   |    |├── |└── )*)(\w+)", errors.__doc__ or "", re.MULTILINE)
    depths = {name: len(stem) // 4 for stem, name in drawn}
    assert depths == {kind.__name__: len(kind.__mro__) - len(EngineError.__mro__) for kind in OURS}


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in OURS}) == len(OURS)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.code)
def test_an_error_crosses_the_socket_unchanged(kind: type[EngineError]) -> None:
    sent = kind("It broke.", "Mend it.", name="fraud", row=3)
    came = from_problem(sent.to_problem(), sent.status)
    assert (type(came), came.message, came.hint, came.about) == (kind, sent.message, sent.hint, sent.about)


def test_an_error_without_a_code_of_its_own_does_not_replace_the_one_above_it() -> None:
    class Nameless(errors.BadData):
        pass

    assert type(from_problem(Nameless("It broke.").to_problem(), 422)) is errors.BadData
