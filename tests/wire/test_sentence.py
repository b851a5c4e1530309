from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.wire.endpoints import Deploy
from engine.wire.looks import AskLook
from engine.wire.projects import TrainProject
from engine.wire.runs import LogRun
from engine.wire.sentence import harmless, name_the_field

CASES = [
    (TrainProject, {"seed": "x"}, "`seed` must be a whole number."),
    (TrainProject, {"seed": 1.5}, "`seed` must be a whole number."),
    (TrainProject, {"sead": 1}, "`sead` is not known here."),
    (LogRun, {}, "`project` is missing."),
    (LogRun, {"project": "fraud", "metrics": {"auc": "x"}}, "`metrics.auc` "),
    (LogRun, {"project": "fraud", "metrics": []}, "`metrics` must be a JSON object."),
    (Deploy, {"share": 2}, "`share` is refused: input should be less than or equal to 1."),
    (Deploy, {"override": "x"}, "`override` is refused: "),
    (AskLook, {"path": 1, "target": "y"}, "`path` must be text."),
    (AskLook, {"path": "/a.csv", "target": "y", "name": "My Project"}, "`name` must be 1 to 40 of a-z, 0-9 and '-', "),
    (TrainProject, {"\x1b]52;\n": 1}, "`?]52; ` is not known here."),
    (TrainProject, {"x" * 5000: 1}, f"`{'x' * 60}` is not known here."),
]


@pytest.mark.parametrize("kind, fields, told", CASES, ids=[told[:30] for _, _, told in CASES])
def test_the_field_is_named_in_one_sentence(kind: type, fields: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        kind(**fields)
    sentence = name_the_field(refused.value.errors())
    assert sentence.startswith(told)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "[a-z]" not in sentence


def test_a_sentence_moves_no_cursor():
    assert harmless("\x1b[2J is\nno folder\u202e.") == "?[2J is no folder?."
