import pytest
from pydantic import ValidationError

from engine.wire.looks import AskLook
from engine.wire.sentence import name_the_field


def test_a_name_that_is_none_is_told_what_names_are_made_of() -> None:
    with pytest.raises(ValidationError) as refused:
        AskLook.model_validate({"path": "/a.csv", "target": "y", "name": "My Project"})
    assert name_the_field(refused.value.errors()) == (
        "`name` must be 1 to 40 of a-z, 0-9 and '-', starting with a letter."
    )
